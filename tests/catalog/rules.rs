//! Which rule decides.

use idp::catalog::rule::{Actor, Deciding, Quorum, RuleError, Source, deciding};
use idp::catalog::{Command, Inputs};
use idp::domain::plan::{Fact, FactKind, Plan, PlannedStep, PlannedValue};
use serde_json::{Value, json};

use super::shipped;

fn plan(facts: Vec<Fact>) -> Plan {
    let step = PlannedStep {
        id: "s".to_owned(),
        title: "S".to_owned(),
        action: "debug:log".to_owned(),
        condition: None,
        input: PlannedValue::known(json!({})),
        facts,
        claims: Vec::new(),
        blobs: Vec::new(),
    };
    Plan { steps: vec![step] }
}

fn fact(kind: FactKind, noun: &str, detail: Option<&str>) -> Fact {
    Fact {
        kind,
        noun: noun.to_owned(),
        name: "n".to_owned(),
        detail: detail.map(str::to_owned),
        headline: true,
    }
}

fn inputs(values: Value) -> Inputs {
    serde_json::from_value(values).unwrap()
}

fn shipped_rule(values: Value, facts: Vec<Fact>) -> Deciding {
    let catalog = shipped();
    let command = catalog.command("new-service").unwrap();
    deciding(command, &inputs(values), &plan(facts), &Actor::default()).unwrap()
}

#[test]
fn a_private_service_is_decided_by_the_teams_leads() {
    let found = shipped_rule(
        json!({ "owner": "payments", "visibility": "private" }),
        vec![],
    );
    assert_eq!(found.name, "team-lead");
    assert_eq!(
        found.require,
        [Quorum {
            from: Source::Leads("payments".to_owned()),
            count: 1
        }]
    );
    assert_eq!((found.expires_s, found.remind_s), (86_400, Some(7_200)));
}

#[test]
fn a_public_one_and_one_that_grants_writing_need_security_and_platform() {
    let security = [("security", 1), ("platform", 1)].map(|(group, count)| Quorum {
        from: Source::Group(group.to_owned()),
        count,
    });
    let public = shipped_rule(
        json!({ "owner": "payments", "visibility": "public" }),
        vec![],
    );
    assert_eq!(
        (public.name.as_str(), public.require.as_slice()),
        ("public-repositories", &security[..])
    );
    let private = json!({ "owner": "payments", "visibility": "private" });
    let writes = shipped_rule(
        private.clone(),
        vec![fact(FactKind::Grants, "role", Some("write to s3"))],
    );
    assert_eq!(writes.name, "public-repositories");
    let unclear = shipped_rule(private.clone(), vec![fact(FactKind::Grants, "role", None)]);
    assert_eq!(
        unclear.name, "public-repositories",
        "a grant that doesn't say is taken for writing"
    );
    let reads = shipped_rule(
        private,
        vec![fact(FactKind::Grants, "role", Some("read s3"))],
    );
    assert_eq!(reads.name, "team-lead");
}

fn with_condition(
    when: &str,
    values: Value,
    facts: Vec<Fact>,
    actor: &Actor,
) -> Result<String, RuleError> {
    let text = format!(
        "apiVersion: idp.dev/v1\nkind: Command\nmetadata: {{ name: x, title: X }}\nspec:\n  parameters:\n    - properties:\n        name: {{ type: string }}\n        port: {{ type: integer }}\n  approval:\n    - {{ name: asked, when: {}, require: [] }}\n    - {{ name: last, require: [] }}\n  steps: [{{ id: a, action: debug:log }}]\n",
        Value::from(when)
    );
    let command =
        Command::parse(text.as_bytes()).unwrap_or_else(|problems| panic!("{problems:#?}"));
    deciding(&command, &inputs(values), &plan(facts), actor).map(|found| found.name)
}

#[test]
fn conditions_see_parameters_plan_and_actor() {
    let actor = Actor {
        groups: vec!["interns".to_owned()],
        teams: vec!["core".to_owned()],
    };
    let facts = || {
        vec![
            fact(FactKind::Creates, "file", None),
            fact(FactKind::Creates, "private repository", None),
            fact(FactKind::Costs, "database", Some("12.5 EUR a month")),
            fact(FactKind::Deletes, "stack", None),
        ]
    };
    for holds in [
        "parameters.port > 1024",
        "parameters.port * 2 == 16160",
        "parameters.name == null",
        "plan.files.size() == 1",
        "plan.creates.size() == 2",
        "plan.resources.exists(r, r.noun == 'stack' && r.kind == 'deletes')",
        "plan.cost > 12.0",
        "'interns' in actor.groups && actor.teams == ['core']",
        "plan.deletes.all(d, d.write)",
        "true",
    ] {
        assert_eq!(
            with_condition(holds, json!({ "port": 8080 }), facts(), &actor),
            Ok("asked".to_owned()),
            "{holds}"
        );
    }
    assert_eq!(
        with_condition("plan.cost > 13.0", json!({}), facts(), &actor),
        Ok("last".to_owned())
    );
}

#[test]
fn a_condition_that_cannot_be_evaluated_refuses_and_never_falls_through() {
    let actor = Actor::default();
    let grim = vec![fact(FactKind::Costs, "database", Some("unknown"))];
    for (when, facts) in [
        ("parameters.port > 'a'", vec![]),
        ("parameters.name.startsWith('a')", vec![]),
        ("plan.files.size()", vec![]),
        ("plan.files[0].name == 'x'", vec![]),
        ("1 / parameters.port == 1", vec![]),
        ("plan.cost > 1.0", grim),
    ] {
        let found = with_condition(when, json!({ "port": 0 }), facts, &actor);
        assert_eq!(
            found.as_ref().map_err(|error| error.rule.as_str()),
            Err("asked"),
            "{when}: {found:?}"
        );
    }
}

#[test]
fn a_source_that_names_nobody_is_refused() {
    let catalog = shipped();
    let command = catalog.command("new-service").unwrap();
    let found = deciding(
        command,
        &inputs(json!({ "visibility": "private" })),
        &plan(vec![]),
        &Actor::default(),
    );
    assert_eq!(
        found.unwrap_err().to_string(),
        "approval rule `team-lead`: `leads:${{ parameters.owner }}` became `leads:`, which names nobody"
    );
}
