//! Payloads of the shapes that Slack sends, and bytes of no shape at all.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::chat::slack::verify::Content;
use crate::domain::event::{ButtonId, Event, Place, PlaceKind, Turn};
use crate::domain::message::PlaceLost;

const DRAFT: &str = "0193d1a0-0000-7000-8000-000000000001";

fn form(pairs: &[(&str, &str)]) -> Parsed {
    let body = serde_urlencoded::to_string(pairs).unwrap();
    parse(Verified(Content::Http(body.into()))).unwrap()
}

fn interaction(payload: &Value) -> Inbound {
    inbound_of(form(&[("payload", &payload.to_string())]))
}

fn event(payload: &Value) -> Inbound {
    let body = payload.to_string().into_bytes();
    inbound_of(parse(Verified(Content::Http(body))).unwrap())
}

fn inbound_of(parsed: Parsed) -> Inbound {
    match parsed {
        Parsed::Inbound(inbound) => *inbound,
        other => panic!("{other:?}"),
    }
}

const COMMAND: &[(&str, &str)] = &[
    ("token", "verification"),
    ("team_id", "T111"),
    ("team_domain", "acme"),
    ("channel_id", "C111"),
    ("channel_name", "platform"),
    ("user_id", "U111"),
    ("user_name", "priya"),
    ("command", "/idp-staging"),
    ("text", "I need a &lt;fast&gt; &amp; small backend  "),
    ("api_app_id", "A111"),
    ("is_enterprise_install", "false"),
    ("response_url", "https://hooks.slack.com/commands/T111/1/x"),
    ("trigger_id", "111.222.xxx"),
];

fn command_with(changes: &[(&str, &str)]) -> Inbound {
    let mut pairs = COMMAND.to_vec();
    for &(name, value) in changes {
        match pairs.iter_mut().find(|(n, _)| *n == name) {
            Some(pair) => pair.1 = value,
            None => pairs.push((name, value)),
        }
    }
    inbound_of(form(&pairs))
}

#[test]
fn a_command_keeps_its_own_name_and_its_words() {
    let inbound = command_with(&[]);
    assert_eq!(
        inbound.delivery.event,
        Event::Asked {
            command: "/idp-staging".into(),
            words: "I need a <fast> & small backend".into(),
            place: Place {
                channel: "C111".into(),
                kind: PlaceKind::Public,
                thread: None,
                message: None,
            },
        }
    );
    assert_eq!(inbound.delivery.key, "111.222.xxx");
    assert_eq!(inbound.delivery.sender.installation, "T111");
    assert_eq!(inbound.delivery.sender.app.as_deref(), Some("A111"));
    assert_eq!(inbound.route.kind, RouteKind::Command);
    assert_eq!(inbound.route.trigger_id.as_deref(), Some("111.222.xxx"));
    assert!(inbound.route.response_url.is_some());
}

#[test]
fn an_org_wide_installation_is_the_organisation() {
    let inbound = command_with(&[
        ("is_enterprise_install", "true"),
        ("enterprise_id", "E111"),
        ("team_id", ""),
    ]);
    assert_eq!(inbound.delivery.sender.installation, "E111");

    let pressed = interaction(&json!({
        "type": "view_submission", "team": null, "enterprise": { "id": "E111", "name": "Org" },
        "is_enterprise_install": true, "user": { "id": "W111", "name": "alex", "team_id": "T222" },
        "trigger_id": "1.2.3", "view": { "id": "V1", "callback_id": "form.page", "state": {},
            "private_metadata": format!("{DRAFT}:0") },
    }));
    assert_eq!(pressed.delivery.sender.installation, "E111");
    assert_eq!(pressed.delivery.sender.home, None);
    assert!(
        matches!(pressed.delivery.event, Event::PageFilled { ref values, .. } if values.is_empty())
    );
}

