//! Slash commands. Their name is whatever the app was given (`/idp`, `/idp-staging`).

use super::wire;
use super::{AnswerRoute, Inbound, RouteKind};
use crate::chat::fields::{Fields, key_of};
use crate::domain::event::{Delivery, Event, Place, Sender};
use crate::domain::person::Platform;

pub(super) fn parse(fields: Fields<'_>, body: &[u8]) -> Inbound {
    let channel = fields.owned("channel_id").unwrap_or_default();
    let place = Place {
        kind: wire::place_kind(&channel, fields.text("channel_name")),
        channel,
        thread: fields.owned("thread_ts"),
        message: None,
    };
    let installation = if fields.flag("is_enterprise_install") {
        fields.owned("enterprise_id")
    } else {
        None
    };
    let delivery = Delivery {
        key: fields.owned("trigger_id").unwrap_or_else(|| key_of(body)),
        sender: Sender {
            platform: Platform::Slack,
            installation: installation
                .or_else(|| fields.owned("team_id"))
                .unwrap_or_default(),
            app: fields.owned("api_app_id"),
            account: fields.owned("user_id").unwrap_or_default(),
            name: fields.owned("user_name"),
            home: None,
            groups: None,
        },
        event: Event::Asked {
            command: fields.owned("command").unwrap_or_default(),
            words: wire::unescape(fields.text("text").unwrap_or_default())
                .trim()
                .to_owned(),
            place,
        },
    };
    let route = AnswerRoute {
        trigger_id: fields.owned("trigger_id"),
        response_url: fields.owned("response_url"),
        ..AnswerRoute::new(RouteKind::Command)
    };
    Inbound { delivery, route }
}
