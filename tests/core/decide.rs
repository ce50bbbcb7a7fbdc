//! Votes: who may, who may not, at once, too late, and what follows.

use idp::domain::event::{ButtonId, Event};
use idp::domain::id::PlanId;
use idp::domain::person::AccountKind;
use idp::domain::reply::Reply;
use idp::domain::request::RequestState;
use idp::domain::run::RunState;
use serde_json::json;

use super::world::{ALEX, MO, PRIYA, SAM, TESS, World, pressed, service, text};

#[tokio::test]
async fn a_request_waits_for_those_whose_yes_would_count_and_for_nobody_else() {
    let world = World::new().await;
    let (_, plan) = world.waiting("payments-api").await;
    let waits = async |who: &str| {
        let home = text(&world.says(who, "").await);
        home.contains("1 waiting for you")
    };
    assert!(waits(ALEX).await && waits(SAM).await);
    assert!(!waits(PRIYA).await, "her own");
    assert!(!waits(MO).await && !waits(TESS).await, "not in the group");
    world.presses(ALEX, ButtonId::RequestApprove, plan).await;
    assert!(!waits(ALEX).await && !waits(SAM).await, "decided");
}

#[tokio::test]
async fn a_leads_yes_makes_approval_run_and_first_job_in_one_go() {
    let world = World::new().await;
    let (request, plan) = world.waiting("payments-api").await;
    let view = world.view(request).await;
    let shown = view.plan.unwrap();
    assert_eq!(
        (view.state, shown.id),
        (RequestState::AwaitingApproval, plan)
    );
    assert_eq!(shown.rule, "team-lead");
    assert_eq!(shown.require[0].0.handle, "payments-leads");
    assert_eq!(shown.require[0].0.external.as_deref(), Some("S2"));
    let names: Vec<&str> = shown.deciders.iter().map(|d| d.name.as_str()).collect();
    assert_eq!(names.len(), 2);
    assert!(names.contains(&"Alex Ruiz") && names.contains(&"Sam Ito"));

    assert_eq!(
        world.presses(ALEX, ButtonId::RequestApprove, plan).await,
        Reply::Done
    );
    let view = world.view(request).await;
    let run = view.run.unwrap();
    assert_eq!(
        (view.state, run.state),
        (RequestState::Approved, RunState::Queued)
    );
    assert_eq!(run.approved_by[0].0.name, "Alex Ruiz");
    assert_eq!(run.rule, "team-lead");
    assert_eq!(
        world.evidence(request).await,
        [
            "request.asked",
            "plan.made",
            "vote.cast",
            "request.approved"
        ]
    );
    let jobs = "select count(*) from graphile_worker.jobs where task_identifier = 'idp.step'";
    assert_eq!(world.count(jobs).await, 1);
    let groups = "select count(*) from vote where groups = array['payments-leads']";
    assert_eq!(world.count(groups).await, 1);
}

#[tokio::test]
async fn the_requesters_vote_never_counts_and_is_kept_as_evidence() {
    let world = World::new().await;
    // Priya leads core with Alex, and asks for a service of core herself.
    let mut page = service("core-api");
    page["owner"] = json!("core");
    let request = world.asks_with(PRIYA, page).await;
    world.plans(request).await;
    let plan = world.view(request).await.plan.unwrap();
    assert_eq!(plan.require[0].0.handle, "leads of core");
    let refused = world
        .presses(PRIYA, ButtonId::RequestApprove, plan.id)
        .await;
    assert!(
        text(&refused)
            .contains("You asked for this, so your vote can't count. Can decide: Alex Ruiz."),
        "{refused:?}"
    );
    assert_eq!(world.state(request).await, RequestState::AwaitingApproval);
    assert_eq!(
        world.evidence(request).await.last().unwrap(),
        "vote.refused"
    );

    // And if the code ever let it pass: the tables don't.
    let forced = sqlx::query(
        "insert into vote (id, plan_id, requester_id, person_id, account_id, verdict, groups, created_at)
         select gen_random_uuid(), p.id, p.requester_id, p.requester_id, a.id, 'approve', array['x'], now()
         from plan p join account a on a.person_id = p.requester_id",
    )
    .execute(world.pool())
    .await;
    assert!(forced.unwrap_err().to_string().contains("vote_check"));
}

