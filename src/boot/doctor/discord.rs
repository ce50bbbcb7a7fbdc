//! Discord: the token, the application that it is of, the intent by which roles are known, the way interactions take, guilds.
//!
//! The facts are those that the bot itself reads, through its own client.

use super::Check;
use super::people::{self, Groups, Teams};
use crate::boot::config::{Config, Discord as Configured};
use crate::catalog::Catalog;
use crate::clients::discord::{Application, Discord, DiscordError, Guild as Named};
use crate::worker::Guild;
use crate::worker::people::guild_groups;

const TOKEN: &str = "discord token";
const INTENT: &str = "discord members";
const INTERACTIONS: &str = "discord interactions";
const GUILDS: &str = "discord guilds";

pub(super) async fn checks(config: &Config, catalog: &Catalog, teams: &Teams) -> Vec<Check> {
    let Some(configured) = &config.discord else {
        return Vec::new();
    };
    let client = match Discord::new(configured.api_url.as_str(), &configured.bot_token) {
        Ok(client) => client,
        Err(e) => {
            let says = format!("can't make a client for Discord: {e}");
            return vec![Check::fail(TOKEN, says)];
        }
    };
    let application = client.application().await;
    let mut checks = vec![token(configured, &application)];
    let Ok(application) = application else {
        return checks;
    };
    checks.push(intent(&application));
    checks.push(interactions(config));
    match client.guilds().await {
        Ok(guilds) => {
            checks.push(places(&guilds));
            // Where there is Slack too, its groups were judged already.
            if config.slack.is_none() {
                let groups = groups(&client, guilds).await;
                let known = (groups.as_ref(), teams);
                checks.extend(people::checks(&config.organisation, catalog, known));
            }
        }
        Err(e) => checks.push(refused(GUILDS, "guilds can't be read", &e)),
    }
    checks
}

fn token(configured: &Configured, application: &Result<Application, DiscordError>) -> Check {
    match (application, &configured.application) {
        (Ok(application), Some(named)) if application.id != *named => Check::fail(
            TOKEN,
            format!(
                "the token is of application {}, and `DISCORD_APPLICATION_ID` names {named}",
                application.id
            ),
        )
        .fix("copy token, public key and id from one application"),
        (Ok(application), _) => {
            Check::ok(TOKEN, format!("{} ({})", application.name, application.id))
        }
        (Err(DiscordError::Revoked), _) => Check::fail(TOKEN, "Discord refuses the token").fix(
            "reset it on the application's page Bot, and copy the new one to `DISCORD_BOT_TOKEN`",
        ),
        (Err(error), _) => refused(TOKEN, "Discord doesn't say who we are", error),
    }
}

fn intent(application: &Application) -> Check {
    if application.reads_members {
        return Check::ok(INTENT, "the Server Members intent is on");
    }
    let says = "the Server Members intent is off: nobody's roles are known, so nobody can approve";
    Check::fail(INTENT, says).fix("switch it on on the application's page Bot")
}

fn interactions(config: &Config) -> Check {
    let Some(public) = &config.public_url else {
        let says = "`IDP_PUBLIC_URL` isn't set: no message carries a link";
        return Check::note(INTERACTIONS, says);
    };
    let address = format!(
        "{}/discord/interactions",
        public.as_str().trim_end_matches('/')
    );
    Check::ok(
        INTERACTIONS,
        format!("expected at {address}: the Interactions Endpoint URL of the application"),
    )
}

fn places(guilds: &[Named]) -> Check {
    if guilds.is_empty() {
        return Check::fail(GUILDS, "the bot is in no guild")
            .fix("open the install link of the application's page Installation");
    }
    let names: Vec<&str> = guilds.iter().map(|guild| guild.name.as_str()).collect();
    Check::ok(GUILDS, names.join(", "))
}

/// The groups of all guilds; none where they can't be read, which the check of the intent tells.
async fn groups(client: &Discord, guilds: Vec<Named>) -> Option<Groups> {
    let mut all = Groups::default();
    for guild in guilds {
        let guild = Guild {
            client: client.clone(),
            id: guild.id,
        };
        let groups = guild_groups(&guild).await.ok()?;
        all.extend(
            groups
                .into_iter()
                .map(|group| (group.handle, group.members)),
        );
    }
    Some(all)
}

/// A call that Discord or the network refused.
fn refused(topic: &'static str, what: &str, error: &DiscordError) -> Check {
    let check = Check::fail(topic, format!("{what}: {error}"));
    match error {
        DiscordError::Unreachable { .. } | DiscordError::Lost { .. } => check
            .fix("let this machine reach `https://discord.com` (or what `DISCORD_API_URL` says)"),
        DiscordError::Limited { .. } => check.fix("try again in a minute"),
        _ => check,
    }
}
