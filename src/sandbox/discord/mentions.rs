//! Whom a message calls (docs.discord.com/developers/resources/message, "Allowed Mentions Object"). A mention of anybody
//! else is shown all the same, and notifies nobody.

use serde_json::Value;

use super::{id::Id, permission as may, state::Discord};

impl Discord {
    /// The users (`<@id>`) and roles (`<@&id>`) that a text calls: those that its body allows, of the roles those that the
    /// author may mention in that channel.
    pub(in crate::sandbox) fn called(
        &self,
        content: &str,
        body: &Value,
        (author, channel): (Id, Id),
    ) -> Vec<Id> {
        // People have no such list.
        let by_bot = author == self.application.bot;
        let allowed = body.get("allowed_mentions").filter(|_| by_bot);
        let any_role = self.may_call_any_role(author, channel);
        let mut found = Vec::new();
        for part in content.split("<@").skip(1) {
            let Some((inside, _)) = part.split_once('>') else {
                continue;
            };
            let (list, digits) = match inside.strip_prefix('&') {
                Some(role) => ("roles", role),
                None => ("users", inside.trim_start_matches('!')),
            };
            let id = digits.parse::<Id>().ok().filter(|id| {
                let right = list == "users" || self.callable(*id, any_role);
                right && allowed.is_none_or(|own| names(own, list, digits))
            });
            found.extend(id.filter(|id| !found.contains(id)));
        }
        found
    }

    /// "Mention @everyone, @here, and All Roles".
    fn may_call_any_role(&self, author: Id, channel: Id) -> bool {
        let place = self.member_of(author).zip(self.channel(channel));
        place.is_some_and(|(author, channel)| {
            self.permissions_in(author, channel) & may::MENTION_EVERYONE != 0
        })
    }

    /// Whether there is such a role, and it may be called.
    fn callable(&self, role: Id, any: bool) -> bool {
        let role = self.roles.iter().find(|own| own.id == role);
        role.is_some_and(|own| any || own.mentionable)
    }
}

/// Whether a list of allowed mentions has all of a kind in it, or this one.
fn names(allowed: &Value, kind: &str, id: &str) -> bool {
    let has = |list: &str, one: &str| {
        let all = allowed.get(list).and_then(Value::as_array);
        all.is_some_and(|all| all.iter().any(|own| own == one))
    };
    has("parse", kind) || has(kind, id)
}
