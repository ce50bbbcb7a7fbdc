//! The Discord application out of the file's table and the environment, checked for the usual mix-ups.

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
    pub key: Key,
}

/// Reads it; `None`: there is no Discord.
pub(super) fn read(
    table: file::Discord,
    environment: &Environment,
) -> Result<Option<Discord>, Problem> {
    let word = |name: &str, key: Option<String>| Ok::<_, Problem>(environment.word(name)?.or(key));
    let bot_token = environment.secret("DISCORD_BOT_TOKEN")?.or(table.bot_token);
    let public_key = word("DISCORD_PUBLIC_KEY", table.public_key)?;
    let application = word("DISCORD_APPLICATION_ID", table.application_id)?;
    let api_url = word("DISCORD_API_URL", table.api_url)?;
    let (bot_token, public_key) = match (bot_token, public_key) {
        (Some(token), Some(key)) => (token, key),
        (None, None) if application.is_none() => return Ok(None),
        (None, _) => {
            return Err(half("`DISCORD_BOT_TOKEN` is missing")
                .hint("reset and copy the token on your application's page Bot"));
        }
        (_, None) => {
            return Err(half("`DISCORD_PUBLIC_KEY` is missing")
                .hint("copy the public key from your application's page General Information"));
        }
    };
    let key = Key::parse(&public_key).map_err(|error| {
        Problem::misuse("`DISCORD_PUBLIC_KEY` can't be used")
            .because(error)
            .hint("copy the public key from your application's page General Information")
    })?;
    if let Some(id) = &application
        && !id.bytes().all(|b| b.is_ascii_digit())
    {
        return Err(Problem::misuse(format!(
            "`DISCORD_APPLICATION_ID` is not an id of Discord's: `{id}`"
        ))
        .hint("ids are numbers of seventeen digits or more"));
    }
    Ok(Some(Discord {
        api_url: web_address("DISCORD_API_URL", api_url.as_deref().unwrap_or(API_URL))?,
        bot_token,
        application,
        key,
    }))
}

fn half(what: &str) -> Problem {
    Problem::misuse(format!("Discord is half configured: {what}"))
}
