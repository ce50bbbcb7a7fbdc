//! The workspace as it stands before anything happened: a small company with a platform team.

use std::collections::BTreeMap;

use super::state::{App, Channel, ChannelKind, Group, Person, PersonKind, Team, Workspace};

const TEAM: &str = "T07QX4ZK2P1";
/// The bot's user.
const BOT: &str = "U07IDPB0T01";

/// (id, handle, name, title, kind); the first one is who the page opens as.
const PEOPLE: [(&str, &str, &str, &str, PersonKind); 7] = [
    (
        "U07PRIYA001",
        "priya",
        "Priya Nair",
        "Developer, payments",
        PersonKind::Member,
    ),
    (
        "U07ALEXR002",
        "alex",
        "Alex Ruiz",
        "Lead, payments",
        PersonKind::Member,
    ),
    (
        "U07SAMIT003",
        "sam",
        "Sam Ito",
        "Lead, payments",
        PersonKind::Member,
    ),
    (
        "U07DANAO004",
        "dana",
        "Dana Okafor",
        "Platform engineer",
        PersonKind::Member,
    ),
    (
        "U07MIRAC005",
        "mira",
        "Mira Chen",
        "Security engineer",
        PersonKind::Member,
    ),
    (
        "U07TOMBE006",
        "tom",
        "Tom Berg",
        "Developer, core",
        PersonKind::Member,
    ),
    (
        "U07GILRE007",
        "gil",
        "Gil Reyes",
        "Contractor",
        PersonKind::Guest,
    ),
];

/// (id, handle, name, members by handle)
const GROUPS: [(&str, &str, &str, &[&str]); 7] = [
    (
        "S07ENGINE01",
        "engineers",
        "Engineers",
        &["priya", "alex", "sam", "dana", "mira", "tom"],
    ),
    (
        "S07PAYMEN02",
        "payments",
        "Team payments",
        &["priya", "alex", "sam"],
    ),
    (
        "S07PAYLEA03",
        "payments-leads",
        "Leads of payments",
        &["alex", "sam"],
    ),
    ("S07CORETE04", "core", "Team core", &["tom"]),
    ("S07CORELE05", "core-leads", "Leads of core", &["dana"]),
    ("S07PLATFO06", "platform", "Platform team", &["dana"]),
    ("S07SECURI07", "security", "Security", &["mira"]),
];

/// Id, name, kind, topic, members by handle, with the bot.
type ChannelRow = (
    &'static str,
    &'static str,
    ChannelKind,
    &'static str,
    &'static [&'static str],
    bool,
);

const CHANNELS: [ChannelRow; 4] = [
    (
        "C07PLATFO01",
        "platform",
        ChannelKind::Public,
        "Ask the platform: /idp",
        &["priya", "alex", "sam", "dana", "mira", "tom", "gil"],
        true,
    ),
    (
        "C07PAYMEN02",
        "payments",
        ChannelKind::Public,
        "Team payments",
        &["priya", "alex", "sam"],
        true,
    ),
    (
        "C07RANDOM03",
        "random",
        ChannelKind::Public,
        "Everything else",
        &["priya", "alex", "sam", "dana", "mira", "tom", "gil"],
        false,
    ),
    (
        "C07SECOPS04",
        "security-ops",
        ChannelKind::Private,
        "Incidents and reviews",
        &["mira", "dana"],
        false,
    ),
];

/// The seeded workspace.
pub(super) fn workspace() -> Workspace {
    let people: Vec<Person> = PEOPLE.iter().map(person).collect();
    let mut channels: Vec<Channel> = CHANNELS
        .iter()
        .map(|(id, name, kind, topic, members, bot)| {
            let mut members = ids(members);
            if *bot {
                members.push(BOT.to_owned());
            }
            Channel {
                topic: (*topic).to_owned(),
                ..channel(id, name, *kind, members)
            }
        })
        .collect();
    channels.extend(people.iter().map(|person| {
        let id = format!("D{}", &person.id[1..]);
        channel(
            &id,
            "",
            ChannelKind::Direct,
            vec![person.id.clone(), BOT.to_owned()],
        )
    }));
    channels.push(channel(
        "D07PRIYALEX",
        "",
        ChannelKind::Direct,
        ids(&["priya", "alex"]),
    ));
    Workspace {
        team: Team {
            id: TEAM.into(),
            name: "Acme".into(),
            domain: "acme".into(),
        },
        app: App {
            id: "A07IDPAPP01".into(),
            bot_id: "B07IDPB0T01".into(),
            user_id: BOT.into(),
            name: "idp".into(),
            revoked: false,
        },
        people,
        groups: GROUPS.iter().map(group).collect(),
        channels,
        last_ts: (0, 0),
    }
}

fn person((id, handle, name, title, kind): &(&str, &str, &str, &str, PersonKind)) -> Person {
    Person {
        id: (*id).to_owned(),
        team_id: TEAM.to_owned(),
        handle: (*handle).to_owned(),
        name: (*name).to_owned(),
        title: (*title).to_owned(),
        kind: *kind,
        deactivated: false,
    }
}

fn group((id, handle, name, members): &(&str, &str, &str, &[&str])) -> Group {
    Group {
        id: (*id).to_owned(),
        handle: (*handle).to_owned(),
        name: (*name).to_owned(),
        members: ids(members),
        disabled: false,
    }
}

fn channel(id: &str, name: &str, kind: ChannelKind, members: Vec<String>) -> Channel {
    Channel {
        id: id.to_owned(),
        name: name.to_owned(),
        kind,
        topic: String::new(),
        members,
        archived: false,
        shared: false,
        messages: BTreeMap::new(),
    }
}

fn ids(handles: &[&str]) -> Vec<String> {
    let of = |handle: &&str| {
        PEOPLE
            .iter()
            .find(|(_, own, ..)| own == handle)
            .map(|row| row.0.to_owned())
    };
    handles.iter().filter_map(of).collect()
}
