//! The frame of the Discord server: top bar, channels, messages, thread or drawer, modal.

use maud::{Markup, html};

use super::{
    super::{
        behind::{self, Wire},
        frame::{self as shared, Shell, tile},
        place::Server,
    },
    message, modal,
    scene::{Scene, Thread, titled},
};
use crate::sandbox::discord::{Member, Place as Kind, Room};

/// The whole page.
pub(super) fn page(scene: &Scene, behind: Option<&Wire>) -> Markup {
    let side = match (behind, &scene.thread) {
        (Some(_), _) => "behind",
        (None, Some(_)) => "thread",
        (None, None) => "none",
    };
    let me = scene.me.id.to_string();
    let shell = Shell {
        server: Server::Discord,
        title: format!(
            "{} · {} on Discord",
            scene.title(),
            scene.discord.guild.name
        ),
        me: &me,
        handle: &scene.me.handle,
        side,
        channel: scene.place.channel.as_deref(),
    };
    shared::document(
        &shell,
        &html! {
            (top(scene))
            (shared::rail(&scene.place, scene.on_slack.is_some(), &scene.me.name))
            (sidebar(scene))
            (channel(scene))
            div #side {
                @if let Some(wire) = behind {
                    (behind::draw(wire, &scene.place.with_behind(None).href(), &|id| scene.name(id.parse().ok()?)))
                } @else if let Some(own) = &scene.thread { (thread(scene, own)) }
            }
            dialog #modal aria-labelledby="modal-title" {
                @if let Some(own) = &scene.modal { (modal::draw(scene, own)) }
            }
        },
    )
}

fn top(scene: &Scene) -> Markup {
    html! {
        header #top {
            button #menu.icon type="button" aria-controls="sidebar" aria-expanded="false" aria-label="Channels" { "☰" }
            strong.team { (scene.discord.guild.name) }
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
    let refusing = scene.broken.refuse_until.filter(|until| *until > scene.now);
    html! {
        @if let Some(until) = refusing { (shared::refusing(until, scene.now)) }
        @if scene.settings.deliver_twice > 0 { span.chip { "next delivery goes twice" } }
        @if scene.broken.intent_off { span.chip { "members intent off" } }
        @if scene.broken.unreached { span.chip { "bot not connected" } }
    }
}

fn break_it(scene: &Scene) -> Markup {
    let intent = scene.broken.intent_off;
    html! {
        details #break.menu {
            summary { "Break it" }
            ul {
                li { button type="button" data-lever=r#"{"deliver_twice":1}"# data-told="The next interaction goes to the bot twice." {
                    "Deliver twice" small { "The next thing you do reaches the bot two times" }
                } }
                li { button type="button" data-lever=r#"{"refuse_for_s":20}"# data-told="Every bucket is empty for 20 s." {
                    "429 for 20 s" small { "Every call of the bot is told to come back later" }
                } }
                li {
                    @if intent {
                        button type="button" data-lever=r#"{"members_intent":true}"# data-told="The Server Members intent is on again." {
                            "Switch the members intent on" small { "Roles can be read again" }
                        }
                    } @else {
                        button type="button" data-lever=r#"{"members_intent":false}"# data-told="The Server Members intent is off." {
                            "Switch the members intent off" small { "The list of members is refused: roles are known only once people act" }
                        }
                    }
                }
                @if let Some(room) = scene.room.as_ref().filter(|own| own.kind == Kind::Channel) {
                    (permission(scene, room))
                }
                (shared::outside(scene.levers))
            }
        }
    }
}

/// Takes the bot's permission to write in the open channel away, or gives it back.
fn permission(scene: &Scene, room: &Room) -> Markup {
    let bot = scene.discord.application.bot;
    let channel = scene.discord.channels.iter().find(|own| own.id == room.id);
    let denied = channel.is_some_and(|own| own.overwrites.iter().any(|over| over.id == bot));
    let act = |permissions: &[&str]| {
        serde_json::json!({ "deny": { "channel": room.id, "whom": "idp", "permissions": permissions } }).to_string()
    };
    html! {
        li {
            @if denied {
                button type="button" data-lever=(act(&[])) data-at="admin" data-told="idp may write here again." {
                    "Let the bot write here" small { "As its role says" }
                }
            } @else {
                button type="button" data-lever=(act(&["SEND_MESSAGES", "SEND_MESSAGES_IN_THREADS"])) data-at="admin"
                    data-told={ "idp may not write in " (titled(room)) " any more." } {
                    "Take the bot's permission away" small { "It may not write in " (titled(room)) " any more" }
                }
            }
        }
    }
}

/// Who looks, and who else could.
fn who(scene: &Scene) -> Markup {
    html! {
        details #who.menu {
            summary aria-label={ "You are " (scene.me.name) ". Switch person" } {
                (avatar(&scene.me)) span.name { (scene.me.name) }
            }
            ul {
                @for member in &scene.members {
                    @let href = scene.place.seen_by(&member.handle).href();
                    li.person aria-current=[(member.id == scene.me.id).then_some("true")] {
                        a href=(href) data-reload {
                            (avatar(member))
                            span { (member.name) small { (member.title) } }
                        }
                        a.icon href=(href) target="_blank" aria-label={ "Open " (member.name) " in a new tab" } { "↗" }
                    }
                }
            }
        }
    }
}

