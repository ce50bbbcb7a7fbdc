//! From the first word to the request: forms, names, the right to ask, where it stands.

use std::collections::BTreeMap;
use std::time::Duration;

use idp::domain::card::{Block, Button};
use idp::domain::event::{ButtonId, Event, PlaceKind, Turn};
use idp::domain::form::{FieldKind, FormPage};
use idp::domain::person::{AccountKind, Platform};
use idp::domain::reply::Reply;
use idp::domain::request::RequestState;
use serde_json::{Value, json};
use sqlx::postgres::PgListener;

use idp::app::Settings;
use idp::app::people::{self, AccountFacts, ChannelFacts, InstallationFacts};

use super::world::{ALEX, MO, PRIYA, SAM, TESS, World, form, service, text};

fn value(page: &FormPage, field: &str) -> Option<Value> {
    page.fields
        .iter()
        .find(|f| f.name == field)
        .and_then(|f| f.value.clone())
}

fn buttons(reply: &Reply) -> Vec<Button> {
    let Reply::Card { card } = reply else {
        return Vec::new();
    };
    let row = |block: &Block| match block {
        Block::Buttons { buttons, menu } => [buttons.clone(), menu.clone()].concat(),
        _ => Vec::new(),
    };
    card.blocks.iter().flat_map(row).collect()
}

/// Those that write a notification commit one after another, so a submission that is simply right writes none: its word
/// follows.
#[tokio::test]
async fn who_goes_on_with_a_submission_is_woken_after_it() {
    let world = World::new().await;
    // The first one of a command takes the long way: its definition isn't kept yet.
    world.asks_for(PRIYA, "payments-api").await;
    let mut listener = PgListener::connect_with(world.pool()).await.unwrap();
    listener
        .listen_all(["idp_message", "jobs:insert"])
        .await
        .unwrap();
    let home: String = sqlx::query_scalar("select id::text from installation")
        .fetch_one(world.pool())
        .await
        .unwrap();
    // The second one finds the bell at rest, and the last ones while it rings.
    for names in [&["ledger-api"][..], &["cash-api"], &["tax-api", "fee-api"]] {
        for name in names {
            world.asks_for(PRIYA, name).await;
        }
        let mut woken = BTreeMap::new();
        while woken.len() < 2 {
            let word = tokio::time::timeout(Duration::from_secs(20), listener.recv());
            let word = word.await.expect("a word").unwrap();
            woken.insert(word.channel().to_owned(), word.payload().to_owned());
        }
        assert_eq!(woken["jobs:insert"], "", "the queue's own has more to say");
        assert_eq!(woken["idp_message"], home);
    }
}

#[tokio::test]
async fn a_queue_that_knows_no_such_job_yet_is_taught_it() {
    let world = World::new().await;
    world.asks_for(PRIYA, "payments-api").await;
    for forget in [
        "delete from graphile_worker._private_jobs",
        "delete from graphile_worker._private_tasks",
    ] {
        sqlx::query(forget).execute(world.pool()).await.unwrap();
    }
    world.asks_for(PRIYA, "ledger-api").await;
    let planned = "select count(*) from graphile_worker._private_jobs j
                   join graphile_worker._private_tasks t on t.id = j.task_id where t.identifier = 'idp.plan'";
    assert_eq!(world.count(planned).await, 1);
}