#[tokio::test]
async fn strangers_are_told_who_decides() {
    let world = World::new().await;
    let (request, plan) = world.waiting("payments-api").await;
    let refused = world.presses(TESS, ButtonId::RequestApprove, plan).await;
    assert!(
        text(&refused).contains("Only payments-leads decide"),
        "{refused:?}"
    );
    let refused = world.presses(TESS, ButtonId::RequestDeny, plan).await;
    assert!(
        text(&refused).contains("Only payments-leads decide"),
        "{refused:?}"
    );
    assert_eq!(world.count("select count(*) from vote").await, 0);
    let rows = world.evidence(request).await;
    assert_eq!(rows.iter().filter(|k| *k == "vote.refused").count(), 2);
}

#[tokio::test]
async fn an_approver_who_lost_the_role_is_refused_at_the_press() {
    let mut world = World::new().await;
    let (request, plan) = world.waiting("payments-api").await;
    world.leaves(ALEX, "payments-leads").await;
    let refused = world.presses(ALEX, ButtonId::RequestApprove, plan).await;
    assert!(
        text(&refused).contains("Only payments-leads decide"),
        "{refused:?}"
    );
    world.presses(SAM, ButtonId::RequestApprove, plan).await;
    assert_eq!(world.state(request).await, RequestState::Approved);
}

#[tokio::test]
async fn a_renamed_group_still_decides_what_waits_for_it() {
    let mut world = World::new().await;
    let (request, plan) = world.waiting("payments-api").await;
    world.renames("payments-leads", "pay-leads").await;
    let shown = world.view(request).await.plan.unwrap();
    assert_eq!(shown.deciders.len(), 2, "{shown:?}");
    assert_eq!(shown.lacking[0].0.external.as_deref(), Some("S2"));
    // Whoever takes the old handle decides nothing.
    world.renames("security", "payments-leads").await;
    let refused = world.presses(TESS, ButtonId::RequestApprove, plan).await;
    assert!(
        text(&refused).contains("Only payments-leads"),
        "{refused:?}"
    );
    world.presses(ALEX, ButtonId::RequestApprove, plan).await;
    assert_eq!(world.state(request).await, RequestState::Approved);
}

#[tokio::test]
async fn outsiders_and_deactivated_people_decide_nothing_whatever_list_they_are_on() {
    let world = World::with(|s| {
        let leads = ["U_OTHER", "U_GONE", ALEX].map(str::to_owned);
        s.teams.get_mut("payments").unwrap().leads = leads.to_vec();
    })
    .await;
    for (id, kind, active) in [
        ("U_OTHER", AccountKind::Outsider, true),
        ("U_GONE", AccountKind::Full, false),
    ] {
        world.is(id, id, kind, active).await;
    }
    let (request, plan) = world.waiting("payments-api").await;
    let deciders = world.view(request).await.plan.unwrap().deciders;
    let names: Vec<&str> = deciders.iter().map(|d| d.name.as_str()).collect();
    assert_eq!(names, ["Alex Ruiz"]);
    for id in ["U_OTHER", "U_GONE"] {
        let refused = world.presses(id, ButtonId::RequestApprove, plan).await;
        assert!(text(&refused).contains("Only"), "{refused:?}");
    }
    assert_eq!(world.state(request).await, RequestState::AwaitingApproval);
}

