//! Verified interactions, and what else the gateway tells, into events.
//!
//! Discord adds kinds and components without notice: what isn't understood becomes `Event::Other`, an odd field reads as
//! absent, and a component that nobody knows is passed over rather than failing the whole interaction.

mod event;
mod modal;

use serde_json_borrow::Value;

pub use self::event::is_wanted;
use super::commands::WORDS;
pub use super::ids::Part;
use super::ids::{Modal, read_button};
use super::verify::{Content, Dispatch, Verified};
use crate::chat::fields::{self, Fields, key_of};
use crate::domain::event::{Delivery, Event, Place, PlaceKind, Sender, Turn};
use crate::domain::person::Platform;
use crate::domain::slash::{CODE, COMMAND, HOME, ID, RUN};

/// What a delivery turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Parsed {
    /// Discord tries whether anybody is here: answer with a pong.
    Ping,
    /// Somebody acted.
    Inbound(Box<Inbound>),
    /// Somebody types the name of a command: what was typed so far.
    Completing {
        /// The interaction, for the answer.
        route: AnswerRoute,
        /// What was typed so far.
        typed: String,
    },
    /// Something happened that nobody waits for an answer to.
    Happened(Vec<Delivery>),
}

/// Something that happened, and the way by which an answer gets back.
#[derive(Debug, Clone, PartialEq)]
pub struct Inbound {
    /// What happened.
    pub delivery: Delivery,
    /// How to answer.
    pub route: AnswerRoute,
}

/// The way back to the one who acted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerRoute {
    /// What sort of act it answers.
    pub kind: RouteKind,
    /// The interaction's id.
    pub interaction: String,
    /// Its token: good for fifteen minutes, a secret until then.
    pub token: String,
    /// The application.
    pub application: String,
    /// The part of a form's page that was filled or is wanted.
    pub part: Option<Part>,
}

/// What sort of act an answer belongs to; it decides what the answer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteKind {
    /// A command: a private message, or a modal.
    Command,
    /// A button on a message that stays: a private message, or a modal.
    Press,
    /// A button on a private answer: that answer gives way to the next one.
    PrivatePress,
    /// A filled modal: a private message; no modal may follow.
    Modal,
    /// Any of these, where an answer promised one: it stands in the promise's place, and no modal may follow.
    Promised,
}

