//! What would become different in the world, for the card and for approval rules.

use super::input::Target;
use crate::clients::forge::{Access, Bypass, Grantee, Protection, RepoSettings, Role};
use crate::domain::plan::{Fact, FactKind, PlannedValue};
use crate::domain::tree::{Mode, Tree};

/// The repository and its files.
pub(super) fn of(target: &Target, files: &Tree) -> Vec<Fact> {
    let count = counted(files.len(), "file");
    let repository = creates(
        format!("{} repository", target.visibility),
        target.repo.to_string(),
        Some(count),
        true,
    );
    let each = files.iter().map(|(path, entry)| {
        let size = entry.bytes.len();
        let detail = match entry.mode {
            Mode::File => format!("{size} bytes"),
            Mode::Executable => format!("{size} bytes, executable"),
            Mode::Symlink => format!("link to {}", String::from_utf8_lossy(&entry.bytes)),
        };
        creates("file".to_owned(), path.to_string(), Some(detail), false)
    });
    std::iter::once(repository).chain(each).collect()
}

/// What the repository is told besides.
pub(super) fn of_settings(settings: &RepoSettings, target: &Target) -> Vec<Fact> {
    let mut facts: Vec<Fact> = settings.access.iter().map(grant).collect();
    if let Some(protection) = &settings.protection {
        let name = format!("of {}", target.branch);
        let told = Some(protected(protection));
        facts.push(creates("protection".to_owned(), name, told, true));
        facts.extend(protection.bypass.iter().map(|who| Fact {
            kind: FactKind::Grants,
            noun: bypass_noun(who).to_owned(),
            name: bypass_name(who).to_owned(),
            detail: Some("may pass the protection by".to_owned()),
            headline: true,
        }));
    }
    for environment in &settings.environments {
        facts.push(creates(
            "environment".to_owned(),
            environment.clone(),
            None,
            false,
        ));
    }
    for (variable, _) in &settings.variables {
        facts.push(creates(
            "variable".to_owned(),
            variable.clone(),
            None,
            false,
        ));
    }
    for (secret, _) in &settings.secrets {
        facts.push(creates("secret".to_owned(), secret.clone(), None, false));
    }
    facts
}

/// The webhook that it gets of its own.
pub(super) fn webhook(address: String) -> Fact {
    creates("webhook".to_owned(), address, None, false)
}

/// Variables whose values wait for an earlier step: their names are known all the same.
pub(super) fn waiting(input: &PlannedValue) -> Vec<Fact> {
    match input.get("repoVariables") {
        Some(PlannedValue::Map { members }) => members
            .into_iter()
            .map(|(name, _)| {
                creates(
                    "variable".to_owned(),
                    name.to_ascii_uppercase(),
                    None,
                    false,
                )
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// A grant's detail begins with `read` where nothing can be changed by it: rules ask for `g.write`.
fn grant(access: &Access) -> Fact {
    let (noun, name) = match &access.to {
        Grantee::Team(team) => ("team", team),
        Grantee::User(login) => ("person", login),
    };
    let detail = match access.role {
        Role::Pull => "read access",
        Role::Triage => "read access, and sorting issues",
        Role::Push => "push access",
        Role::Maintain => "push access and settings",
        Role::Admin => "all rights",
    };
    Fact {
        kind: FactKind::Grants,
        noun: noun.to_owned(),
        name: name.clone(),
        detail: Some(detail.to_owned()),
        headline: true,
    }
}

fn protected(protection: &Protection) -> String {
    let mut told = vec![counted(protection.approvals.into(), "approval")];
    let also = [
        (protection.code_owners, "code owners"),
        (protection.linear, "linear history"),
        (protection.signed, "signed commits"),
        (!protection.for_admins, "not for administrators"),
    ];
    told.extend(
        also.into_iter()
            .filter(|(on, _)| *on)
            .map(|(_, words)| words.to_owned()),
    );
    told.extend(
        protection
            .checks
            .iter()
            .map(|check| format!("check {check}")),
    );
    told.join(", ")
}

const fn bypass_noun(who: &Bypass) -> &'static str {
    match who {
        Bypass::Team(_) => "team",
        Bypass::User(_) => "person",
        Bypass::App(_) => "App",
    }
}

fn bypass_name(who: &Bypass) -> &str {
    match who {
        Bypass::Team(name) | Bypass::User(name) | Bypass::App(name) => name,
    }
}

fn creates(noun: String, name: String, detail: Option<String>, headline: bool) -> Fact {
    Fact {
        kind: FactKind::Creates,
        noun,
        name,
        detail,
        headline,
    }
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}
