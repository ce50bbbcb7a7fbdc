//! One message, and a list of them with day lines and runs by the same author.

use maud::{Markup, html};

use super::{
    super::message::clock, components, frame::avatar, hint, markdown::Words, scene::Scene,
};
use crate::sandbox::discord::Seen;

/// A message within so many seconds after the same author's last one stands without a head of its own.
const RUN_S: i64 = 420;

/// Messages, oldest first, behind another one; ids on the page begin with `prefix`.
pub(super) fn list(scene: &Scene, seen: &[Seen], prefix: &str, before: Option<&Seen>) -> Markup {
    let mut before = before;
    html! {
        @for own in seen {
            @let at = own.message.id.made();
            @let new_day = before.is_none_or(|before| before.message.id.made().date_naive() != at.date_naive());
            @if new_day {
                div.day { time datetime=(at.to_rfc3339()) data-at=(at.timestamp()) data-format="{date_long_pretty}" { (at.format("%A, %e %B").to_string()) } }
            }
            (draw(scene, own, prefix, !new_day && before.is_some_and(|before| runs_on(before, own))))
            ({ before = Some(own); "" })
        }
    }
}

fn runs_on(before: &Seen, own: &Seen) -> bool {
    let (one, other) = (&before.message, &own.message);
    one.author == other.author
        && one.only_for == other.only_for
        && !own.by_bot
        && own.answered.is_none()
        && (other.id.made() - one.id.made()).num_seconds() < RUN_S
}

fn draw(scene: &Scene, own: &Seen, prefix: &str, run: bool) -> Markup {
    let message = &own.message;
    let at = message.id.made();
    let id = message.id.to_string();
    let surface = serde_json::json!({ "channel": message.channel, "id": message.id });
    let private = message.only_for.is_some();
    let watched = scene.place.behind.as_deref() == Some(id.as_str());
    let author = scene
        .discord
        .members
        .iter()
        .find(|member| member.id == message.author);
    html! {
        article.message.run[run].private[private].bot[own.by_bot].watched[watched]
            id={ (prefix) "-" (id) } data-surface=(surface.to_string()) {
            @if let Some((who, command)) = &own.used { p.above { strong { (who) } " used " span.command { (command) } } }
            @if let Some((who, said)) = &own.answered { p.above { strong { (who) } " " (said) } }
            @if !run { @if let Some(author) = author { (avatar(author)) } }
            header hidden[run] {
                strong class=[tone(own.color)] { (own.by) }
                @if own.by_bot { span.tag.app { "APP" } }
                " " (clock(at.timestamp()))
            }
            div.body {
                @if own.loading { p.loading { "idp is thinking…" } }
                @else { (Words::new(scene, &message.mentions).draw(&message.content)) }
                @if message.edited.is_some() && !own.by_bot { small { " (edited)" } }
                (components::rows(&message.components))
            }
            (hint::draw(scene, own))
            @if let Some((name, count)) = own.thread.as_ref().filter(|_| prefix == "m") { (thread(scene, &id, name, *count)) }
            @if private {
                p.only {
                    "Only you can see this · "
                    button.link type="button" data-dismiss { "Dismiss message" }
                }
            }
            div.tools {
                @if own.by_bot { a href=(scene.place.with_behind(Some(&id)).href()) data-nav { "Behind the scenes" } }
            }
        }
    }
}

fn thread(scene: &Scene, id: &str, name: &str, count: usize) -> Markup {
    html! {
        footer {
            a.replies href=(scene.place.with_thread(Some(id)).href()) data-nav {
                strong { (name) }
                span { @match count { 1 => "1 message", n => { (n) " messages" } } " ›" }
            }
        }
    }
}

/// The class of a role's colour; the page's policy allows no colours in the text itself.
fn tone(color: u32) -> Option<&'static str> {
    Some(match color {
        0x0034_98db => "role-blue",
        0x001f_8b4c => "role-green",
        0x00e9_1e63 => "role-pink",
        0x00c2_7c0e => "role-orange",
        0x0071_368a => "role-purple",
        0x00e7_4c3c => "role-red",
        _ => return None,
    })
}
