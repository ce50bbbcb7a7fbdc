//! Interactions: what an app may answer to which, for how long, and what its answer does
//! (docs.discord.com/developers/interactions/receiving-and-responding).

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::{
    check::{self, Wanted},
    error::{Form, Refusal},
    id::Id,
    live::OpenModal,
    messages::Draft,
    state::{Cause, flag},
};
use crate::sandbox::world::{Inner, InteractionKind};

/// "Interaction tokens are valid for 15 minutes".
const TOKEN_LIFE: TimeDelta = TimeDelta::minutes(15);
/// How long spent tokens are remembered, so that they are refused by the right name.
const REMEMBERED: TimeDelta = TimeDelta::hours(1);

/// One interaction, while it is remembered.
pub(in crate::sandbox) struct Interaction {
    pub(in crate::sandbox) id: Id,
    pub(in crate::sandbox) kind: InteractionKind,
    pub(in crate::sandbox) member: Id,
    pub(in crate::sandbox) channel: Id,
    /// The message whose component was used, also where a modal came between.
    pub(in crate::sandbox) message: Option<Id>,
    /// The command's name.
    pub(in crate::sandbox) command: Option<String>,
    pub(in crate::sandbox) sent_at: DateTime<Utc>,
    pub(in crate::sandbox) state: State,
    /// What `@original` means.
    pub(in crate::sandbox) original: Option<Id>,
    /// What an autocompletion offers.
    pub(in crate::sandbox) choices: Vec<Value>,
    /// Tells the act that waits for the first answer.
    pub(in crate::sandbox) done: Option<oneshot::Sender<()>>,
}

/// How far an interaction is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sandbox) enum State {
    /// Not yet.
    Waiting,
    /// A message was promised and shows as "thinking…".
    Thinking,
    /// It was.
    Answered,
    /// Nothing came within three seconds.
    Failed,
}

impl InteractionKind {
    /// Discord's number.
    pub(in crate::sandbox) const fn number(self) -> u8 {
        match self {
            Self::Ping => 1,
            Self::ApplicationCommand => 2,
            Self::MessageComponent => 3,
            Self::Autocomplete => 4,
            Self::ModalSubmit => 5,
        }
    }
}

impl Inner {
    /// Forgets tokens of long ago.
    pub(in crate::sandbox) fn forget_interactions(&mut self) {
        let now = self.now;
        let fresh = |_: &String, own: &mut Interaction| now - own.sent_at < REMEMBERED;
        self.live.interactions.retain(fresh);
    }

    /// The first answer to an interaction, by whichever way it came.
    pub(in crate::sandbox) fn answer(&mut self, token: &str, body: &Value) -> Result<(), Refusal> {
        let interaction = self.live.interactions.get(token);
        let interaction = interaction.ok_or_else(|| Refusal::of(10_062))?;
        match interaction.state {
            State::Waiting => {}
            State::Failed => return Err(Refusal::of(10_062)),
            State::Thinking | State::Answered => return Err(Refusal::of(40_060)),
        }
        let kind = body.get("type").and_then(Value::as_u64);
        let kind =
            kind.ok_or_else(|| Form::one("type", "BASE_TYPE_REQUIRED", "This field is required"))?;
        let fits = fitting(interaction);
        if !fits.contains(&kind) {
            let message = format!("Value must be one of {fits:?}.");
            return Err(Form::one("type", "BASE_TYPE_CHOICES", &message));
        }
        let data = body.get("data").cloned().unwrap_or_else(|| json!({}));
        match kind {
            4 => self.answer_message(token, &data)?,
            5 => self.answer_later(token, &data),
            7 => self.answer_update(token, &data)?,
            8 => self.answer_choices(token, &data)?,
            9 => self.answer_modal(token, &data)?,
            _ => self.target(token),
        }
        if let Some(own) = self.live.interactions.get_mut(token) {
            own.state = if kind == 5 {
                State::Thinking
            } else {
                State::Answered
            };
            if let Some(done) = own.done.take() {
                // Nobody waits any more when the three seconds are over.
                let _ = done.send(());
            }
        }
        Ok(())
    }

    /// A new message.
    fn answer_message(&mut self, token: &str, data: &Value) -> Result<(), Refusal> {
        check::message(data, Wanted::Answer, "data")?;
        let id = self.say_for(token, data);
        self.set_original(token, id);
        Ok(())
    }

    /// "thinking…" until the message comes.
    fn answer_later(&mut self, token: &str, data: &Value) {
        let flags = data
            .get("flags")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        let flags = (flags & flag::EPHEMERAL) | flag::LOADING;
        let id = self.say_for(token, &json!({ "flags": flags }));
        self.set_original(token, id);
    }

    /// The message with the component changes, or will by `@original`.
    fn target(&mut self, token: &str) {
        if let Some(own) = self.live.interactions.get_mut(token) {
            own.original = own.message;
        }
    }

    fn answer_update(&mut self, token: &str, data: &Value) -> Result<(), Refusal> {
        check::message(data, Wanted::Edit, "data")?;
        self.target(token);
        let own = self.live.interactions.get(token);
        if let Some((channel, Some(message))) = own.map(|own| (own.channel, own.message)) {
            self.rewrite(channel, message, data);
        }
        Ok(())
    }

