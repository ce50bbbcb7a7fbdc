//! The catalog from the outside: shipped definitions, bad ones with their exact messages, and rendered services that
//! pass their own tests.

mod bad;
mod expressions;
mod flows;
mod forms;
mod reload;
mod rendering;
mod rules;
mod schema;
mod services;

use idp::catalog::flow::Asked;
use idp::catalog::form::{self, FormFacts};
use idp::catalog::{Catalog, Inputs, Known, Sources, render};
use idp::domain::action::{ActionSpec, Undo};
use idp::domain::form::Choice;
use serde_json::{Map, Value, json};

/// The faces of the actions that definitions in these tests use.
fn actions() -> Vec<ActionSpec> {
    let spec = |name, title, input, outputs| ActionSpec {
        name,
        title,
        input,
        outputs,
        undo: Undo::Can,
        limit: None,
    };
    let object = |required: &[&str], properties: Value| json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false });
    vec![
        spec(
            "fetch:template",
            "Render files",
            render::FetchTemplate::schema(),
            &[],
        ),
        spec(
            "publish:repository",
            "Create repository",
            idp::steps::specs(idp::clients::forge::ForgeKind::Local)
                .into_iter()
                .find(|spec| spec.name == "publish:repository")
                .unwrap()
                .input,
            &["remoteUrl", "repoContentsUrl", "commitHash"],
        ),
        spec(
            "publish:local",
            "Create repository",
            object(
                &["repoUrl"],
                json!({
                    "repoUrl": { "type": "string" },
                    "repoVisibility": { "enum": ["private", "internal", "public"] },
                    "defaultBranch": { "type": "string" },
                    "description": { "type": "string" },
                }),
            ),
            &["remoteUrl", "repoContentsUrl", "commitHash"],
        ),
        spec(
            "catalog:register",
            "Register in catalog",
            object(
                &[],
                json!({ "repoContentsUrl": { "type": "string" }, "catalogInfoPath": { "type": "string" } }),
            ),
            &["catalogInfoUrl", "entityRef"],
        ),
        spec(
            "template:run",
            "Run the template",
            object(&[], json!({ "template": { "type": "string" } })),
            &[],
        ),
        spec(
            "debug:log",
            "Write to the log",
            object(&[], json!({ "message": { "type": "string" } })),
            &[],
        ),
    ]
}

fn shipped() -> Catalog {
    Catalog::load(&Sources::default(), &actions(), &Known::default())
}

fn choice(value: &str) -> Choice {
    Choice {
        value: value.to_owned(),
        label: value.to_owned(),
        description: None,
    }
}

fn facts(catalog: &Catalog) -> FormFacts {
    FormFacts {
        teams: vec![choice("payments")],
        templates: catalog.template_choices(),
        recommended: catalog.recommended().map(str::to_owned),
        ..FormFacts::default()
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

#[test]
fn the_shipped_definitions_are_right() {
    let catalog = shipped();
    let problems: Vec<String> = catalog.problems().iter().map(ToString::to_string).collect();
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(
        catalog
            .commands()
            .map(|c| c.name.as_str())
            .collect::<Vec<_>>(),
        ["new-service"]
    );
    assert_eq!(
        catalog
            .templates()
            .map(|t| t.name.as_str())
            .collect::<Vec<_>>(),
        ["node-http", "static-site"]
    );
}

/// Checked inputs of the shipped command.
fn inputs(catalog: &Catalog, values: Value) -> Inputs {
    let values = object(values);
    let command = catalog.command("new-service").unwrap();
    let template = command
        .template(&values)
        .and_then(|name| catalog.template(name));
    form::check_all(
        command,
        template.map(AsRef::as_ref),
        &values,
        &facts(catalog),
    )
    .unwrap()
}

/// The shipped command asked for, handed to `look`.
fn asked<T>(values: Value, look: impl FnOnce(Asked<'_>) -> T) -> T {
    let catalog = shipped();
    let inputs = inputs(&catalog, values);
    let command = catalog.command("new-service").unwrap();
    let template = command
        .template(inputs.values())
        .and_then(|name| catalog.template(name));
    let environment = object(json!({ "organisation": "acme" }));
    look(Asked {
        command,
        template: template.map(AsRef::as_ref),
        inputs: &inputs,
        environment: &environment,
    })
}

/// JSON as it stands in snapshots.
fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}
