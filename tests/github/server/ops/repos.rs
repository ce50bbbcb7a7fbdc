//! Repositories: create, look, change, hand over, delete.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Call, not_built, people};
use crate::github::server::answer::{Answer, Outcome};
use crate::github::server::auth::{self, Actor};
use crate::github::server::bare;
use crate::github::server::permissions::level;
use crate::github::server::world::{Holder, Repo, Shelf, World};

/// What create and update keep only to show it.
const SHOWN: &[&str] = &[
    "description",
    "homepage",
    "has_issues",
    "has_projects",
    "has_wiki",
    "has_downloads",
    "is_template",
    "allow_squash_merge",
    "allow_merge_commit",
    "allow_rebase_merge",
    "allow_auto_merge",
    "allow_update_branch",
    "delete_branch_on_merge",
    "use_squash_pr_title_as_default",
    "squash_merge_commit_title",
    "squash_merge_commit_message",
    "merge_commit_title",
    "merge_commit_message",
    "web_commit_signoff_required",
    "allow_forking",
    "security_and_analysis",
];

pub fn handle(world: &mut World, call: &Call, id: &str) -> Outcome {
    match id {
        "repos/create-in-org" => create(world, call),
        "repos/get" => Ok(Answer::ok(shown(world, call))),
        "repos/update" => update(world, call),
        "repos/delete" => {
            let repo = world.repos.remove(&call.repo).unwrap();
            world.moved.retain(|_, id| *id != repo.id);
            std::fs::remove_dir_all(&repo.dir).unwrap();
            Ok(Answer::none())
        }
        "repos/transfer" => {
            let owner = call.text("new_owner").unwrap_or_default().to_owned();
            if owner != world.org.login && !world.users.contains_key(&owner) {
                return Err(Answer::invalid(
                    "Validation Failed",
                    "Repository",
                    "new_owner",
                    "invalid",
                    "",
                ));
            }
            let body = shown(world, call);
            world.rename(call.repo, Some(&owner), call.text("new_name"));
            Ok(Answer::json(202, body))
        }
        "repos/list-for-org" => {
            let rights = rights(world, &call.actor);
            let ours = world
                .repos
                .values()
                .filter(|repo| repo.owner == world.org.login);
            let seen = ours.filter(|repo| auth::sees(world, &call.actor, repo.id));
            let all: Vec<Value> = seen.map(|repo| world.repo_json(repo, &rights)).collect();
            Ok(call.page(&all))
        }
        _ => not_built(world, id),
    }
}

/// What the actor may do, as a repository shows it.
pub fn rights(world: &World, actor: &Actor) -> Value {
    people::roles(match actor {
        Actor::Token(
            Holder::Installation { permissions, .. } | Holder::FineGrained { permissions, .. },
        ) => {
            let has = |name: &str| level(permissions.get(name).map(String::as_str));
            if has("administration") >= 2 {
                "admin"
            } else if has("contents") >= 2 {
                "push"
            } else {
                "pull"
            }
        }
        Actor::Token(Holder::Classic { login, .. }) if world.is_admin(login) => "admin",
        _ => "pull",
    })
}

fn shown(world: &World, call: &Call) -> Value {
    world.repo_json(call.repo(world), &rights(world, &call.actor))
}

fn create(world: &mut World, call: &Call) -> Outcome {
    if !call.at("org").eq_ignore_ascii_case(&world.org.login) {
        return Err(Answer::not_found());
    }
    // A token for some repositories is none for a new one.
    if matches!(
        &call.actor,
        Actor::Token(Holder::Installation {
            repositories: Some(_),
            ..
        })
    ) {
        return Err(Answer::refusal(
            403,
            "Resource not accessible by integration",
        ));
    }
    let name = call.text("name").unwrap_or_default().to_owned();
    let failed = |field: &str, why: &str| {
        Err(Answer::invalid(
            "Repository creation failed.",
            "Repository",
            field,
            "custom",
            why,
        ))
    };
    if !valid(&name) {
        return failed("name", "name is invalid");
    }
    let visibility = match (call.text("visibility"), call.body["private"].as_bool()) {
        (Some(visibility), _) => visibility.to_owned(),
        (None, Some(true)) => "private".to_owned(),
        (None, _) => "public".to_owned(),
    };
    if world.org.forbidden.contains(&visibility) {
        return failed(
            "visibility",
            &format!(
                "You do not have permission to create {visibility} repositories on this organization."
            ),
        );
    }
    if world.repo_at(&world.org.login, &name).is_some() {
        return failed("name", "name already exists on this account");
    }
    let team = match call.body["team_id"].as_u64() {
        Some(id) => match world.org.teams.values().find(|team| team.id == id) {
            Some(team) => Some(team.slug.clone()),
            None => return failed("team_id", "team does not exist"),
        },
        None => None,
    };
    let id = world.new_id();
    let now = world.now();
    let dir = world.folder.join(format!("{id}.git"));
    bare::init(&dir, "main");
    let mut repo = Repo {
        id,
        owner: world.org.login.clone(),
        name,
        visibility,
        default_branch: "main".to_owned(),
        archived: false,
        topics: Vec::new(),
        created: now,
        updated: now,
        pushed: now,
        shown: defaults(),
        teams: team
            .map(|slug| (slug, "push".to_owned()))
            .into_iter()
            .collect(),
        collaborators: std::collections::BTreeMap::new(),
        shelf: Shelf::new(id),
        environments: std::collections::BTreeMap::new(),
        hooks: std::collections::BTreeMap::new(),
        rulesets: std::collections::BTreeMap::new(),
        properties: std::collections::BTreeMap::new(),
        protections: std::collections::BTreeMap::new(),
        statuses: Vec::new(),
        comments: Vec::new(),
        pulls: BTreeSet::new(),
        talk: Vec::new(),
        dir,
    };
    keep_shown(&mut repo, &call.body);
    if let Some(values) = call.body["custom_properties"].as_object() {
        for (name, value) in values {
            super::rules::check_property(world, name, value)?;
            repo.properties.insert(name.clone(), value.clone());
        }
    }
    if call.body["auto_init"] == true {
        let readme = format!("# {}\n", repo.name);
        let by = (&*call.actor.login(world), "noreply@github.com");
        bare::put_file(
            &repo.dir,
            ("main", "README.md"),
            readme.as_bytes(),
            "Initial commit",
            by,
        )
        .unwrap();
    }
    let full_name = repo.full_name().to_lowercase();
    world.moved.remove(&full_name);
    world.repos.insert(id, repo);
    let body = world.repo_json(&world.repos[&id], &rights(world, &call.actor));
    let address = format!("{}/repos/{}", world.api, world.repos[&id].full_name());
    Ok(Answer::json(201, body).with("location", address))
}

