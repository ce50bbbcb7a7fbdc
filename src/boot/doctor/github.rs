//! GitHub: who idp is there, what it may, what the organisation forbids, the clock, the rate, webhooks.
//!
//! The facts are gathered by the client that publishes; the permissions are those of docs/github.md.

mod organisation;
mod place;
mod rights;
mod teams;
mod who;

pub(super) use teams::teams;

use std::sync::Arc;

use chrono::TimeDelta;
use url::Url;

use self::place::{Place, trimmed};
use self::who::WHO;
use super::people::Teams;
use super::{Check, State};
use crate::boot::clock;
use crate::boot::config::Config;
use crate::clients::forge::github::examine::{Rate, Who, examine};

const CLOCK: &str = "github clock";
const RATE: &str = "github rate";
const WEBHOOKS: &str = "github webhooks";

/// From which difference to GitHub's clock on it is told: tokens and signatures of an App are good for minutes.
const CLOCK_WARNS: TimeDelta = TimeDelta::seconds(60);

/// Below this part of the hour's calls it is told.
const RATE_WARNS: u64 = 10;

pub(super) async fn checks(config: &Config, teams: &Teams) -> Vec<Check> {
    let Some(github) = &config.github else {
        return vec![Check::ok(
            WHO,
            "not configured: repositories stand on the local forge",
        )];
    };
    let place = Place::of(github);
    let examined = match examine(&github.forge, &(Arc::new(clock::now) as _)).await {
        Ok(examined) => examined,
        Err(error) => return vec![Check::fail(WHO, error.to_string())],
    };
    let now = clock::now();
    let mut checks = match &examined.who {
        Ok(Who::App { slug, installation }) => place.app(slug, installation),
        Ok(Who::Person(person)) => place.person(person, github.forge.undo, now),
        Err(trouble) => vec![place.nobody(trouble)],
    };
    match &examined.organisation {
        Some(Ok(told)) => checks.extend(place.organisation(told, &examined.who)),
        Some(Err(trouble)) => checks.push(place.unseen(trouble)),
        None => {}
    }
    checks.extend(examined.date.map(|date| clock_off(now - date)));
    checks.extend(examined.rate.map(rate));
    let as_groups = teams.found.is_some() || teams.trouble.is_some();
    if as_groups && github.client_id.is_none() {
        checks.push(place.unlinked());
    }
    let secret = github.webhook_secret.is_some();
    checks.push(webhooks(secret, config.public_url.as_ref()));
    checks
}

fn clock_off(off: TimeDelta) -> Check {
    if off.abs() < CLOCK_WARNS {
        return Check::ok(CLOCK, "right within a minute");
    }
    let way = if off > TimeDelta::zero() {
        "ahead of"
    } else {
        "behind"
    };
    let says = format!("{} s {way} GitHub's", off.num_seconds().abs());
    Check::new(CLOCK, State::Warn, says)
        .fix("let the machine's clock be set by NTP (`timedatectl set-ntp true`)")
}

fn rate(rate: Rate) -> Check {
    let says = format!("{} of this hour's {} calls are left", rate.left, rate.limit);
    match rate.left {
        0 => Check::fail(RATE, says).fix("wait: whoever else uses this token or App spent them"),
        left if left * RATE_WARNS < rate.limit => {
            Check::warn(RATE, says).fix("see who else uses this token or App: they share its calls")
        }
        _ => Check::ok(RATE, says),
    }
}

fn webhooks(secret: bool, public: Option<&Url>) -> Check {
    const UNTOLD: &str = "renamed, moved and deleted repositories aren't noticed";
    match (secret, public) {
        (true, Some(url)) => Check::ok(
            WEBHOOKS,
            format!("signed ones, at {}/github/webhooks", trimmed(url)),
        ),
        (true, None) => Check::warn(WEBHOOKS, format!("no public address is set: {UNTOLD}"))
            .fix("set `IDP_PUBLIC_URL`, and the same with `/github/webhooks` as the webhook's address"),
        (false, _) => Check::note(WEBHOOKS, format!("there is no secret for them: {UNTOLD}"))
            .fix("set the same secret on the App's or organisation's webhook and in `GITHUB_WEBHOOK_SECRET`"),
    }
}

#[cfg(test)]
mod tests;