#[test]
fn places_are_read_from_ids_and_names() {
    let place = |id, name| match command_with(&[("channel_id", id), ("channel_name", name)])
        .delivery
        .event
    {
        Event::Asked { place, .. } => place.kind,
        other => panic!("{other:?}"),
    };
    assert_eq!(place("D1", "directmessage"), PlaceKind::DirectBetweenPeople);
    assert_eq!(
        place("G1", "mpdm-a--b--c-1"),
        PlaceKind::DirectBetweenPeople
    );
    assert_eq!(place("C1", "privategroup"), PlaceKind::Private);
    assert_eq!(place("C1", "platform"), PlaceKind::Public);
    assert_eq!(place("C1", ""), PlaceKind::Unknown);
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "reads better where it is called with `json!`"
)]
fn press(action: Value, more: Value) -> Inbound {
    let mut payload = json!({
        "type": "block_actions", "api_app_id": "A111", "trigger_id": "1.2.3",
        "team": { "id": "T111", "domain": "acme" }, "enterprise": null, "is_enterprise_install": false,
        "user": { "id": "U222", "username": "alex", "name": "alex", "team_id": "T111" },
        "channel": { "id": "C111", "name": "platform" },
        "container": { "type": "message", "message_ts": "1.5", "channel_id": "C111", "is_ephemeral": false },
        "response_url": "https://hooks.slack.com/actions/T111/1/x",
        "actions": [action],
    });
    for (name, value) in more.as_object().unwrap() {
        payload[name] = value.clone();
    }
    interaction(&payload)
}

#[test]
fn a_press_names_button_value_and_place() {
    let inbound = press(
        json!({ "type": "button", "action_id": "request.approve", "block_id": "x", "value": "plan-1",
            "action_ts": "9.9", "confirm": { "title": { "type": "plain_text", "text": "Sure?" } } }),
        json!({}),
    );
    assert_eq!(
        inbound.delivery.event,
        Event::Pressed {
            button: ButtonId::RequestApprove,
            value: "plan-1".into(),
            place: Place {
                channel: "C111".into(),
                kind: PlaceKind::Public,
                thread: None,
                message: Some("1.5".into()),
            },
            confirmed: true,
        }
    );
    assert_eq!(inbound.route.kind, RouteKind::Press);
}

#[test]
fn the_message_tells_of_a_dialog_when_the_action_does_not() {
    let action = json!({ "type": "button", "action_id": "run.undo", "value": "r" });
    let with = |confirm: Value| {
        let element = json!({ "type": "button", "action_id": "run.undo", "confirm": confirm });
        let message =
            json!({ "ts": "1.5", "blocks": [{ "type": "actions", "elements": [element] }] });
        match press(action.clone(), json!({ "message": message }))
            .delivery
            .event
        {
            Event::Pressed { confirmed, .. } => confirmed,
            other => panic!("{other:?}"),
        }
    };
    assert!(with(json!({ "title": "Sure?" })));
    assert!(!with(Value::Null));
}

#[test]
fn repeated_buttons_and_menus_are_told_apart() {
    let what = |action| match press(action, json!({})).delivery.event {
        Event::Pressed { button, value, .. } => (button, value),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        what(json!({ "type": "button", "action_id": "form.open#3", "value": "new-service" })),
        (ButtonId::FormOpen, "new-service".into())
    );
    assert_eq!(
        what(json!({ "type": "overflow", "action_id": "menu",
            "selected_option": { "value": "request.cancel 0193" } })),
        (ButtonId::RequestCancel, "0193".into())
    );
}

#[test]
fn a_stranger_of_a_shared_channel_brings_a_home() {
    let inbound = press(
        json!({ "type": "button", "action_id": "request.approve", "value": "p" }),
        json!({ "user": { "id": "U9", "name": "x", "team_id": "T999" } }),
    );
    assert_eq!(inbound.delivery.sender.home.as_deref(), Some("T999"));
}

