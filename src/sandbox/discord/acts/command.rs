//! The slash command: `/idp run command:new-service words:payments-api`, as Discord's composer has it once it is filled in.

mod typed;

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use self::typed::{list, nested, text_of};
use super::{ActError, Outcome};
use crate::sandbox::{
    discord::{deliver::Act, id::Id},
    world::{Inner, InteractionKind, World},
};

/// More than a screen of suggestions is no help.
const SUGGESTED: usize = 25;

/// One way to go on with what was typed.
#[derive(Clone, Debug, Serialize)]
pub(in crate::sandbox) struct Suggested {
    /// All of the composer's text, if it is taken.
    pub(in crate::sandbox) text: String,
    /// What is shown.
    pub(in crate::sandbox) name: String,
    /// What is said of it.
    pub(in crate::sandbox) about: String,
    pub(in crate::sandbox) kind: Sort,
}

/// What is suggested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Sort {
    Command,
    Option,
    Value,
}

impl World {
    /// Uses a command.
    pub(super) async fn use_command(
        self: &Arc<Self>,
        person: &str,
        channel: &str,
        text: &str,
    ) -> Result<Outcome, ActError> {
        let (act, name) = self.with(|inner| {
            let (member, channel) = inner.command_place(person, channel)?;
            let typed = inner.typed(text).ok_or_else(|| {
                ActError::Failed("Discord knows no such command here.".to_owned())
            })?;
            typed.complete()?;
            let name = text_of(&typed.command, "name");
            let act = Act {
                kind: InteractionKind::ApplicationCommand,
                member,
                channel,
                message: None,
                command: Some(typed.called()),
                data: typed.data(None)?,
            };
            Ok::<_, ActError>((act, name))
        })?;
        let place = (act.member, act.channel);
        let came = self.interact(act).await;
        let problem = came.result.err().map(|_| {
            let text = format!("/{name}: The application did not respond");
            self.failed(place, &text);
            text
        });
        Ok(Outcome {
            delivery: Some(came.delivery),
            ts: None,
            problem,
        })
    }

    /// How what was typed could go on, and whether it can be sent as it is.
    pub(in crate::sandbox) async fn complete_command(
        self: &Arc<Self>,
        person: &str,
        channel: &str,
        text: &str,
    ) -> Result<(Vec<Suggested>, bool), ActError> {
        let (asked, ready) = self.with(|inner| {
            let (member, channel) = inner.command_place(person, channel)?;
            let ready = inner.typed(text).is_some_and(|own| own.complete().is_ok());
            Ok::<_, ActError>((inner.next(text, (member, channel)), ready))
        })?;
        let mut found = match asked {
            Next::Known(found) => found,
            Next::Ask(act, prefix) => {
                // No answer is no suggestion: Discord says "Loading options failed".
                let offered = self.interact(*act).await.result.unwrap_or_default();
                let line = |choice: &Value| Suggested {
                    text: format!("{prefix}{} ", text_of(choice, "value")),
                    name: text_of(choice, "name"),
                    about: String::new(),
                    kind: Sort::Value,
                };
                offered.iter().map(line).collect()
            }
        };
        found.truncate(SUGGESTED);
        Ok((found, ready))
    }
}

/// Where suggestions come from.
enum Next {
    Known(Vec<Suggested>),
    /// The app is asked; its values go behind this text.
    Ask(Box<Act>, String),
}

impl Inner {
    fn command_place(&self, person: &str, channel: &str) -> Result<(Id, Id), ActError> {
        let (member, room) = self.looks(person, channel)?;
        if self.may_use_commands(member, room) {
            Ok((member.id, room.id))
        } else {
            Err(ActError::Failed("You may use no commands here.".to_owned()))
        }
    }

    fn next(&self, text: &str, place: (Id, Id)) -> Next {
        match self.typed(text) {
            None => Next::Known(self.names(text)),
            Some(_) if !text.contains(char::is_whitespace) => Next::Known(self.names(text)),
            Some(typed) => typed.next(text, place),
        }
    }

    /// Whole commands, with their subcommands, that begin like what was typed.
    fn names(&self, text: &str) -> Vec<Suggested> {
        let mut lines = Vec::new();
        for command in &self.discord.commands {
            let head = format!("/{}", text_of(command, "name"));
            let subs: Vec<Value> = list(command).into_iter().filter(nested).collect();
            let mut push = |name: String, about: String| {
                if name.starts_with(text.trim_end()) {
                    lines.push(Suggested {
                        text: format!("{name} "),
                        name,
                        about,
                        kind: Sort::Command,
                    });
                }
            };
            if subs.is_empty() {
                push(head.clone(), text_of(command, "description"));
            }
            for sub in subs {
                let name = format!("{head} {}", text_of(&sub, "name"));
                push(name, text_of(&sub, "description"));
            }
        }
        lines
    }
}
