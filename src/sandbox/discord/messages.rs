//! Writing, changing and deleting, for whoever does it: people, the bot, answers to interactions. Each tells the pages and
//! the gateway.

use serde_json::{Value, json};

use super::{
    check::numbered,
    gateway::intent,
    id::Id,
    state::{Cause, Channel, ChannelKind, Message, flag},
};
use crate::sandbox::world::{Change, Inner};

/// A message that is to be written.
#[derive(Clone, Debug)]
pub(in crate::sandbox) struct Draft {
    pub(in crate::sandbox) channel: Id,
    pub(in crate::sandbox) author: Id,
    /// Content, embeds, components, flags, nonce, as they go over the wire.
    pub(in crate::sandbox) body: Value,
    pub(in crate::sandbox) answers: Option<Id>,
    pub(in crate::sandbox) cause: Option<Cause>,
    pub(in crate::sandbox) only_for: Option<Id>,
}

impl Draft {
    /// What somebody wrote.
    pub(in crate::sandbox) fn new(channel: Id, author: Id, body: Value) -> Self {
        Self {
            channel,
            author,
            body,
            answers: None,
            cause: None,
            only_for: None,
        }
    }
}

impl Inner {
    /// Writes a message; gives its id.
    pub(in crate::sandbox) fn write(&mut self, draft: Draft) -> Id {
        let id = self.discord.next_id(self.now);
        let body = &draft.body;
        let text = body.get("content").and_then(Value::as_str);
        let content = text.unwrap_or_default().to_owned();
        let flags = body.get("flags").and_then(Value::as_u64);
        let by_bot = draft.author == self.discord.application.bot;
        let place = (draft.author, draft.channel);
        let kind = match (&draft.cause, draft.answers) {
            (Some(Cause { kind: 2, .. }), _) => 20,
            (_, Some(_)) => 19,
            _ => 0,
        };
        let message = Message {
            id,
            channel: draft.channel,
            author: draft.author,
            kind,
            mentions: self.discord.called(&content, body, place),
            content,
            embeds: list(body, "embeds"),
            components: numbered(body.get("components")),
            flags: flags.unwrap_or_default(),
            nonce: body.get("nonce").filter(|own| !own.is_null()).cloned(),
            answers: draft.answers,
            edited: None,
            cause: draft.cause,
            only_for: draft.only_for,
            after: self.log.newest_interaction().filter(|_| by_bot),
        };
        let event = self.discord.message_event(&message);
        let private = message.only_for;
        if let Some(channel) = self.discord.channel_mut(draft.channel) {
            channel.messages.insert(id, message);
            // "Sending a message will automatically unarchive the thread": docs.discord.com/developers/topics/threads.
            channel.archived = false;
        }
        if private.is_none() {
            self.tell_of_message("MESSAGE_CREATE", draft.channel, event);
        }
        self.changed_for(private);
        id
    }

    /// Changes a message: what the body doesn't name stays. Tells whether it stands.
    pub(in crate::sandbox) fn rewrite(&mut self, channel: Id, id: Id, body: &Value) -> bool {
        let now = self.now;
        let bot = self.discord.application.bot;
        let text = body.get("content");
        let text = text.map(|own| own.as_str().unwrap_or_default());
        let called = text.map(|own| self.discord.called(own, body, (bot, channel)));
        let Some(message) = self.discord.message_mut(channel, id) else {
            return false;
        };
        if let Some((text, called)) = text.zip(called) {
            text.clone_into(&mut message.content);
            message.mentions = called;
        }
        if body.get("embeds").is_some() {
            message.embeds = list(body, "embeds");
        }
        if body.get("components").is_some() {
            message.components = numbered(body.get("components"));
        }
        if let Some(flags) = body.get("flags").and_then(Value::as_u64) {
            let settable = flag::SUPPRESS_EMBEDS;
            message.flags = (message.flags & !settable) | (flags & settable);
        }
        message.flags &= !flag::LOADING;
        message.edited = Some(now);
        let message = message.clone();
        let private = message.only_for;
        if private.is_none() {
            let event = self.discord.message_event(&message);
            self.tell_of_message("MESSAGE_UPDATE", channel, event);
        }
        self.changed_for(private);
        true
    }

