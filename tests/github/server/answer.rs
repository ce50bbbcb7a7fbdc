//! What is answered, in GitHub's words and shapes.

use serde_json::{Value, json};

/// An answer before its general headers.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub body: Option<Value>,
    pub headers: Vec<(&'static str, String)>,
}

/// The answer to a call, with `Err` for one that leaves early.
pub type Outcome = Result<Answer, Answer>;

impl Answer {
    pub fn json(status: u16, body: Value) -> Self {
        Self {
            status,
            body: Some(body),
            headers: Vec::new(),
        }
    }

    pub fn ok(body: Value) -> Self {
        Self::json(200, body)
    }

    pub fn none() -> Self {
        Self {
            status: 204,
            body: None,
            headers: Vec::new(),
        }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// A refusal. The page about the operation is filled in where none is given.
    pub fn refusal(status: u16, message: impl Into<String>) -> Self {
        let message = message.into();
        Self::json(
            status,
            json!({ "message": message, "status": status.to_string() }),
        )
    }

    /// Also what somebody gets who may not see that it exists.
    pub fn not_found() -> Self {
        Self::refusal(404, "Not Found")
    }

    pub fn bad_credentials() -> Self {
        Self::refusal(401, "Bad credentials").documented("https://docs.github.com/rest")
    }

    pub fn documented(mut self, page: &str) -> Self {
        if let Some(body) = &mut self.body {
            body["documentation_url"] = json!(page);
        }
        self
    }

    /// 422 with one reason in GitHub's form.
    pub fn invalid(message: &str, resource: &str, field: &str, code: &str, why: &str) -> Self {
        let mut answer = Self::refusal(422, message);
        let mut error = json!({ "resource": resource, "code": code, "field": field });
        if !why.is_empty() {
            error["message"] = json!(why);
        }
        if let Some(body) = &mut answer.body {
            body["errors"] = json!([error]);
        }
        answer
    }
}
