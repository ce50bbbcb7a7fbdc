//! Discord's objects as they go over the wire (docs.discord.com/developers/resources).

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::{
    id::Id,
    state::{Cause, Channel, ChannelKind, Discord, Member, Message, Role, flag},
};

/// A moment in Discord's spelling.
pub(in crate::sandbox) fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339()
}

/// A user.
pub(in crate::sandbox) fn user(member: &Member) -> Value {
    json!({
        "id": member.id, "username": member.handle, "discriminator": "0", "global_name": member.name,
        "avatar": null, "banner": null, "accent_color": null, "avatar_decoration_data": null, "collectibles": null,
        "bot": member.bot, "system": false, "public_flags": 0, "flags": 0, "primary_guild": null,
    })
}

/// A member of the guild.
pub(in crate::sandbox) fn member(own: &Member) -> Value {
    let mut value = bare_member(own);
    value["user"] = user(own);
    value
}

/// The same without its user, as it stands in messages.
fn bare_member(own: &Member) -> Value {
    json!({
        "nick": null, "avatar": null, "banner": null, "roles": own.roles, "joined_at": stamp(own.joined),
        "premium_since": null, "deaf": false, "mute": false, "flags": 0, "pending": own.pending,
        "communication_disabled_until": null, "avatar_decoration_data": null,
    })
}

impl Discord {
    /// A role.
    pub(in crate::sandbox) fn role_json(&self, role: &Role) -> Value {
        let position = self.roles.iter().position(|own| own.id == role.id);
        let mut value = json!({
            "id": role.id, "name": role.name, "color": role.color, "hoist": false, "icon": null, "unicode_emoji": null,
            "colors": { "primary_color": role.color, "secondary_color": null, "tertiary_color": null },
            "position": position.unwrap_or_default(), "permissions": role.permissions.to_string(),
            "managed": role.managed, "mentionable": role.mentionable, "flags": 0,
        });
        if role.managed {
            value["tags"] = json!({ "bot_id": self.application.bot });
        }
        value
    }

    /// All roles.
    pub(in crate::sandbox) fn roles_json(&self) -> Vec<Value> {
        self.roles.iter().map(|role| self.role_json(role)).collect()
    }

    /// A channel, a thread, or direct messages.
    pub(in crate::sandbox) fn channel_json(&self, channel: &Channel) -> Value {
        let last = channel
            .messages
            .values()
            .rfind(|own| own.only_for.is_none());
        let mut value = json!({
            "id": channel.id, "type": channel.kind.number(), "last_message_id": last.map(|own| own.id), "flags": 0,
        });
        let more = match channel.kind {
            ChannelKind::Direct => {
                let with = channel
                    .owner
                    .and_then(|id| self.members.iter().find(|own| own.id == id));
                json!({ "recipients": with.map(user).into_iter().collect::<Vec<_>>() })
            }
            ChannelKind::Thread => self.thread_json(channel),
            ChannelKind::Text | ChannelKind::Voice => {
                let position = self.channels.iter().position(|own| own.id == channel.id);
                let overwrites = channel.overwrites.iter().map(|own| {
                    json!({ "id": own.id, "type": u8::from(own.member), "allow": own.allow.to_string(), "deny": own.deny.to_string() })
                });
                json!({
                    "guild_id": self.guild.id, "name": channel.name, "position": position.unwrap_or_default(),
                    "permission_overwrites": overwrites.collect::<Vec<_>>(), "parent_id": null, "nsfw": false,
                    "topic": Some(&channel.topic).filter(|own| !own.is_empty()), "rate_limit_per_user": 0,
                    "bitrate": (channel.kind == ChannelKind::Voice).then_some(64_000),
                    "user_limit": (channel.kind == ChannelKind::Voice).then_some(0),
                })
            }
        };
        merge(&mut value, more);
        value
    }

