//! The Discord application out of the file's table and the environment, checked for the usual mix-ups.

use std::collections::BTreeSet;

use secrecy::SecretString;
use url::Url;

use super::{Environment, file, web_address};
use crate::boot::problem::Problem;
use crate::chat::discord::verify::Key;
use crate::clients::discord::API_URL;

/// The Discord application.
#[derive(Debug)]
pub struct Discord {
    /// The REST API's address, with its version.
    pub api_url: Url,
    /// The bot's token.
    pub bot_token: SecretString,
    /// The application's id, where it was said: the token must be of this one.
    pub application: Option<String>,
    /// Proves interactions over HTTP.
    pub key: Option<Key>,
    /// Whether they come over the gateway.
    pub gateway: bool,
    /// The guilds that are served, by id; `None`: all that the bot is in.
    pub guilds: Option<BTreeSet<String>>,
}

/// Reads it; `None`: there is no Discord. `gateway` is what a flag or the environment says of it.
pub(super) fn read(
    table: file::Discord,
    gateway: Option<bool>,
    environment: &Environment,
) -> Result<Option<Discord>, Problem> {
    let word = |name: &str, key: Option<String>| Ok::<_, Problem>(environment.word(name)?.or(key));
    let gateway = gateway.or(table.gateway).unwrap_or_default();
    let bot_token = environment.secret("DISCORD_BOT_TOKEN")?.or(table.bot_token);
    let public_key = word("DISCORD_PUBLIC_KEY", table.public_key)?;
    let application = word("DISCORD_APPLICATION_ID", table.application_id)?;
    let api_url = word("DISCORD_API_URL", table.api_url)?;
    let Some(bot_token) = bot_token else {
        if public_key.is_none() && application.is_none() && !gateway {
            return Ok(None);
        }
        return Err(half("`DISCORD_BOT_TOKEN` is missing")
            .hint("reset and copy the token on your application's page Bot"));
    };
    if public_key.is_none() && !gateway {
        return Err(half("idp can send, but nothing reaches it")
            .hint("without a public address set `DISCORD_GATEWAY=1`")
            .hint("for HTTP set `DISCORD_PUBLIC_KEY` (from your application's page General Information)"));
    }
    let key = public_key.map(|hex| {
        Key::parse(&hex).map_err(|error| {
            Problem::misuse("`DISCORD_PUBLIC_KEY` can't be used")
                .because(error)
                .hint("copy the public key from your application's page General Information")
        })
    });
    let key = key.transpose()?;
    if let Some(id) = &application {
        is_id("`DISCORD_APPLICATION_ID`", id)?;
    }
    for id in table.guilds.iter().flatten() {
        is_id("a guild of `[discord] guilds`", id)?;
    }
    Ok(Some(Discord {
        api_url: web_address("DISCORD_API_URL", api_url.as_deref().unwrap_or(API_URL))?,
        bot_token,
        application,
        key,
        gateway,
        guilds: table.guilds.map(|ids| ids.into_iter().collect()),
    }))
}

/// Refuses what can't be an id of Discord's.
fn is_id(what: &str, id: &str) -> Result<(), Problem> {
    if !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(());
    }
    Err(
        Problem::misuse(format!("{what} is not an id of Discord's: `{id}`"))
            .hint("ids are numbers of seventeen digits or more"),
    )
}

fn half(what: &str) -> Problem {
    Problem::misuse(format!("Discord is half configured: {what}"))
}
