//! Slack: the token and its scopes, the way deliveries take, the clock, groups and channels.
//!
//! The facts are those that the bot itself reads, through its own client.

use chrono::TimeDelta;

use super::people::{Known, Told};
use super::strangers::{self, Stranger, Strangers};
use super::{Check, State, channels as named};
use crate::boot::clock;
use crate::boot::config::{Config, Organisation, Slack as App};
use crate::catalog::Catalog;
use crate::clients::slack::{Auth, Channel, Slack, SlackError};
use crate::domain::person::AccountKind;

const TOKEN: &str = "slack token";
const SCOPES: &str = "slack scopes";
const DELIVERIES: &str = "slack deliveries";
const CLOCK: &str = "clock";
const GROUPS: &str = "groups";
const CHANNELS: &str = "channels";

/// Scopes that idp needs, and what is lost without each: docs/slack.md.
const NEEDED: [(&str, &str); 8] = [
    ("commands", "nothing works"),
    ("chat:write", "nothing works"),
    ("im:write", "approvers outside the channel aren't told"),
    ("users:read", "nobody can ask: unknown accounts are refused"),
    ("usergroups:read", "only lists under `[groups]` are groups"),
    ("channels:read", "public channels aren't found"),
    ("groups:read", "private channels aren't found"),
    ("app_mentions:read", "mentions of the bot aren't heard"),
];

/// Scopes that idp can do without, and what is lost then.
const OPTIONAL: [(&str, &str); 4] = [
    (
        "chat:write.public",
        "the bot has to be invited to public channels too",
    ),
    (
        "channels:history",
        "a message whose answer was lost is posted again",
    ),
    (
        "groups:history",
        "in private channels, a message whose answer was lost is posted again",
    ),
    (
        "im:history",
        "words written to the bot directly aren't heard",
    ),
];

/// From which difference to Slack's clock on it is told, and from which on deliveries are refused: five minutes
/// (<https://docs.slack.dev/authentication/verifying-requests-from-slack/>).
const CLOCK_WARNS: TimeDelta = TimeDelta::seconds(60);
const CLOCK_FAILS: TimeDelta = TimeDelta::minutes(5);

/// Accounts that are looked up, at most (`users.info` is tier 4: 100 a minute).
const LOOKED_UP: usize = 80;

/// What is to be said of Slack, and its user groups.
pub(super) async fn checks(config: &Config, catalog: &Catalog) -> (Vec<Check>, Told) {
    let Some(app) = &config.slack else {
        if config.discord.is_some() {
            let ids = strangers::named(&config.organisation, named::is_of_slack);
            let known = Known {
                strangers: strangers::of_none(ids, "Slack"),
                ..Known::default()
            };
            return (Vec::new(), Told::Groups(known));
        }
        let nobody = Check::fail(TOKEN, "no chat is configured: nobody can ask")
            .fix("docs/slack.md leads there in ten minutes, docs/discord.md to Discord");
        return (vec![nobody], Told::Unread);
    };
    let client = match Slack::new(app.api_url.as_str().trim_end_matches('/'), &app.bot_token) {
        Ok(client) => client,
        Err(e) => {
            let says = format!("can't make a client for Slack: {e}");
            return (vec![Check::fail(TOKEN, says)], Told::Nothing);
        }
    };
    let auth = client.auth_test().await;
    let now = clock::now();
    let mut checks = vec![token(&auth)];
    let Ok(auth) = auth else {
        return (checks, Told::Nothing);
    };
    checks.extend(scopes(auth.scopes.as_deref()));
    checks.extend(deliveries(config, app, &client).await);
    checks.extend(auth.date.map(|date| clock_off(now - date)));
    let groups = match client.groups(None).await {
        Ok(groups) => {
            let groups = groups.into_iter().map(|g| (g.handle, g.members));
            Told::Groups(Known {
                groups: groups.collect(),
                strangers: nobodies(&client, &auth, &config.organisation).await,
                ..Known::default()
            })
        }
        Err(e) => {
            checks.push(refused(GROUPS, "user groups can't be read", &e));
            Told::Unread
        }
    };
    let public = granted(&auth, "chat:write.public");
    match client.channels(None).await {
        Ok(channels) => {
            let mut names = named::all(&config.organisation, catalog);
            names.retain(|name| config.discord.is_none() || !named::is_of_discord(name));
            checks.extend(places(&names, &channels, public));
        }
        Err(e) => checks.push(refused(CHANNELS, "channels can't be read", &e)),
    }
    (checks, groups)
}

