//! The page's frame: top bar, sidebar, channel, thread or drawer, modal.

use chrono::{DateTime, Utc};
use maud::{DOCTYPE, Markup, html};

use super::{
    behind::{self, Wire},
    message, modal,
    place::{Place, Server},
    scene::{Offered, Scene},
    sidebar,
};
use crate::sandbox::world::{ChannelKind, Person};

/// What the document around a page says.
pub(super) struct Shell<'a> {
    pub(super) server: Server,
    pub(super) title: String,
    /// Whose page it is: an id, and the handle.
    pub(super) me: &'a str,
    pub(super) handle: &'a str,
    /// What stands at the side.
    pub(super) side: &'static str,
    pub(super) channel: Option<&'a str>,
}

/// The document around a page.
pub(super) fn document(shell: &Shell<'_>, inside: &Markup) -> Markup {
    let discord = shell.server == Server::Discord;
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (shell.title) }
                link rel="icon" href="/page/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/page/style.css";
                @if discord { link rel="stylesheet" href="/page/discord.css"; }
                script src="/page/main.js" type="module" {}
            }
            body.discord[discord] data-me=(shell.me) data-as=(shell.handle) data-title=(shell.title) data-side=(shell.side)
                data-acts=(shell.server.acts()) data-channel=[shell.channel] {
                a.skip href="#channel" { "Skip to the messages" }
                (inside)
                dialog #confirm aria-labelledby="confirm-title" data-keep {}
                div #toasts role="status" aria-live="polite" data-keep {}
            }
        }
    }
}

/// The two servers; `there`: the person has an account on the other one.
pub(super) fn rail(place: &Place, there: bool, name: &str) -> Markup {
    let tile = |server: Server, kind: &str, mark: &str| {
        let here = place.server == server;
        let label = if here || there {
            format!("Acme on {kind}")
        } else {
            format!("Acme on {kind}, as somebody else: {name} has no account there")
        };
        html! {
            li {
                a.tile.{ "to-" (kind.to_lowercase()) } href=(place.on(server, here || there).href()) data-reload
                    aria-current=[here.then_some("true")] title=(label) aria-label=(label) { (mark) }
            }
        }
    };
    html! {
        nav #rail aria-label="Servers" {
            ul {
                (tile(Server::Slack, "Slack", "A"))
                (tile(Server::Discord, "Discord", "A"))
            }
        }
    }
}

/// That calls are refused, and for how long yet.
pub(super) fn refusing(until: DateTime<Utc>, now: DateTime<Utc>) -> Markup {
    html! {
        span.chip { "429 for " time data-until=(until.to_rfc3339()) { (format!("{} s", (until - now).num_seconds().max(1))) } }
    }
}

/// What may be done to the world outside chat.
pub(super) fn outside(levers: Offered) -> Markup {
    html! {
        @if levers.forge {
            li { button type="button" data-lever=r#"{"forge_away_s":20}"# data-at="/sim/levers" data-told="The git server is away for 20 s." {
                "Take the forge away for 20 s" small { "The git server answers nobody" }
            } }
        }
        @if levers.kill {
            li { button type="button" data-lever=r#"{"kill_bot":true}"# data-at="/sim/levers" data-told="The bot was killed; it is being started again." {
                "Kill the bot" small { "SIGKILL; it is started again" }
            } }
        }
    }
}

/// The whole page.
pub(super) fn page(scene: &Scene, behind: Option<&Wire>) -> Markup {
    let side = if behind.is_some() {
        "behind"
    } else if scene.thread.is_some() {
        "thread"
    } else {
        "none"
    };
    let shell = Shell {
        server: Server::Slack,
        title: format!("{} · {}", scene.channel_title(), scene.team.name),
        me: &scene.me.id,
        handle: &scene.me.handle,
        side,
        channel: scene.place.channel.as_deref(),
    };
    document(
        &shell,
        &html! {
            (top(scene))
            (rail(&scene.place, scene.on_discord, &scene.me.name))
            (sidebar::draw(scene))
            (channel(scene))
            div #side {
                @if let Some(wire) = behind {
                    (behind::draw(wire, &scene.place.with_behind(None).href(), &|id| scene.names.0.get(id).cloned()))
                } @else if let Some(posts) = &scene.thread { (thread(scene, posts)) }
            }
            (modal::draw(scene))
        },
    )
}

