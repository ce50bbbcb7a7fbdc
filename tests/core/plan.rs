//! Planning: refused, given up, changed, pinned, and what is kept.

use std::fs;

use idp::app::people::{self, ChannelFacts};
use idp::app::plan::{self, Compared, Stored, TakenAgain};
use idp::domain::event::{ButtonId, PlaceKind};
use idp::domain::id::RunId;
use idp::domain::plan::{Claim, Fact, FactKind};
use idp::domain::refusal::Refusal;
use idp::domain::request::RequestState;
use idp::domain::step::PlanError;
use serde_json::json;

use super::world::{ALEX, PRIYA, SAM, World, service, text};

async fn run_of(world: &World) -> RunId {
    let id: uuid::Uuid = sqlx::query_scalar("select id from run order by created_at desc limit 1")
        .fetch_one(world.pool())
        .await
        .unwrap();
    RunId::from_uuid(id)
}

#[tokio::test]
async fn a_rule_that_nobody_can_meet_refuses_and_says_whom_to_ask() {
    let world = World::new().await;
    let mut page = service("lonely-api");
    page["owner"] = json!("alone");
    let request = world.asks_with(PRIYA, page).await;
    assert_eq!(world.plans(request).await, Stored::Ended);
    let end = world.view(request).await;
    assert_eq!(end.state, RequestState::Refused);
    let reason = end.end.unwrap().reason.unwrap();
    assert!(reason.contains("Nobody can decide this"), "{reason}");
    assert_eq!(world.count("select count(*) from claim").await, 0);
}

#[tokio::test]
async fn a_refusal_of_the_world_ends_the_request() {
    let world = World::new().await;
    let request = world.asks_for(PRIYA, "payments-api").await;
    let work = plan::take(&world.app, request).await.unwrap().unwrap();
    let refusal = PlanError::Refused(Refusal::new("It exists on the git server."));
    assert_eq!(
        plan::store(&world.app, &work, Err(refusal)).await.unwrap(),
        Stored::Ended
    );
    let end = world.view(request).await.end.unwrap();
    assert_eq!(end.reason.as_deref(), Some("It exists on the git server."));
    assert!(plan::take(&world.app, request).await.unwrap().is_none());
}

#[tokio::test]
async fn planning_is_tried_again_and_then_given_up_with_a_reference() {
    let world = World::new().await;
    let request = world.asks_for(PRIYA, "payments-api").await;
    let work = plan::take(&world.app, request).await.unwrap().unwrap();
    let silent = || PlanError::Again {
        cause: "The git server gave no answer.".to_owned(),
        after: None,
    };
    let tries = world.app.settings.current().limits.plan_attempts;
    for _ in 1..tries {
        assert_eq!(
            plan::store(&world.app, &work, Err(silent())).await.unwrap(),
            Stored::Again
        );
    }
    assert_eq!(
        plan::store(&world.app, &work, Err(silent())).await.unwrap(),
        Stored::Ended
    );
    let view = world.view(request).await;
    assert_eq!(view.state, RequestState::PlanFailed);
    assert!(view.end.unwrap().reference.unwrap().starts_with("E-"));
}

