//! What happens in a guild without anybody pressing one of our buttons, as the gateway tells it
//! (docs.discord.com/developers/events/gateway-events).

use super::words;
use crate::chat::fields::Fields;
use crate::domain::event::{Delivery, Event, Sender};
use crate::domain::message::PlaceLost;
use crate::domain::person::Platform;

/// Somebody acted.
pub(super) const INTERACTION: &str = "INTERACTION_CREATE";

/// What else is anything to us.
const WANTED: [&str; 14] = [
    "CHANNEL_CREATE",
    "CHANNEL_DELETE",
    "CHANNEL_UPDATE",
    "GUILD_CREATE",
    "GUILD_DELETE",
    "GUILD_MEMBER_ADD",
    "GUILD_MEMBER_REMOVE",
    "GUILD_MEMBER_UPDATE",
    "GUILD_ROLE_CREATE",
    "GUILD_ROLE_DELETE",
    "GUILD_ROLE_UPDATE",
    "MESSAGE_DELETE",
    "MESSAGE_DELETE_BULK",
    "THREAD_DELETE",
];

/// Whether a dispatch of this name is worth reading. Most are not: the gateway tells of every message that anybody writes.
pub fn is_wanted(name: &str) -> bool {
    name == INTERACTION || WANTED.contains(&name)
}

/// Reads what happened: several things at once, where messages were deleted in bulk; none that is anything to us.
pub(super) fn read(name: &str, fields: Fields<'_>, key: &str) -> Vec<Delivery> {
    let sender = sender(name, fields);
    if sender.installation.is_empty() {
        return Vec::new();
    }
    let events = events(name, fields);
    let delivery = |(at, event)| Delivery {
        key: format!("{key}:{at}"),
        sender: sender.clone(),
        event,
    };
    events.into_iter().enumerate().map(delivery).collect()
}

fn events(name: &str, fields: Fields<'_>) -> Vec<Event> {
    let channel = || fields.owned("channel_id");
    let one = match name {
        // A guild that is away for a while is told of as well, by nearly the same words.
        "GUILD_CREATE" | "GUILD_DELETE" if fields.flag("unavailable") => None,
        "GUILD_CREATE" => Some(Event::Installed),
        "GUILD_DELETE" => Some(Event::Uninstalled),
        // Whoever may see a channel follows from roles, and all of it is read as a whole.
        "GUILD_ROLE_CREATE" | "GUILD_ROLE_UPDATE" | "GUILD_ROLE_DELETE" => {
            Some(Event::GroupsChanged)
        }
        "CHANNEL_CREATE" | "CHANNEL_UPDATE" => is_text(fields).then_some(Event::GroupsChanged),
        "GUILD_MEMBER_ADD" | "GUILD_MEMBER_UPDATE" | "GUILD_MEMBER_REMOVE" => {
            let human = fields.at("user").is_some() && !fields.flag("user.bot");
            human.then_some(Event::AccountChanged)
        }
        "CHANNEL_DELETE" => fields.owned("id").map(|channel| Event::ChannelChanged {
            channel,
            lost: Some(PlaceLost::Gone),
        }),
        "MESSAGE_DELETE" => channel().zip(fields.owned("id")).map(deleted),
        "MESSAGE_DELETE_BULK" => {
            let all = channel().map(|channel| {
                let ids = words(fields, "ids").into_iter();
                ids.map(|id| deleted((channel.clone(), id))).collect()
            });
            return all.unwrap_or_default();
        }
        // A thread has the id of the message that it hangs under.
        "THREAD_DELETE" => fields
            .owned("parent_id")
            .zip(fields.owned("id"))
            .map(|(channel, message)| Event::ThreadDeleted { channel, message }),
        _ => None,
    };
    one.into_iter().collect()
}

/// Whether a channel is one that people write in: a text channel, or one for announcements. No others are read.
fn is_text(channel: Fields<'_>) -> bool {
    let kind = channel.at("type").and_then(|kind| kind.0.as_u64());
    matches!(kind, Some(0 | 5))
}

fn deleted((channel, message): (String, String)) -> Event {
    Event::MessageDeleted { channel, message }
}

/// Whose guild it happened in, and whom it is about where it is about somebody: with all their roles, which are none for
/// whoever left.
fn sender(name: &str, fields: Fields<'_>) -> Sender {
    let about = name.starts_with("GUILD_MEMBER_");
    let id = if matches!(name, "GUILD_CREATE" | "GUILD_DELETE") {
        "id"
    } else {
        "guild_id"
    };
    let user = |path| fields.owned(path).filter(|_| about);
    Sender {
        platform: Platform::Discord,
        installation: fields.owned(id).unwrap_or_default(),
        app: None,
        account: user("user.id").unwrap_or_default(),
        name: user("nick")
            .or_else(|| user("user.global_name"))
            .or_else(|| user("user.username")),
        home: None,
        groups: about.then(|| words(fields, "roles")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::chat::fields::read_value;

    #[test]
    fn of_channels_only_those_that_people_write_in_are_read_anew() {
        for (kind, count) in [(0, 1), (2, 0), (4, 0), (5, 1), (11, 0), (13, 0)] {
            let channel = json!({ "guild_id": "1", "id": "5", "type": kind });
            for name in ["CHANNEL_CREATE", "CHANNEL_UPDATE"] {
                let told = read_value(channel.clone(), |all| read(name, all, "session:1"));
                assert_eq!(told.len(), count, "{name} of kind {kind}");
            }
        }
    }
}
