//! Real git over smart HTTP: who may fetch, who may push what, and `git http-backend` for the rest.
//!
//! A push is looked at before git gets it: its objects go into a repository of their own that borrows from the real
//! one, and a refusal is reported in the protocol's own words, as GitHub does.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;

use super::api::Request;
use super::auth::{self, Actor};
use super::bare;
use super::levers::Trouble;
use super::ops::{active, covers};
use super::world::{Holder, Kind, Logged, World};

const NOTHING: &str = "0000000000000000000000000000000000000000";

/// How long one conversation may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// Bytes with a type, for git.
pub struct Said {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub bytes: Vec<u8>,
}

impl Said {
    fn text(status: u16, text: &str) -> Self {
        Self {
            status,
            headers: vec![("content-type", "text/plain; charset=utf-8".to_owned())],
            bytes: text.as_bytes().to_vec(),
        }
    }
}

/// `/OWNER/NAME(.git)/SERVICE`, if the path is one.
pub fn parts(path: &str) -> Option<(String, String, &'static str)> {
    let mut parts = path.trim_start_matches('/').splitn(3, '/');
    let (owner, name, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let service = ["info/refs", "git-upload-pack", "git-receive-pack"]
        .into_iter()
        .find(|known| *known == rest)?;
    let name = name.strip_suffix(".git").unwrap_or(name);
    Some((owner.to_owned(), name.to_owned(), service))
}

/// What a request may do, decided under the lock.
struct Entry {
    repo: u64,
    dir: PathBuf,
    pushes: bool,
    was_empty: bool,
    policy: Policy,
}

/// What a push is held to.
struct Policy {
    workflows: bool,
    /// How the pusher is called in a refusal about workflows.
    pusher: (&'static str, &'static str),
    rulesets: Vec<Value>,
    protected: Vec<String>,
    default_branch: String,
    rules_page: String,
}

/// Answers git; none where the connection is to break.
pub async fn answer(world: &Arc<Mutex<World>>, request: Request) -> Option<Said> {
    let (owner, name, service) = parts(&request.path)?;
    let pushes = service == "git-receive-pack" || request.query.contains("git-receive-pack");
    let lever = match service {
        "git-receive-pack" => "git",
        "info/refs" => "git/info",
        _ => "git/fetch",
    };
    let (entered, trouble, logged) = {
        let mut world = world.lock().unwrap();
        let logged = world.log.len();
        let at = world.now();
        world.log.push(Logged {
            kind: Kind::Git,
            method: request.method.clone(),
            path: request.path.clone(),
            operation: lever.to_owned(),
            status: None,
            at,
        });
        let trouble = world.levers.take(lever);
        (
            enter(&world, &request, (&owner, &name, service), pushes),
            trouble,
            logged,
        )
    };
    let said = match (trouble, entered) {
        (Some(Trouble::BreakBefore), _) => return None,
        (Some(Trouble::Status(status)), _) => Said::text(status, "Server Error"),
        (_, Err(said)) => said,
        (_, Ok(entry)) => serve(world, entry, request, service).await,
    };
    if trouble == Some(Trouble::BreakAfter) {
        return None;
    }
    world.lock().unwrap().log[logged].status = Some(said.status);
    Some(said)
}

fn enter(
    world: &World,
    request: &Request,
    (owner, name, service): (&str, &str, &str),
    pushes: bool,
) -> Result<Entry, Said> {
    let unknown = || {
        let mut said = Said::text(401, "Repository not found.");
        said.headers
            .push(("www-authenticate", "Basic realm=\"GitHub\"".to_owned()));
        said
    };
    let actor = auth::actor(world, request.header("authorization")).map_err(|_| {
        let mut said = unknown();
        said.bytes = b"remote: Invalid username or token. Password authentication is not supported for Git operations.".to_vec();
        said
    })?;
    let anonymous = matches!(actor, Actor::Nobody);
    let missing = || {
        if anonymous {
            unknown()
        } else {
            Said::text(404, "remote: Repository not found.")
        }
    };
    let Some(repo) = world.repo_at(owner, name) else {
        let moved = world.moved.get(&format!("{owner}/{name}").to_lowercase());
        let Some(id) = moved.filter(|id| auth::sees(world, &actor, **id)) else {
            return Err(missing());
        };
        // git follows at the first request, and stays there.
        let query = if request.query.is_empty() {
            String::new()
        } else {
            format!("?{}", request.query)
        };
        let mut said = Said::text(301, "");
        let to = format!(
            "{}/{}.git/{service}{query}",
            world.web,
            world.repos[id].full_name()
        );
        said.headers.push(("location", to));
        return Err(said);
    };
    if !auth::sees(world, &actor, repo.id) {
        return Err(missing());
    }
    let reads = match &actor {
        Actor::Token(
            Holder::Installation { permissions, .. } | Holder::FineGrained { permissions, .. },
        ) => permissions.contains_key("contents") || repo.visibility == "public",
        Actor::Token(Holder::Classic { scopes, .. }) => {
            repo.visibility == "public" || scopes.iter().any(|scope| scope == "repo")
        }
        Actor::Nobody | Actor::App => repo.visibility == "public",
    };
    if !reads {
        return Err(missing());
    }
    let (may_push, may_workflows) = auth::pushes(world, &actor, repo.id);
    if pushes && anonymous {
        return Err(unknown());
    }
    if pushes && !may_push {
        return Err(Said::text(
            403,
            "remote: Write access to repository not granted.",
        ));
    }
    if pushes && repo.archived {
        return Err(Said::text(
            403,
            "remote: This repository was archived so it is read-only.",
        ));
    }
    Ok(Entry {
        repo: repo.id,
        dir: repo.dir.clone(),
        pushes: service == "git-receive-pack",
        was_empty: bare::is_empty(&repo.dir),
        policy: Policy {
            workflows: may_workflows,
            pusher: match &actor {
                Actor::Token(Holder::Classic { .. }) => {
                    ("a Personal Access Token", "`workflow` scope")
                }
                Actor::Token(Holder::FineGrained { .. }) => {
                    ("a Personal Access Token", "`workflows` permission")
                }
                _ => ("a GitHub App", "`workflows` permission"),
            },
            rulesets: active(world, repo)
                .into_iter()
                .filter(|(ruleset, _)| !bypasses(world, &actor, ruleset))
                .map(|(ruleset, _)| ruleset.clone())
                .collect(),
            protected: repo
                .protections
                .iter()
                .filter(|(_, kept)| kept["required_pull_request_reviews"].is_object())
                .filter(|(_, kept)| {
                    kept["enforce_admins"]["enabled"] == true || !admin(world, &actor)
                })
                .map(|(branch, _)| format!("refs/heads/{branch}"))
                .collect(),
            default_branch: repo.default_branch.clone(),
            rules_page: format!("{}/{}/rules", world.web, repo.full_name()),
        },
    })
}

fn admin(world: &World, actor: &Actor) -> bool {
    matches!(
        actor,
        Actor::Token(Holder::Classic { login, .. } | Holder::FineGrained { login, .. }) if world.is_admin(login)
    )
}

fn bypasses(world: &World, actor: &Actor, ruleset: &Value) -> bool {
    let actors = ruleset["bypass_actors"].as_array().into_iter().flatten();
    actors
        .filter(|one| one["bypass_mode"] != "pull_request")
        .any(|one| match (one["actor_type"].as_str(), actor) {
            (Some("Integration"), Actor::Token(Holder::Installation { .. })) => {
                one["actor_id"].as_u64() == Some(world.app.id)
            }
            (Some("OrganizationAdmin" | "RepositoryRole"), _) => admin(world, actor),
            (
                Some("Team"),
                Actor::Token(Holder::Classic { login, .. } | Holder::FineGrained { login, .. }),
            ) => {
                let teams = world.org.teams.values();
                teams
                    .filter(|team| one["actor_id"].as_u64() == Some(team.id))
                    .any(|team| team.members.contains(login))
            }
            _ => false,
        })
}

async fn serve(
    world: &Arc<Mutex<World>>,
    entry: Entry,
    request: Request,
    service: &'static str,
) -> Said {
    let Entry {
        repo,
        dir,
        pushes,
        was_empty,
        policy,
    } = entry;
    let mut pushed = Vec::new();
    // `0000` alone is a probe that git makes before a large push.
    let mut request = request;
    if pushes && request.body != b"0000" {
        let body = std::mem::take(&mut request.body);
        let place = dir.clone();
        let (body, judged) = tokio::task::spawn_blocking(move || {
            let judged = judge(&place, &body, &policy);
            (body, judged)
        })
        .await
        .unwrap();
        match judged {
            Ok(refs) => pushed = refs,
            Err(report) => {
                return Said {
                    status: 200,
                    headers: vec![(
                        "content-type",
                        "application/x-git-receive-pack-result".to_owned(),
                    )],
                    bytes: report,
                };
            }
        }
        request.body = body;
    }
    let said = backend(&dir, &request, service).await;
    if !pushed.is_empty() {
        let mut world = world.lock().unwrap();
        let now = world.now();
        // It may have been deleted meanwhile.
        if let Some(repo) = world.repos.get_mut(&repo) {
            repo.pushed = now;
            let branch = pushed
                .iter()
                .find_map(|name| name.strip_prefix("refs/heads/"));
            let default = format!("heads/{}", repo.default_branch);
            if let (true, Some(branch), None) = (was_empty, branch, bare::commit(&dir, &default)) {
                // The first branch of an empty repository becomes its default one.
                let _unborn = bare::git(
                    &dir,
                    &["symbolic-ref", "HEAD", &format!("refs/heads/{branch}")],
                );
                branch.clone_into(&mut repo.default_branch);
            }
        }
    }
    said
}

/// One ref that a push moves.
struct Move {
    old: String,
    new: String,
    name: String,
}

/// The refs that a push moves, or the report that refuses it.
fn judge(dir: &Path, body: &[u8], policy: &Policy) -> Result<Vec<String>, Vec<u8>> {
    let Some((moves, capabilities, pack)) = commands(body) else {
        return Ok(Vec::new());
    };
    let quarantine = tempfile::tempdir().unwrap();
    let place = quarantine.path();
    bare::init(place, "main");
    let objects = dir.join("objects");
    std::fs::write(
        place.join("objects/info/alternates"),
        format!("{}\n", objects.display()),
    )
    .unwrap();
    if !pack.is_empty() {
        let mut index = bare::command(place);
        index.args(["index-pack", "--stdin", "--fix-thin"]);
        if bare::feed(index, pack).is_err() {
            // git says better what is wrong with it.
            return Ok(Vec::new());
        }
    }
    let mut refused = Vec::new();
    let mut said = String::new();
    for one in &moves {
        if let Some((reason, text)) = refuse(place, one, policy) {
            refused.push((one.name.clone(), reason));
            said.push_str(&text);
        }
    }
    if refused.is_empty() {
        return Ok(moves.into_iter().map(|one| one.name).collect());
    }
    let mut report = line("unpack ok\n");
    for one in &moves {
        let reason = refused.iter().find(|(name, _)| *name == one.name);
        let reason = reason.map_or("push declined", |(_, reason)| reason);
        report.extend(line(&format!("ng {} {reason}\n", one.name)));
    }
    report.extend(b"0000");
    Err(if capabilities.contains("side-band-64k") {
        banded(&said, &report)
    } else {
        report
    })
}

/// Why a ref may not move, in one line and in the lines before it.
fn refuse(place: &Path, one: &Move, policy: &Policy) -> Option<(String, String)> {
    let creates = one.old == NOTHING;
    let deletes = one.new == NOTHING;
    if !deletes && !policy.workflows {
        let changed = if creates {
            bare::git(place, &["ls-tree", "-r", "--name-only", &one.new])
        } else {
            bare::git(
                place,
                &["diff", "--name-only", "--no-renames", &one.old, &one.new],
            )
        };
        let changed = changed.unwrap_or_default();
        if let Some(path) = changed
            .lines()
            .find(|path| path.starts_with(".github/workflows/"))
        {
            let (who, what) = policy.pusher;
            let reason = format!(
                "refusing to allow {who} to create or update workflow `{path}` without {what}"
            );
            return Some((reason, String::new()));
        }
    }
    let mut broken = Vec::new();
    for ruleset in policy
        .rulesets
        .iter()
        .filter(|one_of| covers(one_of, &one.name, &policy.default_branch))
    {
        for rule in ruleset["rules"].as_array().into_iter().flatten() {
            let forced = || {
                !creates
                    && !deletes
                    && bare::git(place, &["merge-base", "--is-ancestor", &one.old, &one.new])
                        .is_none()
            };
            let why = match rule["type"].as_str() {
                Some("pull_request") if !deletes => "Changes must be made through a pull request.",
                Some("creation") if creates => {
                    "Cannot create ref due to creations being restricted."
                }
                Some("deletion") if deletes => "Cannot delete this branch",
                Some("update") if !creates => "Cannot update this protected ref.",
                Some("non_fast_forward") if forced() => "Cannot force-push to this branch",
                Some("required_signatures") if !deletes => "Commits must have verified signatures.",
                Some("required_status_checks")
                    if !(deletes
                        || creates && rule["parameters"]["do_not_enforce_on_create"] == true) =>
                {
                    "Required status checks are expected."
                }
                _ => continue,
            };
            broken.push(why);
        }
    }
    if !broken.is_empty() {
        let page = format!("{}?ref={}", policy.rules_page, one.name.replace('/', "%2F"));
        let mut text = format!(
            "error: GH013: Repository rule violations found for {}.\nReview all repository rules at {page}\n\n",
            one.name
        );
        for why in broken {
            text.push_str(&format!("- {why}\n\n"));
        }
        return Some((
            "push declined due to repository rule violations".to_owned(),
            text,
        ));
    }
    if policy.protected.contains(&one.name) {
        let text = format!(
            "error: GH006: Protected branch update failed for {}.\n",
            one.name
        );
        return Some(("protected branch hook declined".to_owned(), text));
    }
    None
}

/// The commands of a push (gitprotocol-pack), its capabilities, and the pack that follows.
fn commands(mut body: &[u8]) -> Option<(Vec<Move>, String, &[u8])> {
    let (mut moves, mut capabilities) = (Vec::new(), String::new());
    let next = |body: &mut &[u8]| -> Option<Option<String>> {
        let length = usize::from_str_radix(std::str::from_utf8(body.get(..4)?).ok()?, 16).ok()?;
        if length < 4 {
            *body = &body[4..];
            return Some(None);
        }
        let text = String::from_utf8_lossy(body.get(4..length)?).into_owned();
        *body = &body[length..];
        Some(Some(text))
    };
    while let Some(text) = next(&mut body)? {
        let (command, rest) = text.split_once('\0').unwrap_or((&text, ""));
        if !rest.is_empty() {
            rest.clone_into(&mut capabilities);
        }
        let mut words = command.trim_end().splitn(3, ' ');
        if let (Some(old), Some(new), Some(name)) = (words.next(), words.next(), words.next()) {
            moves.push(Move {
                old: old.to_owned(),
                new: new.to_owned(),
                name: name.to_owned(),
            });
        }
    }
    if capabilities.contains("push-options") {
        while next(&mut body)?.is_some() {}
    }
    Some((moves, capabilities, body))
}

fn line(text: &str) -> Vec<u8> {
    format!("{:04x}{text}", text.len() + 4).into_bytes()
}

/// A report on the first band, what people read on the second.
fn banded(said: &str, report: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    let mut band = |number: u8, bytes: &[u8]| {
        all.extend(format!("{:04x}", bytes.len() + 5).into_bytes());
        all.push(number);
        all.extend(bytes);
    };
    if !said.is_empty() {
        band(2, said.as_bytes());
    }
    band(1, report);
    all.extend(b"0000");
    all
}

/// The program and those that it starts, ended as one when the conversation is over or given up.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(id) = self.0 {
            let _gone_already = kill_process_group(id, Signal::TERM);
        }
    }
}