    /// Deletes a message. Its thread stays, as on Discord.
    pub(in crate::sandbox) fn erase(&mut self, channel: Id, id: Id) -> bool {
        let room = self.discord.channel_mut(channel);
        let Some(message) = room.and_then(|own| own.messages.remove(&id)) else {
            return false;
        };
        if message.only_for.is_none() {
            let event = json!({ "id": id, "channel_id": channel });
            self.tell_of_message("MESSAGE_DELETE", channel, event);
        }
        self.changed_for(message.only_for);
        true
    }

    /// Opens the thread of a message; it has the message's id.
    pub(in crate::sandbox) fn open_thread(
        &mut self,
        channel: Id,
        message: Id,
        name: &str,
        owner: Id,
    ) {
        let mut thread = Channel::new(message, ChannelKind::Thread, name);
        thread.parent = Some(channel);
        thread.owner = Some(owner);
        // The first message of a thread points at the one it hangs under.
        let id = self.discord.next_id(self.now);
        let first = Message {
            id,
            channel: message,
            author: owner,
            kind: 21,
            content: String::new(),
            embeds: Vec::new(),
            components: Vec::new(),
            flags: 0,
            nonce: None,
            answers: Some(message),
            edited: None,
            mentions: Vec::new(),
            cause: None,
            only_for: None,
            after: None,
        };
        thread.messages.insert(id, first);
        let mut event = self.discord.channel_json(&thread);
        event["newly_created"] = true.into();
        self.discord.channels.push(thread);
        if let Some(root) = self.discord.message_mut(channel, message) {
            root.flags |= flag::HAS_THREAD;
        }
        self.emit("THREAD_CREATE", intent::GUILDS, &event);
        self.changed_for(None);
    }

    /// Deletes a channel with its threads, or one thread.
    pub(in crate::sandbox) fn remove_channel(&mut self, id: Id) -> bool {
        let Some(channel) = self.discord.channel(id) else {
            return false;
        };
        let guild = self.discord.guild.id;
        let event = match channel.kind {
            ChannelKind::Thread => {
                json!({ "id": id, "guild_id": guild, "parent_id": channel.parent, "type": 11 })
            }
            _ => self.discord.channel_json(channel),
        };
        let (thread, parent) = (channel.kind == ChannelKind::Thread, channel.parent);
        self.discord
            .channels
            .retain(|own| own.id != id && own.parent != Some(id));
        if let Some(root) = parent.and_then(|parent| self.discord.message_mut(parent, id)) {
            root.flags &= !flag::HAS_THREAD;
        }
        let name = if thread {
            "THREAD_DELETE"
        } else {
            "CHANNEL_DELETE"
        };
        self.emit(name, intent::GUILDS, &event);
        self.changed_for(None);
        true
    }

    fn tell_of_message(&mut self, name: &'static str, channel: Id, mut event: Value) {
        let direct = self.discord.channel(channel);
        let direct = direct.is_some_and(|own| own.kind == ChannelKind::Direct);
        let intent = if direct {
            intent::DIRECT_MESSAGES
        } else {
            event["guild_id"] = self.discord.guild.id.into();
            intent::GUILD_MESSAGES
        };
        self.emit(name, intent, &event);
    }

    /// Tells the pages, or those of one member.
    pub(in crate::sandbox) fn changed_for(&mut self, member: Option<Id>) {
        let handle = member
            .and_then(|id| self.discord.member_of(id))
            .map(|own| own.handle.clone());
        self.changed(Change::Discord { only_for: handle });
    }
}

fn list(body: &Value, name: &str) -> Vec<Value> {
    let all = body.get(name).and_then(Value::as_array);
    all.cloned().unwrap_or_default()
}
