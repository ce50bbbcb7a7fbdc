//! Discord: the token, the application that it is of, the intent by which roles are known, the way interactions take, guilds.
//!
//! The facts are those that the bot itself reads, through its own client.

use super::Check;
use super::people::{Groups, Told};
use crate::boot::config::{Config, Discord as Configured};
use crate::clients::discord::{Application, Discord, DiscordError, Guild as Named};
use crate::worker::Guild;
use crate::worker::people::guild_groups;

const TOKEN: &str = "discord token";
const INTENT: &str = "discord members";
const INTERACTIONS: &str = "discord interactions";
const ROLES: &str = "discord roles";
const GUILDS: &str = "discord guilds";

/// What is to be said of Discord, and its roles as groups.
pub(super) async fn checks(config: &Config) -> (Vec<Check>, Told) {
    let Some(configured) = &config.discord else {
        return (Vec::new(), Told::Groups(Groups::default()));
    };
    let client = match Discord::new(configured.api_url.as_str(), &configured.bot_token) {
        Ok(client) => client,
        Err(e) => {
            let says = format!("can't make a client for Discord: {e}");
            return (vec![Check::fail(TOKEN, says)], Told::Nothing);
        }
    };
    let application = client.application().await;
    let mut checks = vec![token(configured, &application)];
    let Ok(application) = application else {
        return (checks, Told::Nothing);
    };
    checks.push(intent(&application));
    checks.push(interactions(config, &application));
    let guilds = match client.guilds().await {
        Ok(guilds) => guilds,
        Err(e) => {
            checks.push(refused(GUILDS, "guilds can't be read", &e));
            return (checks, Told::Unread);
        }
    };
    checks.push(places(&guilds));
    match groups(&client, guilds).await {
        Ok(groups) => (checks, Told::Groups(groups)),
        Err(e) => {
            let says = format!("roles and members can't be read: {e:#}");
            checks.push(Check::fail(ROLES, says));
            (checks, Told::Unread)
        }
    }
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

/// Where Discord delivers to, against where we can be reached.
fn interactions(config: &Config, application: &Application) -> Check {
    let public = config.public_url.as_ref();
    let ours = public.map(|url| {
        let base = url.as_str().trim_end_matches('/');
        format!("{base}/discord/interactions")
    });
    match (&application.delivers_to, ours) {
        (None, ours) => {
            let address = ours.unwrap_or_else(|| "https://…/discord/interactions".to_owned());
            Check::fail(INTERACTIONS, "Discord delivers nothing: the application has no address")
                .fix(format!("enter {address} as Interactions Endpoint URL on the application's page General Information"))
        }
        (Some(there), Some(ours)) if *there != ours => {
            let says = format!("Discord delivers to {there}, and idp is reached at {ours}");
            Check::warn(INTERACTIONS, says)
                .fix("set the Interactions Endpoint URL or `IDP_PUBLIC_URL` right")
        }
        (Some(there), _) => Check::ok(INTERACTIONS, format!("Discord delivers to {there}")),
    }
}

fn places(guilds: &[Named]) -> Check {
    if guilds.is_empty() {
        return Check::fail(GUILDS, "the bot is in no guild")
            .fix("open the install link of the application's page Installation");
    }
    let names: Vec<&str> = guilds.iter().map(|guild| guild.name.as_str()).collect();
    Check::ok(GUILDS, names.join(", "))
}

/// The groups of all guilds: roles of one name are one group.
async fn groups(client: &Discord, guilds: Vec<Named>) -> anyhow::Result<Groups> {
    let mut all = Groups::default();
    for guild in guilds {
        let guild = Guild {
            client: client.clone(),
            id: guild.id,
        };
        for group in guild_groups(&guild).await? {
            all.entry(group.handle).or_default().extend(group.members);
        }
    }
    Ok(all)
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
