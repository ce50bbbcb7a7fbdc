//! The company on Slack: signed deliveries over HTTP, Block Kit, views and `response_url`s.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Mutex;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::driver::{Chat, Loss, Place, Seen, Sent, Trouble, Typed, Who};
use super::plain;
use crate::support::slack::{self, APP, Answer, BOT, BOT_TOKEN, Fake, Fault, SIGNING_SECRET, TEAM};

const POST: &str = "chat.postMessage";

/// The members of the group that decides for payments.
const GROUPS: [(&str, &[Who]); 4] = [
    ("engineers", &[Who::Priya, Who::Alex, Who::Sam]),
    ("platform", &[Who::Alex]),
    ("security", &[Who::Alex, Who::Sam]),
    ("payments-leads", &[Who::Alex, Who::Sam]),
];

pub struct Slack {
    fake: Fake,
    desk: Mutex<Desk>,
}

/// What the people have before them.
#[derive(Default)]
struct Desk {
    bot: String,
    /// Whoever was given an address to answer to, by its last part.
    answered: BTreeMap<String, Who>,
    told: Vec<(Who, Seen)>,
    /// Calls that were looked through for what somebody was told.
    looked: usize,
    forms: BTreeMap<Who, Form>,
    out: Vec<Who>,
    /// The last delivery: path, body, and what it was answered.
    last: Option<(String, String, Value)>,
    events: u32,
}

/// An open view, and what was typed into it so far.
#[derive(Clone)]
struct Form {
    view: Value,
    typed: BTreeMap<String, String>,
}

const fn account(who: Who) -> &'static str {
    match who {
        Who::Priya => "U0PRIYA",
        Who::Alex => "U0ALEX",
        Who::Sam => "U0SAM",
        Who::Stranger => "U0STRANGER",
        Who::Guest => "U0GUEST",
    }
}

const fn channel(who: Who, place: Place) -> (&'static str, &'static str) {
    match (place, who) {
        (Place::Platform, _) => ("C0PLATFORM", "platform"),
        (Place::Payments, _) => ("C0PAYMENTS", "privategroup"),
        (Place::Direct, who) => (direct(who), "directmessage"),
    }
}

const fn direct(who: Who) -> &'static str {
    match who {
        Who::Priya => "D0PRIYA",
        Who::Alex => "D0ALEX",
        Who::Sam => "D0SAM",
        Who::Stranger => "D0STRANGER",
        Who::Guest => "D0GUEST",
    }
}

impl Slack {
    pub async fn start() -> Self {
        let fake = Fake::start().await;
        fake.user(
            account(Who::Stranger),
            json!({ "name": "stray", "profile": { "display_name": "Stray Cat" } }),
        );
        fake.user(
            account(Who::Guest),
            json!({ "name": "gus", "is_restricted": true, "profile": { "display_name": "Gus Guest" } }),
        );
        let slack = Self {
            fake,
            desk: Mutex::default(),
        };
        slack.groups();
        slack
    }

    fn groups(&self) {
        let out = self.desk.lock().unwrap().out.clone();
        let members = |handle: &str, all: &[Who]| {
            let kept = all
                .iter()
                .filter(|who| handle != "payments-leads" || !out.contains(who));
            kept.map(|who| account(*who)).collect::<Vec<_>>()
        };
        let groups = GROUPS.map(|(handle, all)| (handle, members(handle, all)));
        let groups: Vec<(&str, &[&str])> = groups
            .iter()
            .map(|(handle, members)| (*handle, members.as_slice()))
            .collect();
        self.fake.groups(&groups);
    }