#[tokio::test]
async fn retry_and_undo_are_for_those_concerned_as_of_the_press() {
    let mut world = World::new().await;
    let (request, plan) = world.waiting("payments-api").await;
    world.presses(ALEX, ButtonId::RequestApprove, plan).await;
    let failed = "update run set state = 'failed'; update step set state = 'failed' where seq = 0";
    for part in failed.split("; ") {
        sqlx::query(part).execute(world.pool()).await.unwrap();
    }
    let run = world.view(request).await.run.unwrap();
    let on = format!("{}:{}", run.id, run.generation);
    for button in [ButtonId::RunRetry, ButtonId::RunUndo] {
        for stranger in [TESS, SAM] {
            let refused = world.presses(stranger, button, &on).await;
            assert!(text(&refused).starts_with("Only"), "{refused:?}");
        }
    }
    // Of the platform team when it failed, and no more: rights count as of the press.
    world.leaves(MO, "platform").await;
    let refused = world.presses(MO, ButtonId::RunRetry, &on).await;
    assert!(text(&refused).starts_with("Only"), "{refused:?}");
    world.joins(MO, "platform").await;
    world.presses(MO, ButtonId::RunRetry, &on).await;
    let run = world.view(request).await.run.unwrap();
    assert_eq!((run.state, run.generation), (RunState::Queued, 1));
    // A second press on the button of before does nothing.
    let late = world.presses(ALEX, ButtonId::RunUndo, &on).await;
    assert!(text(&late).contains("can't be undone now"), "{late:?}");
}

#[tokio::test]
async fn stale_groups_decide_nothing_and_nothing_is_lost() {
    let world = World::new().await;
    let (request, plan) = world.waiting("payments-api").await;
    world.later(10).await;
    let refused = world.presses(ALEX, ButtonId::RequestApprove, plan).await;
    assert!(
        text(&refused).contains("try again in a minute"),
        "{refused:?}"
    );
    assert_eq!(world.state(request).await, RequestState::AwaitingApproval);
    world.read_groups().await;
    world.presses(ALEX, ButtonId::RequestApprove, plan).await;
    assert_eq!(world.state(request).await, RequestState::Approved);
}

#[tokio::test]
async fn a_deny_asks_for_its_reason_and_frees_the_names() {
    let world = World::new().await;
    let (request, plan) = world.waiting("payments-api").await;
    let Reply::AskReason {
        plan: asked, title, ..
    } = world.presses(ALEX, ButtonId::RequestDeny, plan).await
    else {
        panic!("no reason asked for")
    };
    let number = world.view(request).await.number;
    assert_eq!((asked, title), (plan, format!("Deny {number}?")));
    let reason = "Use payments-core.".to_owned();
    world.does(ALEX, Event::DenyReasoned { plan, reason }).await;
    let end = world.view(request).await.end.unwrap();
    assert_eq!(end.by.unwrap().name, "Alex Ruiz");
    assert_eq!(end.reason.as_deref(), Some("Use payments-core."));
    assert_eq!(world.count("select count(*) from claim").await, 0);
    assert_eq!(world.count("select count(*) from run").await, 0);
    let late = world.presses(SAM, ButtonId::RequestApprove, plan).await;
    assert!(
        text(&late).starts_with("Alex Ruiz denied this at "),
        "{late:?}"
    );
}

#[tokio::test]
async fn two_approvers_at_once_make_one_decision() {
    let world = World::new().await;
    for n in 0..5 {
        let (request, plan) = world.waiting(&format!("service-{n}")).await;
        let (a, b) = tokio::join!(
            world.presses(ALEX, ButtonId::RequestApprove, plan),
            world.presses(SAM, ButtonId::RequestApprove, plan),
        );
        let told: Vec<String> = [a, b]
            .iter()
            .filter(|r| **r != Reply::Done)
            .map(text)
            .collect();
        assert_eq!(told.len(), 1, "one counts, the other is told: {told:?}");
        assert!(told[0].contains("approved this at "), "{told:?}");
        assert_eq!(world.state(request).await, RequestState::Approved);
        world.presses(PRIYA, ButtonId::RequestCancel, request).await;
    }
    assert_eq!(world.count("select count(*) from approval").await, 5);
    assert_eq!(world.count("select count(*) from vote").await, 5);
}

#[tokio::test]
async fn a_replayed_press_gets_the_same_reply_and_votes_once() {
    let world = World::new().await;
    let (_, plan) = world.waiting("payments-api").await;
    let press = world.delivery(ALEX, pressed(ButtonId::RequestApprove, plan));
    let first = idp::app::handle(&world.app, press.clone()).await.unwrap();
    let again = idp::app::handle(&world.app, press).await.unwrap();
    assert_eq!((&first, &again), (&Reply::Done, &Reply::Done));
    let late = world.delivery(SAM, pressed(ButtonId::RequestApprove, plan));
    let first = idp::app::handle(&world.app, late.clone()).await.unwrap();
    world.later(3).await;
    let again = idp::app::handle(&world.app, late).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(world.count("select count(*) from vote").await, 1);
}

