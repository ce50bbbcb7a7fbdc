//! What a run does when nobody dies: forward, stopped, retried, undone, cancelled.

use chrono::TimeDelta;
use idp::app::due;
use idp::app::run::{self, RunError, Word};
use idp::domain::id::RunId;
use idp::domain::run::{RunState, StepState};
use idp::store;
use serde_json::json;

use super::script::Act;
use super::world::World;

async fn press(
    world: &World,
    run: RunId,
    generation: Option<i32>,
    verb: &str,
) -> Result<(), RunError> {
    let mut tx = store::begin(&world.pool).await?;
    let now = store::now(&mut tx).await?;
    let word = Word {
        run,
        generation,
        by: Some(world.priya.person),
    };
    match verb {
        "retry" => run::retry(&mut tx, word, now).await?,
        "undo" => run::undo(&mut tx, word, now).await?,
        _ => run::cancel(&mut tx, word, now).await?,
    }
    Ok(tx.commit().await?)
}

#[tokio::test]
async fn steps_run_in_order_and_what_they_bring_goes_on() {
    let world = World::new().await;
    let later = json!({ "text": "${{ steps.one.output.value }}!" });
    let request = world
        .ask(&[
            ("one", json!({})),
            ("two", later),
            ("three", json!({ "service": true })),
        ])
        .await;
    let working = world.work();
    let run = world.until(request, RunState::Succeeded).await;
    assert_eq!(world.script.calls(), ["one", "two", "three"]);
    assert_eq!(world.script.input("two"), json!({ "text": "made by one!" }));
    assert_eq!(world.states(run.id).await, [StepState::Done; 3]);
    let links = &run.output.unwrap()["links"];
    assert_eq!(links, &json!([["Thing", "https://x.dev/made by one"]]));
    working.stop().await;
    assert_eq!(world.count("graphile_worker._private_jobs").await, 0);
    assert_eq!(world.count("step_attempt where outcome = 'done'").await, 3);
    assert_eq!(world.count("step_attempt").await, 3);
    assert_eq!(world.count("service where name = 'service-three'").await, 1);
    let ended = r#"message where subject = '{"about": "milestone", "what": "ended"}'"#;
    assert_eq!(world.count(ended).await, 1);
}

#[tokio::test]
async fn a_step_whose_condition_fails_is_skipped() {
    let world = World::new().await;
    let never = json!({ "if": "${{ steps.one.output.value == 'something else' }}" });
    let request = world
        .ask(&[("one", json!({})), ("two", never), ("three", json!({}))])
        .await;
    let working = world.work();
    let run = world.until(request, RunState::Succeeded).await;
    assert_eq!(world.script.calls(), ["one", "three"]);
    let states = world.states(run.id).await;
    assert_eq!(
        states,
        [StepState::Done, StepState::Skipped, StepState::Done]
    );
    working.stop().await;
}

#[tokio::test]
async fn a_step_that_gets_no_answer_is_tried_six_times_then_people_choose() {
    let world = World::new().await;
    let request = world.ask(&[("one", json!({})), ("two", json!({}))]).await;
    world.script.say("two", [Act::Again(None); 6]);
    let working = world.work();
    let run = world.hurried_until(request, RunState::Failed).await;
    assert_eq!(
        world.script.calls(),
        ["one", "two", "two", "two", "two", "two", "two"]
    );
    let reference = run.reference.clone().expect("a reference");
    assert!(reference.starts_with("E-"), "{reference}");
    let left = run.undo_at.expect("it is undone by itself") - run.since;
    assert_eq!(left, run::UNDONE_AFTER);
    let steps = world.steps(run.id).await;
    assert_eq!(steps[1].state, StepState::Failed);
    assert_eq!(steps[1].cause.as_deref(), Some("two said no"));

    // Retry goes on from the unfinished step; the press on the old card does nothing more.
    press(&world, run.id, Some(0), "retry").await.unwrap();
    let again = press(&world, run.id, Some(0), "retry").await;
    assert!(matches!(again, Err(RunError::Outdated(1))), "{again:?}");
    let run = world.until(request, RunState::Succeeded).await;
    assert_eq!(run.generation, 1);
    assert_eq!(
        world.script.calls().iter().filter(|c| *c == "one").count(),
        1
    );
    assert_eq!(world.script.exists(), ["one", "two"]);
    working.stop().await;
}

