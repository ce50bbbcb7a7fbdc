//! Writing in a channel: a slash command, a mention of the bot, or just a message.

use std::sync::Arc;

use serde_json::json;

use super::{ActError, Outcome, Told};
use crate::sandbox::{
    deliver::{Failure, Parcel},
    wire,
    world::{Author, Channel, ChannelKind, DeliveryKind, Draft, Inner, Person, World},
};

impl World {
    /// Writes `text` as this person, in the channel or under a root message.
    ///
    /// # Errors
    /// When the person can't write there.
    pub async fn say(
        self: &Arc<Self>,
        person: &str,
        channel: &str,
        thread_ts: Option<&str>,
        text: &str,
    ) -> Result<Outcome, ActError> {
        let (person, channel) = self.with(|inner| inner.writer(person, channel))?;
        let text = text.trim();
        if let Some(command) = text.strip_prefix('/') {
            let (name, words) = command
                .split_once(char::is_whitespace)
                .unwrap_or((command, ""));
            let name = format!("/{name}");
            return Ok(self
                .command(&person, &channel, thread_ts, (&name, words.trim()))
                .await);
        }
        let (message, bot) = self.with(|inner| {
            let draft = Draft {
                text: inner.mentions(text),
                thread_ts: thread_ts.map(ToOwned::to_owned),
                ..Draft::default()
            };
            let message = inner.post(&channel.id, Author::Person(person.id.clone()), draft);
            (message, inner.workspace.app.user_id.clone())
        });
        let bot_there = channel.has(&bot);
        self.tell(&Told::Posted, &channel.id, &message.ts);
        let direct = channel.kind == ChannelKind::Direct;
        if bot_there && !direct && message.text.contains(&format!("<@{bot}>")) {
            self.emit(
                "app_mention",
                Some(&person.id),
                wire::mention_event(&message, &person),
            );
        }
        Ok(Outcome {
            ts: Some(message.ts),
            ..Outcome::default()
        })
    }

    async fn command(
        self: &Arc<Self>,
        person: &Person,
        channel: &Channel,
        thread_ts: Option<&str>,
        (name, words): (&str, &str),
    ) -> Outcome {
        if thread_ts.is_some() {
            // Slack refuses slash commands in threads without telling the app.
            return self.refused(
                person,
                channel,
                format!("{name} is not supported in threads. Sorry!"),
            );
        }
        if !self
            .settings()
            .commands
            .iter()
            .any(|command| command.name == name)
        {
            let text = format!(
                "{name} is not a valid command. Messages that start with \"/\" are commands; type a space first to send it as text."
            );
            return self.refused(person, channel, text);
        }
        let url = self.new_response_url("commands", &person.id, &channel.id, None);
        let lent = url.rsplit('/').next().unwrap_or_default().to_owned();
        let payload = self.with(|inner| {
            let typed = inner.mentions(words);
            let trigger = inner.new_trigger(&person.id, None);
            wire::command(
                inner,
                &wire::Command {
                    person,
                    channel,
                    name,
                    text: &typed,
                    url: &url,
                    trigger: &trigger,
                },
            )
        });
        let parcel = Parcel::new(DeliveryKind::Command, payload).by(&person.id);
        let delivered = self.deliver(parcel).await;
        let problem = match delivered.result {
            Ok(ack) if ack.body.trim().is_empty() => None,
            Ok(ack) => {
                let body = ack.json.unwrap_or_else(|| json!({ "text": ack.body }));
                self.answered(&lent, &body)
                    .err()
                    .map(|cause| format!("{name} failed with the error \"{}\"", cause.error()))
            }
            Err(failure) => Some(format!(
                "{name} failed with the error \"{}\"",
                failure.name()
            )),
        };
        match problem {
            Some(text) => Outcome {
                delivery: Some(delivered.id),
                ..self.refused(person, channel, text)
            },
            None => Outcome {
                delivery: Some(delivered.id),
                ..Outcome::default()
            },
        }
    }

    /// Slackbot's private word to a person.
    fn refused(&self, person: &Person, channel: &Channel, text: String) -> Outcome {
        self.with(|inner| {
            let draft = Draft {
                text: text.clone(),
                only_for: Some(person.id.clone()),
                ..Draft::default()
            };
            inner.post(&channel.id, Author::Slackbot, draft);
        });
        Outcome {
            problem: Some(text),
            ..Outcome::default()
        }
    }
}

impl Failure {
    /// The name that Slack shows for it.
    pub(in crate::sandbox) fn name(&self) -> &'static str {
        match self {
            Self::TimedOut => "operation_timeout",
            Self::Unreachable(_) | Self::Status(_) => "dispatch_failed",
        }
    }
}

impl Inner {
    /// Someone who may write in a channel, and the channel without its messages.
    fn writer(&self, person: &str, channel: &str) -> Result<(Person, Channel), ActError> {
        let person = self.person(person).ok_or(ActError::NoPerson)?;
        let channel = self.channel_named(channel).ok_or(ActError::NoChannel)?;
        if person.deactivated {
            return Err(ActError::Deactivated);
        }
        if !channel.has(&person.id) {
            let hidden = channel.kind != ChannelKind::Public;
            return Err(if hidden {
                ActError::NoChannel
            } else {
                ActError::NotMember
            });
        }
        if channel.archived {
            return Err(ActError::Archived);
        }
        Ok((person.clone(), channel.bare()))
    }
}
