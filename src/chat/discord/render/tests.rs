//! What is drawn stays within Discord's limits, says everything, and formats nothing that people typed.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::limits::{self, length};
use super::super::parse::{AnswerRoute, Part, RouteKind};
use super::{answer, late, still_working};
use super::{markdown, message, modal};
use crate::cards;
use crate::domain::card::{Block, Button, ButtonStyle, Card, Mention, Span, Text, TimeStyle};
use crate::domain::event::ButtonId;
use crate::domain::form::{Choice, Field, FieldError, FieldKind, FormPage};
use crate::domain::person::Platform;
use crate::domain::refusal::Refusal;
use crate::domain::reply::Reply;
use crate::domain::slash::Slash;

const DRAFT: &str = "0193d1a0-0000-7000-8000-000000000001";

fn route(kind: RouteKind) -> AnswerRoute {
    AnswerRoute {
        kind,
        interaction: "1".into(),
        token: "t".into(),
        application: "2".into(),
        part: None,
    }
}

fn button(id: ButtonId, value: &str, style: ButtonStyle) -> Button {
    Button {
        id,
        value: value.into(),
        label: "Approve".into(),
        style,
        confirm: None,
        url: None,
    }
}

fn field(name: &str, kind: FieldKind) -> Field {
    Field {
        name: name.into(),
        label: name.to_uppercase(),
        help: Some("Lower-case letters".into()),
        placeholder: None,
        kind,
        required: true,
        value: None,
        steers: false,
    }
}

fn words() -> FieldKind {
    FieldKind::Text {
        multiline: false,
        min: Some(3),
        max: Some(40),
    }
}

fn page(fields: Vec<Field>) -> FormPage {
    FormPage {
        draft: DRAFT.parse().unwrap(),
        page: 1,
        revision: 0,
        title: "Create a service from a golden path".into(),
        heading: "Service".into(),
        intro: vec![Text::plain("It will stand in #platform.")],
        fields,
        submit: "Ask for approval".into(),
        back: false,
    }
}

fn choice(value: &str) -> Choice {
    Choice {
        value: value.into(),
        label: value.to_uppercase(),
        description: None,
    }
}

#[test]
fn a_card_becomes_one_message() {
    let at = chrono::DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    let whom = Mention::Account {
        external: "53908232506183680".into(),
        name: "Priya".into(),
    };
    let leads = Mention::Group {
        external: "539082325061836999".into(),
        handle: "payments-leads".into(),
    };
    let card = Card {
        fallback: "142 payments-api: waiting".into(),
        blocks: vec![
            Block::Lines {
                lines: vec![
                    Text::default()
                        .bold("payments-api")
                        .and(" · 142 · asked by *Priya*"),
                    Text::plain("until ").with(Span::Time {
                        at,
                        style: TimeStyle::DayAndClock,
                    }),
                    Text::default()
                        .with(Span::Mention { whom })
                        .and(" and ")
                        .with(Span::Mention { whom: leads }),
                ],
            },
            Block::Small {
                lines: vec![Text::plain("plan ").code("7f3a9c")],
            },
            Block::Code {
                text: "git clone x".into(),
            },
            Block::Buttons {
                buttons: vec![
                    button(ButtonId::RequestApprove, "7", ButtonStyle::Primary),
                    button(ButtonId::RequestDeny, "7", ButtonStyle::Danger),
                    button(ButtonId::PlanShow, "7", ButtonStyle::Plain),
                ],
                menu: vec![button(ButtonId::RequestCancel, "8", ButtonStyle::Plain)],
            },
        ],
    };
    let drawn = message(&card);
    let drawn: Value = drawn.iter().map(super::Rendered::json).collect();
    insta::assert_snapshot!(format!("{drawn:#}"));
}

#[test]
fn a_page_becomes_a_modal_and_a_long_one_several() {
    let choices = FieldKind::Choices {
        options: vec![choice("eu"), choice("us")],
    };
    let mut template = field(
        "template",
        FieldKind::Choice {
            options: vec![choice("node-http"), choice("static")],
        },
    );
    template.value = Some(json!("static"));
    let fields = vec![
        field("name", words()),
        template,
        field("public", FieldKind::Switch),
        field(
            "port",
            FieldKind::Number {
                integer: true,
                min: None,
                max: None,
            },
        ),
        field("regions", choices),
        field("description", words()),
    ];
    let form = page(fields);
    let drawn = json!([modal::form(&form, 0), modal::form(&form, 1)]);
    insta::assert_snapshot!(format!("{drawn:#}"));
    // A part that isn't there is the first one.
    assert_eq!(modal::form(&form, 7), modal::form(&form, 0));
}

