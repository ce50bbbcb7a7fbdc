//! Discord's refusals: a status, a code with its words, and for bodies a tree of what is wrong where
//! (docs.discord.com/developers/topics/opcodes-and-status-codes; reference, "Error Messages").

use serde_json::{Map, Value, json};

/// A refused call.
#[derive(Debug)]
pub(in crate::sandbox) struct Refusal {
    pub(in crate::sandbox) status: u16,
    body: Box<Map<String, Value>>,
    /// Headers beside it.
    pub(in crate::sandbox) headers: Vec<(&'static str, String)>,
}

/// Codes with their status and words.
const KNOWN: [(u32, u16, &str); 27] = [
    (10_003, 404, "Unknown Channel"),
    (10_004, 404, "Unknown Guild"),
    (10_007, 404, "Unknown Member"),
    (10_008, 404, "Unknown Message"),
    (10_013, 404, "Unknown User"),
    (10_015, 404, "Unknown Webhook"),
    (10_062, 404, "Unknown interaction"),
    (10_063, 404, "Unknown application command"),
    (
        20_012,
        403,
        "You are not authorized to perform this action on this application",
    ),
    (40_060, 400, "Interaction has already been acknowledged."),
    (40_333, 403, "internal network error"),
    (50_001, 403, "Missing Access"),
    (50_003, 403, "Cannot execute action on a DM channel"),
    (
        50_005,
        403,
        "Cannot edit a message authored by another user",
    ),
    (50_006, 400, "Cannot send an empty message"),
    (50_007, 403, "Cannot send messages to this user"),
    (50_008, 400, "Cannot send messages in a non-text channel"),
    (50_013, 403, "Missing Permissions"),
    (50_024, 400, "Cannot execute action on this channel type"),
    (50_027, 401, "Invalid Webhook Token"),
    (50_035, 400, "Invalid Form Body"),
    (50_083, 400, "Thread is archived"),
    (50_109, 400, "The request body contains invalid JSON."),
    (
        50_278,
        403,
        "Cannot send messages to this user due to having no mutual guilds",
    ),
    (
        160_002,
        400,
        "Cannot reply without permission to read message history",
    ),
    (
        160_004,
        400,
        "A thread has already been created for this message",
    ),
    (160_005, 400, "This thread is locked"),
];

impl Refusal {
    /// By Discord's code.
    pub(in crate::sandbox) fn of(code: u32) -> Self {
        let known = KNOWN.iter().find(|(own, ..)| *own == code);
        let (_, status, message) = known.copied().unwrap_or((code, 400, "Bad request"));
        Self::new(status, code, message)
    }

    /// No such route.
    pub(in crate::sandbox) fn not_found() -> Self {
        Self::new(404, 0, "404: Not Found")
    }

    /// A missing or wrong token.
    pub(in crate::sandbox) fn unauthorized() -> Self {
        Self::new(401, 0, "401: Unauthorized")
    }

    fn new(status: u16, code: u32, message: &str) -> Self {
        let mut body = Map::new();
        body.insert("message".into(), message.into());
        body.insert("code".into(), code.into());
        Self {
            status,
            body: Box::new(body),
            headers: Vec::new(),
        }
    }

    /// Too many calls: for so long, in this bucket or in all (docs.discord.com/developers/topics/rate-limits).
    pub(in crate::sandbox) fn limited(seconds: f64, global: bool) -> Self {
        let mut body = Map::new();
        body.insert("message".into(), "You are being rate limited.".into());
        body.insert("retry_after".into(), json!(seconds));
        body.insert("global".into(), global.into());
        let mut headers = vec![
            ("retry-after", format!("{:.0}", seconds.ceil())),
            (
                "x-ratelimit-scope",
                if global { "global" } else { "user" }.to_owned(),
            ),
        ];
        if global {
            headers.push(("x-ratelimit-global", "true".to_owned()));
        }
        Self {
            status: 429,
            body: Box::new(body),
            headers,
        }
    }

    /// The answer's body.
    pub(in crate::sandbox) fn body(&self) -> Value {
        Value::Object((*self.body).clone())
    }

    /// In words, for people: the message, and the first thing that is wrong in a body.
    pub(in crate::sandbox) fn words(&self) -> String {
        let message = self.body.get("message").and_then(Value::as_str);
        let message = message.unwrap_or_default();
        match self.body.get("errors") {
            Some(errors) => format!("{message}: {errors}"),
            None => message.to_owned(),
        }
    }
}

/// What is wrong with a body, collected place by place.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct Form {
    errors: Map<String, Value>,
}

impl Form {
    /// Something is wrong at a place such as `components.0.label`.
    pub(in crate::sandbox) fn wrong(&mut self, path: &str, code: &str, message: &str) {
        let mut at = &mut self.errors;
        for key in path.split('.') {
            let below = at.entry(key).or_insert_with(|| json!({}));
            let Value::Object(below) = below else { return };
            at = below;
        }
        let all = at.entry("_errors").or_insert_with(|| json!([]));
        if let Value::Array(all) = all {
            all.push(json!({ "code": code, "message": message }));
        }
    }

    /// A field is missing.
    pub(in crate::sandbox) fn missing(&mut self, path: &str) {
        self.wrong(path, "BASE_TYPE_REQUIRED", "This field is required");
    }

    /// Nothing, or a refusal.
    pub(in crate::sandbox) fn done(self) -> Result<(), Refusal> {
        if self.errors.is_empty() {
            return Ok(());
        }
        let mut refusal = Refusal::of(50_035);
        refusal.body.insert("errors".into(), self.errors.into());
        Err(refusal)
    }

    /// A refusal for one thing.
    pub(in crate::sandbox) fn one(path: &str, code: &str, message: &str) -> Refusal {
        let mut form = Self::default();
        form.wrong(path, code, message);
        form.done().err().unwrap_or_else(|| Refusal::of(50_035))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_stands_where_it_is_wrong() {
        let mut form = Form::default();
        form.missing("components.0.components.1.label");
        form.wrong(
            "content",
            "BASE_TYPE_MAX_LENGTH",
            "Must be 2000 or fewer in length.",
        );
        let refusal = form.done().unwrap_err();
        assert_eq!(refusal.status, 400);
        assert_eq!(
            refusal.body(),
            json!({ "message": "Invalid Form Body", "code": 50_035, "errors": {
                "components": { "0": { "components": { "1": { "label": { "_errors": [
                    { "code": "BASE_TYPE_REQUIRED", "message": "This field is required" }] } } } } },
                "content": { "_errors": [
                    { "code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 2000 or fewer in length." }] },
            } })
        );
    }
}