#[tokio::test]
async fn a_filled_form_becomes_a_request_once() {
    let world = World::new().await;
    let page = form(world.says(PRIYA, "new-service").await);
    assert_eq!((page.page, page.back), (0, false));
    assert_eq!(
        page.intro[0].to_string(),
        "The request will stand in #platform."
    );
    let second = form(world.fills(PRIYA, &page, service("payments-api")).await);
    assert_eq!((second.page, second.back), (1, true));
    let event = Event::PageFilled {
        draft: second.draft,
        page: 1,
        values: vec![("headline".to_owned(), json!("Hi"))],
        turn: Turn::Next,
    };
    let delivery = world.delivery(PRIYA, event);
    let first = idp::app::handle(&world.app, delivery.clone())
        .await
        .unwrap();
    let again = idp::app::handle(&world.app, delivery).await.unwrap();
    assert_eq!(first, again, "a replay gets the same reply");
    assert_eq!(world.count("select count(*) from request").await, 1);

    let request = world.newest().await;
    let view = world.view(request).await;
    assert_eq!(
        (view.state, view.subject.as_str()),
        (RequestState::Planning, "payments-api")
    );
    assert_eq!(view.requester.name, "Priya Nair");
    assert_eq!(
        view.choices,
        [
            ("Golden path".to_owned(), "Static site".to_owned()),
            ("Team".to_owned(), "Payments".to_owned())
        ]
    );
    assert_eq!(world.evidence(request).await, ["request.asked"]);
    assert_eq!(
        world
            .count("select count(*) from thread where channel = 'C_PLATFORM'")
            .await,
        1
    );

    let sent_again = world
        .turns(PRIYA, (second.draft, 1), json!({}), Turn::Next)
        .await;
    assert!(
        text(&sent_again).contains("was sent already"),
        "{sent_again:?}"
    );
    assert_eq!(world.count("select count(*) from request").await, 1);
}

#[tokio::test]
async fn typed_values_survive_errors_and_turning_back() {
    let world = World::new().await;
    let page = form(world.says(PRIYA, "new-service").await);
    let wrong = world.fills(PRIYA, &page, service("Payments API")).await;
    assert_eq!(
        text(&wrong),
        "name: 3 to 40 lower-case letters, digits and dashes, beginning with a letter"
    );
    let second = form(world.fills(PRIYA, &page, service("payments-api")).await);
    let typed = json!({ "headline": "Half a head" });
    let first = form(
        world
            .turns(PRIYA, (second.draft, 1), typed, Turn::Back)
            .await,
    );
    assert_eq!(value(&first, "name"), Some(json!("payments-api")));
    assert!(
        first.revision > page.revision,
        "a redrawn page takes our values, not the platform's memory"
    );
    let second = form(world.fills(PRIYA, &first, service("payments-api")).await);
    assert_eq!(value(&second, "headline"), Some(json!("Half a head")));

    // The command again offers to go on; a day later it doesn't.
    let found = world.says(PRIYA, "new-service").await;
    let go_on = buttons(&found).swap_remove(0);
    assert_eq!(
        (go_on.id, go_on.label.as_str()),
        (ButtonId::FormOpen, "Continue")
    );
    let second = form(world.presses(PRIYA, go_on.id, &go_on.value).await);
    assert_eq!(value(&second, "headline"), Some(json!("Half a head")));
    let other = world.presses(ALEX, ButtonId::FormOpen, &go_on.value).await;
    assert!(
        text(&other).contains("too old to go on with"),
        "a draft is its owner's alone"
    );
    world.later(25 * 60).await;
    world.read_groups().await;
    assert_eq!(form(world.says(PRIYA, "new-service").await).page, 0);
}

#[tokio::test]
async fn what_is_sent_back_for_an_error_uses_up_no_number() {
    let world = World::new().await;
    world.asks_for(PRIYA, "first-api").await;
    let first = world.count("select max(number) from request").await;
    let page = form(world.says(PRIYA, "new-service").await);
    let second = form(world.fills(PRIYA, &page, service("payments-api")).await);
    let shown = (second.draft, 1);
    for _ in 0..3 {
        let typed = json!({ "headline": "x".repeat(4000) });
        let wrong = world.turns(PRIYA, shown, typed, Turn::Next).await;
        assert!(matches!(wrong, Reply::Errors { .. }), "{wrong:?}");
    }
    let typed = json!({ "headline": "Hi" });
    world.turns(PRIYA, shown, typed, Turn::Next).await;
    let next = world.count("select max(number) from request").await;
    assert_eq!(next, first + 1);
}

