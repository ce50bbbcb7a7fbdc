//! People who go, tokens that are refused, and the evidence of it all.

use idp::app::people::{AccountFacts, PlatformGroup};
use idp::app::plan::{TakenAgain, take_again};
use idp::app::{audit, people};
use idp::cards;
use idp::domain::event::{ButtonId, Event};
use idp::domain::person::{AccountKind, Platform};
use idp::domain::reply::Reply;
use idp::domain::request::RequestState;

use super::world::{ALEX, PRIYA, SAM, TESS, World, form, text};

#[tokio::test]
async fn the_requests_of_somebody_deactivated_go_before_they_run() {
    let world = World::new().await;
    let (waits, plan) = world.waiting("payments-api").await;
    let (approved, other) = world.waiting("other-api").await;
    world.presses(ALEX, ButtonId::RequestApprove, other).await;
    world
        .is(PRIYA, "Priya Nair", AccountKind::Full, false)
        .await;
    assert_eq!(world.state(waits).await, RequestState::Cancelled);
    let late = world.presses(ALEX, ButtonId::RequestApprove, plan).await;
    assert!(text(&late).starts_with("This was cancelled"), "{late:?}");

    // The approved one is met just before its first step.
    let run: uuid::Uuid = sqlx::query_scalar("select id from run")
        .fetch_one(world.pool())
        .await
        .unwrap();
    let work = take_again(&world.app, run.into()).await.unwrap();
    assert!(matches!(work, TakenAgain::Not), "{work:?}");
    assert_eq!(world.state(approved).await, RequestState::Cancelled);
    assert_eq!(world.count("select count(*) from claim").await, 0);
}

#[tokio::test]
async fn whoever_leaves_is_named_on_no_card_any_more_and_keeps_their_name() {
    let world = World::new().await;
    let (request, plan) = world.waiting("payments-api").await;
    let names = async || {
        let plan = world.view(request).await.plan.unwrap();
        let names = plan.deciders.into_iter().map(|decider| decider.name);
        names.collect::<Vec<String>>().join(", ")
    };
    let wanted = "select sum(wanted)::bigint from message where kind = 'root'";
    let before = world.count(wanted).await;
    assert!(names().await.contains("Sam Ito"));
    let leaves = async |account: &str| {
        let gone = AccountFacts::nobody(account);
        people::record_account(&world.app, world.installation, &gone)
            .await
            .unwrap();
    };
    // No card names whoever decides nothing of what waits.
    leaves(TESS).await;
    assert_eq!(world.count(wanted).await, before);
    leaves(SAM).await;
    assert!(!names().await.contains("Sam Ito"));
    let raised = world.count(wanted).await;
    assert!(raised > before, "the card is shown anew");
    let kept = "select count(*) from account where external_id = 'U_SAM' and name = 'Sam Ito'";
    assert_eq!(world.count(kept).await, 1);
    // Once is enough.
    leaves(SAM).await;
    assert_eq!(world.count(wanted).await, raised);
    world.presses(ALEX, ButtonId::RequestApprove, plan).await;
    assert_eq!(world.state(request).await, RequestState::Approved);
}

#[tokio::test]
async fn whoever_is_told_to_be_in_no_group_any_more_is_named_on_no_card() {
    let world = World::new().await;
    let (request, _) = world.waiting("payments-api").await;
    let own = world.asks_for(SAM, "sams-api").await;
    world.plans(own).await;
    let wanted = "select sum(wanted)::bigint from message m join thread t on t.id = m.thread_id
        where m.kind = 'root' and t.request_id = (select id from request where subject = 'payments-api')";
    let before = world.count(wanted).await;
    // As Discord tells of somebody who left: a look-up follows, which finds them in no group.
    let mut told = world.delivery(SAM, Event::AccountChanged);
    told.sender.groups = Some(Vec::new());
    idp::app::handle(&world.app, told).await.unwrap();
    let raised = world.count(wanted).await;
    assert!(raised > before, "the card is shown anew");
    let plan = world.view(request).await.plan.unwrap();
    let names: Vec<&str> = plan.deciders.iter().map(|d| d.name.as_str()).collect();
    assert_eq!(names, ["Alex Ruiz"]);
    let gone = AccountFacts::nobody(SAM);
    people::record_account(&world.app, world.installation, &gone)
        .await
        .unwrap();
    assert_eq!(world.count(wanted).await, raised);
    assert_eq!(world.state(own).await, RequestState::Cancelled);
}

