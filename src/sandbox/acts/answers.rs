//! What the app answers by itself: the body of a command's answer, or a post to a response URL.

use serde_json::Value;

use crate::sandbox::{
    api::blocks,
    world::{Author, Draft, Inner, MessageRef, ResponseUrl, TicketError, World},
};

/// Why an answer wasn't taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RespondError {
    /// The response URL is unknown, too old or used up.
    Ticket(TicketError),
    /// Neither text nor blocks, or ones that Slack refuses: its name and the details.
    Content(&'static str, Vec<String>),
    /// The original is gone, or can't be replaced.
    NoOriginal,
}

impl RespondError {
    /// Slack's name for it.
    pub fn error(&self) -> &'static str {
        match self {
            Self::Ticket(TicketError::Unknown) => "invalid_url",
            Self::Ticket(TicketError::Expired) => "expired_url",
            Self::Ticket(TicketError::Used) => "used_url",
            Self::Content(name, _) => name,
            Self::NoOriginal => "message_not_found",
        }
    }
}

impl World {
    /// Takes an answer for the response URL with this secret: from a post to it, which counts as a use.
    pub(in crate::sandbox) fn responded(
        &self,
        secret: &str,
        body: &Value,
    ) -> Result<Option<MessageRef>, RespondError> {
        self.with(|inner| {
            let lent = inner.take_response(secret).map_err(RespondError::Ticket)?;
            inner.respond(&lent, body)
        })
    }

    /// Takes the answer that came in the acknowledgement itself, which costs no use.
    pub(in crate::sandbox) fn answered(
        &self,
        secret: &str,
        body: &Value,
    ) -> Result<Option<MessageRef>, RespondError> {
        self.with(|inner| {
            let lent = inner.response_urls.get(secret).cloned();
            let lent = lent.ok_or(RespondError::Ticket(TicketError::Unknown))?;
            inner.respond(&lent, body)
        })
    }
}

impl Inner {
    fn respond(
        &mut self,
        lent: &ResponseUrl,
        body: &Value,
    ) -> Result<Option<MessageRef>, RespondError> {
        let flag = |name: &str| match body.get(name) {
            Some(Value::Bool(set)) => *set,
            Some(Value::String(set)) => set == "true",
            _ => false,
        };
        if flag("delete_original") {
            let source = lent.source.as_ref().ok_or(RespondError::NoOriginal)?;
            let gone = self
                .delete(&lent.channel, source)
                .ok_or(RespondError::NoOriginal)?;
            return Ok(Some(MessageRef {
                channel: gone.channel,
                ts: gone.ts,
            }));
        }
        let content = blocks::message(body)
            .map_err(|wrong| RespondError::Content(wrong.error, wrong.messages))?;
        if flag("replace_original") {
            let source = lent.source.as_ref().ok_or(RespondError::NoOriginal)?;
            let edited = self
                .edit(&lent.channel, source, |message| {
                    message.text = content.text;
                    message.blocks = content.blocks;
                    message.attachments = content.attachments;
                })
                .ok_or(RespondError::NoOriginal)?;
            return Ok(Some(MessageRef {
                channel: edited.channel,
                ts: edited.ts,
            }));
        }
        let public = body.get("response_type").and_then(Value::as_str) == Some("in_channel");
        let thread = body
            .get("thread_ts")
            .and_then(Value::as_str)
            .map(ToOwned::to_owned);
        let draft = Draft {
            thread_ts: thread,
            only_for: (!public).then(|| lent.person.clone()),
            ..content
        };
        let message = self.post(&lent.channel, Author::Bot, draft);
        Ok(Some(MessageRef {
            channel: message.channel,
            ts: message.ts,
        }))
    }
}