#[tokio::test]
async fn a_held_name_fails_at_its_field_and_names_the_holder() {
    let world = World::new().await;
    let request = world.asks_for(PRIYA, "payments-api").await;
    let number = world.view(request).await.number;
    let page = form(world.says(ALEX, "new-service").await);
    let taken = text(&world.fills(ALEX, &page, service("payments-api")).await);
    assert!(taken.starts_with("name: "), "{taken}");
    assert!(
        taken.contains(&number.to_string()) && taken.contains("Priya Nair"),
        "{taken}"
    );

    // It is free once that one is over.
    world.presses(PRIYA, ButtonId::RequestCancel, request).await;
    assert_eq!(world.state(request).await, RequestState::Cancelled);
    form(world.fills(ALEX, &page, service("payments-api")).await);
}

#[tokio::test]
async fn two_people_who_send_one_name_at_once_make_one_request() {
    let world = World::new().await;
    let mut last_pages = Vec::new();
    for person in [PRIYA, ALEX] {
        let page = form(world.says(person, "new-service").await);
        last_pages.push(form(
            world.fills(person, &page, service("payments-api")).await,
        ));
    }
    let (a, b) = tokio::join!(
        world.fills(PRIYA, &last_pages[0], json!({ "headline": "Hi" })),
        world.fills(ALEX, &last_pages[1], json!({ "headline": "Hi" })),
    );
    assert_eq!(world.count("select count(*) from request").await, 1);
    let lost = if text(&a).contains("is asked for") {
        b
    } else {
        a
    };
    // The name stands on the first page: that is shown again, with the reason above it.
    let page = form(lost);
    assert_eq!(page.page, 0);
    assert!(
        page.intro[0]
            .to_string()
            .contains("is being made by request"),
        "{:?}",
        page.intro
    );
}

#[tokio::test]
async fn only_members_of_the_allowed_groups_may_ask() {
    let mut world = World::new().await;
    world.leaves(PRIYA, "engineers").await;
    let refused = world.says(PRIYA, "new-service").await;
    assert!(
        text(&refused).contains("Only engineers can ask for new-service"),
        "{refused:?}"
    );
    assert_eq!(
        world
            .count("select count(*) from audit where kind = 'ask.refused'")
            .await,
        1
    );

    for (kind, active, word) in [
        (AccountKind::Guest, true, "Guests"),
        (
            AccountKind::Outsider,
            true,
            "Only members of this workspace",
        ),
        (AccountKind::Bot, true, "Bots"),
        (AccountKind::Full, false, "deactivated"),
    ] {
        world.is("U_X", "X", kind, active).await;
        let refused = world.says("U_X", "new-service").await;
        assert!(text(&refused).contains(word), "{kind}: {refused:?}");
    }
}

#[tokio::test]
async fn who_lost_the_right_meanwhile_is_refused_at_the_submit() {
    let mut world = World::new().await;
    let page = form(world.says(PRIYA, "new-service").await);
    let second = form(world.fills(PRIYA, &page, service("payments-api")).await);
    world.leaves(PRIYA, "engineers").await;
    let refused = world
        .fills(PRIYA, &second, json!({ "headline": "Hi" }))
        .await;
    assert!(
        text(&refused).contains("Only engineers can ask for new-service"),
        "{refused:?}"
    );
    assert_eq!(world.count("select count(*) from request").await, 0);
    let rows = "select count(*) from audit where kind = 'ask.refused'";
    assert_eq!(world.count(rows).await, 1);
}

