//! One line under a card that waits for somebody else, as on the Slack side.

use maud::{Markup, html};

use super::{super::hint as shared, scene::Scene};
use crate::sandbox::discord::{Place as Kind, Seen};
use crate::sandbox::world::text;

/// The hint, where there is one to give.
pub(super) fn draw(scene: &Scene, own: &Seen) -> Markup {
    let rows = own.message.components.iter();
    let mut ids = rows
        .filter_map(|row| row.get("components")?.as_array())
        .flatten()
        .map(|own| text(own, "custom_id"));
    if !own.by_bot || !ids.any(|id| id.starts_with("request.approve")) {
        return html! {};
    }
    let said = with_names(scene, &own.message.content);
    let people = scene.members.iter().map(|member| shared::Who {
        handle: &member.handle,
        name: &member.name,
        title: &member.title,
    });
    let me = shared::Who {
        handle: &scene.me.handle,
        name: &scene.me.name,
        title: &scene.me.title,
    };
    let direct = scene
        .room
        .as_ref()
        .is_some_and(|own| own.kind == Kind::Direct);
    shared::line(&said, me, people, (&scene.place, direct))
}

/// What a card says, mentions as names and without marks.
fn with_names(scene: &Scene, content: &str) -> String {
    let mut said = content.replace(['*', '\\', '_'], "");
    for member in &scene.discord.members {
        said = said.replace(&format!("<@{}>", member.id), &member.name);
    }
    said
}
