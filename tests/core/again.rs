//! A stopped request asked again: the new one takes its place, once nothing is left of it.

use idp::domain::card::Block;
use idp::domain::event::ButtonId;
use idp::domain::id::RequestId;
use idp::domain::reply::Reply;
use idp::domain::run::RunState;
use serde_json::json;

use super::world::{ALEX, PRIYA, World, form, service, text};

/// A request whose run stopped more than a day after it was approved, at a step that began or didn't.
async fn stopped(world: &World, begun: bool) -> (RequestId, String) {
    let (request, plan) = world.waiting("payments-api").await;
    world.presses(ALEX, ButtonId::RequestApprove, plan).await;
    let input = if begun { "'{}'" } else { "null" };
    let stop = format!(
        "update run set state = 'failed';
         update step set state = 'failed', input = {input} where action like 'publish:%'"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(stop))
        .execute(world.pool())
        .await
        .unwrap();
    world.later(25 * 60).await;
    world.read_groups().await;
    let run = world.view(request).await.run.unwrap();
    (request, format!("{}:{}", run.id, run.generation))
}

/// What the first page answers when the form is filled in again.
async fn asks_again(world: &World, request: RequestId) -> Reply {
    let value = format!("request:{request}");
    let page = form(world.presses(PRIYA, ButtonId::FormOpen, value).await);
    world.fills(PRIYA, &page, service("payments-api")).await
}

#[tokio::test]
async fn a_request_that_left_nothing_gives_its_place_and_names_to_the_next() {
    let world = World::new().await;
    let (request, press) = stopped(&world, false).await;
    let others = world.presses(ALEX, ButtonId::RunRetry, &press).await;
    let told = "is too old to go on with. Priya Nair can ask again.";
    assert!(text(&others).contains(told), "{others:?}");
    let Reply::Card { card } = world.presses(PRIYA, ButtonId::RunRetry, &press).await else {
        panic!("no card")
    };
    let Some(Block::Buttons { buttons, .. }) = card.blocks.last() else {
        panic!("{card:?}")
    };
    assert_eq!(buttons[0].value, format!("request:{request}"));

    let second = form(asks_again(&world, request).await);
    let sent = world
        .fills(PRIYA, &second, json!({ "headline": "Hello" }))
        .await;
    assert!(text(&sent).contains("is asked for"), "{sent:?}");
    let run = world.view(request).await.run.unwrap();
    assert_eq!(run.state, RunState::Superseded);
    let next = world.newest().await;
    assert_ne!(next, request);
    world.plans(next).await;
    let holders = "select count(distinct request_id) from claim";
    assert_eq!(world.count(holders).await, 1);
    let evidence = world.evidence(request).await;
    assert_eq!(evidence.last().unwrap(), "run.superseded");
}

#[tokio::test]
async fn a_request_that_left_something_is_undone_before_it_is_asked_again() {
    let world = World::new().await;
    let (request, press) = stopped(&world, true).await;
    let told = world.presses(PRIYA, ButtonId::RunRetry, &press).await;
    let undo = "Undo takes back what was made; then it can be asked again";
    assert!(text(&told).contains(undo), "{told:?}");
    let held = text(&asks_again(&world, request).await);
    assert!(held.contains("is being made by request 1"), "{held}");
    let run = world.view(request).await.run.unwrap();
    assert_eq!(run.state, RunState::Failed);
}
