//! `idp doctor`: is everything there that idp needs? A list of checks, each with what to do about it.
//!
//! Every part gathers its facts first and judges them in pure functions after, so that the judgement is tested without
//! a network. A platform is a file beside these with one function from the configuration to a list of checks. Nothing
//! is made or changed by looking.

mod channels;
mod configuration;
mod database;
mod discord;
mod github;
mod machine;
mod people;
mod slack;
mod strangers;

use serde::Serialize;

use super::config::{Config, Environment, Options};
use super::postgres::Report;
use super::problem::Problem;
use super::serve::settings;
use crate::catalog::Catalog;
use crate::steps;

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Ok,
    /// As it may be; something is given up by it.
    Note,
    /// It works today.
    Warn,
    /// It doesn't work.
    Fail,
}

impl State {
    /// The word that people read.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What it is about: `slack token`.
    pub topic: &'static str,
    /// How it stands.
    pub state: State,
    /// What was found, in a sentence without a full stop.
    pub says: String,
    /// What to do about it, in the order of promise; empty where nothing is to be done.
    pub fix: Vec<String>,
}

impl Check {
    fn new(topic: &'static str, state: State, says: impl Into<String>) -> Self {
        Self {
            topic,
            state,
            says: says.into(),
            fix: Vec::new(),
        }
    }

    fn ok(topic: &'static str, says: impl Into<String>) -> Self {
        Self::new(topic, State::Ok, says)
    }

    fn note(topic: &'static str, says: impl Into<String>) -> Self {
        Self::new(topic, State::Note, says)
    }

    fn warn(topic: &'static str, says: impl Into<String>) -> Self {
        Self::new(topic, State::Warn, says)
    }

    fn fail(topic: &'static str, says: impl Into<String>) -> Self {
        Self::new(topic, State::Fail, says)
    }

    fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix.push(fix.into());
        self
    }

    /// Something that a command would have failed with.
    fn problem(topic: &'static str, problem: &Problem) -> Self {
        let place = problem.place().map(|place| format!(" ({place})"));
        let cause = problem.causes().into_iter().next();
        let cause = cause.map(|cause| format!(": {}", cause.trim()));
        let says = [Some(problem.text().to_owned()), place, cause];
        Self {
            fix: problem.hints().to_vec(),
            ..Self::fail(topic, says.into_iter().flatten().collect::<String>())
        }
    }
}

/// Looks at everything. A configuration that can't be read leaves nothing else to look at.
pub async fn examine(
    options: &Options,
    environment: &Environment,
    report: Report<'_>,
) -> Vec<Check> {
    let config = match Config::load(options, environment) {
        Ok(config) => config,
        Err(problem) => return vec![Check::problem("configuration", &problem)],
    };
    let actions = steps::specs(settings::forge_kind(&config));
    let catalog = Catalog::load(
        &settings::sources(&config),
        &actions,
        &settings::known(&config.organisation, settings::github(&config), &actions),
    );
    let mut checks = configuration::checks(&config, &catalog);
    checks.extend(machine::checks(&config, environment));
    checks.extend(database::checks(&config, report).await);
    let teams = github::teams(&config, &catalog).await;
    let (slack, on_slack) = slack::checks(&config, &catalog).await;
    let (discord, on_discord) = discord::checks(&config, &catalog).await;
    checks.extend(slack);
    checks.extend(discord);
    // A rule may name a group of either platform, so they are judged together, once.
    let known = (on_slack.and(on_discord), &teams);
    let chats = people::Chats::of(&config);
    checks.extend(people::checks(&config.organisation, &catalog, known, chats));
    checks.extend(github::checks(&config, &teams).await);
    checks
}
