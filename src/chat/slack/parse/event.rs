//! The Events API: what happens in the workspace without anybody pressing one of our buttons.

use serde_json_borrow::Value;

use super::wire;
use super::{AnswerRoute, Inbound, Parsed, RouteKind, Spoken};
use crate::chat::fields::{Fields, key_of};
use crate::domain::event::{Delivery, Event, Place, PlaceKind, Sender};
use crate::domain::message::PlaceLost;
use crate::domain::person::Platform;

pub(super) fn parse(fields: Fields<'_>, body: &[u8]) -> Parsed {
    if fields.text("type") == Some("url_verification")
        && let Some(challenge) = fields.text("challenge")
    {
        return Parsed::Challenge(challenge.to_owned());
    }
    let nothing = Value::Null;
    let event = fields.at("event").unwrap_or(Fields(&nothing));
    let (what, spoken) = read(fields, event);
    Parsed::Inbound(Box::new(Inbound {
        delivery: Delivery {
            key: fields.owned("event_id").unwrap_or_else(|| key_of(body)),
            sender: sender(fields, event),
            event: what,
        },
        route: AnswerRoute {
            spoken,
            ..AnswerRoute::new(RouteKind::Event)
        },
    }))
}

/// In a shared channel `team_id` may be the other company's; the authorization says which installation is meant.
fn sender(fields: Fields<'_>, event: Fields<'_>) -> Sender {
    let nothing = Value::Null;
    let granted = fields
        .list("authorizations")
        .next()
        .unwrap_or(Fields(&nothing));
    let org_wide = granted.flag("is_enterprise_install") || fields.flag("is_enterprise_install");
    let team = granted.owned("team_id").or_else(|| fields.owned("team_id"));
    let org = granted
        .owned("enterprise_id")
        .or_else(|| fields.owned("enterprise_id"));
    let installation = if org_wide {
        org.clone().or(team)
    } else {
        team.or_else(|| org.clone())
    }
    .unwrap_or_default();
    let home = ["user_team", "source_team", "team"]
        .into_iter()
        .find_map(|name| event.owned(name))
        .filter(|home| org.is_none() && *home != installation);
    Sender {
        platform: Platform::Slack,
        installation,
        app: fields.owned("api_app_id"),
        account: event
            .owned("user")
            .or_else(|| event.owned("user.id"))
            .unwrap_or_default(),
        name: event
            .owned("user.profile.display_name")
            .or_else(|| event.owned("user.real_name"))
            .or_else(|| event.owned("user.name")),
        home,
        groups: None,
    }
}

fn read(fields: Fields<'_>, event: Fields<'_>) -> (Event, Option<Spoken>) {
    let kind = event
        .text("type")
        .or_else(|| fields.text("type"))
        .unwrap_or_default();
    let what = match kind {
        "app_mention" | "message" => return message(fields, event, kind),
        "subteam_created" | "subteam_updated" | "subteam_members_changed" => {
            Some(Event::GroupsChanged)
        }
        "user_change" | "user_profile_changed" | "team_join" => Some(Event::AccountChanged),
        "member_joined_channel" if is_bot(fields, event) => channel(event, None),
        "member_left_channel" if is_bot(fields, event) => channel(event, Some(PlaceLost::NotIn)),
        "channel_left" | "group_left" => channel(event, Some(PlaceLost::NotIn)),
        "channel_unarchive" | "group_unarchive" => channel(event, None),
        "channel_archive" | "group_archive" | "channel_deleted" | "group_deleted" => {
            channel(event, Some(PlaceLost::Gone))
        }
        "app_uninstalled" => Some(Event::Uninstalled),
        "tokens_revoked" if event.list("tokens.bot").next().is_some() => Some(Event::Uninstalled),
        _ => None,
    };
    (what.unwrap_or_else(|| other(kind)), None)
}

fn other(kind: &str) -> Event {
    Event::Other {
        kind: kind.to_owned(),
    }
}

