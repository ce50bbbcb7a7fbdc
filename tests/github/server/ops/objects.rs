//! Git Data: objects and refs as the API shows them. An empty repository has none, and takes none.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::commits::commit_json;
use super::{Call, not_built};
use crate::github::server::answer::{Answer, Outcome};
use crate::github::server::bare;
use crate::github::server::world::{Repo, World};

pub fn handle(world: &mut World, call: &Call, id: &str) -> Outcome {
    let repo = call.repo(world);
    // github/rest-api-description#637: blobs and trees, too, need a first commit.
    if bare::is_empty(&repo.dir) {
        return Err(Answer::refusal(409, "Git Repository is empty."));
    }
    let base = format!("{}/repos/{}/git", world.api, repo.full_name());
    match id {
        "git/get-ref" => {
            let name = format!("refs/{}", call.at("ref"));
            let sha = bare::git(&repo.dir, &["rev-parse", "-q", "--verify", &name])
                .ok_or_else(Answer::not_found)?;
            Ok(Answer::ok(ref_json(&base, &name, &sha)))
        }
        "git/get-commit" => {
            let sha =
                bare::commit(&repo.dir, call.at("commit_sha")).ok_or_else(Answer::not_found)?;
            Ok(Answer::ok(git_commit(world, repo, &sha)))
        }
        "git/get-tree" => tree(repo, call, &base),
        "git/create-blob" => {
            let text = call.text("content").unwrap_or_default();
            let bytes = match call.text("encoding") {
                Some("base64") => STANDARD
                    .decode(text.replace('\n', ""))
                    .map_err(|_| Answer::refusal(422, "content is not valid Base64"))?,
                _ => text.as_bytes().to_vec(),
            };
            let mut make = bare::command(&repo.dir);
            make.args(["hash-object", "-w", "--stdin"]);
            let sha = bare::feed(make, &bytes).map_err(|why| Answer::refusal(422, why))?;
            Ok(Answer::json(
                201,
                json!({ "sha": sha, "url": format!("{base}/blobs/{sha}") }),
            ))
        }
        "git/create-ref" | "git/update-ref" => move_ref(repo, call, &base, id),
        _ => not_built(world, id),
    }
}

fn ref_json(base: &str, name: &str, sha: &str) -> Value {
    json!({
        "ref": name, "node_id": format!("REF_{sha}"), "url": format!("{base}/{name}"),
        "object": { "type": "commit", "sha": sha, "url": format!("{base}/commits/{sha}") },
    })
}

fn git_commit(world: &World, repo: &Repo, sha: &str) -> Value {
    let shown = commit_json(world, repo, sha);
    let mut body = shown["commit"].clone();
    for name in ["sha", "node_id", "html_url", "parents"] {
        body[name] = shown[name].clone();
    }
    body
}

fn tree(repo: &Repo, call: &Call, base: &str) -> Outcome {
    let name = call.at("tree_sha");
    let found = bare::git(
        &repo.dir,
        &["rev-parse", "-q", "--verify", &format!("{name}^{{tree}}")],
    );
    let sha = found.ok_or_else(Answer::not_found)?;
    let mut args = vec!["ls-tree", "-l"];
    if call.asked("recursive").is_some() {
        args.extend(["-r", "-t"]);
    }
    args.push(&sha);
    let listed = bare::git(&repo.dir, &args).unwrap_or_default();
    let entries: Vec<Value> = listed
        .lines()
        .filter_map(|line| {
            let (head, path) = line.split_once('\t')?;
            let [mode, kind, sha, size] = head.split_whitespace().collect::<Vec<_>>()[..] else {
                return None;
            };
            let mut entry = json!({
                "path": path, "mode": mode, "type": kind, "sha": sha, "url": format!("{base}/{kind}s/{sha}"),
            });
            if let Ok(size) = size.parse::<u64>() {
                entry["size"] = json!(size);
            }
            Some(entry)
        })
        .collect();
    let body = json!({ "sha": sha, "url": format!("{base}/trees/{sha}"), "tree": entries, "truncated": false });
    Ok(Answer::ok(body))
}

fn move_ref(repo: &Repo, call: &Call, base: &str, id: &str) -> Outcome {
    let create = id == "git/create-ref";
    let name = if create {
        call.text("ref").unwrap_or_default().to_owned()
    } else {
        format!("refs/{}", call.at("ref"))
    };
    let sha = call.text("sha").unwrap_or_default();
    let before = bare::git(&repo.dir, &["rev-parse", "-q", "--verify", &name]);
    let refuse = |why: &str| Err(Answer::refusal(422, why));
    if bare::commit(&repo.dir, sha).is_none() {
        return refuse("Object does not exist");
    }
    match &before {
        Some(_) if create => return refuse("Reference already exists"),
        None if !create => return refuse("Reference does not exist"),
        Some(old)
            if call.body["force"] != true
                && bare::git(&repo.dir, &["merge-base", "--is-ancestor", old, sha]).is_none() =>
        {
            return refuse("Update is not a fast forward");
        }
        _ => {}
    }
    if !name.starts_with("refs/heads/") && !name.starts_with("refs/tags/") {
        return refuse("Reference name must start with 'refs/' and have at least two slashes.");
    }
    bare::git(&repo.dir, &["update-ref", &name, sha])
        .ok_or_else(|| Answer::refusal(422, "Reference update failed"))?;
    Ok(Answer::json(
        if create { 201 } else { 200 },
        ref_json(base, &name, sha),
    ))
}