#[tokio::test]
async fn retry_asks_again_once_the_approval_is_too_old() {
    let world = World::new().await;
    let request = world.ask(&[("one", json!({}))]).await;
    world.script.say("one", [Act::Stop]);
    let working = world.work();
    let run = world.until(request, RunState::Failed).await;
    working.stop().await;
    world.pass("25 hours").await;
    let late = press(&world, run.id, Some(0), "retry").await;
    assert!(matches!(late, Err(RunError::Stale(_))), "{late:?}");
}

#[tokio::test]
async fn an_unknown_effect_is_looked_at_again_then_a_person_looks() {
    let world = World::new().await;
    let request = world.ask(&[("one", json!({}))]).await;
    world.script.say("one", [Act::Unknown; 3]);
    let working = world.work();
    let run = world.hurried_until(request, RunState::Blocked).await;
    assert_eq!(world.script.calls().len(), 3);
    let steps = world.steps(run.id).await;
    assert_eq!(steps[0].state, StepState::Unknown);
    assert_eq!(steps[0].check.as_deref(), Some("Whether it is there"));
    assert_eq!(run.undo_at, None);
    // A person cancels: nobody is at work on it, so its undo begins at once.
    press(&world, run.id, None, "cancel").await.unwrap();
    world.until(request, RunState::Undone).await;
    assert_eq!(world.script.exists(), Vec::<String>::new());
    working.stop().await;
}

#[tokio::test]
async fn an_unknown_effect_is_looked_at_however_often_nothing_happened_before() {
    let world = World::new().await;
    let request = world.ask(&[("one", json!({}))]).await;
    let acts = [
        Act::Again(None),
        Act::Again(None),
        Act::Unknown,
        Act::Unknown,
    ];
    world.script.say("one", acts);
    let working = world.work();
    world.hurried_until(request, RunState::Succeeded).await;
    assert_eq!(world.script.calls().len(), 5);
    working.stop().await;
}

#[tokio::test]
async fn undo_goes_back_beginning_with_the_unfinished_step() {
    let world = World::new().await;
    let service = json!({ "service": true });
    let request = world
        .ask(&[
            ("one", service),
            ("two", json!({})),
            ("three", json!({})),
            ("four", json!({})),
        ])
        .await;
    world.script.say("three", [Act::Stop]);
    world.script.say("undo two", [Act::Again(None)]);
    let working = world.work();
    let run = world.until(request, RunState::Failed).await;
    assert_eq!(world.count("service").await, 1);
    press(&world, run.id, Some(0), "undo").await.unwrap();
    let run = world.hurried_until(request, RunState::Undone).await;
    let undone: Vec<_> = world
        .script
        .calls()
        .into_iter()
        .filter(|c| c.starts_with("undo"))
        .collect();
    assert_eq!(undone, ["undo three", "undo two", "undo two", "undo one"]);
    assert_eq!(world.script.exists(), Vec::<String>::new());
    let states = world.states(run.id).await;
    use StepState::{Pending, Undone};
    assert_eq!(states, [Undone, Undone, Undone, Pending]);
    assert_eq!(world.count("service").await, 0);
    assert_eq!(world.count("claim").await, 0);
    assert!(run.ended_at.is_some());
    working.stop().await;
}

#[tokio::test]
async fn an_undo_that_stops_is_told_and_can_be_tried_again() {
    let world = World::new().await;
    let request = world.ask(&[("one", json!({})), ("two", json!({}))]).await;
    world.script.say("two", [Act::Stop]);
    world.script.say("undo one", [Act::Stop]);
    let working = world.work();
    let run = world.until(request, RunState::Failed).await;
    press(&world, run.id, Some(0), "undo").await.unwrap();
    let run = world.until(request, RunState::UndoFailed).await;
    assert!(run.reference.is_some());
    assert_eq!(world.script.exists(), ["one"]);
    press(&world, run.id, Some(run.generation), "undo")
        .await
        .unwrap();
    world.until(request, RunState::Undone).await;
    assert_eq!(world.script.exists(), Vec::<String>::new());
    working.stop().await;
}