    async fn deliver(&self, path: &str, body: String) -> Answer {
        let bot = self.desk.lock().unwrap().bot.clone();
        let answer = slack::deliver(&bot, path, &body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        let last = (path.to_owned(), body, answer.json.clone());
        self.desk.lock().unwrap().last = Some(last);
        answer
    }

    async fn interacts(&self, who: Who, payload: &Value) -> Answer {
        if let Some(url) = payload["response_url"].as_str() {
            self.answers_to(who, url);
        }
        let body = slack::form(&[("payload", payload.to_string())]);
        let answer = self.deliver("/slack/interactions", body).await;
        self.opened(who, payload["trigger_id"].as_str().unwrap());
        answer
    }

    fn answers_to(&self, who: Who, url: &str) {
        let id = url.rsplit('/').next().unwrap().to_owned();
        self.desk.lock().unwrap().answered.insert(id, who);
    }

    /// What a trigger opened is before the person.
    fn opened(&self, who: Who, trigger: &str) {
        if let Some(view) = self.fake.opened_by(trigger) {
            self.shows(who, view);
        }
    }

    /// A page to fill in stays open; one to read was read.
    fn shows(&self, who: Who, view: Value) {
        let mut desk = self.desk.lock().unwrap();
        if view["submit"].is_null() {
            desk.forms.remove(&who);
            desk.told.push((who, seen("view", &view)));
        } else {
            let typed = BTreeMap::new();
            desk.forms.insert(who, Form { view, typed });
        }
    }

    async fn event(&self, event: Value) {
        let number = {
            let mut desk = self.desk.lock().unwrap();
            desk.events += 1;
            desk.events
        };
        let body = json!({ "type": "event_callback", "team_id": TEAM, "api_app_id": APP,
            "event_id": format!("Ev{number}"), "event": event,
            "authorizations": [{ "team_id": TEAM, "user_id": BOT, "is_bot": true }] });
        self.deliver("/slack/events", body.to_string()).await;
    }

    fn of(&self, channel: &str, is: impl Fn(&Value) -> bool) -> Vec<Seen> {
        let messages = self.fake.messages(channel).into_iter();
        messages
            .filter(is)
            .map(|message| seen(channel, &message))
            .collect()
    }

    /// What was told by a `response_url` or for somebody's eyes only since this was looked at last.
    fn listen(&self) {
        let said = self.fake.calls("response_url");
        let mut desk = self.desk.lock().unwrap();
        for message in said.iter().skip(desk.looked) {
            let who = desk.answered[message["id"].as_str().unwrap()];
            desk.told.push((who, seen("ephemeral", message)));
        }
        desk.looked = said.len();
    }
}

/// A message or a view as somebody sees it.
fn seen(channel: &str, raw: &Value) -> Seen {
    let mut lines = Vec::new();
    let mut buttons = Vec::new();
    let title = raw["title"]["text"].as_str();
    lines.extend(title.map(str::to_owned));
    for block in raw["blocks"].as_array().into_iter().flatten() {
        let text = |of: &Value| of["text"].as_str().map(plain::slack);
        lines.extend(text(&block["text"]));
        let elements = block["elements"].as_array().into_iter().flatten();
        for element in elements {
            if block["type"] == "context" {
                lines.extend(text(element));
                continue;
            }
            let labels = std::iter::once(element)
                .chain(element["options"].as_array().into_iter().flatten())
                .filter_map(|labelled| labelled["text"]["text"].as_str());
            buttons.extend(labels.map(str::to_owned));
        }
    }
    Seen {
        id: raw["ts"].as_str().unwrap_or_default().to_owned(),
        channel: channel.to_owned(),
        words: lines.join("\n"),
        buttons,
        raw: raw.clone(),
    }
}

/// The action that a press on this button is, and the dialog that asks first.
fn action(seen: &Seen, label: &str) -> (Value, Option<String>) {
    let blocks = seen.raw["blocks"].as_array().into_iter().flatten();
    let rows = blocks.filter(|block| block["type"] == "actions");
    let elements = rows.flat_map(|row| row["elements"].as_array().into_iter().flatten());
    for element in elements {
        let mut action = json!({ "type": element["type"], "action_id": element["action_id"],
            "block_id": "b", "action_ts": "1.1" });
        let options = element["options"].as_array().into_iter().flatten();
        let option = options.into_iter().find(|o| o["text"]["text"] == label);
        if let Some(option) = option {
            action["selected_option"] = option.clone();
        } else if element["text"]["text"] == label {
            action["value"] = element["value"].clone();
        } else {
            continue;
        }
        let dialog = &element["confirm"];
        action["confirm"] = dialog.clone();
        let question = dialog.is_object().then(|| {
            let part = |name: &str| dialog[name]["text"].as_str().unwrap();
            format!("{}\n{}", part("title"), part("text"))
        });
        return (action, question);
    }
    panic!("no {label} on {:?}: {}", seen.buttons, seen.words)
}

/// The view with what was typed, or what stands in it.
fn filled(form: &Form) -> Value {
    let typed: Vec<(&str, Value)> = form
        .typed
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().into()))
        .collect();
    slack::filled(&form.view, &typed)
}

fn name_of(block: &str) -> &str {
    block.rsplit(':').next().unwrap()
}

#[async_trait]
impl Chat for Slack {
    fn introduces(&self, bot: &mut Command) {
        bot.env("SLACK_API_URL", self.fake.api_url())
            .env("SLACK_BOT_TOKEN", BOT_TOKEN)
            .env("SLACK_SIGNING_SECRET", SIGNING_SECRET);
    }

    fn finds(&self, bot: &str) {
        bot.clone_into(&mut self.desk.lock().unwrap().bot);
    }