/// The ids that are named as accounts and with which nobody can decide.
async fn nobodies(client: &Slack, auth: &Auth, organisation: &Organisation) -> Strangers {
    let mut found = Strangers::new();
    let ids = strangers::named(organisation, named::is_of_slack);
    for id in ids.into_iter().take(LOOKED_UP) {
        let why = match client.user(&id, &auth.installation).await {
            Ok(user) if !user.active => "the account is deactivated".to_owned(),
            Ok(user) if user.kind == AccountKind::Bot => "it is a bot's".to_owned(),
            Ok(user) if user.kind == AccountKind::Outsider => "it is of another company".to_owned(),
            Err(SlackError::UserGone { .. }) => format!("nobody in {} has this id", auth.name),
            // One that nobody can tell anything of counts.
            Ok(_) | Err(_) => continue,
        };
        found.insert(id, Stranger::Nobody(why));
    }
    found
}

fn token(auth: &Result<Auth, SlackError>) -> Check {
    match auth {
        Ok(auth) => Check::ok(TOKEN, format!("{} in {} ({})", auth.user, auth.name, auth.installation)),
        Err(e @ SlackError::Revoked { .. }) => Check::fail(TOKEN, e.to_string())
            .fix("install the app again, and copy its Bot User OAuth Token (`xoxb-…`) to `SLACK_BOT_TOKEN`"),
        Err(e) => refused(TOKEN, "Slack doesn't say who we are", e),
    }
}

/// A call that Slack or the network refused.
fn refused(topic: &'static str, what: &str, error: &SlackError) -> Check {
    let check = Check::fail(topic, format!("{what}: {error}"));
    match error {
        SlackError::MissingScope { .. } => check.fix(ADD_SCOPE),
        SlackError::Unreachable { .. } | SlackError::Lost { .. } => {
            check.fix("let this machine reach `https://slack.com` (or what `SLACK_API_URL` says)")
        }
        SlackError::Limited { .. } => check.fix("try again in a minute"),
        _ => check,
    }
}

const ADD_SCOPE: &str = "add it on the app's page OAuth & Permissions, and install the app again";

fn scopes(granted: Option<&[String]>) -> Vec<Check> {
    let Some(granted) = granted else {
        return vec![Check::note(SCOPES, "Slack doesn't say which are granted")];
    };
    let lacks = |scope: &str| !granted.iter().any(|g| g == scope);
    let needed = NEEDED.iter().filter(|(scope, _)| lacks(scope));
    let needed = needed.map(|(scope, lost)| {
        Check::fail(SCOPES, format!("`{scope}` is missing: {lost}")).fix(ADD_SCOPE)
    });
    let optional = OPTIONAL.iter().filter(|(scope, _)| lacks(scope));
    let optional =
        optional.map(|(scope, lost)| Check::note(SCOPES, format!("without `{scope}`, {lost}")));
    let mut checks: Vec<Check> = needed.collect();
    if checks.is_empty() {
        checks.push(Check::ok(
            SCOPES,
            format!("all {} that idp needs", NEEDED.len()),
        ));
    }
    checks.extend(optional);
    checks
}

fn granted(auth: &Auth, scope: &str) -> bool {
    auth.scopes
        .as_ref()
        .is_some_and(|all| all.iter().any(|s| s == scope))
}

async fn deliveries(config: &Config, app: &App, client: &Slack) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Some(token) = &app.app_token {
        checks.push(socket(&client.open_connection(token).await.map(drop)));
    }
    if app.signing_secret.is_some() {
        checks.push(http(config.public_url.is_some(), app.app_token.is_some()));
    }
    checks
}

fn socket(opened: &Result<(), SlackError>) -> Check {
    match opened {
        Ok(()) => Check::ok(DELIVERIES, "Socket Mode opens"),
        Err(SlackError::MissingScope { .. }) => {
            Check::fail(DELIVERIES, "the app-level token lacks `connections:write`")
                .fix("make one with it on the app's page Basic Information: `SLACK_APP_TOKEN`")
        }
        Err(e @ (SlackError::Unreachable { .. } | SlackError::Lost { .. })) => {
            refused(DELIVERIES, "Socket Mode doesn't open", e)
        }
        Err(e) => Check::fail(DELIVERIES, format!("Socket Mode doesn't open: {e}"))
            .fix("switch Socket Mode on in the app's settings")
            .fix("copy the App-Level Token (`xapp-…`) of this very app to `SLACK_APP_TOKEN`"),
    }
}

fn http(public_url: bool, socket: bool) -> Check {
    match (public_url, socket) {
        (true, _) => Check::ok(DELIVERIES, "HTTP, at the public address"),
        (false, true) => Check::note(
            DELIVERIES,
            "HTTP too, if a proxy leads to idp: no public address is set",
        ),
        (false, false) => Check::fail(
            DELIVERIES,
            "deliveries come over HTTP, and no public address is set",
        )
        .fix("set `IDP_PUBLIC_URL`, and the same in the app's settings (docs/slack.md)")
        .fix("or use Socket Mode: set `SLACK_APP_TOKEN`"),
    }
}