#[tokio::test]
async fn a_command_may_say_that_a_failure_is_undone_at_once() {
    let world = World::new().await;
    let request = world
        .ask_with(&[("one", json!({})), ("two", json!({}))], "undo", "[]")
        .await;
    world.script.say("two", [Act::Stop]);
    let working = world.work();
    let run = world.until(request, RunState::Undone).await;
    assert_eq!(world.script.exists(), Vec::<String>::new());
    assert!(
        run.reference.is_some(),
        "its card still says under which reference"
    );
    working.stop().await;
}

#[tokio::test]
async fn a_failed_run_that_nobody_chose_about_is_undone_by_the_clock() {
    let world = World::new().await;
    let request = world.ask(&[("one", json!({})), ("two", json!({}))]).await;
    world.script.say("two", [Act::Stop]);
    let working = world.work();
    world.until(request, RunState::Failed).await;
    due::tick(&world.app, "clock").await.unwrap();
    assert_eq!(world.run(request).await.unwrap().state, RunState::Failed);
    world.pass("24 hours").await;
    due::tick(&world.app, "clock").await.unwrap();
    world.until(request, RunState::Undone).await;
    assert_eq!(world.script.exists(), Vec::<String>::new());
    working.stop().await;
}

#[tokio::test]
async fn a_wait_holds_no_worker() {
    let world = World::new().await;
    let request = world.ask(&[("one", json!({})), ("two", json!({}))]).await;
    world
        .script
        .say("one", [Act::Wait(TimeDelta::milliseconds(600))]);
    let working = world.work();
    world.script.wait_for("one", 1).await;
    let run = world.run(request).await.unwrap();
    loop {
        let step = &world.steps(run.id).await[0];
        if step.state == StepState::Waiting {
            assert_eq!(step.cause.as_deref(), Some("the timer"));
            assert!(step.wait_until.is_some());
            break;
        }
        assert_eq!(step.state, StepState::Running);
    }
    assert_eq!(
        world
            .count("graphile_worker._private_jobs where locked_at is not null")
            .await,
        0
    );
    world.until(request, RunState::Succeeded).await;
    assert_eq!(world.script.calls(), ["one", "one", "two"]);
    working.stop().await;
}

#[tokio::test]
async fn cancelling_tells_the_step_at_work_and_undoes_it() {
    let world = World::new().await;
    let request = world
        .ask(&[("one", json!({})), ("two", json!({})), ("three", json!({}))])
        .await;
    world.script.say("two", [Act::UntilCancelled]);
    let working = world.work();
    world.script.wait_for("two", 1).await;
    let run = world.run(request).await.unwrap();
    press(&world, run.id, None, "cancel").await.unwrap();
    let run = world.until(request, RunState::Undone).await;
    assert_eq!(world.script.calls(), ["one", "two", "undo two", "undo one"]);
    assert_eq!(run.cancelled_by, Some(world.priya.person));
    assert_eq!(world.script.exists(), Vec::<String>::new());
    working.stop().await;
}

#[tokio::test]
async fn a_step_that_does_not_let_go_is_cut_off_and_undone() {
    let world = World::new().await;
    let request = world.ask(&[("one", json!({}))]).await;
    world.script.say("one", [Act::Hang]);
    let working = world.work();
    world.script.wait_for("one", 1).await;
    let run = world.run(request).await.unwrap();
    press(&world, run.id, None, "cancel").await.unwrap();
    world.until(request, RunState::Undone).await;
    assert_eq!(
        world.count("step_attempt where outcome = 'unknown'").await,
        1
    );
    working.stop().await;
}

#[tokio::test]
async fn cancelling_ends_a_long_wait() {
    let world = World::new().await;
    let request = world.ask(&[("one", json!({}))]).await;
    world.script.say("one", [Act::Wait(TimeDelta::hours(5))]);
    let working = world.work();
    world.script.wait_for("one", 1).await;
    let run = world.until(request, RunState::Running).await;
    press(&world, run.id, None, "cancel").await.unwrap();
    world.until(request, RunState::Undone).await;
    working.stop().await;
}

