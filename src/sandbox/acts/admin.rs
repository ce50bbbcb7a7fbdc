//! What administrators and colleagues do behind the app's back: archive, remove, delete, rename, deactivate, revoke.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{ActError, Told};
use crate::sandbox::world::{
    Change, Channel, ChannelKind, Inner, Person, PersonKind, World, long_id,
};

/// Someone who joins the workspace, or is seen in a shared channel.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewPerson {
    /// The name in mentions.
    pub handle: String,
    /// Shown name.
    pub name: String,
    /// Member, guest or outsider.
    pub kind: PersonKind,
}

impl World {
    /// Makes a channel read-only, or takes that back.
    ///
    /// # Errors
    /// When there is no such channel.
    pub fn archive(self: &Arc<Self>, channel: &str, archived: bool) -> Result<(), ActError> {
        let id = self.change_channel(channel, |channel| channel.archived = archived)?;
        let kind = if archived {
            "channel_archive"
        } else {
            "channel_unarchive"
        };
        self.emit(
            kind,
            None,
            json!({ "type": kind, "channel": id, "user": self.admin() }),
        );
        Ok(())
    }

    /// Takes someone, or the bot (`idp`), out of a channel.
    ///
    /// # Errors
    /// When there is no such channel or account.
    pub fn kick(self: &Arc<Self>, channel: &str, who: &str) -> Result<(), ActError> {
        let user = self.with(|inner| inner.account(who))?;
        let id = self.change_channel(channel, |channel| {
            channel.members.retain(|own| *own != user);
        })?;
        let event = json!({ "type": "member_left_channel", "user": user, "channel": id, "channel_type": "C", "team": self.team().id });
        self.emit("member_left_channel", None, event);
        Ok(())
    }

    /// Brings someone, or the bot (`idp`), into a channel.
    ///
    /// # Errors
    /// When there is no such channel or account.
    pub fn invite(self: &Arc<Self>, channel: &str, who: &str) -> Result<(), ActError> {
        let user = self.with(|inner| inner.account(who))?;
        let id = self.change_channel(channel, |channel| {
            if !channel.has(&user) {
                channel.members.push(user.clone());
            }
        })?;
        let event = json!({ "type": "member_joined_channel", "user": user, "channel": id, "channel_type": "C", "team": self.team().id });
        self.emit("member_joined_channel", None, event);
        Ok(())
    }

    /// Makes a channel with these members, named by handle.
    ///
    /// # Errors
    /// When a member is unknown.
    pub fn new_channel(
        &self,
        name: &str,
        kind: ChannelKind,
        shared: bool,
        members: &[String],
    ) -> Result<String, ActError> {
        self.with(|inner| {
            let members = members
                .iter()
                .map(|who| inner.account(who))
                .collect::<Result<_, _>>()?;
            let id = long_id('C');
            inner.workspace.channels.push(Channel {
                id: id.clone(),
                name: name.trim_start_matches('#').to_owned(),
                kind,
                topic: String::new(),
                members,
                archived: false,
                shared,
                messages: std::collections::BTreeMap::new(),
            });
            inner.changed(Change::Workspace);
            Ok(id)
        })
    }

    /// Someone joins; an outsider belongs to another team.
    pub fn join(&self, new: NewPerson) -> String {
        self.with(|inner| {
            let id = long_id('U');
            let outside = new.kind == PersonKind::Outsider;
            let team_id = if outside {
                long_id('T')
            } else {
                inner.workspace.team.id.clone()
            };
            let title = String::new();
            let NewPerson { handle, name, kind } = new;
            let person = Person {
                id: id.clone(),
                team_id,
                handle,
                name,
                title,
                kind,
                deactivated: false,
            };
            inner.workspace.people.push(person);
            inner.changed(Change::Workspace);
            id
        })
    }

    /// Deletes any message, as an administrator may.
    ///
    /// # Errors
    /// When there is none.
    pub fn delete_message(self: &Arc<Self>, channel: &str, ts: &str) -> Result<(), ActError> {
        let gone = self.with(|inner| {
            let id = inner
                .channel_named(channel)
                .ok_or(ActError::NoChannel)?
                .id
                .clone();
            inner.delete(&id, ts).ok_or(ActError::NoMessage)
        })?;
        let channel = gone.channel.clone();
        self.tell(&Told::Deleted(Box::new(gone)), &channel, ts);
        Ok(())
    }

