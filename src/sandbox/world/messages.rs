//! Posting, editing and deleting messages, for whoever is allowed to: the rules are with the callers.

use serde_json::{Value, json};

use super::{
    Author, Change, Channel, Inner, Message, MessageRef, elements::assign_ids, fields::Fields,
};

/// A message that is about to be posted.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// mrkdwn.
    pub text: String,
    /// Block Kit.
    pub blocks: Vec<Value>,
    /// Legacy attachments.
    pub attachments: Vec<Value>,
    /// The root it answers.
    pub thread_ts: Option<String>,
    /// Shown in the channel too.
    pub broadcast: bool,
    /// The app's own data.
    pub metadata: Option<Value>,
    /// Ephemeral: for this person alone.
    pub only_for: Option<String>,
}

impl Inner {
    /// A timestamp later than every one before.
    pub(in crate::sandbox) fn next_ts(&mut self) -> String {
        let now = self.now.timestamp();
        let (seconds, counter) = self.workspace.last_ts;
        // Slack's have six digits, the last two of them nearly always used for ties on its side.
        let next = if now > seconds {
            (now, 1)
        } else {
            (seconds, counter + 1)
        };
        let next = if next.1 > 9_999 {
            (next.0 + 1, 1)
        } else {
            next
        };
        self.workspace.last_ts = next;
        format!("{:010}.{:06}", next.0, next.1 * 100)
    }

    /// Puts a message into a channel that exists.
    pub(in crate::sandbox) fn post(
        &mut self,
        channel: &str,
        author: Author,
        mut draft: Draft,
    ) -> Message {
        let ts = self.next_ts();
        assign_ids(&mut draft.blocks, short_id);
        let bot = author == Author::Bot;
        let message = Message {
            ts: ts.clone(),
            channel: channel.to_owned(),
            author,
            text: draft.text,
            blocks: draft.blocks,
            attachments: draft.attachments,
            thread_ts: draft.thread_ts,
            broadcast: draft.broadcast,
            metadata: draft.metadata,
            edited: None,
            only_for: draft.only_for,
            tombstone: false,
            after_delivery: self.log.newest_cause().filter(|_| bot),
        };
        if let Some(channel) = self
            .workspace
            .channels
            .iter_mut()
            .find(|own| own.id == channel)
        {
            channel.messages.insert(ts, message.clone());
        }
        self.told(&message);
        message
    }

    /// One message.
    pub(in crate::sandbox) fn message(&self, channel: &str, ts: &str) -> Option<&Message> {
        self.channel(channel)?.messages.get(ts)
    }

    /// Changes a message in place; `None` when there is none.
    pub(in crate::sandbox) fn edit(
        &mut self,
        channel: &str,
        ts: &str,
        change: impl FnOnce(&mut Message),
    ) -> Option<Message> {
        let edited = self.next_ts();
        let message = self.channel_mut(channel)?.messages.get_mut(ts)?;
        change(message);
        assign_ids(&mut message.blocks, short_id);
        message.edited = Some(edited);
        let message = message.clone();
        // Inputs of the old blocks are gone with them.
        let of = MessageRef {
            channel: message.channel.clone(),
            ts: message.ts.clone(),
        };
        for ((_, own), fields) in &mut self.message_fields {
            if *own == of {
                *fields = Fields::initial(&message.blocks).carried_over(fields);
            }
        }
        self.told(&message);
        Some(message)
    }

    /// Takes a message away; a root with replies leaves a tombstone, as on Slack.
    pub(in crate::sandbox) fn delete(&mut self, channel: &str, ts: &str) -> Option<Message> {
        let channel = self.channel_mut(channel)?;
        let replies = channel
            .messages
            .values()
            .any(|own| own.thread_ts.as_deref() == Some(ts) && own.ts != ts);
        let message = channel.messages.get(ts)?.clone();
        if message.tombstone {
            return None;
        }
        if replies {
            let root = channel.messages.get_mut(ts)?;
            root.tombstone = true;
            root.blocks.clear();
            root.attachments.clear();
            root.metadata = None;
            "This message was deleted.".clone_into(&mut root.text);
        } else {
            channel.messages.remove(ts);
        }
        self.told(&message);
        Some(message)
    }

    fn told(&mut self, message: &Message) {
        self.changed(Change::Message {
            channel: message.channel.clone(),
            ts: message.ts.clone(),
            thread_ts: message.thread_ts.clone(),
            only_for: message.only_for.clone(),
        });
    }
}

impl Message {
    /// The message as the wire shows it, in answers, histories and interaction payloads.
    pub(in crate::sandbox) fn on_the_wire(&self, inner: &Inner, channel: &Channel) -> Value {
        let workspace = &inner.workspace;
        let mut wire = json!({
            "type": "message",
            "ts": self.ts,
            "text": self.text,
            "team": workspace.team.id,
        });
        match &self.author {
            Author::Person(id) => wire["user"] = json!(id),
            Author::Bot => {
                wire["user"] = json!(workspace.app.user_id);
                wire["bot_id"] = json!(workspace.app.bot_id);
                wire["app_id"] = json!(workspace.app.id);
                wire["bot_profile"] = json!({
                    "id": workspace.app.bot_id,
                    "app_id": workspace.app.id,
                    "user_id": workspace.app.user_id,
                    "name": workspace.app.name,
                    "deleted": false,
                    "updated": 1_700_000_000,
                    "team_id": workspace.team.id,
                });
            }
            Author::Slackbot => wire["user"] = json!("USLACKBOT"),
        }
        if self.tombstone {
            wire["subtype"] = json!("tombstone");
            wire["hidden"] = json!(true);
        }
        if !self.blocks.is_empty() {
            wire["blocks"] = json!(self.blocks);
        }
        if !self.attachments.is_empty() {
            wire["attachments"] = json!(self.attachments);
        }
        if let Some(metadata) = &self.metadata {
            wire["metadata"] = metadata.clone();
        }
        if let Some(edited) = &self.edited {
            wire["edited"] = json!({ "user": wire["user"], "ts": edited });
        }
        if let Some(root) = &self.thread_ts {
            wire["thread_ts"] = json!(root);
            if self.broadcast {
                wire["subtype"] = json!("thread_broadcast");
            }
        }
        let replies: Vec<&Message> = channel.replies(&self.ts).collect();
        if let Some(latest) = replies.last() {
            wire["thread_ts"] = json!(self.ts);
            wire["reply_count"] = json!(replies.len());
            wire["latest_reply"] = json!(latest.ts);
            wire["is_locked"] = json!(false);
        }
        wire
    }
}

impl Channel {
    /// Replies under a root, oldest first; ephemeral ones don't count.
    pub fn replies<'a>(&'a self, root: &'a str) -> impl Iterator<Item = &'a Message> {
        self.messages.values().filter(move |message| {
            message.thread_ts.as_deref() == Some(root)
                && message.ts != root
                && message.only_for.is_none()
        })
    }
}

/// Five characters, as Slack's own block ids.
pub(super) fn short_id() -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    rand::random::<[u8; 5]>()
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte % 64)]))
        .collect()
}

/// An id of Slack's shape: a letter and ten capitals or digits.
pub(in crate::sandbox) fn long_id(letter: char) -> String {
    const ALPHABET: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let rest = rand::random::<[u8; 8]>();
    let rest = rest
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte % 36)]));
    format!("{letter}07").chars().chain(rest).collect()
}