#[tokio::test]
async fn a_plan_that_differs_just_before_the_run_voids_it() {
    let world = World::new().await;
    let request = world.ask(&[("one", json!({}))]).await;
    let run = world.planned(request).await;
    assert_eq!(run.state, RunState::Queued);
    world.script.change_the_world();
    let working = world.work();
    // The new plan asks nobody either, so its run goes through.
    let second = world.until(request, RunState::Succeeded).await;
    assert_ne!(second.id, run.id);
    let mut conn = world.pool.acquire().await.unwrap();
    let first = store::run::get(&mut conn, run.id).await.unwrap().unwrap();
    assert_eq!(first.state, RunState::Superseded);
    assert_eq!(world.script.calls(), ["one"]);
    drop(conn);
    // The second run may end while the first one's job still writes that it never began.
    working.stop().await;
    let open = "step_attempt where outcome is null or outcome = 'lost'";
    assert_eq!(world.count(open).await, 0);
}

#[tokio::test]
async fn a_refused_rate_holds_up_every_step_of_its_action() {
    let world = World::new().await;
    let first = world.ask(&[("one", json!({}))]).await;
    world
        .script
        .say("one", [Act::Again(Some(TimeDelta::seconds(2)))]);
    let working = world.work();
    world.script.wait_for("one", 1).await;
    while world.count("rate_limit").await == 0 {
        tokio::task::yield_now().await;
    }
    let began = world.now().await;
    let second = world.ask(&[("one", json!({}))]).await;
    world.until(second, RunState::Succeeded).await;
    world.until(first, RunState::Succeeded).await;
    assert!(world.now().await - began >= TimeDelta::milliseconds(1500));
    working.stop().await;
}

