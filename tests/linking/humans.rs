//! What is so once two accounts are one person, and after they no longer are.

use idp::app::operator;
use idp::app::people::{self, AccountFacts};
use idp::app::plan::Stored;
use idp::domain::event::ButtonId;
use idp::domain::id::{PlanId, RequestId};
use idp::domain::person::AccountKind;
use idp::domain::reply::Reply;
use idp::domain::request::RequestState;
use serde_json::json;

use super::two::{ALEX_THERE, PRIYA_THERE, Two, ZOE_THERE, buttons, says};
use crate::core::world::{ALEX, MO, PRIYA, SAM, World, form, service, text};

const VOTES: &str = "select count(*) from vote";

async fn approves_there(two: &Two, account: &str, plan: PlanId) -> Reply {
    two.presses_there(account, ButtonId::RequestApprove, plan)
        .await
}

#[tokio::test]
async fn a_linked_person_decides_from_the_other_platform_and_others_there_do_not() {
    let two = Two::new().await;
    two.link(ALEX, ALEX_THERE).await;
    let (request, plan) = two.world.waiting("payments-api").await;
    let told = approves_there(&two, ZOE_THERE, plan).await;
    assert!(text(&told).contains("was asked for on Slack"), "{told:?}");
    assert!(
        text(&told).contains("/idp link"),
        "what helps is said: {told:?}"
    );
    assert_eq!(approves_there(&two, ALEX_THERE, plan).await, Reply::Done);
    assert_eq!(two.world.state(request).await, RequestState::Approved);
    // Each platform names them as it knows them.
    let approved =
        |view: idp::domain::view::RequestView| view.run.unwrap().approved_by[0].0.name.clone();
    assert_eq!(approved(two.world.view(request).await), "Alex Ruiz");
    assert_eq!(approved(two.view_there(request).await), "alexr");
}

#[tokio::test]
async fn nobody_approves_their_own_request_by_changing_platform() {
    let mut world = World::new().await;
    world.joins(PRIYA, "payments-leads").await;
    let two = Two::on(world).await;
    let (request, plan) = two.world.waiting("payments-api").await;
    two.link(PRIYA, PRIYA_THERE).await;
    let told = approves_there(&two, PRIYA_THERE, plan).await;
    assert!(text(&told).contains("your vote can't count"), "{told:?}");
    let rows = two.world.evidence(request).await;
    assert_eq!(rows.last().unwrap(), "vote.refused");
    // Asked for after the link, and from the other side: the same.
    two.has_roles(&[
        ("9001", "engineers", &[PRIYA_THERE, ALEX_THERE]),
        ("9002", "payments-leads", &[PRIYA_THERE, ALEX_THERE]),
    ])
    .await;
    let there = asks_there(&two, PRIYA_THERE, "billing-api").await;
    let Stored::Waits(plan) = two.world.plans(there).await else {
        panic!("doesn't wait")
    };
    let told = two
        .world
        .presses(PRIYA, ButtonId::RequestApprove, plan)
        .await;
    assert!(text(&told).contains("your vote can't count"), "{told:?}");
    assert_eq!(two.world.count(VOTES).await, 0);
    let decide = two.view_there(there).await.plan.unwrap().deciders;
    assert!(
        decide
            .iter()
            .all(|d| d.name != "priya" && d.name != "Priya Nair"),
        "{decide:?}"
    );
}

/// Asks for a service on Discord, from the first word to the sent form.
async fn asks_there(two: &Two, account: &str, name: &str) -> RequestId {
    let page = form(two.says_there(account, "new-service").await);
    let fills = async |page: &idp::domain::form::FormPage, values: serde_json::Value| {
        let event = idp::domain::event::Event::PageFilled {
            draft: page.draft,
            page: page.page,
            values: values.as_object().unwrap().clone().into_iter().collect(),
            turn: idp::domain::event::Turn::Next,
        };
        two.does_there(account, event).await
    };
    let page = form(fills(&page, service(name)).await);
    let sent = fills(&page, json!({ "headline": "Hello" })).await;
    assert!(text(&sent).contains("is asked for"), "{sent:?}");
    two.world.newest().await
}