#[tokio::test]
async fn a_planning_that_gets_no_answer_says_what_it_waits_for() {
    let world = World::new().await;
    let request = world.asks_for(PRIYA, "payments-api").await;
    let work = plan::take(&world.app, request).await.unwrap().unwrap();
    let silent = || PlanError::Again {
        cause: "The git server gave no answer.".to_owned(),
        after: None,
    };
    let told = || world.count("select count(*) from message where wanted > 1");
    assert_eq!(told().await, 0);
    let stored = plan::store(&world.app, &work, Err(silent())).await.unwrap();
    assert_eq!(stored, Stored::Again);
    assert_eq!(told().await, 1, "its card is to be drawn again");
    let view = world.view(request).await;
    let (_, since) = view.hindrance.clone().unwrap();
    let card = idp::cards::root(&view, since);
    let read = serde_json::to_string(&card).unwrap();
    assert!(read.contains("Held up"), "{read}");
    assert!(
        card.fallback.ends_with(
            "planning, held up: the git server gave no answer. It is tried again by itself"
        ),
        "{}",
        card.fallback
    );
    let number = view.number;
    let status = text(&world.says(PRIYA, &format!("status {number}")).await);
    assert!(status.contains("held up"), "{status}");

    // Since the first of the tries in vain, however many there are; and no longer than that.
    world.later(1).await;
    plan::store(&world.app, &work, Err(silent())).await.unwrap();
    assert_eq!(world.view(request).await.hindrance.unwrap().1, since);
    world.plans(request).await;
    let view = world.view(request).await;
    assert_eq!(
        (view.state, view.hindrance),
        (RequestState::AwaitingApproval, None)
    );
}

#[tokio::test]
async fn a_plan_for_a_request_that_moved_on_is_dropped() {
    let world = World::new().await;
    let request = world.asks_for(PRIYA, "payments-api").await;
    let work = plan::take(&world.app, request).await.unwrap().unwrap();
    let planned = world.plan_of(&work).await;
    world.presses(PRIYA, ButtonId::RequestCancel, request).await;
    assert_eq!(
        plan::store(&world.app, &work, planned).await.unwrap(),
        Stored::Outdated
    );
    assert_eq!(world.state(request).await, RequestState::Cancelled);
    assert_eq!(world.count("select count(*) from plan").await, 0);
}

#[tokio::test]
async fn the_same_plan_again_goes_a_changed_one_voids_the_votes() {
    let world = World::new().await;
    let (request, first) = world.waiting("payments-api").await;
    world.presses(ALEX, ButtonId::RequestApprove, first).await;
    let run = run_of(&world).await;
    let TakenAgain::Work(work) = plan::take_again(&world.app, run).await.unwrap() else {
        panic!("nothing to plan")
    };
    let planned = world.plan_of(&work).await;
    let same = plan::compare(&world.app, run, &work, planned.clone())
        .await
        .unwrap();
    assert_eq!(same, Compared::Same);

    let mut changed = planned.unwrap();
    changed.plan.steps[0].facts.push(Fact {
        kind: FactKind::Deletes,
        noun: "repository".to_owned(),
        name: "acme/other".to_owned(),
        detail: None,
        headline: true,
    });
    let other = plan::compare(&world.app, run, &work, Ok(changed))
        .await
        .unwrap();
    assert_eq!(other, Compared::Superseded);
    let view = world.view(request).await;
    let plan = view.plan.unwrap();
    assert_eq!(view.state, RequestState::AwaitingApproval);
    assert!(view.run.is_none() && plan.approvals.is_empty() && plan.replaced_at.is_some());
    assert_eq!(
        world
            .count("select count(*) from run where state = 'superseded'")
            .await,
        1
    );
    let old = world.presses(SAM, ButtonId::RequestApprove, first).await;
    assert!(text(&old).contains("The plan changed at"), "{old:?}");
    world.presses(SAM, ButtonId::RequestApprove, plan.id).await;
    assert_eq!(world.state(request).await, RequestState::Approved);
    let old = plan::take_again(&world.app, run).await.unwrap();
    assert!(matches!(old, TakenAgain::Not), "the old run never begins");
}

#[tokio::test]
async fn a_name_that_another_request_holds_refuses_the_plan() {
    let world = World::new().await;
    let (_, _) = world.waiting("payments-api").await;
    let request = world.asks_for(ALEX, "other-api").await;
    let work = plan::take(&world.app, request).await.unwrap().unwrap();
    let mut planned = world.plan_of(&work).await.unwrap();
    planned.plan.steps[0].claims.push(Claim {
        kind: "repository".to_owned(),
        name: "payments-api".to_owned(),
    });
    assert_eq!(
        plan::store(&world.app, &work, Ok(planned)).await.unwrap(),
        Stored::Ended
    );
    let reason = world.view(request).await.end.unwrap().reason.unwrap();
    assert!(reason.contains("is being made by request"), "{reason}");
}

