//! Processes that die or lose their job at the worst moment, one commit at a time.

use idp::app::step::{self, Begun, StepFailure, Work};
use idp::domain::run::{RunState, StepState};
use idp::domain::step::{Done, Outcome, StepError};
use serde_json::json;

use super::script::Act;
use super::world::World;

/// Begins a step by hand; the first one of a run counts as compared.
async fn begin(
    world: &World,
    held: &idp::app::job::Held,
    job: idp::app::job::StepJob,
) -> Box<Work> {
    match step::begin(&world.app, held, job).await.unwrap() {
        Begun::PlanAgain(attempt) => match step::start(&world.app, held, attempt).await.unwrap() {
            Begun::Act(work) => work,
            other => panic!("{other:?}"),
        },
        Begun::Act(work) => work,
        Begun::Nothing => panic!("nothing to do"),
    }
}

fn done() -> Result<Outcome, StepError> {
    Ok(Outcome::Done(Done {
        output: json!({ "value": "made" }),
        ..Done::default()
    }))
}

#[tokio::test]
async fn a_death_before_the_end_is_written_repeats_the_step_and_records_it_once() {
    let world = World::new().await;
    let request = world.ask(&[("one", json!({})), ("two", json!({}))]).await;
    let run = world.planned(request).await;
    let (held, job) = world.claim_step("first").await;
    begin(&world, &held, job).await;
    world.dies(&held).await;

    let working = world.work();
    world.until(request, RunState::Succeeded).await;
    assert_eq!(world.script.calls(), ["one", "two"]);
    assert_eq!(world.count("step_attempt where outcome = 'lost'").await, 1);
    assert_eq!(world.count("step_attempt where outcome = 'done'").await, 2);
    assert_eq!(world.states(run.id).await, [StepState::Done; 2]);
    working.stop().await;
}

#[tokio::test]
async fn who_lost_the_job_writes_nothing() {
    let world = World::new().await;
    let request = world.ask(&[("one", json!({})), ("two", json!({}))]).await;
    let run = world.planned(request).await;
    let (paused, job) = world.claim_step("paused").await;
    let work = begin(&world, &paused, job).await;
    world.dies(&paused).await;
    let (successor, same) = world.claim_step("successor").await;
    assert_eq!((successor.job, same), (paused.job, job));

    // The paused process wakes up with a result while its successor is at work.
    let late = step::finish(&world.app, &paused, &work, done()).await;
    assert!(matches!(late, Err(StepFailure::LostOwnership)), "{late:?}");
    let begun = step::begin(&world.app, &paused, job).await;
    assert!(
        matches!(begun, Err(StepFailure::LostOwnership)),
        "{begun:?}"
    );
    assert_eq!(
        world.states(run.id).await,
        [StepState::Running, StepState::Pending]
    );
    assert_eq!(world.count("graphile_worker._private_jobs").await, 1);

    let work = begin(&world, &successor, job).await;
    step::finish(&world.app, &successor, &work, done())
        .await
        .unwrap();
    assert_eq!(
        world.states(run.id).await,
        [StepState::Done, StepState::Pending]
    );
    // And once more, after its successor has finished.
    let late = step::finish(&world.app, &paused, &work, done()).await;
    assert!(matches!(late, Err(StepFailure::LostOwnership)), "{late:?}");
    assert_eq!(world.count("graphile_worker._private_jobs").await, 1);
}

#[tokio::test]
async fn an_outcome_that_is_recorded_is_not_worked_for_again() {
    let world = World::new().await;
    let request = world.ask(&[("one", json!({})), ("two", json!({}))]).await;
    let run = world.planned(request).await;
    let (held, job) = world.claim_step("first").await;
    let work = begin(&world, &held, job).await;
    step::finish(&world.app, &held, &work, done())
        .await
        .unwrap();

    // The same job once more, as an operator might enqueue it.
    let mut conn = world.pool.acquire().await.unwrap();
    idp::store::queue::enqueue_step(&mut conn, &job, None)
        .await
        .unwrap();
    drop(conn);
    world
        .execute("delete from graphile_worker._private_jobs where payload::jsonb ->> 'seq' = '1'")
        .await;
    let (again, same) = world.claim_step("second").await;
    assert_eq!(same, job);
    let begun = step::begin(&world.app, &again, same).await.unwrap();
    assert!(matches!(begun, Begun::Nothing), "{begun:?}");
    assert_eq!(world.count("step_attempt").await, 1);
    assert_eq!(world.count("graphile_worker._private_jobs").await, 0);
    assert_eq!(
        world.states(run.id).await,
        [StepState::Done, StepState::Pending]
    );
}

