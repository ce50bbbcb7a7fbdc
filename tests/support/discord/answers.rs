//! What Discord takes as an answer to an interaction, when, and as more after it
//! (docs.discord.com/developers/interactions/receiving-and-responding; components reference).

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

/// What is wrong with an answer to an interaction of this kind: a ping (1), a command (2), a press (3), what is typed into
/// a command (4), a filled modal (5).
pub(super) fn wrong_answer(kind: u64, answer: &Value) -> Option<String> {
    let data = &answer["data"];
    match (answer["type"].as_u64(), kind) {
        (Some(1), 1) | (Some(6), 3 | 5) => None,
        (Some(4), 2 | 3 | 5) => wrong(data, WITHOUT_PREVIEWS | PRIVATE),
        (Some(5), 2 | 3 | 5) => {
            (data["flags"] != PRIVATE).then(|| format!("seen by all: {answer}"))
        }
        (Some(7), 3 | 5) => wrong(data, WITHOUT_PREVIEWS),
        (Some(8), 4) => wrong_choices(&data["choices"]),
        // A modal answers no modal.
        (Some(9), 2 | 3) => wrong_modal(data),
        _ => Some(format!(
            "an answer to an interaction of kind {kind}: {answer}"
        )),
    }
}

fn wrong_choices(choices: &Value) -> Option<String> {
    let choices = choices.as_array().cloned().unwrap_or_default();
    let fits = |choice: &Value| {
        ["name", "value"]
            .iter()
            .all(|part| long(&choice[part], 1, 100))
    };
    (choices.len() > 25 || !choices.iter().all(fits)).then(|| format!("choices {choices:?}"))
}

fn wrong_modal(modal: &Value) -> Option<String> {
    let parts = modal["components"].as_array().cloned().unwrap_or_default();
    if !long(&modal["title"], 1, 45) || !long(&modal["custom_id"], 1, 100) {
        return Some(format!("the frame of a modal: {modal}"));
    }
    if !(1..=5).contains(&parts.len()) {
        return Some(format!("a modal of {} parts", parts.len()));
    }
    let mut ids: Vec<&Value> = parts.iter().map(|p| &p["component"]["custom_id"]).collect();
    ids.retain(|id| !id.is_null());
    let all = ids.len();
    ids.sort_by_key(ToString::to_string);
    ids.dedup();
    if ids.len() < all {
        return Some(format!("two inputs of one name: {modal}"));
    }
    parts.iter().find_map(wrong_part)
}

/// Words, or a label with its input.
fn wrong_part(part: &Value) -> Option<String> {
    let input = &part["component"];
    let right = match part["type"].as_u64() {
        Some(10) => long(&part["content"], 1, 4_000),
        Some(18) => {
            long(&part["label"], 1, 45)
                && (part["description"].is_null() || long(&part["description"], 1, 100))
                && long(&input["custom_id"], 1, 100)
                && right_input(input)
        }
        _ => false,
    };
    (!right).then(|| format!("a part of a modal: {part}"))
}

fn right_input(input: &Value) -> bool {
    match input["type"].as_u64() {
        Some(4) => {
            let most = input["max_length"].as_u64().unwrap_or(4_000);
            let value = &input["value"];
            matches!(input["style"].as_u64(), Some(1 | 2))
                && (1..=4_000).contains(&most)
                && (value.is_null() || long(value, 1, usize::try_from(most).unwrap()))
                && (input["placeholder"].is_null() || long(&input["placeholder"], 1, 100))
        }
        Some(3) => {
            let options = input["options"].as_array().cloned().unwrap_or_default();
            let fits = |o: &Value| long(&o["label"], 1, 100) && long(&o["value"], 1, 100);
            (1..=25).contains(&options.len()) && options.iter().all(fits)
        }
        _ => false,
    }
}

fn long(text: &Value, least: usize, most: usize) -> bool {
    let length = text.as_str().map(|text| text.chars().count());
    length.is_some_and(|length| (least..=most).contains(&length))
}
