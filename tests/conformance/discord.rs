//! The company on Discord: signed interactions over HTTP, their answers, modals and follow-ups.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Mutex;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::driver::{Chat, Loss, Place, Seen, Sent, Trouble, Typed, Who};
use super::plain;
use crate::support::discord::{
    ALEX, APPLICATION, BOT_TOKEN, Fake, Fault, GUEST, PAYMENTS, PLATFORM, PRIYA, SAM, STRANGER,
};

const POST: &str = "POST /channels/:id/messages";
/// The words of ours that are subcommands, each with what its option is called.
const OWN: [(&str, &str); 6] = [
    ("help", ""),
    ("status", "id"),
    ("list", ""),
    ("cancel", "id"),
    ("login", ""),
    ("link", "code"),
];

#[derive(Clone)]
pub struct Discord {
    pub fake: Fake,
    desk: std::sync::Arc<Mutex<Desk>>,
}

/// What the people have before them.
#[derive(Default)]
struct Desk {
    bot: String,
    told: Vec<(Who, Seen)>,
    /// Tokens of interactions by whom, with how much of what was said by them is among what was told.
    tokens: BTreeMap<String, (Who, usize)>,
    forms: BTreeMap<Who, Value>,
    /// The last delivery and what it was answered.
    last: Option<(Value, Value)>,
}

/// An answer that only one person sees has no message that stays.
const PRIVATE: &str = "private";

const fn account(who: Who) -> &'static str {
    match who {
        Who::Priya => PRIYA,
        Who::Alex => ALEX,
        Who::Sam => SAM,
        Who::Stranger => STRANGER,
        Who::Guest => GUEST,
    }
}

fn channel(who: Who, place: Place) -> String {
    match place {
        Place::Platform => PLATFORM.to_owned(),
        Place::Payments => PAYMENTS.to_owned(),
        Place::Direct => direct(who),
    }
}

fn direct(who: Who) -> String {
    format!("9{}", account(who))
}

impl Discord {
    pub async fn start() -> Self {
        Self {
            fake: Fake::start().await,
            desk: std::sync::Arc::default(),
        }
    }

    /// An interaction of somebody in a place.
    pub fn interaction(&self, who: Who, kind: u64, place: &str, data: &Value) -> Value {
        let mut payload = self.fake.interaction(account(who), kind, data);
        payload["channel_id"] = place.into();
        if place.starts_with('9') {
            // In direct messages there is no guild.
            payload["channel"] = json!({ "id": place, "type": 1 });
            let member = payload["member"].take();
            payload["user"] = member["user"].clone();
            let payload = payload.as_object_mut().unwrap();
            payload.remove("member");
            payload.remove("guild_id");
        } else {
            payload["channel"] = json!({ "id": place, "type": 0, "name": "channel" });
        }
        payload
    }

    /// Delivers an interaction, and keeps what is told.
    pub async fn interacts(&self, who: Who, payload: &Value) -> Value {
        let token = payload["token"].as_str().unwrap().to_owned();
        let bot = {
            let mut desk = self.desk.lock().unwrap();
            desk.tokens.insert(token, (who, 0));
            desk.bot.clone()
        };
        let (status, answer) = self.fake.deliver(&bot, payload).await;
        assert_eq!(status, 200, "{answer}");
        let mut desk = self.desk.lock().unwrap();
        desk.last = Some((payload.clone(), answer.clone()));
        match answer["type"].as_u64() {
            Some(4 | 7) => desk.told.push((who, seen(PRIVATE, &answer["data"]))),
            Some(9) => drop(desk.forms.insert(who, answer["data"].clone())),
            _ => {}
        }
        answer
    }

    /// Presses a button once, without an answer to what it asks.
    pub async fn press(&self, who: Who, on: &Seen, label: &str) -> Value {
        let private = on.channel == PRIVATE;
        let flags = if private { 64 } else { 0 };
        let id = if private { "899" } else { &on.id };
        let place = if private { PLATFORM } else { &on.channel };
        let data = json!({ "component_type": 2, "custom_id": button(&on.raw, label) });
        let mut payload = self.interaction(who, 3, place, &data);
        payload["message"] = json!({ "id": id, "flags": flags, "content": on.raw["content"] });
        self.interacts(who, &payload).await
    }