    fn thread_json(&self, thread: &Channel) -> Value {
        let count = thread
            .messages
            .values()
            .filter(|own| own.kind != 21)
            .count();
        json!({
            "guild_id": self.guild.id, "parent_id": thread.parent, "owner_id": thread.owner, "name": thread.name,
            "message_count": count, "total_message_sent": count, "member_count": 1, "rate_limit_per_user": 0,
            "thread_metadata": {
                "archived": thread.archived, "locked": thread.locked, "auto_archive_duration": thread.archive_after,
                "archive_timestamp": stamp(thread.id.made()), "create_timestamp": stamp(thread.id.made()),
            },
        })
    }

    /// A message as the bot gets it: what others wrote only with the Message Content intent, in direct messages, or
    /// where it is mentioned (docs.discord.com/developers/events/gateway, "Message Content Intent").
    pub(in crate::sandbox) fn message_json(&self, message: &Message) -> Value {
        let bot = self.application.bot;
        let channel = self.channel(message.channel);
        let direct = channel.is_some_and(|own| own.kind == ChannelKind::Direct);
        let told = direct
            || message.author == bot
            || message.mentions.contains(&bot)
            || self.application.content_intent;
        let author = self.members.iter().find(|own| own.id == message.author);
        let called = |id: &&Id| self.members.iter().any(|own| own.id == **id);
        let users = message.mentions.iter().filter_map(|id| self.member_of(*id));
        let roles = message.mentions.iter().filter(|id| !called(id));
        let mut value = json!({
            "id": message.id, "channel_id": message.channel, "author": author.map(user), "type": message.kind,
            "content": if told { message.content.as_str() } else { "" }, "timestamp": stamp(message.id.made()),
            "edited_timestamp": message.edited.map(stamp), "tts": false, "mention_everyone": false,
            "mentions": users.map(user).collect::<Vec<_>>(), "mention_roles": roles.collect::<Vec<_>>(),
            "attachments": [], "embeds": if told { message.embeds.as_slice() } else { &[] }, "pinned": false,
            "flags": message.flags, "components": if told { message.components.as_slice() } else { &[] },
        });
        if message.author == bot {
            value["application_id"] = self.application.id.into();
        }
        if let Some(nonce) = &message.nonce {
            value["nonce"] = nonce.clone();
        }
        if let Some(cause) = &message.cause {
            value["interaction_metadata"] = self.cause_json(cause, direct);
            value["webhook_id"] = self.application.id.into();
        }
        if let Some(answers) = message.answers {
            self.reference(&mut value, message, answers);
        }
        if message.flags & flag::HAS_THREAD != 0
            && let Some(thread) = self.channel(message.id)
        {
            value["thread"] = self.channel_json(thread);
        }
        value
    }

    /// A thread's first message refers to one in the channel, an answer to one beside it.
    fn reference(&self, value: &mut Value, message: &Message, answers: Id) {
        let first = message.kind == 21;
        let parent = self.channel(message.channel).and_then(|own| own.parent);
        let channel = parent.filter(|_| first).unwrap_or(message.channel);
        value["message_reference"] =
            json!({ "type": 0, "channel_id": channel, "message_id": answers });
        if self
            .channel(channel)
            .is_some_and(|own| own.kind != ChannelKind::Direct)
        {
            value["message_reference"]["guild_id"] = self.guild.id.into();
        }
        let stands = self
            .message(channel, answers)
            .filter(|own| own.answers.is_none());
        value["referenced_message"] = stands.map_or(Value::Null, |own| self.message_json(own));
    }

    fn cause_json(&self, cause: &Cause, direct: bool) -> Value {
        let by = self.members.iter().find(|own| own.id == cause.member);
        let mut value = json!({
            "id": cause.interaction, "type": cause.kind, "user": by.map(user),
            "authorizing_integration_owners": self.installed_by(direct),
        });
        if let Some(name) = &cause.name {
            value["name"] = name.as_str().into();
        }
        value
    }

    /// Who installed the application, which is there for guilds alone: this one, or "0" in the direct messages with the bot
    /// ("Authorizing Integration Owners Object").
    pub(in crate::sandbox) fn installed_by(&self, direct: bool) -> Value {
        json!({ "0": if direct { Id::default() } else { self.guild.id } })
    }