fn clock_off(off: TimeDelta) -> Check {
    let seconds = off.num_seconds().abs();
    let state = match off.abs() {
        off if off >= CLOCK_FAILS => State::Fail,
        off if off >= CLOCK_WARNS => State::Warn,
        _ => return Check::ok(CLOCK, "right within a minute"),
    };
    let way = if off > TimeDelta::zero() {
        "ahead of"
    } else {
        "behind"
    };
    let says = format!(
        "{seconds} s {way} Slack's; deliveries over HTTP are refused from {} s on",
        CLOCK_FAILS.num_seconds()
    );
    Check::new(CLOCK, state, says)
        .fix("let the machine's clock be set by NTP (`timedatectl set-ntp true`)")
}

fn places(names: &[String], channels: &[Channel], public: bool) -> Vec<Check> {
    if names.is_empty() {
        return vec![named::none(CHANNELS)];
    }
    let checks: Vec<Check> = names
        .iter()
        .filter_map(|name| place(name, channels, public))
        .collect();
    if checks.is_empty() {
        return vec![Check::ok(CHANNELS, names.join(", "))];
    }
    checks
}

fn place(written: &str, channels: &[Channel], public: bool) -> Option<Check> {
    let name = written.trim_start_matches('#');
    let mut same = channels
        .iter()
        .filter(|c| c.id == name || c.name.as_deref() == Some(name));
    // An archived channel may have left its name to another one.
    let found = same.clone().find(|c| !c.archived).or_else(|| same.next());
    let Some(channel) = found else {
        let check = Check::fail(
            CHANNELS,
            format!("{written} isn't there, or is private without the bot"),
        );
        let there = channels.iter().filter_map(|c| c.name.as_deref());
        let check = named::nearest_of(check, name, there);
        return Some(check.fix(format!("type `/invite @idp` in {written}")));
    };
    if channel.archived {
        let check = Check::fail(CHANNELS, format!("{written} is archived"));
        return Some(check.fix("bring it back, or name another"));
    }
    let open = channel.kind == crate::domain::event::PlaceKind::Public && public;
    if channel.member || open {
        return None;
    }
    let check = Check::fail(CHANNELS, format!("the bot isn't in {written}"));
    Some(check.fix(format!("type `/invite @idp` in {written}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::PlaceKind;

    #[test]
    fn the_manifests_ask_for_what_is_checked() {
        for manifest in [
            include_str!("../../../deploy/slack/socket.json"),
            include_str!("../../../deploy/slack/http.json"),
        ] {
            let manifest: serde_json::Value = serde_json::from_str(manifest).unwrap();
            let scopes = &manifest["oauth_config"]["scopes"];
            let asked =
                |key: &str| serde_json::from_value::<Vec<String>>(scopes[key].clone()).unwrap();
            for (scope, _) in NEEDED {
                assert!(asked("bot").contains(&scope.to_owned()), "{scope}");
            }
            let mut optional = OPTIONAL.map(|(scope, _)| scope.to_owned());
            optional.sort();
            assert_eq!(asked("bot_optional"), optional);
        }
    }

    #[test]
    fn the_clock_warns_from_a_minute_and_fails_from_five() {
        let state = |seconds| clock_off(TimeDelta::seconds(seconds)).state;
        assert_eq!([state(0), state(59), state(-59)], [State::Ok; 3]);
        assert_eq!([state(60), state(-299)], [State::Warn; 2]);
        assert_eq!([state(300), state(-600)], [State::Fail; 2]);
    }

    #[test]
    fn a_channel_takes_the_bot_in_it_or_the_right_to_post_anywhere_public() {
        let channel = |kind, member, archived| Channel {
            id: "C1".into(),
            name: Some("platform".into()),
            kind,
            member,
            archived,
        };
        let good = |channel: Channel, public| place("#platform", &[channel], public).is_none();
        assert!(good(channel(PlaceKind::Public, true, false), false));
        assert!(good(channel(PlaceKind::Public, false, false), true));
        assert!(!good(channel(PlaceKind::Public, false, false), false));
        assert!(!good(channel(PlaceKind::Private, false, false), true));
        assert!(!good(channel(PlaceKind::Public, true, true), true));
        let (gone, here) = (
            channel(PlaceKind::Public, true, true),
            channel(PlaceKind::Public, true, false),
        );
        assert!(place("#platform", &[gone, here], false).is_none());
    }

    #[test]
    fn http_needs_an_address_unless_a_socket_does_the_work() {
        let state = |url, socket| http(url, socket).state;
        assert_eq!(state(true, false), State::Ok);
        assert_eq!(state(false, false), State::Fail);
        assert_eq!(state(false, true), State::Note);
    }
}
