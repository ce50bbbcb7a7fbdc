//! The pages: workspace and server as one person sees them, drawn on the server and kept up to date.
//!
//! There is one way to draw: the address says who looks (`as`), where (`in`), at which thread and behind which message,
//! and the whole page is made from that. The script fetches the same address again when the server says that something
//! changed, and changes only what differs. Acts go to `/sim/…`, as those of tests do.

mod behind;
mod blocks;
mod discord;
mod elements;
mod events;
mod frame;
mod hint;
mod inputs;
mod message;
mod modal;
mod mrkdwn;
mod place;
mod scene;
mod sidebar;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, Query, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};

use maud::Markup;

use self::{place::Place, scene::Scene};
use super::world::World;

/// What the page is made of: name, kind, content.
const ASSETS: [(&str, &str, &str); 14] = [
    ("style.css", "text/css", include_str!("style.css")),
    ("discord.css", "text/css", include_str!("discord.css")),
    ("icon.svg", "image/svg+xml", include_str!("icon.svg")),
    ("main.js", SCRIPT, include_str!("script/main.js")),
    ("acts.js", SCRIPT, include_str!("script/acts.js")),
    ("composer.js", SCRIPT, include_str!("script/composer.js")),
    ("commands.js", SCRIPT, include_str!("script/commands.js")),
    ("dom.js", SCRIPT, include_str!("script/dom.js")),
    ("forms.js", SCRIPT, include_str!("script/forms.js")),
    ("live.js", SCRIPT, include_str!("script/live.js")),
    ("morph.js", SCRIPT, include_str!("script/morph.js")),
    ("search.js", SCRIPT, include_str!("script/search.js")),
    ("time.js", SCRIPT, include_str!("script/time.js")),
    ("unread.js", SCRIPT, include_str!("script/unread.js")),
];
const SCRIPT: &str = "text/javascript";

/// Everything comes from here, and nothing runs but the page's own script: what the app sends can't add any.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self' https: data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// The page, what it is made of, and the addresses of messages.
pub(super) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/", get(page))
        .route("/discord", get(discord::page))
        .route("/channels/{guild}/{channel}/{message}", get(discord::link))
        .route("/archives/{channel}/{message}", get(archive))
        .route("/page/events", get(events::stream))
        .route("/page/{asset}", get(asset))
}

async fn page(State(world): State<Arc<World>>, Query(place): Query<Place>) -> Response {
    let Some(scene) = Scene::of(&world, &place) else {
        return (StatusCode::NOT_FOUND, "There is nobody in this workspace.").into_response();
    };
    let behind = match &place.behind {
        Some(ts) => behind::of(&world, &scene, ts).await,
        None => None,
    };
    respond(&frame::page(&scene, behind.as_ref()))
}

/// A page, drawn anew for each look.
fn respond(page: &Markup) -> Response {
    let policy = (
        HeaderName::from_static("content-security-policy"),
        HeaderValue::from_static(POLICY),
    );
    let fresh = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    ([policy, fresh], page.clone()).into_response()
}

/// A permalink, as the app gives it to people: `/archives/C07…/p1700000000000100?thread_ts=…`.
async fn archive(
    Path((channel, message)): Path<(String, String)>,
    Query(place): Query<Place>,
) -> Redirect {
    let digits = message.trim_start_matches('p');
    // The last six digits stand behind the point.
    let ts = digits
        .len()
        .checked_sub(6)
        .and_then(|at| digits.split_at_checked(at))
        .map(|(seconds, rest)| format!("{seconds}.{rest}"));
    let to = Place {
        channel: Some(channel),
        thread: place.thread_ts.clone().or_else(|| ts.clone()),
        thread_ts: None,
        behind: None,
        ..place
    };
    let mark = ts.map_or_else(String::new, |ts| format!("#m-{ts}"));
    Redirect::to(&format!("{}{mark}", to.href()))
}

async fn asset(Path(name): Path<String>) -> Response {
    let Some((_, kind, content)) = ASSETS.iter().find(|(own, ..)| *own == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, *kind),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, *content).into_response()
}
