//! Rulesets, branch protection and custom properties.

use serde_json::{Value, json};

use super::{Call, not_built};
use crate::github::server::answer::{Answer, Outcome};
use crate::github::server::bare;
use crate::github::server::mould::set;
use crate::github::server::world::{Repo, World, node_id, stamp};

pub fn handle(world: &mut World, call: &Call, id: &str) -> Outcome {
    if call.path.contains_key("org") && !call.at("org").eq_ignore_ascii_case(&world.org.login) {
        return Err(Answer::not_found());
    }
    if id.contains("custom-properties") {
        return properties(world, call, id);
    }
    if id.contains("branch-protection") {
        return protection(world, call, id);
    }
    let ruleset = call.at("ruleset_id").parse::<u64>().unwrap_or_default();
    match id {
        "repos/get-org-rulesets" => {
            let all: Vec<Value> = world.org.rulesets.values().cloned().collect();
            Ok(call.page(&all))
        }
        "repos/get-repo-rulesets" => {
            let mut all: Vec<Value> = call
                .repo(world)
                .rulesets
                .values()
                .cloned()
                .map(brief)
                .collect();
            if call.asked("includes_parents") != Some("false") {
                all.extend(world.org.rulesets.values().cloned().map(brief));
            }
            Ok(call.page(&all))
        }
        "repos/get-repo-ruleset" => {
            let own = call.repo(world).rulesets.get(&ruleset);
            let found = own
                .or_else(|| world.org.rulesets.get(&ruleset))
                .ok_or_else(Answer::not_found)?;
            Ok(Answer::ok(found.clone()))
        }
        "repos/create-repo-ruleset" => {
            let same = |kept: &Value| kept["name"] == call.body["name"];
            if call.repo(world).rulesets.values().any(same) {
                return Err(invalid("Name must be unique"));
            }
            let body = ruleset_json(world, call, None)?;
            let id = body["id"].as_u64().unwrap();
            call.repo_mut(world).rulesets.insert(id, body.clone());
            Ok(Answer::json(201, body))
        }
        "repos/update-repo-ruleset" => {
            if !call.repo(world).rulesets.contains_key(&ruleset) {
                return Err(Answer::not_found());
            }
            let body = ruleset_json(world, call, Some(ruleset))?;
            call.repo_mut(world).rulesets.insert(ruleset, body.clone());
            Ok(Answer::ok(body))
        }
        "repos/delete-repo-ruleset" => {
            call.repo_mut(world)
                .rulesets
                .remove(&ruleset)
                .ok_or_else(Answer::not_found)?;
            Ok(Answer::none())
        }
        "repos/get-branch-rules" => {
            let repo = call.repo(world);
            let name = format!("refs/heads/{}", call.at("branch"));
            let mut all = Vec::new();
            for (kept, source) in active(world, repo) {
                if !covers(kept, &name, &repo.default_branch) {
                    continue;
                }
                for rule in kept["rules"].as_array().into_iter().flatten() {
                    let mut rule = rule.clone();
                    set(
                        &mut rule,
                        json!({
                            "ruleset_source_type": source, "ruleset_source": kept["source"],
                            "ruleset_id": kept["id"],
                        }),
                    );
                    all.push(rule);
                }
            }
            Ok(call.page(&all))
        }
        _ => not_built(world, id),
    }
}

/// Lists leave the rules out.
fn brief(mut ruleset: Value) -> Value {
    for name in ["rules", "conditions", "bypass_actors"] {
        ruleset.as_object_mut().unwrap().remove(name);
    }
    ruleset
}

fn invalid(why: &str) -> Answer {
    let mut answer = Answer::refusal(422, "Validation Failed");
    answer.body.as_mut().unwrap()["errors"] = json!([why]);
    // The description has objects here, GitHub sends sentences: answers are held to the description.
    answer.body.as_mut().unwrap()["errors"] =
        json!([{ "resource": "RepositoryRuleset", "code": "custom", "message": why }]);
    answer
}

