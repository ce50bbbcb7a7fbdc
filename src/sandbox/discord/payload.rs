//! The payload of an interaction ("Interaction Object").

use serde_json::{Value, json};

use super::{
    deliver::Act,
    id::Id,
    state::ChannelKind,
    wire::{self, merge},
};
use crate::sandbox::world::Inner;

impl Inner {
    /// What goes out.
    pub(in crate::sandbox) fn payload(&self, act: &Act, id: Id, token: &str) -> Value {
        let discord = &self.discord;
        let mut payload = json!({
            "id": id, "application_id": discord.application.id, "type": act.kind.number(), "token": token, "version": 1,
            "channel_id": act.channel, "data": act.data, "locale": "en-GB", "entitlements": [],
            "attachment_size_limit": 10_485_760,
        });
        if let Some(channel) = discord.channel(act.channel) {
            payload["channel"] = discord.channel_json(channel);
            payload["app_permissions"] = discord.bots_permissions(channel).to_string().into();
            let direct = channel.kind == ChannelKind::Direct;
            payload["context"] = u8::from(direct).into();
            payload["authorizing_integration_owners"] = discord.installed_by(direct);
            merge(&mut payload, self.who(act, direct));
        }
        if let Some(message) = act.message.and_then(|id| discord.message(act.channel, id)) {
            payload["message"] = discord.message_json(message);
        }
        payload
    }

    /// In a guild the member, in direct messages the user alone.
    fn who(&self, act: &Act, direct: bool) -> Value {
        let discord = &self.discord;
        let Some(member) = discord.member_of(act.member) else {
            return json!({});
        };
        if direct {
            return json!({ "user": wire::user(member) });
        }
        let may = discord
            .channel(act.channel)
            .map_or(0, |channel| discord.permissions_in(member, channel));
        let mut value = wire::member(member);
        value["permissions"] = may.to_string().into();
        json!({
            "member": value, "guild_id": discord.guild.id, "guild_locale": "en-US",
            "guild": { "id": discord.guild.id, "locale": "en-US", "features": [] },
        })
    }
}
