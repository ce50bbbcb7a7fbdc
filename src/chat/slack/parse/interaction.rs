//! Presses, filled forms and searches.

use serde_json::Value;

use super::super::ids::{self, Reading};
use super::wire;
use super::{AnswerRoute, Inbound, RouteKind};
use crate::chat::fields::{Fields, key_of};
use crate::domain::event::{ButtonId, Delivery, Event, Place, Sender, Turn};
use crate::domain::person::Platform;

pub(super) fn parse(fields: Fields<'_>, body: &[u8]) -> Inbound {
    let kind = fields.text("type").unwrap_or_default();
    let (route_kind, event) = match kind {
        "block_actions" if fields.at("view").is_some() => {
            (RouteKind::ViewPress, pressed(fields, in_view(fields)))
        }
        "block_actions" => (RouteKind::Press, pressed(fields, None)),
        "view_submission" => (RouteKind::ViewSubmission, filled(fields)),
        "block_suggestion" => (RouteKind::Search, searched(fields)),
        _ => (RouteKind::Event, None),
    };
    Inbound {
        delivery: Delivery {
            key: key(fields, body),
            sender: sender(fields),
            event: event.unwrap_or_else(|| Event::Other {
                kind: kind.to_owned(),
            }),
        },
        route: AnswerRoute {
            trigger_id: fields.owned("trigger_id"),
            response_url: fields.owned("response_url"),
            view_id: fields.owned("view.id"),
            view_hash: fields.owned("view.hash"),
            draft: memory(fields).map(|(draft, _)| draft),
            fields: inputs(fields),
            ..AnswerRoute::new(route_kind)
        },
    }
}

/// A press can't be repeated by Slack, and each has its own trigger; a search has none and leaves no trace.
fn key(fields: Fields<'_>, body: &[u8]) -> String {
    fields.owned("trigger_id").unwrap_or_else(|| key_of(body))
}

/// Org-wide installations have `team: null` and belong to the organisation.
fn sender(fields: Fields<'_>) -> Sender {
    let org = fields.owned("enterprise.id");
    let team = fields
        .owned("team.id")
        .or_else(|| fields.owned("view.app_installed_team_id"))
        .or_else(|| fields.owned("user.team_id"));
    let installation = if fields.flag("is_enterprise_install") {
        org.clone().or(team)
    } else {
        team.or_else(|| org.clone())
    }
    .unwrap_or_default();
    // Within an organisation people belong to several workspaces: only a lookup tells who is an outsider there.
    let in_org = org.is_some() || fields.at("team.enterprise_id").is_some();
    let home = fields
        .owned("user.team_id")
        .filter(|home| !in_org && *home != installation);
    Sender {
        platform: Platform::Slack,
        installation,
        app: fields.owned("api_app_id"),
        account: fields.owned("user.id").unwrap_or_default(),
        name: fields
            .owned("user.name")
            .or_else(|| fields.owned("user.username")),
        home,
        groups: None,
    }
}

/// A page that is left by its back button, or whose field changed that the rest depends on: with what was typed so far.
fn in_view(fields: Fields<'_>) -> Option<Event> {
    let (draft, page) = memory(fields)?;
    let action = fields.list("actions").next()?;
    let in_a_field = action.text("block_id").and_then(ids::field_name).is_some();
    let turn = if in_a_field {
        Turn::Stay
    } else if button(action)?.0 == ButtonId::FormBack {
        Turn::Back
    } else {
        return None;
    };
    Some(Event::PageFilled {
        draft,
        page,
        values: values(fields),
        turn,
    })
}

fn pressed(fields: Fields<'_>, in_view: Option<Event>) -> Option<Event> {
    if in_view.is_some() {
        return in_view;
    }
    let action = fields.list("actions").next()?;
    let (id, value) = button(action)?;
    let channel = fields
        .owned("channel.id")
        .or_else(|| fields.owned("container.channel_id"))
        .unwrap_or_default();
    let place = Place {
        kind: wire::place_kind(&channel, fields.text("channel.name")),
        channel,
        thread: fields
            .owned("container.thread_ts")
            .or_else(|| fields.owned("message.thread_ts")),
        // A message for one person alone can't be acted on later.
        message: fields
            .owned("container.message_ts")
            .or_else(|| fields.owned("message.ts"))
            .filter(|_| !fields.flag("container.is_ephemeral")),
    };
    Some(Event::Pressed {
        button: id,
        value,
        place,
        confirmed: confirmed(fields, action),
    })
}