    /// A message with its guild and its author's membership, as gateway events have it.
    pub(in crate::sandbox) fn message_event(&self, message: &Message) -> Value {
        let mut value = self.message_json(message);
        let direct = self.channel(message.channel);
        if direct.is_some_and(|own| own.kind != ChannelKind::Direct) {
            value["guild_id"] = self.guild.id.into();
            if let Some(author) = self.member_of(message.author) {
                value["member"] = bare_member(author);
            }
        }
        value
    }

    /// The guild by itself.
    pub(in crate::sandbox) fn guild_json(&self) -> Value {
        json!({
            "id": self.guild.id, "name": self.guild.name, "owner_id": self.guild.owner, "roles": self.roles_json(),
            "icon": null, "splash": null, "discovery_splash": null, "banner": null, "description": null,
            "emojis": [], "stickers": [], "features": [], "afk_channel_id": null, "afk_timeout": 300,
            "verification_level": 1, "default_message_notifications": 0, "explicit_content_filter": 0, "mfa_level": 0,
            "application_id": null, "system_channel_id": null, "system_channel_flags": 0, "rules_channel_id": null,
            "max_presences": null, "max_members": 500_000, "vanity_url_code": null, "premium_tier": 0,
            "premium_subscription_count": 0, "preferred_locale": "en-US", "public_updates_channel_id": null,
            "nsfw_level": 0, "nsfw": false, "premium_progress_bar_enabled": false, "safety_alerts_channel_id": null,
            "max_video_channel_users": 25, "max_stage_video_channel_users": 50, "region": "deprecated",
            "widget_enabled": false, "widget_channel_id": null, "home_header": null, "incidents_data": null,
        })
    }

    /// The guild with all that is in it, as the gateway tells of it.
    pub(in crate::sandbox) fn guild_event(&self) -> Value {
        let here: Vec<&Member> = self.members.iter().filter(|own| !own.left).collect();
        let bot = self.member_of(self.application.bot);
        let rooms = self.channels.iter();
        let of = |threads: bool| {
            let these = rooms.clone().filter(|own| {
                let thread = own.kind == ChannelKind::Thread;
                own.kind != ChannelKind::Direct && thread == threads && !own.archived
            });
            these.map(|own| self.channel_json(own)).collect::<Vec<_>>()
        };
        let mut value = self.guild_json();
        merge(
            &mut value,
            json!({
                "joined_at": bot.map(|own| stamp(own.joined)), "large": false, "unavailable": false,
                "member_count": here.len(), "members": here.into_iter().map(member).collect::<Vec<_>>(),
                "channels": of(false), "threads": of(true), "voice_states": [], "presences": [],
                "stage_instances": [], "guild_scheduled_events": [], "soundboard_sounds": [], "activity_instances": [],
            }),
        );
        value
    }

    /// The application (docs.discord.com/developers/resources/application).
    pub(in crate::sandbox) fn application_json(&self, endpoint: Option<&str>, key: &str) -> Value {
        let bot = self
            .members
            .iter()
            .find(|own| own.id == self.application.bot);
        json!({
            "id": self.application.id, "name": self.application.name, "icon": null, "description": "", "summary": "",
            "bot": bot.map(user), "bot_public": self.application.public, "bot_require_code_grant": false, "verify_key": key,
            "flags": self.application_flags(), "interactions_endpoint_url": endpoint, "redirect_uris": [],
            "role_connections_verification_url": null, "approximate_guild_count": 1, "rpc_origins": [],
            "hook": true, "integration_types_config": { "0": {} }, "team": null, "owner": null, "tags": [],
            "type": null, "is_monetized": false, "event_webhooks_status": 1,
        })
    }

    /// "Application Flags": the two intents for applications in fewer than a hundred guilds.
    pub(in crate::sandbox) fn application_flags(&self) -> u64 {
        let members = u64::from(self.application.members_intent) << 15;
        members | (u64::from(self.application.content_intent) << 19)
    }
}

/// Puts members beside others; null members are left out.
pub(in crate::sandbox) fn merge(value: &mut Value, more: Value) {
    let none = Map::new();
    let more = match more {
        Value::Object(more) => more,
        _ => none,
    };
    if let Some(value) = value.as_object_mut() {
        value.extend(more);
    }
}
