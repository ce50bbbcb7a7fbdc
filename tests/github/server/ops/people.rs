//! People, the organisation and its teams.

use serde_json::{Value, json};

use super::{Call, not_built};
use crate::github::server::answer::{Answer, Outcome};
use crate::github::server::auth::Actor;
use crate::github::server::mould::set;
use crate::github::server::world::{Holder, Team, World, node_id};

pub fn handle(world: &mut World, call: &Call, id: &str) -> Outcome {
    if call.path.contains_key("org") && !call.at("org").eq_ignore_ascii_case(&world.org.login) {
        return Err(Answer::not_found());
    }
    match id {
        "users/get-authenticated" => match &call.actor {
            Actor::Token(Holder::Classic { login, .. } | Holder::FineGrained { login, .. }) => {
                Ok(Answer::ok(profile(world, login, true)))
            }
            _ => Err(Answer::refusal(
                403,
                "Resource not accessible by integration",
            )),
        },
        "users/get-by-username" => {
            let login = known(world, call.at("username"))?;
            Ok(Answer::ok(profile(world, &login, false)))
        }
        "users/get-by-id" => {
            let found = world
                .users
                .values()
                .find(|user| user.id.to_string() == call.at("account_id"));
            let login = found.ok_or_else(Answer::not_found)?.login.clone();
            Ok(Answer::ok(profile(world, &login, false)))
        }
        "orgs/get" => Ok(Answer::ok(org_json(world))),
        "orgs/list-members" => {
            let all: Vec<Value> = world
                .org
                .members
                .keys()
                .map(|login| world.account(login))
                .collect();
            Ok(call.page(&all))
        }
        "orgs/check-membership-for-user" => {
            if world.org.members.contains_key(call.at("username")) {
                return Ok(Answer::none());
            }
            Err(Answer::not_found())
        }
        "orgs/get-membership-for-user" => membership(world, call.at("username")),
        _ => teams(world, call, id),
    }
}

fn teams(world: &mut World, call: &Call, id: &str) -> Outcome {
    if id == "teams/list" {
        let all: Vec<Value> = world
            .org
            .teams
            .values()
            .map(|team| world.team_json(team, false))
            .collect();
        return Ok(call.page(&all));
    }
    let team = world
        .org
        .teams
        .get(call.at("team_slug"))
        .ok_or_else(Answer::not_found)?;
    match id {
        "teams/get-by-name" => Ok(Answer::ok(world.team_json(team, true))),
        "teams/list-members-in-org" => {
            let all: Vec<Value> = team
                .members
                .iter()
                .map(|login| world.account(login))
                .collect();
            Ok(call.page(&all))
        }
        "teams/get-membership-for-user-in-org" => {
            let login = call.at("username");
            if !team.members.contains(login) {
                return Err(Answer::not_found());
            }
            Ok(Answer::ok(json!({
                "url": format!("{}/organizations/{}/team/{}/memberships/{login}", world.api, world.org.id, team.id),
                "role": "member", "state": "active",
            })))
        }
        "teams/list-repos-in-org" => {
            let rights = super::repos::rights(world, &call.actor);
            let theirs = world
                .repos
                .values()
                .filter(|repo| repo.teams.contains_key(&team.slug));
            let all: Vec<Value> = theirs.map(|repo| world.repo_json(repo, &rights)).collect();
            Ok(call.page(&all))
        }
        "teams/check-permissions-for-repo-in-org" => check(world, call, team),
        "teams/add-or-update-repo-permissions-in-org" => {
            let (slug, permission) = (
                team.slug.clone(),
                call.text("permission").unwrap_or("push").to_owned(),
            );
            if !matches!(
                &*permission,
                "pull" | "triage" | "push" | "maintain" | "admin"
            ) {
                return Err(Answer::invalid(
                    "Validation Failed",
                    "TeamMember",
                    "permission",
                    "invalid",
                    "",
                ));
            }
            if call.repo(world).owner != world.org.login {
                return Err(Answer::invalid(
                    "Validation Failed",
                    "TeamMember",
                    "repository",
                    "unprocessable",
                    "",
                ));
            }
            call.repo_mut(world).teams.insert(slug, permission);
            Ok(Answer::none())
        }
        "teams/remove-repo-in-org" => {
            let slug = team.slug.clone();
            call.repo_mut(world).teams.remove(&slug);
            Ok(Answer::none())
        }
        _ => not_built(world, id),
    }
}