/// Which button, and its value. Several buttons of one id on one card carry `#2`, `#3`, …; a menu's option carries id
/// and value in one.
fn button(action: Fields<'_>) -> Option<(ButtonId, String)> {
    if let Some(option) = action.text("selected_option.value") {
        let (id, value) = option.split_once(' ').unwrap_or((option, ""));
        return Some((id.parse().ok()?, value.to_owned()));
    }
    let id = action.text("action_id")?;
    let id = id.split_once('#').map_or(id, |(id, _)| id);
    Some((id.parse().ok()?, action.owned("value").unwrap_or_default()))
}

/// Whether Slack showed a dialog before the press: the action says so, or the button on the message that came along.
fn confirmed(fields: Fields<'_>, action: Fields<'_>) -> bool {
    let id = action.text("action_id");
    action.at("confirm").is_some()
        || ["message.blocks", "view.blocks"].into_iter().any(|path| {
            fields
                .list(path)
                .flat_map(|block| block.list("elements"))
                .any(|element| element.text("action_id") == id && element.at("confirm").is_some())
        })
}

fn filled(fields: Fields<'_>) -> Option<Event> {
    match fields.text("view.callback_id")? {
        ids::FORM => {
            let (draft, page) = memory(fields)?;
            Some(Event::PageFilled {
                draft,
                page,
                values: values(fields),
                turn: Turn::Next,
            })
        }
        ids::REASON => Some(Event::DenyReasoned {
            plan: fields.text("view.private_metadata")?.parse().ok()?,
            reason: fields
                .members("view.state.values")
                .filter_map(|(_, block)| block.at(Reading::Text.action_id()))
                .find_map(|input| input.text("value"))
                .unwrap_or_default()
                .trim()
                .to_owned(),
        }),
        _ => None,
    }
}

fn searched(fields: Fields<'_>) -> Option<Event> {
    let (draft, _) = memory(fields)?;
    Some(Event::Searched {
        draft,
        field: ids::field_name(fields.text("block_id")?)?.to_owned(),
        query: fields.owned("value").unwrap_or_default(),
    })
}

fn memory(fields: Fields<'_>) -> Option<(crate::domain::id::DraftId, u32)> {
    if fields.text("view.callback_id")? != ids::FORM {
        return None;
    }
    ids::read_form_memory(fields.text("view.private_metadata")?)
}

/// The page's inputs in drawing order, whether or not something was typed.
fn inputs(fields: Fields<'_>) -> Vec<(String, String)> {
    fields
        .list("view.blocks")
        .filter_map(|block| block.text("block_id"))
        .filter_map(|id| Some((ids::field_name(id)?.to_owned(), id.to_owned())))
        .collect()
}

fn values(fields: Fields<'_>) -> Vec<(String, Value)> {
    fields
        .members("view.state.values")
        .filter_map(|(block, inputs)| {
            let name = ids::field_name(block)?;
            let (action, input) = inputs.all().next()?;
            Some((name.to_owned(), value(Reading::of(action)?, input)))
        })
        .collect()
}

fn value(reading: Reading, input: Fields<'_>) -> Value {
    match reading {
        Reading::Text => input.text("value").map_or(Value::Null, Value::from),
        Reading::Number => input.text("value").map_or(Value::Null, number),
        Reading::Switch => Value::Bool(input.list("selected_options").next().is_some()),
        Reading::Choice => input
            .text("selected_option.value")
            .map_or(Value::Null, Value::from),
        Reading::Choices => input
            .list("selected_options")
            .filter_map(|option| option.text("value"))
            .collect(),
    }
}

/// A number where it is one; else the words as typed, for the form's check to name.
fn number(text: &str) -> Value {
    let text = text.trim();
    text.parse::<i64>()
        .map(Value::from)
        .or_else(|_| {
            text.parse::<f64>()
                .map(|n| serde_json::Number::from_f64(n).map_or(Value::from(text), Value::Number))
        })
        .unwrap_or_else(|_| Value::from(text))
}
