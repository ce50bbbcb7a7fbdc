//! Several who link, press and ask at once: one outcome, whoever is first.

use std::sync::Arc;

use idp::domain::event::{ButtonId, Event};
use idp::domain::reply::Reply;
use idp::domain::request::RequestState;
use tokio::task::JoinSet;

use super::two::{ALEX_THERE, PRIYA_THERE, Two, ZOE_THERE, code_in};
use crate::core::world::{ALEX, MO, PRIYA, SAM, World, pressed};

/// A code typed and to be confirmed: its id.
async fn claimed(two: &Two, here: &str, there: &str) -> String {
    let code = two.code(here).await;
    two.says_there(there, &format!("link {code}")).await;
    two.asked().await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_codes_in_opposite_directions_confirmed_at_once_make_one_link() {
    let two = Arc::new(Two::wide(16).await);
    for _ in 0..10 {
        let forth = claimed(&two, PRIYA, PRIYA_THERE).await;
        let code = code_in(&two.says_there(PRIYA_THERE, "link").await);
        two.world.says(PRIYA, &format!("link {code}")).await;
        let back = two.asked().await;
        assert_ne!(forth, back);
        let (one, other) = tokio::join!(
            two.world.presses(PRIYA, ButtonId::LinkConfirm, &forth),
            two.presses_there(PRIYA_THERE, ButtonId::LinkConfirm, &back),
        );
        for told in [&one, &other] {
            assert!(matches!(told, Reply::Card { .. }), "{told:?}");
        }
        let open = "select count(*) from tie where until is null";
        assert_eq!(two.world.count(open).await, 1, "{one:?} {other:?}");
        let waiting = "select count(*) from chat_link where ended_at is null";
        assert_eq!(two.world.count(waiting).await, 0);
        let id = two.account(PRIYA_THERE).await;
        two.presses_there(PRIYA_THERE, ButtonId::LinkEnd, id).await;
        assert_eq!(two.world.count(open).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_code_typed_by_two_at_once_is_one_accounts() {
    let two = Two::wide(16).await;
    for _ in 0..10 {
        let word = format!("link {}", two.code(PRIYA).await);
        let (one, other) = tokio::join!(
            two.says_there(PRIYA_THERE, &word),
            two.says_there(ZOE_THERE, &word)
        );
        let good = |told: &Reply| crate::core::world::text(told).contains("Now confirm it");
        assert!(good(&one) != good(&other), "{one:?} {other:?}");
        sqlx::query("delete from link_guess")
            .execute(two.world.pool())
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_during_a_press_never_lets_anybody_decide_on_their_own() {
    let mut world = World::of(|_| (), idp::catalog::Sources::default(), 16).await;
    world.joins(PRIYA, "payments-leads").await;
    let two = Two::on(world).await;
    for n in 0..20 {
        // A second account of Priya's in the workspace, a lead's: its vote counts only if it comes before the link.
        let (request, plan) = two.world.waiting(&format!("service-{n}")).await;
        let file: &[_] = &[("slack", "T1", PRIYA), ("slack", "T1", SAM)];
        let file = [file];
        let (press, ()) = tokio::join!(
            two.world.presses(SAM, ButtonId::RequestApprove, plan),
            super::listed::says(&two, &file),
        );
        let state = two.world.state(request).await;
        match press {
            Reply::Done => assert_eq!(state, RequestState::Approved),
            Reply::Card { .. } => assert_eq!(state, RequestState::AwaitingApproval),
            other => panic!("{other:?}"),
        }
        super::listed::says(&two, &[]).await;
        two.world
            .presses(PRIYA, ButtonId::RequestCancel, request)
            .await;
        sqlx::query("update run set state = 'undone' where state <> 'undone'")
            .execute(two.world.pool())
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_links_and_parts_at_random_ends_as_the_ties_say() {
    let two = Arc::new(Two::wide(24).await);
    let here = [PRIYA, ALEX, MO];
    let there = [PRIYA_THERE, ALEX_THERE, ZOE_THERE];
    let mut under_way = JoinSet::new();
    for worker in 0..6 {
        let two = Arc::clone(&two);
        under_way.spawn(async move {
            for turn in 0..12 {
                let at = (worker * 5 + turn * 7) % 3;
                let with = (worker + turn) % 3;
                let reply = two.world.says(here[at], "link").await;
                if let Reply::Once { .. } = reply {
                    let word = format!("link {}", code_in(&reply));
                    two.says_there(there[with], &word).await;
                }
                let codes: Vec<String> = sqlx::query_scalar(
                    "select c.id::text from chat_link c join account a on a.id = c.account_id
                                        where c.state = 'claimed' and a.external_id = $1",
                )
                .bind(here[at])
                .fetch_all(two.world.pool())
                .await
                .unwrap();
                for code in codes {
                    two.world
                        .presses(here[at], ButtonId::LinkConfirm, code)
                        .await;
                }
                if turn % 3 == 2 {
                    let id = two.account(there[with]).await;
                    let event: Event = pressed(ButtonId::LinkEnd, id);
                    two.does_there(there[with], event).await;
                }
            }
        });
    }
    under_way.join_all().await;
    assert_eq!(two.world.deadlocks().await, 0);
    // Nobody has two accounts in one place, and everybody stands for exactly those whom open ties hold together.
    let twice = "select count(*) from (select person_id, installation_id from account group by 1, 2 having count(*) > 1) x";
    assert_eq!(two.world.count(twice).await, 0);
    let apart = "select count(*) from tie t where until is null and human(t.one) <> human(t.other)";
    assert_eq!(two.world.count(apart).await, 0);
    let loose = "select count(*) from person p where merged_into is not null
                 and not exists (select from tie t where t.until is null and p.id in (t.one, t.other))";
    assert_eq!(two.world.count(loose).await, 0);
    let strayed = "select count(*) from account where own_person_id is not null and person_id <> human(own_person_id)";
    assert_eq!(two.world.count(strayed).await, 0);
    let report = idp::app::audit::verify(&two.world.app, None).await.unwrap();
    assert_eq!(report.broken, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_looks_twice_at_once_gets_one_copy() {
    let two = Two::wide(16).await;
    two.link(ALEX, ALEX_THERE).await;
    for n in 0..4 {
        let (request, _) = two.world.waiting(&format!("service-{n}")).await;
        let words = format!("status {}", two.world.view(request).await.number);
        let (one, other) = tokio::join!(
            two.says_there(ALEX_THERE, &words),
            two.says_there(ALEX_THERE, &words),
        );
        for told in [&one, &other] {
            assert!(matches!(told, Reply::Card { .. }), "{told:?}");
        }
    }
    let copies = "select count(*) from thread where account = '8002' and request_id is not null";
    assert_eq!(two.world.count(copies).await, 4);
}
