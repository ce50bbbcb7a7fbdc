//! "Behind the scenes": for one message of the bot, what went over the wire and what the bot wrote into its books.

use std::{sync::Arc, time::Duration};

use maud::{Markup, html};
use serde_json::Value;

use super::{blocks::list, scene::Scene};
use crate::sandbox::{
    discord::At,
    world::{
        Behind, CallRecord, DeliveryKind, DeliveryRecord, InteractionKind, Kind, MessageRef, World,
        text,
    },
};

/// How long the bot may take for its books; the drawer shows the wire without them after that.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is known of one message.
pub(super) struct Wire {
    /// The message's address in its channel, and what it says.
    id: String,
    said: String,
    before: Option<DeliveryRecord>,
    deliveries: Vec<DeliveryRecord>,
    calls: Vec<CallRecord>,
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
    let Behind {
        message,
        before,
        deliveries,
        calls,
    } = behind;
    Some(Wire {
        id: message.ts,
        said: message.text,
        before,
        deliveries,
        calls,
        books: books(world, number).await,
    })
}

/// The same of a message on Discord.
pub(super) async fn of_discord(world: &Arc<World>, person: &str, at: At) -> Option<Wire> {
    let (seen, before) = world.message_seen(person, at.channel, at.id).ok()?;
    let of = MessageRef {
        channel: at.channel.to_string(),
        ts: at.id.to_string(),
    };
    let (deliveries, calls) = world.with(|inner| inner.log.about(&of));
    let said = seen.message.content;
    // A card's thread is named after it; in a thread the name is the channel's.
    let name = world.with(|inner| {
        let thread = seen.thread.map(|(name, _)| name);
        let here = inner
            .discord
            .channel(at.channel)
            .map(|own| own.name.clone());
        thread.or(here)
    });
    let number = name.as_deref().and_then(request_number);
    let number = number.or_else(|| number_within(&said));
    Some(Wire {
        id: of.ts,
        before,
        deliveries,
        calls,
        books: books(world, number).await,
        said,
    })
}

/// The number that a card's fallback begins with: `142 payments-api: …`.
fn request_number(text: &str) -> Option<u64> {
    let (number, _) = text.split_once(' ')?;
    number.parse().ok()
}

/// The number in a card's first line: `**payments-api** · 142 · …`.
fn number_within(text: &str) -> Option<u64> {
    let line = text.lines().next()?;
    line.split(" · ").find_map(|part| part.trim().parse().ok())
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

/// What an id's person is called.
type Named<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The drawer.
pub(super) fn draw(wire: &Wire, close: &str, named: Named<'_>) -> Markup {
    let Wire {
        id,
        said,
        before,
        deliveries,
        calls,
        ..
    } = wire;
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
                a.icon.close href=(close) data-nav aria-label="Close" { "✕" }
            }
            div.log tabindex="0" data-scroll={ "behind-" (id) } {
                p.about { "of \"" (said) "\"" }
                h3 { "On the wire" }
                @if before.is_some() { p.note { "The first line is the command or form that reached the bot last before it posted this." } }
                @if lines.is_empty() { p.note { "The record of this message is older than what is kept." } }
                @for (_, line) in &lines {
                    @match line {
                        Line::Delivery(own) => (delivery(own, named)),
                        Line::Call(own) => (call(own)),
                    }
                }
                h3 { "In the bot's books" }
                (draw_books(&wire.books))
            }
        }
    }
}

fn delivery(own: &DeliveryRecord, named: Named<'_>) -> Markup {
    let kind = called(own.kind);
    let by = own.person.as_deref().and_then(named);
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

/// What a delivery is called.
fn called(kind: Kind) -> &'static str {
    match kind {
        Kind::Slack(DeliveryKind::Command) | Kind::Discord(InteractionKind::ApplicationCommand) => {
            "slash command"
        }
        Kind::Slack(DeliveryKind::BlockActions)
        | Kind::Discord(InteractionKind::MessageComponent) => "press",
        Kind::Slack(DeliveryKind::ViewSubmission) | Kind::Discord(InteractionKind::ModalSubmit) => {
            "form sent"
        }
        Kind::Slack(DeliveryKind::ViewClosed) => "form closed",
        Kind::Slack(DeliveryKind::BlockSuggestion)
        | Kind::Discord(InteractionKind::Autocomplete) => "search",
        Kind::Slack(DeliveryKind::Event) => "event",
        Kind::Discord(InteractionKind::Ping) => "ping",
    }
}

fn call(own: &CallRecord) -> Markup {
    let ok = own.answer.get("ok").and_then(Value::as_bool);
    // Slack names the error, Discord says it.
    let refused = own.status >= 400;
    let error = ["error", "message"]
        .iter()
        .find_map(|name| own.answer.get(*name)?.as_str());
    let error = error.filter(|_| refused || ok == Some(false));
    html! {
        details.wire id={ "c-" (own.id) } {
            summary {
                span.way { "from the bot" } " " strong { (own.method) }
                span.result {
                    @match error {
                        Some(error) => { (own.status) " " (error) },
                        None => { (own.status) " ok" },
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