fn update(world: &mut World, call: &Call) -> Outcome {
    let failed = |field: &str, why: &str| {
        Err(Answer::invalid(
            "Validation Failed",
            "Repository",
            field,
            "custom",
            why,
        ))
    };
    let repo = call.repo(world);
    if repo.archived && call.body["archived"] != false {
        return Err(Answer::refusal(
            403,
            "Repository was archived so is read-only.",
        ));
    }
    let visibility = match (call.text("visibility"), call.body["private"].as_bool()) {
        (Some(visibility), _) => Some(visibility.to_owned()),
        (None, Some(true)) => Some("private".to_owned()),
        (None, Some(false)) => Some("public".to_owned()),
        (None, None) => None,
    };
    if let Some(visibility) = visibility.filter(|new| *new != repo.visibility) {
        if world.org.forbidden.contains(&visibility) {
            return failed(
                "visibility",
                &format!("{visibility} repositories are not allowed by the organization"),
            );
        }
        call.repo_mut(world).visibility = visibility;
    }
    let repo = call.repo(world);
    if let Some(branch) = call
        .text("default_branch")
        .map(str::to_owned)
        .filter(|new| *new != repo.default_branch)
    {
        if bare::commit(&repo.dir, &format!("heads/{branch}")).is_none() {
            let why = format!(
                "The branch {branch} was not found. Please push that ref first or create it via the Git Data API."
            );
            return failed("default_branch", &why);
        }
        bare::git(
            &repo.dir,
            &["symbolic-ref", "HEAD", &format!("refs/heads/{branch}")],
        )
        .unwrap();
        call.repo_mut(world).default_branch = branch;
    }
    if let Some(name) = call
        .text("name")
        .map(str::to_owned)
        .filter(|new| *new != call.repo(world).name)
    {
        if !valid(&name) {
            return failed("name", "name is invalid");
        }
        let other = world.repo_at(&world.org.login, &name).map(|repo| repo.id);
        if other.is_some_and(|id| id != call.repo) {
            return failed("name", "name already exists on this account");
        }
        world.rename(call.repo, None, Some(&name));
    }
    let now = world.now();
    let repo = call.repo_mut(world);
    keep_shown(repo, &call.body);
    if let Some(archived) = call.body["archived"].as_bool() {
        repo.archived = archived;
    }
    repo.updated = now;
    Ok(Answer::ok(shown(world, call)))
}

fn keep_shown(repo: &mut Repo, body: &Value) {
    for name in SHOWN {
        if let Some(value) = body.get(*name) {
            repo.shown.insert((*name).to_owned(), value.clone());
        }
    }
}

fn defaults() -> Map<String, Value> {
    let body = json!({
        "description": null, "homepage": null, "has_issues": true, "has_projects": true, "has_wiki": true,
        "has_downloads": true, "is_template": false, "allow_squash_merge": true, "allow_merge_commit": true,
        "allow_rebase_merge": true, "allow_auto_merge": false, "allow_update_branch": false,
        "delete_branch_on_merge": false, "web_commit_signoff_required": false, "allow_forking": false,
    });
    body.as_object().cloned().unwrap_or_default()
}

/// GitHub's names of repositories: at most 100 letters, digits, `-`, `_` and `.`. (GitHub would turn other letters into
/// dashes; who relies on that has another name than it planned.)
fn valid(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 100
        && !matches!(name, "." | "..")
        && !name.ends_with(".git")
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}
