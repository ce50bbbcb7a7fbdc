//! One line under a card that waits for somebody else: whom to be, so that the demo can go on.
//!
//! It reads the card as people do: the buttons, who asked, who can decide.

use maud::{Markup, html};

use super::{elements::all_text, scene::Scene};
use crate::sandbox::world::{ChannelKind, Person, Post, elements};

/// The hint, where there is one to give.
pub(super) fn draw(scene: &Scene, post: &Post) -> Markup {
    let Some(decider) = decider(scene, post) else {
        return html! {};
    };
    let me = scene.me.name.split(' ').next().unwrap_or_default();
    // The seeded workspace opens as Priya, who is a she; of anybody else nothing is known.
    let own = if scene.me.handle == "priya" {
        "her"
    } else {
        "their"
    };
    let them = decider.name.split(' ').next().unwrap_or_default();
    let role = decider
        .title
        .split(',')
        .next()
        .unwrap_or_default()
        .to_lowercase();
    // A direct message can't be seen by others; they have their own copy, and the channel.
    let direct = scene
        .channel
        .as_ref()
        .is_some_and(|own| own.kind == ChannelKind::Direct);
    let mut place = scene.place.seen_by(&decider.handle);
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
fn decider<'a>(scene: &'a Scene, post: &Post) -> Option<&'a Person> {
    let waits = || {
        elements(&post.message.blocks)
            .iter()
            .any(|own| own.action_id.starts_with("request.approve"))
    };
    if !post.by_bot || !waits() {
        return None;
    }
    let said = all_text(&post.message.blocks);
    if !said.contains(&format!("asked by {}", scene.me.name)) {
        return None;
    }
    let (_, deciders) = said.split_once("Can decide")?;
    scene
        .people
        .iter()
        .filter(|own| own.id != scene.me.id && !own.deactivated)
        .find(|own| deciders.contains(&own.name))
}