/// Only who asks for the media type of repositories is told the permission; the others get a bare 204.
fn check(world: &World, call: &Call, team: &Team) -> Outcome {
    let permission = call
        .repo(world)
        .teams
        .get(&team.slug)
        .ok_or_else(Answer::not_found)?;
    let rights = roles(permission);
    let mut body = world.repo_json(call.repo(world), &rights);
    set(
        &mut body,
        json!({ "permissions": rights, "role_name": role_name(permission) }),
    );
    if call.accept.contains("repository+json") {
        return Ok(Answer::ok(body));
    }
    Ok(Answer::none())
}

/// What a permission includes, as GitHub shows it.
pub fn roles(permission: &str) -> Value {
    let order = ["pull", "triage", "push", "maintain", "admin"];
    let rank = order
        .iter()
        .position(|name| *name == permission)
        .unwrap_or(0);
    order
        .iter()
        .enumerate()
        .map(|(n, name)| ((*name).to_owned(), json!(n <= rank)))
        .collect()
}

/// A role's name where GitHub writes it out: `pull` is `read`.
pub fn role_name(permission: &str) -> &str {
    match permission {
        "pull" => "read",
        "push" => "write",
        other => other,
    }
}

fn membership(world: &World, login: &str) -> Outcome {
    let role = world.org.members.get(login).ok_or_else(Answer::not_found)?;
    let names = [
        ("octocat", &*world.org.login),
        ("orgs/github", &*format!("orgs/{}", world.org.login)),
        ("defunkt", login),
    ];
    let mut body = world.cast(
        "org-membership-response-if-user-has-an-active-admin-membership-with-organization",
        &names,
    );
    set(
        &mut body,
        json!({ "role": role, "user": world.account(login) }),
    );
    set(
        &mut body["organization"],
        json!({ "login": world.org.login, "id": world.org.id, "node_id": node_id("O", world.org.id) }),
    );
    Ok(Answer::ok(body))
}

fn known(world: &World, login: &str) -> Result<String, Answer> {
    let found = world
        .users
        .keys()
        .find(|known| known.eq_ignore_ascii_case(login));
    found.cloned().ok_or_else(Answer::not_found)
}

fn profile(world: &World, login: &str, own: bool) -> Value {
    let example = if own {
        "private-user-response-with-public-and-private-profile-information"
    } else {
        "public-user-default-response"
    };
    let mut body = world.cast(example, &[("octocat", login)]);
    let user = &world.users[login];
    set(
        &mut body,
        json!({
            "login": login, "id": user.id, "node_id": node_id("U", user.id), "name": user.name, "email": null,
            "type": "User",
        }),
    );
    body
}

fn org_json(world: &World) -> Value {
    let org = &world.org;
    let mut body = world.cast(
        "organization-full",
        &[("orgs/github", &format!("orgs/{}", org.login))],
    );
    let may = |visibility: &str| !org.forbidden.contains(visibility);
    set(
        &mut body,
        json!({
            "login": org.login, "id": org.id, "node_id": node_id("O", org.id), "name": org.login,
            "html_url": format!("{}/{}", world.web, org.login),
            "members_can_create_repositories": true, "members_can_create_public_repositories": may("public"),
            "members_can_create_private_repositories": may("private"),
            "members_can_create_internal_repositories": may("internal"),
        }),
    );
    body
}