fn ruleset_json(world: &mut World, call: &Call, known: Option<u64>) -> Result<Value, Answer> {
    let before = known.map(|id| call.repo(world).rulesets[&id].clone());
    let asked = |name: &str| {
        let given = call.body.get(name).cloned();
        given.or_else(|| before.as_ref().and_then(|kept| kept.get(name).cloned()))
    };
    let rules = asked("rules").unwrap_or_else(|| json!([]));
    let mut kinds: Vec<&str> = rules
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|rule| rule["type"].as_str())
        .collect();
    let all = kinds.len();
    kinds.sort_unstable();
    kinds.dedup();
    if kinds.len() != all {
        return Err(invalid("Rules must be unique by type"));
    }
    let actors = asked("bypass_actors").unwrap_or_else(|| json!([]));
    for actor in actors.as_array().into_iter().flatten() {
        let id = actor["actor_id"].as_u64();
        let there = match actor["actor_type"].as_str() {
            Some("Integration") => id == Some(world.app.id) && world.app.installed,
            Some("Team") => world.org.teams.values().any(|team| Some(team.id) == id),
            _ => true,
        };
        if !there {
            return Err(invalid(
                "Actor must be part of the ruleset source or owner organization",
            ));
        }
    }
    let id = known.unwrap_or_else(|| world.new_id());
    let now = stamp(world.now());
    let full_name = call.repo(world).full_name();
    let mut body = world.cast(
        "repository-ruleset",
        &[("monalisa/my-repo", &full_name), ("/42", &format!("/{id}"))],
    );
    set(
        &mut body,
        json!({
            "id": id, "node_id": node_id("RRS", id), "name": asked("name"), "source": full_name,
            "target": asked("target").unwrap_or_else(|| json!("branch")), "enforcement": asked("enforcement"),
            "bypass_actors": actors, "rules": rules, "updated_at": now,
            "created_at": before.as_ref().map_or(json!(now), |kept| kept["created_at"].clone()),
            "conditions": asked("conditions").unwrap_or_else(|| json!({ "ref_name": { "include": [], "exclude": [] } })),
            "current_user_can_bypass": "never",
        }),
    );
    Ok(body)
}

/// Rulesets that are enforced on a repository, with where they come from.
pub fn active<'w>(world: &'w World, repo: &'w Repo) -> Vec<(&'w Value, &'static str)> {
    let own = repo.rulesets.values().map(|kept| (kept, "Repository"));
    let org = world
        .org
        .rulesets
        .values()
        .map(|kept| (kept, "Organization"));
    own.chain(org)
        .filter(|(kept, _)| {
            kept["enforcement"] == "active" && kept["target"] != "tag" && kept["target"] != "push"
        })
        .collect()
}

/// Whether a ruleset is about a ref.
pub fn covers(ruleset: &Value, name: &str, default_branch: &str) -> bool {
    let names = &ruleset["conditions"]["ref_name"];
    let hits = |list: &Value| {
        list.as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .any(|pattern| match pattern {
                "~ALL" => true,
                "~DEFAULT_BRANCH" => name == format!("refs/heads/{default_branch}"),
                pattern => globset::Glob::new(pattern)
                    .is_ok_and(|glob| glob.compile_matcher().is_match(name)),
            })
    };
    hits(&names["include"]) && !hits(&names["exclude"])
}

fn protection(world: &mut World, call: &Call, id: &str) -> Outcome {
    let branch = call.at("branch").to_owned();
    if bare::commit(&call.repo(world).dir, &format!("heads/{branch}")).is_none() {
        return Err(Answer::refusal(404, "Branch not found"));
    }
    match id {
        "repos/get-branch-protection" => {
            let kept = call.repo(world).protections.get(&branch).cloned();
            kept.map(Answer::ok)
                .ok_or_else(|| Answer::refusal(404, "Branch not protected"))
        }
        "repos/update-branch-protection" => {
            let url = format!(
                "{}/repos/{}/branches/{branch}/protection",
                world.api,
                call.repo(world).full_name()
            );
            let enabled = |name: &str| json!({ "url": format!("{url}/{name}"), "enabled": call.body[name] == true });
            let mut body = json!({ "url": url, "enforce_admins": enabled("enforce_admins") });
            let reviews = &call.body["required_pull_request_reviews"];
            if reviews.is_object() {
                let mut reviews = reviews.clone();
                set(
                    &mut reviews,
                    json!({ "url": format!("{url}/required_pull_request_reviews") }),
                );
                for people in ["dismissal_restrictions", "bypass_pull_request_allowances"] {
                    reviews.as_object_mut().unwrap().remove(people);
                }
                body["required_pull_request_reviews"] = reviews;
            }
            call.repo_mut(world)
                .protections
                .insert(branch, body.clone());
            Ok(Answer::ok(body))
        }
        "repos/delete-branch-protection" => {
            let gone = call.repo_mut(world).protections.remove(&branch);
            gone.map(|_| Answer::none())
                .ok_or_else(|| Answer::refusal(404, "Branch not protected"))
        }
        _ => not_built(world, id),
    }
}

