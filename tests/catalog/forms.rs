//! The form of the shipped command: its pages, and what becomes of what people type.

use idp::catalog::form::{self, FormFacts};
use idp::domain::form::{FieldError, FieldKind};
use serde_json::{Value, json};

use super::{choice, facts, object, pretty, shipped};

#[test]
fn pages_are_the_commands_then_the_templates() {
    let catalog = shipped();
    let command = catalog.command("new-service").unwrap();
    let node = catalog.template("node-http").unwrap();
    let facts = facts(&catalog);
    assert_eq!(form::pages(command, Some(node)), 2);
    let first = form::page(
        command,
        None,
        0,
        &form::prefill(command, "payments-api"),
        &facts,
    )
    .unwrap();
    insta::assert_snapshot!(
        "first_page",
        pretty(&json!({
            "title": first.title, "heading": first.heading, "fields": first.fields, "submit": first.submit, "back": first.back,
        }))
    );
    let second = form::page(command, Some(node), 1, &object(json!({})), &facts).unwrap();
    insta::assert_snapshot!(
        "second_page",
        pretty(&json!({
            "title": second.title, "heading": second.heading, "fields": second.fields, "submit": second.submit, "back": second.back,
        }))
    );
    assert_eq!(
        form::page(command, Some(node), 2, &object(json!({})), &facts),
        None
    );
}

#[test]
fn the_words_behind_the_command_are_kept() {
    let catalog = shipped();
    let command = catalog.command("new-service").unwrap();
    assert_eq!(
        Value::Object(form::prefill(command, " payments-api ")),
        json!({ "name": "payments-api" })
    );
    assert_eq!(
        Value::Object(form::prefill(command, "takes all payments")),
        json!({ "description": "takes all payments" })
    );
    assert_eq!(Value::Object(form::prefill(command, "  ")), json!({}));
}

fn check(values: Value, facts: &FormFacts) -> Result<Value, Vec<(String, String)>> {
    let catalog = shipped();
    let values = object(values);
    let command = catalog.command("new-service").unwrap();
    let template = command
        .template(&values)
        .and_then(|name| catalog.template(name));
    let told = |errors: Vec<FieldError>| errors.into_iter().map(|e| (e.field, e.message)).collect();
    form::check_all(command, template.map(AsRef::as_ref), &values, facts)
        .map(|inputs| Value::Object(inputs.values().clone()))
        .map_err(told)
}

#[test]
fn what_forms_bring_becomes_typed_and_defaults_fill_the_rest() {
    let catalog = shipped();
    let inputs = check(
        json!({ "name": " payments-api ", "template": "node-http", "owner": "payments", "port": "9000", "description": "" }),
        &facts(&catalog),
    );
    assert_eq!(
        inputs,
        Ok(
            json!({ "name": "payments-api", "template": "node-http", "owner": "payments", "visibility": "private", "port": 9000 })
        )
    );
}

#[test]
fn what_breaks_the_schema_is_told_at_its_field() {
    let catalog = shipped();
    let facts = facts(&catalog);
    let errors = check(
        json!({ "name": "Payments API", "template": "node-htp", "owner": "core", "visibility": "secret", "extra": 1 }),
        &facts,
    )
    .unwrap_err();
    insta::assert_debug_snapshot!("errors", errors);
    let errors = check(
        json!({ "template": "node-http", "port": "80", "description": "x".repeat(201) }),
        &FormFacts {
            teams: Vec::new(),
            ..facts
        },
    )
    .unwrap_err();
    insta::assert_debug_snapshot!("more_errors", errors);
}

#[test]
fn the_platform_team_may_pick_any_team() {
    let catalog = shipped();
    let values = json!({ "name": "payments-api", "template": "node-http", "owner": "core" });
    let facts = FormFacts {
        all_teams: vec![choice("core"), choice("payments")],
        ..facts(&catalog)
    };
    assert!(check(values.clone(), &facts).is_err());
    let any = FormFacts {
        may_pick_any: true,
        ..facts
    };
    assert!(check(values, &any).is_ok());
    let command = catalog.command("new-service").unwrap();
    let page = form::page(command, None, 0, &object(json!({})), &any).unwrap();
    let owner = page
        .fields
        .iter()
        .find(|field| field.name == "owner")
        .unwrap();
    assert_eq!(
        owner.value,
        Some(json!("payments")),
        "their own team is preselected"
    );
    assert_eq!(
        owner.kind,
        FieldKind::Choice {
            options: any.all_teams
        }
    );
}

#[test]
fn a_page_is_checked_alone() {
    let catalog = shipped();
    let command = catalog.command("new-service").unwrap();
    let node = catalog.template("node-http").unwrap();
    let typed = object(
        json!({ "name": "payments-api", "template": "node-http", "owner": "payments", "visibility": null }),
    );
    let errors = form::check_page(command, Some(node), 0, &typed, &facts(&catalog)).unwrap_err();
    assert_eq!(
        errors,
        [FieldError {
            field: "visibility".to_owned(),
            label: "Who may read the repository".to_owned(),
            message: "Choose one.".to_owned()
        }]
    );
    let typed = object(json!({ "port": 70_000 }));
    let errors = form::check_page(command, Some(node), 1, &typed, &facts(&catalog)).unwrap_err();
    assert_eq!(errors[0].message, "At most 65535.");
}

#[test]
fn names_that_must_be_free_are_listed() {
    let catalog = shipped();
    let command = catalog.command("new-service").unwrap();
    let found = form::uniques(command, None, &object(json!({ "name": "payments-api" })));
    assert_eq!(
        found,
        [form::Unique {
            field: "name".to_owned(),
            label: "Name".to_owned(),
            kind: "repository".to_owned(),
            name: "payments-api".to_owned()
        }]
    );
}

/// Replies are kept as JSON and sent again; a page must survive that.
#[test]
fn a_page_survives_being_kept() {
    let catalog = shipped();
    let command = catalog.command("new-service").unwrap();
    let node = catalog.template("node-http").unwrap();
    for index in 0..2 {
        let page = form::page(
            command,
            Some(node),
            index,
            &object(json!({})),
            &facts(&catalog),
        )
        .unwrap();
        let kept = serde_json::to_string(&page.fields).unwrap();
        let read: Vec<idp::domain::form::Field> = serde_json::from_str(&kept).unwrap();
        assert_eq!(read, page.fields);
    }
}

#[test]
fn a_default_stands_before_the_recommended_template_if_it_is_on_offer() {
    let catalog = shipped();
    let facts = facts(&catalog);
    for (default, shown) in [
        ("", "node-http"),
        ("static-site", "static-site"),
        ("gone", "node-http"),
    ] {
        let source =
            String::from_utf8(catalog.command("new-service").unwrap().source().to_vec()).unwrap();
        let picker = "ui:field: TemplatePicker";
        let source = match default {
            "" => source,
            name => source.replace(picker, &format!("{picker}\n          default: {name}")),
        };
        let command = idp::catalog::Command::parse(source.as_bytes()).unwrap();
        let page = form::page(&command, None, 0, &object(json!({})), &facts).unwrap();
        let field = page
            .fields
            .into_iter()
            .find(|f| f.name == "template")
            .unwrap();
        assert_eq!(field.value, Some(json!(shown)), "{default}");
        assert_eq!(
            form::shown_template(&command, &object(json!({})), &facts).as_deref(),
            Some(shown)
        );
    }
}
