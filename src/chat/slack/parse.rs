//! Verified deliveries into events.
//!
//! Slack adds fields and kinds without notice, and sends `null` where last year stood an object: what isn't understood
//! becomes `Event::Other`, an odd field reads as absent, and no bytes whatever make this fail harder than `Unreadable`.
//! The body says what it is, so that it doesn't matter which of our addresses an app has been configured with.

mod command;
mod event;
mod interaction;
mod wire;

use serde_json::Value;

use super::verify::{Content, Verified};
use crate::chat::fields::{self, Fields};
use crate::domain::event::Delivery;
use crate::domain::id::DraftId;

/// What a delivery turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Parsed {
    /// Something happened.
    Inbound(Box<Inbound>),
    /// Slack checks that the address is ours: answer with this.
    Challenge(String),
    /// Slack checks our certificate: answer 200.
    Ping,
}

/// Something that happened, and the ways by which an answer gets back.
#[derive(Debug, Clone, PartialEq)]
pub struct Inbound {
    /// What happened.
    pub delivery: Delivery,
    /// How to answer.
    pub route: AnswerRoute,
}

/// The ways back to the one who acted, as far as the delivery opened any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerRoute {
    /// What sort of act it answers.
    pub kind: RouteKind,
    /// Opens one view, within three seconds.
    pub trigger_id: Option<String>,
    /// Takes up to five posts within 30 minutes.
    pub response_url: Option<String>,
    /// The view that was filled in or pressed in.
    pub view_id: Option<String>,
    /// The state of that view, so that an update never overwrites a newer one.
    pub view_hash: Option<String>,
    /// The form that it came from, if it did.
    pub draft: Option<DraftId>,
    /// Field name and block id of each input of the page, in order: errors are shown there.
    pub fields: Vec<(String, String)>,
    /// Where somebody spoke to the bot: the only way back for an event.
    pub spoken: Option<Spoken>,
}

/// What sort of act an answer belongs to; it decides what the HTTP answer may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteKind {
    /// A slash command: the body is a message for the person alone.
    Command,
    /// A button on a message: the body says nothing, `response_url` does.
    Press,
    /// A filled modal: the body says what becomes of it.
    ViewSubmission,
    /// A button inside a modal: the body says nothing, the view is updated.
    ViewPress,
    /// A search in a select: the body is the options.
    Search,
    /// An event: the body says nothing.
    Event,
}

/// Where somebody spoke to the bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// The channel.
    pub channel: String,
    /// Who.
    pub user: String,
    /// The thread, when it was in one.
    pub thread: Option<String>,
    /// Whether it is the conversation between this person and the bot.
    pub direct: bool,
}

/// Signed, but nothing that Slack is known to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unreadable delivery: {0}")]
pub struct Unreadable(&'static str);

/// Reads a delivery.
pub fn parse(delivery: Verified) -> Result<Parsed, Unreadable> {
    match delivery.0 {
        Content::Socket { kind, payload } => Ok(socket(&kind, payload)),
        Content::Http(body) => http(&body),
    }
}

fn http(body: &[u8]) -> Result<Parsed, Unreadable> {
    // Events are JSON, everything else is a form; a form never begins with a brace.
    if body.trim_ascii_start().starts_with(b"{") {
        let text = str::from_utf8(body).ok();
        let read = text.and_then(|text| fields::read(text, |fields| event::parse(fields, body)));
        return read.ok_or(Unreadable("not JSON"));
    }
    wire::form(body, |fields| form(fields, body)).ok_or(Unreadable("not a form"))?
}

fn form(fields: Fields<'_>, body: &[u8]) -> Result<Parsed, Unreadable> {
    if fields.text("ssl_check").is_some() {
        return Ok(Parsed::Ping);
    }
    if let Some(payload) = fields.text("payload") {
        let read = fields::read(payload, |fields| inbound(interaction::parse(fields, body)));
        return read.ok_or(Unreadable("payload is not JSON"));
    }
    if fields.text("command").is_some() {
        return Ok(inbound(command::parse(fields, body)));
    }
    Err(Unreadable("neither a command, an interaction nor an event"))
}

fn socket(kind: &str, payload: Value) -> Parsed {
    // Only a delivery without any id of its own is named after its bytes.
    let body = payload.to_string();
    let body = body.as_bytes();
    fields::read_value(payload, |fields| match kind {
        "slash_commands" => inbound(command::parse(fields, body)),
        "interactive" => inbound(interaction::parse(fields, body)),
        _ => event::parse(fields, body),
    })
}

fn inbound(inbound: Inbound) -> Parsed {
    Parsed::Inbound(Box::new(inbound))
}

impl AnswerRoute {
    fn new(kind: RouteKind) -> Self {
        Self {
            kind,
            trigger_id: None,
            response_url: None,
            view_id: None,
            view_hash: None,
            draft: None,
            fields: Vec::new(),
            spoken: None,
        }
    }
}

#[cfg(test)]
mod tests;
