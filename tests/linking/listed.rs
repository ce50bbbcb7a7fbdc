//! `[[people]]`: what the operator's file says is made so, and taken back when it no longer does.

use std::sync::Arc;

use idp::app::link::listed;
use idp::app::{App, Listed, Live, due};
use idp::domain::event::ButtonId;
use idp::domain::person::{AccountKind, Platform};

use super::two::{ALEX_THERE, GUILD, PRIYA_THERE, Two, ZOE_THERE, says as told};
use crate::core::world::{ALEX, MO, PRIYA, TEAM, text};

const OPEN: &str = "select count(*) from tie where until is null";

/// The file says this from now on.
pub async fn says(two: &Two, people: &[&[(&str, &str, &str)]]) {
    let account = |(platform, installation, account): &(&str, &str, &str)| Listed {
        platform: platform.parse::<Platform>().unwrap(),
        installation: (*installation).to_owned(),
        account: (*account).to_owned(),
        at: "idp.toml:3:5".to_owned(),
    };
    let app = &two.world.app;
    let mut settings = (*app.settings.current()).clone();
    settings.people = people
        .iter()
        .map(|entry| entry.iter().map(account).collect())
        .collect();
    app.settings.replace(settings);
    listed::apply(app).await.unwrap();
}

const SLACK: &str = "slack";
const DISCORD: &str = "discord";

#[tokio::test]
async fn the_operator_links_and_unlinks_by_the_file() {
    let two = Two::new().await;
    let priya: &[_] = &[(SLACK, TEAM, PRIYA), (DISCORD, GUILD, PRIYA_THERE)];
    says(&two, &[priya]).await;
    says(&two, &[priya]).await;
    assert_eq!(
        two.world.count(OPEN).await,
        1,
        "once, however often it is read"
    );
    let sent = two.sends().await;
    assert_eq!(sent.len(), 2, "both are told: {sent:#?}");
    let by = "select count(*) from audit where kind = 'accounts.linked' and position('\"by\":\"file\"'::bytea in body) > 0";
    assert_eq!(two.world.count(by).await, 1);

    let answer = two.says_there(PRIYA_THERE, "link").await;
    assert!(
        told(&answer).contains("only they can change it"),
        "{answer:?}"
    );
    let id = two.account(PRIYA_THERE).await;
    let press = two.presses_there(PRIYA_THERE, ButtonId::LinkEnd, id).await;
    assert!(
        text(&press).contains("Only they can change it"),
        "{press:?}"
    );

    says(&two, &[]).await;
    assert_eq!(two.world.count(OPEN).await, 0);
    let gone = "select count(*) from audit where kind = 'accounts.unlinked'";
    assert_eq!(two.world.count(gone).await, 1);
    let persons =
        "select count(distinct person_id) from account where external_id in ('U_PRIYA', '8001')";
    assert_eq!(two.world.count(persons).await, 2);
}

#[tokio::test]
async fn whoever_the_file_parts_is_told_whatever_other_accounts_they_have() {
    let two = Two::new().await;
    let priya: &[_] = &[(SLACK, TEAM, PRIYA), (DISCORD, GUILD, PRIYA_THERE)];
    says(&two, &[priya]).await;
    two.sends().await;
    // Her account on GitHub is newer than both, and goes with one of them.
    for sql in [
        "insert into installation (id, platform, external_id, name, created_at)
         values (gen_random_uuid(), 'github', 'acme', 'acme', now())",
        "insert into account (id, installation_id, external_id, person_id, own_person_id, name, kind, linked_at, created_at)
         select gen_random_uuid(), i.id, '501', a.person_id, a.own_person_id, 'priya', 'full', now(), now()
         from installation i, account a where i.platform = 'github' and a.external_id = 'U_PRIYA'",
    ] {
        sqlx::query(sql).execute(two.world.pool()).await.unwrap();
    }
    says(&two, &[]).await;
    assert_eq!(two.world.count(OPEN).await, 0);
    let told = two.sends().await;
    let whom: Vec<&str> = told.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(whom, [PRIYA, PRIYA_THERE], "{told:#?}");
}

#[tokio::test]
async fn what_people_linked_themselves_stays_when_the_file_forgets_it() {
    let two = Two::new().await;
    two.link(PRIYA, PRIYA_THERE).await;
    says(
        &two,
        &[&[(SLACK, TEAM, PRIYA), (DISCORD, GUILD, PRIYA_THERE)]],
    )
    .await;
    assert_eq!(two.world.count(OPEN).await, 2);
    says(&two, &[]).await;
    assert_eq!(two.world.count(OPEN).await, 1);
    let persons =
        "select count(distinct person_id) from account where external_id in ('U_PRIYA', '8001')";
    assert_eq!(two.world.count(persons).await, 1);
}

#[tokio::test]
async fn three_accounts_of_one_entry_are_one_human_whichever_is_taken_out() {
    let two = Two::new().await;
    let three: [(&str, &str, &str); 3] = [
        (SLACK, TEAM, MO),
        (DISCORD, GUILD, ZOE_THERE),
        (DISCORD, GUILD, ALEX_THERE),
    ];
    let persons = "select count(distinct person_id) from account where external_id in ('U_MO', '8003', '8002')";
    for out in 0..3 {
        says(&two, &[&three]).await;
        assert_eq!(two.world.count(persons).await, 1);
        let left: Vec<_> = (0..3).filter(|at| *at != out).map(|at| three[at]).collect();
        says(&two, &[&left]).await;
        assert_eq!(two.world.count(persons).await, 2);
    }
}

#[tokio::test]
async fn a_wrong_entry_holds_up_no_other() {
    let two = Two::new().await;
    let good: &[_] = &[(SLACK, TEAM, ALEX), (DISCORD, GUILD, ALEX_THERE)];
    two.is(ZOE_THERE, "zoe", AccountKind::Guest).await;
    says(
        &two,
        &[
            &[(SLACK, "T9", PRIYA), (DISCORD, GUILD, PRIYA_THERE)],
            &[(SLACK, TEAM, MO), (DISCORD, GUILD, ZOE_THERE)],
            good,
        ],
    )
    .await;
    assert_eq!(two.world.count(OPEN).await, 1);
}

#[tokio::test]
async fn an_account_that_nobody_has_seen_is_linked_once_it_was_looked_up() {
    let two = Two::new().await;
    let entry: &[_] = &[(SLACK, TEAM, PRIYA), (DISCORD, GUILD, "8777")];
    says(&two, &[entry]).await;
    assert_eq!(two.world.count(OPEN).await, 0);
    two.is("8777", "priya.n", AccountKind::Full).await;
    two.world.later(1).await;
    due::tick(&two.world.app, "test").await.unwrap();
    assert_eq!(two.world.count(OPEN).await, 1);
}

#[tokio::test]
async fn replicas_that_read_different_files_for_a_while_do_not_undo_each_other() {
    let two = Two::new().await;
    let app = &two.world.app;
    let before = App {
        settings: Live::new((*app.settings.current()).clone()),
        listed: Arc::default(),
        ..app.clone()
    };
    listed::apply(&before).await.unwrap();
    let priya: &[_] = &[(SLACK, TEAM, PRIYA), (DISCORD, GUILD, PRIYA_THERE)];
    says(&two, &[priya]).await;
    for _ in 0..2 {
        for (app, holder) in [(&before, "one"), (app, "other")] {
            two.world.later(1).await;
            due::tick(app, holder).await.unwrap();
            assert_eq!(two.world.count(OPEN).await, 1);
        }
    }
    let told = "select count(*) from audit where kind like 'accounts.%'";
    assert_eq!(two.world.count(told).await, 1);
}
