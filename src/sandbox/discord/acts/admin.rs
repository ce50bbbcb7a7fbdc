//! What the server's administrators and colleagues do, as one JSON object: `{"take_role": {"person": "alex", "role":
//! "Payments Leads"}}`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{ActError, At};
use crate::sandbox::{
    discord::{
        gateway::intent,
        id::Id,
        permission, seed,
        state::{Channel, ChannelKind, Overwrite, Role},
        wire,
    },
    world::{Inner, World},
};

/// What administrators and colleagues do.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Admin {
    /// Denies whom (a role, a member, `idp`) permissions in a channel, by Discord's names; those denied before are forgotten.
    Deny {
        channel: String,
        whom: String,
        permissions: Vec<String>,
    },
    GiveRole {
        person: String,
        role: String,
    },
    TakeRole {
        person: String,
        role: String,
    },
    NewRole {
        name: String,
        /// Whoever writes may call it.
        #[serde(default)]
        mentionable: bool,
    },
    DeleteMessage(At),
    /// With its threads; or one thread.
    DeleteChannel {
        channel: String,
    },
    NewChannel {
        name: String,
    },
    Archive {
        thread: Id,
        #[serde(default)]
        locked: bool,
    },
    Join {
        handle: String,
        name: String,
        #[serde(default)]
        roles: Vec<String>,
        #[serde(default)]
        pending: bool,
    },
    Leave {
        person: String,
    },
    /// Takes direct messages of members no more, or again.
    CloseDirect {
        person: String,
        closed: bool,
    },
    /// Throws the bot out, or adds it again.
    Bot {
        present: bool,
    },
    RevokeToken,
    RestoreToken,
}

impl World {
    /// Does it; gives the id of what was made.
    pub(in crate::sandbox) fn administrate(&self, act: Admin) -> Result<Option<Id>, ActError> {
        self.with(|inner| {
            let made = inner.administrate(act)?;
            inner.changed_for(None);
            Ok(made)
        })
    }
}

impl Inner {
    fn administrate(&mut self, act: Admin) -> Result<Option<Id>, ActError> {
        match act {
            Admin::Deny {
                channel,
                whom,
                permissions,
            } => self.deny(&channel, &whom, &permissions)?,
            Admin::GiveRole { person, role } => self.role_of(&person, &role, true)?,
            Admin::TakeRole { person, role } => self.role_of(&person, &role, false)?,
            Admin::NewRole { name, mentionable } => {
                return Ok(Some(self.new_role(&name, mentionable)));
            }
            Admin::DeleteMessage(At { channel, id }) => {
                if !self.erase(channel, id) {
                    return Err(ActError::NoMessage);
                }
            }
            Admin::DeleteChannel { channel } => {
                let id = self.discord.channel_named(&channel).map(|own| own.id);
                self.remove_channel(id.ok_or(ActError::NoChannel)?);
            }
            Admin::NewChannel { name } => return Ok(Some(self.new_channel_on_discord(&name))),
            Admin::Archive { thread, locked } => self.archive_thread(thread, locked)?,
            Admin::Join {
                handle,
                name,
                roles,
                pending,
            } => return self.joins((&handle, &name), &roles, pending).map(Some),
            Admin::Leave { person } => {
                let id = self.discord.member(&person).ok_or(ActError::NoPerson)?.id;
                self.leaves(id);
            }
            Admin::CloseDirect { person, closed } => {
                let id = self.discord.member(&person).ok_or(ActError::NoPerson)?.id;
                let mut members = self.discord.members.iter_mut();
                if let Some(member) = members.find(|own| own.id == id) {
                    member.closed = closed;
                }
            }
            Admin::Bot { present } => self.bot_here(present),
            Admin::RevokeToken => self.discord.application.revoked = true,
            Admin::RestoreToken => self.discord.application.revoked = false,
        }
        Ok(None)
    }

    fn deny(&mut self, channel: &str, whom: &str, names: &[String]) -> Result<(), ActError> {
        let named =
            |name: &String| permission::named(name).ok_or_else(|| ActError::BadValue(name.clone()));
        let bits = names.iter().map(named).collect::<Result<Vec<u64>, _>>()?;
        let deny = bits.into_iter().fold(0, |all, bit| all | bit);
        let member = self.discord.member(whom).map(|own| own.id);
        let role = self.discord.role(whom).map(|own| own.id);
        let id = member.or(role).ok_or(ActError::NoPerson)?;
        let channel = self.discord.channel_named(channel).map(|own| own.id);
        let channel = channel.ok_or(ActError::NoChannel)?;
        if let Some(own) = self.discord.channel_mut(channel) {
            own.overwrites.retain(|before| before.id != id);
            if deny != 0 {
                own.overwrites.push(Overwrite {
                    id,
                    member: member.is_some(),
                    allow: 0,
                    deny,
                });
            }
        }
        let value = self
            .discord
            .channel(channel)
            .map(|own| self.discord.channel_json(own));
        self.emit("CHANNEL_UPDATE", intent::GUILDS, &value.unwrap_or_default());
        Ok(())
    }

