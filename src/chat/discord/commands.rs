//! The slash command as Discord registers it (docs.discord.com/developers/interactions/application-commands).
//!
//! A command with subcommands can't be called alone, so what people can ask for stands behind `run`, found by typing.

use serde_json::{Value, json};

use crate::domain::slash::{CODE, COMMAND, HOME, ID, RUN};

/// The command's name.
pub const NAME: &str = "idp";
/// The option that holds what is known already of what is asked for.
pub(super) const WORDS: &str = "words";

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
    let mut command = word(COMMAND, "What you want to ask for", true);
    command["autocomplete"] = true.into();
    let words = word(WORDS, "What you know already, such as a name", false);
    vec![json!({
        "type": 1,
        "name": NAME,
        "description": "Ask the developer platform for something",
        // In guilds, and in direct messages with the bot.
        "contexts": [0, 1],
        "options": [
            sub(RUN, "Ask for something: a new service, say", &[command, words]),
            sub("help", "What can I do here?", &[]),
            sub("status", "Where does a request stand?", &[word(ID, "Its number; none: all of mine", false)]),
            sub(HOME, "What I can ask for, what waits for me, what I have open", &[]),
            sub("list", "My latest requests", &[]),
            sub("cancel", "Take a request back", &[word(ID, "Its number", true)]),
            sub("login", "A link to your token for git, good for one use", &[]),
            sub("link", "Make two accounts one person", &[word(CODE, "The code, or `github`", false)]),
        ],
    })]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::person::Platform;
    use crate::domain::slash::{self, Ask, Slash};

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

    #[test]
    fn what_people_are_told_to_type_is_registered() {
        assert_eq!(slash::NAME, format!("/{NAME}"));
        let here = Slash::of(slash::NAME, Platform::Discord);
        for ask in [
            Ask::Home,
            Ask::Help,
            Ask::Command("new-service"),
            Ask::Status(None),
            Ask::Status(Some("142")),
            Ask::List,
            Ask::Cancel("142"),
            Ask::Link(None),
            Ask::Link(Some("github")),
        ] {
            let typed = here.typed(ask);
            let mut words = typed.split(' ').skip(1);
            let name = words.next().unwrap();
            let commands = all();
            let subs = commands[0]["options"].as_array().unwrap();
            let sub = subs.iter().find(|sub| sub["name"] == name);
            let sub = sub.unwrap_or_else(|| panic!("there is no {typed}"));
            let options = sub["options"].as_array().cloned().unwrap_or_default();
            let given: Vec<&str> = words
                .filter_map(|word| Some(word.split_once(':')?.0))
                .collect();
            for option in &options {
                let name = option["name"].as_str().unwrap();
                assert!(
                    given.contains(&name) || option["required"] == false,
                    "{typed}"
                );
            }
            for name in given {
                assert!(
                    options.iter().any(|option| option["name"] == name),
                    "{typed}"
                );
            }
        }
    }
}