fn channel(event: Fields<'_>, lost: Option<PlaceLost>) -> Option<Event> {
    Some(Event::ChannelChanged {
        channel: event
            .owned("channel")
            .or_else(|| event.owned("channel.id"))?,
        lost,
    })
}

/// Whether the event is about the bot's own account.
fn is_bot(fields: Fields<'_>, event: Fields<'_>) -> bool {
    let user = event.text("user");
    user.is_some() && user == bot(fields)
}

fn bot(fields: Fields<'_>) -> Option<&str> {
    fields
        .list("authorizations")
        .find_map(|granted| granted.text("user_id"))
}

/// Words for the bot: a mention anywhere, or any message of a person in the bot's own conversation with them.
fn message(fields: Fields<'_>, event: Fields<'_>, kind: &str) -> (Event, Option<Spoken>) {
    let subtype = event.text("subtype");
    // Deleting the root of a thread that has replies leaves a tombstone, which arrives as a change.
    let deleted = match subtype {
        Some("message_deleted") => event
            .owned("deleted_ts")
            .or_else(|| event.owned("previous_message.ts")),
        Some("message_changed") if event.text("message.subtype") == Some("tombstone") => {
            event.owned("message.ts")
        }
        _ => None,
    };
    if let (Some(message), Some(channel)) = (deleted, event.owned("channel")) {
        return (Event::MessageDeleted { channel, message }, None);
    }
    let direct = event.text("channel_type") == Some("im");
    let by_person = event.at("bot_id").is_none()
        && event.text("user").is_some()
        && !is_bot(fields, event)
        && matches!(subtype, None | Some("thread_broadcast" | "file_share"));
    let (Some(channel), Some(user), true, true) = (
        event.owned("channel"),
        event.owned("user"),
        by_person,
        direct || kind == "app_mention",
    ) else {
        return (other(kind), None);
    };
    let thread = event.owned("thread_ts");
    let spoken = Spoken {
        channel: channel.clone(),
        user,
        thread: thread.clone(),
        direct,
    };
    let place = Place {
        kind: if fields.flag("is_ext_shared_channel") {
            PlaceKind::Shared
        } else {
            spoken_kind(event, &channel)
        },
        channel,
        thread,
        message: event.owned("ts"),
    };
    let words = words(event.text("text").unwrap_or_default(), bot(fields));
    (Event::Mentioned { words, place }, Some(spoken))
}

fn spoken_kind(event: Fields<'_>, channel: &str) -> PlaceKind {
    match event.text("channel_type") {
        Some("im") => PlaceKind::DirectWithBot,
        Some("mpim") => PlaceKind::DirectBetweenPeople,
        Some("group") => PlaceKind::Private,
        Some("channel") => PlaceKind::Public,
        _ => wire::place_kind(channel, None),
    }
}

/// The words as people see them: without the mention of the bot, and with labels in place of Slack's `<…>` markup.
fn words(text: &str, bot: Option<&str>) -> String {
    let mut words = String::new();
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once('<') {
        words.push_str(before);
        let Some((markup, after)) = tail.split_once('>') else {
            words.push('<');
            rest = tail;
            continue;
        };
        words.push_str(&label(markup, bot));
        rest = after;
    }
    words.push_str(rest);
    let words = wire::unescape(&words);
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn label(markup: &str, bot: Option<&str>) -> String {
    let (target, label) = markup
        .split_once('|')
        .map_or((markup, None), |(target, label)| (target, Some(label)));
    if let Some(user) = target.strip_prefix('@') {
        // Without knowing which account is ours, the first mention is: that is what made the event.
        return if bot.is_none_or(|bot| bot == user) {
            String::new()
        } else {
            format!("@{}", label.unwrap_or(user))
        };
    }
    match (target.strip_prefix('#'), label) {
        (Some(channel), label) => format!("#{}", label.unwrap_or(channel)),
        (None, Some(label)) => label.to_owned(),
        (None, None) => target.trim_start_matches('!').to_owned(),
    }
}
