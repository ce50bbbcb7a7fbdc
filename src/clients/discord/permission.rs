//! What a member may in a channel (docs.discord.com/developers/topics/permissions, "Permission Overwrites"): roles first,
//! then what the channel says of everybody, of roles, of the member.

use super::people::{Channel, Role};

/// Permission bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permissions(u64);

const ADMINISTRATOR: u64 = 1 << 3;
const VIEW_CHANNEL: u64 = 1 << 10;
const MENTION_EVERYONE: u64 = 1 << 17;

/// A permission, by its name in Discord's settings.
type Named = (u64, &'static str);

/// What a card takes.
const POSTING: [Named; 2] = [(VIEW_CHANNEL, "View Channels"), (1 << 11, "Send Messages")];

/// What its thread takes besides.
const THREADS: [Named; 3] = [
    (1 << 35, "Create Public Threads"),
    (1 << 38, "Send Messages in Threads"),
    (1 << 16, "Read Message History"),
];

impl Permissions {
    /// What a member with these roles may in the guild, where no channel says otherwise.
    pub fn in_guild(theirs: &[String], (everybody, roles): (&str, &[Role])) -> Self {
        let bits = roles
            .iter()
            .filter(|role| has(theirs, everybody, &role.id))
            .fold(0, |bits, role| bits | role.permissions);
        if bits & ADMINISTRATOR != 0 {
            return Self(u64::MAX);
        }
        Self(bits)
    }

    /// What a member with these roles may in a channel of the guild.
    pub fn of(account: &str, theirs: &[String], guild: (&str, &[Role]), channel: &Channel) -> Self {
        let Self(base) = Self::in_guild(theirs, guild);
        if base & ADMINISTRATOR != 0 {
            return Self(base);
        }
        let (everybody, _) = guild;
        let has = |role: &str| has(theirs, everybody, role);
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

    /// Whether a card can be posted. Where its thread can't be opened or written in, replies stand in the channel.
    pub fn posts(self) -> bool {
        self.lacks().next().is_none()
    }

    /// What is missing for that, by its names in Discord's settings.
    pub fn lacks(self) -> impl Iterator<Item = &'static str> {
        self.lacking(&POSTING)
    }

    /// What is missing for the card's thread besides.
    pub fn lacks_for_threads(self) -> impl Iterator<Item = &'static str> {
        self.lacking(&THREADS)
    }

    fn lacking(self, of: &'static [Named]) -> impl Iterator<Item = &'static str> {
        let lacking = of.iter().filter(move |(bit, _)| self.0 & bit == 0);
        lacking.map(|&(_, name)| name)
    }

    /// Whether a mention notifies roles that not everybody may mention, too (docs.discord.com/developers/resources/message,
    /// "Allowed Mentions Object").
    pub const fn calls_all_roles(self) -> bool {
        self.0 & MENTION_EVERYONE != 0
    }
}

/// Whether a member with these roles has one: everybody has the guild's own.
fn has(theirs: &[String], everybody: &str, role: &str) -> bool {
    role == everybody || theirs.iter().any(|r| r == role)
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
            mentionable: false,
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

    #[test]
    fn what_a_card_lacks_is_named_as_discord_names_it() {
        let roles = [role("1", VIEW_CHANNEL | (1 << 11)), role("2", 1 << 35)];
        let silent = channel(&[("1", 0, 1 << 11)]);
        let may = Permissions::of("5", &["2".to_owned()], ("1", &roles), &silent);
        let lacks: Vec<&str> = may.lacks().collect();
        assert_eq!(lacks, ["Send Messages"]);
        assert!(!may.posts());
        let lacks: Vec<&str> = may.lacks_for_threads().collect();
        assert_eq!(lacks, ["Send Messages in Threads", "Read Message History"]);
        let open = Permissions::of("5", &["2".to_owned()], ("1", &roles), &channel(&[]));
        assert!(open.posts(), "a card needs no thread");
    }

    #[test]
    fn roles_are_called_by_whoever_may_call_everybody() {
        let roles = [
            role("1", VIEW_CHANNEL),
            role("2", MENTION_EVERYONE),
            role("3", ADMINISTRATOR),
        ];
        let calls = |theirs: &[&str]| {
            let theirs: Vec<String> = theirs.iter().map(|&r| r.to_owned()).collect();
            Permissions::in_guild(&theirs, ("1", &roles)).calls_all_roles()
        };
        assert_eq!(
            [calls(&[]), calls(&["2"]), calls(&["3"])],
            [false, true, true]
        );
    }
}
