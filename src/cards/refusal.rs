//! Refusals of plan time: nothing was created, and here is whom to ask.

use super::words;
use crate::domain::card::Text;
use crate::domain::id::RequestNumber;
use crate::domain::person::Platform;
use crate::domain::refusal::Refusal;
use crate::domain::rule::Unmeetable;
use crate::domain::slash::{self, Ask, Slash};

/// Nobody, or too few people, could ever meet the deciding rule. `slash` is as whoever asked types it.
pub fn nobody_can_decide(rule: &str, why: &Unmeetable, slash: &Slash) -> Refusal {
    let rule = words::line(rule);
    match why {
        Unmeetable::Unknown { group } => {
            let group = words::group_name(group);
            Refusal::new(format!(
                "Nobody can decide this: rule \"{rule}\" asks {group}, which isn't known here."
            ))
            .instead(format!(
                "The platform team can add {group} to the groups or teams of the configuration."
            ))
        }
        Unmeetable::TooFew {
            group,
            could,
            unlinked: unlinked @ 1..,
            ..
        } => unlinked_people(&rule, &words::group_name(group), (*could, *unlinked), slash),
        Unmeetable::TooFew {
            group,
            needed,
            could,
            ..
        } => {
            let group = words::group_name(group);
            let could = match could {
                0 => format!("nobody but you is in {group}"),
                n => format!("only {n} could decide, and {needed} are needed"),
            };
            Refusal::new(format!(
                "Nobody can decide this: rule \"{rule}\" asks {group}, and {could}."
            ))
            .because("A person never decides on their own request, and counts once.")
            .instead(format!(
                "Someone else can ask, or the platform team can add people to {group}."
            ))
        }
        Unmeetable::Stale { group, .. } => group_stale(group),
    }
}

/// A team on GitHub has people enough, but chat doesn't know who they are.
fn unlinked_people(
    rule: &str,
    group: &str,
    (could, unlinked): (u32, u32),
    slash: &Slash,
) -> Refusal {
    let (people, account) = match unlinked {
        1 => ("1 of its people hasn't", "account"),
        _ => ("of its people haven't", "accounts"),
    };
    let people = match unlinked {
        1 => people.to_owned(),
        n => format!("{n} {people}"),
    };
    let could = match could {
        0 => String::new(),
        n => format!("only {n} could decide: "),
    };
    Refusal::new(format!(
        "Nobody can decide this: rule \"{rule}\" asks {group}, and {could}{people} linked their GitHub {account}."
    ))
    .instead(
        Text::plain("Once they have typed ")
            .code(words::typed(slash, Ask::Link(Some("github"))))
            .and(", please ask again."),
    )
}

/// What is known of a deciding group is too old to decide on.
pub fn group_stale(group: &str) -> Refusal {
    let group = words::group_name(group);
    Refusal::new(format!("I can't tell at the moment who is in {group}."))
        .because("Its members haven't been readable for more than five minutes.")
        .instead("Please ask again in a few minutes.")
}

/// A service of ours has the name.
pub fn held_by_service(kind: &str, name: &str, owner: Option<&str>) -> Refusal {
    let (kind, name) = (words::line(kind), words::line(name));
    let of = owner.map_or_else(String::new, |o| format!(" (team {})", words::line(o)));
    Refusal::new(format!("The {kind} {name} exists{of}.")).instead("Please choose another name.")
}

/// Another open request has the name.
pub fn held_by_request(kind: &str, name: &str, number: i64, requester: &str) -> Refusal {
    let (kind, name) = (words::line(kind), words::line(name));
    Refusal::new(format!(
        "The {kind} {name} is being made by request {number} ({}).",
        words::line(requester)
    ))
    .instead("Please choose another name, or wait for how that one ends.")
}

/// The one who asked was deactivated, or left, before anything ran.
pub fn requester_gone() -> Refusal {
    Refusal::new("The account that asked for this isn't active here any more.")
}

/// A vote by an account that is a guest's, a stranger's or a bot's, or that was deactivated.
pub fn only_members_decide(number: RequestNumber) -> Refusal {
    Refusal::new(format!(
        "Only active full members decide {number}, and your account isn't one of those."
    ))
    .instead("If that has just changed, please try again in a minute.")
}

/// A vote from another platform than the request's, by somebody whom nobody knows there.
pub fn asked_elsewhere(number: RequestNumber, platform: Platform) -> Refusal {
    let typed = words::typed(&Slash::of(slash::NAME, platform), Ask::Link(None));
    let platform = words::platform(platform);
    let what = format!("{number} was asked for on {platform}, and nobody knows who you are there.");
    Refusal::new(what).instead(
        Text::plain(format!("Decide on {platform}, or type "))
            .code(typed)
            .and(" there to make both accounts one person."),
    )
}

/// The one who asked has left every group whose members may.
pub fn right_lost(command: &str, allow: &[String], requester: &str) -> Refusal {
    let allow: Vec<String> = allow.iter().map(|group| words::group_name(group)).collect();
    Refusal::new(format!(
        "Only {} can ask for {}, and {} isn't there any more.",
        words::all_of(&allow),
        words::line(command),
        words::line(requester),
    ))
}

/// Why a run doesn't start yet: nobody can tell who is in a group.
pub fn members_unreadable(group: &str) -> String {
    format!(
        "The members of {} haven't been readable for more than five minutes",
        words::group_name(group)
    )
}

/// There is no such command.
pub fn unknown_command(typed: &str, nearest: Option<&str>) -> Refusal {
    let refusal = Refusal::new(format!("There is no command {}.", words::line(typed)));
    match nearest {
        Some(word) => refusal.nearest(word),
        None => refusal,
    }
}
