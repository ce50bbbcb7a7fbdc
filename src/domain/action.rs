//! What is known of an action without running it: the row that `steps` registers and `catalog` checks against.

use serde_json::Value;

/// One action's published face.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionSpec {
    /// Its name in definitions: `fetch:template`.
    pub name: &'static str,
    /// What people read while it runs: `Render files`.
    pub title: &'static str,
    /// JSON Schema (2020-12) of its input; unknown fields are refused by it.
    pub input: Value,
    /// The names in its output; later steps may use these and no others.
    pub outputs: &'static [&'static str],
    /// Whether it can be undone, and if not, why: a whole sentence.
    pub undo: Undo,
    /// The limit that its calls share with those of other actions: what the other side refuses to one, it refuses to
    /// all. None: the action has its own.
    pub limit: Option<&'static str>,
}

impl ActionSpec {
    /// The limit that its calls are under.
    pub fn limit(&self) -> &'static str {
        self.limit.unwrap_or(self.name)
    }
}

/// Whether an action can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undo {
    /// It leaves nothing outside idp: nothing to take back.
    Nothing,
    /// It takes back what it did.
    Can,
    /// It puts what it made out of use, and leaves it there.
    Archives,
    /// It can't, and says why.
    Cannot(&'static str),
}