fn properties(world: &mut World, call: &Call, id: &str) -> Outcome {
    match id
        .split("custom-properties-for-repos-")
        .nth(1)
        .unwrap_or_default()
    {
        "get-organization-definitions" => Ok(Answer::ok(Value::Array(
            world.org.properties.values().cloned().collect(),
        ))),
        "get-organization-definition" => {
            let found = world.org.properties.get(call.at("custom_property_name"));
            Ok(Answer::ok(found.ok_or_else(Answer::not_found)?.clone()))
        }
        "create-or-update-organization-definition" => {
            let name = call.at("custom_property_name").to_owned();
            let kept = define(world, &name, &call.body);
            Ok(Answer::ok(kept))
        }
        "create-or-update-organization-definitions" => {
            let asked = call.body["properties"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let kept: Vec<Value> = asked
                .iter()
                .map(|one| {
                    define(
                        world,
                        one["property_name"].as_str().unwrap_or_default(),
                        one,
                    )
                })
                .collect();
            Ok(Answer::ok(Value::Array(kept)))
        }
        "get-repository-values" => {
            let values = call.repo(world).properties.iter();
            let all = values
                .map(|(name, value)| json!({ "property_name": name, "value": value }))
                .collect();
            Ok(Answer::ok(Value::Array(all)))
        }
        "create-or-update-repository-values" => {
            let asked = call.body["properties"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            for one in &asked {
                check_property(
                    world,
                    one["property_name"].as_str().unwrap_or_default(),
                    &one["value"],
                )?;
            }
            let repo = call.repo_mut(world);
            for one in asked {
                let name = one["property_name"].as_str().unwrap_or_default().to_owned();
                if one["value"].is_null() {
                    repo.properties.remove(&name);
                } else {
                    repo.properties.insert(name, one["value"].clone());
                }
            }
            Ok(Answer::none())
        }
        _ => not_built(world, id),
    }
}

fn define(world: &mut World, name: &str, asked: &Value) -> Value {
    let mut kept = asked.clone();
    set(
        &mut kept,
        json!({
            "property_name": name, "source_type": "organization",
            "url": format!("{}/orgs/{}/properties/schema/{name}", world.api, world.org.login),
        }),
    );
    world.org.properties.insert(name.to_owned(), kept.clone());
    kept
}

/// A value fits the organisation's definition, or is refused.
pub fn check_property(world: &World, name: &str, value: &Value) -> Result<(), Answer> {
    let refuse = |why: String| Err(Answer::refusal(422, why));
    let Some(known) = world.org.properties.get(name) else {
        return refuse(format!("Property '{name}' does not exist"));
    };
    let allowed = |value: &Value| {
        known["allowed_values"]
            .as_array()
            .is_some_and(|all| all.contains(value))
    };
    let fits = value.is_null()
        || match known["value_type"].as_str() {
            Some("single_select") => allowed(value),
            Some("multi_select") => value.as_array().is_some_and(|all| all.iter().all(allowed)),
            Some("true_false") => value == "true" || value == "false",
            // docs.github.com/organizations: 75 characters, printable ASCII without `"` and `#`.
            _ => value.as_str().is_some_and(|text| {
                text.len() <= 75
                    && text
                        .chars()
                        .all(|c| (' '..='~').contains(&c) && !matches!(c, '"' | '#'))
            }),
        };
    if fits {
        Ok(())
    } else {
        refuse(format!("Invalid value for property '{name}'"))
    }
}