#[tokio::test]
async fn a_step_that_kills_its_process_each_time_is_given_up() {
    let world = World::new().await;
    let request = world.ask(&[("one", json!({})), ("two", json!({}))]).await;
    let run = world.planned(request).await;
    let (held, job) = world.claim_step("w").await;
    let work = begin(&world, &held, job).await;
    step::finish(&world.app, &held, &work, done())
        .await
        .unwrap();
    for death in 0..3 {
        let (held, job) = world.claim_step(&format!("w{death}")).await;
        begin(&world, &held, job).await;
        world.dies(&held).await;
    }
    let (held, job) = world.claim_step("last").await;
    let begun = step::begin(&world.app, &held, job).await.unwrap();
    assert!(matches!(begun, Begun::Nothing), "{begun:?}");
    let run = world.run(run.request).await.unwrap();
    assert_eq!(run.state, RunState::Failed);
    let steps = world.steps(run.id).await;
    let cause = steps[1].cause.as_deref().unwrap();
    assert!(cause.contains("stopped each time"), "{cause}");
    assert_eq!(world.count("graphile_worker._private_jobs").await, 0);
}

#[tokio::test]
async fn planning_again_that_kills_its_process_is_given_up_too() {
    let world = World::new().await;
    let request = world.ask(&[("one", json!({}))]).await;
    world.planned(request).await;
    for death in 0..3 {
        let (held, job) = world.claim_step(&format!("w{death}")).await;
        let begun = step::begin(&world.app, &held, job).await.unwrap();
        assert!(matches!(begun, Begun::PlanAgain(_)), "{begun:?}");
        world.dies(&held).await;
    }
    let (held, job) = world.claim_step("last").await;
    step::begin(&world.app, &held, job).await.unwrap();
    let run = world.run(request).await.unwrap();
    assert_eq!(run.state, RunState::Failed);

    // A retry of what never began is a beginning: a plan that differs by now doesn't run.
    let mut tx = idp::store::begin(&world.pool).await.unwrap();
    let now = idp::store::now(&mut tx).await.unwrap();
    let word = idp::app::run::Word {
        run: run.id,
        generation: Some(0),
        by: Some(world.priya.person),
    };
    idp::app::run::retry(&mut tx, word, now).await.unwrap();
    tx.commit().await.unwrap();
    world.script.change_the_world();
    let (held, job) = world.claim_step("retry").await;
    let begun = step::begin(&world.app, &held, job).await.unwrap();
    assert!(matches!(begun, Begun::PlanAgain(_)), "{begun:?}");
    world.dies(&held).await;
    let working = world.work();
    let first = run.id;
    let until = tokio::time::Instant::now() + super::PATIENCE;
    while world
        .count(&format!(
            "run where id = '{first}' and state = 'superseded'"
        ))
        .await
        == 0
    {
        assert!(
            tokio::time::Instant::now() < until,
            "{:?}",
            world.run(request).await
        );
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    working.stop().await;
}

#[tokio::test]
async fn a_stopping_process_hands_its_step_back_unused() {
    let world = World::new().await;
    let request = world.ask(&[("one", json!({}))]).await;
    world.script.say("one", [Act::Hang]);
    let working = world.work();
    world.script.wait_for("one", 1).await;
    working.stop().await;
    assert_eq!(
        world
            .count("step_attempt where outcome = 'handed_back'")
            .await,
        1
    );
    assert_eq!(
        world
            .count("graphile_worker._private_jobs where locked_at is null and run_at <= now()")
            .await,
        1
    );
    let working = world.work();
    let run = world.until(request, RunState::Succeeded).await;
    assert_eq!(world.steps(run.id).await[0].tries, 0);
    working.stop().await;
}

#[tokio::test]
async fn a_cancel_between_begin_and_end_is_seen_at_the_end() {
    let world = World::new().await;
    let request = world.ask(&[("one", json!({})), ("two", json!({}))]).await;
    let run = world.planned(request).await;
    let (held, job) = world.claim_step("w").await;
    let work = begin(&world, &held, job).await;
    let mut tx = idp::store::begin(&world.pool).await.unwrap();
    let now = idp::store::now(&mut tx).await.unwrap();
    let word = idp::app::run::Word {
        run: run.id,
        generation: None,
        by: None,
    };
    idp::app::run::cancel(&mut tx, word, now).await.unwrap();
    tx.commit().await.unwrap();
    assert!(step::let_go(&world.app, job).await.unwrap());
    step::finish(&world.app, &held, &work, done())
        .await
        .unwrap();
    assert_eq!(world.run(request).await.unwrap().state, RunState::Undoing);
    let working = world.work();
    world.until(request, RunState::Undone).await;
    assert_eq!(world.script.calls(), ["undo one"]);
    working.stop().await;
}

#[tokio::test]
async fn a_step_that_is_put_off_before_it_begins_counts_as_no_death() {
    let world = World::new().await;
    let request = world.ask(&[("one", json!({}))]).await;
    world.planned(request).await;
    let (held, job) = world.claim_step("first").await;
    let begun = step::begin(&world.app, &held, job).await.unwrap();
    let Begun::PlanAgain(attempt) = begun else {
        panic!("{begun:?}")
    };
    // While its plan was made again, another run was told to come back later.
    world
        .execute(
            "insert into rate_limit (installation_id, bucket, not_before)
             select id, 'step:test:step', idp_now() + interval '1 hour' from installation",
        )
        .await;
    let begun = step::start(&world.app, &held, attempt).await.unwrap();
    assert!(matches!(begun, Begun::Nothing), "{begun:?}");
    let ended = world
        .count("step_attempt where outcome = 'not_begun'")
        .await;
    assert_eq!((ended, world.count("step_attempt").await), (1, 1));
}
