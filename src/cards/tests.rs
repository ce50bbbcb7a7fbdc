//! What people read, in every state: snapshots, and the rules that hold for all of it.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::link::chat;
use super::samples::{alex, all, at, person, priya, request, running};
use super::{Open, answer, closed, notice, plan, refusal, root};
use crate::domain::card::{Block, Button, Card, Mention, Span, Text};
use crate::domain::id::{AccountId, DraftId, LinkId};
use crate::domain::link::chat::{CodeState, CodeView, CodeWord, Side};
use crate::domain::permission::Verb;
use crate::domain::person::Platform;
use crate::domain::request::RequestState;
use crate::domain::rule::Unmeetable;
use crate::domain::run::RunState;
use crate::domain::slash::{self, Slash};
use crate::domain::view::RequestView;
use crate::domain::vote::VoteRefused;

/// Everything can be linked.
const BOTH: answer::Links = answer::Links {
    github: true,
    chats: true,
};

/// The command where it is typed as words.
fn idp() -> Slash {
    Slash::of(slash::NAME, Platform::Slack)
}

/// A card as text: spans with their markup, so that a lost or added emphasis is seen.
fn drawn(card: &Card) -> String {
    let mut out = format!("[{}]\n", card.fallback);
    for block in &card.blocks {
        draw_block(&mut out, block);
    }
    out
}

fn draw_block(out: &mut String, block: &Block) {
    match block {
        Block::Heading { text } => writeln!(out, "# {text}"),
        Block::Lines { lines } => lines.iter().try_for_each(|l| writeln!(out, "{}", draw(l))),
        Block::Small { lines } => lines
            .iter()
            .try_for_each(|l| writeln!(out, "  {}", draw(l))),
        Block::Code { text } => writeln!(out, "```\n{text}\n```"),
        Block::Divider => writeln!(out, "---"),
        Block::Buttons { buttons, menu } => {
            let row = |b: &[Button]| b.iter().map(draw_button).collect::<Vec<_>>().join(" ");
            writeln!(out, "{} | {}", row(buttons), row(menu))
        }
    }
    .unwrap();
}

fn draw_button(button: &Button) -> String {
    let confirm = button.confirm.as_ref().map_or_else(String::new, |c| {
        format!(" ?({} / {} / {} · {})", c.title, c.text, c.yes, c.no)
    });
    format!("[{} {}={}{confirm}]", button.label, button.id, button.value)
}

fn draw(text: &Text) -> String {
    text.0
        .iter()
        .map(|span| match span {
            Span::Plain { text } => text.clone(),
            Span::Bold { text } => format!("*{text}*"),
            Span::Code { text } => format!("`{text}`"),
            Span::Link { url, label } => format!("<{label}: {url}>"),
            Span::Mention { .. } => format!("«{}»", Text(vec![span.clone()])),
            Span::Time { .. } => Text(vec![span.clone()]).to_string(),
        })
        .collect()
}