#[tokio::test]
async fn two_quorums_want_two_people() {
    let world = World::new().await;
    let mut page = service("open-api");
    page["visibility"] = json!("public");
    let request = world.asks_with(PRIYA, page).await;
    world.plans(request).await;
    let plan = world.view(request).await.plan.unwrap();
    assert_eq!(plan.rule, "public-repositories");
    // Mo is of both groups: his one yes fills one place.
    world.presses(MO, ButtonId::RequestApprove, plan.id).await;
    let plan = world.view(request).await.plan.unwrap();
    assert_eq!(plan.lacking.iter().map(|(_, n)| n).sum::<u32>(), 1);
    let twice = world.presses(MO, ButtonId::RequestApprove, plan.id).await;
    assert_ne!(twice, Reply::Done);
    assert_eq!(world.state(request).await, RequestState::AwaitingApproval);
    world.presses(TESS, ButtonId::RequestApprove, plan.id).await;
    assert_eq!(world.state(request).await, RequestState::Approved);
}

#[tokio::test]
async fn who_may_cancel_before_and_after_approval() {
    let world = World::new().await;
    let (request, plan) = world.waiting("payments-api").await;
    let refused = world.presses(ALEX, ButtonId::RequestCancel, request).await;
    assert!(
        text(&refused).contains("Only"),
        "an approver to be is still a stranger: {refused:?}"
    );
    world.presses(ALEX, ButtonId::RequestApprove, plan).await;
    world.presses(ALEX, ButtonId::RequestCancel, request).await;
    assert_eq!(
        world.view(request).await.run.unwrap().state,
        RunState::Cancelling
    );
    let (request, _) = world.waiting("other-api").await;
    world.presses(MO, ButtonId::RequestCancel, request).await;
    let end = world.view(request).await.end.unwrap();
    assert_eq!(end.by.unwrap().name, "Mo Diaz");
    let late = world.presses(PRIYA, ButtonId::RequestCancel, request).await;
    assert!(!text(&late).is_empty());
}

#[tokio::test]
async fn the_plan_can_be_read_and_an_old_one_says_so() {
    let world = World::new().await;
    let (_, plan) = world.waiting("payments-api").await;
    let Reply::Page { title, blocks } = world.presses(TESS, ButtonId::PlanShow, plan).await else {
        panic!("no page")
    };
    assert!(title.contains("Plan"), "{title}");
    let read = serde_json::to_string(&blocks).unwrap();
    assert!(read.contains("index.html"), "the file tree is there");
}

#[tokio::test]
async fn values_that_nobody_made_are_answered_not_broken() {
    let world = World::new().await;
    for button in ButtonId::ALL {
        for value in [
            "",
            "x",
            "00000000-0000-0000-0000-000000000000",
            "request:1",
            "a:b:c",
        ] {
            let reply = world.presses(PRIYA, *button, value).await;
            assert!(
                matches!(reply, Reply::Card { .. } | Reply::Done),
                "{button} {value}: {reply:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_late_press_is_answered_though_the_database_dropped_its_connection() {
    let world = World::new().await;
    let mut plans = Vec::new();
    for name in ["payments-api", "other-api"] {
        let (_, plan) = world.waiting(name).await;
        world.presses(ALEX, ButtonId::RequestApprove, plan).await;
        plans.push(plan);
    }
    let presses = async |plan: PlanId| {
        let told = text(&world.presses(SAM, ButtonId::RequestApprove, plan).await);
        assert!(told.contains("Alex Ruiz approved this"), "{told}");
    };
    presses(plans[0]).await;
    // First a plan that is to be looked at, then one whose answer is remembered and only kept.
    for _ in 0..2 {
        let ended = "select count(pg_terminate_backend(pid)) from pg_stat_activity
                     where datname = current_database() and pid <> pg_backend_pid()";
        assert!(world.count(ended).await > 0);
        presses(plans[1]).await;
    }
}
