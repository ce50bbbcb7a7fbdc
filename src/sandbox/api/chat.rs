//! `chat.*`: posting, editing, deleting.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    args::Args,
    blocks::{self, TEXT_CHARS, Wrong},
    reply::{ApiError, members},
};
use crate::sandbox::world::{Author, Draft, Inner, Message, World};

type Answer = Result<Map<String, Value>, ApiError>;

impl From<Wrong> for ApiError {
    fn from(wrong: Wrong) -> Self {
        let error = Self::new(wrong.error);
        if wrong.messages.is_empty() {
            return error;
        }
        error
            .with("errors", json!(wrong.messages))
            .messages(&wrong.messages)
    }
}

pub(super) fn post_message(_: &Arc<World>, inner: &mut Inner, args: &Args) -> Answer {
    let channel = inner.postable(&args.needed("channel")?)?;
    let mut draft = content(args)?;
    let long = draft.text.chars().count() > TEXT_CHARS;
    if long {
        draft.text = draft.text.chars().take(TEXT_CHARS).collect();
    }
    draft.thread_ts = inner.thread_root(&channel, args)?;
    draft.broadcast = draft.thread_ts.is_some() && args.flag("reply_broadcast");
    let message = inner.post(&channel, Author::Bot, draft);
    let mut answer = posted(inner, &message);
    if long {
        let warnings = json!({ "warnings": ["message_truncated"] });
        answer.extend(members([
            ("warning", json!("message_truncated")),
            ("response_metadata", warnings),
        ]));
    }
    Ok(answer)
}

pub(super) fn post_ephemeral(_: &Arc<World>, inner: &mut Inner, args: &Args) -> Answer {
    let channel = inner.postable(&args.needed("channel")?)?;
    let user = args.needed("user")?;
    let there = inner
        .channel(&channel)
        .is_some_and(|channel| channel.has(&user));
    if !there {
        return Err(ApiError::new("user_not_in_channel"));
    }
    let mut draft = content(args)?;
    short_enough(&draft)?;
    draft.thread_ts = inner.thread_root(&channel, args)?;
    draft.only_for = Some(user);
    let message = inner.post(&channel, Author::Bot, draft);
    Ok(members([("message_ts", json!(message.ts))]))
}

pub(super) fn update(_: &Arc<World>, inner: &mut Inner, args: &Args) -> Answer {
    let channel = inner.postable(&args.needed("channel")?)?;
    let ts = args.needed("ts")?;
    own_message(inner, &channel, &ts, "cant_update_message")?;
    // "text without blocks removes the old blocks; neither keeps them" (https://docs.slack.dev/reference/methods/chat.update)
    let keeps = args.text("text").is_none() && args.get("blocks").is_none();
    let only_metadata = keeps && args.get("metadata").is_some();
    let draft = if only_metadata {
        Draft {
            metadata: metadata(args)?,
            ..Draft::default()
        }
    } else {
        content(args)?
    };
    short_enough(&draft)?;
    let message = inner
        .edit(&channel, &ts, |message| {
            if !only_metadata {
                message.text = draft.text;
                message.blocks = draft.blocks;
                message.attachments = draft.attachments;
            }
            if draft.metadata.is_some() {
                message.metadata = draft.metadata;
            }
        })
        .ok_or_else(|| ApiError::new("message_not_found"))?;
    let mut answer = posted(inner, &message);
    answer.insert("text".into(), message.text.into());
    Ok(answer)
}

pub(super) fn delete(_: &Arc<World>, inner: &mut Inner, args: &Args) -> Answer {
    let channel = inner.postable(&args.needed("channel")?)?;
    let ts = args.needed("ts")?;
    own_message(inner, &channel, &ts, "cant_delete_message")?;
    inner
        .delete(&channel, &ts)
        .ok_or_else(|| ApiError::new("message_not_found"))?;
    Ok(members([("channel", json!(channel)), ("ts", json!(ts))]))
}

pub(super) fn get_permalink(world: &Arc<World>, inner: &mut Inner, args: &Args) -> Answer {
    let channel = inner.visible(&args.needed("channel")?)?.id.clone();
    let ts = args.needed("message_ts")?;
    let message = inner
        .message(&channel, &ts)
        .filter(|message| message.only_for.is_none());
    let message = message.ok_or_else(|| ApiError::new("message_not_found"))?;
    let permalink = world.link_to(message);
    Ok(members([
        ("channel", json!(channel)),
        ("permalink", json!(permalink)),
    ]))
}

/// Text, blocks, attachments and metadata.
fn content(args: &Args) -> Result<Draft, ApiError> {
    let draft = blocks::message(&args.all())?;
    Ok(Draft {
        metadata: metadata(args)?,
        ..draft
    })
}

fn metadata(args: &Args) -> Result<Option<Value>, ApiError> {
    let Some(metadata) = args.get("metadata") else {
        return Ok(None);
    };
    let shaped = metadata.get("event_type").is_some_and(Value::is_string)
        && metadata.get("event_payload").is_some_and(Value::is_object);
    if shaped {
        Ok(Some(metadata.clone()))
    } else {
        Err(ApiError::new("invalid_metadata_format"))
    }
}

fn short_enough(draft: &Draft) -> Result<(), ApiError> {
    let long = draft.text.chars().count() > TEXT_CHARS;
    if long {
        Err(ApiError::new("msg_too_long"))
    } else {
        Ok(())
    }
}

/// A message that the bot wrote and that everybody sees.
fn own_message(
    inner: &Inner,
    channel: &str,
    ts: &str,
    otherwise: &'static str,
) -> Result<(), ApiError> {
    match inner.message(channel, ts) {
        Some(message) if message.only_for.is_some() || message.tombstone => {
            Err(ApiError::new("message_not_found"))
        }
        Some(message) if message.author == Author::Bot => Ok(()),
        Some(_) => Err(ApiError::new(otherwise)),
        None => Err(ApiError::new("message_not_found")),
    }
}

fn posted(inner: &Inner, message: &Message) -> Map<String, Value> {
    let shown = inner
        .channel(&message.channel)
        .map_or(Value::Null, |channel| message.on_the_wire(inner, channel));
    members([
        ("channel", json!(message.channel)),
        ("ts", json!(message.ts)),
        ("message", shown),
    ])
}
