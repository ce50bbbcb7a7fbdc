//! Interactions of the shapes that Discord's documentation shows, and of none at all.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::domain::event::ButtonId;
use crate::domain::message::PlaceLost;

const DRAFT: &str = "0193d1a0-0000-7000-8000-000000000001";
const PLAN: &str = "0193d1a0-0000-7000-8000-000000000002";

/// What every interaction in a guild's channel carries.
fn interaction(kind: u64, data: &Value) -> Value {
    json!({
        "id": "846462639134605312", "application_id": "845027738276462632", "type": kind, "token": "A_UNIQUE_TOKEN",
        "guild_id": "290926798626357999", "channel_id": "645027906669510667", "version": 1, "app_permissions": "442368",
        "channel": { "id": "645027906669510667", "type": 0, "name": "platform" },
        "member": {
            "nick": null, "roles": ["539082325061836999", "1"], "permissions": "2147483647",
            "user": { "id": "53908232506183680", "username": "priya", "global_name": "Priya Nair", "avatar": null },
        },
        "data": data,
    })
}

fn read(payload: &Value) -> Parsed {
    parse(Verified(Content::Http(payload.to_string().into_bytes()))).unwrap()
}

fn taken(payload: &Value) -> Inbound {
    match read(payload) {
        Parsed::Inbound(inbound) => *inbound,
        other => panic!("{other:?}"),
    }
}

fn command(name: &str, options: &Value) -> Value {
    let sub = json!({ "type": 1, "name": name, "options": options });
    interaction(
        2,
        &json!({ "id": "1", "name": "idp", "type": 1, "options": [sub] }),
    )
}

#[test]
fn a_ping_is_a_ping() {
    assert_eq!(read(&json!({ "type": 1, "id": "1" })), Parsed::Ping);
}

#[test]
fn a_command_is_what_would_have_been_typed() {
    let words = |payload: &Value| match taken(payload).delivery.event {
        Event::Asked { command, words, .. } => format!("{command} {words}"),
        other => panic!("{other:?}"),
    };
    let run = json!([
        { "type": 3, "name": "words", "value": " payments-api with postgres " },
        { "type": 3, "name": "command", "value": "new-service" },
    ]);
    assert_eq!(
        words(&command("run", &run)),
        "/idp new-service payments-api with postgres"
    );
    let sentence = json!([{ "type": 3, "name": "words", "value": "a Node.js backend" }]);
    assert_eq!(words(&command("run", &sentence)), "/idp a Node.js backend");
    assert_eq!(words(&command("help", &json!([]))), "/idp help");
    let status = json!([{ "type": 3, "name": "id", "value": "142" }]);
    assert_eq!(words(&command("status", &status)), "/idp status 142");
    let code = json!([{ "type": 3, "name": "code", "value": "ABCD-EFGH" }]);
    assert_eq!(words(&command("link", &code)), "/idp link ABCD-EFGH");
}

#[test]
fn who_acts_where_is_told_with_the_roles() {
    let inbound = taken(&command("help", &json!([])));
    let sender = &inbound.delivery.sender;
    assert_eq!(sender.platform, Platform::Discord);
    assert_eq!(sender.installation, "290926798626357999");
    assert_eq!(sender.account, "53908232506183680");
    assert_eq!(sender.name.as_deref(), Some("Priya Nair"));
    assert_eq!(sender.app.as_deref(), Some("845027738276462632"));
    assert_eq!(inbound.delivery.key, "846462639134605312");
    assert_eq!(
        inbound.delivery.sender.groups.unwrap(),
        ["539082325061836999", "1"]
    );
    assert_eq!(inbound.route.token, "A_UNIQUE_TOKEN");

    // In direct messages there is neither guild nor member.
    let mut direct = command("help", &json!([]));
    direct["user"] = direct["member"]["user"].take();
    for gone in ["member", "guild_id"] {
        direct.as_object_mut().unwrap().remove(gone);
    }
    direct["channel"] = json!({ "id": "7", "type": 1 });
    let inbound = taken(&direct);
    assert_eq!(
        (
            inbound.delivery.sender.groups,
            inbound.delivery.sender.installation.as_str()
        ),
        (None, "")
    );
    assert_eq!(inbound.delivery.sender.account, "53908232506183680");
    let Event::Asked { place, .. } = inbound.delivery.event else {
        panic!();
    };
    assert_eq!(
        (place.channel.as_str(), place.kind),
        ("7", PlaceKind::DirectWithBot)
    );
}

#[test]
fn a_thread_belongs_to_its_channel() {
    let mut payload = command("help", &json!([]));
    payload["channel"] = json!({ "id": "11", "type": 11, "parent_id": "645027906669510667" });
    let Event::Asked { place, .. } = taken(&payload).delivery.event else {
        panic!();
    };
    assert_eq!(
        (place.channel.as_str(), place.thread.as_deref()),
        ("645027906669510667", Some("11"))
    );
}

fn press(id: &str, flags: u64) -> Value {
    let mut payload = interaction(3, &json!({ "component_type": 2, "custom_id": id }));
    payload["message"] = json!({ "id": "900", "flags": flags });
    payload
}