    fn role_of(&mut self, person: &str, role: &str, given: bool) -> Result<(), ActError> {
        let role = self.discord.role(role).ok_or(ActError::NoGroup)?.id;
        let id = self.discord.member(person).ok_or(ActError::NoPerson)?.id;
        let mut members = self.discord.members.iter_mut();
        let Some(member) = members.find(|own| own.id == id) else {
            return Ok(());
        };
        member.roles.retain(|own| *own != role);
        if given {
            member.roles.push(role);
        }
        let value = wire::member(member);
        self.member_event("GUILD_MEMBER_UPDATE", value);
        Ok(())
    }

    fn member_event(&mut self, name: &'static str, mut member: Value) {
        member["guild_id"] = self.discord.guild.id.into();
        self.emit(name, intent::GUILD_MEMBERS, &member);
    }

    fn new_role(&mut self, name: &str, mentionable: bool) -> Id {
        let id = self.discord.next_id(self.now);
        let role = Role {
            id,
            name: name.to_owned(),
            color: 0,
            permissions: 0,
            managed: false,
            mentionable,
        };
        let value =
            json!({ "guild_id": self.discord.guild.id, "role": self.discord.role_json(&role) });
        self.discord.roles.push(role);
        self.emit("GUILD_ROLE_CREATE", intent::GUILDS, &value);
        id
    }

    fn new_channel_on_discord(&mut self, name: &str) -> Id {
        let id = self.discord.next_id(self.now);
        let channel = Channel::new(id, ChannelKind::Text, name.trim_start_matches('#'));
        let value = self.discord.channel_json(&channel);
        self.discord.channels.push(channel);
        self.emit("CHANNEL_CREATE", intent::GUILDS, &value);
        id
    }

    fn archive_thread(&mut self, thread: Id, locked: bool) -> Result<(), ActError> {
        let own = self.discord.channel_mut(thread);
        let own = own.filter(|own| own.kind == ChannelKind::Thread);
        let own = own.ok_or(ActError::NoChannel)?;
        own.archived = true;
        own.locked = locked;
        let value = self
            .discord
            .channel(thread)
            .map(|own| self.discord.channel_json(own));
        self.emit("THREAD_UPDATE", intent::GUILDS, &value.unwrap_or_default());
        Ok(())
    }

    fn joins(
        &mut self,
        (handle, name): (&str, &str),
        roles: &[String],
        pending: bool,
    ) -> Result<Id, ActError> {
        let named = |role: &String| {
            self.discord
                .role(role)
                .map(|own| own.id)
                .ok_or(ActError::NoGroup)
        };
        let roles = roles.iter().map(named).collect::<Result<Vec<Id>, _>>()?;
        let id = self.discord.next_id(self.now);
        let mut member = seed::member(id, handle, name);
        member.roles = roles;
        member.pending = pending;
        member.joined = self.now;
        let value = wire::member(&member);
        self.discord.members.push(member);
        self.member_event("GUILD_MEMBER_ADD", value);
        Ok(id)
    }

    fn leaves(&mut self, id: Id) {
        let mut members = self.discord.members.iter_mut();
        let Some(member) = members.find(|own| own.id == id) else {
            return;
        };
        member.left = true;
        member.roles.clear();
        let value = json!({ "user": wire::user(member) });
        self.member_event("GUILD_MEMBER_REMOVE", value);
    }

    fn bot_here(&mut self, present: bool) {
        let bot = self.discord.application.bot;
        let mut members = self.discord.members.iter_mut();
        if let Some(member) = members.find(|own| own.id == bot) {
            member.left = !present;
        }
        if present {
            let guild = self.discord.guild_event();
            self.emit("GUILD_CREATE", intent::GUILDS, &guild);
        } else {
            let gone = json!({ "id": self.discord.guild.id });
            self.emit("GUILD_DELETE", intent::GUILDS, &gone);
        }
    }
}
