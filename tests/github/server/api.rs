//! One call of the API, from its bytes to its answer: the same checks in the same order for every operation.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::answer::{Answer, Outcome};
use super::auth::{self, Actor};
use super::levers::Trouble;
use super::limits::Asked;
use super::ops::{self, Call};
use super::permissions;
use super::spec::{Matched, spec};
use super::world::{Holder, Kind, Logged, World};

/// What came in.
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// Answers a call; none where the connection is to break.
pub fn answer(world: &mut World, mut request: Request) -> Option<Answer> {
    by_id(world, &mut request);
    let matched = spec().find(&request.method, &request.path);
    let operation = matched
        .as_ref()
        .map_or("", |found| &found.operation.id)
        .to_owned();
    let kind = match &*operation {
        "apps/create-installation-access-token" | "apps/revoke-installation-access-token" => {
            Kind::Auth
        }
        _ if request.method == "GET" => Kind::Read,
        _ => Kind::Write,
    };
    let logged = world.log.len();
    world.log.push(Logged {
        kind,
        method: request.method.clone(),
        path: request.path.clone(),
        operation: operation.clone(),
        status: None,
        at: world.now(),
    });
    let trouble = world.levers.take(&operation);
    if trouble == Some(Trouble::Deleted)
        && let Some(matched) = &matched
        && let (Some(owner), Some(name)) = (matched.path.get("owner"), matched.path.get("repo"))
        && let Some(id) = world.repo_at(owner, name).map(|repo| repo.id)
    {
        world.delete(id);
    }
    let mut answer = match trouble {
        Some(Trouble::BreakBefore) => return None,
        Some(Trouble::Status(status)) => broken(status),
        _ => act(world, &request, matched.as_ref(), kind),
    };
    if trouble == Some(Trouble::BreakAfter) {
        return None;
    }
    document(&mut answer, matched.as_ref());
    if trouble.is_none() {
        check(world, matched.as_ref(), &answer);
    }
    unchanged(world, &request, &mut answer);
    world.log[logged].status = Some(answer.status);
    Some(answer)
}

/// What GitHub's front answers when it can't reach what is behind.
fn broken(status: u16) -> Answer {
    let message = match status {
        502 => "Server Error",
        503 => "Service unavailable",
        _ => "Something went wrong",
    };
    Answer::refusal(status, message)
}

/// `/repositories/ID` is the address that redirects lead to; it stands for the name of the moment.
fn by_id(world: &World, request: &mut Request) {
    let Some(rest) = request.path.strip_prefix("/repositories/") else {
        return;
    };
    let (id, rest) = rest
        .split_once('/')
        .map_or((rest, String::new()), |(id, rest)| (id, format!("/{rest}")));
    if let Some(repo) = id.parse().ok().and_then(|id: u64| world.repos.get(&id)) {
        request.path = format!("/repos/{}{rest}", repo.full_name());
    }
}

