//! What people do on Discord: write, use the command, press, fill in forms. Each act checks what Discord's own client would
//! check, delivers the interaction, and tells the person where nothing came back.

mod admin;
mod command;
mod modal;
mod press;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

pub(in crate::sandbox) use self::{admin::Admin, command::Suggested, modal::Entry};
use super::{
    id::Id,
    messages::Draft,
    permission as may,
    state::{Channel, Discord, Member, flag},
};
use crate::sandbox::{
    acts::{ActError, Outcome},
    world::{Inner, World},
};

/// So many characters Discord's client lets people write at once.
const AT_ONCE: usize = 2_000;

/// A message by its address.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct At {
    pub(in crate::sandbox) channel: Id,
    pub(in crate::sandbox) id: Id,
}

impl Inner {
    /// Somebody, and a channel that they see.
    pub(in crate::sandbox) fn looks(
        &self,
        person: &str,
        channel: &str,
    ) -> Result<(&Member, &Channel), ActError> {
        let discord = &self.discord;
        let member = discord.member(person).ok_or(ActError::NoPerson)?;
        let own = |room: &&Channel| room.owner == Some(member.id) && room.name.is_empty();
        let direct = discord.channels.iter().find(own);
        let channel = if channel == "@idp" {
            direct
        } else {
            discord.channel_named(channel)
        };
        let channel = channel.ok_or(ActError::NoChannel)?;
        if discord.sees(member, channel) {
            Ok((member, channel))
        } else {
            Err(ActError::NoChannel)
        }
    }

    /// The same, where they may write.
    fn writes(&self, person: &str, channel: &str) -> Result<(Id, Id), ActError> {
        let (member, channel) = self.looks(person, channel)?;
        if channel.locked {
            return Err(ActError::Archived);
        }
        let bits = self.discord.permissions_in(member, channel);
        if bits & Discord::writing(channel) == 0 {
            return Err(ActError::NotMember);
        }
        Ok((member.id, channel.id))
    }
}

impl World {
    /// Writes as this member; text that begins with `/` uses a command.
    pub(in crate::sandbox) async fn write_on_discord(
        self: &Arc<Self>,
        (person, channel): (&str, &str),
        answers: Option<Id>,
        text: &str,
    ) -> Result<Outcome, ActError> {
        let text = text.trim();
        if text.starts_with('/') {
            return self.use_command(person, channel, text).await;
        }
        let id = self.with(|inner| {
            let (member, channel) = inner.writes(person, channel)?;
            let content = inner.with_mentions(text);
            if content.chars().count() > AT_ONCE {
                let text = "Discord takes at most 2,000 characters in a message.";
                return Err(ActError::Failed(text.to_owned()));
            }
            Ok(inner.write(Draft {
                answers,
                ..Draft::new(channel, member, json!({ "content": content }))
            }))
        })?;
        Ok(Outcome {
            ts: Some(id.to_string()),
            ..Outcome::default()
        })
    }

    /// Puts away a message that only its reader sees.
    pub(in crate::sandbox) fn dismiss(&self, person: &str, at: At) -> Result<(), ActError> {
        self.with(|inner| {
            let member = inner.discord.member(person).ok_or(ActError::NoPerson)?.id;
            let message = inner.discord.message(at.channel, at.id);
            let own = message.is_some_and(|own| own.only_for == Some(member));
            if own && inner.erase(at.channel, at.id) {
                Ok(())
            } else {
                Err(ActError::NoMessage)
            }
        })
    }

    /// Tells a member, in the channel, that nothing came back.
    fn failed(&self, (member, channel): (Id, Id), text: &str) {
        self.with(|inner| {
            let bot = inner.discord.application.bot;
            let body = json!({ "content": text, "flags": flag::EPHEMERAL });
            let draft = Draft {
                only_for: Some(member),
                ..Draft::new(channel, bot, body)
            };
            inner.write(draft);
        });
    }
}

impl Inner {
    /// `@handle` and `@Role` as the ids of the wire.
    fn with_mentions(&self, text: &str) -> String {
        let mut text = text.to_owned();
        // An app has a role of its name too: who writes the name means the app.
        for member in &self.discord.members {
            text = text.replace(&format!("@{}", member.handle), &format!("<@{}>", member.id));
        }
        for role in self.discord.roles.iter().skip(1) {
            text = text.replace(&format!("@{}", role.name), &format!("<@&{}>", role.id));
        }
        text
    }

    /// Whether a member may use commands there.
    fn may_use_commands(&self, member: &Member, channel: &Channel) -> bool {
        self.discord.permissions_in(member, channel) & may::USE_COMMANDS != 0
    }
}