    fn account(&self, who: Who) -> &'static str {
        account(who)
    }

    fn command(&self, words: &str) -> String {
        format!("/idp {words}")
    }

    async fn types(&self, who: Who, place: Place, words: &str) {
        let mut command = slack::command(&self.fake, account(who), words);
        let (id, name) = channel(who, place);
        let mut trigger = String::new();
        for (field, value) in &mut command {
            match *field {
                "channel_id" => id.clone_into(value),
                "channel_name" => name.clone_into(value),
                "response_url" => self.answers_to(who, value),
                "trigger_id" => trigger.clone_from(value),
                _ => {}
            }
        }
        let answer = self.deliver("/slack/commands", slack::form(&command)).await;
        if answer.text.is_empty() {
            return self.opened(who, &trigger);
        }
        assert_eq!(answer.json["response_type"], "ephemeral");
        serde_json::from_value::<slackblocks::MessageResponse>(answer.json.clone()).unwrap();
        let mut desk = self.desk.lock().unwrap();
        desk.told.push((who, seen("ephemeral", &answer.json)));
    }

    async fn fills(&self, who: Who, typed: Typed<'_>) -> Sent {
        let mut form = self.desk.lock().unwrap().forms[&who].clone();
        let mut view = form.view.clone();
        if let Typed::Fields(fields) = typed {
            let fields = fields.iter();
            form.typed
                .extend(fields.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
            view = filled(&form);
            self.desk.lock().unwrap().forms.insert(who, form.clone());
        } else {
            view["state"] = json!({ "values": {} });
        }
        let sent = json!({ "view": view });
        let payload = slack::interaction(&self.fake, "view_submission", account(who), sent);
        let answer = self.interacts(who, &payload).await.json;
        match answer["response_action"].as_str() {
            Some("errors") => {
                let blocks = form.view["blocks"].as_array().unwrap();
                let errors = answer["errors"].as_object().unwrap();
                let known = |block: &String| blocks.iter().any(|b| b["block_id"] == **block);
                assert!(errors.keys().all(known), "errors at no field: {errors:?}");
                let error = |(block, words): (&String, &Value)| {
                    (
                        name_of(block).to_owned(),
                        words.as_str().unwrap().to_owned(),
                    )
                };
                Sent::Wrong(errors.iter().map(error).collect())
            }
            Some("update") => {
                let id = form.view["id"].as_str().unwrap();
                let view = self.fake.show(id, &answer["view"]);
                let more = !view["submit"].is_null();
                self.shows(who, view);
                if more { Sent::Page } else { Sent::Over }
            }
            Some("clear") => {
                self.desk.lock().unwrap().forms.remove(&who);
                Sent::Over
            }
            _ => panic!("an answer to a view: {answer}"),
        }
    }

    async fn turns_back(&self, who: Who) {
        let form = self.desk.lock().unwrap().forms[&who].clone();
        let (action, _) = action(&seen("view", &form.view), "Back");
        let view = filled(&form);
        let id = view["id"].as_str().unwrap().to_owned();
        let pressed = json!({ "view": view, "actions": [action],
            "container": { "type": "view", "view_id": id } });
        let payload = slack::interaction(&self.fake, "block_actions", account(who), pressed);
        self.interacts(who, &payload).await;
        let before = form.view["hash"].clone();
        let turned = |fake: &Fake| fake.view(&id).filter(|view| view["hash"] != before);
        let turned = self.fake.until(turned).await;
        self.shows(who, turned);
    }

    async fn presses(&self, who: Who, on: &Seen, label: &str) -> Option<String> {
        let (action, question) = action(on, label);
        let mut pressed = json!({ "actions": [action], "response_url": self.fake.response_url() });
        if on.channel == "view" {
            pressed["view"] = on.raw.clone();
            pressed["container"] = json!({ "type": "view", "view_id": on.raw["id"] });
        } else {
            let private = on.channel == "ephemeral";
            let channel = if private { "C0PLATFORM" } else { &on.channel };
            let ts = if private { "1.5" } else { &on.id };
            pressed["channel"] = json!({ "id": channel, "name": "channel" });
            pressed["container"] = json!({ "type": "message", "message_ts": ts, "channel_id": channel,
                "is_ephemeral": private });
            if !private {
                pressed["message"] = on.raw.clone();
            }
        }
        let payload = slack::interaction(&self.fake, "block_actions", account(who), pressed);
        let answer = self.interacts(who, &payload).await;
        assert_eq!(answer.text, "", "a press is acknowledged and no more");
        question
    }

    async fn presses_unknown(&self, who: Who) {
        let action = json!({ "type": "slider", "action_id": "of.another.version", "block_id": "b",
            "value": "x", "shape": ["new"] });
        let pressed = json!({ "actions": [action], "response_url": self.fake.response_url(),
            "channel": { "id": "C0PLATFORM" }, "container": { "type": "message", "message_ts": "1.5" } });
        let payload = slack::interaction(&self.fake, "block_actions", account(who), pressed);
        self.interacts(who, &payload).await;
    }

    async fn delivers_again(&self) {
        let last = self.desk.lock().unwrap().last.clone();
        let (path, body, answer) = last.unwrap();
        assert_eq!(self.deliver(&path, body).await.json, answer);
    }

    async fn forges(&self) -> Vec<u16> {
        let bot = self.desk.lock().unwrap().bot.clone();
        let command = slack::command(&self.fake, account(Who::Priya), "help");
        let body = slack::form(&command);
        let now = chrono::Utc::now().timestamp();
        let signed = |at: i64, body: &str| (at.to_string(), slack::sign(&at.to_string(), body));
        let mut answered = Vec::new();
        for (at, signature) in [
            signed(now, "another body"),
            signed(now - 400, &body),
            signed(now + 400, &body),
            (now.to_string(), String::new()),
            (now.to_string(), SIGNING_SECRET.to_owned()),
        ] {
            let answer = slack::deliver_as(&bot, "/slack/commands", &body, &at, &signature).await;
            assert_eq!(answer.text, "");
            answered.push(answer.status);
        }
        answered
    }

    fn form(&self, who: Who) -> Option<(Vec<(String, String)>, String)> {
        let form = self.desk.lock().unwrap().forms.get(&who).cloned()?;
        let blocks = form.view["blocks"].as_array().unwrap().iter();
        let fields = blocks.filter_map(|block| {
            let name = name_of(block["block_id"].as_str()?);
            let element = &block["element"];
            element["action_id"].as_str()?;
            let initial = &element["initial_option"]["value"];
            let stands = initial.as_str().or(element["initial_value"].as_str());
            let typed = form.typed.get(name).map(String::as_str);
            let value = typed.or(stands).unwrap_or_default();
            Some((name.to_owned(), value.to_owned()))
        });
        Some((fields.collect(), seen("view", &form.view).words))
    }

    fn told(&self, who: Who) -> Vec<Seen> {
        self.listen();
        let desk = self.desk.lock().unwrap();
        let own = desk.told.iter().filter(|(whom, _)| *whom == who);
        own.map(|(_, seen)| seen.clone()).collect()
    }

    fn channel(&self, place: Place) -> Vec<Seen> {
        self.of(channel(Who::Priya, place).0, |m| m["thread_ts"].is_null())
    }

    fn direct(&self, who: Who) -> Vec<Seen> {
        self.of(direct(who), |m| m["thread_ts"].is_null())
    }

    fn thread(&self, card: &Seen) -> Vec<Seen> {
        self.of(&card.channel, |m| m["thread_ts"] == *card.id)
    }

    fn breaks(&self, trouble: Trouble) {
        match trouble {
            Trouble::AnswerLost => self.fake.fault(POST, Fault::LoseAnswer),
            Trouble::Limited => self.fake.fault(POST, Fault::Limited(1)),
            Trouble::MayNotPost => self.fake.fault(POST, Fault::Code("not_in_channel")),
            Trouble::Down(calls) => self.fake.down(calls),
            Trouble::Revoked => self.fake.revoke(true),
            Trouble::Restored => self.fake.revoke(false),
        }
    }

    async fn takes(&self, loss: Loss) {
        match loss {
            Loss::Role(who) => {
                self.desk.lock().unwrap().out.push(who);
                self.groups();
                self.event(json!({ "type": "subteam_members_changed", "subteam_id": "S3" }))
                    .await;
            }
            Loss::Person(who) => {
                self.fake.user(account(who), json!({ "deleted": true }));
                self.event(json!({ "type": "user_change", "user": { "id": account(who), "deleted": true } }))
                    .await;
            }
            Loss::Channel(place) => {
                let (id, _) = channel(Who::Priya, place);
                self.fake.archive(id);
                self.event(
                    json!({ "type": "channel_archive", "channel": id, "user": account(Who::Alex) }),
                )
                .await;
            }
        }
    }

    fn lets_in(&self) -> &'static str {
        "invite me there"
    }

    fn tells_roles(&self) -> bool {
        false
    }

    async fn deletes(&self, card: &Seen) {
        self.fake.delete(&card.channel, &card.id);
        self.event(
            json!({ "type": "message", "subtype": "message_deleted", "channel": card.channel,
            "deleted_ts": card.id, "previous_message": { "ts": card.id } }),
        )
        .await;
    }

    fn refused(&self) -> Vec<String> {
        self.fake.refused()
    }
}
