//! Messages, views and connections.

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use url::Url;

use super::{Slack, SlackError, required, text};

/// How many messages are looked through for a lost post: it is among the latest of its place.
const LOOK_THROUGH: &str = "100";

/// What is to stand in a channel.
#[derive(Debug, Clone, Copy)]
pub struct Post<'a> {
    /// The channel's id.
    pub channel: &'a str,
    /// The thread's root.
    pub thread: Option<&'a str>,
    /// The text for notifications and screen readers.
    pub text: &'a str,
    /// Block Kit blocks.
    pub blocks: &'a [Value],
    /// Metadata with a nonce, by which the post is found again.
    pub metadata: Option<&'a Value>,
}

/// A message that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The channel's id, as Slack answered.
    pub channel: String,
    /// Its id there.
    pub ts: String,
}

/// Who we are, by `auth.test`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Auth {
    /// The workspace (`T…`), or the organisation (`E…`) of an org-wide installation.
    pub installation: String,
    /// Its name.
    pub name: String,
    /// Its address.
    pub url: Option<String>,
    /// Our account (`U…`).
    pub user: String,
    /// Our bot (`B…`).
    pub bot: Option<String>,
    /// Our app (`A…`), where Slack tells.
    pub app: Option<String>,
    /// The scopes granted; none where the other side doesn't say.
    pub scopes: Option<Vec<String>>,
    /// What time it is there, to the second; none where the other side doesn't say.
    pub date: Option<DateTime<Utc>>,
}

impl Slack {
    /// `auth.test`, with the granted scopes. They stand in a header, so this call goes past slack-morphism.
    pub async fn auth_test(&self) -> Result<Auth, SlackError> {
        let lost = |error: reqwest::Error| {
            let cause = error.without_url().to_string();
            SlackError::Lost { cause }
        };
        let answer = self
            .shared
            .http
            .post(format!("{}/auth.test", self.shared.api_url))
            .bearer_auth(&self.token.token_value.0)
            .timeout(self.timeout)
            .send()
            .await
            .map_err(|error| {
                let unreachable = error.is_connect();
                let cause = error.without_url().to_string();
                if unreachable {
                    SlackError::Unreachable { cause }
                } else {
                    SlackError::Lost { cause }
                }
            })?;
        if answer.status() == reqwest::StatusCode::TOO_MANY_REQUESTS {
            return Err(SlackError::Limited {
                after: super::links::retry_after(answer.headers()),
            });
        }
        let scopes = answer
            .headers()
            .get("x-oauth-scopes")
            .and_then(|scopes| scopes.to_str().ok())
            .map(|scopes| scopes.split(',').map(|s| s.trim().to_owned()).collect());
        // IMF-fixdate (RFC 9110 §5.6.7), which is a date of RFC 2822.
        let date = answer
            .headers()
            .get(reqwest::header::DATE)
            .and_then(|date| DateTime::parse_from_rfc2822(date.to_str().ok()?).ok())
            .map(|date| date.to_utc());
        let answer: Value = answer.json().await.map_err(lost)?;
        if let Some(code) = text(&answer, "/error") {
            return Err(SlackError::from_code(&code, &[], None));
        }
        let org_wide = answer.get("is_enterprise_install") == Some(&Value::Bool(true));
        let installation = match (org_wide, text(&answer, "/enterprise_id")) {
            (true, Some(org)) => org,
            _ => required(&answer, "/team_id")?,
        };
        Ok(Auth {
            installation,
            name: text(&answer, "/team").unwrap_or_default(),
            url: text(&answer, "/url"),
            user: required(&answer, "/user_id")?,
            bot: text(&answer, "/bot_id"),
            app: text(&answer, "/app_id"),
            scopes,
            date,
        })
    }

    /// `chat.postMessage`
    pub async fn post(&self, post: &Post<'_>) -> Result<Message, SlackError> {
        let mut request = content(post);
        insert(&mut request, "thread_ts", post.thread);
        let answer = self
            .write("chat.postMessage", &Value::Object(request))
            .await?;
        stands(&answer)
    }

    /// `chat.postEphemeral`: for one person, best effort; gone after a reload.
    pub async fn whisper(&self, to: &str, post: &Post<'_>) -> Result<(), SlackError> {
        let mut request = content(post);
        request.remove("metadata");
        insert(&mut request, "thread_ts", post.thread);
        insert(&mut request, "user", Some(to));
        self.write("chat.postEphemeral", &Value::Object(request))
            .await
            .map(drop)
    }

