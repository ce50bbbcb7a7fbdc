//! The list of channels and direct messages, with the marks of what is new.

use maud::{Markup, html};

use super::{frame::avatar, scene::Scene};
use crate::sandbox::world::{ChannelKind, ChannelSummary};

/// The sidebar. What is unread is known by each browser; the newest timestamps stand here for it.
pub(super) fn draw(scene: &Scene) -> Markup {
    let direct = |own: &&ChannelSummary| own.kind == ChannelKind::Direct;
    let (people, rooms): (Vec<_>, Vec<_>) = scene.channels.iter().partition(direct);
    html! {
        nav #sidebar aria-label="Channels and direct messages" {
            h2 { "Channels" }
            ul { @for own in rooms { (line(scene, own)) } }
            h2 { "Direct messages" }
            ul { @for own in people { (line(scene, own)) } }
        }
    }
}

fn line(scene: &Scene, own: &ChannelSummary) -> Markup {
    let open = scene.place.channel.as_deref() == Some(own.id.as_str());
    let app = own.bot && own.kind == ChannelKind::Direct;
    html! {
        li id={ "to-" (own.id) } {
            a href=(scene.place.in_channel(&own.id).href()) data-nav data-channel=(own.id) data-latest=[own.latest.as_deref()]
                aria-current=[open.then_some("page")] class=[(!own.member).then_some("outside")] {
                @match own.kind {
                    ChannelKind::Public => span.sign aria-hidden="true" { "#" },
                    ChannelKind::Private => span.sign aria-label="private" { "🔒\u{fe0e}" },
                    ChannelKind::Direct => (avatar(scene, own.with.as_deref().unwrap_or_default(), &own.title)),
                }
                span.title { (own.title) }
                @if app { span.tag { "app" } }
                @if own.archived { span.tag { "archived" } }
                span.unread hidden { "new" }
            }
        }
    }
}