/// `CONTENT_LENGTH` is left out on purpose: told one, `git http-backend` waits for ever where a body breaks off.
async fn backend(dir: &Path, request: &Request, service: &str) -> Said {
    let folder = dir.file_name().unwrap().to_string_lossy().into_owned();
    let mut command = bare::command(dir.parent().unwrap());
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", dir.parent().unwrap())
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GATEWAY_INTERFACE", "CGI/1.1")
        .env("SERVER_PROTOCOL", "HTTP/1.1")
        .env("REQUEST_METHOD", &request.method)
        .env("PATH_INFO", format!("/{folder}/{service}"))
        .env("QUERY_STRING", &request.query)
        .env("REMOTE_USER", "github")
        .env("REMOTE_ADDR", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for (header, variable) in [
        ("content-type", "CONTENT_TYPE"),
        ("content-encoding", "HTTP_CONTENT_ENCODING"),
        ("git-protocol", "GIT_PROTOCOL"),
    ] {
        if let Some(value) = request.header(header) {
            command.env(variable, value);
        }
    }
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = tokio::process::Command::from(command).spawn().unwrap();
    let id = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .and_then(Pid::from_raw);
    let mut group = Group(id);
    let mut stdin = child.stdin.take().unwrap();
    let feed = async move {
        let _enough = stdin.write_all(&request.body).await;
        drop(stdin);
    };
    let talk = tokio::time::timeout(PATIENCE, async {
        tokio::join!(feed, child.wait_with_output()).1
    });
    let Ok(Ok(output)) = talk.await else {
        return Said::text(504, "Git took too long.");
    };
    group.0 = None;
    cgi(&output.stdout)
}

fn cgi(output: &[u8]) -> Said {
    let split = output.windows(4).position(|four| four == b"\r\n\r\n");
    let Some(split) = split else {
        return Said::text(502, "Git broke off.");
    };
    let mut said = Said {
        status: 200,
        headers: Vec::new(),
        bytes: output[split + 4..].to_vec(),
    };
    for header in String::from_utf8_lossy(&output[..split]).lines() {
        let Some((name, value)) = header.split_once(':') else {
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "status" => {
                said.status = value
                    .trim()
                    .split(' ')
                    .next()
                    .and_then(|code| code.parse().ok())
                    .unwrap_or(502)
            }
            "content-type" => said.headers.push(("content-type", value.trim().to_owned())),
            "cache-control" => said
                .headers
                .push(("cache-control", value.trim().to_owned())),
            _ => {}
        }
    }
    said
}