#[tokio::test]
async fn whoever_parted_brings_nothing_of_the_others_groups_along() {
    let two = Two::new().await;
    two.has_roles(&[
        ("9001", "engineers", &[PRIYA_THERE, ALEX_THERE]),
        ("9002", "payments-leads", &[ZOE_THERE]),
    ])
    .await;
    // Only Alex's account on Slack leads payments.
    two.link(ALEX, ALEX_THERE).await;
    let account = two.account(ALEX_THERE).await;
    let done = two
        .presses_there(ALEX_THERE, ButtonId::LinkEnd, account)
        .await;
    assert!(text(&done).contains("person of its own again"), "{done:?}");
    let there = asks_there(&two, PRIYA_THERE, "billing-api").await;
    let Stored::Waits(plan) = two.world.plans(there).await else {
        panic!("doesn't wait")
    };
    let told = approves_there(&two, ALEX_THERE, plan).await;
    assert_ne!(told, Reply::Done);
    assert_eq!(two.world.count(VOTES).await, 0, "{told:?}");
    assert_eq!(
        two.world.evidence(there).await.last().unwrap(),
        "vote.refused"
    );
    assert_eq!(approves_there(&two, ZOE_THERE, plan).await, Reply::Done);
    assert_eq!(two.world.state(there).await, RequestState::Approved);
}

#[tokio::test]
async fn an_account_that_is_no_members_any_more_decides_nothing_and_knows_nobody() {
    let two = Two::linked().await;
    let (request, plan) = two.world.waiting("payments-api").await;
    two.is(ALEX_THERE, "alexr", AccountKind::Guest).await;
    let told = approves_there(&two, ALEX_THERE, plan).await;
    assert!(text(&told).contains("Only active full members"), "{told:?}");
    let gone = AccountFacts {
        external: ALEX_THERE.to_owned(),
        name: "alexr".to_owned(),
        kind: AccountKind::Full,
        active: false,
    };
    people::record_account(&two.world.app, two.guild, &gone)
        .await
        .unwrap();
    let told = approves_there(&two, ALEX_THERE, plan).await;
    assert!(text(&told).contains("Only active full members"), "{told:?}");
    // One that is gone where it was asked for vouches for nobody elsewhere.
    two.is(ALEX_THERE, "alexr", AccountKind::Full).await;
    two.has_roles(&[
        ("9001", "engineers", &[PRIYA_THERE, ALEX_THERE]),
        ("9002", "payments-leads", &[ALEX_THERE]),
    ])
    .await;
    two.world
        .is(ALEX, "Alex Ruiz", AccountKind::Full, false)
        .await;
    let told = approves_there(&two, ALEX_THERE, plan).await;
    assert!(text(&told).contains("was asked for on Slack"), "{told:?}");
    let deciders = two.world.view(request).await.plan.unwrap().deciders;
    assert_eq!(deciders.len(), 1, "{deciders:?}");
    let kinds = two.world.evidence(request).await;
    let refused = kinds.iter().filter(|kind| *kind == "vote.refused");
    assert_eq!((refused.count(), two.world.count(VOTES).await), (3, 0));
}

/// A request of Priya's that two leads have to approve, and its plan.
async fn two_needed(two: &Two) -> (RequestId, PlanId) {
    let (request, plan) = two.world.waiting("payments-api").await;
    sqlx::query("update plan set rule = jsonb_set(rule, '{require,0,count}', '2')")
        .execute(two.world.pool())
        .await
        .unwrap();
    (request, plan)
}

#[tokio::test]
async fn what_one_voted_on_their_own_request_before_the_link_does_not_count() {
    let mut world = World::new().await;
    world.joins(PRIYA, "payments-leads").await;
    let two = Two::on(world).await;
    // Sam's account turns out to be a second one of Priya's.
    let (request, plan) = two_needed(&two).await;
    assert_eq!(
        two.world.presses(SAM, ButtonId::RequestApprove, plan).await,
        Reply::Done
    );
    tie_by_file(&two, (PRIYA, SAM)).await;
    let view = two.world.view(request).await.plan.unwrap();
    assert_eq!(view.approvals, [], "their own by now");
    assert_eq!(view.lacking[0].1, 2);
    let sent = two.sent_to("C_PLATFORM").await;
    assert!(
        !format!("{sent:?}").contains("Sam Ito"),
        "its card is drawn anew: {sent:#?}"
    );
    // Alex is one; it takes another.
    assert_eq!(
        two.world
            .presses(ALEX, ButtonId::RequestApprove, plan)
            .await,
        Reply::Done
    );
    assert_eq!(
        two.world.state(request).await,
        RequestState::AwaitingApproval
    );
    assert_eq!(two.world.count(VOTES).await, 2, "kept as evidence");
}