#[tokio::test]
async fn whoever_would_be_refused_for_what_they_were_is_looked_up_anew() {
    let world = World::new().await;
    let looks = "select count(*) from graphile_worker.jobs where task_identifier = 'idp.lookup'";
    world.says(ALEX, "new-service").await;
    assert_eq!(world.count(looks).await, 0);
    world.is(SAM, "Sam Ito", AccountKind::Full, false).await;
    let told = text(&world.says(SAM, "new-service").await);
    assert!(told.contains("Your account is deactivated"), "{told}");
    assert_eq!(world.count(looks).await, 1);
    world.is(TESS, "Tess Wu", AccountKind::Guest, true).await;
    let told = text(&world.says(TESS, "new-service").await);
    assert!(told.contains("Guests can't ask for this"), "{told}");
    assert_eq!(world.count(looks).await, 2);
    // It finds who is back.
    world.is(SAM, "Sam Ito", AccountKind::Full, true).await;
    form(world.says(SAM, "new-service").await);
}

#[tokio::test]
async fn who_may_not_ask_any_more_gets_nothing_though_it_was_approved() {
    let mut world = World::new().await;
    let (request, plan) = world.waiting("payments-api").await;
    world.presses(ALEX, ButtonId::RequestApprove, plan).await;
    world.leaves(PRIYA, "engineers").await;
    let run = world.view(request).await.run.unwrap().id;
    let work = take_again(&world.app, run).await.unwrap();
    assert!(matches!(work, TakenAgain::Not), "{work:?}");
    let view = world.view(request).await;
    assert_eq!(view.state, RequestState::Cancelled);
    let card = format!("{:?}", cards::root(&view, view.since));
    let why = "Only engineers can ask for new-service, and Priya Nair isn't there any more.";
    assert!(
        card.contains("before the run") && card.contains(why),
        "{card}"
    );
    assert_eq!(world.count("select count(*) from claim").await, 0);
    let jobs = "select count(*) from run where state <> 'superseded'";
    assert_eq!(world.count(jobs).await, 0);
    let kinds = world.evidence(request).await;
    assert_eq!(
        kinds[kinds.len() - 2..],
        ["request.plan_changed", "request.cancelled"]
    );

    // Back among the engineers, they ask again.
    world.joins(PRIYA, "engineers").await;
    let (again, plan) = world.waiting("payments-api").await;
    world.presses(ALEX, ButtonId::RequestApprove, plan).await;
    let run = world.view(again).await.run.unwrap().id;
    let work = take_again(&world.app, run).await.unwrap();
    assert!(matches!(work, TakenAgain::Work(_)), "{work:?}");
}

#[tokio::test]
async fn a_run_waits_while_nobody_can_tell_who_may() {
    let world = World::new().await;
    let (request, plan) = world.waiting("payments-api").await;
    world.presses(ALEX, ButtonId::RequestApprove, plan).await;
    let run = world.view(request).await.run.unwrap().id;
    world.later(10).await;
    let work = take_again(&world.app, run).await.unwrap();
    let TakenAgain::Wait { cause, .. } = work else {
        panic!("{work:?}")
    };
    assert_eq!(
        cause,
        "The members of engineers haven't been readable for more than five minutes"
    );
    assert_eq!(world.state(request).await, RequestState::Approved);
    world.read_groups().await;
    let work = take_again(&world.app, run).await.unwrap();
    assert!(matches!(work, TakenAgain::Work(_)), "{work:?}");
}

