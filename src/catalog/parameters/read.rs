//! Reads pages of parameters out of YAML.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Page, Parameter, Parameters, Widget};
use crate::catalog::problem::Mark;
use crate::catalog::reader::{Fields, Report, text};
use crate::catalog::yaml::{Key, Node};

/// JSON Schema that changes its mind while a form is filled in: not drawable in chat.
const NOT_YET: [&str; 9] = [
    "dependencies",
    "if",
    "then",
    "else",
    "allOf",
    "anyOf",
    "oneOf",
    "$ref",
    "not",
];

/// Words in a name that say that its value is a secret.
const SECRET_WORDS: [&str; 9] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "secrets",
    "token",
    "credential",
    "credentials",
    "apikey",
];

/// Backstage's names for widgets that the type says already (and one that is refused for what it means).
const WIDGETS: [&str; 8] = [
    "textarea",
    "text",
    "radio",
    "select",
    "checkboxes",
    "checkbox",
    "updown",
    "password",
];

impl Parameters {
    /// Reads one schema or a list of pages.
    pub(in crate::catalog) fn read(node: &Node, report: &mut Report) -> Self {
        let nodes = node.list().unwrap_or(std::slice::from_ref(node));
        let pages: Vec<Page> = nodes.iter().filter_map(|node| page(node, report)).collect();
        let mut seen: Vec<&str> = Vec::new();
        for parameter in pages.iter().flat_map(|page| &page.fields) {
            if seen.contains(&parameter.name.as_str()) {
                report.add(
                    parameter.at,
                    format!("parameter `{}` stands twice", parameter.name),
                );
            }
            seen.push(&parameter.name);
        }
        Self { pages }
    }
}

fn page(node: &Node, report: &mut Report) -> Option<Page> {
    let mut fields = Fields::open(node, "a page of parameters", report)?;
    let title = fields.text("title", report).unwrap_or_default();
    fields.text("description", report);
    fields.take("type");
    fields.take("ui:order");
    for name in NOT_YET {
        fields.later(name, report);
    }
    let required = required(fields.list("required", report), report);
    let properties = fields.need("properties", report)?;
    fields.close(report);
    let Some(members) = properties.map() else {
        report.add(
            properties.at,
            format!("`properties` has to be a map, not {}", properties.kind()),
        );
        return None;
    };
    for (at, name) in &required {
        if !members.iter().any(|(key, _)| key.text == *name) {
            let names = members.iter().map(|(key, _)| key.text.as_str());
            report.word(
                *at,
                format!("`required` names `{name}`, which is no property here"),
                name,
                names,
            );
        }
    }
    let is_required = |name: &str| required.iter().any(|(_, r)| r == name);
    let fields = members
        .iter()
        .filter_map(|(key, node)| parameter(key, node, is_required(&key.text), report))
        .collect();
    Some(Page { title, fields })
}

fn required(nodes: &[Node], report: &mut Report) -> Vec<(Mark, String)> {
    nodes
        .iter()
        .filter_map(|node| Some((node.at, text(node, "required", report)?)))
        .collect()
}

fn parameter(key: &Key, node: &Node, required: bool, report: &mut Report) -> Option<Parameter> {
    check_name(key, report);
    let before = report.len();
    let mut fields = Fields::open(node, "a parameter", report)?;
    for name in NOT_YET {
        fields.later(name, report);
    }
    let title = fields
        .text("title", report)
        .unwrap_or_else(|| key.text.clone());
    let description = fields.text("description", report);
    let help = fields.text("ui:help", report);
    let placeholder = fields.text("ui:placeholder", report);
    fields.take("ui:autofocus");
    let unique = unique(&mut fields, report);
    let widget = widget(key, &mut fields, report);
    let options = options(&mut fields, widget, report);
    let schema = schema(&mut fields);
    fields.close(report);
    if let (Some(pattern), None) = (node.get("pattern"), &help) {
        let what = format!("the pattern of `{}` has no sentence for people", key.text);
        report.hint(
            pattern.at,
            what,
            "Say in `ui:help` what may be typed: it is the hint and the error.",
        );
    }
    let at = node.get("pattern").map_or(node.at, |pattern| pattern.at);
    let validator = validator(&key.text, &schema, at, report)?;
    let parameter = Parameter {
        name: key.text.clone(),
        title,
        help: help.or(description),
        placeholder,
        required,
        default: schema.get("default").cloned(),
        // What is wrong was said; the name goes on existing, so that nothing else complains of it.
        widget: widget.unwrap_or(Widget::Line),
        options,
        unique,
        schema,
        at: key.at,
        validator,
    };
    if report.len() == before {
        check_default(&parameter, node, report);
    }
    Some(parameter)
}

