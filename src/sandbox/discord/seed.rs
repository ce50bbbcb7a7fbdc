//! The server as it stands before anything happened: the company of the Slack workspace, with roles in place of its
//! groups, and one colleague who is on Discord alone.

use chrono::{DateTime, Utc};

use super::{
    id::Id,
    permission as may,
    state::{Application, Channel, ChannelKind, Discord, Guild, Member, Overwrite, Role},
};

const GUILD: Id = Id(1_312_000_000_000_000_001);
const APPLICATION: Id = Id(1_312_000_000_000_000_401);
const BOT: Id = Id(1_312_000_000_000_000_402);
const BOT_ROLE: Id = Id(1_312_000_000_000_000_610);

/// (id, name, colour)
const ROLES: [(Id, &str, u32); 7] = [
    (Id(1_312_000_000_000_000_601), "Engineers", 0x0094_9ba4),
    (Id(1_312_000_000_000_000_602), "Payments", 0x0034_98db),
    (Id(1_312_000_000_000_000_603), "Payments Leads", 0x001f_8b4c),
    (Id(1_312_000_000_000_000_604), "Core", 0x00e9_1e63),
    (Id(1_312_000_000_000_000_605), "Core Leads", 0x00c2_7c0e),
    (Id(1_312_000_000_000_000_606), "Platform", 0x0071_368a),
    (Id(1_312_000_000_000_000_607), "Security", 0x00e7_4c3c),
];

/// (id, username, display name, what they do, roles); the first one is who the page opens as.
const PEOPLE: [(Id, &str, &str, &str, &[&str]); 7] = [
    (
        Id(1_312_000_000_000_000_201),
        "priya",
        "Priya Nair",
        "Developer, payments",
        &["Engineers", "Payments"],
    ),
    (
        Id(1_312_000_000_000_000_202),
        "alex",
        "Alex Ruiz",
        "Lead, payments",
        &["Engineers", "Payments", "Payments Leads"],
    ),
    (
        Id(1_312_000_000_000_000_203),
        "sam",
        "Sam Ito",
        "Lead, payments",
        &["Engineers", "Payments", "Payments Leads"],
    ),
    (
        Id(1_312_000_000_000_000_204),
        "dana",
        "Dana Okafor",
        "Platform engineer",
        &["Engineers", "Core Leads", "Platform"],
    ),
    (
        Id(1_312_000_000_000_000_205),
        "mira",
        "Mira Chen",
        "Security engineer",
        &["Engineers", "Security"],
    ),
    (
        Id(1_312_000_000_000_000_206),
        "tom",
        "Tom Berg",
        "Developer, core",
        &["Engineers", "Core"],
    ),
    (
        Id(1_312_000_000_000_000_207),
        "kai",
        "Kai Lund",
        "Developer, payments; on Discord only",
        &["Engineers", "Payments"],
    ),
];

/// (id, kind, name, topic, role that alone sees it, whether the bot sees it)
const CHANNELS: [(Id, ChannelKind, &str, &str, Option<&str>); 5] = [
    (
        Id(1_312_000_000_000_000_501),
        ChannelKind::Text,
        "platform",
        "Ask the platform: /idp run",
        None,
    ),
    (
        Id(1_312_000_000_000_000_502),
        ChannelKind::Text,
        "payments",
        "Team payments",
        None,
    ),
    (
        Id(1_312_000_000_000_000_503),
        ChannelKind::Text,
        "random",
        "Everything else",
        None,
    ),
    (
        Id(1_312_000_000_000_000_504),
        ChannelKind::Text,
        "security-ops",
        "Incidents and reviews",
        Some("Security"),
    ),
    (
        Id(1_312_000_000_000_000_505),
        ChannelKind::Voice,
        "stand-up",
        "",
        None,
    ),
];

/// What everybody may.
const EVERYBODY: u64 = may::VIEW_CHANNEL
    | may::SEND_MESSAGES
    | may::READ_HISTORY
    | may::EMBED_LINKS
    | may::ADD_REACTIONS
    | may::USE_COMMANDS
    | may::SEND_IN_THREADS;
/// What the application's install link asks for, as docs/discord.md says. No role of this server may be mentioned by
/// everybody, as roles are made; so it takes "Mention @everyone, @here, and All Roles" that a card which waits for a role
/// notifies its members.
const BOTS: u64 = may::VIEW_CHANNEL
    | may::SEND_MESSAGES
    | may::CREATE_THREADS
    | may::SEND_IN_THREADS
    | may::READ_HISTORY
    | may::MENTION_EVERYONE;

/// The seeded server.
pub(in crate::sandbox) fn discord() -> Discord {
    let mut roles = vec![role(GUILD, "@everyone", 0, EVERYBODY)];
    roles.extend(
        ROLES
            .iter()
            .map(|(id, name, color)| role(*id, name, *color, 0)),
    );
    roles.push(Role {
        managed: true,
        ..role(BOT_ROLE, "idp", 0, BOTS)
    });
    let mut members: Vec<Member> = PEOPLE
        .iter()
        .map(|(id, handle, name, title, roles)| Member {
            title: (*title).to_owned(),
            roles: ids(roles),
            ..member(*id, handle, name)
        })
        .collect();
    members.push(Member {
        bot: true,
        roles: vec![BOT_ROLE],
        ..member(BOT, "idp", "idp")
    });
    Discord {
        guild: Guild {
            id: GUILD,
            name: "Acme".to_owned(),
            owner: PEOPLE[3].0,
        },
        application: Application {
            id: APPLICATION,
            name: "idp".to_owned(),
            bot: BOT,
            members_intent: true,
            content_intent: false,
            revoked: false,
            public: true,
        },
        roles,
        members,
        channels: CHANNELS.iter().map(channel).collect(),
        commands: Vec::new(),
        last: Id(1_312_000_000_000_001_000),
    }
}

fn role(id: Id, name: &str, color: u32, permissions: u64) -> Role {
    Role {
        id,
        name: name.to_owned(),
        color,
        permissions,
        managed: false,
        mentionable: false,
    }
}

/// Somebody without roles.
pub(in crate::sandbox) fn member(id: Id, handle: &str, name: &str) -> Member {
    Member {
        id,
        handle: handle.to_owned(),
        name: name.to_owned(),
        title: String::new(),
        bot: false,
        roles: Vec::new(),
        joined: DateTime::<Utc>::from_timestamp(1_767_225_600, 0).unwrap_or_default(),
        pending: false,
        closed: false,
        left: false,
    }
}

fn channel((id, kind, name, topic, only): &(Id, ChannelKind, &str, &str, Option<&str>)) -> Channel {
    let overwrite = |id, allow, deny| Overwrite {
        id,
        member: false,
        allow,
        deny,
    };
    let mut overwrites = Vec::new();
    if let Some(role) = only {
        overwrites.push(overwrite(GUILD, 0, may::VIEW_CHANNEL));
        let those = ids(&[role]).into_iter();
        overwrites.extend(those.map(|id| overwrite(id, may::VIEW_CHANNEL, 0)));
    }
    Channel {
        topic: (*topic).to_owned(),
        overwrites,
        ..Channel::new(*id, *kind, name)
    }
}

fn ids(names: &[&str]) -> Vec<Id> {
    let named = |name: &&str| ROLES.iter().find(|(_, own, _)| own == name);
    names.iter().filter_map(named).map(|row| row.0).collect()
}
