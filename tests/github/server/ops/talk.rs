//! What is said about commits and pull requests: statuses and comments.

use serde_json::{Value, json};

use super::{Call, not_built};
use crate::github::server::answer::{Answer, Outcome};
use crate::github::server::bare;
use crate::github::server::mould::set;
use crate::github::server::world::{World, node_id, stamp};

pub fn handle(world: &mut World, call: &Call, id: &str) -> Outcome {
    let repo = call.repo(world);
    let (full_name, login) = (repo.full_name(), call.actor.login(world));
    if let Some(number) = call.path.get("issue_number") {
        let number: u64 = number.parse().unwrap_or_default();
        return on_pull_request(world, call, number, id);
    }
    if call.path.contains_key("comment_id") {
        return one(world, call, id);
    }
    let name = ["sha", "commit_sha", "ref"]
        .iter()
        .find_map(|name| call.path.get(*name))
        .map_or("", |name| name);
    let no_commit = || Answer::refusal(422, format!("No commit found for SHA: {name}"));
    let sha = bare::commit(&repo.dir, name).ok_or_else(no_commit)?;
    let of = |list: &[(String, Value)]| -> Vec<Value> {
        list.iter()
            .rev()
            .filter(|(of, _)| *of == sha)
            .map(|(_, value)| value.clone())
            .collect()
    };
    match id {
        "repos/list-commit-statuses-for-ref" => Ok(call.page(&of(&repo.statuses))),
        "repos/list-comments-for-commit" => Ok(call.page(&of(&repo.comments))),
        "repos/get-combined-status-for-ref" => {
            let mut newest: Vec<Value> = Vec::new();
            for status in of(&repo.statuses) {
                if !newest
                    .iter()
                    .any(|kept| kept["context"] == status["context"])
                {
                    newest.push(status);
                }
            }
            let any = |states: &[&str]| {
                newest
                    .iter()
                    .any(|one| states.iter().any(|state| one["state"] == *state))
            };
            let state = if any(&["failure", "error"]) {
                "failure"
            } else if newest.is_empty() || any(&["pending"]) {
                "pending"
            } else {
                "success"
            };
            let mut body = world.cast(
                "combined-commit-status",
                &[("octocat/Hello-World", &full_name)],
            );
            let rights = super::repos::rights(world, &call.actor);
            set(
                &mut body,
                json!({
                    "state": state, "sha": sha, "total_count": newest.len(), "statuses": newest,
                    "repository": world.repo_json(repo, &rights),
                }),
            );
            Ok(Answer::ok(body))
        }
        "repos/create-commit-status" => {
            // docs.github.com/rest/commits/statuses: "There is a limit of 1000 statuses per sha and context"
            let context = call.text("context").unwrap_or("default");
            let kept = of(&repo.statuses);
            if kept.iter().filter(|one| one["context"] == context).count() >= 1000 {
                let why = "This SHA and context has reached the maximum number of statuses.";
                return Err(Answer::invalid(
                    "Validation Failed",
                    "Status",
                    "context",
                    "custom",
                    why,
                ));
            }
            if call
                .text("description")
                .is_some_and(|text| text.chars().count() > 140)
            {
                let why = "description is too long (maximum is 140 characters)";
                return Err(Answer::invalid(
                    "Validation Failed",
                    "Status",
                    "description",
                    "custom",
                    why,
                ));
            }
            let id = world.new_id();
            let now = stamp(world.now());
            let mut body = world.cast("status", &[("octocat/Hello-World", &full_name)]);
            set(
                &mut body,
                json!({
                    "url": format!("{}/repos/{full_name}/statuses/{sha}", world.api), "id": id,
                    "node_id": node_id("SC", id), "state": call.body["state"], "created_at": now, "updated_at": now,
                    "description": call.body.get("description"), "target_url": call.body.get("target_url"),
                    "context": call.text("context").unwrap_or("default"), "creator": world.account(&login),
                }),
            );
            call.repo_mut(world).statuses.push((sha, body.clone()));
            Ok(Answer::json(201, body))
        }
        "repos/create-commit-comment" => {
            let id = world.new_id();
            let now = stamp(world.now());
            let mut body = world.cast("commit-comment", &[("octocat/Hello-World", &full_name)]);
            set(
                &mut body,
                json!({
                    "url": format!("{}/repos/{full_name}/comments/{id}", world.api), "id": id,
                    "html_url": format!("{}/{full_name}/commit/{sha}#commitcomment-{id}", world.web),
                    "node_id": node_id("CC", id), "body": call.body["body"], "commit_id": sha, "path": null,
                    "position": null, "line": null, "user": world.account(&login), "created_at": now,
                    "updated_at": now,
                }),
            );
            limited(&body)?;
            call.repo_mut(world).comments.push((sha, body.clone()));
            Ok(Answer::json(201, body))
        }
        _ => not_built(world, id),
    }
}

