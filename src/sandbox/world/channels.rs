//! What a person sees: the list of channels, a channel's timeline, a thread.

use serde::Serialize;

use super::{App, Author, Channel, ChannelKind, Group, Inner, Message, Person, Team, World};
use crate::sandbox::acts::ActError;

/// A line of the sidebar.
#[derive(Clone, Debug, Serialize)]
pub struct ChannelSummary {
    /// `C…` or `D…`
    pub id: String,
    /// `platform`, or the other one's name in a direct message.
    pub title: String,
    /// Who can see it.
    pub kind: ChannelKind,
    /// One line about it.
    pub topic: String,
    /// How many people are in, the bot not counted.
    pub people: usize,
    /// The person is in; a public channel is also listed when they aren't.
    pub member: bool,
    /// The bot is in.
    pub bot: bool,
    /// Nothing can be written any more.
    pub archived: bool,
    /// Shared with another company.
    pub shared: bool,
    /// The other side of a direct message: an id.
    pub with: Option<String>,
    /// Timestamp of the newest message that this person sees.
    pub latest: Option<String>,
}

/// A message as one person sees it.
#[derive(Clone, Debug, Serialize)]
pub struct Post {
    /// The message.
    pub message: Message,
    /// Who wrote it, readable.
    pub author: String,
    /// Written by the app.
    pub by_bot: bool,
    /// Replies under it.
    pub replies: usize,
    /// Timestamp of the newest reply.
    pub latest_reply: Option<String>,
    /// Ids of those who replied; the bot's user among them.
    pub repliers: Vec<String>,
}

impl World {
    /// The team.
    pub fn team(&self) -> Team {
        self.with(|inner| inner.workspace.team.clone())
    }

    /// The installed app.
    pub fn app(&self) -> App {
        self.with(|inner| inner.workspace.app.clone())
    }

    /// Everyone, in the order they joined; the first one is who a page opens as.
    pub fn people(&self) -> Vec<Person> {
        self.with(|inner| inner.workspace.people.clone())
    }

    /// A person by id or handle.
    pub fn person(&self, name: &str) -> Option<Person> {
        self.with(|inner| inner.person(name).cloned())
    }

    /// All user groups.
    pub fn groups(&self) -> Vec<Group> {
        self.with(|inner| inner.workspace.groups.clone())
    }

    /// A channel by id or name, with everything in it.
    pub fn channel(&self, name: &str) -> Option<Channel> {
        self.with(|inner| inner.channel_named(name).cloned())
    }

    /// The direct message between a person and the bot.
    pub fn bot_dm(&self, person: &str) -> Option<String> {
        self.with(|inner| {
            let person = inner.person(person)?;
            inner
                .direct(&person.id, &inner.workspace.app.user_id)
                .map(|channel| channel.id.clone())
        })
    }

    /// The channels that a person sees: their own, and public ones unless they are a guest or outsider.
    pub fn sidebar(&self, person: &str) -> Vec<ChannelSummary> {
        self.with(|inner| {
            let Some(person) = inner.person(person) else {
                return Vec::new();
            };
            let channels = inner.workspace.channels.iter();
            channels
                .filter(|channel| inner.may_read(person, channel))
                .map(|channel| inner.summary(person, channel))
                .collect()
        })
    }

    /// What a person sees in a channel, oldest first: roots, broadcast replies, their ephemeral messages.
    ///
    /// # Errors
    /// When there is no such person or channel, or the person can't see it.
    pub fn timeline(&self, person: &str, channel: &str) -> Result<Vec<Post>, ActError> {
        self.with(|inner| {
            let (person, channel) = inner.reader(person, channel)?;
            let shown = channel.messages.values().filter(|message| {
                let root = message
                    .thread_ts
                    .as_ref()
                    .is_none_or(|root| *root == message.ts);
                (root || message.broadcast) && message.seen_by(&person.id)
            });
            Ok(shown
                .map(|message| inner.as_post(channel, message))
                .collect())
        })
    }

    /// A root and its replies as a person sees them.
    ///
    /// # Errors
    /// As for [`World::timeline`]; an unknown root gives an empty list.
    pub fn thread(&self, person: &str, channel: &str, root: &str) -> Result<Vec<Post>, ActError> {
        self.with(|inner| {
            let (person, channel) = inner.reader(person, channel)?;
            let shown = channel.messages.values().filter(|message| {
                (message.ts == root || message.thread_ts.as_deref() == Some(root))
                    && message.seen_by(&person.id)
            });
            Ok(shown
                .map(|message| inner.as_post(channel, message))
                .collect())
        })
    }

