//! Who calls: the App by its JWT, an installation or a person by token; and what each may do.

use std::collections::BTreeSet;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::answer::Answer;
use super::permissions::{Needs, level};
use super::world::{Holder, Permissions, World};

/// Longest life of an App's JWT, in seconds: docs.github.com/apps, "Generating a JSON Web Token (JWT) for a GitHub App".
const LONGEST: i64 = 600;

/// Who makes a call.
#[derive(Clone)]
pub enum Actor {
    Nobody,
    App,
    Token(Holder),
}

impl Actor {
    /// Whose limits it spends.
    pub fn budget(&self, world: &World) -> String {
        match self {
            Self::Nobody => "anonymous".to_owned(),
            Self::App => format!("app ID {}", world.app.id),
            Self::Token(Holder::Installation { .. }) => {
                format!("installation ID {}", world.app.installation)
            }
            Self::Token(Holder::Classic { login, .. } | Holder::FineGrained { login, .. }) => {
                let id = world.users.get(login).map_or(0, |user| user.id);
                format!("user ID {id}")
            }
        }
    }

    /// Who commits, comments and the like.
    pub fn login(&self, world: &World) -> String {
        match self {
            Self::Token(Holder::Classic { login, .. } | Holder::FineGrained { login, .. }) => {
                login.clone()
            }
            _ => format!("{}[bot]", world.app.slug),
        }
    }
}

/// Reads the `Authorization` header.
pub fn actor(world: &World, header: Option<&str>) -> Result<Actor, Answer> {
    let Some(header) = header else {
        return Ok(Actor::Nobody);
    };
    let (scheme, rest) = header.split_once(' ').unwrap_or((header, ""));
    let token = match scheme.to_ascii_lowercase().as_str() {
        "bearer" | "token" => rest.trim().to_owned(),
        "basic" => basic(rest).ok_or_else(Answer::bad_credentials)?,
        _ => return Err(Answer::bad_credentials()),
    };
    if token.matches('.').count() == 2 {
        return jwt(world, &token).map(|()| Actor::App);
    }
    holder(world, &token).map(Actor::Token)
}

/// The password of a basic header: git sends the token there.
fn basic(text: &str) -> Option<String> {
    let decoded = String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()?;
    Some(decoded.split_once(':')?.1.to_owned())
}

fn holder(world: &World, token: &str) -> Result<Holder, Answer> {
    let known = world
        .tokens
        .get(token)
        .ok_or_else(Answer::bad_credentials)?;
    if known.expires.is_some_and(|expires| world.now() >= expires) {
        return Err(Answer::bad_credentials());
    }
    if matches!(known.holder, Holder::Installation { .. }) {
        if !world.app.installed {
            return Err(Answer::bad_credentials());
        }
        if world.app.suspended {
            return Err(Answer::refusal(403, "This installation has been suspended"));
        }
    }
    Ok(known.holder.clone())
}

/// Checks an App's JWT as GitHub does, in its words.
fn jwt(world: &World, token: &str) -> Result<(), Answer> {
    let refuse = |why: &str| Err(Answer::refusal(401, why));
    let undecodable = "A JSON web token could not be decoded";
    let parts: Vec<&str> = token.split('.').collect();
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    let json = |part: &str| serde_json::from_slice::<Value>(&decode(part)?).ok();
    let (Some(head), Some(claims), Some(signature)) =
        (json(parts[0]), json(parts[1]), decode(parts[2]))
    else {
        return refuse(undecodable);
    };
    let signed = format!("{}.{}", parts[0], parts[1]);
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &world.app.key);
    if head["alg"] != "RS256" || key.verify(signed.as_bytes(), &signature).is_err() {
        return refuse(undecodable);
    }
    let now = world.now().timestamp();
    let Some(expires) = claims["exp"].as_i64().filter(|exp| *exp > now) else {
        return refuse(
            "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the \
             assertion expires",
        );
    };
    // Measured from our clock, not from `iat`: a clock that runs ahead is refused too.
    if expires > now + LONGEST {
        return refuse("'Expiration time' claim ('exp') is too far in the future");
    }
    if claims["iat"].as_i64().is_none_or(|iat| iat > now) {
        return refuse(
            "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
        );
    }
    let issuer = match &claims["iss"] {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return refuse("Missing 'issuer' claim ('iss') in assertion"),
    };
    if issuer != world.app.id.to_string() && issuer != world.app.client_id {
        return Err(Answer::refusal(404, "Integration not found"));
    }
    Ok(())
}

