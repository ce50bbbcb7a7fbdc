//! All that one drawing of the page needs, read from the world once.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::place::{Place, Server};
use crate::sandbox::world::{
    App, ChannelKind, ChannelSummary, Group, Names, Person, Post, Settings, Team, View, World,
};

/// How much of a channel is drawn; older messages stay in the world.
const SHOWN: usize = 150;

/// What one person sees at one moment.
pub(super) struct Scene {
    /// Its address, with every part filled in.
    pub(super) place: Place,
    pub(super) me: Person,
    pub(super) people: Vec<Person>,
    pub(super) app: App,
    pub(super) team: Team,
    pub(super) settings: Settings,
    pub(super) names: Names,
    /// User groups that are switched on.
    pub(super) groups: Vec<Group>,
    /// The sidebar.
    pub(super) channels: Vec<ChannelSummary>,
    /// The one that is open.
    pub(super) channel: Option<ChannelSummary>,
    pub(super) posts: Vec<Post>,
    /// Messages of the channel that aren't drawn.
    pub(super) earlier: usize,
    /// The open thread, root first.
    pub(super) thread: Option<Vec<Post>>,
    /// The open modal.
    pub(super) view: Option<View>,
    pub(super) levers: Offered,
    /// The person is on Discord too.
    pub(super) on_discord: bool,
    /// Socket Mode connections of the app; `None` over HTTP.
    pub(super) sockets: Option<usize>,
    pub(super) now: DateTime<Utc>,
}

/// Which levers there are.
#[derive(Clone, Copy)]
pub(super) struct Offered {
    pub(super) kill: bool,
    pub(super) forge: bool,
}

impl Offered {
    /// Those that were handed in.
    pub(super) fn of(world: &World) -> Self {
        Self {
            kill: world.levers().kill_bot.is_some(),
            forge: world.levers().forge_away.is_some(),
        }
    }
}

impl Scene {
    /// The scene at this address; `None` in a workspace without people.
    pub(super) fn of(world: &Arc<World>, asked: &Place) -> Option<Self> {
        let people = world.people();
        let me = asked
            .person
            .as_deref()
            .and_then(|name| world.person(name))
            .or_else(|| people.first().cloned())?;
        let channels = world.sidebar(&me.id);
        let channel = open_channel(&channels, asked.channel.as_deref()).cloned();
        let place = Place {
            server: Server::Slack,
            person: Some(me.handle.clone()),
            channel: channel.as_ref().map(|own| own.id.clone()),
            thread: asked.thread.clone().or_else(|| asked.thread_ts.clone()),
            behind: asked.behind.clone(),
            thread_ts: None,
        };
        let mut posts = channel
            .as_ref()
            .and_then(|own| world.timeline(&me.id, &own.id).ok())
            .unwrap_or_default();
        let earlier = posts.len().saturating_sub(SHOWN);
        let posts = posts.split_off(earlier);
        let thread = channel
            .as_ref()
            .zip(place.thread.as_ref())
            .and_then(|(own, root)| world.thread(&me.id, &own.id, root).ok())
            .filter(|posts| !posts.is_empty());
        let settings = world.settings();
        let sockets = matches!(settings.delivery, crate::sandbox::Delivery::Socket)
            .then(|| world.connections());
        Some(Self {
            view: world.open_view(&me.id),
            app: world.app(),
            team: world.team(),
            names: world.names(),
            groups: world
                .groups()
                .into_iter()
                .filter(|own| !own.disabled)
                .collect(),
            levers: Offered::of(world),
            on_discord: world.members().iter().any(|own| own.handle == me.handle),
            now: world.now(),
            place,
            me,
            people,
            settings,
            channels,
            channel,
            posts,
            earlier,
            thread,
            sockets,
        })
    }

    /// Whether a mention of this person or group calls the one who looks.
    pub(super) fn calls_me(&self, id: &str) -> bool {
        let group = self.groups.iter().find(|own| own.id == id);
        id == self.me.id || group.is_some_and(|own| own.members.contains(&self.me.id))
    }

    /// `#platform`, or the other one's name.
    pub(super) fn channel_title(&self) -> String {
        self.channel.as_ref().map_or_else(String::new, titled)
    }
}

/// `#platform`, or the other one's name.
pub(super) fn titled(channel: &ChannelSummary) -> String {
    match channel.kind {
        ChannelKind::Direct => channel.title.clone(),
        ChannelKind::Public | ChannelKind::Private => format!("#{}", channel.title),
    }
}

/// The one asked for, else the first that the person is in.
fn open_channel<'a>(
    channels: &'a [ChannelSummary],
    asked: Option<&str>,
) -> Option<&'a ChannelSummary> {
    let named = |own: &&ChannelSummary| {
        asked.is_some_and(|asked| own.id == asked || own.title == asked.trim_start_matches('#'))
    };
    channels
        .iter()
        .find(named)
        .or_else(|| channels.iter().find(|own| own.member))
        .or_else(|| channels.first())
}
