//! `/ui/login/LINK`: where the link of `/idp login` leads. A press there uses the link up and shows a personal token for
//! the local forge, once.
//!
//! Reading the page changes nothing: chat platforms fetch links to preview them.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use secrecy::{ExposeSecret as _, SecretString};

use crate::app::login::{self, Opened};
use crate::app::{App, Broken};

const STYLE: &str = "body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }\
    code { user-select: all; overflow-wrap: anywhere } button { font: inherit; padding: .4rem 1rem }";

/// The page.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/ui/login/{link}", get(ask).post(open))
        .with_state(app)
}

async fn ask() -> Response {
    let body = html! {
        p { "Git asks for it when you clone or push. It is shown once, and this link is used up." }
        form method="post" { button { "Show my token" } }
    };
    page(StatusCode::OK, &body)
}

async fn open(State(app): State<App>, Path(link): Path<String>) -> Response {
    match login::open(&app, &SecretString::from(link)).await {
        Ok(Some(opened)) => page(StatusCode::OK, &shown(&opened)),
        Ok(None) => {
            let gone = html! {
                p { "This link was used, or is older than ten minutes. The command gives you a new one." }
            };
            page(StatusCode::GONE, &gone)
        }
        Err(cause) => {
            let broken = Broken::log("opening a login link", cause);
            let said = html! { p { "Something broke on our side. Reference " (broken.reference.as_str()) } };
            page(StatusCode::INTERNAL_SERVER_ERROR, &said)
        }
    }
}

fn shown(opened: &Opened) -> Markup {
    html! {
        p { code { (opened.token.expose_secret()) } }
        p { "Give it to git as the password, with any user name. It is good until "
            (opened.until.format("%Y-%m-%d %H:%M")) " UTC, and is not shown again." }
    }
}

/// Nothing may keep, frame or load into a page that holds a secret, and its address goes nowhere.
fn page(status: StatusCode, body: &Markup) -> Response {
    let whole = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { "Your token for git" }
                style { (PreEscaped(STYLE)) }
            }
            body { h1 { "Your token for git" } (body) }
        }
    };
    let headers = [
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        ),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, whole).into_response()
}
