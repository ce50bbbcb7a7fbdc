//! From inputs to steps and back to links.

use idp::catalog::{Catalog, Command, Template, expression, flow};
use idp::domain::plan::PlannedValue;
use idp::domain::tree::{Entry, Tree, TreePath};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{actions, asked, object, pretty, shipped};

#[test]
fn the_shipped_command_becomes_three_steps() {
    let values = json!({ "name": "payments-api", "template": "node-http", "owner": "payments", "description": "Takes payments" });
    let steps = asked(values, |asked| flow::steps(asked, &actions()).unwrap());
    let shown: Vec<Value> = steps
        .iter()
        .map(|step| json!({ "id": step.id, "title": step.title, "action": step.action, "condition": step.condition, "input": step.input }))
        .collect();
    insta::assert_snapshot!("steps_of_new_service", pretty(&Value::Array(shown)));
}

#[test]
fn an_optional_field_left_empty_is_left_out() {
    let values = json!({ "name": "payments-api", "template": "static-site", "owner": "payments" });
    let steps = asked(values, |asked| flow::steps(asked, &actions()).unwrap());
    let publish = steps
        .iter()
        .find(|step| step.id == "scaffold/publish")
        .unwrap();
    let input = publish.input.as_known().unwrap();
    assert_eq!(input["repoUrl"], "forge?owner=acme&repo=payments-api");
    assert_eq!(input.get("description"), None);
}

#[test]
fn the_ending_reads_the_outputs_of_the_templates_steps() {
    let values = json!({ "name": "payments-api", "template": "node-http", "owner": "payments" });
    let outputs =
        object(json!({ "scaffold/publish": { "remoteUrl": "http://x/acme/payments-api.git" } }));
    let ending = asked(values.clone(), |asked| {
        flow::ending(asked, &outputs).unwrap()
    });
    assert_eq!(ending.links.len(), 1);
    assert_eq!(ending.links[0].url, "http://x/acme/payments-api.git");
    let nothing = asked(values, |asked| flow::ending(asked, &Map::new()).unwrap());
    assert_eq!(
        nothing,
        flow::Ending::default(),
        "a link to what was skipped is left out"
    );
}

/// A command around these steps, with the parameters `name` and `on`.
fn command(steps: &str) -> Command {
    let text = format!(
        "apiVersion: idp.dev/v1\nkind: Command\nmetadata: {{ name: x, title: X }}\nspec:\n  parameters:\n    - properties:\n        name: {{ type: string }}\n        on: {{ type: boolean }}\n        port: {{ type: integer }}\n        other: {{ type: string }}\n  approval: [{{ name: nobody, require: [] }}]\n  steps:\n{steps}"
    );
    Command::parse(text.as_bytes()).unwrap_or_else(|problems| panic!("{problems:#?}\n{text}"))
}

fn drafts(command: &Command, values: Value) -> Result<Vec<flow::StepDraft>, flow::FlowError> {
    let inputs = serde_json::from_value(values).unwrap();
    let environment = Map::new();
    flow::steps(
        flow::Asked {
            command,
            template: None,
            inputs: &inputs,
            environment: &environment,
        },
        &actions(),
    )
}

#[test]
fn conditions_on_parameters_are_decided_and_those_on_steps_wait() {
    let command = command(
        "    - { id: a, action: publish:local, if: '${{ parameters.on }}', input: { repoUrl: x } }\n    - { id: b, action: debug:log, if: '${{ steps.a.output.commitHash }}' }\n    - { id: c, action: debug:log, input: { message: \"${{ steps.a.output.commitHash | default('none') }}\" } }\n",
    );
    let on = drafts(&command, json!({ "on": true })).unwrap();
    assert_eq!(
        on.iter().map(|s| s.id.as_str()).collect::<Vec<_>>(),
        ["a", "b", "c"]
    );
    assert_eq!(on[0].condition, None);
    assert_eq!(
        on[1].condition,
        Some(PlannedValue::After {
            template: "${{ (steps[\"a\"].output.commitHash) | default(false) }}".to_owned(),
            steps: vec!["a".to_owned()]
        })
    );
    let off = drafts(&command, json!({ "on": false })).unwrap();
    // What reads a step that won't run reads nothing: its condition is false, its default holds.
    assert!(off.is_empty() || off.iter().all(|s| s.id == "c"), "{off:?}");
    assert_eq!(
        off.last().unwrap().input.as_known(),
        Some(json!({ "message": "none" }))
    );
}