#[tokio::test]
async fn a_run_waits_for_newer_facts_says_so_and_goes_on() {
    let world = World::new().await;
    world.read_groups().await;
    let request = world
        .ask_allowed("[\"group:makers\"]", &[("one", json!({}))], ("ask", "[]"))
        .await;
    world.planned(request).await;
    world.pass("10 minutes").await;
    let working = world.work();
    let waits = "The members of makers haven't been readable for more than five minutes.";
    // More often than a step may fail: nobody's failure is counted.
    for n in 1..=8 {
        let until = tokio::time::Instant::now() + super::PATIENCE;
        while world.count("step_attempt where outcome = 'again'").await < n {
            assert!(tokio::time::Instant::now() < until);
            world.hurry().await;
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
    let card = world.card(request).await;
    assert!(card.contains("Approved") && card.contains(waits), "{card}");
    assert_eq!(world.script.calls(), Vec::<String>::new());

    world.read_groups().await;
    world.hurried_until(request, RunState::Succeeded).await;
    assert!(!world.card(request).await.contains("readable"));
    working.stop().await;
}

#[tokio::test]
async fn a_run_that_waited_in_vain_stops_when_its_approval_is_too_old() {
    let world = World::new().await;
    world.read_groups().await;
    let request = world
        .ask_allowed("[\"group:makers\"]", &[("one", json!({}))], ("ask", "[]"))
        .await;
    world.planned(request).await;
    world.pass("24 hours").await;
    let working = world.work();
    world.until(request, RunState::Failed).await;
    let card = world.card(request).await;
    assert!(card.contains("haven't been readable"), "{card}");
    assert_eq!(world.script.calls(), Vec::<String>::new());
    working.stop().await;
}

#[tokio::test]
async fn a_step_that_hangs_ends_as_unknown_and_a_person_looks() {
    let world = World::new().await;
    world.script.limit(std::time::Duration::from_millis(100));
    world.script.say("two", [Act::Hang, Act::Hang, Act::Hang]);
    let steps = [("one", json!({})), ("two", json!({}))];
    let request = world.ask(&steps).await;
    let working = world.work();
    let run = world.hurried_until(request, RunState::Blocked).await;
    assert_eq!(
        world.states(run.id).await,
        [StepState::Done, StepState::Unknown]
    );
    assert_eq!(
        world.count("step_attempt where outcome = 'unknown'").await,
        3
    );
    let card = world.card(request).await;
    assert!(
        card.contains("Needs a look") && card.contains("took effect"),
        "{card}"
    );
    press(&world, run.id, Some(0), "retry").await.unwrap();
    world.until(request, RunState::Succeeded).await;
    working.stop().await;
}

#[tokio::test]
async fn cards_say_what_may_exist_what_undo_would_do_and_what_it_did() {
    let world = World::new().await;
    let request = world
        .ask(&[("one", json!({})), ("two", json!({})), ("three", json!({}))])
        .await;
    world.script.say("two", [Act::Stop]);
    let working = world.work();
    let run = world.until(request, RunState::Failed).await;
    let stopped = world.card(request).await;
    for told in [
        "thing thing-0; unknown whether thing thing-0 exists; Retry looks first",
        "would delete thing thing-0 if it was made, then delete thing thing-0",
    ] {
        assert!(stopped.contains(told), "{told}: {stopped}");
    }
    press(&world, run.id, Some(0), "undo").await.unwrap();
    world.until(request, RunState::Undone).await;
    let undone = world.card(request).await;
    let told = "Thing thing-0 was not there. Thing thing-0 deleted. Nothing remains.";
    assert!(undone.contains(told), "{undone}");
    working.stop().await;
}

#[tokio::test]
async fn a_retry_that_is_cancelled_before_it_begins_takes_back_the_first_try() {
    let world = World::new().await;
    let request = world.ask(&[("one", json!({}))]).await;
    world.script.say("one", [Act::Unknown; 3]);
    let working = world.work();
    let run = world.hurried_until(request, RunState::Blocked).await;
    working.stop().await;
    assert_eq!(world.script.exists(), ["one"]);
    press(&world, run.id, Some(0), "retry").await.unwrap();
    press(&world, run.id, None, "cancel").await.unwrap();
    let working = world.work();
    world.until(request, RunState::Undone).await;
    assert_eq!(world.script.exists(), Vec::<String>::new());
    working.stop().await;
}

#[tokio::test]
async fn a_card_tells_what_undoing_came_to() {
    let world = World::new().await;
    let request = world.ask(&[("one", json!({})), ("two", json!({}))]).await;
    world.script.say("two", [Act::Stop]);
    let working = world.work();
    let run = world.until(request, RunState::Failed).await;
    press(&world, run.id, Some(0), "undo").await.unwrap();
    world.until(request, RunState::Undone).await;
    let card = world.card(request).await;
    let told = "Thing thing-0 was not there. Thing thing-0 deleted. Nothing remains.";
    assert!(card.contains(told), "{card}");
    // As an operator wants it who keeps what is taken back.
    world
        .execute("update step set taken_back = 'archived' where id = 'one'")
        .await;
    let card = world.card(request).await;
    assert!(
        card.contains("Still there: thing thing-0 (archived)."),
        "{card}"
    );
    working.stop().await;
}

#[tokio::test]
async fn a_planning_that_hangs_before_the_run_is_tried_again() {
    let world = World::new().await;
    world.script.limit(std::time::Duration::from_millis(100));
    let request = world.ask(&[("one", json!({}))]).await;
    let run = world.planned(request).await;
    world.script.hang_a_plan();
    let working = world.work();
    let succeeded = world.hurried_until(request, RunState::Succeeded).await;
    assert_eq!(succeeded.id, run.id);
    assert_eq!(world.script.calls(), ["one"]);
    assert_eq!(world.count("step_attempt where outcome = 'again'").await, 1);
    working.stop().await;
}

#[tokio::test]
async fn a_planning_that_hangs_holds_no_request_for_ever() {
    let world = World::new().await;
    world.script.limit(std::time::Duration::from_millis(100));
    world.script.hang_a_plan();
    let request = world.ask(&[("one", json!({}))]).await;
    let working = world.work();
    world.hurried_until(request, RunState::Succeeded).await;
    assert_eq!(world.script.calls(), ["one"]);
    working.stop().await;
}
