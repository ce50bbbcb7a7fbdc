//! The closed list of what can happen, whatever the platform.
//!
//! A new way in is a new variant, and the compiler names every place that has to know of it. What is left of the
//! platform here is opaque: external ids as the platform wrote them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::id::{DraftId, PlanId};
use super::message::PlaceLost;
use super::person::Platform;

/// One verified and parsed delivery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// What makes a repeated delivery the same one: trigger or event id, interaction id, delivery id. Unique within
    /// the installation.
    pub key: String,
    /// Whose act it is.
    pub sender: Sender,
    /// What happened.
    pub event: Event,
}

/// Who did it, in the platform's own ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// The platform.
    pub platform: Platform,
    /// The workspace or organisation (`T…`, `E…`), guild, installation.
    pub installation: String,
    /// The app that the delivery is meant for, where the platform says so.
    pub app: Option<String>,
    /// The account; empty for events nobody in particular caused.
    pub account: String,
    /// The name in the delivery, a first guess until the account is looked up.
    pub name: Option<String>,
    /// The workspace the account belongs to where it differs (shared channels): an outsider.
    pub home: Option<String>,
    /// The platform's ids of the groups that the account is in, where the delivery tells all of them (Discord's roles).
    #[serde(default)]
    pub groups: Option<Vec<String>>,
}

/// Where it happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The channel's id.
    pub channel: String,
    /// What kind of channel, as far as the delivery tells.
    pub kind: PlaceKind,
    /// The thread's root message, when inside one.
    pub thread: Option<String>,
    /// The message that was acted on, when there is one.
    pub message: Option<String>,
}

words! {
    /// What kind of channel a place is.
    pub enum PlaceKind {
        /// Open to the workspace.
        Public = "public",
        /// By invitation.
        Private = "private",
        /// Between a person and the bot.
        DirectWithBot = "direct_with_bot",
        /// Between people, without the bot.
        DirectBetweenPeople = "direct_between_people",
        /// Shared with another company.
        Shared = "shared",
        /// The delivery doesn't tell.
        Unknown = "unknown",
    }
}

words! {
    /// The buttons' fixed action ids.
    pub enum ButtonId {
        /// Vote for the plan that the value names.
        RequestApprove = "request.approve",
        /// Vote against the plan that the value names; asks for the reason first.
        RequestDeny = "request.deny",
        /// Cancel the request that the value names.
        RequestCancel = "request.cancel",
        /// Show the plan that the value names.
        PlanShow = "plan.show",
        /// Try the run's unfinished step again; the value names run and generation.
        RunRetry = "run.retry",
        /// Undo what the run did; the value names run and generation.
        RunUndo = "run.undo",
        /// Open a command's form; the value names a command, a draft or a request to ask again.
        FormOpen = "form.open",
        /// The previous page of an open form; the value names the draft and the page shown.
        FormBack = "form.back",
        /// The next part of a long plan view; the value names plan and part.
        PlanPage = "plan.page",
        /// The account that typed the code which the value names is the presser's own.
        LinkConfirm = "link.confirm",
        /// It isn't.
        LinkRefuse = "link.refuse",
        /// Take the account that the value names out of what it is linked with.
        LinkEnd = "link.end",
        /// A button that only opens a link: nothing to do.
        LinkOpen = "link.open",
    }
}

words! {
    /// What becomes of a repository on the forge.
    pub enum RepositoryFate {
        /// It was made.
        Created = "created",
        /// It is called otherwise.
        Renamed = "renamed",
        /// It belongs to somebody else.
        Transferred = "transferred",
        /// It can only be read.
        Archived = "archived",
        /// It can be written again.
        Unarchived = "unarchived",
        /// It is gone.
        Deleted = "deleted",
    }
}

/// Which way a filled page turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// Check this page and go on; on the last page: submit.
    Next,
    /// Keep what was typed, unchecked, and show the page before.
    Back,
    /// Keep what was typed, unchecked, and show this page again: a field that the rest depends on changed.
    Stay,
}

/// Everything that can happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Event {
    /// Someone typed the slash command. `command` is its name as typed (`/idp-staging`).
    Asked {
        /// The command's name with its slash.
        command: String,
        /// The words after it.
        words: String,
        /// Where.
        place: Place,
    },
    /// Someone mentioned the bot or wrote to it directly.
    Mentioned {
        /// The words without the mention.
        words: String,
        /// Where.
        place: Place,
    },
    /// Someone filled a page of a form.
    PageFilled {
        /// The draft that the form belongs to.
        draft: DraftId,
        /// Which page, from 0.
        page: u32,
        /// Field name and value; absent values are `null`.
        values: Vec<(String, Value)>,
        /// Next or back.
        turn: Turn,
    },
    /// Someone pressed a button.
    Pressed {
        /// Which.
        button: ButtonId,
        /// Its opaque value: ids, never inputs.
        value: String,
        /// The card's place.
        place: Place,
        /// Whether the platform already asked "really?" in a dialog of its own.
        confirmed: bool,
    },
    /// Someone gave the reason of a Deny.
    DenyReasoned {
        /// The plan denied.
        plan: PlanId,
        /// The reason, as typed.
        reason: String,
    },
    /// Someone types into a searching field.
    Searched {
        /// The draft of the form.
        draft: DraftId,
        /// The field's name.
        field: String,
        /// What was typed so far.
        query: String,
    },
    /// User groups or their members changed: read them again.
    GroupsChanged,
    /// An account changed (renamed, deactivated, became a guest): look it up again.
    AccountChanged,
    /// The bot was added to or removed from a channel, or the channel was archived or deleted.
    ChannelChanged {
        /// The channel's id.
        channel: String,
        /// Why the bot can't post there now; none: it can.
        lost: Option<PlaceLost>,
    },
    /// A message of the bot was deleted by someone.
    MessageDeleted {
        /// The channel's id.
        channel: String,
        /// The message's id there.
        message: String,
    },
    /// The thread under a card of the bot was deleted by someone; the card stands.
    ThreadDeleted {
        /// The channel's id.
        channel: String,
        /// The card's id there.
        message: String,
    },
    /// The app was uninstalled or its token revoked.
    Uninstalled,
    /// The app was installed (again), or is no longer suspended.
    Installed,
    /// Something became of a repository on the forge.
    RepositoryChanged {
        /// The forge's own id of it, which outlives its names.
        repository: String,
        /// Its page, as it is called now.
        page: String,
        /// Its page before, where it was called otherwise or belonged to somebody else.
        former: Option<String>,
        /// What became of it.
        fate: RepositoryFate,
        /// As of when: deliveries come in any order.
        as_of: DateTime<Utc>,
    },
    /// Well-formed, but nothing we act on.
    Other {
        /// The platform's word for it.
        kind: String,
    },
}