#[test]
fn a_press_names_button_value_and_card() {
    let inbound = taken(&press(&format!("request.approve {PLAN}"), 0));
    assert_eq!(inbound.route.kind, RouteKind::Press);
    let Event::Pressed {
        button,
        value,
        place,
        confirmed,
    } = inbound.delivery.event
    else {
        panic!();
    };
    assert_eq!(
        (button, value.as_str(), confirmed),
        (ButtonId::RequestApprove, PLAN, false)
    );
    assert_eq!(place.message.as_deref(), Some("900"));

    // In the private answer that asks once more.
    let inbound = taken(&press(&format!("!request.approve {PLAN}"), PRIVATE));
    assert_eq!(inbound.route.kind, RouteKind::PrivatePress);
    assert!(matches!(
        inbound.delivery.event,
        Event::Pressed { confirmed: true, ref place, .. } if place.message.is_none()
    ));

    // Behind a menu.
    let mut menu = press("menu", 0);
    menu["data"] =
        json!({ "component_type": 3, "custom_id": "menu", "values": ["request.cancel 7"] });
    assert!(matches!(
        taken(&menu).delivery.event,
        Event::Pressed { button: ButtonId::RequestCancel, ref value, .. } if value == "7"
    ));
}

fn label(component: &Value) -> Value {
    json!({ "type": 18, "id": 1, "component": component })
}

#[test]
fn a_filled_modal_is_a_filled_page_or_a_part_of_one() {
    let components = json!([
        label(&json!({ "type": 4, "custom_id": "text name", "value": "payments-api" })),
        label(&json!({ "type": 3, "custom_id": "choice template", "values": ["node-http"] })),
        label(&json!({ "type": 3, "custom_id": "switch public", "values": ["true"] })),
        label(&json!({ "type": 3, "custom_id": "choices regions", "values": ["eu", "us"] })),
        { "type": 1, "components": [{ "type": 4, "custom_id": "number port", "value": " 8080 " }] },
        { "type": 99, "odd": [] },
    ]);
    let modal = |part: u32| json!({ "custom_id": format!("form {DRAFT} 1 {part} 2"), "components": components });
    for (part, wanted) in [(0, Turn::Stay), (1, Turn::Next)] {
        let inbound = taken(&interaction(5, &modal(part)));
        assert_eq!(inbound.route.kind, RouteKind::Modal);
        assert_eq!(inbound.route.part.unwrap().part, part);
        let Event::PageFilled {
            draft,
            page,
            values,
            turn,
        } = inbound.delivery.event
        else {
            panic!();
        };
        assert_eq!((draft.to_string().as_str(), page, turn), (DRAFT, 1, wanted));
        let values: serde_json::Map<String, Value> = values.into_iter().collect();
        assert_eq!(
            Value::Object(values),
            json!({ "name": "payments-api", "template": "node-http", "public": true, "regions": ["eu", "us"], "port": 8080 })
        );
    }
}

#[test]
fn the_button_that_goes_on_wants_the_next_part() {
    let inbound = taken(&press(&format!("form {DRAFT} 1 1 2"), PRIVATE));
    assert_eq!(inbound.route.part.unwrap().part, 1);
    assert!(matches!(
        inbound.delivery.event,
        Event::PageFilled { turn: Turn::Stay, page: 1, ref values, .. } if values.is_empty()
    ));
}

#[test]
fn a_reason_is_what_was_typed() {
    let input = json!({ "type": 4, "custom_id": "reason", "value": " Use payments-core. " });
    let modal = json!({ "custom_id": format!("deny {PLAN}"), "components": [label(&input)] });
    let wanted = Event::DenyReasoned {
        plan: PLAN.parse().unwrap(),
        reason: "Use payments-core.".to_owned(),
    };
    assert_eq!(taken(&interaction(5, &modal)).delivery.event, wanted);
}

#[test]
fn a_command_is_completed_from_what_is_typed() {
    let options = json!([{ "type": 3, "name": "command", "value": "new", "focused": true }]);
    let mut payload = command("run", &options);
    payload["type"] = json!(4);
    let Parsed::Completing { typed, route } = read(&payload) else {
        panic!();
    };
    assert_eq!(
        (typed.as_str(), route.interaction.as_str()),
        ("new", "846462639134605312")
    );
}