/// The operator's file says that two accounts of the workspace are one human's.
async fn tie_by_file(two: &Two, (a, b): (&str, &str)) {
    super::listed::says(two, &[&[("slack", "T1", a), ("slack", "T1", b)]]).await;
}

#[tokio::test]
async fn a_human_who_voted_as_two_persons_counts_once() {
    let mut world = World::new().await;
    world.joins(MO, "payments-leads").await;
    let two = Two::on(world).await;
    let (request, plan) = two.world.waiting("payments-api").await;
    sqlx::query("update plan set rule = jsonb_set(rule, '{require,0,count}', '3')")
        .execute(two.world.pool())
        .await
        .unwrap();
    for account in [ALEX, SAM] {
        assert_eq!(
            two.world
                .presses(account, ButtonId::RequestApprove, plan)
                .await,
            Reply::Done
        );
    }
    tie_by_file(&two, (ALEX, SAM)).await;
    let view = two.world.view(request).await.plan.unwrap();
    assert_eq!((view.approvals.len(), view.lacking[0].1), (1, 2));
    let told = two.world.presses(SAM, ButtonId::RequestApprove, plan).await;
    assert!(
        text(&told).contains("voted") || text(&told).contains("already"),
        "{told:?}"
    );
    assert_eq!(
        two.world.presses(MO, ButtonId::RequestApprove, plan).await,
        Reply::Done
    );
    assert_eq!(
        two.world.state(request).await,
        RequestState::AwaitingApproval
    );
    // Apart again, they were one when it was asked for: still once.
    super::listed::says(&two, &[]).await;
    let view = two.world.view(request).await.plan.unwrap();
    assert_eq!(view.lacking[0].1, 1);
}

#[tokio::test]
async fn what_was_approved_before_the_link_stays_approved() {
    let two = Two::new().await;
    let (request, plan) = two.world.waiting("payments-api").await;
    two.world
        .presses(ALEX, ButtonId::RequestApprove, plan)
        .await;
    tie_by_file(&two, (PRIYA, ALEX)).await;
    let view = two.world.view(request).await;
    assert_eq!(view.state, RequestState::Approved);
    assert_eq!(view.run.unwrap().approved_by.len(), 1, "and says by whom");
}

#[tokio::test]
async fn unlinking_voids_no_vote_and_still_nobody_decides_on_their_own() {
    let mut world = World::new().await;
    world.joins(PRIYA, "payments-leads").await;
    let two = Two::on(world).await;
    two.link(PRIYA, PRIYA_THERE).await;
    two.link(ALEX, ALEX_THERE).await;
    let (request, plan) = two_needed(&two).await;
    assert_eq!(approves_there(&two, ALEX_THERE, plan).await, Reply::Done);
    let before: Vec<String> = persons(&two).await;
    for (account, there) in [(PRIYA, PRIYA_THERE), (ALEX, ALEX_THERE)] {
        let id = two.account(there).await;
        let own = two.world.presses(account, ButtonId::LinkEnd, &id).await;
        assert!(text(&own).contains("isn't yours"), "{own:?}");
        let done = two.presses_there(there, ButtonId::LinkEnd, &id).await;
        assert!(text(&done).contains("person of its own again"), "{done:?}");
    }
    let told = two.sent_to(ALEX).await.fallback;
    assert!(
        told.contains("alexr on Discord (Acme there) are no longer one person"),
        "{told}"
    );
    let rows = "select count(*) from audit where kind = 'accounts.unlinked'";
    assert_eq!(two.world.count(rows).await, 2);
    assert_ne!(persons(&two).await, before);

    let view = two.world.view(request).await.plan.unwrap();
    assert_eq!(
        (view.approvals.len(), view.lacking[0].1),
        (1, 1),
        "Alex's vote stays"
    );
    let told = two
        .world
        .presses(ALEX, ButtonId::RequestApprove, plan)
        .await;
    assert!(
        !matches!(told, Reply::Done),
        "and is the only one of theirs: {told:?}"
    );
    // Neither account is known on the other side any more.
    let told = approves_there(&two, PRIYA_THERE, plan).await;
    assert!(text(&told).contains("was asked for on Slack"), "{told:?}");
    let nothing = two
        .presses_there(ALEX_THERE, ButtonId::LinkEnd, two.account(ALEX_THERE).await)
        .await;
    assert!(text(&nothing).contains("isn't linked"), "{nothing:?}");
    assert_eq!(
        two.world.presses(SAM, ButtonId::RequestApprove, plan).await,
        Reply::Done
    );
    assert_eq!(two.world.state(request).await, RequestState::Approved);
}

