//! Settings of a repository: topics, teams, collaborators, environments, webhooks.

use serde_json::{Value, json};

use super::people::{role_name, roles};
use super::{Call, not_built};
use crate::github::server::answer::{Answer, Outcome};
use crate::github::server::mould::set;
use crate::github::server::world::{Environment, Shelf, World, stamp};

pub fn handle(world: &mut World, call: &Call, id: &str) -> Outcome {
    match id {
        "repos/get-all-topics" => Ok(Answer::ok(json!({ "names": call.repo(world).topics }))),
        "repos/replace-all-topics" => replace_topics(world, call),
        "repos/list-teams" => {
            let teams = call.repo(world).teams.iter();
            let all: Vec<Value> = teams
                .filter_map(|(slug, permission)| {
                    let mut team = world.team_json(world.org.teams.get(slug)?, false);
                    set(
                        &mut team,
                        json!({ "permission": permission, "permissions": roles(permission) }),
                    );
                    Some(team)
                })
                .collect();
            Ok(call.page(&all))
        }
        _ if id.contains("collaborator") => collaborators(world, call, id),
        _ if id.contains("environment") => environments(world, call, id),
        _ if id.contains("webhook") => hooks(world, call, id),
        _ => not_built(world, id),
    }
}

/// docs.github.com/repositories, "Classifying your repository with topics": up to 20, of 50 letters.
fn replace_topics(world: &mut World, call: &Call) -> Outcome {
    let names: Vec<String> = call.body["names"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect();
    let fine = |name: &String| {
        name.len() <= 50
            && name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    if names.len() > 20 || !names.iter().all(fine) {
        return Err(Answer::refusal(
            422,
            "Validation Failed: topics must start with a lowercase letter or number, consist of 50 characters or \
             less, and can include hyphens; at most 20",
        ));
    }
    let repo = call.repo_mut(world);
    repo.topics = names;
    Ok(Answer::ok(json!({ "names": repo.topics })))
}

fn collaborators(world: &mut World, call: &Call, id: &str) -> Outcome {
    let login = call.at("username").to_owned();
    match id {
        "repos/list-collaborators" => {
            let all: Vec<Value> = call
                .repo(world)
                .collaborators
                .iter()
                .map(|(login, permission)| {
                    let mut account = world.account(login);
                    set(&mut account, json!({ "permissions": roles(permission), "role_name": role_name(permission) }));
                    account
                })
                .collect();
            Ok(call.page(&all))
        }
        "repos/check-collaborator" => {
            if call.repo(world).collaborators.contains_key(&login) || world.is_admin(&login) {
                return Ok(Answer::none());
            }
            Err(Answer::not_found())
        }
        "repos/get-collaborator-permission-level" => {
            let permission = if world.is_admin(&login) {
                "admin".to_owned()
            } else {
                call.repo(world)
                    .collaborators
                    .get(&login)
                    .cloned()
                    .unwrap_or_else(|| "none".to_owned())
            };
            let mut user = world.account(&login);
            let role = role_name(&permission).to_owned();
            set(
                &mut user,
                json!({ "permissions": roles(&permission), "role_name": role }),
            );
            Ok(Answer::ok(
                json!({ "permission": role, "role_name": role, "user": user }),
            ))
        }
        "repos/add-collaborator" => {
            if !world.users.contains_key(&login) {
                return Err(Answer::not_found());
            }
            let permission = call.text("permission").unwrap_or("push").to_owned();
            if !matches!(
                &*permission,
                "pull" | "triage" | "push" | "maintain" | "admin"
            ) {
                return Err(Answer::invalid(
                    "Validation Failed",
                    "Repository",
                    "permission",
                    "invalid",
                    "",
                ));
            }
            // A member of the organisation is in at once; somebody else would be invited first.
            if world.org.members.contains_key(&login) {
                call.repo_mut(world).collaborators.insert(login, permission);
                return Ok(Answer::none());
            }
            let id = world.new_id();
            let names = [("octocat/Hello-World", &*call.repo(world).full_name())];
            let mut body = world.cast(
                "repository-invitation-response-when-a-new-invitation-is-created",
                &names,
            );
            let permissions = role_name(&permission).to_owned();
            set(
                &mut body,
                json!({
                    "id": id, "permissions": permissions, "invitee": world.account(&login),
                    "created_at": stamp(world.now()),
                }),
            );
            Ok(Answer::json(201, body))
        }
        "repos/remove-collaborator" => {
            call.repo_mut(world).collaborators.remove(&login);
            Ok(Answer::none())
        }
        _ => not_built(world, id),
    }
}

fn environments(world: &mut World, call: &Call, id: &str) -> Outcome {
    let name = call.at("environment_name").to_owned();
    match id {
        "repos/get-all-environments" => {
            let repo = call.repo(world);
            let all: Vec<Value> = repo
                .environments
                .values()
                .map(|one| world.environment_json(repo, one))
                .collect();
            Ok(call.page_of("environments", &all))
        }
        "repos/get-environment" => {
            let repo = call.repo(world);
            let found = repo.environments.get(&name).ok_or_else(Answer::not_found)?;
            Ok(Answer::ok(world.environment_json(repo, found)))
        }
        "repos/create-or-update-environment" => {
            if name.is_empty() || name.len() > 255 || name.contains(['\'', '"', '`', ';', '\\']) {
                return Err(Answer::refusal(422, "Invalid environment name"));
            }
            let policy = &call.body["deployment_branch_policy"];
            if !policy.is_null() && policy["protected_branches"] == policy["custom_branch_policies"]
            {
                return Err(Answer::refusal(
                    422,
                    "`protected_branches` and `custom_branch_policies` cannot have the same value",
                ));
            }
            let reviewers = call.body["reviewers"]
                .as_array()
                .map_or(&[][..], Vec::as_slice);
            let known = |one: &Value| {
                let id = one["id"].as_u64();
                match one["type"].as_str() {
                    Some("Team") => world.org.teams.values().any(|team| Some(team.id) == id),
                    _ => world.users.values().any(|user| Some(user.id) == id),
                }
            };
            if reviewers.len() > 6 || !reviewers.iter().all(known) {
                return Err(Answer::refusal(
                    422,
                    "Failed to create the environment protection rule. Please ensure the reviewers have access.",
                ));
            }
            let (id, now) = (world.new_id(), world.now());
            world.new_id();
            let settings = if call.body.is_object() {
                call.body.clone()
            } else {
                json!({})
            };
            let repo = call.repo_mut(world);
            let made = repo
                .environments
                .entry(name.clone())
                .or_insert_with(|| Environment {
                    id,
                    name: name.clone(),
                    settings: json!({}),
                    created: now,
                    shelf: Shelf::new(id),
                });
            made.settings = settings;
            let repo = call.repo(world);
            Ok(Answer::ok(
                world.environment_json(repo, &repo.environments[&name]),
            ))
        }
        "repos/delete-an-environment" => {
            call.repo_mut(world)
                .environments
                .remove(&name)
                .ok_or_else(Answer::not_found)?;
            Ok(Answer::none())
        }
        _ => not_built(world, id),
    }
}

fn hooks(world: &mut World, call: &Call, id: &str) -> Outcome {
    let hook = call.at("hook_id").parse::<u64>().unwrap_or_default();
    match id {
        "repos/list-webhooks" => {
            let all: Vec<Value> = call.repo(world).hooks.values().cloned().collect();
            Ok(call.page(&all))
        }
        "repos/get-webhook" => {
            let found = call
                .repo(world)
                .hooks
                .get(&hook)
                .ok_or_else(Answer::not_found)?;
            Ok(Answer::ok(found.clone()))
        }
        "repos/create-webhook" => {
            let config = &call.body["config"];
            let url = config["url"].as_str().unwrap_or_default();
            let failed = |why: &str| {
                Err(Answer::invalid(
                    "Validation Failed",
                    "Hook",
                    "url",
                    "custom",
                    why,
                ))
            };
            if !url.starts_with("http://") && !url.starts_with("https://") {
                return failed("url is missing a scheme");
            }
            let twin = |kept: &Value| {
                kept["config"]["url"] == url && kept["events"] == call.body["events"]
            };
            if call.repo(world).hooks.values().any(twin) {
                return failed("Hook already exists on this repository");
            }
            if call.repo(world).hooks.len() >= 20 {
                return failed("The \"push\" event cannot have more than 20 hooks");
            }
            let id = world.new_id();
            let names = [
                ("octocat/Hello-World", &*call.repo(world).full_name()),
                ("12345678", &*id.to_string()),
            ];
            let mut body = world.cast("hook", &names);
            let now = stamp(world.now());
            set(
                &mut body,
                json!({
                    "id": id, "active": call.body["active"] != false, "created_at": now, "updated_at": now,
                    "events": call.body.get("events").cloned().unwrap_or_else(|| json!(["push"])),
                    "config": masked(config),
                }),
            );
            call.repo_mut(world).hooks.insert(id, body.clone());
            Ok(Answer::json(201, body))
        }
        "repos/update-webhook" => {
            let now = stamp(world.now());
            let kept = call
                .repo_mut(world)
                .hooks
                .get_mut(&hook)
                .ok_or_else(Answer::not_found)?;
            for name in ["events", "active"] {
                if let Some(value) = call.body.get(name) {
                    kept[name] = value.clone();
                }
            }
            if call.body["config"].is_object() {
                kept["config"] = masked(&call.body["config"]);
            }
            kept["updated_at"] = json!(now);
            Ok(Answer::ok(kept.clone()))
        }
        "repos/delete-webhook" => {
            call.repo_mut(world)
                .hooks
                .remove(&hook)
                .ok_or_else(Answer::not_found)?;
            Ok(Answer::none())
        }
        _ => not_built(world, id),
    }
}

/// A hook's secret is shown as stars.
fn masked(config: &Value) -> Value {
    let mut config = config.clone();
    if config.get("insecure_ssl").is_none() {
        config["insecure_ssl"] = json!("0");
    }
    if config.get("content_type").is_none() {
        config["content_type"] = json!("form");
    }
    if config.get("secret").is_some() {
        config["secret"] = json!("********");
    }
    config
}
