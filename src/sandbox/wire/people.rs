//! People, groups and channels as the Web API shows them.

use serde_json::{Value, json};

use crate::sandbox::world::{Channel, ChannelKind, Group, Inner, Person, PersonKind};

impl Inner {
    /// The user object of a person.
    pub(in crate::sandbox) fn user(person: &Person) -> Value {
        let (first, last) = person.name.split_once(' ').unwrap_or((&person.name, ""));
        json!({
            "id": person.id,
            "team_id": person.team_id,
            "name": person.handle,
            "deleted": person.deactivated,
            "color": "9f69e7",
            "real_name": person.name,
            "tz": "Europe/Berlin",
            "tz_label": "Central European Time",
            "tz_offset": 3600,
            "profile": {
                "title": person.title,
                "phone": "",
                "skype": "",
                "real_name": person.name,
                "real_name_normalized": person.name,
                "display_name": person.handle,
                "display_name_normalized": person.handle,
                "first_name": first,
                "last_name": last,
                "status_text": "",
                "status_emoji": "",
                "avatar_hash": "g0000000000",
                "team": person.team_id,
            },
            "is_admin": false,
            "is_owner": false,
            "is_primary_owner": false,
            "is_restricted": person.kind == PersonKind::Guest,
            "is_ultra_restricted": false,
            "is_stranger": person.kind == PersonKind::Outsider,
            "is_bot": false,
            "is_app_user": false,
            "updated": 1_700_000_000,
        })
    }

    /// The user object of the bot.
    pub(in crate::sandbox) fn bot_user(&self) -> Value {
        let workspace = &self.workspace;
        let app = &workspace.app;
        json!({
            "id": app.user_id,
            "team_id": workspace.team.id,
            "name": app.name,
            "deleted": false,
            "real_name": app.name,
            "profile": {
                "real_name": app.name,
                "display_name": "",
                "bot_id": app.bot_id,
                "api_app_id": app.id,
                "always_active": true,
                "team": workspace.team.id,
            },
            "is_admin": false,
            "is_owner": false,
            "is_primary_owner": false,
            "is_restricted": false,
            "is_ultra_restricted": false,
            "is_bot": true,
            "is_app_user": false,
            "updated": 1_700_000_000,
        })
    }

    /// The same as the organisation tells it, where the app is installed for all of it.
    pub(in crate::sandbox) fn colleague(&self, person: &Person) -> Value {
        let mut user = Self::user(person);
        if let Some(organisation) = self.organisation()
            && person.team_id == self.workspace.team.id
        {
            user["enterprise_user"] = json!({
                "id": person.id,
                "enterprise_id": organisation,
                "enterprise_name": self.workspace.team.name,
                "is_admin": false,
                "is_owner": false,
                "teams": [person.team_id],
            });
        }
        user
    }

    /// A user group, with its members' ids if asked for.
    pub(in crate::sandbox) fn usergroup(&self, group: &Group, with_users: bool) -> Value {
        let mut shown = json!({
            "id": group.id,
            "team_id": self.workspace.team.id,
            "is_usergroup": true,
            "is_subteam": true,
            "name": group.name,
            "description": "",
            "handle": group.handle,
            "is_external": false,
            "date_create": 1_700_000_000,
            "date_update": 1_700_000_000,
            "date_delete": u32::from(group.disabled) * 1_700_000_000,
            "auto_type": null,
            "auto_provision": false,
            "created_by": "USLACKBOT",
            "updated_by": "USLACKBOT",
            "deleted_by": null,
            "prefs": { "channels": [], "groups": [] },
            "user_count": group.members.len(),
        });
        if with_users {
            shown["users"] = json!(group.members);
        }
        shown
    }

    /// A channel as the bot sees it.
    pub(in crate::sandbox) fn conversation(&self, channel: &Channel) -> Value {
        let bot = &self.workspace.app.user_id;
        if channel.kind == ChannelKind::Direct {
            let other = channel.members.iter().find(|member| *member != bot);
            return json!({
                "id": channel.id,
                "created": 1_700_000_000,
                "is_im": true,
                "is_archived": channel.archived,
                "is_org_shared": false,
                "user": other,
                "is_user_deleted": other
                    .and_then(|other| self.person(other))
                    .is_some_and(|person| person.deactivated),
                "priority": 0,
            });
        }
        let private = channel.kind == ChannelKind::Private;
        json!({
            "id": channel.id,
            "name": channel.name,
            "name_normalized": channel.name,
            "is_channel": !private,
            "is_group": private,
            "is_im": false,
            "is_mpim": false,
            "is_private": private,
            "created": 1_700_000_000,
            "creator": "USLACKBOT",
            "is_archived": channel.archived,
            "is_general": false,
            "is_shared": channel.shared,
            "is_ext_shared": channel.shared,
            "is_org_shared": false,
            "is_pending_ext_shared": false,
            "is_member": channel.has(bot),
            "num_members": channel.members.len(),
            "topic": { "value": channel.topic, "creator": "", "last_set": 0 },
            "purpose": { "value": "", "creator": "", "last_set": 0 },
            "previous_names": [],
            "context_team_id": self.workspace.team.id,
        })
    }
}