async fn persons(two: &Two) -> Vec<String> {
    sqlx::query_scalar("select person_id::text from account order by id")
        .fetch_all(two.world.pool())
        .await
        .unwrap()
}

#[tokio::test]
async fn whoever_was_one_with_the_requester_never_decides_even_where_they_are_known() {
    let two = Two::new().await;
    tie_by_file(&two, (PRIYA, ALEX)).await;
    let (request, plan) = two.world.waiting("payments-api").await;
    super::listed::says(&two, &[]).await;
    let told = two
        .world
        .presses(ALEX, ButtonId::RequestApprove, plan)
        .await;
    assert!(text(&told).contains("your vote can't count"), "{told:?}");
    let deciders = two.world.view(request).await.plan.unwrap().deciders;
    assert_eq!(
        deciders.iter().map(|d| &*d.name).collect::<Vec<_>>(),
        ["Sam Ito"]
    );
    // The database says so too, whatever the code does.
    let forced = sqlx::query(
        "insert into vote (id, plan_id, requester_id, person_id, account_id, verdict, groups, created_at)
         select gen_random_uuid(), p.id, p.requester_id, a.person_id, a.id, 'approve', '{x}', now()
         from plan p, account a where a.external_id = $1",
    )
    .bind(ALEX)
    .execute(two.world.pool())
    .await;
    assert!(
        forced
            .unwrap_err()
            .to_string()
            .contains("a vote by the one who asked")
    );
    // A slip of the file is put right: what is asked for from now on isn't touched by it.
    let (next, plan) = two.world.waiting("billing-api").await;
    assert_eq!(
        two.world
            .presses(ALEX, ButtonId::RequestApprove, plan)
            .await,
        Reply::Done
    );
    assert_eq!(two.world.state(next).await, RequestState::Approved);
}

#[tokio::test]
async fn lists_limits_drafts_and_rights_are_the_humans() {
    let two = Two::new().await;
    let (request, _) = two.world.waiting("payments-api").await;
    let number = two.world.view(request).await.number;
    let page = form(two.says_there(PRIYA_THERE, "new-service").await);
    let begun = idp::domain::event::Event::PageFilled {
        draft: page.draft,
        page: page.page,
        values: service("half-typed")
            .as_object()
            .unwrap()
            .clone()
            .into_iter()
            .collect(),
        turn: idp::domain::event::Turn::Next,
    };
    form(two.does_there(PRIYA_THERE, begun).await);
    let before = says(&two.says_there(PRIYA_THERE, "list").await);
    assert!(!before.contains("payments-api"), "{before}");
    two.link(PRIYA, PRIYA_THERE).await;
    two.link(ALEX, ALEX_THERE).await;

    for answer in [
        two.says_there(PRIYA_THERE, "list").await,
        two.says_there(PRIYA_THERE, "status").await,
    ] {
        assert!(text(&answer).contains("payments-api"), "{answer:?}");
    }
    let home = text(&two.says_there(PRIYA_THERE, "").await);
    assert!(
        home.contains("1 open of yours") && home.contains("0 waiting"),
        "{home}"
    );
    let home = text(&two.says_there(ALEX_THERE, "").await);
    assert!(home.contains("1 waiting for you"), "{home}");
    let Reply::Card { card } = two.world.says(PRIYA, "").await else {
        panic!("no home")
    };
    let begun = buttons(&card);
    let begun = begun.iter().find(|b| b.value.starts_with("draft:"));
    let begun = begun.unwrap_or_else(|| panic!("what was begun there is gone: {card:#?}"));
    let page = form(two.world.presses(PRIYA, begun.id, &begun.value).await);
    let sent = two
        .world
        .fills(PRIYA, &page, json!({ "headline": "Hello" }))
        .await;
    assert!(text(&sent).contains("is asked for"), "{sent:?}");

    for name in ["two-api", "three-api", "four-api"] {
        asks_there(&two, PRIYA_THERE, name).await;
    }
    let Reply::Card { card } = two.world.says(PRIYA, "new-service").await else {
        panic!("a sixth open request")
    };
    assert!(card.fallback.contains("limit"), "{}", card.fallback);
    let done = two
        .says_there(PRIYA_THERE, &format!("cancel {number}"))
        .await;
    assert!(text(&done).contains("is cancelled"), "{done:?}");
    assert_eq!(two.world.state(request).await, RequestState::Cancelled);
    let reader = two.world.view(request).await.end.unwrap().by.unwrap().name;
    assert_eq!(reader, "Priya Nair");
}