fn view(callback: &str, memory: &str) -> Value {
    json!({
        "id": "V111", "hash": "1.abc", "type": "modal", "callback_id": callback, "private_metadata": memory,
        "blocks": [
            { "type": "input", "block_id": "field:1.0:name" },
            { "type": "input", "block_id": "field:1.0:replicas" },
            { "type": "input", "block_id": "field:1.0:public" },
            { "type": "input", "block_id": "field:1.0:template" },
            { "type": "input", "block_id": "field:1.0:tags:more" },
        ],
        "state": { "values": {
            "field:1.0:name": { "text": { "type": "plain_text_input", "value": "payments\u{0}-api" } },
            "field:1.0:replicas": { "number": { "type": "number_input", "value": "3" } },
            "field:1.0:public": { "switch": { "type": "checkboxes", "selected_options": [] } },
            "field:1.0:template": { "choice": { "type": "radio_buttons", "selected_option": { "value": "node" } } },
            "field:1.0:tags:more": { "choices": { "type": "checkboxes",
                "selected_options": [{ "value": "a" }, { "value": "b" }] } },
            "someone-elses": { "text": { "type": "plain_text_input", "value": "x" } },
        } },
    })
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "reads better where it is called with `json!`"
)]
fn in_modal(kind: &str, view: Value, more: Value) -> Inbound {
    let mut payload = json!({
        "type": kind, "team": { "id": "T111" }, "user": { "id": "U111", "team_id": "T111" },
        "trigger_id": "1.2.4", "view": view, "container": { "type": "view", "view_id": "V111" },
    });
    for (name, value) in more.as_object().unwrap() {
        payload[name] = value.clone();
    }
    interaction(&payload)
}

#[test]
fn a_filled_page_brings_its_values_in_their_types() {
    let inbound = in_modal(
        "view_submission",
        view("form.page", &format!("{DRAFT}:1")),
        json!({}),
    );
    assert_eq!(
        inbound.delivery.event,
        Event::PageFilled {
            draft: DRAFT.parse().unwrap(),
            page: 1,
            values: vec![
                ("name".into(), json!("payments-api")),
                ("replicas".into(), json!(3)),
                ("public".into(), json!(false)),
                ("template".into(), json!("node")),
                ("tags:more".into(), json!(["a", "b"])),
            ],
            turn: Turn::Next,
        }
    );
    let route = inbound.route;
    assert_eq!(route.kind, RouteKind::ViewSubmission);
    assert_eq!(route.view_hash.as_deref(), Some("1.abc"));
    assert_eq!(route.draft, Some(DRAFT.parse().unwrap()));
    assert_eq!(route.fields.len(), 5);
    assert_eq!(
        route.fields[4],
        ("tags:more".into(), "field:1.0:tags:more".into())
    );
}

#[test]
fn the_back_button_brings_what_was_typed() {
    let action =
        json!({ "type": "button", "action_id": "form.back", "value": format!("{DRAFT}:1") });
    let inbound = in_modal(
        "block_actions",
        view("form.page", &format!("{DRAFT}:1")),
        json!({ "actions": [action] }),
    );
    assert!(matches!(
        inbound.delivery.event,
        Event::PageFilled { turn: Turn::Back, page: 1, ref values, .. } if values.len() == 5
    ));
    assert_eq!(inbound.route.kind, RouteKind::ViewPress);
    assert_eq!(inbound.route.view_id.as_deref(), Some("V111"));
}

