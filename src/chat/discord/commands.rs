//! The slash command as Discord registers it (docs.discord.com/developers/interactions/application-commands).
//!
//! A command with subcommands can't be called alone, so what people can ask for stands behind `run`, found by typing.

use serde_json::{Value, json};

/// The command's name.
pub const NAME: &str = "idp";
/// The subcommand that stands for the command alone.
pub(super) const HOME: &str = "home";
/// The subcommand that is no word of ours: what follows it is what is asked for.
pub(super) const RUN: &str = "run";

/// All commands of the application.
pub fn all() -> Vec<Value> {
    let word = |name: &str, about: &str, needed: bool| json!({ "type": 3, "name": name, "description": about, "required": needed });
    let sub = |name: &str, about: &str, options: &[Value]| {
        let mut sub = json!({ "type": 1, "name": name, "description": about });
        if !options.is_empty() {
            sub["options"] = options.into();
        }
        sub
    };
    let mut command = word("command", "What you want to ask for", true);
    command["autocomplete"] = true.into();
    let words = word("words", "What you know already, such as a name", false);
    vec![json!({
        "type": 1,
        "name": NAME,
        "description": "Ask the developer platform for something",
        // In guilds, and in direct messages with the bot.
        "contexts": [0, 1],
        "options": [
            sub(RUN, "Ask for something: a new service, say", &[command, words]),
            sub("help", "What can I do here?", &[]),
            sub("status", "Where does a request stand?", &[word("id", "Its number; none: all of mine", false)]),
            sub(HOME, "What I can ask for, what waits for me, what I have open", &[]),
            sub("list", "My latest requests", &[]),
            sub("cancel", "Take a request back", &[word("id", "Its number", true)]),
            sub("login", "A link to the pages, good for one use", &[]),
            sub("link", "Make two accounts one person", &[word("code", "The code, or `github`", false)]),
        ],
    })]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names and descriptions: docs.discord.com/developers/interactions/application-commands, "Application Command
    /// Structure" and "Application Command Naming".
    #[test]
    fn discord_takes_every_name_and_description() {
        fn check(one: &Value) {
            let name = one["name"].as_str().unwrap();
            assert!((1..=32).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase()));
            let about = one["description"].as_str().unwrap();
            assert!(
                (1..=100).contains(&about.chars().count()),
                "{name}: {about}"
            );
            let options = one["options"].as_array().cloned().unwrap_or_default();
            let needed = options.iter().map(|o| o["required"] == true);
            assert!(
                needed.is_sorted_by(|a, b| a >= b),
                "{name}: what is required comes first"
            );
            options.iter().for_each(check);
        }
        all().iter().for_each(check);
    }
}
