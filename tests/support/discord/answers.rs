//! What Discord takes as an answer to an interaction, and when (docs.discord.com/developers/interactions/receiving-and-responding).

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{World, error, wrong};

/// How long an interaction may stay unanswered.
const PATIENCE: Duration = Duration::from_secs(3);

/// Flags: previews left out; for one person alone.
const WITHOUT_PREVIEWS: u64 = 1 << 2;
const PRIVATE: u64 = 1 << 6;

/// Somebody's act.
pub(super) struct Interaction {
    pub(super) token: String,
    pub(super) kind: u64,
    at: Instant,
    pub(super) answers: Vec<Value>,
    /// Whether Discord has its answer.
    pub(super) answered: bool,
}

impl Interaction {
    pub(super) fn new(token: String, kind: u64) -> Self {
        Self {
            token,
            kind,
            at: Instant::now(),
            answers: Vec::new(),
            answered: false,
        }
    }
}

impl World {
    /// `POST /interactions/:id/:token/callback`
    pub(super) fn call_back(&mut self, id: &str, token: &str, body: &Value) -> (u16, Value) {
        let found = self.interactions.get_mut(id);
        let Some(interaction) = found.filter(|i| i.token == token) else {
            return error(404, 10_062);
        };
        if interaction.answered {
            return error(400, 40_060);
        }
        if interaction.at.elapsed() > PATIENCE {
            return error(404, 10_062);
        }
        if let Some(wrong) = wrong_answer(interaction.kind, body) {
            return self.refuse(wrong);
        }
        interaction.answered = true;
        interaction.answers.push(body.clone());
        (204, Value::Null)
    }

    /// `POST /webhooks/:application/:token` and `PATCH …/messages/@original`
    pub(super) fn follow_up(&mut self, token: &str, edits: bool, body: &Value) -> (u16, Value) {
        let mut all = self.interactions.values_mut();
        let Some(interaction) = all.find(|i| i.token == token) else {
            return error(401, 50_027);
        };
        if !interaction.answered {
            return error(404, 10_015);
        }
        let flags = if edits {
            WITHOUT_PREVIEWS
        } else {
            WITHOUT_PREVIEWS | PRIVATE
        };
        if let Some(wrong) = wrong(body, flags) {
            return self.refuse(wrong);
        }
        interaction.answers.push(body.clone());
        (200, json!({ "id": self.next() }))
    }
}

/// What is wrong with an answer to an interaction of this kind.
pub(super) fn wrong_answer(kind: u64, body: &Value) -> Option<String> {
    let data = &body["data"];
    let told = |what: &str| Some(format!("{what} to an interaction of kind {kind}: {body}"));
    let Some(answer) = body["type"].as_u64() else {
        return told("no kind");
    };
    // A press (3), what is typed into a command (4), a filled modal (5).
    match (answer, kind) {
        (8, 4) => None,
        (_, 4) | (8, _) => told("an answer of this kind"),
        (4, _) => wrong(data, WITHOUT_PREVIEWS | PRIVATE),
        (5, _) => (data["flags"].as_u64().unwrap_or_default() & !PRIVATE != 0)
            .then(|| format!("a promise with {data}")),
        (6, 3 | 5) => None,
        (7, 3 | 5) => wrong(data, WITHOUT_PREVIEWS),
        (9, 2 | 3) => wrong_modal(data),
        _ => told("an answer of this kind"),
    }
}

fn wrong_modal(modal: &Value) -> Option<String> {
    let within = |text: &Value, most: usize| {
        let length = text.as_str().map_or(0, |text| text.chars().count());
        (1..=most).contains(&length)
    };
    let components = modal["components"].as_array().cloned().unwrap_or_default();
    let ids = components
        .iter()
        .filter(|c| c["type"] == 18)
        .map(|c| &c["component"]["custom_id"]);
    let good = within(&modal["title"], 45)
        && within(&modal["custom_id"], 100)
        && (1..=5).contains(&components.len())
        && components
            .iter()
            .all(|c| c["type"] == 10 || within(&c["label"], 45))
        && ids.clone().all(|id| within(id, 100))
        && ids.clone().count() > 0;
    (!good).then(|| format!("a modal {modal}"))
}
