//! A bot in a guild: `idp serve` as an operator starts it, over HTTP or by the gateway, and what people do there.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::{Value, json};

use super::{ALEX, APPLICATION, BOT_TOKEN, Fake, PLATFORM, PRIYA};
use crate::support::serve::{Served, Site, until};

pub const TOML: &str = r##"
[teams.payments]
title = "Payments"
members = ["group:engineers"]
leads = ["group:payments-leads"]

[channels]
default = "#platform"
"##;

/// A bot in a guild.
pub struct Office {
    pub site: Site,
    pub discord: Fake,
    pub served: Served,
    /// Whether Discord delivers over the gateway.
    gateway: bool,
}

impl Office {
    pub async fn open() -> Self {
        Self::with(TOML, without_slack).await
    }

    /// With this configuration, and more or less in its environment.
    pub async fn with(toml: &str, change: impl FnOnce(&mut Command)) -> Self {
        Self::on(Fake::start().await, toml, change).await
    }

    /// On this Discord.
    pub async fn on(discord: Fake, toml: &str, change: impl FnOnce(&mut Command)) -> Self {
        let site = Site::new(toml).await;
        let key = discord.public_key();
        let served = site
            .serve_with(|command| {
                command.env("DISCORD_PUBLIC_KEY", key);
                change(command);
                on_discord(command, &discord);
            })
            .await;
        if discord.shows_members() {
            site.knows(ALEX, "platform").await;
            site.knows(PRIYA, "platform").await;
        } else {
            knows_roles(&site).await;
        }
        Self {
            site,
            discord,
            served,
            gateway: false,
        }
    }

    /// Without a public address: over the gateway.
    pub async fn by_gateway() -> Self {
        let discord = Fake::start().await;
        discord.without_endpoint();
        Self::by_gateway_on(discord).await
    }

    /// The same on this Discord.
    pub async fn by_gateway_on(discord: Fake) -> Self {
        let change = |command: &mut Command| {
            without_slack(command);
            command
                .env_remove("DISCORD_PUBLIC_KEY")
                .env("DISCORD_GATEWAY", "1");
        };
        let office = Self::on(discord, TOML, change).await;
        Self {
            gateway: true,
            ..office
        }
    }

    /// Its process dies, and this one serves there.
    pub fn dies(self, served: Served) -> Self {
        Self { served, ..self }
    }

    pub async fn acts(&self, account: &str, kind: u64, data: Value) -> Value {
        let payload = self.discord.interaction(account, kind, &data);
        self.delivers(&payload).await
    }