#[test]
fn numbers_that_are_none_stay_words() {
    let value = |typed: &str| {
        let mut view = view("form.page", &format!("{DRAFT}:1"));
        view["state"]["values"] =
            json!({ "field:1.0:n": { "number": { "type": "number_input", "value": typed } } });
        match in_modal("view_submission", view, json!({})).delivery.event {
            Event::PageFilled { values, .. } => values[0].1.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(value("-7"), json!(-7));
    assert_eq!(value("1.5"), json!(1.5));
    assert_eq!(value("many"), json!("many"));
    assert_eq!(value("NaN"), json!("NaN"));
    assert_eq!(value(""), Value::Null);
}

#[test]
fn a_reason_names_its_plan() {
    let mut view = view("deny.reason", DRAFT);
    view["state"]["values"] = json!({ "reason": { "text": { "type": "plain_text_input", "value": " Use payments-core. " } } });
    let inbound = in_modal("view_submission", view, json!({}));
    assert_eq!(
        inbound.delivery.event,
        Event::DenyReasoned {
            plan: DRAFT.parse().unwrap(),
            reason: "Use payments-core.".into()
        }
    );
}

#[test]
fn a_search_names_draft_and_field() {
    let inbound = in_modal(
        "block_suggestion",
        view("form.page", &format!("{DRAFT}:1")),
        json!({ "trigger_id": null, "action_id": "choice", "block_id": "field:1.0:template", "value": "no" }),
    );
    assert_eq!(
        inbound.delivery.event,
        Event::Searched {
            draft: DRAFT.parse().unwrap(),
            field: "template".into(),
            query: "no".into()
        }
    );
    assert_eq!(inbound.route.kind, RouteKind::Search);
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "reads better where it is called with `json!`"
)]
fn callback(event: Value) -> Value {
    json!({
        "token": "x", "team_id": "T111", "api_app_id": "A111", "type": "event_callback", "event_id": "Ev111",
        "event_time": 1, "event": event,
        "authorizations": [{ "enterprise_id": null, "team_id": "T111", "user_id": "UBOT", "is_bot": true,
            "is_enterprise_install": false }],
    })
}

#[test]
fn a_mention_is_read_as_people_see_it() {
    let inbound = event(&callback(json!({
        "type": "app_mention", "user": "U111", "channel": "C111", "ts": "2.2", "thread_ts": "1.1",
        "text": "<@UBOT> ask <@U222|alex> about <https://acme.dev|acme.dev> in <#C9|ops> &amp; co",
    })));
    assert_eq!(
        inbound.delivery.event,
        Event::Mentioned {
            words: "ask @alex about acme.dev in #ops & co".into(),
            place: Place {
                channel: "C111".into(),
                kind: PlaceKind::Unknown,
                thread: Some("1.1".into()),
                message: Some("2.2".into()),
            },
        }
    );
    assert_eq!(inbound.delivery.key, "Ev111");
    assert_eq!(inbound.route.spoken.map(|s| s.direct), Some(false));
}

#[test]
fn only_people_are_listened_to() {
    let direct = json!({ "type": "message", "channel_type": "im", "user": "U111", "channel": "D1", "ts": "1.1",
        "text": "help" });
    let mentioned = |change: Value| {
        let mut message = direct.clone();
        for (name, value) in change.as_object().unwrap() {
            message[name] = value.clone();
        }
        matches!(
            event(&callback(message)).delivery.event,
            Event::Mentioned { .. }
        )
    };
    assert!(mentioned(json!({})));
    assert!(!mentioned(json!({ "bot_id": "B1" })));
    assert!(!mentioned(json!({ "user": "UBOT" })));
    assert!(!mentioned(json!({ "subtype": "message_changed" })));
    assert!(!mentioned(json!({ "channel_type": "channel" })));
}

#[test]
fn the_workspaces_own_events_are_understood() {
    let read = |what: Value| event(&callback(what)).delivery.event;
    assert_eq!(
        read(json!({ "type": "subteam_members_changed", "subteam_id": "S1" })),
        Event::GroupsChanged
    );
    let left = event(&callback(
        json!({ "type": "user_change", "user": { "id": "U5", "deleted": true } }),
    ));
    assert_eq!(left.delivery.event, Event::AccountChanged);
    assert_eq!(left.delivery.sender.account, "U5");
    let lost = |why| Event::ChannelChanged {
        channel: "C1".into(),
        lost: Some(why),
    };
    assert_eq!(
        read(json!({ "type": "channel_archive", "channel": "C1", "user": "U1" })),
        lost(PlaceLost::Gone)
    );
    assert_eq!(
        read(json!({ "type": "member_left_channel", "channel": "C1", "user": "UBOT" })),
        lost(PlaceLost::NotIn)
    );
    assert!(matches!(
        read(json!({ "type": "member_left_channel", "channel": "C1", "user": "U1" })),
        Event::Other { .. }
    ));
    let gone = Event::MessageDeleted {
        channel: "C1".into(),
        message: "1.1".into(),
    };
    assert_eq!(
        read(
            json!({ "type": "message", "subtype": "message_deleted", "channel": "C1", "deleted_ts": "1.1" })
        ),
        gone
    );
    assert_eq!(
        read(
            json!({ "type": "message", "subtype": "message_changed", "channel": "C1",
            "message": { "subtype": "tombstone", "ts": "1.1" } })
        ),
        gone
    );
    assert_eq!(
        read(json!({ "type": "tokens_revoked", "tokens": { "oauth": [], "bot": ["UBOT"] } })),
        Event::Uninstalled
    );
    assert_eq!(
        read(json!({ "type": "something_new", "user": 7 })),
        Event::Other {
            kind: "something_new".into()
        }
    );
}

#[test]
fn the_authorization_names_the_installation_in_shared_channels() {
    let mut payload = callback(
        json!({ "type": "app_mention", "user": "U9", "channel": "C1", "text": "hi", "user_team": "T999" }),
    );
    payload["team_id"] = json!("T999");
    payload["is_ext_shared_channel"] = json!(true);
    let inbound = event(&payload);
    assert_eq!(inbound.delivery.sender.installation, "T111");
    assert_eq!(inbound.delivery.sender.home.as_deref(), Some("T999"));
    assert!(matches!(
        inbound.delivery.event,
        Event::Mentioned { ref place, .. } if place.kind == PlaceKind::Shared
    ));
}

#[test]
fn slacks_own_checks_are_answered() {
    let body = br#"{"type":"url_verification","token":"x","challenge":"abc"}"#.to_vec();
    assert_eq!(
        parse(Verified(Content::Http(body))),
        Ok(Parsed::Challenge("abc".into()))
    );
    assert_eq!(form(&[("ssl_check", "1"), ("token", "x")]), Parsed::Ping);
}

#[test]
fn the_socket_brings_the_same_events() {
    let over_http = command_with(&[]);
    let payload: Value = COMMAND
        .iter()
        .map(|(n, v)| ((*n).to_owned(), json!(v)))
        .collect();
    let over_socket = parse(Verified::from_socket("slash_commands", payload)).unwrap();
    assert_eq!(inbound_of(over_socket), over_http);
}

fn any_json() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "type",
        "event",
        "view",
        "state",
        "values",
        "actions",
        "team",
        "user",
        "id",
        "text",
        "channel",
        "callback_id",
        "private_metadata",
        "authorizations",
        "block_actions",
        "selected_option",
        "value",
        "message",
        "blocks",
        "elements",
        "trigger_id",
        "subtype",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        name.clone().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        Just(json!("view_submission")),
        Just(json!("form.page")),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..6).prop_map(|members| members
                .into_iter()
                .map(|(n, v)| (n.to_owned(), v))
                .collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..512)) {
        let _ = parse(Verified(Content::Http(body)));
    }

    #[test]
    fn no_text_makes_it_panic(body in "(payload=|command=|text=|\\{)?.{0,200}") {
        let _ = parse(Verified(Content::Http(body.into())));
    }

    #[test]
    fn no_json_makes_it_panic(kind in "slash_commands|interactive|events_api|x", payload in any_json()) {
        let _ = parse(Verified(Content::Http(payload.to_string().into())));
        let escaped = serde_urlencoded::to_string([("payload", payload.to_string())]).unwrap();
        let _ = parse(Verified(Content::Http(escaped.into())));
        let _ = parse(Verified::from_socket(kind, payload));
    }
}