#[tokio::test]
async fn where_no_list_is_read_what_a_lead_told_of_themselves_decides_for_minutes() {
    let world = World::new().await;
    let reads = async || {
        let group = |external: &str, handle: &str, members: Option<Vec<String>>| PlatformGroup {
            external: external.to_owned(),
            handle: handle.to_owned(),
            name: handle.to_owned(),
            members,
        };
        let engineers = Some(vec![PRIYA.to_owned()]);
        let groups = [
            group("S1", "engineers", engineers),
            group("S2", "payments-leads", None),
        ];
        people::record_groups(&world.app, world.installation, &groups)
            .await
            .unwrap();
    };
    let looks_up = async |groups: &[&str]| {
        let groups: Vec<String> = groups.iter().map(|g| (*g).to_owned()).collect();
        people::record_groups_of(&world.app, world.installation, (ALEX, &groups))
            .await
            .unwrap();
    };
    reads().await;
    looks_up(&["S2"]).await;
    let (request, plan) = world.waiting("payments-api").await;
    let presses = async || world.presses(ALEX, ButtonId::RequestApprove, plan).await;
    world.later(6).await;
    reads().await;
    let told = text(&presses().await);
    assert!(
        told.contains("I can't tell at the moment who is in payments-leads"),
        "{told}"
    );
    let looks = "select count(*) from graphile_worker.jobs where task_identifier = 'idp.lookup'";
    assert_eq!(world.count(looks).await, 1);
    // The role was taken from them meanwhile.
    looks_up(&[]).await;
    let told = text(&presses().await);
    assert!(told.contains("Only payments-leads decide"), "{told}");
    looks_up(&["S2"]).await;
    assert_eq!(presses().await, Reply::Done);
    assert_eq!(world.state(request).await, RequestState::Approved);
}

#[tokio::test]
async fn a_refused_token_is_evidence_once() {
    let world = World::new().await;
    for good in [false, false, true, true] {
        people::record_token(&world.app, world.installation, good)
            .await
            .unwrap();
    }
    let rows = "select count(*) from audit where kind in ('token.refused', 'token.good')";
    assert_eq!(world.count(rows).await, 2);
}

#[tokio::test]
async fn any_edit_of_the_evidence_is_found() {
    let world = World::new().await;
    let (_, plan) = world.waiting("payments-api").await;
    world.presses(ALEX, ButtonId::RequestApprove, plan).await;
    let report = audit::verify(&world.app, None).await.unwrap();
    assert!(report.broken.is_empty() && report.rows >= 4, "{report:?}");

    let refused = sqlx::query("update audit set kind = 'x'")
        .execute(world.pool())
        .await;
    assert!(refused.unwrap_err().to_string().contains("never changed"));
    // Somebody with the owner's rights takes the trigger away first.
    for (harm, found) in [
        (
            "update audit set body = body || 'x' where kind = 'vote.cast'",
            "was changed",
        ),
        (
            "update audit set at = at - interval '1 hour' where kind = 'vote.cast'",
            "was changed",
        ),
        (
            "update audit set kind = 'vote.void' where kind = 'vote.cast'",
            "was changed",
        ),
        ("delete from audit where kind = 'plan.made'", "is missing"),
        (
            "delete from audit where kind = 'request.approved'",
            "ends before",
        ),
    ] {
        let mut tx = world.pool().begin().await.unwrap();
        sqlx::query("alter table audit disable trigger user")
            .execute(&mut *tx)
            .await
            .unwrap();
        sqlx::query(harm).execute(&mut *tx).await.unwrap();
        let report = audit::verify_on(&world.app, &mut tx).await.unwrap();
        assert!(
            report.broken.iter().any(|b| b.contains(found)),
            "{harm}: {report:?}"
        );
        tx.rollback().await.unwrap();
    }
}

#[tokio::test]
async fn a_cut_tail_is_found_by_an_older_checkpoint() {
    let world = World::with(|s| s.state_key = Some(vec![7; 32].into())).await;
    world.waiting("payments-api").await;
    audit::checkpoint(&world.app).await.unwrap();
    assert!(
        audit::verify(&world.app, None)
            .await
            .unwrap()
            .broken
            .is_empty()
    );
    let mut tx = world.pool().begin().await.unwrap();
    for harm in [
        "alter table audit disable trigger user",
        "delete from audit where kind = 'plan.made'",
        "update audit_chain set seq = 1, hash = (select hash from audit a where a.chain = audit_chain.chain and a.seq = 1)
         where chain like 'request:%'",
    ] {
        sqlx::query(harm).execute(&mut *tx).await.unwrap();
    }
    let report = audit::verify_on(&world.app, &mut tx).await.unwrap();
    assert!(
        report.broken.iter().any(|b| b.contains("checkpoint")),
        "{report:?}"
    );
}

