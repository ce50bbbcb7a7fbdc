//! One line under a card that waits for somebody else: whom to be, so that the demo can go on.
//!
//! It reads the card as people do: the buttons, who asked, who can decide.

use maud::{Markup, html};

use super::{elements::all_text, place::Place, scene::Scene};
use crate::sandbox::world::{ChannelKind, Person, Post, elements};

/// The hint, where there is one to give.
pub(super) fn draw(scene: &Scene, post: &Post) -> Markup {
    let waits = || {
        elements(&post.message.blocks)
            .iter()
            .any(|own| own.action_id.starts_with("request.approve"))
    };
    if !post.by_bot || !waits() {
        return html! {};
    }
    let said = all_text(&post.message.blocks);
    let people = scene.people.iter().filter(|own| !own.deactivated);
    // A direct message can't be seen by others; they have their own copy, and the channel.
    let direct = scene
        .channel
        .as_ref()
        .is_some_and(|own| own.kind == ChannelKind::Direct);
    line(
        &said,
        who(&scene.me),
        people.map(who),
        (&scene.place, direct),
    )
}

/// Somebody, on whichever platform.
#[derive(Clone, Copy)]
pub(super) struct Who<'a> {
    pub(super) handle: &'a str,
    pub(super) name: &'a str,
    pub(super) title: &'a str,
}

fn who(person: &Person) -> Who<'_> {
    Who {
        handle: &person.handle,
        name: &person.name,
        title: &person.title,
    }
}

/// The line under a card that says this.
pub(super) fn line<'a>(
    said: &str,
    me: Who<'a>,
    people: impl Iterator<Item = Who<'a>>,
    (place, direct): (&Place, bool),
) -> Markup {
    let Some(decider) = decider(said, me, people) else {
        return html! {};
    };
    // The seeded workspace opens as Priya, who is a she; of anybody else nothing is known.
    let own = if me.handle == "priya" { "her" } else { "their" };
    let me = me.name.split(' ').next().unwrap_or_default();
    let them = decider.name.split(' ').next().unwrap_or_default();
    let role = decider
        .title
        .split(',')
        .next()
        .unwrap_or_default()
        .to_lowercase();
    let mut place = place.seen_by(decider.handle);
    if direct {
        place.channel = None;
        place.thread = None;
    }
    html! {
        p.hint {
            (me) " can't approve " (own) " own request. "
            a href=(place.href()) target="_blank" { "Open " (them) " (" (role) ") in a second tab" }
        }
    }
}

/// Who could decide what this person asked for.
fn decider<'a>(
    said: &str,
    me: Who<'a>,
    mut people: impl Iterator<Item = Who<'a>>,
) -> Option<Who<'a>> {
    if !said.contains(&format!("asked by {}", me.name)) {
        return None;
    }
    let (_, deciders) = said.split_once("Can decide")?;
    people.find(|own| own.handle != me.handle && deciders.contains(own.name))
}
