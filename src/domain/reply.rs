//! The answer to the one who just acted: now, best effort, never needed later.

use serde::{Deserialize, Serialize};

use super::card::{Block, Button, Card};
use super::form::{Choice, FieldError, FormPage};
use super::id::PlanId;

/// What the person who acted gets back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// Nothing to say; a form that was filled closes.
    Done,
    /// Something to read, for this person only.
    Card {
        /// What.
        card: Card,
    },
    /// Something to read once, for this person only: it opens a door, so it is kept nowhere.
    Once {
        /// What.
        card: Card,
    },
    /// A page of a form: opened anew, or in place of the one just filled.
    Form {
        /// The page.
        form: Box<FormPage>,
    },
    /// The page stays, with what is wrong at its fields.
    Errors {
        /// A sentence per field.
        errors: Vec<FieldError>,
    },
    /// Asks for the reason of a Deny.
    AskReason {
        /// The plan to be denied.
        plan: PlanId,
        /// `Deny 142?`
        title: String,
        /// What the reason is for.
        hint: String,
    },
    /// Asks "really?" before the act of a button, where the platform has no dialog of its own.
    Confirm {
        /// The button, with its dialog.
        button: Box<Button>,
    },
    /// A page to read (See plan).
    Page {
        /// Its title.
        title: String,
        /// Its content.
        blocks: Vec<Block>,
    },
    /// What a searching field offers.
    Choices {
        /// At most 100.
        options: Vec<Choice>,
    },
}
