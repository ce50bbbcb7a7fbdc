//! The ruleset over the default branch: one per repository, known by its name.

use http::Method;
use serde_json::{Value, json};

use super::api::Call;
use super::part;
use super::refused;
use super::settle::Told;
use crate::clients::forge::{Bypass, ForgeError, Protection};

/// The ruleset that is ours.
const NAME: &str = "idp: default branch";

/// Makes the ruleset, or brings it in line.
pub(super) async fn protect(told: &Told<'_>, protection: &Protection) -> Result<(), ForgeError> {
    let mut actors = Vec::with_capacity(protection.bypass.len() + 1);
    for who in &protection.bypass {
        actors.push(actor(told, who).await?);
    }
    if !protection.for_admins {
        actors.push(
            json!({ "actor_id": 1, "actor_type": "OrganizationAdmin", "bypass_mode": "always" }),
        );
    }
    let body = body(protection, &actors);
    let listed = told
        .read("/rulesets?includes_parents=false&per_page=100")
        .await?;
    let ours = listed
        .as_array()
        .and_then(|all| all.iter().find(|one| one["name"] == NAME));
    match ours.and_then(|one| one["id"].as_u64()) {
        Some(id) => {
            told.write(Method::PUT, &format!("/rulesets/{id}"), Some(body))
                .await?
        }
        None => told.write(Method::POST, "/rulesets", Some(body)).await?,
    };
    Ok(())
}

async fn actor(told: &Told<'_>, who: &Bypass) -> Result<Value, ForgeError> {
    let (path, kind, name) = match who {
        Bypass::Team(team) => (
            format!("/orgs/{}/teams/{}", part(told.repo.owner()), part(team)),
            "Team",
            team,
        ),
        Bypass::User(login) => (format!("/users/{}", part(login)), "User", login),
        Bypass::App(app) => (format!("/apps/{}", part(app)), "Integration", app),
    };
    let found = told.api.must(Call::get(path, told.rights, told.repo)).await;
    let found = found.map_err(|error| match error {
        ForgeError::Missing { .. } => {
            refused(format!("it knows no {} {name}", kind.to_lowercase()))
        }
        other => other,
    })?;
    Ok(json!({ "actor_id": found.body["id"], "actor_type": kind, "bypass_mode": "pull_request" }))
}

fn body(protection: &Protection, actors: &[Value]) -> Value {
    let mut rules = vec![
        json!({ "type": "deletion" }),
        json!({ "type": "non_fast_forward" }),
        json!({ "type": "pull_request", "parameters": {
            "required_approving_review_count": protection.approvals,
            "require_code_owner_review": protection.code_owners,
            "dismiss_stale_reviews_on_push": protection.dismiss_stale,
            "require_last_push_approval": protection.last_push,
            "required_review_thread_resolution": protection.conversations,
        }}),
    ];
    if !protection.checks.is_empty() {
        let checks: Vec<Value> = protection
            .checks
            .iter()
            .map(|check| json!({ "context": check }))
            .collect();
        rules.push(json!({ "type": "required_status_checks", "parameters": {
            "strict_required_status_checks_policy": protection.up_to_date,
            "required_status_checks": checks,
        }}));
    }
    if protection.linear {
        rules.push(json!({ "type": "required_linear_history" }));
    }
    if protection.signed {
        rules.push(json!({ "type": "required_signatures" }));
    }
    json!({
        "name": NAME,
        "target": "branch",
        "enforcement": "active",
        "bypass_actors": actors,
        "conditions": { "ref_name": { "include": ["~DEFAULT_BRANCH"], "exclude": [] } },
        "rules": rules,
    })
}