/// The schema's validator; for a bad schema one that takes everything, so that reading goes on.
fn validator(
    name: &str,
    schema: &Map<String, Value>,
    at: Mark,
    report: &mut Report,
) -> Option<Arc<jsonschema::Validator>> {
    let made = jsonschema::draft202012::new(&Value::Object(schema.clone()));
    let made = made.or_else(|error| {
        report.add(at, format!("the schema of `{name}` is no good: {error}"));
        jsonschema::draft202012::new(&Value::Bool(true))
    });
    made.ok().map(Arc::new)
}

fn check_name(key: &Key, report: &mut Report) {
    let plain = key.text.starts_with(|c: char| c.is_ascii_alphabetic())
        && key
            .text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !plain {
        let what = format!("`{}` can't be the name of a parameter", key.text);
        report.hint(
            key.at,
            what,
            "Use letters, digits and `_`, so that expressions can name it.",
        );
    }
    if names_a_secret(&key.text) {
        refuse_secret(key, report);
    }
}

fn refuse_secret(key: &Key, report: &mut Report) {
    let what = format!(
        "`{}` asks for a secret, and chat has no secret input",
        key.text
    );
    report.hint(
        key.at,
        what,
        "Make secrets in a step, or keep them where the service reads them.",
    );
}

fn names_a_secret(name: &str) -> bool {
    let words = words_of(name);
    let secret = |word: &String| SECRET_WORDS.contains(&word.as_str());
    let key = |pair: &[String]| matches!(pair[0].as_str(), "api" | "private") && pair[1] == "key";
    words.iter().any(secret) || words.windows(2).any(key)
}