#[tokio::test]
async fn a_requests_number_opens_it_to_members_alone() {
    let world = World::new().await;
    let request = world.asks_for(PRIYA, "payments-api").await;
    let words = format!("status {}", world.view(request).await.number);
    for (kind, active) in [
        (AccountKind::Guest, true),
        (AccountKind::Outsider, true),
        (AccountKind::Bot, true),
        (AccountKind::Full, false),
        (AccountKind::Unknown, true),
    ] {
        world.is("U_X", "X", kind, active).await;
        let refused = text(&world.says("U_X", &words).await);
        assert!(!refused.contains("payments-api"), "{kind}: {refused}");
    }
    let refusals = "select count(*) from audit where kind = 'ask.refused'";
    assert_eq!(world.count(refusals).await, 4);
    let told = text(&world.says(TESS, &words).await);
    assert!(told.contains("payments-api"), "{told}");
}

#[tokio::test]
async fn groups_unread_for_ten_minutes_decide_nothing_and_say_so() {
    let world = World::new().await;
    world.later(10).await;
    let refused = world.says(PRIYA, "new-service").await;
    assert!(
        text(&refused).contains("I can't tell at the moment who is in engineers"),
        "{refused:?}"
    );
    world.read_groups().await;
    form(world.says(PRIYA, "new-service").await);
}

#[tokio::test]
async fn an_account_never_seen_keeps_its_form_until_it_is_looked_up() {
    let world = World::with(|s| {
        s.groups
            .insert("engineers".to_owned(), vec!["U_NEW".to_owned()]);
        s.teams.get_mut("payments").unwrap().members = vec!["U_NEW".to_owned()];
    })
    .await;
    let page = form(world.says("U_NEW", "new-service").await);
    let second = form(world.fills("U_NEW", &page, service("payments-api")).await);
    let kept = world
        .fills("U_NEW", &second, json!({ "headline": "Hi" }))
        .await;
    assert!(
        text(&kept).contains("still looking up your account"),
        "{kept:?}"
    );
    assert_eq!(world.count("select count(*) from request").await, 0);
    let jobs = world
        .count("select count(*) from graphile_worker.jobs where task_identifier = 'idp.lookup'");
    assert!(jobs.await > 0, "its look-up waits");

    world.is("U_NEW", "Nia New", AccountKind::Full, true).await;
    let go_on = buttons(&kept).swap_remove(0);
    let page = form(world.presses("U_NEW", go_on.id, &go_on.value).await);
    assert_eq!(value(&page, "headline"), Some(json!("Hi")));
    let sent = world
        .fills("U_NEW", &page, json!({ "headline": "Hi" }))
        .await;
    assert!(text(&sent).contains("is asked for"), "{sent:?}");
}

#[tokio::test]
async fn five_open_requests_are_the_limit() {
    let world = World::new().await;
    for n in 0..5 {
        world.asks_for(PRIYA, &format!("service-{n}")).await;
    }
    let refused = world.says(PRIYA, "new-service").await;
    assert!(text(&refused).contains("which is the limit"), "{refused:?}");
    form(world.says(ALEX, "new-service").await);
}

#[tokio::test]
async fn two_forms_of_one_person_sent_at_once_stay_within_the_limit() {
    let world = World::new().await;
    for n in 0..4 {
        world.asks_for(PRIYA, &format!("service-{n}")).await;
    }
    let mut last_pages = Vec::new();
    let one = form(world.says(PRIYA, "new-service").await);
    let other = form(world.says(PRIYA, "new-service").await);
    for (page, name) in [(one, "service-4"), (other, "service-5")] {
        last_pages.push(form(world.fills(PRIYA, &page, service(name)).await));
    }
    let (a, b) = tokio::join!(
        world.fills(PRIYA, &last_pages[0], json!({ "headline": "Hi" })),
        world.fills(PRIYA, &last_pages[1], json!({ "headline": "Hi" })),
    );
    let said = [text(&a), text(&b)];
    let refused = said.iter().filter(|s| s.contains("which is the limit"));
    assert_eq!(refused.count(), 1, "{said:?}");
    assert_eq!(world.count("select count(*) from request").await, 5);
}

