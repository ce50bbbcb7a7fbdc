//! Processes that die or lose their job at the worst moment, one commit at a time.

use idp::app::step::{self, Begun, StepFailure, Then, Work};
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
    let late = step::finish(&world.app, &paused, &work, done(), Then::End).await;
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
    step::finish(&world.app, &successor, &work, done(), Then::End)
        .await
        .unwrap();
    assert_eq!(
        world.states(run.id).await,
        [StepState::Done, StepState::Pending]
    );
    // And once more, after its successor has finished.
    let late = step::finish(&world.app, &paused, &work, done(), Then::End).await;
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
    step::finish(&world.app, &held, &work, done(), Then::End)
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
    step::finish(&world.app, &held, &work, done(), Then::End)
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
    step::finish(&world.app, &held, &work, done(), Then::End)
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

/// The next step, where the worker went on with it.
fn went_on(begun: Begun) -> Box<Work> {
    match begun {
        Begun::Act(work) => work,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_worker_goes_on_with_the_next_step_in_the_same_commit() {
    let world = World::new().await;
    let request = world.ask(&[("one", json!({})), ("two", json!({}))]).await;
    let run = world.planned(request).await;
    let (held, job) = world.claim_step("first").await;
    let one = begin(&world, &held, job).await;
    let begun = step::finish(&world.app, &held, &one, done(), Then::GoOn).await;
    let two = went_on(begun.unwrap());
    assert_eq!(two.attempt.job.seq, 1);
    assert_eq!(two.outputs["one"], json!({ "value": "made" }));
    let now = [StepState::Done, StepState::Running];
    assert_eq!(world.states(run.id).await, now);
    let ours = format!(
        "graphile_worker._private_jobs where id = {} and locked_by = 'first'",
        held.job
    );
    assert_eq!(world.count(&ours).await, 1);

    // It dies on that step: another one takes the very step up, and what was recorded is not done again.
    world.dies(&held).await;
    let (successor, same) = world.claim_step("successor").await;
    assert_eq!((successor.job, same), (held.job, two.attempt.job));
    let late = step::finish(&world.app, &held, &two, done(), Then::GoOn).await;
    assert!(matches!(late, Err(StepFailure::LostOwnership)), "{late:?}");
    let again = begin(&world, &successor, same).await;
    assert_eq!(again.attempt.number, 2);
    assert_eq!(world.count("step_attempt where outcome = 'lost'").await, 1);
    let begun = step::finish(&world.app, &successor, &again, done(), Then::GoOn).await;
    assert!(matches!(begun.unwrap(), Begun::Nothing));
    let run = world.run(request).await.unwrap();
    assert_eq!(run.state, RunState::Succeeded);
    assert_eq!(world.count("step_attempt where outcome = 'done'").await, 2);
    assert_eq!(world.count("graphile_worker._private_jobs").await, 0);
}

#[tokio::test]
async fn a_worker_that_takes_up_its_own_job_again_writes_once() {
    let world = World::new().await;
    let request = world.ask(&[("one", json!({})), ("two", json!({}))]).await;
    let run = world.planned(request).await;
    let (held, job) = world.claim_step("w").await;
    let work = begin(&world, &held, job).await;
    // It was believed dead while it slept, and once awake it was the first to find the job.
    world.dies(&held).await;
    let (again, same) = world.claim_step("w").await;
    assert_eq!((again.job, same), (held.job, job));
    let second = begin(&world, &again, job).await;
    let begun = step::finish(&world.app, &held, &work, done(), Then::GoOn).await;
    let two = went_on(begun.unwrap());

    // The row is held by the same worker still, but it is the next step's by now.
    let late = step::finish(&world.app, &again, &second, done(), Then::GoOn).await;
    assert!(matches!(late, Err(StepFailure::LostOwnership)), "{late:?}");
    let begun = step::begin(&world.app, &again, job).await;
    assert!(
        matches!(begun, Err(StepFailure::LostOwnership)),
        "{begun:?}"
    );
    let begun = step::finish(&world.app, &held, &two, done(), Then::GoOn).await;
    assert!(matches!(begun.unwrap(), Begun::Nothing));
    assert_eq!(world.states(run.id).await, [StepState::Done; 2]);
    assert_eq!(world.count("step_attempt where outcome = 'done'").await, 2);
}

#[tokio::test]
async fn a_worker_goes_on_with_nothing_but_the_next_step() {
    let world = World::new().await;
    let steps = [("one", json!({})), ("two", json!({}))];

    // Cancelled meanwhile: what follows is the undo.
    let request = world.ask(&steps).await;
    world.planned(request).await;
    let (held, job) = world.claim_step("w").await;
    let work = begin(&world, &held, job).await;
    world
        .execute("update run set state = 'cancelling' where state = 'running'")
        .await;
    let begun = step::finish(&world.app, &held, &work, done(), Then::GoOn).await;
    assert!(matches!(begun.unwrap(), Begun::Nothing));
    assert_eq!(world.run(request).await.unwrap().state, RunState::Undoing);
    let (held, job) = world.claim_step("w").await;
    assert_eq!(job.direction, idp::domain::run::Direction::Undo);
    assert_eq!(world.count("graphile_worker._private_jobs").await, 1);
    world
        .execute(&format!(
            "delete from graphile_worker._private_jobs where id = {}",
            held.job
        ))
        .await;

    // It can't be kept, so the run stops there.
    let request = world.ask(&steps).await;
    world.planned(request).await;
    let (held, job) = world.claim_step("w").await;
    let work = begin(&world, &held, job).await;
    let stop = Err(StepError::Stop {
        cause: "No".to_owned(),
    });
    let begun = step::finish(&world.app, &held, &work, stop, Then::GoOn).await;
    assert!(matches!(begun.unwrap(), Begun::Nothing));
    assert_eq!(world.run(request).await.unwrap().state, RunState::Failed);
    assert_eq!(world.count("graphile_worker._private_jobs").await, 0);

    // Its other side refuses the next one for a while: the job waits in the queue.
    let request = world.ask(&steps).await;
    let run = world.planned(request).await;
    let (held, job) = world.claim_step("w").await;
    let work = begin(&world, &held, job).await;
    world
        .execute(
            "insert into rate_limit (installation_id, bucket, not_before)
             select id, 'step:test:step', idp_now() + interval '1 hour' from installation",
        )
        .await;
    world.execute("update message set shown = wanted").await;
    let begun = step::finish(&world.app, &held, &work, done(), Then::GoOn).await;
    assert!(matches!(begun.unwrap(), Begun::Nothing));
    let now = [StepState::Done, StepState::Pending];
    assert_eq!(world.states(run.id).await, now);
    // What was done is shown meanwhile.
    let raised = "message where kind = 'root' and wanted > shown";
    assert_eq!(world.count(raised).await, 1);
    let waits = "graphile_worker._private_jobs
                 where locked_at is null and run_at > now() and payload::jsonb ->> 'seq' = '1'";
    assert_eq!(world.count(waits).await, 1);
}
