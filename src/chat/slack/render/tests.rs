//! Every payload against `slackblocks`, which others wrote; snapshots; and properties over any card.

use chrono::DateTime;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::chat::slack::limits;
use crate::chat::slack::parse::{self, AnswerRoute, Parsed, RouteKind, Spoken};
use crate::chat::slack::verify::Verified;
use crate::domain::card::{
    Block, Button, ButtonStyle, Card, Confirm, Mention, Span, Text, TimeStyle,
};
use crate::domain::event::{ButtonId, Event, Turn};
use crate::domain::form::{Choice, Field, FieldError, FieldKind, FormPage};
use crate::domain::id::{DraftId, PlanId};
use crate::domain::reply::Reply;

/// Whether Slack would take it, as far as `slackblocks` knows, and with ids that are unique.
#[track_caller]
fn accept_message(message: &Rendered) {
    let payload = json!({ "channel": "C1", "text": message.text, "blocks": message.blocks });
    serde_json::from_value::<slackblocks::MessagePayload>(payload.clone())
        .unwrap_or_else(|e| panic!("{e}\n{payload:#}"));
    assert!(message.text.encode_utf16().count() <= limits::MESSAGE_TEXT);
    unique_ids(&message.blocks);
}

#[track_caller]
fn accept_view(view: &Value) {
    serde_json::from_value::<slackblocks::ModalView>(view.clone())
        .unwrap_or_else(|e| panic!("{e}\n{view:#}"));
    let blocks = view["blocks"].as_array().unwrap();
    assert!(blocks.len() <= limits::VIEW_BLOCKS);
    let ids: Vec<&str> = blocks
        .iter()
        .filter_map(|b| b["block_id"].as_str())
        .collect();
    assert!(
        ids.iter()
            .all(|id| id.len() <= 255 && ids.iter().filter(|i| *i == id).count() == 1)
    );
}

#[track_caller]
fn unique_ids(blocks: &[Value]) {
    let ids: Vec<&str> = blocks
        .iter()
        .filter_map(|b| b["elements"].as_array())
        .flatten()
        .filter_map(|e| e["action_id"].as_str())
        .collect();
    assert!(
        ids.iter()
            .all(|id| ids.iter().filter(|i| *i == id).count() == 1),
        "{ids:?}"
    );
}

fn button(id: ButtonId, value: &str, label: &str) -> Button {
    Button {
        id,
        value: value.into(),
        label: label.into(),
        style: ButtonStyle::Plain,
        confirm: None,
        url: None,
    }
}

fn waiting() -> Card {
    let at = DateTime::from_timestamp(1_795_442_700, 0).unwrap();
    let mut approve = button(ButtonId::RequestApprove, "plan-1", "Approve");
    approve.style = ButtonStyle::Primary;
    approve.confirm = Some(Confirm {
        title: "Approve 142?".into(),
        text: "Creates private repository acme/payments-api, 23 files.".into(),
        yes: "Approve".into(),
        no: "Not yet".into(),
    });
    Card {
        fallback: "142 payments-api: waiting for payments-leads <until> Tue 14:05 & later".into(),
        blocks: vec![
            Block::Lines {
                lines: vec![
                    Text::default()
                        .bold("payments-api")
                        .and(" · new service · 142 · asked by Priya *Nair* <!channel> & co"),
                    Text::default()
                        .bold("Waiting for approval")
                        .and(": 1 from payments-leads, until ")
                        .with(Span::Time {
                            at,
                            style: TimeStyle::DayAndClock,
                        }),
                ],
            },
            Block::Small {
                lines: vec![
                    Text::plain("Can decide: Alex Ruiz, Sam Ito, plan ").code("7f3a9c"),
                    Text::default().with(Span::Mention {
                        whom: Mention::Group {
                            external: "S0123".into(),
                            handle: "payments-leads".into(),
                        },
                    }),
                ],
            },
            Block::Code {
                text: "git clone https://git.acme.dev/payments-api.git <here> ```".into(),
            },
            Block::Buttons {
                buttons: vec![
                    approve,
                    button(ButtonId::RequestDeny, "plan-1", "Deny…"),
                    button(ButtonId::PlanShow, "plan-1", "See plan"),
                ],
                menu: vec![button(ButtonId::RequestCancel, "request-1", "Cancel")],
            },
        ],
    }
}