#[tokio::test]
async fn one_submission_that_comes_twice_at_once_makes_one_request() {
    let world = World::new().await;
    let page = form(world.says(PRIYA, "new-service").await);
    let page = form(world.fills(PRIYA, &page, service("payments-api")).await);
    let sent = world.delivery(
        PRIYA,
        Event::PageFilled {
            draft: page.draft,
            page: page.page,
            values: vec![("headline".to_owned(), json!("Hi"))],
            turn: idp::domain::event::Turn::Next,
        },
    );
    let (a, b, c) = tokio::join!(
        idp::app::handle(&world.app, sent.clone()),
        idp::app::handle(&world.app, sent.clone()),
        idp::app::handle(&world.app, sent.clone()),
    );
    let first = a.unwrap();
    assert!(text(&first).contains("is asked for"), "{first:?}");
    assert_eq!((&first, &first), (&b.unwrap(), &c.unwrap()));
    for table in ["request", "thread", "message", "audit_chain"] {
        let counted = sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(format!(
            "select count(*) from {table} where {table}::text like '%' || (select id from request) || '%'"
        )))
        .fetch_one(&world.app.pool)
        .await
        .unwrap();
        let expected = i64::from(table != "message");
        assert_eq!(counted, expected, "{table}");
    }
}

#[tokio::test]
async fn paused_requests_are_refused_with_the_reason() {
    let world = World::with(|s| s.paused = Some("the cluster moves".to_owned())).await;
    let refused = world.says(PRIYA, "new-service").await;
    assert!(text(&refused).contains("The cluster moves"), "{refused:?}");
}

#[tokio::test]
async fn deliveries_of_other_workspaces_and_apps_are_refused_and_kept_as_evidence() {
    let world = World::new().await;
    let event = Event::Asked {
        command: "/idp".to_owned(),
        words: "new-service".to_owned(),
        place: super::world::at(("C1", PlaceKind::Public)),
    };
    let mut elsewhere = world.delivery(PRIYA, event.clone());
    elsewhere.sender.installation = "T2".to_owned();
    let mut other_app = world.delivery(PRIYA, event);
    other_app.sender.app = Some("A2".to_owned());
    for delivery in [elsewhere, other_app] {
        let refused = idp::app::handle(&world.app, delivery).await.unwrap();
        assert!(
            text(&refused).contains("isn't connected to this bot"),
            "{refused:?}"
        );
    }
    assert_eq!(
        world
            .count("select count(*) from audit where kind = 'delivery.refused'")
            .await,
        2
    );
}

#[tokio::test]
async fn who_acts_where_nobody_is_served_is_told_who_can_change_that() {
    let world = World::new().await;
    let event = Event::Asked {
        command: "/idp".to_owned(),
        words: "new-service".to_owned(),
        place: super::world::at(("C1", PlaceKind::Public)),
    };
    // No server is known of that platform, and none will be by waiting.
    let from = |server: &str| {
        let mut delivery = world.delivery("200000000000000001", event.clone());
        delivery.sender.platform = Platform::Discord;
        delivery.sender.installation = server.to_owned();
        delivery
    };
    let unlisted = from("100000000000000002");
    let refused = idp::app::turn_away(&world.app, &unlisted).await.unwrap();
    let says = "can add its id, 100000000000000002, to guilds";
    assert!(text(&refused).contains(says), "{refused:?}");
    let told = async |server: &str, says: &str| {
        let refused = idp::app::handle(&world.app, from(server)).await.unwrap();
        assert!(text(&refused).contains(says), "{refused:?}");
    };
    told("", "in a channel of your server first").await;
    told("100000000000000001", "looking up this server").await;

    // One that took the bot out is known, and so is who came from there.
    let facts = InstallationFacts {
        platform: Platform::Discord,
        external: "100000000000000003".to_owned(),
        name: "Acme Labs".to_owned(),
        app: None,
        bot_account: None,
    };
    let labs = people::record_installation(&world.app, &facts)
        .await
        .unwrap();
    let priya = AccountFacts {
        external: "200000000000000001".to_owned(),
        name: "priya".to_owned(),
        kind: AccountKind::Full,
        active: true,
    };
    people::record_account(&world.app, labs, &priya)
        .await
        .unwrap();
    people::record_token(&world.app, labs, false).await.unwrap();
    told("", "I know you from Acme Labs, and can't serve it").await;
    let rows = "select count(*) from audit where kind = 'delivery.refused'";
    assert_eq!(world.count(rows).await, 4);
}

