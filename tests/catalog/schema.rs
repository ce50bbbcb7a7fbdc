//! The JSON Schema of command files: kept in `docs/`, true to the reader.

use std::fs;
use std::path::Path;

use idp::catalog::command_schema;
use serde_json::{Value, json};

fn kept() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/command.schema.json")
}

#[test]
fn the_kept_schema_is_the_generated_one() {
    let generated = format!(
        "{}\n",
        serde_json::to_string_pretty(&command_schema()).unwrap()
    );
    if std::env::var_os("IDP_UPDATE_DOCS").is_some() {
        fs::write(kept(), &generated).unwrap();
    }
    let text = fs::read_to_string(kept()).unwrap_or_default();
    assert!(
        text == generated,
        "docs/command.schema.json is old: run this test with IDP_UPDATE_DOCS=1"
    );
}

#[test]
fn the_schema_takes_the_shipped_command_and_refuses_what_the_reader_refuses() {
    let schema = jsonschema::validator_for(&command_schema()).unwrap();
    let catalog = super::shipped();
    let command = catalog.command("new-service").unwrap();
    let good = yaml(std::str::from_utf8(command.source()).unwrap());
    assert_eq!(
        schema
            .iter_errors(&good)
            .map(|e| e.to_string())
            .collect::<Vec<_>>(),
        Vec::<String>::new()
    );
    for (pointer, value) in [
        ("/kind", json!("Comand")),
        ("/metadata/name", json!("Not A Name")),
        ("/metadata/name", json!("status")),
        ("/spec/alow", json!([])),
        ("/spec/allow/0", json!("engineers")),
        ("/spec/channel", json!("platform")),
        ("/spec/approval", json!([])),
        ("/spec/approval/0/expires", json!("tomorrow")),
        ("/spec/approval/0/require/0/count", json!(0)),
        ("/spec/approval/0/require/0/from", json!("security")),
        ("/spec/steps", json!([])),
        ("/spec/steps/0/each", json!([1])),
        ("/spec/onFailure", json!("retry")),
    ] {
        let mut bad = good.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        match bad.pointer_mut(parent).unwrap() {
            Value::Object(map) => drop(map.insert(name.to_owned(), value)),
            Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
            other => panic!("{other}"),
        }
        assert!(!schema.is_valid(&bad), "{pointer}");
        assert!(
            idp::catalog::Command::parse(bad.to_string().as_bytes()).is_err(),
            "{pointer}"
        );
    }
}

/// YAML as JSON, by a reader that is not the product's own.
fn yaml(text: &str) -> Value {
    use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
    fn convert(yaml: &Yaml<'_>) -> Value {
        match yaml {
            Yaml::Value(Scalar::String(text)) => json!(text),
            Yaml::Value(Scalar::Integer(n)) => json!(n),
            Yaml::Value(Scalar::Boolean(yes)) => json!(yes),
            Yaml::Sequence(items) => Value::Array(items.iter().map(convert).collect()),
            Yaml::Mapping(map) => Value::Object(
                map.iter()
                    .map(|(k, v)| (k.as_str().unwrap().to_owned(), convert(v)))
                    .collect(),
            ),
            other => panic!("{other:?}"),
        }
    }
    convert(&Yaml::load_from_str(text).unwrap()[0])
}