#[test]
fn kept_definitions_read_the_same_again() {
    let catalog = shipped();
    for command in catalog.commands() {
        let again = Command::parse(command.source()).unwrap();
        assert_eq!(
            (again.digest(), &again.name),
            (command.digest(), &command.name)
        );
    }
    for template in catalog.templates() {
        let again = Template::parse(template.package()).unwrap();
        assert_eq!(
            (again.digest(), &again.name),
            (template.digest(), &template.name)
        );
    }
    assert!(Template::parse(b"nonsense").is_err());
    let mut tree = Tree::new();
    tree.insert(TreePath::new("other.txt").unwrap(), Entry::file("x"))
        .unwrap();
    assert!(Template::parse(&tree.encode()).is_err());
}

/// Renders a message in two steps: as far as it goes, then with the outputs.
fn in_two(message: &str, values: &Value, outputs: &Value) -> Result<Value, String> {
    let steps = format!(
        "    - {{ id: a, action: publish:local, input: {{ repoUrl: x }} }}\n    - {{ id: b, action: debug:log, input: {{ message: {} }} }}\n",
        Value::from(message)
    );
    let command = command(&steps);
    let drafts = drafts(&command, values.clone()).map_err(|error| error.to_string())?;
    let outputs = object(json!({ "a": outputs }));
    let filled = drafts[1]
        .input
        .fill(&mut |text| expression::after(text, &outputs))
        .map_err(|error| error.to_string())?;
    Ok(filled.get("message").cloned().unwrap_or(Value::Null))
}

/// Renders a message at once, with everything as an output of one step.
fn at_once(message: &str, values: &Value, outputs: &Value) -> Result<Value, String> {
    let message = message
        .replace("parameters.", "steps.all.output.parameters.")
        .replace("steps.a.output.", "steps.all.output.a.");
    expression::after(
        &message,
        &object(json!({ "all": { "parameters": values, "a": outputs } })),
    )
    .map_err(|error| error.to_string())
}

/// Pieces of messages that mix what is known with what waits.
fn message() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("${{ parameters.name }}".to_owned()),
        Just("${{ steps.a.output.remoteUrl }}".to_owned()),
        Just("${{ parameters.name ~ steps.a.output.commitHash }}".to_owned()),
        Just("${{ steps.a.output.remoteUrl if parameters.on else parameters.other }}".to_owned()),
        Just("${{ [parameters.port, steps.a.output.commitHash] | dump }}".to_owned()),
        Just("${{- parameters.name -}}".to_owned()),
        Just("{% if parameters.on %}${{ steps.a.output.commitHash }}{% else %}${{ parameters.name | upper }}{% endif %}".to_owned()),
        Just("{% for c in parameters.name %}${{ c }}{% endfor %}".to_owned()),
        Just("{% raw %}${{ raw }}{% endraw %}".to_owned()),
        Just("{# ${{ parameters.name }} #}".to_owned()),
        Just("${{ parameters.name.toUpperCase() }}".to_owned()),
        Just("${{ parameters.port + 1 }}".to_owned()),
        "[a-z ${}%#\\n\"'-]{0,6}",
    ];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]
    #[test]
    fn rendering_in_two_steps_gives_what_one_gives(
        message in message(),
        name in "[a-z${}%#\"'\\\\ \\n]{0,8}",
        other in "[a-z]{0,3}",
        on in any::<bool>(),
        port in any::<i32>(),
    ) {
        let values = json!({ "name": name, "on": on, "port": port, "other": other });
        let outputs = json!({ "remoteUrl": "http://x/{{y}}", "commitHash": "abc" });
        let text = format!("    - {{ id: a, action: publish:local, input: {{ repoUrl: x }} }}\n    - {{ id: b, action: debug:log, input: {{ message: {} }} }}\n", Value::from(message.as_str()));
        let readable = std::panic::catch_unwind(|| command(&text)).is_ok();
        prop_assume!(readable);
        let (two, one) = (in_two(&message, &values, &outputs), at_once(&message, &values, &outputs));
        match (two, one) {
            (Ok(two), Ok(one)) => prop_assert_eq!(two, one, "{}", message),
            (Err(_), Err(_)) => {}
            (two, one) => prop_assert!(false, "{message}: {two:?} and {one:?}"),
        }
    }
}

#[test]
fn catalog_reads_itself_in_time() {
    let began = std::time::Instant::now();
    let _ = Catalog::load(
        &idp::catalog::Sources::default(),
        &actions(),
        &idp::catalog::Known::default(),
    );
    assert!(began.elapsed().as_secs() < 5);
}
