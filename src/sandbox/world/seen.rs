//! What a person sees: the list of channels, a channel's timeline, a thread.

use serde::Serialize;

use super::{Author, Channel, ChannelKind, Inner, Message, Person, PersonKind, World};
use crate::sandbox::acts::ActError;

/// A line of the sidebar.
#[derive(Clone, Debug, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about a channel"
)]
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
    /// The channels that a person sees: their own, and public ones unless they are a guest or outsider.
    pub fn sidebar(&self, person: &str) -> Vec<ChannelSummary> {
        self.with(|inner| {
            let Some(person) = inner.person(person) else {
                return Vec::new();
            };
            let channels = inner.workspace.channels.iter();
            channels
                .filter(|channel| Inner::may_read(person, channel))
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
}

impl Message {
    fn seen_by(&self, person: &str) -> bool {
        self.only_for.as_deref().is_none_or(|own| own == person)
    }
}

impl Inner {
    fn may_read(person: &Person, channel: &Channel) -> bool {
        let full = person.kind == PersonKind::Member;
        channel.has(&person.id) || (full && channel.kind == ChannelKind::Public)
    }

    fn reader(&self, person: &str, channel: &str) -> Result<(&Person, &Channel), ActError> {
        let person = self.person(person).ok_or(ActError::NoPerson)?;
        let channel = self.channel_named(channel).ok_or(ActError::NoChannel)?;
        if Inner::may_read(person, channel) {
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
        let answers: Vec<&Message> = channel.replies(&message.ts).collect();
        let mut repliers: Vec<String> = Vec::new();
        for answer in &answers {
            let by = self.author_id(&answer.author);
            if !repliers.contains(&by) {
                repliers.push(by);
            }
        }
        Post {
            author: self.shown_name(&self.author_id(&message.author)),
            by_bot: message.author == Author::Bot,
            message: message.clone(),
            replies: answers.len(),
            latest_reply: answers.last().map(|answer| answer.ts.clone()),
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
