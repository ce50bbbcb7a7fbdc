//! The modal that is on top of a person's stack.

use maud::{Markup, html};

use super::{blocks, mrkdwn::Words, scene::Scene};
use crate::sandbox::world::View;

/// A dialog; the script shows it while it has a form.
pub(super) fn draw(scene: &Scene) -> Markup {
    html! {
        dialog #modal aria-labelledby="modal-title" {
            @if let Some(view) = &scene.view { (form(scene, view)) }
        }
    }
}

fn form(scene: &Scene, view: &View) -> Markup {
    let surface = serde_json::json!({ "view": view.id });
    let words = Words::new(scene);
    let close = view.label("close").unwrap_or("Cancel");
    html! {
        form id={ "view-" (view.id) } data-view=(view.id) data-hash=(view.hash) data-surface=(surface.to_string()) method="dialog" novalidate {
            header {
                h2 #modal-title { (view.label("title").unwrap_or_default()) }
                button.icon type="button" data-close aria-label="Close" { "✕" }
            }
            div.content { (blocks::draw(view.blocks(), &words, Some(view))) }
            footer {
                button type="button" data-close { (close) }
                @if let Some(submit) = view.label("submit") { button.primary type="submit" { (submit) } }
            }
        }
    }
}
