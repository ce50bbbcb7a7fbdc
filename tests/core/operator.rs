//! Operators: requests from the command line, and the questions that auditors ask.

use idp::app::operator::{self, NotAsked};
use idp::app::{audit, configured};
use idp::domain::event::ButtonId;
use idp::domain::request::RequestState;
use serde_json::{Map, Value, json};

use super::world::{ALEX, PRIYA, World};

fn values(name: &str) -> Map<String, Value> {
    let values = json!({
        "name": name, "template": "static-site", "owner": "payments", "visibility": "private", "headline": "Hi",
    });
    values.as_object().unwrap().clone()
}

#[tokio::test]
async fn an_operators_request_needs_approval_like_any_other() {
    let world = World::new().await;
    let asked = operator::ask(&world.app, "root", "new-service", &values("payments-api")).await;
    let view = asked.unwrap().unwrap();
    assert_eq!(
        (view.state, view.requester.name.as_str()),
        (RequestState::Planning, "root")
    );
    world.plans(view.id).await;
    let plan = world.view(view.id).await.plan.unwrap();
    assert_eq!(plan.deciders.len(), 2);
    let stands = "select count(*) from thread where channel = 'C_PLATFORM' and role = 'main'";
    assert_eq!(world.count(stands).await, 1);
    world.presses(ALEX, ButtonId::RequestApprove, plan.id).await;
    assert_eq!(world.state(view.id).await, RequestState::Approved);
    assert_eq!(operator::list(&world.app, true, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn operators_are_told_what_is_wrong() {
    let world = World::new().await;
    let asked = operator::ask(&world.app, "root", "new-servise", &values("a-b"))
        .await
        .unwrap();
    let Err(NotAsked::Refused(refusal)) = asked else {
        panic!("{asked:?}")
    };
    assert_eq!(refusal.nearest.as_deref(), Some("new-service"));
    let asked = operator::ask(&world.app, "root", "new-service", &values("A B"))
        .await
        .unwrap();
    let Err(NotAsked::Wrong(errors)) = asked else {
        panic!("{asked:?}")
    };
    assert_eq!(errors[0].field, "name");
    world.asks_for(PRIYA, "taken-api").await;
    let asked = operator::ask(&world.app, "root", "new-service", &values("taken-api"))
        .await
        .unwrap();
    assert!(matches!(asked, Err(NotAsked::Wrong(_))), "{asked:?}");
    assert_eq!(world.count("select count(*) from request").await, 1);
}

#[tokio::test]
async fn one_request_shows_its_whole_evidence_and_why_its_rule_decides() {
    let world = World::new().await;
    let (request, plan) = world.waiting("payments-api").await;
    world.presses(ALEX, ButtonId::RequestApprove, plan).await;
    let number = world.view(request).await.number;
    let shown = operator::show(&world.app, number).await.unwrap().unwrap();
    let names: Vec<&str> = shown.names.iter().map(|(_, name)| name.as_str()).collect();
    assert!(
        names.contains(&"Alex Ruiz") && names.contains(&"Priya Nair"),
        "{names:?}"
    );
    let document = shown.json().unwrap();
    assert!(document["plan"]["digest"].is_string(), "{document:#}");
    let kinds: Vec<&str> = document["audit"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["body"]["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "request.asked",
            "plan.made",
            "vote.cast",
            "request.approved"
        ]
    );

    let explained = operator::explain(&world.app, number)
        .await
        .unwrap()
        .unwrap();
    let decides: Vec<(&str, bool)> = explained
        .rules
        .iter()
        .map(|(name, _, decides)| (name.as_str(), *decides))
        .collect();
    assert_eq!(
        decides,
        [("public-repositories", false), ("team-lead", true)]
    );
    let (handle, members, fresh) = &explained.groups[0];
    assert_eq!(
        (handle.as_str(), members.len(), *fresh),
        ("payments-leads", 2, true)
    );

    let mut lines = 0;
    audit::export(&world.app, None, |_| {
        lines += 1;
        Ok(())
    })
    .await
    .unwrap();
    let rows = "select (select count(*) from audit) + (select count(*) from checkpoint)";
    assert_eq!(lines, world.count(rows).await);
}

#[tokio::test]
async fn a_changed_configuration_is_evidence_and_an_unchanged_one_is_not() {
    let world = World::new().await;
    let rows = "select count(*) from audit where kind = 'configuration.started'";
    for _ in 0..2 {
        configured::started(&world.app).await.unwrap();
    }
    assert_eq!(world.count(rows).await, 1);
    let mut settings = (*world.app.settings.current()).clone();
    settings
        .groups
        .insert("security".to_owned(), vec!["U_EVE".to_owned()]);
    world.app.settings.replace(settings);
    configured::started(&world.app).await.unwrap();
    assert_eq!(world.count(rows).await, 2);
    let report = audit::verify(&world.app, None).await.unwrap();
    assert_eq!(report.broken, Vec::<String>::new());
}
