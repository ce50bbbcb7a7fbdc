//! Who may use the local forge.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, FORWARDED, HOST, WWW_AUTHENTICATE};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures_util::future::BoxFuture;

use super::GitState;

/// Says whose personal token this is; `None`: nobody's. An error is our own failure, not theirs.
pub type Verify =
    Arc<dyn Fn(String) -> BoxFuture<'static, anyhow::Result<Option<String>>> + Send + Sync>;

/// The person behind a request; none where no token was needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who(pub Option<String>);

/// Headers that a proxy adds: whoever sent the request is elsewhere, whatever address it came to.
const FORWARDING: [HeaderName; 4] = [
    FORWARDED,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-real-ip"),
];

/// Lets a request through that needs no token or has a good one.
pub(super) async fn check(
    State(state): State<Arc<GitState>>,
    mut request: Request,
    next: Next,
) -> Response {
    let who = match token(request.headers()) {
        _ if state.open && is_local(&request) => Who(None),
        None => return unauthorized("Please give a personal token as the password."),
        Some(token) => match (state.verify)(token).await {
            Ok(Some(name)) => Who(Some(name)),
            Ok(None) => return unauthorized("This token is not good (any more)."),
            Err(error) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    "A token for the forge could not be checked"
                );
                return (
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The token can't be checked right now.\n",
                )
                    .into_response();
            }
        },
    };
    request.extensions_mut().insert(who);
    next.run(request).await
}

fn unauthorized(why: &'static str) -> Response {
    let ask = [(WWW_AUTHENTICATE, "Basic realm=\"idp\", charset=\"UTF-8\"")];
    (StatusCode::UNAUTHORIZED, ask, format!("{why}\n")).into_response()
}

/// The token: a bearer's, or the password that git and browsers send.
fn token(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(BASE64_STANDARD.decode(rest.trim()).ok()?).ok()?;
    pair.split_once(':')
        .map(|(_, password)| password.to_owned())
}

/// Whether the request was written for this machine itself.
///
/// The `Host` is asked too: behind a proxy it names the outside, and a page that had its name moved to a loopback
/// address (DNS rebinding) still calls it by that name.
fn is_local(request: &Request) -> bool {
    if FORWARDING
        .iter()
        .any(|name| request.headers().contains_key(name))
    {
        return false;
    }
    let header = request
        .headers()
        .get(HOST)
        .and_then(|host| host.to_str().ok());
    header
        .or_else(|| request.uri().authority().map(Authority::as_str))
        .is_some_and(is_loopback_host)
}

fn is_loopback_host(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => {
            return rest.split(']').next().and_then(|ip| ip.parse().ok())
                == Some(Ipv6Addr::LOCALHOST);
        }
        None => host
            .split(':')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase(),
    };
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_are_this_machine() {
        for host in [
            "localhost",
            "LOCALHOST:8484",
            "127.0.0.1:8484",
            "127.1.2.3",
            "[::1]:8484",
            "[::1]",
            "idp.localhost:80",
        ] {
            assert!(is_loopback_host(host), "{host}");
        }
        for host in [
            "",
            "example.com",
            "localhost.example.com",
            "127.0.0.1.example.com",
            "10.0.0.1",
            "[::2]",
            "[",
            "0.0.0.0",
            "notlocalhost",
        ] {
            assert!(!is_loopback_host(host), "{host}");
        }
    }

    #[test]
    fn tokens_come_as_bearer_or_password() {
        let of = |value: &str| {
            token(&HeaderMap::from_iter([(
                AUTHORIZATION,
                value.parse().unwrap(),
            )]))
        };
        assert_eq!(of("Bearer abc"), Some("abc".to_owned()));
        assert_eq!(
            of(&format!("basic {}", BASE64_STANDARD.encode("me:a:b"))),
            Some("a:b".to_owned())
        );
        for bad in [
            "Basic !",
            "Basic",
            "Digest x",
            &format!("Basic {}", BASE64_STANDARD.encode("nocolon")),
        ] {
            assert_eq!(of(bad), None, "{bad}");
        }
        assert_eq!(token(&HeaderMap::new()), None);
    }
}