fn draw_all(cards: impl IntoIterator<Item = (String, Card)>) -> String {
    cards
        .into_iter()
        .map(|(name, card)| format!("=== {name}\n{}", drawn(&card)))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Every answer, notice and root card for one request.
fn everything(view: &RequestView) -> Vec<Card> {
    let now = at(30);
    let typed = view.subject.as_str();
    let offer = answer::Offer {
        name: typed.to_owned(),
        title: typed.to_owned(),
        open: Open::Command(typed.to_owned()),
    };
    let home = answer::Home {
        slash: &idp(),
        commands: std::slice::from_ref(&offer),
        drafts: &[(typed.to_owned(), DraftId::from_uuid(uuid::Uuid::nil()))],
        mine: std::slice::from_ref(view),
        waiting: std::slice::from_ref(view),
    };
    let mut cards = vec![
        root(view, now),
        notice::approval_asked(view, &[]),
        notice::decided(view),
        notice::ended(view),
        notice::reminder(view, Some("https://acme.slack.example/archives/C1/p1")),
        notice::moved(view, notice::Moved::Archived),
        notice::permalink(view, typed, None),
        answer::home(&home, now),
        answer::help(&idp(), std::slice::from_ref(&offer), BOTH),
        answer::status(std::slice::from_ref(view), now),
        answer::sentence(typed, std::slice::from_ref(&offer), &idp()),
        answer::unknown_command(typed, Some(&offer), &idp()),
        answer::unknown_request(typed, &idp()),
        answer::nothing_to_do(Verb::Cancel, view, now),
        answer::may_not(Verb::Undo, view),
        answer::use_the_button(std::slice::from_ref(view)),
        answer::refused(&refusal::held_by_service(typed, typed, Some(typed))),
    ];
    let votes = [
        VoteRefused::OwnRequest,
        VoteRefused::NotADecider,
        VoteRefused::Twice,
        VoteRefused::OtherPlan,
    ];
    cards.extend(
        votes
            .iter()
            .map(|v| answer::vote_refused(view, v, &[typed.to_owned()], now)),
    );
    cards.extend(plan::pages(view).into_iter().map(|page| Card {
        fallback: page.title,
        blocks: page.blocks,
    }));
    cards
}

fn buttons(card: &Card) -> Vec<(&[Button], &[Button])> {
    card.blocks
        .iter()
        .filter_map(|block| match block {
            Block::Buttons { buttons, menu } => Some((buttons.as_slice(), menu.as_slice())),
            _ => None,
        })
        .collect()
}

fn texts(card: &Card) -> impl Iterator<Item = &Text> {
    card.blocks.iter().flat_map(|block| match block {
        Block::Lines { lines } | Block::Small { lines } => lines.as_slice(),
        _ => &[],
    })
}

#[test]
fn root_cards_in_every_state() {
    let cards = all()
        .into_iter()
        .map(|(name, view)| (name, root(&view, at(10))));
    insta::assert_snapshot!(draw_all(cards));
}

#[test]
fn copies_that_are_not_kept_up() {
    let cards = all()
        .into_iter()
        .map(|(name, view)| (name, closed(&view, &idp(), at(10))));
    insta::assert_snapshot!(draw_all(cards));
}

#[test]
fn milestones_of_a_thread() {
    let group = Mention::Group {
        external: "S1".to_owned(),
        handle: "payments-leads".to_owned(),
    };
    let waiting = request(RequestState::AwaitingApproval);
    let mut met = running(RunState::Succeeded);
    met.plan.as_mut().unwrap().lacking.clear();
    let mut cards = vec![
        (
            "asked, and answered since".to_owned(),
            notice::approval_asked(&met, &[]),
        ),
        (
            "asked".to_owned(),
            notice::approval_asked(&waiting, &[group]),
        ),
        (
            "asked, nobody to call".to_owned(),
            notice::approval_asked(&waiting, &[]),
        ),
        (
            "approved".to_owned(),
            notice::decided(&running(RunState::Queued)),
        ),
        (
            "reminder".to_owned(),
            notice::reminder(&waiting, Some("https://acme.slack.example/p1")),
        ),
        (
            "moved".to_owned(),
            notice::moved(&waiting, notice::Moved::NotIn(Platform::Slack)),
        ),
        (
            "moved, on Discord".to_owned(),
            notice::moved(&waiting, notice::Moved::NotIn(Platform::Discord)),
        ),
        (
            "permalink".to_owned(),
            notice::permalink(&waiting, "#platform", Some("https://acme.slack.example/p1")),
        ),
    ];
    cards.extend(
        all()
            .into_iter()
            .map(|(name, view)| (format!("ended: {name}"), notice::ended(&view))),
    );
    insta::assert_snapshot!(draw_all(cards));
}

#[test]
fn answers_to_a_press() {
    let waiting = request(RequestState::AwaitingApproval);
    let now = at(10);
    let own = vec!["developers".to_owned()];
    let refused = |v: VoteRefused| answer::vote_refused(&waiting, &v, &own, now);
    let mut cards = vec![
        ("own request", refused(VoteRefused::OwnRequest)),
        ("stranger", refused(VoteRefused::NotADecider)),
        ("twice", refused(VoteRefused::Twice)),
        ("old plan", refused(VoteRefused::OtherPlan)),
        ("too late", refused(VoteRefused::Late { since: at(0) })),
        (
            "stale",
            refused(VoteRefused::Stale {
                group: "payments-leads".to_owned(),
                synced_at: at(-2),
            }),
        ),
        ("may not cancel", answer::may_not(Verb::Cancel, &waiting)),
        (
            "may not undo",
            answer::may_not(Verb::Undo, &running(RunState::Failed)),
        ),
        (
            "cancelled",
            answer::cancelled(&running(RunState::Cancelling)),
        ),
        ("old run", answer::old_run(&running(RunState::Running), now)),
        (
            "too old to retry",
            answer::too_old(&running(RunState::Failed), true),
        ),
        (
            "too old to retry, nothing is left",
            answer::too_old(&running(RunState::Queued), true),
        ),
        ("no such request", answer::unknown_request("999", &idp())),
        (
            "broken",
            answer::broken("your click was not counted", "E-8KQ2"),
        ),
        (
            "nothing to retry",
            answer::nothing_to_do(Verb::Retry, &running(RunState::Succeeded), now),
        ),
    ]
    .into_iter()
    .map(|(name, card)| (name.to_owned(), card))
    .collect::<Vec<_>>();
    cards.extend(
        all()
            .into_iter()
            .filter(|(_, v)| v.state != RequestState::AwaitingApproval)
            .map(|(name, view)| {
                let card = answer::vote_refused(&view, &VoteRefused::NotADecider, &own, now);
                (format!("late: {name}"), card)
            }),
    );
    insta::assert_snapshot!(draw_all(cards));
}

/// Every reason why somebody may not ask.
fn refusals() -> Vec<answer::MayNotAsk> {
    vec![
        answer::MayNotAsk::Guest,
        answer::MayNotAsk::Outsider,
        answer::MayNotAsk::Bot,
        answer::MayNotAsk::Inactive,
        answer::MayNotAsk::NotInstalled,
        answer::MayNotAsk::Unlisted {
            place: "100000000000000002".to_owned(),
        },
        answer::MayNotAsk::Unplaced,
        answer::MayNotAsk::Away {
            place: "Acme".to_owned(),
        },
        answer::MayNotAsk::Starting,
        answer::MayNotAsk::NotAllowed {
            command: "new-service".to_owned(),
            allow: vec!["group:engineers".to_owned(), "group:platform".to_owned()],
        },
        answer::MayNotAsk::TooMany {
            max: 5,
            slash: idp(),
        },
        answer::MayNotAsk::Paused {
            reason: "database upgrade until noon".to_owned(),
        },
        answer::MayNotAsk::Stale {
            group: "engineers".to_owned(),
        },
    ]
}

#[test]
fn answers_around_asking() {
    let offer = |name: &str, title: &str| answer::Offer {
        name: name.to_owned(),
        title: title.to_owned(),
        open: Open::Command(name.to_owned()),
    };
    let offers = [
        "new-service",
        "new-site",
        "grant-access",
        "rotate-a-very-long-secret",
    ]
    .map(|name| offer(name, "Do that"));
    let draft = DraftId::from_uuid(uuid::Uuid::from_u128(5));
    let waiting = request(RequestState::AwaitingApproval);
    let views: Vec<RequestView> = all().into_iter().map(|(_, view)| view).collect();
    let staging = Slash::of("/idp-staging", Platform::Slack);
    let home = answer::Home {
        slash: &staging,
        commands: &offers,
        drafts: &[("new-service".to_owned(), draft)],
        mine: &views[..2],
        waiting: &views[1..2],
    };
    let empty = answer::Home {
        commands: &[],
        drafts: &[],
        mine: &[],
        waiting: &[],
        ..home
    };
    let cards = [
        ("home", answer::home(&home, at(10))),
        ("home, nothing there", answer::home(&empty, at(10))),
        ("help", answer::help(&staging, &offers, BOTH)),
        ("status", answer::status_of(&waiting, false, at(10))),
        (
            "status, from another chat",
            answer::status_of(&waiting, true, at(10)),
        ),
        (
            "unknown",
            answer::unknown_command("new-servise", Some(&offers[0]), &idp()),
        ),
        (
            "unknown, nothing near",
            answer::unknown_command("xyz", None, &idp()),
        ),
        (
            "sentence",
            answer::sentence("I need a *Node.js* backend <!here>", &offers, &idp()),
        ),
        ("looking up", answer::looking_up(draft)),
        ("trigger expired", answer::open_form(&Open::Draft(draft))),
        ("mentioned", answer::form_by_button(&Open::Draft(draft))),
        (
            "draft",
            answer::draft_found("new-service", draft, at(0), at(10)),
        ),
        (
            "submitted",
            answer::submitted(waiting.number, &waiting.subject, "#platform"),
        ),
        (
            "approve typed",
            answer::use_the_button(std::slice::from_ref(&waiting)),
        ),
        ("reserved", answer::not_built("delegate", &idp())),
        ("list of none", answer::list(&[], at(10))),
        ("status of all", answer::status(&views, at(10))),
    ]
    .map(|(name, card)| (name.to_owned(), card));
    let refused = |why: &answer::MayNotAsk, on| answer::refused(&answer::may_not_ask(why, on));
    let mut drawn_refusals = Vec::new();
    for why in refusals() {
        let (here, there) = (
            refused(&why, Platform::Slack),
            refused(&why, Platform::Discord),
        );
        // Most read the same on both.
        let differs = (here != there).then(|| (format!("{why:?}, on Discord"), there));
        drawn_refusals.push((format!("{why:?}"), here));
        drawn_refusals.extend(differs);
    }
    insta::assert_snapshot!(draw_all(cards.into_iter().chain(drawn_refusals)));
}

#[test]
fn on_discord_people_read_what_they_can_type_there() {
    let there = Slash::of("/idp", Platform::Discord);
    let offer = answer::Offer {
        name: "new-service".to_owned(),
        title: "Do that".to_owned(),
        open: Open::Command("new-service".to_owned()),
    };
    let help = drawn(&answer::help(&there, std::slice::from_ref(&offer), BOTH));
    for line in [
        "`/idp run command:new-service` Do that",
        "`/idp home` what you can ask for",
        "`/idp status` what your",
        "`/idp status id:ID` the same",
        "`/idp list` your",
        "`/idp cancel id:ID` takes",
        "`/idp link` makes",
        "`/idp link code:github` makes",
    ] {
        assert!(help.contains(line), "{line}: {help}");
    }
    let slip = answer::unknown_command("new-servise", Some(&offer), &there);
    assert!(
        slip.fallback
            .ends_with("Did you mean /idp run command:new-service?")
    );
    let copy = drawn(&closed(&running(RunState::Running), &there, at(10)));
    assert!(copy.contains("`/idp status id:142` tells"), "{copy}");
}

#[test]
fn words_around_linking_two_chats() {
    let side = |name: &str, platform, place: &str| Side {
        name: name.to_owned(),
        platform,
        place: place.to_owned(),
    };
    let priya = side("Priya Nair", Platform::Slack, "Acme");
    let there = side("priya", Platform::Discord, "Acme there");
    let id = LinkId::from_uuid(uuid::Uuid::from_u128(7));
    let word = CodeWord::of([20, 7, 22, 20, 2, 24, 29, 27]);
    let places = [
        (Platform::Discord, "Acme there".to_owned()),
        (Platform::Slack, "Beta".to_owned()),
    ];
    let linked = |own| chat::Linked {
        account: AccountId::from_uuid(uuid::Uuid::from_u128(8)),
        with: vec![there.clone()],
        own,
    };
    let view = |state| CodeView {
        id,
        state,
        asked: priya.clone(),
        other: Some(there.clone()),
        expires_at: at(10),
        slash: idp(),
    };
    let code = |places, linked| chat::code(&word, places, (&idp(), at(10)), linked);
    let named = |name: &str, card: Card| (name.to_owned(), card);
    let mut cards = vec![
        named("code", code(&places[..1], None)),
        named(
            "code, linked already",
            code(&places[1..], Some(&linked(true))),
        ),
        named("code, several places", code(&places, None)),
        named("linked", chat::standing(&linked(true))),
        named("linked by the operator", chat::standing(&linked(false))),
        named("claimed", chat::claimed(&priya, at(10))),
        named("confirmed", chat::confirmed(&there)),
        named("refused", chat::refused(&idp())),
        named("told", chat::linked(&there)),
        named("unlinked", chat::unlinked(&there)),
        named("parted", chat::parted(false)),
        named("parted, listed", chat::parted(true)),
    ];
    for state in CodeState::ALL {
        cards.push(named(
            &format!("question, {state}"),
            chat::asked(&view(*state)),
        ));
        cards.push(named(&format!("over, {state}"), chat::over(&view(*state))));
    }
    let refused = [
        chat::nowhere_else(&idp(), false),
        chat::nowhere_else(&idp(), true),
        chat::no_code("githbu", &idp(), true),
        chat::no_code("x", &idp(), false),
        chat::not_good(&idp()),
        chat::too_many_guesses(),
        chat::typed_where_it_came_from(),
        chat::one_already(),
        chat::no_member_any_more(),
        chat::two_in_one_place(Platform::Discord, "Acme there"),
        chat::not_yours(),
        chat::settled(CodeState::Linked),
        chat::settled(CodeState::Refused),
        chat::settled(CodeState::Expired),
        chat::nothing_to_unlink(true),
        chat::nothing_to_unlink(false),
    ];
    let refused = refused.map(|refusal| named("refused", answer::refused(&refusal)));
    insta::assert_snapshot!(draw_all(cards.into_iter().chain(refused)));
}

#[test]
fn refusals_of_plan_time() {
    let few = |could| Unmeetable::TooFew {
        group: "payments-leads".to_owned(),
        needed: 2,
        could,
        unlinked: 0,
    };
    let unlinked = |could, unlinked| Unmeetable::TooFew {
        group: "github:acme/payments".to_owned(),
        needed: 2,
        could,
        unlinked,
    };
    let cards = [
        refusal::nobody_can_decide("team-lead", &few(0), &idp()),
        refusal::nobody_can_decide("team-lead", &few(1), &idp()),
        refusal::nobody_can_decide("team-lead", &unlinked(0, 3), &idp()),
        refusal::nobody_can_decide("team-lead", &unlinked(1, 1), &idp()),
        refusal::nobody_can_decide(
            "team-lead",
            &Unmeetable::Unknown {
                group: "leads:payments".to_owned(),
            },
            &idp(),
        ),
        refusal::group_stale("payments-leads"),
        refusal::held_by_service("repository", "acme/payments-api", Some("core")),
        refusal::held_by_request("repository", "acme/payments-api", 141, "Sam Ito"),
    ]
    .map(|refusal| (refusal.what.to_string(), answer::refused(&refusal)));
    insta::assert_snapshot!(draw_all(cards));
}

#[test]
fn see_plan_of_a_request() {
    let pages = plan::pages(&request(RequestState::AwaitingApproval));
    insta::assert_snapshot!(draw_all(pages.into_iter().map(|page| (
        page.title.clone(),
        Card {
            fallback: page.title,
            blocks: page.blocks
        }
    ))));
}

#[test]
fn a_long_plan_is_dealt_out_whole() {
    let mut view = request(RequestState::AwaitingApproval);
    let plan = view.plan.as_mut().unwrap();
    let one = plan.steps[0].facts[0].clone();
    plan.steps[0].facts = (0..900)
        .map(|n| crate::domain::plan::Fact {
            name: format!("src/part{}/a-file-of-some-length-{n}.mjs", n % 7),
            ..one.clone()
        })
        .collect();
    let pages = plan::pages(&view);
    assert!(pages.len() > 3, "{} pages", pages.len());
    let text: String = pages
        .iter()
        .flat_map(|page| &page.blocks)
        .filter_map(|block| match block {
            Block::Code { text } => Some(text.as_str()),
            _ => None,
        })
        .collect::<Vec<_>>()
        .join("\n");
    assert_eq!(text.matches("a-file-of-some-length-").count(), 900);
    for (at, page) in pages.iter().enumerate() {
        assert!(
            page.blocks.len() <= 50,
            "page {at} has {} blocks",
            page.blocks.len()
        );
    }
    let Some(Block::Buttons { buttons, .. }) = pages[1].blocks.last() else {
        panic!("no way to turn the page");
    };
    assert_eq!(plan::turn(&buttons[0].value).map(|(_, part)| part), Some(0));
    assert_eq!(plan::turn(&buttons[1].value).map(|(_, part)| part), Some(2));
}

#[test]
fn labels_and_rows_are_short_and_the_state_comes_first() {
    for (name, view) in all() {
        for card in everything(&view) {
            assert!(
                !card.fallback.is_empty(),
                "{name}: a card without a fallback"
            );
            for (row, menu) in buttons(&card) {
                assert!(row.len() <= 3, "{name}: {} buttons", row.len());
                assert!(!row.is_empty() || menu.is_empty(), "{name}: a menu alone");
                for button in row.iter().chain(menu) {
                    assert!(
                        button.label.chars().count() <= 20,
                        "{name}: {}",
                        button.label
                    );
                    assert!(button.url.as_deref() != Some(""), "{name}: an empty link");
                    if let Some(confirm) = &button.confirm {
                        assert!(
                            confirm.text.chars().count() <= 300
                                && confirm.title.chars().count() <= 100
                        );
                    }
                }
            }
            for span in texts(&card).flat_map(|t| &t.0) {
                if let Span::Link { url, .. } = span {
                    assert!(url.starts_with("http"), "{name}: a link to `{url}`");
                }
            }
        }
        let Some(Block::Lines { lines }) = root(&view, at(10)).blocks.into_iter().next() else {
            panic!("{name}: a root card begins with lines");
        };
        assert_eq!(
            draw(&lines[0]),
            "*payments-api* · new service · 142 · asked by Priya Nair"
        );
        assert!(
            matches!(lines[1].0.first(), Some(Span::Bold { .. })),
            "{name}: line 2 begins with the state as a strong word"
        );
    }
}

#[test]
fn approve_and_undo_name_their_effect_first() {
    let view = request(RequestState::AwaitingApproval);
    let waiting = root(&view, at(0));
    let digest = view.plan.unwrap().digest.short();
    let approve = &buttons(&waiting)[0].0[0];
    assert_eq!(
        approve.confirm.as_ref().unwrap().text,
        format!(
            "Creates private repository acme/payments-api, 5 files, catalog entry. Recorded under your name for plan {digest}."
        )
    );
    let failed = root(&running(RunState::Blocked), at(0));
    let undo = &buttons(&failed)[0].0[1];
    assert!(
        undo.confirm
            .as_ref()
            .unwrap()
            .text
            .contains("elete repository acme/payments-api")
    );
}

#[test]
fn every_open_request_says_what_it_waits_for() {
    for (name, view) in all() {
        let open = match &view.run {
            Some(run) => !run.state.ended(),
            None => !view.state.ended(),
        };
        assert_eq!(super::waits::line(&view, at(10)).is_some(), open, "{name}");
    }
}

#[test]
fn values_of_form_buttons_are_read_back() {
    let draft = DraftId::from_uuid(uuid::Uuid::from_u128(5));
    let again = request(RequestState::Planning).id;
    for open in [
        Open::Command("new-service".to_owned()),
        Open::Draft(draft),
        Open::Again(again),
    ] {
        assert_eq!(open.to_string().parse(), Ok(open));
    }
    for wrong in [
        "",
        "command:",
        "draft:x",
        "request:142",
        "nothing:1",
        "new-service",
    ] {
        assert!(wrong.parse::<Open>().is_err(), "{wrong}");
    }
}

#[test]
fn a_person_without_an_account_here_is_named() {
    let mut view = running(RunState::Succeeded);
    view.requester.external = None;
    assert!(
        draw(texts(&notice::ended(&view)).next().unwrap())
            .starts_with("Priya Nair payments-api is ready")
    );
    assert_ne!(priya(), alex());
}

proptest! {
    /// Whatever people type comes out in spans that platforms escape: never as a link or a mention, never as a new
    /// line, and always so that the rules of cards hold.
    #[test]
    fn typed_text_never_becomes_markup(typed in "\\PC*|.{0,300}|(<!channel>|<@U1>|\\*|`|\n|&amp;|https://x\\.y ){1,20}") {
        for (_, mut view) in all() {
            view.subject.clone_from(&typed);
            view.command_words.clone_from(&typed);
            view.requester = person(1, &typed);
            view.requester.external = None;
            view.choices.push((typed.clone(), typed.clone()));
            if let Some(end) = &mut view.end {
                end.reason = Some(typed.clone());
            }
            if let Some(plan) = &mut view.plan {
                plan.deciders.push(person(8, &typed));
                plan.facts[0].name.clone_from(&typed);
                plan.steps[0].settings.push((typed.clone(), typed.clone()));
            }
            if let Some(run) = &mut view.run {
                run.steps[0].title.clone_from(&typed);
                run.steps[1].cause = Some(typed.clone());
                run.links = vec![(typed.clone(), typed.clone())];
            }
            for card in everything(&view) {
                for span in texts(&card).flat_map(|t| &t.0) {
                    match span {
                        Span::Plain { text } | Span::Bold { text } | Span::Code { text } => {
                            prop_assert!(!text.chars().any(char::is_control), "{text:?}");
                        }
                        Span::Mention { .. } => prop_assert!(false, "a mention out of typed text"),
                        Span::Link { url, .. } => {
                            prop_assert!(super::words::opens(url), "a link to {url:?}");
                        }
                        Span::Time { .. } => {}
                    }
                }
                for (row, menu) in buttons(&card) {
                    prop_assert!(row.len() <= 3);
                    for button in row.iter().chain(menu) {
                        prop_assert!(button.label.chars().count() <= 20);
                        prop_assert!(!button.value.is_empty());
                    }
                }
            }
        }
    }
}