#[tokio::test]
async fn a_definition_edited_meanwhile_changes_nothing_that_was_asked() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("new-service.yaml");
    let shipped = include_str!("../../commands/new-service.yaml");
    fs::write(&file, shipped).unwrap();
    let world = World::of_commands(dir.path().to_owned()).await;
    let request = world.asks_for(PRIYA, "payments-api").await;
    let weaker = shipped.replace("name: team-lead", "name: anybody").replace(
        "        - { from: \"leads:${{ parameters.owner }}\", count: 1 }\n",
        "        - { from: \"group:engineers\", count: 1 }\n",
    );
    assert_ne!(weaker, shipped);
    fs::write(&file, weaker).unwrap();
    assert_eq!(world.app.library.reload().changed, ["command new-service"]);
    world.plans(request).await;
    assert_eq!(world.view(request).await.plan.unwrap().rule, "team-lead");
    let later = world.asks_for(PRIYA, "other-api").await;
    world.plans(later).await;
    assert_eq!(world.view(later).await.plan.unwrap().rule, "anybody");
}

#[tokio::test]
async fn a_rule_that_wants_nobody_runs_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let shipped = include_str!("../../commands/new-service.yaml");
    let free = shipped.replace(
        "      require:\n        - { from: \"leads:${{ parameters.owner }}\", count: 1 }\n",
        "      require: []\n",
    );
    assert_ne!(free, shipped);
    fs::write(dir.path().join("new-service.yaml"), free).unwrap();
    let world = World::of_commands(dir.path().to_owned()).await;
    let request = world.asks_for(PRIYA, "payments-api").await;
    assert!(matches!(world.plans(request).await, Stored::Runs(_)));
    let run = world.view(request).await.run.unwrap();
    assert_eq!((run.rule.as_str(), run.approved_by.len()), ("team-lead", 0));
}

#[tokio::test]
async fn deciders_outside_the_channel_get_their_own_card() {
    let world = World::new().await;
    world.waiting("payments-api").await;
    // Alex reads along in #platform, Sam doesn't.
    let copies: Vec<String> =
        sqlx::query_scalar("select account from thread where role = 'direct'")
            .fetch_all(world.pool())
            .await
            .unwrap();
    assert_eq!(copies, [SAM]);
}

#[tokio::test]
async fn many_deciders_are_told_in_their_groups_channel() {
    let world = World::with(|s| {
        let many = (0..9).map(|n| format!("U_{n}"));
        s.groups.insert("crowd".to_owned(), many.collect());
        s.teams.get_mut("payments").unwrap().leads = vec!["group:crowd".to_owned()];
        s.channels
            .groups
            .insert("crowd".to_owned(), "#crowd".to_owned());
    })
    .await;
    for n in 0..9 {
        world
            .is(
                &format!("U_{n}"),
                "N",
                idp::domain::person::AccountKind::Full,
                true,
            )
            .await;
    }
    let channel = ChannelFacts {
        external: "C_CROWD".to_owned(),
        name: Some("crowd".to_owned()),
        kind: PlaceKind::Public,
        usable: Some(true),
        members: None,
    };
    people::record_channel(&world.app, world.installation, &channel)
        .await
        .unwrap();
    let request = world.asks_for(PRIYA, "payments-api").await;
    world.plans(request).await;
    let there = "select count(*) from thread where role = 'direct' and channel = 'C_CROWD'";
    assert_eq!(world.count(there).await, 1);
    let copies = "select count(*) from thread where role = 'direct'";
    assert_eq!(
        world.count(copies).await,
        1,
        "one post in the channel, no direct messages"
    );
}