    /// One message as a person sees it.
    ///
    /// # Errors
    /// As for [`World::timeline`], and when there is no such message.
    pub fn post(&self, person: &str, channel: &str, ts: &str) -> Result<Post, ActError> {
        self.with(|inner| {
            let (person, channel) = inner.reader(person, channel)?;
            let message = channel
                .messages
                .get(ts)
                .filter(|message| message.seen_by(&person.id));
            message
                .map(|message| inner.as_post(channel, message))
                .ok_or(ActError::NoMessage)
        })
    }

    /// The address of a message, as `chat.getPermalink` gives it.
    pub fn permalink(&self, channel: &str, ts: &str) -> Option<String> {
        let message = self.with(|inner| inner.message(channel, ts).cloned())?;
        self.link_to(&message)
    }

    pub(in crate::sandbox) fn link_to(&self, message: &Message) -> Option<String> {
        let Message { channel, ts, .. } = message;
        let path = format!("archives/{channel}/p{}", ts.replace('.', ""));
        let mut link = self.base().join(&path).ok()?;
        if let Some(root) = &message.thread_ts {
            link.query_pairs_mut()
                .append_pair("thread_ts", root)
                .append_pair("cid", channel);
        }
        Some(link.into())
    }
}

impl Message {
    fn seen_by(&self, person: &str) -> bool {
        self.only_for.as_deref().is_none_or(|own| own == person)
    }
}

impl Inner {
    fn may_read(&self, person: &Person, channel: &Channel) -> bool {
        let full = person.kind == super::PersonKind::Member;
        channel.has(&person.id) || (full && channel.kind == ChannelKind::Public)
    }

    fn reader(&self, person: &str, channel: &str) -> Result<(&Person, &Channel), ActError> {
        let person = self.person(person).ok_or(ActError::NoPerson)?;
        let channel = self.channel_named(channel).ok_or(ActError::NoChannel)?;
        if self.may_read(person, channel) {
            Ok((person, channel))
        } else {
            Err(ActError::NoChannel)
        }
    }

    fn summary(&self, person: &Person, channel: &Channel) -> ChannelSummary {
        let bot = &self.workspace.app.user_id;
        let direct = channel.kind == ChannelKind::Direct;
        let with = channel
            .members
            .iter()
            .find(|member| direct && **member != person.id)
            .cloned();
        let title = with
            .as_ref()
            .map_or_else(|| channel.name.clone(), |id| self.shown_name(id));
        ChannelSummary {
            id: channel.id.clone(),
            title,
            kind: channel.kind,
            topic: channel.topic.clone(),
            people: channel
                .members
                .iter()
                .filter(|member| *member != bot)
                .count(),
            member: channel.has(&person.id),
            bot: channel.has(bot),
            archived: channel.archived,
            shared: channel.shared,
            with,
            latest: channel
                .messages
                .values()
                .rfind(|message| message.seen_by(&person.id))
                .map(|message| message.ts.clone()),
        }
    }

    fn as_post(&self, channel: &Channel, message: &Message) -> Post {
        let mut repliers: Vec<String> = Vec::new();
        let mut replies = 0;
        let mut latest_reply = None;
        for reply in channel.replies(&message.ts) {
            replies += 1;
            latest_reply = Some(reply.ts.clone());
            let by = self.author_id(&reply.author);
            if !repliers.contains(&by) {
                repliers.push(by);
            }
        }
        Post {
            author: self.shown_name(&self.author_id(&message.author)),
            by_bot: message.author == Author::Bot,
            message: message.clone(),
            replies,
            latest_reply,
            repliers,
        }
    }

    fn author_id(&self, author: &Author) -> String {
        match author {
            Author::Person(id) => id.clone(),
            Author::Bot => self.workspace.app.user_id.clone(),
            Author::Slackbot => "USLACKBOT".to_owned(),
        }
    }

    fn shown_name(&self, id: &str) -> String {
        if id == self.workspace.app.user_id {
            return self.workspace.app.name.clone();
        }
        if id == "USLACKBOT" {
            return "Slackbot".to_owned();
        }
        self.person(id)
            .map_or_else(|| id.to_owned(), |person| person.name.clone())
    }
}
