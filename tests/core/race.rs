//! Very many presses on one card at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use idp::app::sending::{Lease, Stands};
use idp::app::{App, message, new_id, sending};
use idp::catalog::Sources;
use idp::domain::canonical::Digest;
use idp::domain::card::Card;
use idp::domain::event::ButtonId;
use idp::domain::id::MessageId;
use idp::domain::message::{Milestone, PlaceLost};
use idp::domain::plan::Claim;
use idp::domain::reply::Reply;
use idp::domain::request::RequestState;
use idp::store::message::raise_roots;
use idp::store::service::Service;
use idp::store::{self, claim, service};
use tokio::task::JoinSet;

use super::world::{ALEX, PRIYA, SAM, TESS, World, pressed};

const PRESSES: usize = 1000;
const CONNECTIONS: u32 = 50;

#[tokio::test(flavor = "multi_thread")]
async fn presses_of_all_sorts_at_once_make_exactly_one_decision() {
    let world = Arc::new(World::of(|_| (), Sources::default(), CONNECTIONS).await);
    let (request, plan) = world.waiting("payments-api").await;
    let next = Arc::new(AtomicUsize::new(0));
    let mut under_way = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (world, next) = (Arc::clone(&world), Arc::clone(&next));
        under_way.spawn(async move {
            let mut counted = 0;
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= PRESSES {
                    return counted;
                }
                let person = [TESS, PRIYA, SAM, ALEX][n % 4];
                let event = pressed(ButtonId::RequestApprove, plan);
                match world.does(person, event).await {
                    Reply::Done => counted += 1,
                    Reply::Card { .. } => {}
                    other => panic!("{other:?}"),
                }
            }
        });
    }
    let counted: i32 = under_way.join_all().await.into_iter().sum();
    assert_eq!(counted, 1, "one press counts, all others are told why not");
    assert_eq!(world.state(request).await, RequestState::Approved);
    for (table, rows) in [("vote", 1), ("approval", 1), ("run", 1)] {
        let sql = match table {
            "vote" => "select count(*) from vote",
            "approval" => "select count(*) from approval",
            _ => "select count(*) from run",
        };
        assert_eq!(world.count(sql).await, rows, "{table}");
    }
    let answered = "select count(*) from inbox where kind = 'pressed' and reply is not null";
    assert_eq!(world.count(answered).await, i64::try_from(PRESSES).unwrap());
}

#[tokio::test]
async fn a_name_that_becomes_a_service_while_it_is_asked_for_is_never_held_twice() {
    let world = World::new().await;
    let request = world.asks_for(PRIYA, "payments-api").await;
    // A run ends: its service is written and its names are let go, not committed yet.
    let mut ends = store::begin(world.pool()).await.unwrap();
    let now = store::now(&mut ends).await.unwrap();
    let made = Service {
        id: new_id(),
        name: "payments-api".to_owned(),
        owner: "payments".to_owned(),
        entity: "component:default/payments-api".to_owned(),
        repository: None,
        forge_repository: None,
        catalog_url: None,
        request,
    };
    assert!(service::record(&mut ends, &made, now).await.unwrap());
    claim::release(&mut ends, request).await.unwrap();

    let mut tx = store::begin(world.pool()).await.unwrap();
    let takes = tokio::spawn(async move {
        let name = Claim {
            kind: "repository".to_owned(),
            name: "payments-api".to_owned(),
        };
        claim::take(&mut tx, new_id(), &name, now).await
    });
    waits(&world).await;
    ends.commit().await.unwrap();
    let fell = takes.await.unwrap().unwrap_err();
    assert!(store::fell(&fell.into()));
}

