//! Variables and secrets of repositories and environments, and what workflows may do.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Call, not_built};
use crate::github::server::answer::{Answer, Outcome};
use crate::github::server::mould::{secret_json, variable_json};
use crate::github::server::world::{Kept, Shelf, World};

/// Largest secret and variable, in bytes: docs.github.com/actions, "Limits for secrets" and "Limits for configuration
/// variables".
const LARGEST: usize = 48 * 1024;
/// Most secrets of a repository, and most variables.
const MOST: (usize, usize) = (100, 500);

pub fn handle(world: &mut World, call: &Call, id: &str) -> Outcome {
    if id.contains("permissions") {
        return workflow_permissions(world, call, id);
    }
    let now = world.now();
    let shelf = shelf(world, call)?;
    let name = call
        .at(if id.contains("secret") {
            "secret_name"
        } else {
            "name"
        })
        .to_uppercase();
    match id
        .trim_start_matches("actions/")
        .replace("-environment-", "-repo-")
        .as_str()
    {
        "list-repo-variables" => {
            let all: Vec<Value> = shelf
                .variables
                .iter()
                .map(|(name, kept)| variable_json(name, kept))
                .collect();
            Ok(call.page_of("variables", &all))
        }
        "get-repo-variable" => {
            let kept = shelf.variables.get(&name).ok_or_else(Answer::not_found)?;
            Ok(Answer::ok(variable_json(&name, kept)))
        }
        "create-repo-variable" => {
            let name = call.text("name").unwrap_or_default().to_uppercase();
            check_name(&name)?;
            if shelf.variables.contains_key(&name) {
                return Err(Answer::refusal(
                    409,
                    "Already exists - Variable already exists",
                ));
            }
            if shelf.variables.len() >= MOST.1 {
                return Err(Answer::refusal(422, "Variables limit reached"));
            }
            let value = variable(call.text("value").unwrap_or_default())?;
            shelf.variables.insert(
                name,
                Kept {
                    value,
                    created: now,
                    updated: now,
                },
            );
            Ok(Answer::json(201, json!({})))
        }
        "update-repo-variable" => {
            let mut kept = shelf
                .variables
                .remove(&name)
                .ok_or_else(Answer::not_found)?;
            if let Some(value) = call.text("value") {
                kept.value = variable(value)?;
                kept.updated = now;
            }
            let name = call.text("name").map_or(name, str::to_uppercase);
            shelf.variables.insert(name, kept);
            Ok(Answer::none())
        }
        "delete-repo-variable" => {
            shelf
                .variables
                .remove(&name)
                .ok_or_else(Answer::not_found)?;
            Ok(Answer::none())
        }
        "get-repo-public-key" => Ok(Answer::ok(json!({
            "key_id": shelf.key_id, "key": STANDARD.encode(shelf.key.public_key().as_bytes()),
        }))),
        "list-repo-secrets" => {
            let all: Vec<Value> = shelf
                .secrets
                .iter()
                .map(|(name, kept)| secret_json(name, kept))
                .collect();
            Ok(call.page_of("secrets", &all))
        }
        "get-repo-secret" => {
            let kept = shelf.secrets.get(&name).ok_or_else(Answer::not_found)?;
            Ok(Answer::ok(secret_json(&name, kept)))
        }
        "create-or-update-repo-secret" => {
            check_name(&name)?;
            let value = opened(shelf, &call.body)?;
            if let Some(kept) = shelf.secrets.get_mut(&name) {
                (kept.value, kept.updated) = (value, now);
                return Ok(Answer::none());
            }
            if shelf.secrets.len() >= MOST.0 {
                return Err(Answer::refusal(422, "Secrets limit reached"));
            }
            shelf.secrets.insert(
                name,
                Kept {
                    value,
                    created: now,
                    updated: now,
                },
            );
            Ok(Answer::json(201, json!({})))
        }
        "delete-repo-secret" => {
            shelf.secrets.remove(&name).ok_or_else(Answer::not_found)?;
            Ok(Answer::none())
        }
        _ => not_built(world, id),
    }
}

/// The repository's own, or its environment's.
fn shelf<'w>(world: &'w mut World, call: &Call) -> Result<&'w mut Shelf, Answer> {
    let environment = call.path.get("environment_name").cloned();
    let repo = call.repo_mut(world);
    match environment {
        None => Ok(&mut repo.shelf),
        Some(name) => {
            let found = repo
                .environments
                .get_mut(&name)
                .ok_or_else(Answer::not_found)?;
            Ok(&mut found.shelf)
        }
    }
}

/// docs.github.com/actions: letters, digits and `_`, no digit first, not `GITHUB_`.
fn check_name(name: &str) -> Result<(), Answer> {
    let fine = !name.is_empty()
        && !name.starts_with("GITHUB_")
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if fine {
        return Ok(());
    }
    Err(Answer::refusal(
        422,
        "Name can only contain alphanumeric characters ([a-z], [A-Z], [0-9]) or underscores (_). Spaces are not \
         allowed. Must start with a letter ([a-z], [A-Z]) or underscores (_) and must not start with GITHUB_.",
    ))
}

fn variable(value: &str) -> Result<String, Answer> {
    if value.is_empty() || value.len() > LARGEST {
        return Err(Answer::refusal(422, "Value is too large or empty"));
    }
    Ok(value.to_owned())
}

/// Opens the sealed box: a secret sealed for another key, or not at all, is none.
fn opened(shelf: &Shelf, body: &Value) -> Result<String, Answer> {
    if body["key_id"] != shelf.key_id.as_str() {
        return Err(Answer::refusal(
            422,
            "Public key ID is not valid, please use the latest public key",
        ));
    }
    let sealed = STANDARD.decode(body["encrypted_value"].as_str().unwrap_or_default());
    let bad = || {
        Answer::refusal(
            400,
            "Bad request - Secret could not be decrypted with the public key",
        )
    };
    let plain = shelf
        .key
        .unseal(&sealed.map_err(|_| bad())?)
        .map_err(|_| bad())?;
    if plain.len() > LARGEST {
        return Err(Answer::refusal(
            422,
            "Secret values must be smaller than 48 KB",
        ));
    }
    String::from_utf8(plain).map_err(|_| bad())
}

fn workflow_permissions(world: &mut World, call: &Call, id: &str) -> Outcome {
    let repo = call.repo_mut(world);
    let (key, usual) = if id.contains("default-workflow") {
        let usual = json!({ "default_workflow_permissions": "read", "can_approve_pull_request_reviews": false });
        ("idp:workflow", usual)
    } else {
        (
            "idp:actions",
            json!({ "enabled": true, "allowed_actions": "all", "sha_pinning_required": false }),
        )
    };
    let kept = repo.protections.entry(key.to_owned()).or_insert(usual);
    if id.contains("/get-") {
        return Ok(Answer::ok(kept.clone()));
    }
    crate::github::server::mould::set(kept, call.body.clone());
    Ok(Answer::none())
}