#[tokio::test]
async fn a_request_stands_where_people_can_follow_it() {
    let world = World::new().await;
    for (channel, kind, stands) in [
        ("C_TEAM", PlaceKind::Public, "this channel"),
        ("D1", PlaceKind::DirectWithBot, "#platform"),
        ("D2", PlaceKind::DirectBetweenPeople, "#platform"),
        ("C_PRIVATE", PlaceKind::Private, "#platform"),
        ("C_SHARED", PlaceKind::Shared, "#platform"),
    ] {
        let page = form(world.says_in(PRIYA, "new-service", (channel, kind)).await);
        let line = page.intro[0].to_string();
        assert_eq!(
            line,
            format!("The request will stand in {stands}."),
            "{kind}"
        );
    }
    // A private channel that the bot is in is as good as any.
    let private = ChannelFacts {
        external: "C_PRIVATE".to_owned(),
        name: Some("payments-leads".to_owned()),
        kind: PlaceKind::Private,
        usable: Some(true),
        members: None,
    };
    people::record_channel(&world.app, world.installation, &private)
        .await
        .unwrap();
    let inside = ("C_PRIVATE", PlaceKind::Private);
    let page = form(world.says_in(PRIYA, "new-service", inside).await);
    let line = page.intro[0].to_string();
    assert_eq!(line, "The request will stand in #payments-leads.");

    let world = World::with(|s| s.channels.default = None).await;
    let page = form(
        world
            .says_in(PRIYA, "new-service", ("D1", PlaceKind::DirectWithBot))
            .await,
    );
    assert_eq!(
        page.intro[0].to_string(),
        "The request will stand in your direct messages with me."
    );
}

#[tokio::test]
async fn own_teams_are_offered_and_the_platform_team_may_pick_any() {
    let world = World::with(|s| {
        for (name, members) in [
            ("payments", vec![PRIYA]),
            ("core", vec![ALEX]),
            ("alone", vec![]),
        ] {
            let team = s.teams.get_mut(name).unwrap();
            team.members = members.into_iter().map(str::to_owned).collect();
            team.leads = vec!["group:payments-leads".to_owned()];
        }
    })
    .await;
    let teams = |page: FormPage| -> Vec<String> {
        let field = page.fields.into_iter().find(|f| f.name == "owner").unwrap();
        let FieldKind::Choice { options } = field.kind else {
            panic!("not a choice: {:?}", field.kind)
        };
        options.into_iter().map(|o| o.value).collect()
    };
    assert_eq!(
        teams(form(world.says(PRIYA, "new-service").await)),
        ["payments"]
    );
    assert_eq!(
        teams(form(world.says(MO, "new-service").await)),
        ["alone", "core", "payments"]
    );
}

#[tokio::test]
async fn defaults_are_valid_so_that_a_name_is_enough() {
    let world = World::with(|s| {
        let of = |name: &str, members: &[&str], s: &mut Settings| {
            let team = s.teams.get_mut(name).unwrap();
            team.members = members.iter().map(|m| (*m).to_owned()).collect();
            team.leads = vec![SAM.to_owned()];
        };
        of("alone", &[], s);
        of("core", &[ALEX], s);
        of("payments", &[ALEX, PRIYA], s);
    })
    .await;
    for (who, team) in [(PRIYA, "payments"), (ALEX, "core")] {
        let page = form(world.says(who, "new-service orders-api").await);
        assert_eq!(value(&page, "name"), Some(json!("orders-api")));
        assert_eq!(value(&page, "template"), Some(json!("node-http")));
        assert_eq!(
            value(&page, "owner"),
            Some(json!(team)),
            "the first of their own"
        );
    }
}

