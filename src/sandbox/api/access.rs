//! Which channels the bot may see, read and write in, and under which scope.

use super::{args::Args, reply::ApiError};
use crate::sandbox::world::{Change, Channel, ChannelKind, Inner, long_id};

impl Inner {
    /// A channel that the bot knows of: by id, name, or a person's id for their direct message.
    pub(super) fn visible(&self, name: &str) -> Result<&Channel, ApiError> {
        let bot = &self.workspace.app.user_id;
        let direct = self
            .person(name)
            .and_then(|person| self.direct(&person.id, bot));
        let channel = direct.or_else(|| self.channel_named(name));
        channel
            .filter(|channel| channel.kind == ChannelKind::Public || channel.has(bot))
            .ok_or_else(|| ApiError::new("channel_not_found"))
    }

    /// The id of a channel that the bot may write in.
    pub(super) fn postable(&mut self, name: &str) -> Result<String, ApiError> {
        if name.starts_with('U')
            && let Some(person) = self.person(name)
        {
            let id = person.id.clone();
            return Ok(self.open_direct(&id));
        }
        let bot = &self.workspace.app.user_id;
        let channel = self.visible(name)?;
        if channel.archived {
            return Err(ApiError::new("is_archived"));
        }
        let anywhere = self
            .settings
            .scopes
            .iter()
            .any(|scope| scope == "chat:write.public");
        if channel.has(bot) || anywhere {
            Ok(channel.id.clone())
        } else {
            Err(ApiError::new("not_in_channel"))
        }
    }

    /// The direct message with a person, made if there is none.
    pub(super) fn open_direct(&mut self, person: &str) -> String {
        let bot = self.workspace.app.user_id.clone();
        if let Some(channel) = self.direct(person, &bot) {
            return channel.id.clone();
        }
        let id = long_id('D');
        self.workspace.channels.push(Channel {
            id: id.clone(),
            name: String::new(),
            kind: ChannelKind::Direct,
            topic: String::new(),
            members: vec![person.to_owned(), bot],
            archived: false,
            shared: false,
            messages: std::collections::BTreeMap::new(),
        });
        self.changed(Change::Workspace);
        id
    }

    /// The root of the thread to post in; the timestamp of a reply leads to its root.
    pub(super) fn thread_root(
        &self,
        channel: &str,
        args: &Args,
    ) -> Result<Option<String>, ApiError> {
        let Some(ts) = args.text("thread_ts") else {
            return Ok(None);
        };
        // Slack doesn't document what a thread that is gone gives; an error is the stricter of the two possible.
        let message = self
            .message(channel, &ts)
            .ok_or_else(|| ApiError::new("cannot_reply_to_message"))?;
        Ok(Some(message.thread_ts.clone().unwrap_or(ts)))
    }

    /// The scope for this kind of conversation, such as `groups:history`.
    pub(super) fn scoped(&self, channel: &Channel, verb: &str) -> Result<(), ApiError> {
        let noun = match channel.kind {
            ChannelKind::Public => "channels",
            ChannelKind::Private => "groups",
            ChannelKind::Direct => "im",
        };
        let needed = format!("{noun}:{verb}");
        if self.settings.scopes.contains(&needed) {
            return Ok(());
        }
        Err(ApiError::missing_scope(&[&needed], &self.settings.scopes))
    }

    /// A channel whose messages the bot may read: it must be in.
    pub(super) fn readable(&self, args: &Args) -> Result<&Channel, ApiError> {
        let channel = self.visible(&args.needed("channel")?)?;
        self.scoped(channel, "history")?;
        let there = channel.has(&self.workspace.app.user_id);
        if there {
            Ok(channel)
        } else {
            Err(ApiError::new("not_in_channel"))
        }
    }
}