#[test]
fn a_card_becomes_one_message() {
    let drawn = message(&waiting(), Some("0193-nonce"));
    assert_eq!(drawn.len(), 1);
    accept_message(&drawn[0]);
    let json =
        json!({ "text": drawn[0].text, "blocks": drawn[0].blocks, "metadata": drawn[0].metadata });
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).unwrap());
}

fn line(line: Text) -> String {
    let card = Card {
        fallback: String::new(),
        blocks: vec![Block::Lines { lines: vec![line] }],
    };
    let text = message(&card, None)[0].blocks[0]["text"]["text"].clone();
    text.as_str()
        .unwrap()
        .replace('\u{2060}', "|")
        .replace('\u{200b}', "^")
}

#[test]
fn words_of_people_never_become_markup() {
    let b = |words: &str| line(Text::default().code("x").and(words));
    assert_eq!(b(" <@U1> <!channel>"), "`x` &lt;@U1&gt; &lt;!channel&gt;");
    assert_eq!(
        b(" *loud* snake_case _x_"),
        "`x` |*|loud|*| snake_case |_|x|_|"
    );
    assert_eq!(b(" a`b`c"), "`x` a|`|b|`|c");
    assert_eq!(b("\n> quoted"), "`x`\n|&gt; quoted");
    assert_eq!(b("y"), "`x`^y");
    // A line that is nothing but words is plain text: shown as it stands.
    assert_eq!(line("*a* <@U1> & b".into()), "*a* <@U1> & b");
}

#[test]
fn marked_words_stay_marked() {
    assert_eq!(
        line(Text::default().bold(" a\n*b* ").and("c")),
        " *a |*|b|*|* c"
    );
    assert_eq!(line(Text::default().code("a`b<c")), "`aˋb&lt;c`");
    assert_eq!(line(Text::default().bold("a").code("b")), "*a*^`b`");
}

#[test]
fn links_open_in_a_browser_or_are_words() {
    let link = |url: &str, label: &str| {
        line(Text::default().with(Span::Link {
            url: url.into(),
            label: label.into(),
        }))
    };
    assert_eq!(
        link("https://acme.dev/a?b=1&c=<d|e>", "the <repo>"),
        "<https://acme.dev/a?b=1&amp;c=%3Cd%7Ce%3E|the &lt;repo&gt;>"
    );
    assert_eq!(link("javascript:alert(1)", "x"), "x (javascript:alert(1))");
    assert_eq!(link("http://acme.dev/", ""), "<http://acme.dev/>");
}

#[test]
fn a_mention_needs_an_id() {
    let account = |external: &str| {
        line(Text::default().with(Span::Mention {
            whom: Mention::Account {
                external: external.into(),
                name: "alex".into(),
            },
        }))
    };
    assert_eq!(account("U123"), "<@U123>");
    assert_eq!(account("U1> <!channel"), "@alex");
}

#[test]
fn what_is_too_much_for_one_message_follows_in_others() {
    let mut card = waiting();
    let long = Block::Lines {
        lines: (0..400)
            .map(|n| {
                Text::default()
                    .code(format!("n{n}"))
                    .and(" word".repeat(20))
            })
            .collect(),
    };
    card.blocks.insert(1, long);
    let drawn = message(&card, Some("n"));
    assert!(drawn.len() > 2, "{}", drawn.len());
    drawn.iter().for_each(accept_message);
    let with_buttons: Vec<usize> = (0..drawn.len())
        .filter(|&n| drawn[n].blocks.iter().any(|b| b["type"] == "actions"))
        .collect();
    assert_eq!(with_buttons, [0]);
    let all = visible(&drawn);
    assert!((0..400).all(|n| all.contains(&format!("`n{n}`"))));
    assert_eq!(
        drawn[1].metadata.as_ref().unwrap()["event_payload"]["part"],
        "1"
    );
}