    /// Sends the modal that is open with what stands in its inputs, or with none of them.
    async fn sends(&self, who: Who, modal: &Value, typed: Typed<'_>) -> Value {
        let inputs = modal["components"].as_array().unwrap().iter();
        let inputs = inputs.map(|label| &label["component"]);
        let components: Vec<Value> = match typed {
            Typed::Nothing => Vec::new(),
            Typed::Fields(fields) => inputs
                .filter(|input| input.is_object())
                .map(|input| json!({ "type": 18, "id": 1, "component": filled(input, fields) }))
                .collect(),
        };
        let data = json!({ "custom_id": modal["custom_id"], "components": components });
        let payload = self.interaction(who, 5, PLATFORM, &data);
        self.interacts(who, &payload).await
    }

    fn last_told(&self, who: Who) -> Seen {
        self.told(who).pop().unwrap()
    }

    fn of(&self, channel: &str, is: impl Fn(&Value) -> bool) -> Vec<Seen> {
        let messages = self.fake.messages(channel).into_iter();
        messages
            .filter(is)
            .map(|message| seen(channel, &message))
            .collect()
    }

    /// What was said by the tokens of interactions since this was looked at last.
    fn listen(&self) {
        let mut desk = self.desk.lock().unwrap();
        let Desk { tokens, told, .. } = &mut *desk;
        for (token, (who, looked)) in tokens {
            let said = self.fake.said(token);
            for message in said.iter().skip(*looked) {
                told.push((*who, seen(PRIVATE, message)));
            }
            *looked = said.len();
        }
    }
}

/// A message as somebody sees it.
fn seen(channel: &str, raw: &Value) -> Seen {
    let rows = raw["components"].as_array().into_iter().flatten();
    let buttons = rows.flat_map(|row| row["components"].as_array().into_iter().flatten());
    let labels = buttons.filter_map(|button| button["label"].as_str());
    Seen {
        id: raw["id"].as_str().unwrap_or_default().to_owned(),
        channel: channel.to_owned(),
        words: plain::discord(raw["content"].as_str().unwrap_or_default()),
        buttons: labels.map(str::to_owned).collect(),
        raw: raw.clone(),
    }
}

/// The custom id of a button.
fn button(message: &Value, label: &str) -> String {
    let rows = message["components"].as_array().into_iter().flatten();
    let mut buttons = rows.flat_map(|row| row["components"].as_array().into_iter().flatten());
    let found = buttons.find(|b| b["label"] == label);
    let id = found.and_then(|b| b["custom_id"].as_str());
    id.unwrap_or_else(|| panic!("no {label} on {message:#}"))
        .to_owned()
}

fn name_of(input: &Value) -> &str {
    let id = input["custom_id"].as_str().unwrap();
    id.rsplit(' ').next().unwrap()
}

/// The titles that people see above the inputs of a modal, each with its field's name.
fn titled(modal: &Value) -> Vec<(String, String)> {
    let labels = modal["components"].as_array().unwrap().iter();
    let labels = labels.filter(|label| label["component"].is_object());
    labels
        .map(|label| {
            let title = label["label"].as_str().unwrap();
            (title.to_owned(), name_of(&label["component"]).to_owned())
        })
        .collect()
}

/// An input as it is sent: with what was typed, else with what stands in it.
fn filled(input: &Value, fields: &[(&str, &str)]) -> Value {
    let typed = fields.iter().find(|(name, _)| *name == name_of(input));
    let typed = typed.map(|(_, value)| *value);
    let mut sent = json!({ "type": input["type"], "id": 1, "custom_id": input["custom_id"] });
    if input["type"] == 4 {
        let value = typed.or(input["value"].as_str()).unwrap_or_default();
        let most = input["max_length"].as_u64().unwrap_or(4_000);
        assert!(
            value.len() as u64 <= most,
            "Discord lets nobody type {value}"
        );
        sent["value"] = value.into();
        return sent;
    }
    let options = input["options"].as_array().unwrap();
    let stands = options.iter().find(|o| o["default"] == true);
    let chosen = typed.or(stands.and_then(|o| o["value"].as_str()));
    let offered = |value: &str| options.iter().any(|o| o["value"] == value);
    assert!(
        chosen.is_none_or(offered),
        "{chosen:?} is not offered: {input}"
    );
    sent["values"] = chosen.into_iter().collect();
    sent
}

/// The subcommand by which these words are typed, and its options.
fn subcommand(words: &str) -> (&str, Vec<(&str, &str)>) {
    let (first, rest) = words.split_once(' ').unwrap_or((words, ""));
    let own = OWN.iter().find(|(name, _)| *name == first);
    let (sub, options) = match own {
        Some((name, option)) => (*name, vec![(*option, rest)]),
        // Nobody can call a command alone that has subcommands.
        None if words.is_empty() => ("home", Vec::new()),
        // Whatever is no command is typed in its place, and taken as it is.
        None if first == "new-service" => ("run", vec![("command", first), ("words", rest)]),
        None => ("run", vec![("command", words)]),
    };
    let given = options.into_iter().filter(|(_, value)| !value.is_empty());
    (sub, given.collect())
}

