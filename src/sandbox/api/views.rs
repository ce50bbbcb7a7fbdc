//! `views.*`: opening, pushing and updating modals within the life of a trigger.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    args::Args,
    blocks,
    reply::{ApiError, members},
};
use crate::sandbox::world::{Inner, Place, TicketError, Trigger, View, ViewError, World};

type Answer = Result<Map<String, Value>, ApiError>;

impl From<TicketError> for ApiError {
    fn from(error: TicketError) -> Self {
        Self::new(match error {
            TicketError::Unknown => "invalid_trigger_id",
            TicketError::Expired => "expired_trigger_id",
            TicketError::Used => "exchanged_trigger_id",
        })
    }
}

impl From<ViewError> for ApiError {
    fn from(error: ViewError) -> Self {
        Self::new(match error {
            ViewError::NotOpen => "not_found",
            ViewError::StackFull => "push_limit_reached",
            ViewError::HashConflict => "hash_conflict",
            ViewError::ExternalId => "duplicate_external_id",
        })
    }
}

pub(super) fn open(_: &Arc<World>, inner: &mut Inner, args: &Args) -> Answer {
    let view = definition(args)?;
    let trigger = trigger(inner, args)?;
    let shown = inner.show_view(&trigger.person, &Place::Root, view)?;
    Ok(answer(inner, &shown))
}

pub(super) fn push(_: &Arc<World>, inner: &mut Inner, args: &Args) -> Answer {
    let view = definition(args)?;
    let trigger = trigger(inner, args)?;
    let below = trigger.view.ok_or_else(|| ApiError::new("not_found"))?;
    let shown = inner.show_view(&trigger.person, &Place::Above(below), view)?;
    Ok(answer(inner, &shown))
}

pub(super) fn update(_: &Arc<World>, inner: &mut Inner, args: &Args) -> Answer {
    let view = definition(args)?;
    let id = match (args.text("view_id"), args.text("external_id")) {
        (Some(id), _) => Some(id),
        (None, Some(external)) => inner
            .view_by_external_id(&external)
            .map(|view| view.id.clone()),
        (None, None) => {
            let message = "[ERROR] missing required field: view_id".to_owned();
            return Err(ApiError::new("invalid_arguments").messages(&[message]));
        }
    };
    let id = id.ok_or_else(|| ApiError::new("not_found"))?;
    let shown = inner.update_view(&id, args.text("hash").as_deref(), view)?;
    Ok(answer(inner, &shown))
}

fn definition(args: &Args) -> Result<Value, ApiError> {
    let view = args.get("view").cloned().ok_or_else(|| {
        let message = "[ERROR] missing required field: view".to_owned();
        ApiError::new("invalid_arguments").messages(&[message])
    })?;
    blocks::view(&view)?;
    Ok(view)
}

fn trigger(inner: &mut Inner, args: &Args) -> Result<Trigger, ApiError> {
    Ok(inner.take_trigger(&args.needed("trigger_id")?)?)
}

fn answer(inner: &Inner, view: &View) -> Map<String, Value> {
    members([("view", view.on_the_wire(inner))])
}