fn visible(messages: &[Rendered]) -> String {
    fn texts(value: &Value, out: &mut String) {
        match value {
            Value::Object(members) => members.iter().for_each(|(name, value)| match value {
                Value::String(text) if name == "text" => {
                    let mrkdwn = members.get("type").is_some_and(|t| t == "mrkdwn");
                    let text = if mrkdwn {
                        text.replace("&lt;", "<")
                            .replace("&gt;", ">")
                            .replace("&amp;", "&")
                    } else {
                        text.clone()
                    };
                    out.push_str(&text);
                    out.push('\n');
                }
                other => texts(other, out),
            }),
            Value::Array(items) => items.iter().for_each(|item| texts(item, out)),
            _ => {}
        }
    }
    let mut out = String::new();
    for message in messages {
        message
            .blocks
            .iter()
            .for_each(|block| texts(block, &mut out));
    }
    out
}

fn field(name: &str, kind: FieldKind, value: Option<Value>) -> Field {
    Field {
        name: name.into(),
        label: name.to_uppercase(),
        help: Some("Lower-case letters, digits and dashes".into()),
        placeholder: Some("payments-api".into()),
        kind,
        required: true,
        value,
        steers: false,
    }
}

fn choices(n: usize) -> Vec<Choice> {
    (0..n)
        .map(|n| Choice {
            value: format!("v{n}"),
            label: format!("Choice {n}"),
            description: (n == 0).then(|| "The first".into()),
        })
        .collect()
}

fn page(fields: Vec<Field>) -> FormPage {
    FormPage {
        draft: DraftId::from_uuid(uuid::Uuid::from_u128(7)),
        page: 1,
        revision: 2,
        title: "Create a service from a golden path".into(),
        heading: "Service".into(),
        intro: vec!["The thread will stand in #platform.".into()],
        fields,
        submit: "Ask for approval".into(),
        back: true,
    }
}

#[test]
fn a_page_becomes_a_modal() {
    let view = form(&page(vec![
        field(
            "name",
            FieldKind::Text {
                multiline: false,
                min: Some(3),
                max: Some(40),
            },
            Some(json!("payments-api")),
        ),
        field(
            "replicas",
            FieldKind::Number {
                integer: true,
                min: Some(1.0),
                max: Some(9.0),
            },
            Some(json!(3)),
        ),
        field("public", FieldKind::Switch, Some(json!(true))),
        field(
            "template",
            FieldKind::Choice {
                options: choices(3),
            },
            Some(json!("v1")),
        ),
        field(
            "owner",
            FieldKind::Choice {
                options: choices(6),
            },
            Some(json!("v5")),
        ),
        field(
            "region",
            FieldKind::Choice {
                options: choices(101),
            },
            Some(json!("v100")),
        ),
        field(
            "tags",
            FieldKind::Choices {
                options: choices(11),
            },
            Some(json!(["v3", "v4"])),
        ),
    ]));
    accept_view(&view);
    let kinds: Vec<&str> = view["blocks"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|b| b["element"]["type"].as_str())
        .collect();
    assert_eq!(
        kinds,
        [
            "plain_text_input",
            "number_input",
            "checkboxes",
            "radio_buttons",
            "static_select",
            "external_select",
            "multi_static_select"
        ]
    );
    insta::assert_snapshot!(serde_json::to_string_pretty(&view).unwrap());
}

/// What Slack would send for a view that nobody changed.
fn submitted(view: &Value, kind: &str) -> Value {
    let mut values = serde_json::Map::new();
    for block in view["blocks"].as_array().unwrap() {
        let element = &block["element"];
        let Some(action) = element["action_id"].as_str() else {
            continue;
        };
        let state = json!({
            "type": element["type"], "value": element["initial_value"],
            "selected_option": element["initial_option"],
            "selected_options": element.get("initial_options").cloned().unwrap_or(json!([])),
        });
        values.insert(
            block["block_id"].as_str().unwrap().into(),
            json!({ action: state }),
        );
    }
    let mut view = view.clone();
    view["state"] = json!({ "values": values });
    view["id"] = "V1".into();
    json!({ "type": kind, "team": { "id": "T1" }, "user": { "id": "U1" }, "trigger_id": "1.2.3", "view": view,
        "actions": [{ "type": "button", "action_id": "form.back" }] })
}

