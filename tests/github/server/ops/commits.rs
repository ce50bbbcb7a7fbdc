//! Branches, commits and files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Call, not_built};
use crate::github::server::answer::{Answer, Outcome};
use crate::github::server::bare;
use crate::github::server::mould::set;
use crate::github::server::world::{Repo, World, node_id, stamp};

pub fn handle(world: &mut World, call: &Call, id: &str) -> Outcome {
    match id {
        "repos/list-branches" => {
            let repo = call.repo(world);
            let all: Vec<Value> = bare::branches(&repo.dir)
                .into_iter()
                .map(|(name, sha)| {
                    let url = format!("{}/repos/{}/commits/{sha}", world.api, repo.full_name());
                    json!({
                        "name": name, "commit": { "sha": sha, "url": url },
                        "protected": repo.protections.contains_key(&name),
                    })
                })
                .collect();
            Ok(call.page(&all))
        }
        "repos/list-tags" => {
            let repo = call.repo(world);
            let at = format!("{}/repos/{}", world.api, repo.full_name());
            let all: Vec<Value> = bare::tags(&repo.dir)
                .into_iter()
                .map(|(name, sha)| {
                    json!({
                        "commit": { "sha": sha, "url": format!("{at}/commits/{sha}") },
                        "zipball_url": format!("{at}/zipball/refs/tags/{name}"),
                        "tarball_url": format!("{at}/tarball/refs/tags/{name}"),
                        "node_id": node_id("REF", repo.id), "name": name,
                    })
                })
                .collect();
            Ok(call.page(&all))
        }
        "repos/get-branch" => {
            let repo = call.repo(world);
            let branch = call.at("branch");
            let sha = bare::commit(&repo.dir, &format!("heads/{branch}"));
            let sha = sha.ok_or_else(|| Answer::refusal(404, "Branch not found"))?;
            let names = [
                ("octocat/Hello-World", &*repo.full_name()),
                ("branches/main", &format!("branches/{branch}")),
            ];
            let mut body = world.cast("branch-get", &names);
            set(
                &mut body,
                json!({
                    "name": branch, "commit": commit_json(world, repo, &sha),
                    "protected": repo.protections.contains_key(branch),
                }),
            );
            Ok(Answer::ok(body))
        }
        "repos/list-commits" => list(world, call),
        "repos/get-commit" => {
            let repo = call.repo(world);
            let sha = found(repo, call.at("ref"))?;
            Ok(Answer::ok(commit_json(world, repo, &sha)))
        }
        "repos/get-content" => content(world, call),
        "repos/create-or-update-file-contents" => put_content(world, call),
        _ => not_built(world, id),
    }
}

/// The commit of a ref; GitHub's words for none.
fn found(repo: &Repo, name: &str) -> Result<String, Answer> {
    if bare::is_empty(&repo.dir) {
        return Err(Answer::refusal(409, "Git Repository is empty."));
    }
    bare::commit(&repo.dir, name)
        .ok_or_else(|| Answer::refusal(422, format!("No commit found for SHA: {name}")))
}

fn list(world: &World, call: &Call) -> Outcome {
    let repo = call.repo(world);
    let from = found(repo, call.asked("sha").unwrap_or(&repo.default_branch))?;
    let log = bare::git(&repo.dir, &["log", "--format=%H", &from]).unwrap_or_default();
    let all: Vec<Value> = log
        .lines()
        .map(|sha| commit_json(world, repo, sha))
        .collect();
    Ok(call.page(&all))
}

/// A commit as the API shows it.
pub fn commit_json(world: &World, repo: &Repo, sha: &str) -> Value {
    let format = "--format=%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%T%x00%P%x00%B";
    let shown = bare::git(&repo.dir, &["show", "-s", format, sha]).unwrap_or_default();
    let mut parts = shown.splitn(9, '\0').map(str::to_owned);
    let mut next = || parts.next().unwrap_or_default();
    let (author, committer) = ([next(), next(), next()], [next(), next(), next()]);
    let (tree, parents, message) = (next(), next(), next());
    let base = format!("{}/repos/{}", world.api, repo.full_name());
    let page = format!("{}/{}/commit", world.web, repo.full_name());
    let who = |[name, email, date]: &[String; 3]| {
        let date = chrono::DateTime::parse_from_rfc3339(date).map(|at| stamp(at.to_utc()));
        json!({ "name": name, "email": email, "date": date.unwrap_or_default() })
    };
    let parents: Vec<Value> = parents
        .split_whitespace()
        .map(|sha| json!({ "sha": sha, "url": format!("{base}/commits/{sha}"), "html_url": format!("{page}/{sha}") }))
        .collect();
    json!({
        "sha": sha, "node_id": format!("C_{sha}"), "url": format!("{base}/commits/{sha}"),
        "html_url": format!("{page}/{sha}"), "comments_url": format!("{base}/commits/{sha}/comments"),
        "author": null, "committer": null, "parents": parents,
        "commit": {
            "url": format!("{base}/git/commits/{sha}"), "author": who(&author), "committer": who(&committer),
            "message": message.trim_end(), "comment_count": 0,
            "tree": { "sha": tree, "url": format!("{base}/git/trees/{tree}") },
            "verification": {
                "verified": false, "reason": "unsigned", "payload": null, "signature": null, "verified_at": null,
            },
        },
    })
}