/// The words of a name in camel or snake case, in lower case: `api`, `key` of `apiKey`, `api_key` and `API_KEY`.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = '_';
    for c in name.chars() {
        let begins = c == '_' || (c.is_ascii_uppercase() && before.is_ascii_lowercase());
        if begins {
            words.push(String::new());
        }
        if let (true, Some(word)) = (c != '_', words.last_mut()) {
            word.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    words
}

fn unique(fields: &mut Fields<'_>, report: &mut Report) -> Option<String> {
    let node = fields.take("ui:options")?;
    let mut options = Fields::open(node, "`ui:options`", report)?;
    options.take("rows");
    options.take("inline");
    let unique = options.text("unique", report);
    options.close(report);
    unique
}

fn widget(key: &Key, fields: &mut Fields<'_>, report: &mut Report) -> Option<Widget> {
    let kind = fields.take("type");
    let field = fields.take("ui:field");
    let hint = fields.take("ui:widget");
    let choice = fields.take("enum").is_some();
    if hint.and_then(Node::text) == Some("password") {
        refuse_secret(key, report);
    }
    if let Some(field) = field {
        return picker(field, report);
    }
    let lines = match hint.map(|node| (node, node.text())) {
        Some((_, Some("textarea"))) => true,
        None => false,
        Some((node, word)) => {
            let word = word.unwrap_or(node.kind());
            if !WIDGETS.contains(&word) {
                let right = WIDGETS.into_iter().filter(|right| *right != "password");
                report.word(node.at, format!("unknown `ui:widget` {word}"), word, right);
            }
            false
        }
    };
    match kind.map(|node| (node, node.text())) {
        _ if choice => Some(Widget::Choice),
        None | Some((_, Some("string"))) => Some(if lines { Widget::Lines } else { Widget::Line }),
        Some((_, Some("integer"))) => Some(Widget::Number { integer: true }),
        Some((_, Some("number"))) => Some(Widget::Number { integer: false }),
        Some((_, Some("boolean"))) => Some(Widget::Switch),
        Some((_, Some("array"))) => Some(Widget::Choices),
        Some((node, word)) => {
            let word = word.unwrap_or(node.kind());
            let right = ["string", "integer", "number", "boolean", "array"];
            report.word(
                node.at,
                format!("a form can't ask for type {word}"),
                word,
                right,
            );
            None
        }
    }
}

fn picker(field: &Node, report: &mut Report) -> Option<Widget> {
    match field.text() {
        Some("TemplatePicker") => Some(Widget::Template),
        Some("TeamPicker" | "OwnerPicker") => Some(Widget::Team),
        Some("Secret") => {
            report.add(
                field.at,
                "`ui:field: Secret` asks for a secret, and chat has no secret input",
            );
            None
        }
        Some(
            known @ ("RepoUrlPicker" | "EntityPicker" | "EntityTagsPicker" | "MultiEntityPicker"
            | "OwnedEntityPicker"),
        ) => {
            report.add(
                field.at,
                format!("`ui:field: {known}` is not supported yet"),
            );
            None
        }
        other => {
            let word = other.unwrap_or(field.kind());
            let right = ["TemplatePicker", "TeamPicker", "OwnerPicker"];
            report.word(field.at, format!("unknown `ui:field` {word}"), word, right);
            None
        }
    }
}

/// The values to choose from: `enum`, or the `enum` of an array's `items`, with the labels of `enumNames`.
fn options(
    fields: &mut Fields<'_>,
    widget: Option<Widget>,
    report: &mut Report,
) -> Vec<(Value, String)> {
    let own = fields.take("enum");
    let labels = fields.take("enumNames").or(fields.take("ui:enumNames"));
    let items = fields.take("items");
    let values = match widget {
        Some(Widget::Choices) => {
            let values = items.and_then(|items| items.get("enum"));
            if values.is_none() {
                let at = items.map_or(fields.at(), |node| node.at);
                report.hint(
                    at,
                    "a list in a form needs `items` with an `enum`",
                    "Chat can only offer what it knows.",
                );
            }
            values
        }
        _ => own,
    };
    let Some(values) = values else {
        return Vec::new();
    };
    let nodes = values.list().unwrap_or_default();
    if nodes.is_empty() {
        report.add(values.at, "`enum` has to be a list with at least one value");
    }
    let labels = labels.and_then(Node::list).unwrap_or_default();
    let label = |at: usize, node: &Node| {
        labels
            .get(at)
            .and_then(Node::text)
            .map_or_else(|| plain(&node.json()), str::to_owned)
    };
    nodes
        .iter()
        .enumerate()
        .map(|(at, node)| (node.json(), label(at, node)))
        .collect()
}

/// A value as people read it.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The JSON Schema alone, for the validator.
fn schema(fields: &mut Fields<'_>) -> Map<String, Value> {
    const KEPT: [&str; 17] = [
        "type",
        "title",
        "description",
        "default",
        "enum",
        "pattern",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "items",
        "minItems",
        "maxItems",
        "uniqueItems",
    ];
    fields.take("examples");
    KEPT.into_iter()
        .filter_map(|name| Some((name.to_owned(), fields.take(name)?.json())))
        .collect()
}

fn check_default(parameter: &Parameter, node: &Node, report: &mut Report) {
    let (Some(default), Some(at)) = (&parameter.default, node.get("default")) else {
        return;
    };
    if let Err(why) = parameter.check(default) {
        report.add(
            at.at,
            format!(
                "the default of `{}` is refused by its own schema: {why}",
                parameter.name
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::names_a_secret;

    #[test]
    fn names_of_secrets_are_known_and_their_neighbours_pass() {
        for secret in [
            "password",
            "dbPassword",
            "api_key",
            "apiKey",
            "apikey",
            "token",
            "GITHUB_TOKEN",
            "clientSecret",
        ] {
            assert!(names_a_secret(secret), "{secret}");
        }
        for plain in [
            "name",
            "tokenizer",
            "secretary",
            "keyboard",
            "passage",
            "keyName",
            "apiName",
        ] {
            assert!(!names_a_secret(plain), "{plain}");
        }
    }
}
