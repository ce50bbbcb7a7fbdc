//! What a delivery of GitHub's means, in the words of `domain`.
//!
//! GitHub sends many kinds of event, each with fields that come and go. Only what is acted on is read, and leniently:
//! a kind that isn't acted on becomes `Event::Other`, and so does one whose fields aren't there.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::verify::Verified;
use crate::domain::event::{Delivery, Event, RepositoryFate, Sender};
use crate::domain::person::Platform;

/// Longest delivery id and event name that are taken, in bytes. GitHub's ids are UUIDs, its longest name has 40 letters.
const MAX_WORD: usize = 100;

/// What GitHub says about a delivery beside it, as received.
#[derive(Debug, Clone, Copy, Default)]
pub struct Headers<'a> {
    /// `X-GitHub-Event`: the kind.
    pub event: Option<&'a str>,
    /// `X-GitHub-Delivery`: the same when a delivery is repeated.
    pub delivery: Option<&'a str>,
    /// `X-GitHub-Hook-Installation-Target-Type`: `integration` for an App's webhook.
    pub target_type: Option<&'a str>,
    /// `X-GitHub-Hook-Installation-Target-ID`: the App's id, if it is one.
    pub target: Option<&'a str>,
}

/// What came.
#[derive(Debug, Clone, PartialEq)]
pub enum Parsed {
    /// GitHub tries whether anybody is here.
    Ping,
    /// Something happened.
    Inbound {
        /// What, for the inbox.
        delivery: Box<Delivery>,
        /// The login of the organisation or person that it happened at.
        login: String,
    },
}

/// Verified, but nothing that GitHub would send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(&'static str);

/// Reads a verified delivery.
pub fn parse(headers: Headers<'_>, delivery: &Verified) -> Result<Parsed, Unreadable> {
    let kind = word(headers.event).ok_or(Unreadable("no event is named"))?;
    let key = word(headers.delivery).ok_or(Unreadable("the delivery has no id"))?;
    let payload = payload(&delivery.0)?;
    if !payload.is_object() {
        return Err(Unreadable("not an object"));
    }
    if kind == "ping" {
        return Ok(Parsed::Ping);
    }
    let account = account(&payload);
    let integration = headers.target_type == Some("integration");
    Ok(Parsed::Inbound {
        login: text(&account["login"]).unwrap_or_default().to_owned(),
        delivery: Box::new(Delivery {
            key: key.to_owned(),
            sender: Sender {
                platform: Platform::Github,
                installation: id(&account["id"]).unwrap_or_default(),
                app: headers
                    .target
                    .filter(|_| integration)
                    .map(ToOwned::to_owned),
                account: String::new(),
                name: None,
                home: None,
                groups: None,
            },
            event: event(kind, &payload),
        }),
    })
}

/// A webhook sends JSON, or a form with the JSON in it, as it was set up.
fn payload(body: &[u8]) -> Result<Value, Unreadable> {
    let json = match body.strip_prefix(b"payload=") {
        None => return serde_json::from_slice(body).map_err(|_| Unreadable("not JSON")),
        Some(_) => serde_urlencoded::from_bytes::<Vec<(String, String)>>(body),
    };
    let fields = json.map_err(|_| Unreadable("not a form"))?;
    let payload = fields.iter().find(|(name, _)| name == "payload");
    let (_, payload) = payload.ok_or(Unreadable("the form has no payload"))?;
    serde_json::from_str(payload).map_err(|_| Unreadable("the payload is not JSON"))
}

/// Where it happened. Its id stays when the organisation is renamed or the App installed anew.
fn account(payload: &Value) -> &Value {
    let places = [
        &payload["organization"],
        &payload["installation"]["account"],
        &payload["repository"]["owner"],
    ];
    let found = places.into_iter().find(|place| place["id"].is_u64());
    found.unwrap_or(&Value::Null)
}

fn event(kind: &str, payload: &Value) -> Event {
    let action = text(&payload["action"]).unwrap_or_default();
    let known = match (kind, action) {
        ("repository", _) => repository(action, payload),
        ("installation", "created" | "unsuspend") => Some(Event::Installed),
        ("installation", "deleted" | "suspend") => Some(Event::Uninstalled),
        ("organization" | "membership" | "team", _) => Some(Event::GroupsChanged),
        _ => None,
    };
    known.unwrap_or_else(|| Event::Other {
        kind: if action.is_empty() {
            kind.to_owned()
        } else {
            format!("{kind}.{action}").chars().take(MAX_WORD).collect()
        },
    })
}

fn repository(action: &str, payload: &Value) -> Option<Event> {
    let fate = match action {
        "created" => RepositoryFate::Created,
        "renamed" => RepositoryFate::Renamed,
        "transferred" => RepositoryFate::Transferred,
        "archived" => RepositoryFate::Archived,
        "unarchived" => RepositoryFate::Unarchived,
        "deleted" => RepositoryFate::Deleted,
        _ => return None,
    };
    let repository = &payload["repository"];
    let page = text(&repository["html_url"])?;
    let changes = &payload["changes"];
    let (site, name) = page.rsplit_once('/')?;
    let former_name = text(&changes["repository"]["name"]["from"]);
    let from = &changes["owner"]["from"];
    let former_owner =
        text(&from["organization"]["login"]).or_else(|| text(&from["user"]["login"]));
    let former = match (former_name, former_owner) {
        (None, None) => None,
        (name_before, owner_before) => {
            let (host, owner) = site.rsplit_once('/')?;
            Some(format!(
                "{host}/{}/{}",
                owner_before.unwrap_or(owner),
                name_before.unwrap_or(name)
            ))
        }
    };
    Some(Event::RepositoryChanged {
        repository: id(&repository["id"])?,
        page: page.to_owned(),
        former,
        fate,
        as_of: moment(&repository["updated_at"])?,
    })
}

/// GitHub writes times as text, in some kinds as seconds.
fn moment(value: &Value) -> Option<DateTime<Utc>> {
    match value {
        Value::String(text) => DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|at| at.to_utc()),
        Value::Number(seconds) => DateTime::from_timestamp(seconds.as_i64()?, 0),
        _ => None,
    }
}

fn word(header: Option<&str>) -> Option<&str> {
    header.filter(|word| {
        (1..=MAX_WORD).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_graphic())
    })
}

fn text(value: &Value) -> Option<&str> {
    value.as_str()
}

fn id(value: &Value) -> Option<String> {
    value.as_u64().map(|id| id.to_string())
}