/// A round picture; the bot has its own.
pub(super) fn avatar(member: &Member) -> Markup {
    if member.bot {
        html! { img.avatar src="/page/icon.svg" alt=""; }
    } else {
        tile(&member.handle, &member.name)
    }
}

/// The list of channels with their threads, and direct messages.
fn sidebar(scene: &Scene) -> Markup {
    let direct = |own: &&Room| own.kind == Kind::Direct;
    let (people, rooms): (Vec<&Room>, Vec<&Room>) = scene.rooms.iter().partition(direct);
    html! {
        nav #sidebar aria-label="Channels and direct messages" {
            h2 { "Text channels" }
            ul { @for own in rooms { (line(scene, own)) } }
            h2 { "Direct messages" }
            @if people.is_empty() { p.none { "The bot hasn't written to you yet." } }
            ul { @for own in people { (line(scene, own)) } }
        }
    }
}

fn line(scene: &Scene, own: &Room) -> Markup {
    let id = own.id.to_string();
    let thread = own.kind == Kind::Thread;
    let open = if thread {
        scene.place.thread.as_deref() == Some(&id)
    } else {
        scene.place.channel.as_deref() == Some(&id) && scene.thread.is_none()
    };
    let bot = scene.discord.members.iter().find(|member| member.bot);
    html! {
        li.thread[thread] id={ "to-" (id) } {
            a href=(scene.way_to(&id).href()) data-nav data-channel=(id) data-latest=[own.latest.map(|id| id.to_string())]
                aria-current=[open.then_some("page")] {
                @match own.kind {
                    Kind::Channel if own.private => span.sign aria-label="private" { "🔒\u{fe0e}" },
                    Kind::Channel => span.sign aria-hidden="true" { "#" },
                    Kind::Thread => span.sign aria-label="thread" { "└" },
                    Kind::Direct => { @if let Some(bot) = bot { (avatar(bot)) } },
                }
                span.title { (own.title) }
                @if own.kind == Kind::Direct { span.tag { "app" } }
                span.unread hidden { "new" }
            }
        }
    }
}

fn channel(scene: &Scene) -> Markup {
    let Some(room) = &scene.room else {
        return html! { main #channel tabindex="-1" { p.empty { "There is no channel to see." } } };
    };
    let title = scene.title();
    html! {
        main #channel tabindex="-1" aria-label=(title) {
            header.bar {
                h1 { (title) }
                p.topic { (room.topic) }
            }
            div.log role="log" aria-label={ "Messages in " (title) } tabindex="0" data-scroll=(room.id) {
                @if scene.earlier > 0 { p.empty { (scene.earlier) " earlier messages aren't shown." } }
                @if scene.seen.is_empty() { (beginning(room)) }
                (message::list(scene, &scene.seen, "m", None))
            }
            (composer(room, "write"))
        }
    }
}

fn beginning(room: &Room) -> Markup {
    html! {
        div.beginning {
            h2 { "Welcome to " (titled(room)) "!" }
            p { @match room.kind {
                Kind::Direct => { "This is the beginning of your direct messages with " (room.title) "." },
                Kind::Channel | Kind::Thread => { "This is the start of " (titled(room)) ". Type /idp run to ask for something." },
            } }
        }
    }
}

fn thread(scene: &Scene, thread: &Thread) -> Markup {
    let room = &thread.room;
    html! {
        aside #thread aria-label="Thread" {
            header.bar {
                h2 { (room.title) }
                p.topic { "in " (scene.title()) }
                a.icon.close href=(scene.place.with_thread(None).href()) data-nav aria-label="Close the thread" { "✕" }
            }
            div.log role="log" aria-label="Messages in the thread" tabindex="0" data-scroll={ "thread-" (room.id) } {
                @if let Some(root) = &thread.root {
                    (message::list(scene, std::slice::from_ref(root), "t", None))
                    div.day { @match thread.replies.len() { 1 => "1 message", n => { (n) " messages" } } }
                }
                (message::list(scene, &thread.replies, "t", thread.root.as_ref()))
            }
            (composer(room, "reply"))
        }
    }
}

/// Where people write, and use commands.
fn composer(room: &Room, id: &str) -> Markup {
    if !room.writable {
        return html! { p.composer.closed { "You do not have permission to send messages in this channel." } };
    }
    let placeholder = match room.kind {
        Kind::Direct => format!("Message @{}", room.title),
        Kind::Channel => format!("Message {} · type /idp", titled(room)),
        Kind::Thread => format!("Message \"{}\"", room.title),
    };
    html! {
        form.composer id=(id) data-in=(room.id) autocomplete="off" {
            ul.completion role="listbox" id={ (id) "-completion" } hidden aria-label="Suggestions" data-keep {}
            textarea id={ (id) "-" (room.id) "-" } rows="1" placeholder=(placeholder) aria-label=(placeholder)
                aria-autocomplete="list" aria-controls={ (id) "-completion" } data-keep {}
            button.primary type="submit" aria-label="Send" { "➤" }
        }
    }
}