#[test]
fn each_reply_leaves_by_a_way_that_is_open() {
    let form = Reply::Form {
        form: Box::new(page(vec![field("name", words())])),
    };
    let reason = Reply::AskReason {
        plan: DRAFT.parse().unwrap(),
        title: "Deny 142?".into(),
        hint: "Priya reads it.".into(),
    };
    let kind = |reply: &Reply, kind| answer(reply, &route(kind)).body["type"].as_u64().unwrap();
    let all = [
        RouteKind::Command,
        RouteKind::Press,
        RouteKind::PrivatePress,
        RouteKind::Modal,
    ];
    assert_eq!(
        all.map(|way| kind(&form, way)),
        [9, 9, 9, 4],
        "no modal after a modal"
    );
    assert_eq!(all.map(|way| kind(&reason, way)), [9, 9, 9, 4]);
    assert_eq!(all.map(|way| kind(&Reply::Done, way)), [4, 6, 7, 4]);
    let said = Reply::Card {
        card: Card::lines(["Hello"]),
    };
    assert_eq!(all.map(|way| kind(&said, way)), [4, 4, 7, 4]);
    assert_eq!(
        all.map(|way| still_working(&route(way))["type"].as_u64().unwrap()),
        [5, 5, 6, 5]
    );
    for way in all {
        for reply in [&form, &reason, &said] {
            let messages = late(reply, &route(way));
            assert!(
                messages
                    .iter()
                    .all(|message| message["content"].is_string()),
                "{messages:?}"
            );
        }
        let flags = |body: &Value| body["flags"].as_u64().unwrap();
        let gives_way = way == RouteKind::PrivatePress;
        let private = flags(&answer(&said, &route(way)).body["data"]);
        assert_eq!(private & 64, if gives_way { 0 } else { 64 }, "{way:?}");
        // Who sees it was settled by the promise.
        assert_eq!(flags(&late(&said, &route(way))[0]) & 64, 0, "{way:?}");
    }
}

#[test]
fn what_was_filled_goes_on_with_its_next_part_and_errors_lead_back() {
    let fields = (0..7).map(|n| field(&format!("f{n}"), words())).collect();
    let form = Reply::Form {
        form: Box::new(page(fields)),
    };
    let mut filled = route(RouteKind::Modal);
    let at = |part| {
        Some(Part {
            draft: DRAFT.parse().unwrap(),
            page: 1,
            part,
            parts: 2,
        })
    };
    let custom_id =
        |body: &Value| body["data"]["components"][0]["components"][0]["custom_id"].clone();
    filled.part = at(0);
    assert_eq!(
        custom_id(&answer(&form, &filled).body),
        json!(format!("form {DRAFT} 1 1 2"))
    );
    // Pressed, it opens that part.
    let mut pressed = route(RouteKind::PrivatePress);
    pressed.part = at(1);
    let opened = answer(&form, &pressed).body;
    assert_eq!(
        opened["data"]["custom_id"],
        json!(format!("form {DRAFT} 1 1 2"))
    );
    assert_eq!(opened["data"]["components"].as_array().unwrap().len(), 3);
    filled.part = at(1);
    let errors = Reply::Errors {
        errors: vec![
            FieldError {
                field: "f0".into(),
                label: "Short name".into(),
                message: "is taken".into(),
            },
            // As it was kept before errors had labels.
            serde_json::from_value(json!({ "field": "f1", "message": "is odd" })).unwrap(),
        ],
    };
    let wrong = answer(&errors, &filled).body;
    assert_eq!(custom_id(&wrong), json!(format!("form {DRAFT} 1 0 2")));
    assert_eq!(
        wrong["data"]["content"],
        "**Short name**: is taken\n**f1**: is odd"
    );
}

