//! One message, and a list of them with day lines and runs by the same author.

use maud::{Markup, html};

use super::{blocks, frame::avatar, hint, mrkdwn::Words, scene::Scene};
use crate::sandbox::world::{Author, Post};

/// A message within so many seconds after the same author's last one stands without a head of its own.
const RUN_S: i64 = 300;

/// Where a message is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum In {
    Channel,
    Thread,
}

/// Messages, oldest first.
pub(super) fn list(scene: &Scene, posts: &[Post], shown: In) -> Markup {
    let mut before: Option<&Post> = None;
    html! {
        @for (at, post) in posts.iter().enumerate() {
            @let day = day_of(post);
            @if before.map(day_of) != Some(day) {
                div.day { time datetime=(post.message.ts) data-at=(seconds(post)) data-format="{date_long_pretty}" { (day_words(post)) } }
            }
            (draw(scene, post, shown, before.is_some_and(|before| runs_on(before, post))))
            @if shown == In::Thread && at == 0 {
                @let replies = posts.len() - 1;
                div.day { (count(replies)) }
            }
            ({ before = Some(post); "" })
        }
    }
}

fn runs_on(before: &Post, post: &Post) -> bool {
    before.message.author == post.message.author
        && before.message.only_for == post.message.only_for
        && !before.by_bot
        && seconds(post) - seconds(before) < RUN_S
        && day_of(before) == day_of(post)
}

fn draw(scene: &Scene, post: &Post, shown: In, run: bool) -> Markup {
    let message = &post.message;
    let author = match &message.author {
        Author::Person(id) => id.as_str(),
        Author::Bot => scene.app.user_id.as_str(),
        Author::Slackbot => "USLACKBOT",
    };
    let words = Words::new(scene);
    let surface =
        serde_json::json!({ "message": { "channel": message.channel, "ts": message.ts } });
    let private = message.only_for.is_some();
    let behind = (
        shown == In::Thread,
        scene.place.behind.as_deref() == Some(message.ts.as_str()),
    );
    let prefix = if shown == In::Thread { "t" } else { "m" };
    html! {
        article.message.run[run].private[private].bot[post.by_bot].gone[message.tombstone].watched[behind.1]
            id={ (prefix) "-" (message.ts) } data-surface=(surface.to_string()) {
            @if !run { (avatar(scene, author, &post.author)) }
            @if private { p.only { "Only visible to you" } }
            header hidden[run] {
                strong { (post.author) }
                @if post.by_bot { span.tag { "app" } }
                " " (time(post))
                @if message.edited.is_some() && !post.by_bot { " " small { "(edited)" } }
            }
            div.body {
                @if message.blocks.is_empty() { p { (words.draw(&message.text)) } }
                @else { (blocks::draw(&message.blocks, &words, None)) }
                @for attachment in &message.attachments { (attached(attachment, &words)) }
            }
            (hint::draw(scene, post))
            (foot(scene, post, shown))
        }
    }
}

/// Old-style attachments: their blocks or text beside a line.
fn attached(attachment: &serde_json::Value, words: &Words<'_>) -> Markup {
    let blocks = attachment
        .get("blocks")
        .and_then(serde_json::Value::as_array);
    let text = ["text", "fallback"]
        .iter()
        .find_map(|name| attachment.get(*name)?.as_str());
    html! {
        blockquote {
            @if let Some(own) = blocks { (blocks::draw(own, words, None)) }
            @else if let Some(text) = text { p { (words.draw(text)) } }
        }
    }
}

/// Replies, and the ways to the thread and behind the scenes.
fn foot(scene: &Scene, post: &Post, shown: In) -> Markup {
    let message = &post.message;
    let root = message.thread_ts.as_deref().unwrap_or(&message.ts);
    let thread = scene.place.with_thread(Some(root)).href();
    let behind = scene.place.with_behind(Some(&message.ts)).href();
    let private = message.only_for.is_some();
    html! {
        @if shown == In::Channel && post.replies > 0 {
            footer {
                a.replies href=(thread) data-nav {
                    @for id in post.repliers.iter().take(3) {
                        (avatar(scene, id, scene.names.0.get(id).map_or("?", String::as_str)))
                    }
                    strong { (count(post.replies)) }
                    @if let Some(latest) = &post.latest_reply {
                        small { "last " time data-at=(stamp(latest)) data-format="{time}" { "" } }
                    }
                }
            }
        }
        div.tools {
            @if shown == In::Channel && !private && !message.tombstone {
                a href=(thread) data-nav { "Reply in thread" }
            }
            @if post.by_bot {
                a href=(behind) data-nav { "Behind the scenes" }
            }
        }
    }
}

fn count(replies: usize) -> String {
    match replies {
        1 => "1 reply".to_owned(),
        n => format!("{n} replies"),
    }
}

fn time(post: &Post) -> Markup {
    clock(seconds(post))
}

/// The time of day, in the reader's own zone once the script is there.
pub(super) fn clock(at: i64) -> Markup {
    let clock = chrono::DateTime::from_timestamp(at, 0)
        .map_or_else(String::new, |at| at.format("%H:%M UTC").to_string());
    html! { time data-at=(at) data-format="{time}" { (clock) } }
}

fn day_words(post: &Post) -> String {
    chrono::DateTime::from_timestamp(seconds(post), 0)
        .map_or_else(String::new, |at| at.format("%A, %e %B").to_string())
}

fn day_of(post: &Post) -> i64 {
    seconds(post) / 86_400
}

fn seconds(post: &Post) -> i64 {
    stamp(&post.message.ts)
}

/// The seconds of a message's timestamp.
fn stamp(ts: &str) -> i64 {
    ts.split('.')
        .next()
        .and_then(|s| s.parse().ok())
        .unwrap_or(0)
}
