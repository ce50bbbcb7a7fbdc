//! What a member may in a channel (docs.discord.com/developers/topics/permissions, "Permission Overwrites"): roles first,
//! then what the channel says of everybody, of roles, of the member.

use super::people::{Channel, Role};

/// Permission bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permissions(u64);

const ADMINISTRATOR: u64 = 1 << 3;
const VIEW_CHANNEL: u64 = 1 << 10;
const SEND_MESSAGES: u64 = 1 << 11;
const CREATE_PUBLIC_THREADS: u64 = 1 << 35;
const SEND_IN_THREADS: u64 = 1 << 38;

impl Permissions {
    /// What a member with these roles may in a channel of the guild.
    pub fn of(account: &str, theirs: &[String], guild: (&str, &[Role]), channel: &Channel) -> Self {
        let (everybody, roles) = guild;
        let has = |role: &str| role == everybody || theirs.iter().any(|r| r == role);
        let base = roles
            .iter()
            .filter(|role| has(&role.id))
            .fold(0, |bits, role| bits | role.permissions);
        if base & ADMINISTRATOR != 0 {
            return Self(u64::MAX);
        }
        let of = |whose: &dyn Fn(&str) -> bool| {
            let these = channel.overwrites.iter().filter(|o| whose(&o.whose));
            these.fold((0, 0), |(allow, deny), o| (allow | o.allow, deny | o.deny))
        };
        let steps = [
            of(&|whose| whose == everybody),
            of(&|whose| whose != everybody && has(whose)),
            of(&|whose| whose == account),
        ];
        Self(
            steps
                .into_iter()
                .fold(base, |bits, (allow, deny)| (bits & !deny) | allow),
        )
    }

    /// Whether the channel can be seen.
    pub const fn sees(self) -> bool {
        self.0 & VIEW_CHANNEL != 0
    }

    /// Whether a card and its thread can be posted.
    pub const fn posts(self) -> bool {
        let needed = VIEW_CHANNEL | SEND_MESSAGES | CREATE_PUBLIC_THREADS | SEND_IN_THREADS;
        self.0 & needed == needed
    }
}

#[cfg(test)]
mod tests {
    use super::super::people::Overwrite;
    use super::*;

    fn role(id: &str, permissions: u64) -> Role {
        Role {
            id: id.into(),
            name: id.into(),
            permissions,
            managed: false,
        }
    }

    fn channel(overwrites: &[(&str, u64, u64)]) -> Channel {
        let overwrite = |&(whose, allow, deny): &(&str, u64, u64)| Overwrite {
            whose: whose.into(),
            allow,
            deny,
        };
        Channel {
            id: "9".into(),
            name: "platform".into(),
            kind: 0,
            overwrites: overwrites.iter().map(overwrite).collect(),
        }
    }

    #[test]
    fn a_channel_closed_to_everybody_is_open_to_whom_it_names() {
        let roles = [
            role("1", VIEW_CHANNEL),
            role("2", 0),
            role("3", ADMINISTRATOR),
        ];
        let closed = channel(&[
            ("1", 0, VIEW_CHANNEL),
            ("2", VIEW_CHANNEL, 0),
            ("77", VIEW_CHANNEL, 0),
        ]);
        let sees = |account: &str, theirs: &[&str]| {
            let theirs: Vec<String> = theirs.iter().map(|&r| r.to_owned()).collect();
            Permissions::of(account, &theirs, ("1", &roles), &closed).sees()
        };
        assert!(!sees("5", &[]));
        assert!(sees("5", &["2"]), "by a role");
        assert!(sees("77", &[]), "by name");
        assert!(sees("5", &["3"]), "administrators see everything");
        assert!(Permissions::of("5", &[], ("1", &roles), &channel(&[])).sees());
    }
}
