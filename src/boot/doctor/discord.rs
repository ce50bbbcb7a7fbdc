//! Discord: the token, the application that it is of, the intent by which roles are known, the way interactions take,
//! guilds with their roles and channels.
//!
//! The facts are those that the bot itself reads, through its own client.

mod guild;

use std::collections::BTreeSet;

use self::guild::{Files, Seen};
use super::people::{self, Groups, Known, Told, Unlisted};
use super::strangers::{self, Stranger, Strangers};
use super::{Check, channels};
use crate::boot::config::{Config, Discord as Configured, Organisation};
use crate::catalog::Catalog;
use crate::clients::discord::{Application, Discord, DiscordError, Guild as Place};

const TOKEN: &str = "discord token";
const INTENT: &str = "discord members";
const INTERACTIONS: &str = "discord interactions";
const ROLES: &str = "discord roles";
const GUILDS: &str = "discord guilds";

/// What the bot is to be permitted, as bits (docs/discord.md): View Channels, Send Messages, Create Public Threads, Send
/// Messages in Threads, Read Message History, Mention @everyone, @here, and All Roles.
const PERMISSIONS: u64 = 309_237_844_992;

/// What is to be said of Discord, and its roles as groups.
pub(super) async fn checks(config: &Config, catalog: &Catalog) -> (Vec<Check>, Told) {
    let Some(configured) = &config.discord else {
        let ids = strangers::named(&config.organisation, channels::is_of_discord);
        let known = Known {
            strangers: strangers::of_none(ids, "Discord"),
            ..Known::default()
        };
        return (Vec::new(), Told::Groups(known));
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
    checks.extend(open_to_all(configured, &application));
    checks.push(if configured.gateway {
        gateway(&client, &application).await
    } else {
        interactions(config, configured, &application)
    });
    let guilds = match client.guilds().await {
        Ok(guilds) => guilds,
        Err(e) => {
            checks.push(refused(GUILDS, "guilds can't be read", &e));
            return (checks, Told::Unread);
        }
    };
    checks.extend(left(configured, &guilds, &application));
    let guilds = served(configured, guilds);
    checks.extend(places(&guilds, configured, &application));
    match read(&client, guilds).await {
        Ok(seen) => {
            let called = people::called(&config.organisation, catalog);
            let alone = config.slack.is_none();
            let mut names = channels::all(&config.organisation, catalog);
            names.retain(|name| alone || !channels::is_of_slack(name));
            let files = Files {
                channels: &names,
                anywhere: channels::anywhere(&config.organisation, catalog),
                called: &called,
                alone,
            };
            checks.extend(seen.iter().flat_map(|guild| guild.unheard(files)));
            checks.extend(guild::judge(&seen, files));
            let strangers = nobodies(&client, &seen, &config.organisation).await;
            let (groups, unlisted) = groups(seen);
            let known = Known {
                groups,
                unlisted,
                strangers,
            };
            (checks, Told::Groups(known))
        }
        Err(e) => {
            let says = format!("roles, channels and members can't be read: {e:#}");
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
    let says = "the Server Members intent is off: who has a role is known only once they act";
    Check::warn(INTENT, says).fix("switch it on on the application's page Bot")
}

/// Whoever can add the bot to a guild of theirs brings its roles and people into the organisation.
fn open_to_all(configured: &Configured, application: &Application) -> Option<Check> {
    if !application.is_public || configured.guilds.is_some() {
        return None;
    }
    let says = "anybody may add the bot to a server of theirs, whose roles and people then count";
    Some(Check::fail(GUILDS, says).fix(
        "switch Public Bot off on the application's page Bot, or list the servers: `guilds` under `[discord]`",
    ))
}

fn served(configured: &Configured, mut guilds: Vec<Place>) -> Vec<Place> {
    if let Some(listed) = &configured.guilds {
        guilds.retain(|guild| listed.contains(&guild.id));
    }
    guilds
}

/// Where Discord delivers to, against where we can be reached.
fn interactions(config: &Config, configured: &Configured, application: &Application) -> Check {
    let keys = configured
        .key
        .as_ref()
        .zip(application.public_key.as_deref());
    if keys.is_some_and(|(ours, theirs)| !ours.is(theirs)) {
        let says = "`DISCORD_PUBLIC_KEY` is of another application: nothing that Discord delivers is taken";
        return Check::fail(INTERACTIONS, says)
            .fix("copy the public key from the application's page General Information");
    }
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

/// Whether the gateway can be had, and what keeps Discord from delivering over it.
async fn gateway(client: &Discord, application: &Application) -> Check {
    if let Some(there) = &application.delivers_to {
        let says = format!("Discord delivers to {there}, and nothing over the gateway");
        return Check::fail(INTERACTIONS, says).fix(
            "clear the Interactions Endpoint URL on the application's page General Information, or unset `DISCORD_GATEWAY`",
        );
    }
    match client.gateway().await {
        Ok(gateway) if gateway.starts_left == 0 => {
            let minutes = gateway.full_after.as_secs().div_ceil(60);
            let says = format!("the gateway takes no new session for {minutes} min");
            Check::fail(INTERACTIONS, says).fix("look in the log for what ends the sessions")
        }
        Ok(_) => Check::ok(INTERACTIONS, "they come over the gateway"),
        Err(error) => refused(INTERACTIONS, "the gateway can't be asked for", &error),
    }
}

/// The guilds that are listed, and that the bot isn't in: never was, or was taken out of.
fn left(configured: &Configured, guilds: &[Place], application: &Application) -> Vec<Check> {
    let is_in = |id: &&String| guilds.iter().any(|guild| guild.id == **id);
    let listed = configured.guilds.iter().flatten();
    let left = listed.filter(|id| !is_in(id)).map(|id| {
        let says = format!("the bot isn't in the server {id}, which `[discord] guilds` lists");
        let check = Check::fail(GUILDS, says).fix(invite(application));
        check.fix("or take it off the list")
    });
    left.collect()
}

/// Those that are served; none where all that are listed were told of.
fn places(guilds: &[Place], configured: &Configured, application: &Application) -> Option<Check> {
    if guilds.is_empty() {
        let says = "the bot is in no guild that is served";
        let none = Check::fail(GUILDS, says).fix(invite(application));
        let all = configured.guilds.as_ref().is_none_or(BTreeSet::is_empty);
        return all.then_some(none);
    }
    let names: Vec<&str> = guilds.iter().map(|guild| guild.name.as_str()).collect();
    Some(Check::ok(GUILDS, names.join(", ")))
}

/// Where the bot is added to a server.
fn invite(application: &Application) -> String {
    format!(
        "add the bot: https://discord.com/oauth2/authorize?client_id={}&scope=bot+applications.commands&permissions={PERMISSIONS}",
        application.id
    )
}

async fn read(client: &Discord, guilds: Vec<Place>) -> anyhow::Result<Vec<Seen>> {
    let bot = client.myself().await?.id;
    let mut seen = Vec::new();
    for guild in guilds {
        seen.push(Seen::read(client, guild, &bot).await?);
    }
    Ok(seen)
}

/// The ids that are named as accounts and that nobody has in any guild.
async fn nobodies(client: &Discord, guilds: &[Seen], organisation: &Organisation) -> Strangers {
    let mut found = Strangers::new();
    for id in strangers::named(organisation, channels::is_of_discord) {
        if let Some(why) = nobody(client, guilds, &id).await {
            found.insert(id, why);
        }
    }
    found
}

/// Why an id is nobody's; none: somebody has it, or nobody can tell.
async fn nobody(client: &Discord, guilds: &[Seen], id: &str) -> Option<Stranger> {
    if let Some(role) = guilds.iter().find_map(|guild| guild.role(id)) {
        return Some(Stranger::Role {
            name: role.name.clone(),
            handle: role.handle.clone(),
        });
    }
    let mut names = Vec::new();
    for guild in guilds {
        if guild.knows(client, id).await? {
            return None;
        }
        names.push(guild.name());
    }
    let why = format!("no person in {} has this id", names.join(", "));
    (!names.is_empty()).then_some(Stranger::Nobody(why))
}

/// The groups of all guilds, and those of which no members are told: roles of one name are one group.
fn groups(guilds: Vec<Seen>) -> (Groups, Unlisted) {
    let (mut all, mut named) = (Groups::default(), Unlisted::new());
    for group in guilds.into_iter().flat_map(|guild| guild.groups) {
        match group.members {
            Some(members) => all.entry(group.handle).or_default().extend(members),
            None => drop(named.insert(group.handle)),
        }
    }
    (all, named)
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
