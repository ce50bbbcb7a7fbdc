//! Messages, threads, and answers to interactions.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{As, Discord, DiscordError, list, required};

/// What is to stand in a channel, a thread or direct messages.
#[derive(Debug, Clone, Copy)]
pub struct Post<'a> {
    /// The channel or thread.
    pub channel: &'a str,
    /// The body of the message.
    pub body: &'a Value,
    /// The message of the same channel that it answers.
    pub answers: Option<&'a str>,
    /// Marks the post: for a few minutes another one with the same mark gives the message that stands already
    /// (docs.discord.com/developers/resources/message, `enforce_nonce`).
    pub mark: Uuid,
}

/// A message that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its channel or thread.
    pub channel: String,
    /// Its id.
    pub id: String,
}

impl Discord {
    /// Posts a message, once for each mark.
    pub async fn post(&self, post: &Post<'_>) -> Result<Message, DiscordError> {
        let mut body = post.body.clone();
        // A mark has at most 25 characters; these are 22.
        body["nonce"] = BASE64_URL_SAFE_NO_PAD.encode(post.mark.as_bytes()).into();
        body["enforce_nonce"] = true.into();
        if let Some(message) = post.answers {
            // What it answers may be deleted: then it stands by itself.
            body["message_reference"] =
                json!({ "message_id": message, "fail_if_not_exists": false });
        }
        let path = format!("/channels/{}/messages", post.channel);
        let answer = self.write(Method::POST, &path, &body).await?;
        Ok(Message {
            channel: required(&answer, "channel_id")?,
            id: required(&answer, "id")?,
        })
    }

    /// Changes a message.
    pub async fn edit(&self, channel: &str, id: &str, body: &Value) -> Result<(), DiscordError> {
        let path = format!("/channels/{channel}/messages/{id}");
        self.write(Method::PATCH, &path, body).await.map(drop)
    }

    /// Deletes a message.
    pub async fn delete(&self, channel: &str, id: &str) -> Result<(), DiscordError> {
        let path = format!("/channels/{channel}/messages/{id}");
        self.call(As::Bot, Method::DELETE, &path, None)
            .await
            .map(drop)
    }

    /// Opens the thread of a message. It has the message's own id.
    pub async fn open_thread(
        &self,
        channel: &str,
        message: &str,
        name: &str,
    ) -> Result<(), DiscordError> {
        let path = format!("/channels/{channel}/messages/{message}/threads");
        // A week: the longest that Discord keeps a silent thread in sight, in minutes.
        let body = json!({ "name": name, "auto_archive_duration": 10_080 });
        match self.write(Method::POST, &path, &body).await {
            Ok(_) | Err(DiscordError::ThreadStands) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The channel of the direct messages with an account.
    pub async fn open_direct(&self, account: &str) -> Result<String, DiscordError> {
        let body = json!({ "recipient_id": account });
        let answer = self
            .write(Method::POST, "/users/@me/channels", &body)
            .await?;
        required(&answer, "id")
    }

    /// Answers an interaction that came over the gateway.
    pub async fn answer(
        &self,
        (interaction, token): (&str, &str),
        body: &Value,
    ) -> Result<(), DiscordError> {
        let path = format!("/interactions/{interaction}/{token}/callback");
        self.call(As::Interaction, Method::POST, &path, Some(body))
            .await
            .map(drop)
    }

    /// Puts the reply where an answer promised one.
    pub async fn answer_later(
        &self,
        (application, token): (&str, &str),
        body: &Value,
    ) -> Result<(), DiscordError> {
        let path = format!("/webhooks/{application}/{token}/messages/@original");
        self.call(As::Interaction, Method::PATCH, &path, Some(body))
            .await
            .map(drop)
    }

    /// Says more after an answer.
    pub async fn follow_up(
        &self,
        (application, token): (&str, &str),
        body: &Value,
    ) -> Result<(), DiscordError> {
        let path = format!("/webhooks/{application}/{token}");
        self.call(As::Interaction, Method::POST, &path, Some(body))
            .await
            .map(drop)
    }

    /// Registers the application's commands where they differ from what stands; tells whether they did.
    pub async fn register(
        &self,
        application: &str,
        commands: &[Value],
    ) -> Result<bool, DiscordError> {
        let path = format!("/applications/{application}/commands");
        let stand = self.get(&path).await?;
        let stand: Vec<&Value> = list(&stand).collect();
        let same = stand.len() == commands.len()
            && commands
                .iter()
                .all(|wanted| stand.iter().any(|stands| holds(stands, wanted)));
        if same {
            return Ok(false);
        }
        self.write(Method::PUT, &path, &commands.into()).await?;
        Ok(true)
    }
}

/// Whether what stands has all that is wanted: Discord adds fields of its own, and leaves out what is the default.
fn holds(stands: &Value, wanted: &Value) -> bool {
    match (stands, wanted) {
        (Value::Object(stands), Value::Object(wanted)) => wanted.iter().all(|(key, value)| {
            let default = value == &Value::Bool(false);
            stands
                .get(key)
                .map_or(default, |stands| holds(stands, value))
        }),
        (Value::Array(stands), Value::Array(wanted)) => {
            stands.len() == wanted.len() && stands.iter().zip(wanted).all(|(s, w)| holds(s, w))
        }
        (stands, wanted) => stands == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_the_same_whatever_discord_adds_to_them() {
        let wanted = json!({ "name": "idp", "type": 1, "options": [
            { "type": 3, "name": "words", "required": false }] });
        let stands = json!({ "id": "1", "version": "2", "name": "idp", "type": 1, "nsfw": false, "options": [
            { "type": 3, "name": "words" }] });
        assert!(holds(&stands, &wanted));
        let other = json!({ "id": "1", "name": "idp", "type": 1, "options": [] });
        assert!(!holds(&other, &wanted));
    }
}