/// Whether the actor holds what the operation needs; `public` for reading what everybody may read.
pub fn may(world: &World, actor: &Actor, needs: &Needs, public: bool) -> Result<(), Answer> {
    let wanted = |message: &str| {
        Answer::refusal(403, message).with("x-accepted-github-permissions", needs.header())
    };
    match actor {
        Actor::App => Err(Answer::refusal(
            401,
            "A JSON web token could not be decoded",
        )),
        Actor::Nobody if public => Ok(()),
        Actor::Nobody if needs.person => Err(Answer::refusal(401, "Requires authentication")),
        Actor::Nobody => Err(Answer::not_found()),
        Actor::Token(Holder::Installation { permissions, .. }) => {
            if needs.person || !public && !needs.met(permissions) {
                return Err(wanted("Resource not accessible by integration"));
            }
            Ok(())
        }
        Actor::Token(Holder::FineGrained { login, permissions }) => {
            if !public && !needs.met(permissions) {
                return Err(wanted("Resource not accessible by personal access token"));
            }
            person_may(world, login, needs, public)
        }
        Actor::Token(Holder::Classic { login, scopes }) => {
            if !public && !needs.scopes_met(scopes) {
                return Err(Answer::refusal(
                    403,
                    format!(
                        "Your token has not been granted the required scopes to execute this query. Needed: {}",
                        needs.scopes().join(", ")
                    ),
                ));
            }
            person_may(world, login, needs, public)
        }
    }
}

/// What the token allows, the person behind it must be allowed too.
fn person_may(world: &World, login: &str, needs: &Needs, public: bool) -> Result<(), Answer> {
    if public || world.is_admin(login) || !needs.writes() {
        return Ok(());
    }
    let message = if needs.names("administration") {
        "Must have admin rights to Repository."
    } else {
        "Must have write access to Repository."
    };
    Err(Answer::refusal(403, message))
}

/// Whether the actor can see a repository at all.
pub fn sees(world: &World, actor: &Actor, repo: u64) -> bool {
    let Some(repo) = world.repos.get(&repo) else {
        return false;
    };
    let within =
        |some: &Option<BTreeSet<u64>>| some.as_ref().is_none_or(|ids| ids.contains(&repo.id));
    if repo.visibility == "public" {
        return true;
    }
    match actor {
        Actor::Nobody | Actor::App => false,
        Actor::Token(Holder::Installation { repositories, .. }) => {
            repo.owner == world.org.login && within(&world.app.selected) && within(repositories)
        }
        Actor::Token(Holder::Classic { login, .. } | Holder::FineGrained { login, .. }) => {
            let in_team = repo.teams.keys().any(|slug| {
                world
                    .org
                    .teams
                    .get(slug)
                    .is_some_and(|team| team.members.contains(login))
            });
            repo.owner == *login
                || repo.collaborators.contains_key(login)
                || repo.owner == world.org.login
                    && (world.is_admin(login)
                        || in_team
                        || repo.visibility == "internal" && world.org.members.contains_key(login))
        }
    }
}

/// Whether the actor may push, and whether it may push workflows.
pub fn pushes(world: &World, actor: &Actor, repo: u64) -> (bool, bool) {
    if !sees(world, actor, repo) {
        return (false, false);
    }
    let allows = |permissions: &Permissions, name: &str| {
        level(permissions.get(name).map(String::as_str)) >= level(Some("write"))
    };
    match actor {
        Actor::Nobody | Actor::App => (false, false),
        Actor::Token(Holder::Installation { permissions, .. }) => (
            allows(permissions, "contents"),
            allows(permissions, "workflows"),
        ),
        Actor::Token(Holder::FineGrained { login, permissions }) => {
            let may = allows(permissions, "contents") && writes(world, login, repo);
            (may, may && allows(permissions, "workflows"))
        }
        Actor::Token(Holder::Classic { login, scopes }) => {
            let may = scopes.iter().any(|scope| scope == "repo") && writes(world, login, repo);
            (may, may && scopes.iter().any(|scope| scope == "workflow"))
        }
    }
}

fn writes(world: &World, login: &str, repo: u64) -> bool {
    let repo = &world.repos[&repo];
    let enough = |permission: &String| matches!(permission.as_str(), "push" | "maintain" | "admin");
    world.is_admin(login)
        || repo.collaborators.get(login).is_some_and(enough)
        || repo.teams.iter().any(|(slug, permission)| {
            enough(permission)
                && world
                    .org
                    .teams
                    .get(slug)
                    .is_some_and(|team| team.members.contains(login))
        })
}

/// A new token's text, in the form of its kind: `ghs_` for installations, `ghp_` for people.
pub fn new_token(prefix: &str) -> String {
    let mut bytes = [0; 27];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    format!("{prefix}_{}", hex::encode(bytes).get(..36).unwrap())
}

/// When a token of an installation made now expires: after one hour.
pub fn expiry(now: DateTime<Utc>) -> DateTime<Utc> {
    now + chrono::TimeDelta::hours(1)
}
