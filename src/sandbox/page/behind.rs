//! "Behind the scenes": for one message of the bot, what went over the wire and what the bot wrote into its books.

use std::{sync::Arc, time::Duration};

use maud::{Markup, html};
use serde_json::Value;

use super::{blocks::list, scene::Scene};
use crate::sandbox::world::{Behind, CallRecord, DeliveryKind, DeliveryRecord, World, text};

/// How long the bot may take for its books; the drawer shows the wire without them after that.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is known of one message.
pub(super) struct Wire {
    behind: Behind,
    books: Books,
}

/// The bot's own record of the request that a message is about.
enum Books {
    /// Nobody told the simulator how to ask for them.
    Unknown,
    /// The message is about no request.
    NoRequest,
    /// The bot gave none: why.
    Silent(String),
    /// As it gave them.
    Open(Value),
}

/// One line of the record, by the moment it happened.
enum Line<'a> {
    Delivery(&'a DeliveryRecord),
    Call(&'a CallRecord),
}

/// Reads the record of a message that this person can see.
pub(super) async fn of(world: &Arc<World>, scene: &Scene, ts: &str) -> Option<Wire> {
    let channel = scene.place.channel.as_deref()?;
    // Only what the person sees: the record itself knows everything.
    world.post(&scene.me.id, channel, ts).ok()?;
    let behind = world.behind(channel, ts)?;
    let root = behind
        .message
        .thread_ts
        .clone()
        .unwrap_or_else(|| ts.to_owned());
    let said = world
        .post(&scene.me.id, channel, &root)
        .map_or_else(|_| String::new(), |post| post.message.text);
    let number = request_number(&behind.message.text).or_else(|| request_number(&said));
    let books = books(world, number).await;
    Some(Wire { behind, books })
}

/// The number that a card's fallback begins with: `142 payments-api: …`.
fn request_number(text: &str) -> Option<u64> {
    let (number, _) = text.split_once(' ')?;
    number.parse().ok()
}

async fn books(world: &Arc<World>, number: Option<u64>) -> Books {
    let Some(api) = &world.levers().requests else {
        return Books::Unknown;
    };
    let Some(number) = number else {
        return Books::NoRequest;
    };
    let Ok(address) = api.base.join(&format!("/api/requests/{number}")) else {
        return Books::Unknown;
    };
    let call = world
        .http()
        .get(address)
        .bearer_auth(&api.token)
        .timeout(PATIENCE)
        .send();
    match call.await {
        Ok(answer) if answer.status().is_success() => match answer.json().await {
            Ok(books) => Books::Open(books),
            Err(cause) => Books::Silent(cause.without_url().to_string()),
        },
        Ok(answer) => Books::Silent(format!("the bot answered {}", answer.status())),
        Err(cause) => Books::Silent(cause.without_url().to_string()),
    }
}

/// The drawer.
pub(super) fn draw(scene: &Scene, wire: &Wire) -> Markup {
    let Behind {
        message,
        before,
        deliveries,
        calls,
    } = &wire.behind;
    let mut lines: Vec<(_, Line<'_>)> = before
        .iter()
        .chain(deliveries)
        .map(|own| (own.sent_at, Line::Delivery(own)))
        .chain(calls.iter().map(|own| (own.at, Line::Call(own))))
        .collect();
    lines.sort_by_key(|(at, _)| *at);
    html! {
        aside #drawer aria-label="Behind the scenes" {
            header.bar {
                h2 { "Behind the scenes" }
                a.icon.close href=(scene.place.with_behind(None).href()) data-nav aria-label="Close" { "✕" }
            }
            div.log tabindex="0" data-scroll={ "behind-" (message.ts) } {
                p.about { "of \"" (message.text) "\"" }
                h3 { "On the wire" }
                @if before.is_some() { p.note { "The first line is the command or form that reached the bot last before it posted this." } }
                @if lines.is_empty() { p.note { "The record of this message is older than what is kept." } }
                @for (_, line) in &lines {
                    @match line {
                        Line::Delivery(own) => (delivery(scene, own)),
                        Line::Call(own) => (call(own)),
                    }
                }
                h3 { "In the bot's books" }
                (draw_books(&wire.books))
            }
        }
    }
}

fn delivery(scene: &Scene, own: &DeliveryRecord) -> Markup {
    let kind = match own.kind {
        DeliveryKind::Command => "slash command",
        DeliveryKind::BlockActions => "press",
        DeliveryKind::ViewSubmission => "form sent",
        DeliveryKind::ViewClosed => "form closed",
        DeliveryKind::BlockSuggestion => "search",
        DeliveryKind::Event => "event",
    };
    let by = own.person.as_ref().and_then(|id| scene.names.0.get(id));
    html! {
        details.wire id={ "d-" (own.id) } {
            summary {
                span.way { "to the bot" } " " strong { (kind) } @if let Some(by) = by { " by " (by) }
                @if own.again.is_some() { " " span.tag { "second time" } }
                span.result {
                    @match (&own.answer, &own.failure) {
                        (Some(answer), _) => { (answer.status) " in " (answer.ms) " ms" },
                        (None, Some(failure)) => (failure),
                        (None, None) => "no answer yet",
                    }
                }
            }
            p.note { code { (own.to) } }
            @if !own.headers.is_empty() {
                table { tbody { @for (name, value) in &own.headers { tr { th { (name) } td { code { (value) } } } } } }
            }
            (json("Payload", &own.payload))
            @if let Some(answer) = own.answer.as_ref().filter(|own| !own.body.trim().is_empty()) {
                @match serde_json::from_str::<Value>(&answer.body) {
                    Ok(body) => (json("Answer", &body)),
                    Err(_) => (raw("Answer", &answer.body)),
                }
            }
            button type="button" data-again=(own.id) { "Deliver again" }
        }
    }
}

fn call(own: &CallRecord) -> Markup {
    let ok = own.answer.get("ok").and_then(Value::as_bool);
    let error = own.answer.get("error").and_then(Value::as_str);
    html! {
        details.wire id={ "c-" (own.id) } {
            summary {
                span.way { "from the bot" } " " strong { (own.method) }
                span.result {
                    @match (ok, error) {
                        (_, Some(error)) => { (own.status) " " (error) },
                        _ => { (own.status) " ok" },
                    }
                }
            }
            (json("Arguments", &own.args))
            (json("Answer", &own.answer))
        }
    }
}

fn draw_books(books: &Books) -> Markup {
    match books {
        Books::Unknown => {
            html! { p.note { "This simulator runs without the bot's address for records." } }
        }
        Books::NoRequest => html! { p.note { "This message is about no request." } },
        Books::Silent(cause) => html! { p.note { "The bot gave no record: " (cause) "." } },
        Books::Open(request) => html! {
            @if let Some(digest) = digest(request) { p.note { "Plan digest " code { (digest) } } }
            @let rows = list(request, "audit");
            @if rows.is_empty() { p.note { "There are no audit rows." } }
            @else { table.audit {
                thead { tr { th { "Row" } th { "What" } th { "Hash" } } }
                tbody { @for row in rows { (audit_row(row)) } }
            } }
            (json("All of it", request))
        },
    }
}

/// One row of the audit chain: its number, what happened, the head of its hash.
fn audit_row(row: &Value) -> Markup {
    let body = row.get("body").unwrap_or(row);
    let what = ["what", "event", "kind", "action"]
        .iter()
        .find_map(|name| body.get(*name)?.as_str())
        .unwrap_or("row");
    let hash: String = text(row, "hash").chars().take(12).collect();
    html! {
        tr {
            td { (row.get("seq").and_then(Value::as_i64).unwrap_or_default()) }
            td { details { summary { (what) } pre { (pretty(body)) } } }
            td { code title=(text(row, "hash")) { (hash) } }
        }
    }
}

fn digest(request: &Value) -> Option<&str> {
    ["/plan/digest", "/plans/0/digest", "/digest"]
        .iter()
        .find_map(|path| request.pointer(path)?.as_str())
}

fn json(title: &str, value: &Value) -> Markup {
    raw(title, &pretty(value))
}

fn raw(title: &str, text: &str) -> Markup {
    html! { details.json { summary { (title) } pre { (text) } } }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::request_number;

    #[test]
    fn a_card_begins_with_its_number() {
        assert_eq!(request_number("142 payments-api: done in 4 s"), Some(142));
        assert_eq!(request_number("@Priya payments-api is ready"), None);
    }
}