#[tokio::test]
async fn slips_sentences_and_our_own_words_are_answered() {
    let world = World::new().await;
    let slip = world.says(PRIYA, "new-servise payments-api").await;
    assert!(
        text(&slip).contains("Did you mean /idp new-service?"),
        "{slip:?}"
    );
    let offer = buttons(&slip).swap_remove(0);
    let page = form(world.presses(PRIYA, offer.id, &offer.value).await);
    assert_eq!(
        value(&page, "name"),
        Some(json!("payments-api")),
        "the words are kept"
    );

    let sentence = "I need a Node.js backend with a PostgreSQL database";
    let offers = world.says(PRIYA, sentence).await;
    let offer = buttons(&offers).swap_remove(0);
    let page = form(world.presses(PRIYA, offer.id, &offer.value).await);
    assert_eq!(value(&page, "description"), Some(json!(sentence)));

    let home = world.says(PRIYA, "").await;
    assert!(
        buttons(&home)
            .iter()
            .any(|b| b.value == "command:new-service"),
        "{home:?}"
    );
    assert!(text(&world.says(PRIYA, "help").await).contains("/idp"));
    assert!(text(&world.says(PRIYA, "status 4711").await).contains("4711"));
    assert!(text(&world.says(PRIYA, "approve").await).contains("button"));
    let login = world.says(PRIYA, "login").await;
    assert!(
        text(&login).contains("https://idp.example/ui/login/"),
        "{login:?}"
    );
    let kept = world.count("select count(*) from inbox where reply::text like '%/ui/login/%'");
    assert_eq!(kept.await, 0, "a link that opens a session is kept nowhere");
}

#[tokio::test]
async fn where_nobody_needs_a_token_login_says_what_is_so() {
    let open = World::with(|settings| {
        settings.forge_is_open = true;
        settings.public_url = Some("http://127.0.0.1:8484".to_owned());
    });
    let told = text(&open.await.says(PRIYA, "login").await);
    assert!(told.contains("nothing to log in to"), "{told}");
    assert!(told.contains("http://127.0.0.1:8484/git"), "{told}");
    let closed = World::with(|settings| settings.public_url = None);
    let told = text(&closed.await.says(PRIYA, "login").await);
    assert!(told.contains("can set IDP_PUBLIC_URL"), "{told}");
    let elsewhere = World::with(|settings| settings.organisation = Some("acme".to_owned()));
    let told = text(&elsewhere.await.says(PRIYA, "login").await);
    assert!(told.contains("stand on GitHub"), "{told}");
}

#[tokio::test]
async fn asked_again_the_form_is_filled_in_as_it_was() {
    let world = World::new().await;
    let request = world.asks_for(PRIYA, "payments-api").await;
    world
        .says(
            PRIYA,
            &format!("cancel {}", world.view(request).await.number),
        )
        .await;
    let page = form(
        world
            .presses(PRIYA, ButtonId::FormOpen, format!("request:{request}"))
            .await,
    );
    assert_eq!(value(&page, "name"), Some(json!("payments-api")));
    let second = form(world.fills(PRIYA, &page, service("payments-api")).await);
    world
        .fills(PRIYA, &second, json!({ "headline": "Hello" }))
        .await;
    let from = world
        .count("select count(*) from request where again_from is not null")
        .await;
    assert_eq!(from, 1);
}

#[tokio::test]
async fn a_mention_answers_with_a_button_because_no_form_can_open() {
    let world = World::new().await;
    let event = Event::Mentioned {
        words: "new-service payments-api".to_owned(),
        place: super::world::at(("C_PLATFORM", PlaceKind::Public)),
    };
    let reply = world.does(PRIYA, event).await;
    let open = buttons(&reply).swap_remove(0);
    let page = form(world.presses(PRIYA, open.id, &open.value).await);
    assert_eq!(value(&page, "name"), Some(json!("payments-api")));
}