/// Signed, but nothing that Discord is known to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unreadable interaction: {0}")]
pub struct Unreadable(&'static str);

/// The options that hold words, in the order in which these follow each other.
const SAID: [&str; 4] = [COMMAND, WORDS, ID, CODE];

/// Reads a delivery.
pub fn parse(delivery: Verified) -> Result<Parsed, Unreadable> {
    match delivery.0 {
        Content::Http(body) => {
            let text = str::from_utf8(&body).ok();
            let how = |fields: Fields<'_>| interaction(fields, key_of(&body));
            let read = text.and_then(|text| fields::read(text, how));
            read.ok_or(Unreadable("not JSON"))?
        }
        Content::Gateway(Dispatch { name, key, data }) => fields::read_value(data, |fields| {
            if name == event::INTERACTION {
                return interaction(fields, key);
            }
            Ok(Parsed::Happened(event::read(&name, fields, &key)))
        }),
    }
}

fn interaction(fields: Fields<'_>, key: String) -> Result<Parsed, Unreadable> {
    let kind = fields.at("type").and_then(|kind| kind.0.as_u64());
    // Interaction types: docs.discord.com/developers/interactions/receiving-and-responding.
    Ok(match kind.ok_or(Unreadable("it has no type"))? {
        1 => Parsed::Ping,
        2 => inbound(fields, key, RouteKind::Command, asked(fields)),
        3 => pressed(fields, key),
        4 => Parsed::Completing {
            route: route(fields, RouteKind::Command),
            typed: typed(fields),
        },
        5 => filled(fields, key),
        _ => inbound(fields, key, RouteKind::Press, None),
    })
}

fn inbound(fields: Fields<'_>, key: String, kind: RouteKind, event: Option<Event>) -> Parsed {
    let id = fields.owned("id");
    Parsed::Inbound(Box::new(Inbound {
        delivery: Delivery {
            key: id.unwrap_or(key),
            sender: sender(fields),
            event: event.unwrap_or_else(|| Event::Other {
                kind: "interaction".to_owned(),
            }),
        },
        route: route(fields, kind),
    }))
}

fn route(fields: Fields<'_>, kind: RouteKind) -> AnswerRoute {
    AnswerRoute {
        kind,
        interaction: fields.owned("id").unwrap_or_default(),
        token: fields.owned("token").unwrap_or_default(),
        application: fields.owned("application_id").unwrap_or_default(),
        part: None,
    }
}

/// In a guild there is a member with a user inside, in direct messages the user alone; there the guild isn't told.
fn sender(fields: Fields<'_>) -> Sender {
    let nothing = Value::Null;
    let member = fields.at("member").unwrap_or(Fields(&nothing));
    let user = member.at("user").or_else(|| fields.at("user"));
    let user = user.unwrap_or(Fields(&nothing));
    let name = member
        .owned("nick")
        .or_else(|| user.owned("global_name"))
        .or_else(|| user.owned("username"));
    Sender {
        platform: Platform::Discord,
        installation: fields.owned("guild_id").unwrap_or_default(),
        app: fields.owned("application_id"),
        account: user.owned("id").unwrap_or_default(),
        name,
        home: None,
        groups: fields
            .at("member.roles")
            .map(|_| words(fields, "member.roles")),
    }
}

/// A list of texts.
fn words(fields: Fields<'_>, path: &str) -> Vec<String> {
    let all = fields.list(path);
    all.filter_map(|word| word.0.as_str().map(str::to_owned))
        .collect()
}

/// A thread is a channel of its own, inside its parent.
fn place(fields: Fields<'_>) -> Place {
    let channel = fields
        .owned("channel.id")
        .or_else(|| fields.owned("channel_id"))
        .unwrap_or_default();
    let parent = fields.owned("channel.parent_id");
    // Channel types: docs.discord.com/developers/resources/channel.
    let kind = fields.at("channel.type").and_then(|kind| kind.0.as_u64());
    let (channel, thread) = match (kind, parent) {
        (Some(10..=12), Some(parent)) => (parent, Some(channel)),
        _ => (channel, None),
    };
    let flags = fields.at("message.flags").and_then(|f| f.0.as_u64());
    let private = flags.unwrap_or_default() & PRIVATE != 0;
    Place {
        channel,
        kind: match kind {
            Some(1) if fields.at("guild_id").is_none() => PlaceKind::DirectWithBot,
            Some(1 | 3) => PlaceKind::DirectBetweenPeople,
            // Whether a text channel is open to everybody, only its own record tells.
            _ => PlaceKind::Unknown,
        },
        thread,
        message: fields.owned("message.id").filter(|_| !private),
    }
}

/// The flag of a message for one person alone: docs.discord.com/developers/resources/message, message flags.
const PRIVATE: u64 = 1 << 6;

/// `/idp run command:new-service words:payments-api` is `/idp new-service payments-api`, and `/idp home` is `/idp`.
fn asked(fields: Fields<'_>) -> Option<Event> {
    let name = fields.text("data.name")?;
    let sub = fields.list("data.options").next();
    let mut words: Vec<&str> = Vec::new();
    if let Some(sub) = sub {
        let own = sub.text("name").filter(|name| ![RUN, HOME].contains(name));
        words.extend(own);
        let options: Vec<Fields<'_>> = sub.list("options").collect();
        let told = SAID.iter().filter_map(|wanted| {
            let option = options.iter().find(|o| o.text("name") == Some(*wanted))?;
            option.text("value")
        });
        words.extend(told.map(str::trim).filter(|word| !word.is_empty()));
    }
    Some(Event::Asked {
        command: format!("/{name}"),
        words: words.join(" "),
        place: place(fields),
    })
}

/// What was typed so far into the option that is being filled in.
fn typed(fields: Fields<'_>) -> String {
    let options = fields
        .list("data.options")
        .flat_map(|sub| sub.list("options"));
    let mut focused = options.filter(|option| option.flag("focused"));
    let typed = focused.next().and_then(|option| option.owned("value"));
    typed.unwrap_or_default()
}

/// A press on a button, or a choice out of a menu of buttons.
fn pressed(fields: Fields<'_>, key: String) -> Parsed {
    let chosen = fields.list("data.values").next();
    let id = chosen
        .and_then(|value| value.0.as_str())
        .or_else(|| fields.text("data.custom_id"));
    let place = place(fields);
    let kind = if place.message.is_some() {
        RouteKind::Press
    } else {
        RouteKind::PrivatePress
    };
    let id = id.unwrap_or_default();
    // A page has more parts: the button that goes on names the next one.
    if let Some(Modal::Form(part)) = Modal::read(id) {
        let event = Event::PageFilled {
            draft: part.draft,
            page: part.page,
            values: Vec::new(),
            turn: Turn::Stay,
        };
        return with_part(inbound(fields, key, kind, Some(event)), part);
    }
    let event = read_button(id).map(|(button, value, confirmed)| Event::Pressed {
        button,
        value,
        place,
        confirmed,
    });
    inbound(fields, key, kind, event)
}

fn filled(fields: Fields<'_>, key: String) -> Parsed {
    let modal = fields.text("data.custom_id").and_then(Modal::read);
    let values = modal::values(fields);
    match modal {
        Some(Modal::Form(part)) => {
            let event = Event::PageFilled {
                draft: part.draft,
                page: part.page,
                values,
                turn: if part.is_last() {
                    Turn::Next
                } else {
                    Turn::Stay
                },
            };
            with_part(inbound(fields, key, RouteKind::Modal, Some(event)), part)
        }
        Some(Modal::Reason(plan)) => {
            let reason = modal::reason(fields).unwrap_or_default();
            let event = Event::DenyReasoned { plan, reason };
            inbound(fields, key, RouteKind::Modal, Some(event))
        }
        None => inbound(fields, key, RouteKind::Modal, None),
    }
}

fn with_part(parsed: Parsed, part: Part) -> Parsed {
    match parsed {
        Parsed::Inbound(mut inbound) => {
            inbound.route.part = Some(part);
            Parsed::Inbound(inbound)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests;
