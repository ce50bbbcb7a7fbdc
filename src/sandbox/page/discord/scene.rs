//! All that one drawing of the Discord server needs, read from the world once.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::super::{
    place::{Place, Server},
    scene::Offered,
};
use crate::sandbox::{
    discord::{At, Discord, Id, Member, OpenModal, Place as Kind, Room, Seen},
    world::{Settings, World},
};

/// How much of a channel is drawn; older messages stay in the world.
const SHOWN: usize = 150;

/// What one member sees at one moment.
pub(in crate::sandbox::page) struct Scene {
    /// Its address, with every part filled in.
    pub(in crate::sandbox::page) place: Place,
    pub(super) me: Member,
    pub(super) members: Vec<Member>,
    /// Without messages.
    pub(super) discord: Discord,
    pub(super) rooms: Vec<Room>,
    pub(super) room: Option<Room>,
    pub(super) seen: Vec<Seen>,
    /// Messages of the channel that aren't drawn.
    pub(super) earlier: usize,
    /// The open thread, with the message that it hangs under.
    pub(super) thread: Option<Thread>,
    pub(super) modal: Option<OpenModal>,
    pub(super) settings: Settings,
    pub(super) levers: Offered,
    /// What is broken on purpose.
    pub(super) broken: Broken,
    /// The handle in the Slack workspace, of who is there too.
    pub(super) on_slack: Option<String>,
    pub(super) now: DateTime<Utc>,
}

/// An open thread.
pub(super) struct Thread {
    pub(super) room: Room,
    pub(super) root: Option<Seen>,
    pub(super) replies: Vec<Seen>,
}

/// What is broken on purpose at this moment.
#[derive(Clone, Copy)]
pub(super) struct Broken {
    /// Calls are refused until then.
    pub(super) refuse_until: Option<DateTime<Utc>>,
    /// Nothing reaches the bot.
    pub(super) unreached: bool,
    /// The Server Members intent is off.
    pub(super) intent_off: bool,
}

impl Scene {
    /// The scene at this address; `None` on a server without people.
    pub(super) fn of(world: &Arc<World>, asked: &Place) -> Option<Self> {
        let members = world.members();
        let named = asked.person.as_deref().and_then(|name| {
            let mut all = members.iter();
            all.find(|own| own.handle == name || own.id.to_string() == name)
        });
        let me = named.or_else(|| members.first())?.clone();
        let person = me.id.to_string();
        let rooms = world.rooms(&person).ok()?;
        let thread_id = asked.thread.clone();
        let room = open_room(&rooms, asked.channel.as_deref()).cloned();
        let place = Place {
            server: Server::Discord,
            person: Some(me.handle.clone()),
            channel: room.as_ref().map(|own| own.id.to_string()),
            thread: thread_id.clone(),
            behind: asked.behind.clone(),
            thread_ts: None,
        };
        let mut seen = room
            .as_ref()
            .and_then(|own| world.messages(&person, &own.id.to_string()).ok())
            .unwrap_or_default();
        let earlier = seen.len().saturating_sub(SHOWN);
        let seen = seen.split_off(earlier);
        let thread = rooms
            .iter()
            .find(|own| own.kind == Kind::Thread && Some(own.id.to_string()) == thread_id)
            .and_then(|own| thread(world, &person, own));
        let broken = world.with(|inner| Broken {
            refuse_until: inner.live.refuse_until.max(inner.live.refuse_all_until),
            unreached: !inner.discord_reached(),
            intent_off: !inner.discord.application.members_intent,
        });
        Some(Self {
            modal: world.open_modal(&person),
            discord: world.guild(),
            settings: world.settings(),
            levers: Offered::of(world),
            on_slack: world.person(&me.handle).map(|own| own.handle),
            now: world.now(),
            place,
            me,
            members,
            rooms,
            room,
            seen,
            earlier,
            thread,
            broken,
        })
    }

    /// The message whose wire is shown: in the thread if it stands there, else in the channel.
    pub(super) fn watched(&self, id: &str) -> At {
        let id = id.parse().unwrap_or_default();
        let replies = self.thread.iter().flat_map(|own| &own.replies);
        let inside = replies.into_iter().find(|own| own.message.id == id);
        let channel = inside.map(|own| own.message.channel);
        At {
            channel: channel
                .or(self.room.as_ref().map(|own| own.id))
                .unwrap_or_default(),
            id,
        }
    }

    /// `#platform`, or the bot's name.
    pub(super) fn title(&self) -> String {
        self.room.as_ref().map_or_else(String::new, titled)
    }

    /// What somebody is called here.
    pub(super) fn name(&self, id: Id) -> Option<String> {
        let member = self.discord.members.iter().find(|own| own.id == id);
        let role = || self.discord.roles.iter().find(|own| own.id == id);
        member
            .map(|own| own.name.clone())
            .or_else(|| role().map(|own| own.name.clone()))
    }

    /// Whether a mention of this member or role calls the one who looks.
    pub(super) fn calls_me(&self, id: Id) -> bool {
        id == self.me.id || self.me.roles.contains(&id)
    }

    /// Where a channel or thread is.
    pub(super) fn way_to(&self, id: &str) -> Place {
        let found = self.rooms.iter().find(|own| own.id.to_string() == id);
        match found.and_then(|own| Some((own, own.parent?))) {
            Some((thread, parent)) => self
                .place
                .in_channel(&parent.to_string())
                .with_thread(Some(&thread.id.to_string())),
            None => self.place.in_channel(id),
        }
    }
}

fn thread(world: &Arc<World>, person: &str, room: &Room) -> Option<Thread> {
    let root = room.parent.and_then(|parent| {
        let root = world.message_seen(person, parent, room.id).ok()?;
        Some(root.0)
    });
    Some(Thread {
        root,
        replies: world.messages(person, &room.id.to_string()).ok()?,
        room: room.clone(),
    })
}

/// `#platform`, a thread's name, or the bot's.
pub(super) fn titled(room: &Room) -> String {
    match room.kind {
        Kind::Channel => format!("#{}", room.title),
        Kind::Thread | Kind::Direct => room.title.clone(),
    }
}

/// The one asked for, else the first.
fn open_room<'a>(rooms: &'a [Room], asked: Option<&str>) -> Option<&'a Room> {
    let named = |own: &&Room| {
        asked.is_some_and(|asked| {
            own.id.to_string() == asked
                || (own.kind != Kind::Thread && own.title == asked.trim_start_matches('#'))
        })
    };
    rooms.iter().find(named).or_else(|| rooms.first())
}