#[tokio::test]
async fn a_tail_cut_with_its_checkpoints_is_found_by_the_copy_kept_elsewhere() {
    let key = vec![7; 32].into();
    let world = World::with(|s| s.state_key = Some(vec![7; 32].into())).await;
    world.waiting("payments-api").await;
    audit::checkpoint(&world.app).await.unwrap();
    let mut copy = String::new();
    audit::export(&world.app, None, |line| {
        copy.push_str(line);
        copy.push('\n');
        Ok(())
    })
    .await
    .unwrap();
    let kept = audit::Exported::read(copy.as_bytes(), Some(&key)).unwrap();
    let report = audit::verify(&world.app, Some(&kept)).await.unwrap();
    assert_eq!(report.broken, Vec::<String>::new());

    let mut tx = world.pool().begin().await.unwrap();
    for harm in [
        "alter table audit disable trigger user",
        "alter table checkpoint disable trigger user",
        "delete from checkpoint",
        "delete from audit where kind = 'plan.made'",
        "update audit_chain set seq = 1, hash = (select hash from audit a where a.chain = audit_chain.chain and a.seq = 1)
         where chain like 'request:%'",
    ] {
        sqlx::query(harm).execute(&mut *tx).await.unwrap();
    }
    tx.commit().await.unwrap();
    let blind = audit::verify(&world.app, None).await.unwrap();
    assert_eq!(blind.broken, Vec::<String>::new());
    // Either part of the copy tells it: the rows, or the checkpoints alone.
    let checkpoints: Vec<&str> = copy.lines().filter(|l| l.contains("\"mac\"")).collect();
    assert_eq!(checkpoints.len(), 1);
    for copy in [copy.clone(), checkpoints.join("\n")] {
        let kept = audit::Exported::read(copy.as_bytes(), Some(&key)).unwrap();
        let found = audit::verify(&world.app, Some(&kept)).await.unwrap().broken;
        assert!(
            matches!(&found[..], [only] if only.contains("is missing")),
            "{found:?}"
        );
    }

    // What isn't a copy, or is one that somebody else sealed, is none.
    let other = vec![8; 32].into();
    for (text, key) in [("", &key), ("{}", &key), (copy.as_str(), &other)] {
        assert!(audit::Exported::read(text.as_bytes(), Some(key)).is_err());
    }
}

#[tokio::test]
async fn a_workspace_that_was_left_holds_up_no_approval() {
    let world = World::new().await;
    // Another one of the same people, never read again since the move to this one.
    let facts = people::InstallationFacts {
        platform: Platform::Slack,
        external: "T_OLD".to_owned(),
        name: "Acme of old".to_owned(),
        app: None,
        bot_account: None,
    };
    let old = people::record_installation(&world.app, &facts)
        .await
        .unwrap();
    let leads = people::PlatformGroup {
        external: "S_OLD".to_owned(),
        handle: "payments-leads".to_owned(),
        name: "Leads".to_owned(),
        members: Some(vec!["U_OLD".to_owned()]),
    };
    let leads = [leads];
    people::record_groups(&world.app, old, &leads)
        .await
        .unwrap();
    let (request, plan) = world.waiting("payments-api").await;
    world.later(10).await;
    world.read_groups().await;
    world.presses(ALEX, ButtonId::RequestApprove, plan).await;
    assert_eq!(
        world.state(request).await,
        RequestState::AwaitingApproval,
        "it may only be late"
    );
    world.later(10).await;
    world.read_groups().await;
    world.presses(ALEX, ButtonId::RequestApprove, plan).await;
    assert_eq!(world.state(request).await, RequestState::Approved);

    // Where the app was removed, nobody waits.
    people::record_groups(&world.app, old, &leads)
        .await
        .unwrap();
    let (request, plan) = world.waiting("other-api").await;
    people::record_token(&world.app, old, false).await.unwrap();
    world.later(6).await;
    world.read_groups().await;
    world.presses(ALEX, ButtonId::RequestApprove, plan).await;
    assert_eq!(world.state(request).await, RequestState::Approved);
}