#[test]
fn what_is_to_be_typed_is_code_in_a_refusal_and_a_backtick_of_somebodys_stays_one() {
    let drawn = |refusal| {
        let drawn = message(&cards::answer::refused(&refusal));
        drawn.into_iter().map(|m| m.content).collect::<String>()
    };
    let slash = Slash::of("/idp", Platform::Discord);
    assert_eq!(
        drawn(cards::link::chat::no_code("a`b", &slash, true)),
        "`aˋb` is no code: those look like `K7QM-2RXV`. `/idp link` gives you one, to be typed with your other account. \
         `/idp link code:github` links your account on GitHub."
    );
    let typed = Refusal::new("There is no `x`.").instead("Type *another*.");
    assert_eq!(drawn(typed), "There is no \\`x\\`. Type \\*another\\*.");
}

#[test]
fn words_stay_words() {
    for (typed, drawn) in [
        ("@everyone", "@\u{2060}everyone"),
        (
            "<@1> <@&2> <#3>",
            "\\<@\u{2060}1\\> \\<@\u{2060}&2\\> \\<\\#3\\>",
        ),
        (
            "**bold** _it_ ~~no~~ `x`",
            "\\*\\*bold\\*\\* \\_it\\_ \\~\\~no\\~\\~ \\`x\\`",
        ),
        ("# Title", "\\# Title"),
        ("- item", "\\- item"),
        ("1. item", "1\\. item"),
        ("[a](http://b)", "\\[a\\](http:\u{2060}//b)"),
        ("two\nlines", "two lines"),
    ] {
        assert_eq!(markdown::render(&Text::plain(typed)), drawn, "{typed}");
    }
    let code = markdown::render(&Text::default().code("a`b` *c*"));
    assert_eq!(code, "`aˋbˋ *c*`");
    let odd = Span::Link {
        url: "javascript:x".into(),
        label: "a".into(),
    };
    assert_eq!(markdown::render(&Text(vec![odd])), "a (javascript:x)");
    let web = Span::Link {
        url: "https://a.example/x".into(),
        label: "Repo [x]".into(),
    };
    assert_eq!(
        markdown::render(&Text(vec![web])),
        "[Repo \\[x\\]](<https://a.example/x>)"
    );
}

fn span() -> impl Strategy<Value = Span> {
    prop_oneof![
        ".{0,600}".prop_map(|text| Span::Plain { text }),
        ".{0,80}".prop_map(|text| Span::Bold { text }),
        ".{0,80}".prop_map(|text| Span::Code { text }),
    ]
}

fn block() -> impl Strategy<Value = Block> {
    let lines = || prop::collection::vec(prop::collection::vec(span(), 0..4).prop_map(Text), 0..8);
    let buttons = || {
        prop::collection::vec(
            (0..90_usize)
                .prop_map(|n| button(ButtonId::FormOpen, &"v".repeat(n), ButtonStyle::Plain)),
            0..9,
        )
    };
    prop_oneof![
        lines().prop_map(|lines| Block::Lines { lines }),
        lines().prop_map(|lines| Block::Small { lines }),
        ".{0,300}".prop_map(|text| Block::Heading { text }),
        "(.|\n){0,5000}".prop_map(|text| Block::Code { text }),
        (buttons(), buttons()).prop_map(|(buttons, menu)| Block::Buttons { buttons, menu }),
        Just(Block::Divider),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn any_card_stays_within_the_limits_and_loses_no_button(
        blocks in prop::collection::vec(block(), 0..6), fallback in ".{0,40}",
    ) {
        let wanted: usize = blocks.iter().map(|block| match block {
            Block::Buttons { buttons, menu } => buttons.len() + menu.len(),
            _ => 0,
        }).sum();
        let drawn = message(&Card { fallback, blocks });
        let mut shown = 0;
        for message in &drawn {
            prop_assert!(!message.content.trim().is_empty());
            prop_assert!(length(&message.content) <= limits::CONTENT, "{}", length(&message.content));
            prop_assert!(message.rows.len() <= limits::ROWS);
            for row in &message.rows {
                let buttons = row["components"].as_array().unwrap();
                prop_assert!((1..=5).contains(&buttons.len()));
                for button in buttons {
                    prop_assert!(length(button["custom_id"].as_str().unwrap()) <= limits::CUSTOM_ID);
                }
                shown += buttons.len();
            }
        }
        prop_assert_eq!(shown, wanted);
    }
}