fn act(world: &mut World, request: &Request, matched: Option<&Matched>, kind: Kind) -> Answer {
    let header = request.header("authorization");
    let actor = match auth::actor(world, header) {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let who = actor.budget(world);
    let now = world.now();
    let call = format!("{} {}", request.method, request.path);
    let shift = world.shift;
    let verdict = world.limits.admit(&Asked {
        who: &who,
        call: &call,
        write: kind == Kind::Write,
        counts: request.path != "/rate_limit",
        now,
        shift,
    });
    if verdict.too_early {
        world.fault(format!(
            "{call} was refused by a limit and came back before its time"
        ));
    }
    let outcome = match verdict.refusal {
        Some(refusal) => Err(refusal),
        None => perform(world, request, matched, &actor),
    };
    let mut answer = outcome.unwrap_or_else(|refusal| refusal);
    let standing = world.limits.standing(&who, now);
    let names = [
        "x-ratelimit-limit",
        "x-ratelimit-used",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
    ];
    for (name, value) in names.into_iter().zip(standing) {
        answer = answer.with(name, value.to_string());
    }
    if let Actor::Token(Holder::Classic { scopes, .. }) = &actor {
        answer = answer.with("x-oauth-scopes", scopes.join(", "));
        let needs = matched.and_then(|found| permissions::needs(&found.operation.id));
        let accepted = needs
            .map(|needs| needs.scopes().join(", "))
            .unwrap_or_default();
        answer = answer.with("x-accepted-oauth-scopes", accepted);
    }
    answer.with("x-ratelimit-resource", "core")
}

fn perform(
    world: &mut World,
    request: &Request,
    matched: Option<&Matched>,
    actor: &Actor,
) -> Outcome {
    if request.header("user-agent").is_none_or(str::is_empty) {
        world.fault(format!(
            "{} {} without User-Agent",
            request.method, request.path
        ));
        return Err(Answer::refusal(
            403,
            "Request forbidden by administrative rules. Please make sure your request has a User-Agent header",
        ));
    }
    if let Some(version) = request.header("x-github-api-version")
        && !["2022-11-28", "2026-03-10"].contains(&version)
    {
        world.fault(format!("there is no version {version} of the API"));
        return Err(Answer::refusal(
            400,
            format!("Version {version} is not supported"),
        ));
    }
    let Some(matched) = matched else {
        world.fault(format!(
            "GitHub has no operation {} {}",
            request.method, request.path
        ));
        return Err(Answer::not_found());
    };
    let (body, query) = read(world, request, matched)?;
    let repo = repository(world, request, matched, actor)?;
    allowed(world, matched, actor, repo)?;
    let id = &matched.operation.id;
    let spares_archived = matches!(id.as_str(), "repos/update" | "repos/delete");
    if let Some(repo) = repo
        && world.repos[&repo].archived
        && request.method != "GET"
        && !spares_archived
    {
        return Err(Answer::refusal(
            403,
            "Repository was archived so is read-only.",
        ));
    }
    let call = Call {
        operation: matched.operation,
        path: matched.path.clone(),
        query,
        body,
        actor: actor.clone(),
        repo: repo.unwrap_or_default(),
        url: format!("{}{}", world.api, request.path),
        accept: request.header("accept").unwrap_or_default().to_owned(),
        token: request
            .header("authorization")
            .and_then(|header| header.split_once(' '))
            .map_or(String::new(), |(_, token)| token.to_owned()),
    };
    ops::handle(world, &call)
}

/// The body and the query, held against the description.
fn read(
    world: &mut World,
    request: &Request,
    matched: &Matched,
) -> Result<(Value, Vec<(String, String)>), Answer> {
    let query: Vec<(String, String)> =
        serde_urlencoded::from_str(&request.query).unwrap_or_default();
    let body = if request.body.is_empty() {
        None
    } else {
        let Ok(body) = serde_json::from_slice::<Value>(&request.body) else {
            world.fault(format!(
                "{} was sent something that is no JSON",
                matched.operation.id
            ));
            return Err(Answer::refusal(400, "Problems parsing JSON"));
        };
        Some(body)
    };
    let complaints = matched
        .operation
        .complaints(&matched.path, &query, body.as_ref());
    if complaints.is_empty() {
        return Ok((body.unwrap_or(Value::Null), query));
    }
    for complaint in &complaints {
        world.fault(format!("{}: {complaint}", matched.operation.id));
    }
    let message = format!("Invalid request.\n\n{}", complaints.join("\n"));
    Err(Answer::refusal(422, message))
}

/// The repository that the path names, if it names one: 404 for what the actor may not see, a redirect for what moved.
fn repository(
    world: &World,
    request: &Request,
    matched: &Matched,
    actor: &Actor,
) -> Result<Option<u64>, Answer> {
    let (Some(owner), Some(name)) = (matched.path.get("owner"), matched.path.get("repo")) else {
        return Ok(None);
    };
    let by_jwt = ops_by_jwt(&matched.operation.id);
    if let Some(repo) = world.repo_at(owner, name) {
        if by_jwt || auth::sees(world, actor, repo.id) {
            return Ok(Some(repo.id));
        }
        return Err(Answer::not_found());
    }
    let old = format!("{owner}/{name}").to_lowercase();
    match world.moved.get(&old) {
        Some(id) if auth::sees(world, actor, *id) => {
            let rest = request
                .path
                .splitn(5, '/')
                .nth(4)
                .map_or(String::new(), |rest| format!("/{rest}"));
            let query = if request.query.is_empty() {
                String::new()
            } else {
                format!("?{}", request.query)
            };
            let url = format!("{}/repositories/{id}{rest}{query}", world.api);
            let (status, message) = if request.method == "GET" {
                (301, "Moved Permanently")
            } else {
                (307, "Temporary Redirect")
            };
            let mut answer = Answer::refusal(status, message);
            answer.body = Some(json!({ "message": message, "url": url }));
            Err(answer.with("location", url))
        }
        _ => Err(Answer::not_found()),
    }
}

fn ops_by_jwt(id: &str) -> bool {
    ops::BY_JWT.contains(&id)
}

fn allowed(
    world: &World,
    matched: &Matched,
    actor: &Actor,
    repo: Option<u64>,
) -> Result<(), Answer> {
    let id = &matched.operation.id;
    if ops_by_jwt(id) {
        return match actor {
            Actor::App => Ok(()),
            _ => Err(Answer::refusal(
                401,
                "A JSON web token could not be decoded",
            )),
        };
    }
    if let Actor::Token(Holder::Installation { .. }) = actor
        && !matched.operation.for_apps
    {
        return Err(Answer::refusal(
            403,
            "Resource not accessible by integration",
        ));
    }
    let Some(needs) = permissions::needs(id) else {
        return Ok(());
    };
    let needs = match actor {
        Actor::Token(Holder::Classic { .. }) => permissions::classic(id, needs),
        _ => needs,
    };
    let public = !needs.writes()
        && !needs.person
        && (needs.header().is_empty()
            || repo.is_some_and(|id| world.repos[&id].visibility == "public"));
    auth::may(world, actor, &needs, public)
}

/// Errors name the page about their operation.
fn document(answer: &mut Answer, matched: Option<&Matched>) {
    if answer.status < 300 {
        return;
    }
    if let Some(Value::Object(body)) = &mut answer.body
        && !body.contains_key("documentation_url")
    {
        let page = matched.map_or("https://docs.github.com/rest", |found| {
            &found.operation.docs
        });
        body.insert("documentation_url".to_owned(), json!(page));
    }
}

/// Our own answers are held to the description as well.
fn check(world: &mut World, matched: Option<&Matched>, answer: &Answer) {
    let Some(matched) = matched else {
        return;
    };
    for complaint in matched
        .operation
        .answer_complaints(answer.status, answer.body.as_ref())
    {
        world.fault(format!(
            "this server's own answer to {}: {complaint}",
            matched.operation.id
        ));
    }
}

/// Answers to reads carry an `ETag`; one that the caller has already costs nothing.
fn unchanged(world: &mut World, request: &Request, answer: &mut Answer) {
    if request.method != "GET" || answer.status != 200 {
        return;
    }
    let Some(body) = &answer.body else {
        return;
    };
    let digest = hex::encode(Sha256::digest(body.to_string()));
    let tag = format!("W/\"{digest}\"");
    let strong = format!("\"{digest}\"");
    let known = request
        .header("if-none-match")
        .is_some_and(|given| given == tag || given == strong);
    answer.headers.push(("etag", tag));
    answer.headers.push((
        "cache-control",
        "private, max-age=60, s-maxage=60".to_owned(),
    ));
    if known {
        (answer.status, answer.body) = (304, None);
        let now = world.now();
        if let Ok(actor) = auth::actor(world, request.header("authorization")) {
            let who = actor.budget(world);
            world.limits.refund(&who, now);
        }
    }
}