/// GitHub's words for a comment that is too long.
fn limited(comment: &Value) -> Result<(), Answer> {
    let text = comment["body"].as_str().unwrap_or_default();
    if text.trim().is_empty() {
        return Err(Answer::invalid(
            "Validation Failed",
            "IssueComment",
            "body",
            "missing_field",
            "",
        ));
    }
    if text.chars().count() > 65_536 {
        let why = "body is too long (maximum is 65536 characters)";
        return Err(Answer::invalid(
            "Validation Failed",
            "IssueComment",
            "body",
            "unprocessable",
            why,
        ));
    }
    Ok(())
}

/// Comments of a pull request, which is an issue with the same number.
fn on_pull_request(world: &mut World, call: &Call, number: u64, id: &str) -> Outcome {
    let repo = call.repo(world);
    let full_name = repo.full_name();
    if !repo.pulls.contains(&number) {
        return Err(Answer::not_found());
    }
    match id {
        "issues/list-comments" => {
            let all = repo.talk.iter().filter(|(of, _)| *of == number);
            let all: Vec<Value> = all.map(|(_, comment)| comment.clone()).collect();
            Ok(call.page(&all))
        }
        "issues/create-comment" => {
            let (login, id, now) = (call.actor.login(world), world.new_id(), stamp(world.now()));
            let mut body = world.cast("issue-comment", &[("octocat/Hello-World", &full_name)]);
            set(
                &mut body,
                json!({
                    "id": id, "node_id": node_id("IC", id), "body": call.body["body"], "user": world.account(&login),
                    "url": format!("{}/repos/{full_name}/issues/comments/{id}", world.api),
                    "html_url": format!("{}/{full_name}/pull/{number}#issuecomment-{id}", world.web),
                    "issue_url": format!("{}/repos/{full_name}/issues/{number}", world.api),
                    "created_at": now, "updated_at": now,
                }),
            );
            limited(&body)?;
            call.repo_mut(world).talk.push((number, body.clone()));
            Ok(Answer::json(201, body))
        }
        _ => not_built(world, id),
    }
}

/// One comment by its number: whoever wrote it, or an administrator, changes it and takes it away.
fn one(world: &mut World, call: &Call, id: &str) -> Outcome {
    let wanted: u64 = call.at("comment_id").parse().unwrap_or_default();
    let now = stamp(world.now());
    let of_commit = id.starts_with("repos/");
    let repo = call.repo_mut(world);
    let place = repo.talk.iter().position(|(_, one)| one["id"] == wanted);
    let place_of_commit = repo
        .comments
        .iter()
        .position(|(_, one)| one["id"] == wanted);
    let place = if of_commit { place_of_commit } else { place };
    let place = place.ok_or_else(Answer::not_found)?;
    match id {
        "issues/update-comment" | "repos/update-commit-comment" => {
            let kept = if of_commit {
                &mut repo.comments[place].1
            } else {
                &mut repo.talk[place].1
            };
            let mut fresh = kept.clone();
            set(
                &mut fresh,
                json!({ "body": call.body["body"], "updated_at": now }),
            );
            limited(&fresh)?;
            *kept = fresh.clone();
            Ok(Answer::ok(fresh))
        }
        "issues/delete-comment" => {
            repo.talk.remove(place);
            Ok(Answer::none())
        }
        "repos/delete-commit-comment" => {
            repo.comments.remove(place);
            Ok(Answer::none())
        }
        _ => not_built(world, id),
    }
}
