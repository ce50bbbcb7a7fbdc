//! The App and its installation: tokens, and what they reach.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Call, not_built};
use crate::github::server::answer::{Answer, Outcome};
use crate::github::server::auth::{self, Actor};
use crate::github::server::mould::set;
use crate::github::server::permissions::level;
use crate::github::server::world::{Holder, Permissions, Token, World, node_id, stamp};

/// Operations for which the App proves itself by its JWT.
pub const BY_JWT: &[&str] = &[
    "apps/get-authenticated",
    "apps/get-org-installation",
    "apps/get-repo-installation",
    "apps/list-installations",
    "apps/get-installation",
    "apps/create-installation-access-token",
];

pub fn handle(world: &mut World, call: &Call, id: &str) -> Outcome {
    match id {
        "apps/get-authenticated" => Ok(Answer::ok(app_json(world))),
        "apps/get-org-installation" if call.at("org").eq_ignore_ascii_case(&world.org.login) => {
            installation(world)
        }
        "apps/get-org-installation" => Err(Answer::not_found()),
        "apps/get-repo-installation" => installation(world),
        "apps/list-installations" => {
            let all: Vec<Value> = world
                .app
                .installed
                .then(|| installation_json(world))
                .into_iter()
                .collect();
            Ok(call.page(&all))
        }
        "apps/get-installation" => {
            named(world, call)?;
            installation(world)
        }
        "apps/create-installation-access-token" => {
            named(world, call)?;
            create_token(world, call)
        }
        "apps/revoke-installation-access-token" => {
            world.tokens.remove(&call.token);
            Ok(Answer::none())
        }
        "apps/list-repos-accessible-to-installation" => {
            let all: Vec<Value> = world
                .repos
                .values()
                .filter(|repo| {
                    repo.owner == world.org.login && auth::sees(world, &call.actor, repo.id)
                })
                .map(|repo| world.repo_json(repo, &super::repos::rights(world, &call.actor)))
                .collect();
            let mut answer = call.page_of("repositories", &all);
            if let (Some(body), Actor::Token(Holder::Installation { repositories, .. })) =
                (&mut answer.body, &call.actor)
            {
                let some = repositories.is_some() || world.app.selected.is_some();
                body["repository_selection"] = json!(if some { "selected" } else { "all" });
            }
            Ok(answer)
        }
        "rate-limit/get" => {
            let who = call.actor.budget(world);
            let now = world.now();
            let [limit, used, remaining, reset] = world.limits.standing(&who, now);
            let mut body = world.cast("rate-limit-overview", &[]);
            let core =
                json!({ "limit": limit, "used": used, "remaining": remaining, "reset": reset });
            body["resources"]["core"] = core.clone();
            body["rate"] = core;
            Ok(Answer::ok(body))
        }
        "meta/root" => Ok(Answer::ok(world.cast("root", &[]))),
        _ => not_built(world, id),
    }
}

/// The installation in the path: there is one, and nobody is told about others.
fn named(world: &World, call: &Call) -> Result<(), Answer> {
    if call.at("installation_id") != world.app.installation.to_string() {
        return Err(Answer::not_found());
    }
    Ok(())
}

fn installation(world: &World) -> Outcome {
    if !world.app.installed {
        return Err(Answer::not_found());
    }
    Ok(Answer::ok(installation_json(world)))
}

fn app_json(world: &World) -> Value {
    let mut body = world.cast("integration", &[("octoapp", &world.app.slug)]);
    set(
        &mut body,
        json!({
            "id": world.app.id, "client_id": world.app.client_id, "name": world.app.slug,
            "node_id": node_id("A", world.app.id), "owner": world.account(&world.org.login),
            "permissions": world.app.granted,
            "events": ["repository", "installation", "organization", "membership", "team"],
            "installations_count": u8::from(world.app.installed),
        }),
    );
    body
}

fn installation_json(world: &World) -> Value {
    let id = world.app.installation;
    let mut body = world.cast(
        "installation",
        &[("github/settings", &format!("{}/settings", world.org.login))],
    );
    let suspended = world.app.suspended.then(|| stamp(world.now()));
    set(
        &mut body,
        json!({
            "id": id, "account": world.account(&world.org.login), "app_id": world.app.id,
            "app_slug": world.app.slug, "client_id": world.app.client_id, "target_id": world.org.id,
            "access_tokens_url": format!("{}/app/installations/{id}/access_tokens", world.api),
            "permissions": world.app.granted, "suspended_at": suspended,
            "repository_selection": if world.app.selected.is_some() { "selected" } else { "all" },
            "events": ["repository", "installation", "organization", "membership", "team"],
        }),
    );
    body
}

fn create_token(world: &mut World, call: &Call) -> Outcome {
    if !world.app.installed {
        return Err(Answer::not_found());
    }
    if world.app.suspended {
        return Err(Answer::refusal(403, "This installation has been suspended"));
    }
    let permissions = asked_permissions(world, &call.body["permissions"])?;
    let repositories = asked_repositories(world, &call.body)?;
    let token = auth::new_token("ghs");
    let expires = auth::expiry(world.now());
    let mut body = json!({
        "token": token, "expires_at": stamp(expires), "permissions": permissions,
        "repository_selection": if repositories.is_some() || world.app.selected.is_some() { "selected" } else { "all" },
    });
    if let Some(some) = &repositories {
        let rights = super::repos::rights(world, &call.actor);
        let list: Vec<Value> = some
            .iter()
            .map(|id| world.repo_json(&world.repos[id], &rights))
            .collect();
        body["repositories"] = json!(list);
    }
    let holder = Holder::Installation {
        permissions,
        repositories,
    };
    world.tokens.insert(
        token,
        Token {
            holder,
            expires: Some(expires),
        },
    );
    Ok(Answer::json(201, body))
}

/// No more than the installation was granted; metadata comes with everything.
fn asked_permissions(world: &World, asked: &Value) -> Result<Permissions, Answer> {
    let Some(asked) = asked.as_object() else {
        return Ok(world.app.granted.clone());
    };
    let mut given = Permissions::new();
    for (name, want) in asked {
        let want = want.as_str();
        let granted = world.app.granted.get(name).map(String::as_str);
        if level(granted) < level(want) {
            return Err(Answer::refusal(
                422,
                "The permissions requested are not granted to this installation.",
            ));
        }
        given.insert(name.clone(), want.unwrap_or("read").to_owned());
    }
    given
        .entry("metadata".to_owned())
        .or_insert_with(|| "read".to_owned());
    Ok(given)
}

fn asked_repositories(world: &World, body: &Value) -> Result<Option<BTreeSet<u64>>, Answer> {
    let names = body["repositories"].as_array();
    let ids = body["repository_ids"].as_array();
    if names.is_none() && ids.is_none() {
        return Ok(None);
    }
    let missing = || {
        Answer::refusal(
            422,
            "There is at least one repository that does not exist or is not accessible to the parent installation.",
        )
    };
    let mut found = BTreeSet::new();
    for name in names.into_iter().flatten() {
        let repo = world.repo_at(&world.org.login, name.as_str().unwrap_or_default());
        found.insert(repo.ok_or_else(missing)?.id);
    }
    for id in ids.into_iter().flatten() {
        let repo = id.as_u64().and_then(|id| world.repos.get(&id));
        found.insert(
            repo.filter(|repo| repo.owner == world.org.login)
                .ok_or_else(missing)?
                .id,
        );
    }
    if world
        .app
        .selected
        .as_ref()
        .is_some_and(|selected| !found.is_subset(selected))
    {
        return Err(missing());
    }
    Ok(Some(found))
}