/// Whether the modal's page has more parts: `Service (1 of 2)`.
fn goes_on(modal: &Value) -> bool {
    let title = modal["title"].as_str().unwrap().trim_end_matches(')');
    let part = title.rsplit_once(" (").map(|(_, part)| part);
    let numbers = part.and_then(|part| part.split_once(" of "));
    numbers.is_some_and(|(at, all)| at != all)
}

#[async_trait]
impl Chat for Discord {
    fn introduces(&self, bot: &mut Command) {
        bot.env("DISCORD_API_URL", &self.fake.url)
            .env("DISCORD_APPLICATION_ID", APPLICATION)
            .env("DISCORD_PUBLIC_KEY", self.fake.public_key())
            .env("DISCORD_BOT_TOKEN", BOT_TOKEN);
    }

    fn finds(&self, bot: &str) {
        bot.clone_into(&mut self.desk.lock().unwrap().bot);
    }

    fn account(&self, who: Who) -> &'static str {
        account(who)
    }

    fn command(&self, words: &str) -> String {
        let (sub, options) = subcommand(words);
        let options = options
            .iter()
            .map(|(name, value)| format!("{name}:{value}"));
        let words = std::iter::once(format!("/idp {sub}")).chain(options);
        words.collect::<Vec<_>>().join(" ")
    }

    async fn types(&self, who: Who, place: Place, words: &str) {
        let (sub, options) = subcommand(words);
        let options: Value = options
            .iter()
            .map(|(name, value)| json!({ "type": 3, "name": name, "value": value }))
            .collect();
        let sub = json!({ "type": 1, "name": sub, "options": options });
        let data = json!({ "id": "1", "name": "idp", "type": 1, "options": [sub] });
        let payload = self.interaction(who, 2, &channel(who, place), &data);
        self.interacts(who, &payload).await;
    }

    async fn fills(&self, who: Who, typed: Typed<'_>) -> Sent {
        let mut titles = BTreeMap::new();
        loop {
            let modal = self.desk.lock().unwrap().forms.remove(&who);
            let modal = modal.unwrap_or_else(|| panic!("no form is open before {who:?}"));
            titles.extend(titled(&modal));
            let before = self.told(who).len();
            self.sends(who, &modal, typed).await;
            let told = self.told(who);
            let Some(answer) = told.get(before..).and_then(<[Seen]>::last) else {
                return Sent::Over;
            };
            let has = |label: &str| answer.buttons.iter().any(|button| button == label);
            if has("Change it") {
                let errors = answer.words.lines().map(|line| {
                    let (title, words) = line.split_once(": ").unwrap();
                    let field = titles.get(title);
                    let field = field.unwrap_or_else(|| panic!("nobody saw {title:?}: {titles:?}"));
                    (field.clone(), words.to_owned())
                });
                let errors = errors.collect();
                self.press(who, answer, "Change it").await;
                return Sent::Wrong(errors);
            }
            if !has("Continue") {
                return Sent::Over;
            }
            self.press(who, answer, "Continue").await;
            if !goes_on(&modal) {
                return Sent::Page;
            }
        }
    }

    async fn turns_back(&self, who: Who) {
        // A modal is left; the answer that led to it still stands.
        let led = self.last_told(who);
        self.press(who, &led, "Back").await;
    }

    async fn presses(&self, who: Who, on: &Seen, label: &str) -> Option<String> {
        let pressed = button(&on.raw, label);
        let answer = self.press(who, on, label).await;
        let rows = answer["data"]["components"].as_array();
        let asked = rows.into_iter().flatten().find_map(|row| {
            let mut buttons = row["components"].as_array()?.iter();
            let same = |b: &&Value| b["custom_id"] == format!("!{pressed}");
            buttons.find(same)?["label"].as_str().map(str::to_owned)
        })?;
        let question = self.last_told(who);
        self.press(who, &question, &asked).await;
        Some(question.words)
    }

    async fn presses_unknown(&self, who: Who) {
        let data =
            json!({ "component_type": 99, "custom_id": "of another version", "shape": ["new"] });
        let payload = self.interaction(who, 3, PLATFORM, &data);
        self.interacts(who, &payload).await;
    }

    async fn delivers_again(&self) {
        let (last, bot) = {
            let desk = self.desk.lock().unwrap();
            (desk.last.clone(), desk.bot.clone())
        };
        let (payload, answer) = last.unwrap();
        assert_eq!(self.fake.deliver(&bot, &payload).await, (200, answer));
    }

    async fn forges(&self) -> Vec<u16> {
        let bot = self.desk.lock().unwrap().bot.clone();
        let data = json!({ "id": "1", "name": "idp", "type": 1, "options": [{ "type": 1, "name": "help" }] });
        let body = self.interaction(Who::Priya, 2, PLATFORM, &data).to_string();
        let now = chrono::Utc::now().timestamp();
        let mut answered = Vec::new();
        for (at, signature) in [
            (now, self.fake.sign(now, "another body")),
            (now - 900, self.fake.sign(now - 900, &body)),
            (now, String::new()),
            (now, "00".repeat(64)),
            (now + 60, self.fake.sign(now, &body)),
        ] {
            let at = at.to_string();
            let sent = self.fake.send(&bot, body.clone(), &at, &signature);
            answered.push(sent.await.0);
        }
        answered
    }

    fn form(&self, who: Who) -> Option<(Vec<(String, String)>, String)> {
        let modal = self.desk.lock().unwrap().forms.get(&who).cloned()?;
        let labels = modal["components"].as_array().unwrap();
        let inputs = labels.iter().map(|label| &label["component"]);
        let fields = inputs.filter(|input| input.is_object()).map(|input| {
            let sent = filled(input, &[]);
            let value = sent["value"].as_str().or(sent["values"][0].as_str());
            (
                name_of(input).to_owned(),
                value.unwrap_or_default().to_owned(),
            )
        });
        let words = labels.iter().filter_map(|label| label["content"].as_str());
        let words = std::iter::once(modal["title"].as_str().unwrap()).chain(words);
        let words: Vec<String> = words.map(plain::discord).collect();
        Some((fields.collect(), words.join("\n")))
    }

    fn told(&self, who: Who) -> Vec<Seen> {
        self.listen();
        let desk = self.desk.lock().unwrap();
        let own = desk.told.iter().filter(|(whom, _)| *whom == who);
        own.map(|(_, seen)| seen.clone()).collect()
    }

    fn channel(&self, place: Place) -> Vec<Seen> {
        let answers_none = |m: &Value| m["message_reference"].is_null();
        self.of(&channel(Who::Priya, place), answers_none)
    }

    fn direct(&self, who: Who) -> Vec<Seen> {
        self.of(&direct(who), |m| m["message_reference"].is_null())
    }

    fn thread(&self, card: &Seen) -> Vec<Seen> {
        let answers = |m: &Value| m["message_reference"]["message_id"] == *card.id;
        let mut replies = self.of(&card.id, |_| true);
        replies.extend(self.of(&card.channel, answers));
        replies
    }

    fn breaks(&self, trouble: Trouble) {
        let fault = |status: u16, body: Value, done: bool| Fault {
            status,
            headers: Vec::new(),
            body,
            done,
        };
        match trouble {
            Trouble::AnswerLost => self.fake.fault(POST, fault(502, Value::Null, true)),
            Trouble::Limited => {
                let body = json!({ "retry_after": 0.5, "global": true, "message": "" });
                let headers = vec![("x-ratelimit-global", "true")];
                self.fake.fault(
                    POST,
                    Fault {
                        headers,
                        ..fault(429, body, false)
                    },
                );
            }
            Trouble::MayNotPost => {
                let missing = fault(403, json!({ "code": 50_013 }), false);
                self.fake.fault(POST, missing);
            }
            Trouble::Down(calls) => self.fake.down(calls),
            Trouble::Revoked => self.fake.revoke(true),
            Trouble::Restored => self.fake.revoke(false),
        }
    }

    async fn takes(&self, loss: Loss) {
        match loss {
            // Discord's interactions bring the roles of whoever acts.
            Loss::Role(who) => self.fake.strip(account(who)),
            Loss::Person(who) => self.fake.removes(account(who)),
            Loss::Channel(place) => self.fake.delete_channel(&channel(Who::Priya, place)),
        }
    }

    fn lets_in(&self) -> &'static str {
        "allow my role View Channel, Send Messages"
    }

    fn tells_roles(&self) -> bool {
        true
    }

    async fn deletes(&self, card: &Seen) {
        self.fake.delete(&card.channel, &card.id);
    }

    fn refused(&self) -> Vec<String> {
        self.fake.refused()
    }
}
