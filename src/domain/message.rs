//! Messages as a projection: what should stand where. Nothing here is content; cards are made at the moment of sending.

use serde::{Deserialize, Serialize};

use super::id::{AccountId, InstallationId, LinkId, MessageId};

words! {
    /// What part a message plays in its thread.
    pub enum MessageKind {
        /// The card of the request, place 0; edited as the request goes on.
        Root = "root",
        /// A thread reply that is posted once: asked, decided, ended.
        Milestone = "milestone",
        /// A word to those who can act: the reminder, a move to another place.
        Notice = "notice",
        /// What did not fit into the message that it belongs to.
        Continuation = "continuation",
    }
}

words! {
    /// Which sort of place a thread is.
    pub enum ThreadRole {
        /// Where it was asked, or placed by the command.
        Main = "main",
        /// Somebody's own copy: an approver's outside the channel, the requester's.
        Direct = "direct",
    }
}

/// Why nothing can be posted any more where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaceLost {
    /// The channel is archived or deleted.
    Gone,
    /// The bot may not post there.
    NotIn,
}

words! {
    /// The thread replies that notify: three at most on the happy path.
    pub enum Milestone {
        /// Approval is asked for; calls those who can decide.
        ApprovalAsked = "approval_asked",
        /// It was decided.
        Decided = "decided",
        /// It ended, well or not; calls the requester.
        Ended = "ended",
    }
}

words! {
    /// Words to somebody who can act.
    pub enum Notice {
        /// The one reminder, to those who can decide.
        Reminder = "reminder",
        /// It goes on here because its channel was archived or deleted.
        Archived = "archived",
        /// It goes on here because the bot can't post in its channel.
        NotIn = "not_in",
        /// Where the request stands, to the requester.
        Permalink = "permalink",
    }
}

/// What a message is about; kept with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum Subject {
    /// The request as it stands.
    Root,
    /// One of its milestones.
    Milestone {
        /// Which.
        what: Milestone,
    },
    /// A word to those who can act.
    Notice {
        /// Which.
        what: Notice,
    },
    /// The code that links an account on GitHub, to the one who asked for it.
    LinkCode {
        /// Which.
        link: LinkId,
    },
    /// How that ended.
    LinkEnd {
        /// Which.
        link: LinkId,
    },
    /// Somebody typed the code of a chat account's: is it the same human? To the one who asked for it.
    LinkAsked {
        /// Which.
        link: LinkId,
    },
    /// Nothing came of that, to the one who typed it.
    LinkOver {
        /// Which.
        link: LinkId,
    },
    /// The reader's account and this one are one person from now on.
    Linked {
        /// The other account.
        with: AccountId,
    },
    /// They no longer are.
    Unlinked {
        /// The other account.
        from: AccountId,
    },
    /// A further part of a message that was too long.
    Continuation {
        /// The message whose content goes on here.
        of: MessageId,
        /// Which part, from 1.
        part: u32,
    },
}

impl Subject {
    /// The part that the message plays.
    pub const fn kind(self) -> MessageKind {
        match self {
            Self::Root => MessageKind::Root,
            Self::Milestone { .. } => MessageKind::Milestone,
            Self::Notice { .. }
            | Self::LinkCode { .. }
            | Self::LinkEnd { .. }
            | Self::LinkAsked { .. }
            | Self::LinkOver { .. }
            | Self::Linked { .. }
            | Self::Unlinked { .. } => MessageKind::Notice,
            Self::Continuation { .. } => MessageKind::Continuation,
        }
    }
}

/// Where a request's main thread stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// The installation that posts there.
    pub installation: InstallationId,
    /// The channel or the person.
    pub spot: Spot,
}

/// A channel, or a person's direct messages with the bot. Ids are the platform's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "spot", rename_all = "snake_case")]
pub enum Spot {
    /// A channel that the bot can post to.
    Channel {
        /// Its id.
        channel: String,
    },
    /// Direct messages with the bot.
    Direct {
        /// The account's id.
        account: String,
    },
}