fn read(payload: Value) -> (Event, AnswerRoute) {
    match parse::parse(Verified::from_socket("interactive", payload)).unwrap() {
        Parsed::Inbound(inbound) => (inbound.delivery.event, inbound.route),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_drawn_is_read_back() {
    let fields = vec![
        field(
            "name",
            FieldKind::Text {
                multiline: true,
                min: None,
                max: None,
            },
            Some(json!("a b")),
        ),
        field(
            "n",
            FieldKind::Number {
                integer: false,
                min: None,
                max: None,
            },
            Some(json!(1.5)),
        ),
        field("on", FieldKind::Switch, Some(json!(true))),
        field("off", FieldKind::Switch, None),
        field(
            "one",
            FieldKind::Choice {
                options: choices(4),
            },
            Some(json!("v2")),
        ),
        field(
            "any",
            FieldKind::Choices {
                options: choices(4),
            },
            Some(json!(["v1", "v2"])),
        ),
        field(
            "none",
            FieldKind::Choice {
                options: choices(300),
            },
            None,
        ),
    ];
    let page = page(fields);
    let expected: Vec<(String, Value)> = page
        .fields
        .iter()
        .map(|f| {
            let nothing = if f.kind == FieldKind::Switch {
                json!(false)
            } else {
                Value::Null
            };
            (f.name.clone(), f.value.clone().unwrap_or(nothing))
        })
        .collect();
    let view = form(&page);
    for (kind, turn) in [
        ("view_submission", Turn::Next),
        ("block_actions", Turn::Back),
    ] {
        let (event, route) = read(submitted(&view, kind));
        assert_eq!(
            event,
            Event::PageFilled {
                draft: page.draft,
                page: 1,
                values: expected.clone(),
                turn,
            }
        );
        assert_eq!(route.fields.len(), page.fields.len());
    }
}

#[test]
fn a_change_of_a_field_that_steers_comes_at_once() {
    let mut steering = field(
        "path",
        FieldKind::Choice {
            options: choices(2),
        },
        None,
    );
    steering.steers = true;
    let view = form(&page(vec![steering]));
    accept_view(&view);
    let blocks = view["blocks"].as_array().unwrap();
    let block = blocks.iter().rfind(|b| b["type"] == "input").unwrap();
    assert_eq!(block["dispatch_action"], true, "{view:#}");
    let mut payload = submitted(&view, "block_actions");
    payload["actions"] = json!([{
        "type": "radio_buttons", "block_id": block["block_id"], "action_id": "choice",
        "selected_option": { "value": "request.approve x" },
    }]);
    let (event, route) = read(payload);
    assert!(
        matches!(
            event,
            Event::PageFilled {
                turn: Turn::Stay,
                page: 1,
                ..
            }
        ),
        "{event:?}"
    );
    assert_eq!(route.kind, RouteKind::ViewPress);
}

#[test]
fn a_reason_is_read_back() {
    let plan = PlanId::from_uuid(uuid::Uuid::from_u128(9));
    let reply = Reply::AskReason {
        plan,
        title: "Deny 142?".into(),
        hint: "Priya reads it on the card.".into(),
    };
    let Some(Call::OpenView { view, .. }) = answer(&reply, &route(RouteKind::Press)).before else {
        panic!("no view");
    };
    accept_view(&view);
    let mut payload = submitted(&view, "view_submission");
    payload["view"]["state"]["values"]["reason"]["text"]["value"] = "No.".into();
    assert_eq!(
        read(payload).0,
        Event::DenyReasoned {
            plan,
            reason: "No.".into()
        }
    );
}

fn route(kind: RouteKind) -> AnswerRoute {
    AnswerRoute {
        kind,
        trigger_id: Some("1.2.3".into()),
        response_url: matches!(kind, RouteKind::Command | RouteKind::Press)
            .then(|| "https://hooks.slack.com/x".into()),
        view_id: Some("V1".into()),
        view_hash: Some("h1".into()),
        draft: None,
        fields: vec![
            ("name".into(), "field:0.0:name".into()),
            ("owner".into(), "field:0.0:owner".into()),
        ],
        spoken: Some(Spoken {
            channel: "C1".into(),
            user: "U1".into(),
            thread: Some("1.1".into()),
            direct: false,
        }),
    }
}

const KINDS: [RouteKind; 6] = [
    RouteKind::Command,
    RouteKind::Press,
    RouteKind::ViewSubmission,
    RouteKind::ViewPress,
    RouteKind::Search,
    RouteKind::Event,
];

#[test]
fn each_reply_leaves_by_a_way_that_is_open() {
    let replies = [
        ("done", Reply::Done),
        ("card", Reply::Card { card: waiting() }),
        (
            "form",
            Reply::Form {
                form: Box::new(page(vec![])),
            },
        ),
        (
            "errors",
            Reply::Errors {
                errors: vec![
                    FieldError {
                        field: "name".into(),
                        label: "name".into(),
                        message: "Taken.".into(),
                    },
                    FieldError {
                        field: "gone".into(),
                        label: "gone".into(),
                        message: "Odd.".into(),
                    },
                ],
            },
        ),
        (
            "page",
            Reply::Page {
                title: "Plan of 142".into(),
                blocks: waiting().blocks,
            },
        ),
        (
            "choices",
            Reply::Choices {
                options: choices(120),
            },
        ),
    ];
    let way = |call: &Call| match call {
        Call::OpenView { view, .. } => {
            accept_view(view);
            "open"
        }
        Call::UpdateView { view, .. } => {
            accept_view(view);
            "update"
        }
        Call::Respond { body, .. } => {
            serde_json::from_value::<slackblocks::MessageResponse>(body.clone()).unwrap();
            "respond"
        }
        Call::Say { message, .. } => {
            accept_message(message);
            "say"
        }
    };
    let mut table = String::new();
    for (name, reply) in &replies {
        for kind in KINDS {
            let Answer {
                before,
                body,
                after,
            } = answer(reply, &route(kind));
            let body = body.map_or("empty".to_owned(), |body| {
                if let Some(view) = body.get("view") {
                    accept_view(view);
                }
                let word = body["response_action"]
                    .as_str()
                    .or(body["response_type"].as_str());
                word.unwrap_or("options").to_owned()
            });
            let calls: Vec<&str> = before
                .iter()
                .map(|_| "open first")
                .chain(after.iter().map(way))
                .collect();
            assert!(before.iter().all(|call| way(call) == "open"));
            table.push_str(
                &format!(
                    "{name:8}{:16}{body:12}{}\n",
                    format!("{kind:?}"),
                    calls.join(" ")
                )
                .replace(" \n", "\n"),
            );
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn errors_stand_at_their_fields() {
    let errors = [
        FieldError {
            field: "name".into(),
            label: "Name".into(),
            message: "Taken by core.".into(),
        },
        FieldError {
            field: "gone".into(),
            label: "What is gone".into(),
            message: "Odd.".into(),
        },
    ];
    assert_eq!(
        errors_body(&errors, &route(RouteKind::ViewSubmission)).unwrap(),
        json!({ "response_action": "errors", "errors": {
            "field:0.0:name": "Taken by core.", "field:0.0:owner": "What is gone: Odd." } })
    );
    let mut no_fields = route(RouteKind::ViewSubmission);
    no_fields.fields.clear();
    assert_eq!(errors_body(&errors, &no_fields), None);
}

#[test]
fn a_late_reply_takes_the_ways_that_are_left() {
    let card = Reply::Card { card: waiting() };
    assert!(matches!(
        late(&card, &route(RouteKind::Command))[..],
        [Call::Respond { .. }]
    ));
    for reply in [&card, &Reply::Done] {
        assert!(matches!(
            late(reply, &route(RouteKind::ViewSubmission))[..],
            [Call::UpdateView { hash: None, .. }]
        ));
    }
    let holding = still_working(&waiting(), &route(RouteKind::ViewSubmission)).unwrap();
    accept_view(&holding["view"]);
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        20 => "[a-zA-Z0-9 *_~`<>&|@#!:\n-]{0,40}",
        4 => "\\PC{0,30}",
        1 => "[a-z<&*`]{2900,4000}",
    ]
}

fn any_span(markup: bool) -> BoxedStrategy<Span> {
    let words = prop_oneof![
        any_text().prop_map(|text| Span::Plain { text }),
        any_text().prop_map(|text| Span::Bold { text }),
        any_text().prop_map(|text| Span::Code { text }),
    ];
    if !markup {
        return words.boxed();
    }
    prop_oneof![
        words,
        (any_text(), any_text()).prop_map(|(url, label)| Span::Link { url, label }),
        any_text().prop_map(|path| Span::Link {
            url: format!("https://a.dev/{path}"),
            label: "x".into()
        }),
        (any_text(), any_text()).prop_map(|(external, name)| Span::Mention {
            whom: Mention::Account { external, name }
        }),
        (0_i64..4_000_000_000).prop_map(|s| Span::Time {
            at: DateTime::from_timestamp(s, 0).unwrap(),
            style: TimeStyle::DayAndClock
        }),
    ]
    .boxed()
}

fn any_lines(markup: bool) -> impl Strategy<Value = Vec<Text>> {
    prop::collection::vec(
        prop::collection::vec(any_span(markup), 0..4).prop_map(Text),
        0..5,
    )
}

fn any_button() -> impl Strategy<Value = Button> {
    let confirm = prop::option::of((any_text(), any_text()).prop_map(|(title, text)| Confirm {
        title,
        text,
        yes: "Yes".into(),
        no: "No".into(),
    }));
    (
        prop::sample::select(ButtonId::ALL.to_vec()),
        "[a-z0-9:-]{0,60}",
        any_text(),
        confirm,
        prop::option::of("(https://a.dev/|)[a-z ]{0,9}"),
    )
        .prop_map(|(id, value, label, confirm, url)| Button {
            id,
            value,
            label,
            style: ButtonStyle::Danger,
            confirm,
            url,
        })
}

fn any_block(markup: bool) -> impl Strategy<Value = Block> {
    prop_oneof![
        any_text().prop_map(|text| Block::Heading { text }),
        any_lines(markup).prop_map(|lines| Block::Lines { lines }),
        any_lines(markup).prop_map(|lines| Block::Small { lines }),
        any_text().prop_map(|text| Block::Code { text }),
        Just(Block::Divider),
        (
            prop::collection::vec(any_button(), 0..30),
            prop::collection::vec(any_button(), 0..8)
        )
            .prop_map(|(buttons, menu)| Block::Buttons { buttons, menu }),
    ]
}

fn any_card(markup: bool) -> impl Strategy<Value = Card> {
    (any_text(), prop::collection::vec(any_block(markup), 0..70))
        .prop_map(|(fallback, blocks)| Card { fallback, blocks })
}

fn letters(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_card_is_taken_by_slack(card in any_card(true)) {
        for drawn in message(&card, Some("nonce")) {
            accept_message(&drawn);
        }
        accept_view(&reading("Plan", &card.blocks));
    }

    #[test]
    fn nothing_is_lost_and_nothing_becomes_markup(card in any_card(false)) {
        let buttonless: Vec<Block> =
            card.blocks.iter().filter(|b| !matches!(b, Block::Buttons { .. })).cloned().collect();
        prop_assume!(!buttonless.is_empty());
        let drawn = message(&Card { fallback: String::new(), blocks: buttonless.clone() }, None);
        let said: String = buttonless.iter().map(|block| match block {
            Block::Heading { text } | Block::Code { text } => letters(text),
            Block::Lines { lines } | Block::Small { lines } =>
                lines.iter().map(|line| letters(&line.to_string())).collect(),
            Block::Buttons { .. } | Block::Divider => String::new(),
        }).collect();
        let shown = letters(&visible(&drawn).replace("Continued below.", ""));
        prop_assert_eq!(shown, said);
        for message in &drawn {
            for block in &message.blocks {
                let objects = block["elements"].as_array().cloned().unwrap_or_else(|| vec![block["text"].clone()]);
                for object in objects.iter().filter(|o| o["type"] == "mrkdwn") {
                    prop_assert!(!object["text"].as_str().unwrap().contains(['<', '>']));
                }
            }
        }
    }
}