#[tokio::test]
async fn groups_are_those_of_all_accounts_of_a_human() {
    let two = Two::new().await;
    // Mo leads payments by an account there alone.
    two.has_roles(&[
        ("9001", "engineers", &[ALEX_THERE]),
        ("9002", "payments-leads", &[ZOE_THERE]),
    ])
    .await;
    let (request, plan) = two.world.waiting("payments-api").await;
    let deciders = |view: idp::domain::view::RequestView| {
        let deciders = view.plan.unwrap().deciders;
        deciders.into_iter().map(|d| d.name).collect::<Vec<_>>()
    };
    let known = deciders(two.world.view(request).await);
    assert_eq!(
        known,
        ["Alex Ruiz", "Sam Ito"],
        "whom nobody knows here decides nothing and isn't named"
    );
    two.link(MO, ZOE_THERE).await;
    let known = deciders(two.world.view(request).await);
    assert!(known.contains(&"Mo Diaz".to_owned()), "{known:?}");
    assert_eq!(
        two.world.presses(MO, ButtonId::RequestApprove, plan).await,
        Reply::Done
    );
    // An account that is gone brings nothing any more.
    let gone = AccountFacts {
        external: ZOE_THERE.to_owned(),
        name: "zoe".to_owned(),
        kind: AccountKind::Full,
        active: false,
    };
    people::record_account(&two.world.app, two.guild, &gone)
        .await
        .unwrap();
    let (request, plan) = two.world.waiting("billing-api").await;
    let told = two.world.presses(MO, ButtonId::RequestApprove, plan).await;
    assert!(!matches!(told, Reply::Done), "{told:?}");
    assert_eq!(
        two.world.state(request).await,
        RequestState::AwaitingApproval
    );
}

#[tokio::test]
async fn whoever_looks_from_the_other_platform_gets_a_card_that_stays_true() {
    let two = Two::linked().await;
    let (request, plan) = two.world.waiting("payments-api").await;
    two.sends().await;
    let number = two.world.view(request).await.number;
    // Somebody there whom nobody knows here may look, and gets no buttons.
    let told = text(&two.says_there(ZOE_THERE, &format!("status {number}")).await);
    assert!(!told.contains("direct message"), "{told}");
    for _ in 0..2 {
        let told = text(
            &two.says_there(ALEX_THERE, &format!("status {number}"))
                .await,
        );
        assert!(
            told.contains("comes to you here as a direct message"),
            "{told}"
        );
    }
    let sent = two.sends().await;
    assert_eq!(
        sent.iter().filter(|(place, _)| place == ALEX_THERE).count(),
        1,
        "one copy: {sent:#?}"
    );
    let card = &sent
        .iter()
        .find(|(place, _)| place == ALEX_THERE)
        .unwrap()
        .1;
    let approve = buttons(card)
        .into_iter()
        .find(|b| b.id == ButtonId::RequestApprove)
        .unwrap();
    assert_eq!(approve.value, plan.to_string());
    assert_eq!(
        two.presses_there(ALEX_THERE, approve.id, plan).await,
        Reply::Done
    );
    let card = format!("{:?}", two.sent_to(ALEX_THERE).await);
    assert!(
        card.contains("Approved") && card.contains("alexr"),
        "{card}"
    );
    // After the decision too, to its end.
    let told = two
        .world
        .presses(PRIYA, ButtonId::RequestCancel, request)
        .await;
    assert!(text(&told).contains("is being cancelled"), "{told:?}");
    let card = two.sent_to(ALEX_THERE).await;
    assert!(
        card.fallback.contains("ndo") || card.fallback.contains("ancel"),
        "{}",
        card.fallback
    );
}

#[tokio::test]
async fn evidence_names_who_is_meant_after_the_link_too() {
    let two = Two::new().await;
    let (request, plan) = two.world.waiting("payments-api").await;
    two.world
        .presses(ALEX, ButtonId::RequestApprove, plan)
        .await;
    two.link(PRIYA, PRIYA_THERE).await;
    two.link(ALEX, ALEX_THERE).await;
    let number = two.world.view(request).await.number;
    let shown = operator::show(&two.world.app, number)
        .await
        .unwrap()
        .unwrap();
    let names: Vec<&str> = shown.names.iter().map(|(_, name)| name.as_str()).collect();
    assert!(
        names.contains(&"Priya Nair") && names.contains(&"Alex Ruiz"),
        "{names:?}"
    );
}