/// Waits until another session waits for a lock.
async fn waits(world: &World) {
    let waits = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    while world.count(waits).await == 0 {
        assert!(tokio::time::Instant::now() < until, "nobody waits");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn two_words_for_a_thread_at_once_stand_one_after_the_other() {
    let world = World::new().await;
    let request = world.asks_for(PRIYA, "payments-api").await;
    let mut first = store::begin(world.pool()).await.unwrap();
    let mut second = store::begin(world.pool()).await.unwrap();
    let now = store::now(&mut first).await.unwrap();
    message::milestone(&mut first, request, Milestone::Decided, now)
        .await
        .unwrap();
    let later = tokio::spawn(async move {
        message::milestone(&mut second, request, Milestone::Ended, now)
            .await
            .unwrap();
        second.commit().await.unwrap();
    });
    waits(&world).await;
    first.commit().await.unwrap();
    later.await.unwrap();
    let stand = "select count(*) from message where kind = 'milestone' and place in (1, 2)";
    assert_eq!(world.count(stand).await, 2);
}

#[tokio::test]
async fn a_channel_that_two_find_lost_at_once_is_left_once() {
    let world = World::new().await;
    let request = world.asks_for(PRIYA, "payments-api").await;
    let mut conn = world.pool().acquire().await.unwrap();
    let thread = store::thread::open_of(&mut conn, request).await.unwrap()[0].id;
    drop(conn);
    // The platform tells it, and the sender finds it out.
    let told = loses_channel(&world).await;
    let app = world.app.clone();
    let found =
        tokio::spawn(async move { sending::place_lost(&app, thread, PlaceLost::Gone).await });
    waits(&world).await;
    told.commit().await.unwrap();
    found.await.unwrap().unwrap();
    for (rows, expected) in [
        ("select count(*) from thread", 2),
        (
            "select count(*) from thread where closed_at is null and account = 'U_PRIYA'",
            1,
        ),
        (
            "select count(*) from message where kind = 'root' and given_up is null",
            1,
        ),
    ] {
        assert_eq!(world.count(rows).await, expected, "{rows}");
    }
}

#[tokio::test]
async fn a_card_that_moves_while_its_request_does_shows_what_came_of_it() {
    let world = World::new().await;
    let request = world.asks_for(PRIYA, "payments-api").await;
    let sender = sender(&world).await;
    let mut moves = store::begin(world.pool()).await.unwrap();
    sqlx::query("update request set subject = 'billing-api'")
        .execute(&mut *moves)
        .await
        .unwrap();
    let lost = loses_channel(&world).await;
    let raises = tokio::spawn(async move {
        raise_roots(&mut moves, request).await.unwrap();
        moves
    });
    waits(&world).await;
    lost.commit().await.unwrap();
    let moves = raises.await.unwrap();
    // The card where it goes on is sent before whoever moves it is done.
    let app = world.app.clone();
    let sent = tokio::spawn(async move { sends(&app, &sender).await });
    waits(&world).await;
    moves.commit().await.unwrap();
    let sent = sent.await.unwrap();
    let last = sent
        .iter()
        .rev()
        .find(|card| card.fallback.contains("-api:"));
    assert!(last.unwrap().fallback.contains("billing-api"), "{sent:#?}");
}

#[tokio::test]
async fn copies_that_would_come_with_a_card_are_not_opened_behind_the_back_of_a_decision() {
    let world = World::new().await;
    let (request, _) = world.waiting("payments-api").await;
    let lost = loses_channel(&world).await;
    lost.commit().await.unwrap();
    let copies = "select count(*) from thread where role = 'direct' and account <> 'U_PRIYA'";
    let before = world.count(copies).await;

    // Somebody decides while the card is on its way into direct messages, whose deciders read along nowhere by then.
    let sender = sender(&world).await;
    let mut decides = store::begin(world.pool()).await.unwrap();
    store::request::lock(&mut decides, request).await.unwrap();
    let waiting = sending::waiting(&world.app, &sender).await.unwrap().due;
    let sent = {
        let world = world.app.clone();
        tokio::spawn(async move { send(&world, &sender, waiting[0].id).await })
    };
    waits(&world).await;
    sqlx::query("update request set state = 'cancelled'")
        .execute(&mut *decides)
        .await
        .unwrap();
    let now = store::now(&mut decides).await.unwrap();
    message::close_copies(&mut decides, request, now)
        .await
        .unwrap();
    decides.commit().await.unwrap();
    sent.await.unwrap();
    assert_eq!(
        world.count(copies).await,
        before,
        "nobody is asked any more"
    );
}

/// The platform tells that the requests' channel is lost; it isn't known to others before this is committed.
async fn loses_channel(world: &World) -> store::Tx {
    let mut tx = store::begin(world.pool()).await.unwrap();
    let now = store::now(&mut tx).await.unwrap();
    message::channel_lost(
        &mut tx,
        world.installation,
        "C_PLATFORM",
        PlaceLost::Gone,
        now,
    )
    .await
    .unwrap();
    tx
}

async fn sender(world: &World) -> Lease {
    let lease = Lease {
        installation: world.installation,
        holder: "test".to_owned(),
    };
    assert!(lease.hold(&world.app).await.unwrap());
    lease
}

/// What a sender posts or edits now.
async fn sends(app: &App, sender: &Lease) -> Vec<Card> {
    let mut sent = Vec::new();
    loop {
        let due = sending::waiting(app, sender).await.unwrap().due;
        if due.is_empty() {
            return sent;
        }
        for message in due {
            sent.extend(send(app, sender, message.id).await);
        }
    }
}

/// Sends one message; it stands at once.
async fn send(app: &App, sender: &Lease, message: MessageId) -> Option<Card> {
    let sending = sending::take(app, sender, message).await.unwrap()?;
    let external = sending.external.clone();
    let external = external.unwrap_or_else(|| sending.id.to_string());
    let stands = Stands {
        channel: sending.channel.as_deref().unwrap_or("D1"),
        external: &external,
        digest: Digest::of(sending.card.fallback.as_bytes()),
        parts: 1,
    };
    assert!(sending::shown(app, &sending, stands).await.unwrap());
    Some(sending.card)
}