fn top(scene: &Scene) -> Markup {
    html! {
        header #top {
            button #menu.icon type="button" aria-controls="sidebar" aria-expanded="false" aria-label="Channels" { "☰" }
            strong.team { (scene.team.name) }
            span.sim { "chat simulator" }
            span.gap {}
            (broken(scene))
            (break_it(scene))
            (who(scene))
        }
    }
}

/// What is broken on purpose at this moment.
fn broken(scene: &Scene) -> Markup {
    let refusing = scene
        .settings
        .refuse_until
        .filter(|until| *until > scene.now);
    html! {
        @if let Some(until) = refusing { (self::refusing(until, scene.now)) }
        @if scene.settings.deliver_twice > 0 {
            span.chip { "next delivery goes twice" }
        }
        @if scene.sockets == Some(0) {
            span.chip { "bot not connected" }
        }
    }
}

fn break_it(scene: &Scene) -> Markup {
    html! {
        details #break.menu {
            summary { "Break it" }
            ul {
                li { button type="button" data-lever=r#"{"deliver_twice":1}"# data-told="The next delivery goes to the bot twice." {
                    "Deliver twice" small { "The next thing you do reaches the bot two times" }
                } }
                li { button type="button" data-lever=r#"{"refuse_for_s":20}"# data-told="Every Web API call is refused for 20 s." {
                    "429 for 20 s" small { "Every call of the bot is told to come back later" }
                } }
                (outside(scene.levers))
            }
        }
    }
}

/// Who looks, and who else could.
fn who(scene: &Scene) -> Markup {
    html! {
        details #who.menu {
            summary aria-label={ "You are " (scene.me.name) ". Switch person" } {
                (avatar(scene, &scene.me.id, &scene.me.name)) span.name { (scene.me.name) }
            }
            ul {
                @for person in scene.people.iter().filter(|own| !own.deactivated) {
                    li.person aria-current=[(person.id == scene.me.id).then_some("true")] {
                        a href=(scene.place.seen_by(&person.handle).href()) data-reload {
                            (avatar(scene, &person.id, &person.name))
                            span { (person.name) small { (role(person)) } }
                        }
                        a.icon href=(scene.place.seen_by(&person.handle).href()) target="_blank"
                            aria-label={ "Open " (person.name) " in a new tab" } { "↗" }
                    }
                }
            }
        }
    }
}

fn role(person: &Person) -> String {
    match person.kind {
        crate::sandbox::world::PersonKind::Member => person.title.clone(),
        crate::sandbox::world::PersonKind::Guest => format!("{} (guest)", person.title),
        crate::sandbox::world::PersonKind::Outsider => format!("{} (other company)", person.title),
    }
}

/// A tile with initials, in one of twelve colours by id; the app has its own mark.
pub(super) fn avatar(scene: &Scene, id: &str, name: &str) -> Markup {
    if id == scene.app.user_id {
        return html! { img.avatar src="/page/icon.svg" alt=""; };
    }
    tile(id, name)
}

/// A tile with initials, in one of twelve colours by id.
pub(super) fn tile(id: &str, name: &str) -> Markup {
    let sum: u32 = id.bytes().map(u32::from).sum();
    let initials: String = name
        .split_whitespace()
        .filter_map(|word| word.chars().next())
        .take(2)
        .collect();
    html! { span.avatar.{ "tone-" (sum % 12) } aria-hidden="true" { (initials) } }
}

fn channel(scene: &Scene) -> Markup {
    let Some(channel) = &scene.channel else {
        return html! { main #channel tabindex="-1" { p.empty { "There is no channel to see." } } };
    };
    let title = scene.channel_title();
    html! {
        main #channel tabindex="-1" aria-label=(title) {
            header.bar {
                h1 { (title) }
                p.topic { (channel.topic) }
                @if channel.shared { span.chip { "shared with another company" } }
                @if channel.kind != ChannelKind::Direct {
                    span.people { (channel.people) @if channel.people == 1 { " person" } @else { " people" } @if channel.bot { " · idp" } }
                }
            }
            div.log role="log" aria-label={ "Messages in " (title) } tabindex="0" data-scroll=(channel.id) {
                @if scene.earlier > 0 { p.empty { (scene.earlier) " earlier messages aren't shown." } }
                @if scene.posts.is_empty() { p.empty { (beginning(scene)) } }
                (message::list(scene, &scene.posts, message::In::Channel))
            }
            (composer(scene, None))
        }
    }
}