    /// Switches an account off or on; one that is off loses its memberships in groups, as on Slack.
    ///
    /// # Errors
    /// When there is no such person.
    pub fn deactivate(self: &Arc<Self>, person: &str, deactivated: bool) -> Result<(), ActError> {
        let user = self.with(|inner| {
            let person = inner.person_mut(person).ok_or(ActError::NoPerson)?;
            person.deactivated = deactivated;
            let person = person.clone();
            if deactivated {
                for group in &mut inner.workspace.groups {
                    group.members.retain(|own| *own != person.id);
                }
                inner.clear_views(&person.id);
            }
            inner.changed(Change::Workspace);
            Ok(Inner::user(&person))
        })?;
        self.emit(
            "user_change",
            None,
            json!({ "type": "user_change", "user": user }),
        );
        Ok(())
    }

    /// Puts someone into a user group or takes them out.
    ///
    /// # Errors
    /// When there is no such group or person.
    pub fn group_member(
        self: &Arc<Self>,
        group: &str,
        person: &str,
        member: bool,
    ) -> Result<(), ActError> {
        let id = self.with(|inner| {
            let user = inner.person(person).ok_or(ActError::NoPerson)?.id.clone();
            let group = inner.group_mut(group).ok_or(ActError::NoGroup)?;
            group.members.retain(|own| *own != user);
            if member {
                group.members.push(user);
            }
            let id = group.id.clone();
            inner.changed(Change::Workspace);
            Ok(id)
        })?;
        let event = json!({ "type": "subteam_members_changed", "subteam_id": id, "team_id": self.team().id });
        self.emit("subteam_members_changed", None, event);
        Ok(())
    }

    /// Gives a user group another handle.
    ///
    /// # Errors
    /// When there is no such group.
    pub fn rename_group(self: &Arc<Self>, group: &str, handle: &str) -> Result<(), ActError> {
        let group = self.with(|inner| {
            let group = inner.group_mut(group).ok_or(ActError::NoGroup)?;
            handle.trim_start_matches('@').clone_into(&mut group.handle);
            let group = group.clone();
            inner.changed(Change::Workspace);
            Ok(inner.usergroup(&group, false))
        })?;
        self.emit(
            "subteam_updated",
            None,
            json!({ "type": "subteam_updated", "subteam": group }),
        );
        Ok(())
    }

    /// Revokes the bot token, or gives it back.
    pub fn revoke_token(self: &Arc<Self>, revoked: bool) {
        let bot = self.with(|inner| {
            inner.workspace.app.revoked = revoked;
            inner.changed(Change::Workspace);
            inner.workspace.app.user_id.clone()
        });
        if revoked {
            let event =
                json!({ "type": "tokens_revoked", "tokens": { "oauth": [], "bot": [bot] } });
            self.emit("tokens_revoked", None, event);
        }
    }

    fn change_channel(
        &self,
        channel: &str,
        change: impl FnOnce(&mut Channel),
    ) -> Result<String, ActError> {
        self.with(|inner| {
            let id = inner
                .channel_named(channel)
                .ok_or(ActError::NoChannel)?
                .id
                .clone();
            change(inner.channel_mut(&id).ok_or(ActError::NoChannel)?);
            inner.changed(Change::Workspace);
            Ok(id)
        })
    }

    fn admin(&self) -> String {
        self.people()
            .first()
            .map(|person| person.id.clone())
            .unwrap_or_default()
    }
}

impl Inner {
    /// The id of a person, or of the bot by its name.
    fn account(&self, who: &str) -> Result<String, ActError> {
        let app = &self.workspace.app;
        if who.trim_start_matches('@') == app.name || who == app.user_id {
            return Ok(app.user_id.clone());
        }
        self.person(who)
            .map(|person| person.id.clone())
            .ok_or(ActError::NoPerson)
    }
}