fn content(world: &World, call: &Call) -> Outcome {
    let repo = call.repo(world);
    let (path, branch) = (
        call.at("path"),
        call.asked("ref").unwrap_or(&repo.default_branch),
    );
    if bare::is_empty(&repo.dir) {
        return Err(Answer::refusal(404, "This repository is empty."));
    }
    let sha = bare::commit(&repo.dir, branch)
        .ok_or_else(|| Answer::refusal(404, format!("No commit found for the ref {branch}")))?;
    let name = format!("{sha}:{path}");
    let blob = bare::git(&repo.dir, &["rev-parse", "-q", "--verify", &name])
        .ok_or_else(Answer::not_found)?;
    if bare::git(&repo.dir, &["cat-file", "-t", &blob]).as_deref() != Some("blob") {
        return Err(Answer::not_found());
    }
    let bytes = bare::command(&repo.dir)
        .args(["cat-file", "blob", &blob])
        .output()
        .unwrap()
        .stdout;
    Ok(Answer::ok(file_json(
        world,
        repo,
        (path, branch),
        &blob,
        Some(&bytes),
    )))
}

fn file_json(
    world: &World,
    repo: &Repo,
    (path, branch): (&str, &str),
    blob: &str,
    bytes: Option<&[u8]>,
) -> Value {
    let url = format!(
        "{}/repos/{}/contents/{path}?ref={branch}",
        world.api,
        repo.full_name()
    );
    let git_url = format!("{}/repos/{}/git/blobs/{blob}", world.api, repo.full_name());
    let html_url = format!("{}/{}/blob/{branch}/{path}", world.web, repo.full_name());
    let mut body = json!({
        "type": "file", "size": bytes.map_or(0, <[u8]>::len), "name": path.rsplit('/').next(), "path": path,
        "sha": blob, "url": url, "git_url": git_url, "html_url": html_url,
        "download_url": format!("{}/{}/raw/{branch}/{path}", world.web, repo.full_name()),
        "_links": { "self": url, "git": git_url, "html": html_url },
    });
    if let Some(bytes) = bytes {
        set(
            &mut body,
            json!({ "encoding": "base64", "content": STANDARD.encode(bytes) }),
        );
    }
    body
}

fn put_content(world: &mut World, call: &Call) -> Outcome {
    let repo = call.repo(world);
    let path = call.at("path");
    let branch = call
        .text("branch")
        .unwrap_or(&repo.default_branch)
        .to_owned();
    let content = STANDARD
        .decode(call.text("content").unwrap_or_default().replace('\n', ""))
        .map_err(|_| Answer::refusal(422, "content is not valid Base64"))?;
    let head = bare::commit(&repo.dir, &format!("heads/{branch}"));
    if head.is_none() && !bare::is_empty(&repo.dir) {
        return Err(Answer::refusal(404, format!("Branch {branch} not found")));
    }
    let before = head.and_then(|head| {
        bare::git(
            &repo.dir,
            &["rev-parse", "-q", "--verify", &format!("{head}:{path}")],
        )
    });
    match (&before, call.text("sha")) {
        (Some(_), None) => {
            return Err(Answer::refusal(
                422,
                "Invalid request.\n\n\"sha\" wasn't supplied.",
            ));
        }
        (before, Some(sha)) if before.as_deref() != Some(sha) => {
            return Err(Answer::refusal(409, format!("{path} does not match {sha}")));
        }
        _ => {}
    }
    let login = call.actor.login(world);
    let by = &call.body["committer"];
    let name = by["name"].as_str().unwrap_or(&login);
    let email = by["email"].as_str().unwrap_or("noreply@github.com");
    let message = call.text("message").unwrap_or_default();
    let (sha, blob) = bare::put_file(&repo.dir, (&branch, path), &content, message, (name, email))
        .map_err(|why| Answer::refusal(422, why))?;
    let shown = commit_json(world, repo, &sha);
    let mut commit = shown["commit"].clone();
    set(
        &mut commit,
        json!({ "sha": sha, "node_id": shown["node_id"], "html_url": shown["html_url"], "parents": shown["parents"] }),
    );
    let file = file_json(world, repo, (path, &branch), &blob, None);
    let body = json!({ "content": file, "commit": commit });
    Ok(Answer::json(if before.is_some() { 200 } else { 201 }, body))
}