fn beginning(scene: &Scene) -> String {
    match scene.channel.as_ref() {
        Some(own) if own.kind == ChannelKind::Direct && own.bot => {
            format!(
                "This is between you and {}. Write to it, or type /.",
                scene.app.name
            )
        }
        Some(own) if own.kind == ChannelKind::Direct => {
            format!("This is between you and {}.", own.title)
        }
        _ => format!("This is the very beginning of {}.", scene.channel_title()),
    }
}

fn thread(scene: &Scene, posts: &[crate::sandbox::world::Post]) -> Markup {
    let root = scene.place.thread.as_deref();
    html! {
        aside #thread aria-label="Thread" {
            header.bar {
                h2 { "Thread" }
                p.topic { (scene.channel_title()) }
                a.icon.close href=(scene.place.with_thread(None).href()) data-nav aria-label="Close the thread" { "✕" }
            }
            div.log role="log" aria-label="Messages in the thread" tabindex="0" data-scroll={ "thread-" (root.unwrap_or_default()) } {
                (message::list(scene, posts, message::In::Thread))
            }
            (composer(scene, root))
        }
    }
}

/// Where people write; what they may not do here stands in its place.
fn composer(scene: &Scene, thread: Option<&str>) -> Markup {
    let Some(channel) = &scene.channel else {
        return html! {};
    };
    if channel.archived {
        return html! { p.composer.closed { "This channel is archived." } };
    }
    if !channel.member {
        return html! {
            p.composer.closed {
                "You aren't in " (scene.channel_title()) ". "
                button type="button" data-join=(channel.id) { "Join" }
            }
        };
    }
    let command = scene.settings.commands.first();
    let placeholder = match (thread, command) {
        (Some(_), _) => "Reply…".to_owned(),
        (None, Some(command)) if channel.bot => {
            let first = command
                .usage_hint
                .split(['|', ' '])
                .find(|word| !word.is_empty());
            format!("Type {} {}", command.name, first.unwrap_or_default())
        }
        _ => format!("Message {}", scene.channel_title()),
    };
    let id = if thread.is_some() { "reply" } else { "write" };
    html! {
        form.composer id=(id) data-in=(channel.id) data-thread=[thread] autocomplete="off" {
            ul.completion role="listbox" id={ (id) "-completion" } hidden aria-label="Suggestions" data-keep {}
            textarea id={ (id) "-" (channel.id) "-" (thread.unwrap_or_default()) } rows="1"
                placeholder=(placeholder.trim()) aria-label=(placeholder.trim())
                aria-autocomplete="list" aria-controls={ (id) "-completion" } data-keep {}
            button.primary type="submit" aria-label="Send" { "➤" }
        }
        @if thread.is_none() { (completions(scene)) }
    }
}

/// What the composer can complete, as data for the script.
fn completions(scene: &Scene) -> Markup {
    let commands = scene.settings.commands.iter().flat_map(|command| {
        let bare = (command.name.clone(), command.description.clone());
        let words = command.usage_hint.split('|').map(str::trim);
        let worded = words
            .filter(|word| !word.is_empty())
            .map(|word| (format!("{} {word}", command.name), String::new()));
        std::iter::once(bare).chain(worded)
    });
    let people = scene
        .people
        .iter()
        .map(|own| (format!("@{}", own.handle), own.name.clone()));
    let bot = (format!("@{}", scene.app.name), "App".to_owned());
    let groups = scene
        .groups
        .iter()
        .map(|own| (format!("@{}", own.handle), own.name.clone()));
    html! {
        ul #completions hidden {
            @for (text, about) in commands.chain(std::iter::once(bot)).chain(people).chain(groups) {
                li data-text=(text) { (about) }
            }
        }
    }
}
