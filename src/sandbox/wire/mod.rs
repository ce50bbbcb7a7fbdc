//! The payloads that Slack sends: field for field what apps receive, built from the world's state.

mod events;
mod interactions;
mod people;

pub(in crate::sandbox) use self::{
    events::{
        changed_event, deleted_event, event, mention_event, message_event, message_subscription,
        own_message_event,
    },
    interactions::{
        Command, Source, action, block_actions, block_suggestion, command, label, view_closed,
        view_submission,
    },
};

/// The deprecated verification token, still part of every payload.
pub(in crate::sandbox) const VERIFICATION_TOKEN: &str = "sandboxVerificationToken";