    /// `chat.update`. Blocks are always sent: a text alone would take the old ones away.
    pub async fn update(&self, ts: &str, post: &Post<'_>) -> Result<Message, SlackError> {
        let mut request = content(post);
        insert(&mut request, "ts", Some(ts));
        let answer = self.write("chat.update", &Value::Object(request)).await?;
        stands(&answer)
    }

    /// `chat.delete`
    pub async fn delete(&self, channel: &str, ts: &str) -> Result<(), SlackError> {
        let request = json!({ "channel": channel, "ts": ts });
        self.write("chat.delete", &request).await.map(drop)
    }

    /// `chat.getPermalink`
    pub async fn permalink(&self, channel: &str, ts: &str) -> Result<String, SlackError> {
        let arguments = [("channel", channel), ("message_ts", ts)];
        let answer = self.read("chat.getPermalink", &arguments).await?;
        required(&answer, "/permalink")
    }

    /// Looks for a post whose answer was lost, by its metadata, among the latest messages of its thread or channel
    /// that are not older than `oldest` (a ts). Needs a history scope.
    pub async fn find(&self, post: &Post<'_>, oldest: &str) -> Result<Option<Message>, SlackError> {
        let mut arguments = vec![
            ("channel", post.channel),
            ("include_all_metadata", "true"),
            ("limit", LOOK_THROUGH),
            ("oldest", oldest),
            ("inclusive", "true"),
        ];
        let method = match post.thread {
            Some(thread) => {
                arguments.push(("ts", thread));
                "conversations.replies"
            }
            None => "conversations.history",
        };
        let answer = self.read(method, &arguments).await?;
        let found = answer
            .get("messages")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .find(|message| post.metadata.is_some() && message.get("metadata") == post.metadata);
        Ok(found
            .and_then(|message| text(message, "/ts"))
            .map(|ts| Message {
                channel: post.channel.to_owned(),
                ts,
            }))
    }

    /// `conversations.open`: the channel of the direct conversation with a person.
    pub async fn open_direct(&self, user: &str) -> Result<String, SlackError> {
        let answer = self
            .write("conversations.open", &json!({ "users": user }))
            .await?;
        required(&answer, "/channel/id")
    }

    /// `views.open`; gives the view's id.
    pub async fn open_view(&self, trigger_id: &str, view: &Value) -> Result<String, SlackError> {
        let request = json!({ "trigger_id": trigger_id, "view": view });
        let answer = self.write("views.open", &request).await?;
        required(&answer, "/view/id")
    }

    /// `views.update`, of the state that `hash` names.
    pub async fn update_view(
        &self,
        view_id: &str,
        hash: Option<&str>,
        view: &Value,
    ) -> Result<(), SlackError> {
        let mut request = Map::new();
        insert(&mut request, "view_id", Some(view_id));
        insert(&mut request, "hash", hash);
        request.insert("view".to_owned(), view.clone());
        self.write("views.update", &Value::Object(request))
            .await
            .map(drop)
    }

    /// `apps.connections.open`: the address of a Socket Mode connection, good for one use. Takes the app-level token.
    pub async fn open_connection(&self, app_token: &SecretString) -> Result<Url, SlackError> {
        let answer = self
            .with_token(app_token)
            .write("apps.connections.open", &json!({}))
            .await?;
        let address = required(&answer, "/url")?;
        Url::parse(&address).map_err(|_| SlackError::Lost {
            cause: "the address of the connection is none".to_owned(),
        })
    }
}

/// What all posts have in common. Links don't unfold and names don't link themselves: what mentions is in the blocks.
fn content(post: &Post<'_>) -> Map<String, Value> {
    let mut request = Map::new();
    insert(&mut request, "channel", Some(post.channel));
    insert(&mut request, "text", Some(post.text));
    request.insert("blocks".to_owned(), Value::from(post.blocks));
    if let Some(metadata) = post.metadata {
        request.insert("metadata".to_owned(), metadata.clone());
    }
    for (name, off) in [
        ("unfurl_links", Value::Bool(false)),
        ("unfurl_media", Value::Bool(false)),
        ("link_names", Value::Bool(false)),
    ] {
        request.insert(name.to_owned(), off);
    }
    request
}

fn insert(request: &mut Map<String, Value>, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        request.insert(name.to_owned(), Value::from(value));
    }
}

fn stands(answer: &Value) -> Result<Message, SlackError> {
    Ok(Message {
        channel: required(answer, "/channel")?,
        ts: required(answer, "/ts")?,
    })
}