fn happened(name: &str, data: Value) -> Vec<Delivery> {
    let dispatch = Dispatch {
        name: name.to_owned(),
        key: "session:7".to_owned(),
        data,
    };
    match parse(Verified::from_gateway(dispatch)).unwrap() {
        Parsed::Happened(all) => all,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_interaction_of_the_gateway_is_the_one_of_http() {
    let payload = press(&format!("request.approve {PLAN}"), 0);
    let dispatch = Dispatch {
        name: "INTERACTION_CREATE".to_owned(),
        key: "session:7".to_owned(),
        data: payload.clone(),
    };
    assert_eq!(
        parse(Verified::from_gateway(dispatch)).unwrap(),
        read(&payload)
    );
}

#[test]
fn what_happens_in_a_guild_is_learned() {
    let event = |name: &str, data: Value| {
        let mut all = happened(name, data);
        assert_eq!(all.len(), 1, "{name}");
        let Delivery { key, sender, event } = all.remove(0);
        assert_eq!(
            (key.as_str(), sender.installation.as_str()),
            ("session:7:0", "290926798626357999")
        );
        (event, sender)
    };
    let guild = json!({ "id": "290926798626357999", "name": "Acme", "unavailable": false });
    assert_eq!(event("GUILD_CREATE", guild.clone()).0, Event::Installed);
    assert_eq!(event("GUILD_DELETE", guild).0, Event::Uninstalled);
    let here = |more: Value| {
        let mut data = json!({ "guild_id": "290926798626357999" });
        data.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        data
    };
    let role = here(json!({ "role": { "id": "1", "name": "Leads" } }));
    assert_eq!(event("GUILD_ROLE_UPDATE", role).0, Event::GroupsChanged);
    let channel = here(json!({ "id": "5", "type": 0 }));
    let lost = Event::ChannelChanged {
        channel: "5".to_owned(),
        lost: Some(PlaceLost::Gone),
    };
    assert_eq!(event("CHANNEL_DELETE", channel).0, lost);
    let deleted = |message: &str| Event::MessageDeleted {
        channel: "5".to_owned(),
        message: message.to_owned(),
    };
    let message = here(json!({ "id": "9", "channel_id": "5" }));
    assert_eq!(event("MESSAGE_DELETE", message).0, deleted("9"));
    let thread = here(json!({ "id": "9", "parent_id": "5", "type": 11 }));
    let gone = Event::ThreadDeleted {
        channel: "5".to_owned(),
        message: "9".to_owned(),
    };
    assert_eq!(event("THREAD_DELETE", thread).0, gone);
    let member = here(json!({ "user": { "id": "53908232506183680" }, "roles": ["1", "2"] }));
    let (changed, sender) = event("GUILD_MEMBER_UPDATE", member);
    assert_eq!(
        (changed, sender.account.as_str(), sender.groups.unwrap()),
        (
            Event::AccountChanged,
            "53908232506183680",
            vec!["1".to_owned(), "2".to_owned()]
        )
    );
    let left = here(json!({ "user": { "id": "53908232506183680" } }));
    assert_eq!(
        event("GUILD_MEMBER_REMOVE", left).1.groups.unwrap(),
        Vec::<String>::new()
    );

    let many = here(json!({ "channel_id": "5", "ids": ["8", "9"] }));
    let many = happened("MESSAGE_DELETE_BULK", many);
    let keys: Vec<&str> = many.iter().map(|one| one.key.as_str()).collect();
    assert_eq!(keys, ["session:7:0", "session:7:1"]);
    assert_eq!(many[1].event, deleted("9"));
}

#[test]
fn what_is_nothing_to_us_is_nothing() {
    let away = json!({ "id": "290926798626357999", "unavailable": true });
    let bot = json!({ "guild_id": "1", "user": { "id": "2", "bot": true }, "roles": [] });
    for (name, data) in [
        ("GUILD_CREATE", away.clone()),
        ("GUILD_DELETE", away),
        ("GUILD_MEMBER_UPDATE", bot),
        ("MESSAGE_DELETE", json!({ "id": "9", "channel_id": "5" })),
        ("MESSAGE_CREATE", json!({ "guild_id": "1" })),
        ("THREAD_DELETE", json!(7)),
    ] {
        assert_eq!(happened(name, data), Vec::new(), "{name}");
    }
    assert!(is_wanted("INTERACTION_CREATE") && !is_wanted("MESSAGE_CREATE"));
}

#[test]
fn what_is_not_understood_is_something_else() {
    for payload in [
        interaction(3, &json!({ "custom_id": "vote", "component_type": 2 })),
        interaction(5, &json!({ "custom_id": "survey", "components": 7 })),
        interaction(9, &json!(null)),
        json!({ "type": 2 }),
    ] {
        let event = taken(&payload).delivery.event;
        assert!(matches!(event, Event::Other { .. }), "{event:?}");
    }
    for body in ["", "[]", "7", "{}", "{\"type\":\"2\"}", "type=2"] {
        assert!(
            parse(Verified(Content::Http(body.into()))).is_err(),
            "{body}"
        );
    }
}

proptest! {
    #[test]
    fn no_bytes_whatever_fail_harder(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(Verified(Content::Http(bytes)));
    }

    #[test]
    fn a_field_of_another_type_reads_as_absent(at in 0..6_usize, odd in prop_oneof![
        Just(json!(null)), Just(json!(7)), Just(json!("x")), Just(json!([[]])), Just(json!({ "a": {} })), Just(json!(true)),
    ]) {
        let mut payload = press(&format!("request.approve {PLAN}"), 0);
        let name = ["data", "member", "channel", "message", "guild_id", "token"][at];
        payload[name] = odd;
        let _ = taken(&payload);
    }
}