    /// Discord delivers an interaction; gives the answer.
    pub async fn delivers(&self, payload: &Value) -> Value {
        if self.gateway {
            return self.discord.tells(payload).await;
        }
        let (status, answer) = self.discord.deliver(&self.served.url, payload).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    pub async fn runs(&self, account: &str, sub: &str, options: &[(&str, &str)]) -> Value {
        let options = options.iter();
        let options: Value = options
            .map(|(name, value)| json!({ "type": 3, "name": name, "value": value }))
            .collect();
        let sub = json!({ "type": 1, "name": sub, "options": options });
        let data = json!({ "id": "1", "name": "idp", "type": 1, "options": [sub] });
        self.acts(account, 2, data).await
    }

    /// Presses a button of a message: of one that stands, or of an answer for one person alone.
    pub async fn presses(&self, account: &str, message: &Value, label: &str) -> Value {
        let private = message["id"].is_null();
        let flags = if private { 64 } else { 0 };
        let id = message["id"].as_str().unwrap_or("899");
        let data = json!({ "component_type": 2, "custom_id": button(message, label) });
        let mut payload = self.discord.interaction(account, 3, &data);
        payload["message"] = json!({ "id": id, "flags": flags, "content": message["content"] });
        self.delivers(&payload).await
    }

    /// Sends a modal with these words, and what stands in its other fields.
    pub async fn fills(&self, account: &str, modal: &Value, typed: &BTreeMap<&str, &str>) -> Value {
        let mut components = Vec::new();
        let labels = modal["components"].as_array().unwrap();
        assert!(labels.len() <= 5, "Discord's modals hold five: {modal}");
        for input in labels
            .iter()
            .map(|l| &l["component"])
            .filter(|i| i.is_object())
        {
            let id = input["custom_id"].as_str().unwrap();
            let word = typed.get(id.rsplit(' ').next().unwrap()).copied();
            let mut sent = json!({ "type": input["type"], "id": 1, "custom_id": id });
            if input["type"] == 4 {
                sent["value"] = word.or(input["value"].as_str()).unwrap_or_default().into();
            } else {
                let options = input["options"].as_array().unwrap();
                let default = options.iter().find(|o| o["default"] == true);
                let word = word.or(default.and_then(|o| o["value"].as_str()));
                assert!(
                    word.is_none_or(|w| options.iter().any(|o| o["value"] == w)),
                    "{word:?} is not offered: {input}"
                );
                sent["values"] = word.into_iter().collect();
            }
            components.push(json!({ "type": 18, "id": 1, "component": sent }));
        }
        let data = json!({ "custom_id": modal["custom_id"], "components": components });
        self.acts(account, 5, data).await
    }

    /// Priya asks for a service, page by page; gives the last answer.
    pub async fn asks(&self, name: &str) -> Value {
        let typed = BTreeMap::from([
            ("name", name),
            ("template", "static-site"),
            ("owner", "payments"),
            ("visibility", "private"),
            ("headline", "Hello"),
        ]);
        let options = [("command", "new-service"), ("words", name)];
        let mut answer = self.runs(PRIYA, "run", &options).await;
        for _ in 0..6 {
            assert_eq!(answer["type"], 9, "a form opens: {answer}");
            answer = self.fills(PRIYA, &answer["data"], &typed).await;
            let buttons = answer["data"]["components"].to_string();
            if !buttons.contains("Continue") {
                return answer;
            }
            answer = self.presses(PRIYA, &answer["data"], "Continue").await;
        }
        panic!("the form never ends: {answer}");
    }

    /// The root card in `#platform`, once it says this.
    pub async fn card(&self, words: &str) -> Value {
        until(words, async || {
            let messages = self.discord.messages(PLATFORM);
            let says = |m: &Value| m["content"].as_str().is_some_and(|c| c.contains(words));
            messages.into_iter().find(says)
        })
        .await
    }
}

/// Waits until the guild's roles were read, by the last thing that is kept of a reading.
async fn knows_roles(site: &Site) {
    let pool = site.database.pool(1).await;
    until("it doesn't read the guild", async || {
        let known =
            sqlx::query_scalar("select exists (select from channel where name = 'platform')");
        known.fetch_one(&pool).await.unwrap_or(false).then_some(())
    })
    .await;
}

/// The environment of an office that has no Slack.
pub fn without_slack(command: &mut Command) {
    command
        .env_remove("SLACK_API_URL")
        .env_remove("SLACK_BOT_TOKEN")
        .env_remove("SLACK_SIGNING_SECRET");
}

/// The environment of an office on this Discord.
pub fn on_discord(command: &mut Command, discord: &Fake) {
    command
        .env("DISCORD_API_URL", &discord.url)
        .env("DISCORD_APPLICATION_ID", APPLICATION)
        .env("DISCORD_BOT_TOKEN", BOT_TOKEN);
}

pub fn button(message: &Value, label: &str) -> String {
    let rows = message["components"].as_array().into_iter().flatten();
    let mut buttons = rows.flat_map(|row| row["components"].as_array().into_iter().flatten());
    let found = buttons.find(|b| b["label"] == label);
    let id = found.and_then(|b| b["custom_id"].as_str());
    id.unwrap_or_else(|| panic!("no {label} on {message:#}"))
        .to_owned()
}

pub fn content(answer: &Value) -> &str {
    answer["data"]["content"].as_str().unwrap()
}
