//! What the clock brings, through the tick of the worker and a clock that is moved: the reminder, expiry, forgetting.

use idp::app::due;
use idp::domain::event::ButtonId;
use idp::domain::reply::Reply;
use idp::domain::request::RequestState;

use super::world::{ALEX, PRIYA, SAM, World, text};

const DAY: i32 = 24 * 60;

async fn tick(world: &World) {
    due::tick(&world.app, "this process").await.unwrap();
}

/// The rows that bookkeep messages.
async fn kept(world: &World) -> (i64, i64) {
    (
        world.count("select count(*) from thread").await,
        world.count("select count(*) from message").await,
    )
}

#[tokio::test]
async fn those_who_can_decide_are_reminded_once() {
    let world = World::new().await;
    let (request, _) = world.waiting("payments-api").await;
    let reminded = || async {
        let kinds = world.evidence(request).await;
        kinds.iter().filter(|k| *k == "request.reminded").count()
    };
    world.later(119).await;
    tick(&world).await;
    assert_eq!(reminded().await, 0);
    world.later(1).await;
    world.read_groups().await;
    tick(&world).await;
    tick(&world).await;
    assert_eq!(reminded().await, 1);
    // Alex and Sam, each with a copy of the card; Priya decides nothing.
    let copies =
        "select count(*) from thread where role = 'direct' and account in ('U_ALEX', 'U_SAM')";
    assert_eq!(world.count(copies).await, 2);
    let copies = "select count(*) from thread where role = 'direct'";
    assert_eq!(world.count(copies).await, 2);
    world.later(DAY / 2).await;
    tick(&world).await;
    assert_eq!(reminded().await, 1);
}

#[tokio::test]
async fn what_nobody_decided_in_time_expires() {
    let world = World::new().await;
    let (request, plan) = world.waiting("payments-api").await;
    world.later(DAY - 1).await;
    tick(&world).await;
    assert_eq!(world.state(request).await, RequestState::AwaitingApproval);
    world.later(1).await;
    tick(&world).await;
    tick(&world).await;
    assert_eq!(world.state(request).await, RequestState::Expired);
    let kinds = world.evidence(request).await;
    assert_eq!(kinds.iter().filter(|k| *k == "request.expired").count(), 1);
    assert_eq!(world.count("select count(*) from claim").await, 0);
    let ended =
        r#"select count(*) from message where subject = '{"about": "milestone", "what": "ended"}'"#;
    assert_eq!(world.count(ended).await, 1);
    world.read_groups().await;
    let late = world.presses(ALEX, ButtonId::RequestApprove, plan).await;
    assert!(text(&late).starts_with("This expired"), "{late:?}");
}

#[tokio::test]
async fn messages_are_forgotten_a_month_after_the_end_and_presses_are_still_answered() {
    let world = World::new().await;
    let (request, plan) = world.waiting("payments-api").await;
    let reason = "Use payments-core.".to_owned();
    let denied = idp::domain::event::Event::DenyReasoned { plan, reason };
    world.does(ALEX, denied).await;
    let before = kept(&world).await;
    world.later(30 * DAY - 1).await;
    tick(&world).await;
    assert_eq!(kept(&world).await, before);

    // Another request, still open, keeps its own.
    world.read_groups().await;
    let (open, _) = world.waiting("other-api").await;
    let both = kept(&world).await;
    world.later(2 * 60).await;
    tick(&world).await;
    world.read_groups().await;
    let left = kept(&world).await;
    assert!(left.0 >= both.0 - before.0 && left.1 >= both.1 - before.1 && left.1 > 0);
    let of = "select count(*) from thread t join request r on r.id = t.request_id where r.subject = 'payments-api'";
    assert_eq!(world.count(of).await, 0);
    assert_eq!(world.state(open).await, RequestState::AwaitingApproval);

    let late = world.presses(SAM, ButtonId::RequestApprove, plan).await;
    assert!(
        text(&late).starts_with("Alex Ruiz denied this at "),
        "{late:?}"
    );
    let late = world.presses(PRIYA, ButtonId::RequestCancel, request).await;
    assert!(text(&late).contains("Denied by"), "{late:?}");
    let page = world.presses(SAM, ButtonId::PlanShow, plan).await;
    assert!(matches!(page, Reply::Page { .. }), "{page:?}");
    let again = world
        .presses(PRIYA, ButtonId::FormOpen, format!("request:{request}"))
        .await;
    assert!(matches!(again, Reply::Form { .. }), "{again:?}");
    assert!(!world.evidence(request).await.is_empty());
}

#[tokio::test]
async fn a_form_that_was_forgotten_says_so() {
    let world = World::new().await;
    let Reply::Form { form } = world.says(PRIYA, "new-service").await else {
        panic!("no form")
    };
    world.later(DAY + 61).await;
    tick(&world).await;
    assert_eq!(world.count("select count(*) from draft").await, 0);
    world.read_groups().await;
    let sent = world
        .fills(PRIYA, &form, super::world::service("payments-api"))
        .await;
    assert!(matches!(sent, Reply::Card { .. }), "{sent:?}");
    assert_eq!(world.count("select count(*) from request").await, 0);
}

#[tokio::test]
async fn a_great_many_deliveries_are_forgotten_bit_by_bit() {
    let world = World::new().await;
    world.says(PRIYA, "help").await;
    sqlx::query(
        "insert into inbox (installation_id, key, kind, received_at)
         select installation_id, 'old-' || n, 'asked', received_at from inbox, generate_series(1, 1200) n",
    )
    .execute(world.pool())
    .await
    .unwrap();
    world.later(7 * DAY + 1).await;
    let mut left = Vec::new();
    for _ in 0..4 {
        tick(&world).await;
        left.push(world.count("select count(*) from inbox").await);
    }
    assert_eq!(left, [701, 201, 0, 0]);
}