    fn answer_choices(&mut self, token: &str, data: &Value) -> Result<(), Refusal> {
        let choices = data.get("choices").and_then(Value::as_array);
        let choices = choices.cloned().unwrap_or_default();
        let mut form = Form::default();
        if choices.len() > 25 {
            let message = "Must be between 0 and 25 in length.";
            form.wrong("data.choices", "BASE_TYPE_BAD_LENGTH", message);
        }
        for (at, choice) in choices.iter().enumerate() {
            for name in ["name", "value"] {
                let text = choice.get(name).and_then(Value::as_str);
                if !text.is_some_and(|text| (1..=100).contains(&text.chars().count())) {
                    let message = "Must be between 1 and 100 in length.";
                    let place = format!("data.choices.{at}.{name}");
                    form.wrong(&place, "BASE_TYPE_BAD_LENGTH", message);
                }
            }
        }
        form.done()?;
        if let Some(own) = self.live.interactions.get_mut(token) {
            own.choices = choices;
        }
        Ok(())
    }

    fn answer_modal(&mut self, token: &str, data: &Value) -> Result<(), Refusal> {
        check::modal(data)?;
        let Some(own) = self.live.interactions.get(token) else {
            return Ok(());
        };
        let text = |name: &str| {
            let text = data.get(name).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let modal = OpenModal {
            id: own.id,
            custom_id: text("custom_id"),
            title: text("title"),
            components: check::numbered(data.get("components")),
            channel: own.channel,
            message: own.message,
            entered: HashMap::new(),
            wrong: HashMap::new(),
        };
        let member = own.member;
        self.live.modals.insert(member, modal);
        self.changed_for(Some(member));
        Ok(())
    }

    /// Writes as the app, in answer to an interaction.
    fn say_for(&mut self, token: &str, data: &Value) -> Id {
        let Some(own) = self.live.interactions.get(token) else {
            return Id::default();
        };
        let flags = data
            .get("flags")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        let private = flags & flag::EPHEMERAL != 0;
        let draft = Draft {
            cause: Some(Cause {
                interaction: own.id,
                kind: own.kind.number(),
                member: own.member,
                name: own.command.clone(),
            }),
            only_for: private.then_some(own.member),
            ..Draft::new(own.channel, self.discord.application.bot, data.clone())
        };
        self.write(draft)
    }

    fn set_original(&mut self, token: &str, id: Id) {
        if let Some(own) = self.live.interactions.get_mut(token) {
            own.original = Some(id);
        }
    }

    /// An interaction whose token still answers.
    pub(in crate::sandbox) fn lent(&self, token: &str) -> Result<&Interaction, Refusal> {
        let own = self.live.interactions.get(token);
        let own = own.ok_or_else(|| Refusal::of(50_027))?;
        if self.now - own.sent_at > TOKEN_LIFE {
            return Err(Refusal::of(50_027));
        }
        match own.state {
            State::Thinking | State::Answered => Ok(own),
            State::Waiting | State::Failed => Err(Refusal::of(10_015)),
        }
    }

    /// Says more after an answer; where one was promised, the first time it is that one.
    pub(in crate::sandbox) fn follow_up(
        &mut self,
        token: &str,
        body: &Value,
    ) -> Result<(Id, Id), Refusal> {
        check::message(body, Wanted::Answer, "")?;
        let own = self.lent(token)?;
        let (channel, original, thinking) =
            (own.channel, own.original, own.state == State::Thinking);
        if let Some(original) = original.filter(|_| thinking) {
            self.fulfil(token, original, body);
            return Ok((channel, original));
        }
        Ok((channel, self.say_for(token, body)))
    }

    /// Changes an answer or what followed it.
    pub(in crate::sandbox) fn amend(
        &mut self,
        token: &str,
        id: Id,
        body: &Value,
    ) -> Result<(Id, Id), Refusal> {
        check::message(body, Wanted::Edit, "")?;
        let own = self.lent(token)?;
        let (channel, original, thinking) =
            (own.channel, own.original, own.state == State::Thinking);
        if thinking && Some(id) == original {
            self.fulfil(token, id, body);
        } else if !self.rewrite(channel, id, body) {
            return Err(Refusal::of(10_008));
        }
        Ok((channel, id))
    }

    fn fulfil(&mut self, token: &str, original: Id, body: &Value) {
        if let Some(own) = self.live.interactions.get_mut(token) {
            own.state = State::Answered;
            let channel = own.channel;
            self.rewrite(channel, original, body);
        }
    }
}

/// The answers that fit ("Interaction Callback Type"): no message changes where none was pressed, no modal follows a modal.
fn fitting(interaction: &Interaction) -> &'static [u64] {
    match interaction.kind {
        InteractionKind::Ping => &[1],
        InteractionKind::ApplicationCommand => &[4, 5, 9],
        InteractionKind::MessageComponent => &[4, 5, 6, 7, 9],
        InteractionKind::Autocomplete => &[8],
        InteractionKind::ModalSubmit if interaction.message.is_some() => &[4, 5, 6, 7],
        InteractionKind::ModalSubmit => &[4, 5],
    }
}
