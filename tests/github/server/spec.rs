//! GitHub's published description of its API (OpenAPI 3.0, npm `@octokit/openapi`), read once per process: which
//! operation a call is, what it may carry and what an answer to it looks like.
//!
//! GitHub itself often ignores a field that it doesn't know; here that is a mistake, because it hides one of ours.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

use jsonschema::{Draft, Validator};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

/// The description of GitHub Enterprise Cloud: what api.github.com answers, with `internal` repositories.
const FILE: &str = ".tools/node/node_modules/@octokit/openapi/generated/ghec.json";

/// Fields that GitHub takes though its description doesn't name them: the permission that repository variables need
/// (docs.github.com/rest/authentication/permissions-required-for-github-apps) is missing in `app-permissions`.
const UNDOCUMENTED: &[&str] = &["actions_variables"];

/// Where the description is, once installed.
pub fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(FILE)
}

/// The description.
pub fn spec() -> &'static Spec {
    static SPEC: OnceLock<Spec> = OnceLock::new();
    SPEC.get_or_init(|| Spec::read(&file()))
}

pub struct Spec {
    doc: Value,
    routes: Vec<Route>,
    made: Mutex<HashMap<usize, &'static Operation>>,
}

struct Route {
    method: String,
    template: String,
}

/// One operation of the API.
pub struct Operation {
    /// GitHub's name for it: `repos/create-in-org`.
    pub id: String,
    /// Where people read about it; errors carry it.
    pub docs: String,
    /// Whether installation tokens may make this call.
    pub for_apps: bool,
    query: Vec<Parameter>,
    path: Vec<Parameter>,
    body: Option<Body>,
    answers: BTreeMap<u16, Option<Validator>>,
}

struct Parameter {
    name: String,
    required: bool,
    schema: Value,
    validator: Validator,
}

struct Body {
    required: bool,
    schema: Value,
    validator: Validator,
}

/// An operation and the values in the path that led to it.
pub struct Matched {
    pub operation: &'static Operation,
    pub path: BTreeMap<String, String>,
}

impl Spec {
    fn read(path: &std::path::Path) -> Self {
        let text = std::fs::read(path)
            .unwrap_or_else(|e| panic!("{}: {e}: run scripts/setup-tools", path.display()));
        let doc: Value = serde_json::from_slice(&text).unwrap();
        let mut routes = Vec::new();
        for (template, methods) in doc["paths"].as_object().unwrap() {
            for method in ["get", "put", "post", "patch", "delete"] {
                if methods.get(method).is_some() {
                    routes.push(Route {
                        method: method.to_owned(),
                        template: template.clone(),
                    });
                }
            }
        }
        Self {
            doc,
            routes,
            made: Mutex::default(),
        }
    }

    /// Which operation this is. A literal segment wins over a parameter.
    pub fn find(&'static self, method: &str, path: &str) -> Option<Matched> {
        let fits = |route: &(usize, &Route)| {
            route.1.method.eq_ignore_ascii_case(method) && values(&route.1.template, path).is_some()
        };
        let (index, route) =
            self.routes
                .iter()
                .enumerate()
                .filter(fits)
                .max_by_key(|(_, route)| {
                    route
                        .template
                        .split('/')
                        .filter(|part| !part.starts_with('{'))
                        .count()
                })?;
        let mut made = self.made.lock().unwrap();
        let operation = *made
            .entry(index)
            .or_insert_with(|| Box::leak(Box::new(self.operation(route))));
        Some(Matched {
            operation,
            path: values(&route.template, path)?,
        })
    }

    /// A published example by its name, as a mould for answers.
    pub fn example(&self, name: &str) -> Value {
        let found = &self.doc["components"]["examples"][name]["value"];
        assert!(!found.is_null(), "no published example {name}");
        found.clone()
    }

    fn operation(&self, route: &Route) -> Operation {
        let found = &self.doc["paths"][&route.template][&route.method];
        let parameters: Vec<&Value> = found["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| self.follow(one))
            .collect();
        let of_kind = |kind: &str| {
            parameters
                .iter()
                .filter(|one| one["in"] == kind)
                .map(|one| Parameter {
                    name: text(&one["name"]),
                    required: one["required"] == true,
                    validator: self.validator(&one["schema"]),
                    schema: self.plain(&one["schema"]),
                })
                .collect()
        };
        let body = found.get("requestBody").and_then(|body| {
            let schema = &body["content"]["application/json"]["schema"];
            (!schema.is_null()).then(|| Body {
                required: body["required"] == true,
                validator: self.validator(schema),
                schema: schema.clone(),
            })
        });
        let answers = found["responses"].as_object().unwrap().iter();
        let answers = answers.filter_map(|(status, answer)| {
            let schema = &self.follow(answer)["content"]["application/json"]["schema"];
            let validator = (!schema.is_null()).then(|| self.validator(schema));
            Some((status.parse().ok()?, validator))
        });
        Operation {
            id: text(&found["operationId"]),
            docs: text(&found["externalDocs"]["url"]),
            for_apps: found["x-github"]["enabledForGitHubApps"] == true,
            query: of_kind("query"),
            path: of_kind("path"),
            body,
            answers: answers.collect(),
        }
    }

    fn follow<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value.get("$ref").and_then(Value::as_str) {
            Some(reference) => self.follow(
                self.doc
                    .pointer(reference.trim_start_matches('#'))
                    .unwrap_or_else(|| panic!("{reference} leads nowhere")),
            ),
            None => value,
        }
    }

    fn plain(&self, schema: &Value) -> Value {
        self.follow(schema).clone()
    }

    fn validator(&self, schema: &Value) -> Validator {
        let mut used = Map::new();
        let mut root = self.json_schema(schema, &mut used);
        if let Some(root) = root.as_object_mut() {
            root.insert("definitions".to_owned(), Value::Object(used));
        }
        jsonschema::options()
            .with_draft(Draft::Draft7)
            .should_validate_formats(true)
            .build(&root)
            .unwrap_or_else(|e| panic!("GitHub's schema doesn't compile: {e}"))
    }

    /// An OpenAPI 3.0 schema as JSON Schema: `nullable` becomes a type of its own, references lead to `definitions`.
    fn json_schema(&self, schema: &Value, used: &mut Map<String, Value>) -> Value {
        let Some(object) = schema.as_object() else {
            return schema.clone();
        };
        if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
            let name = reference.rsplit('/').next().unwrap().to_owned();
            if !used.contains_key(&name) {
                used.insert(name.clone(), Value::Null);
                let made = self.json_schema(self.follow(schema), used);
                used.insert(name.clone(), made);
            }
            return json!({ "$ref": format!("#/definitions/{name}") });
        }
        let mut made = Map::new();
        for (key, value) in object {
            let value = match (key.as_str(), value) {
                ("properties" | "patternProperties", Value::Object(inner)) => Value::Object(
                    inner
                        .iter()
                        .map(|(name, one)| (name.clone(), self.json_schema(one, used)))
                        .collect(),
                ),
                ("items" | "additionalProperties" | "not", value) => self.json_schema(value, used),
                ("allOf" | "anyOf" | "oneOf", Value::Array(list)) => {
                    list.iter().map(|one| self.json_schema(one, used)).collect()
                }
                ("type" | "enum" | "required" | "pattern" | "format", value) => value.clone(),
                (limit, value) if limit.starts_with("min") || limit.starts_with("max") => {
                    value.clone()
                }
                _ => continue,
            };
            // Several shapes of one answer overlap in the description: one that fits is enough.
            let key = if key == "oneOf" { "anyOf" } else { key };
            made.insert(key.to_owned(), value);
        }
        if object.get("nullable") == Some(&Value::Bool(true)) {
            return json!({ "anyOf": [made, { "type": "null" }] });
        }
        Value::Object(made)
    }

    /// Members of a value that its schema doesn't know, each with its path.
    fn strangers(&self, schemas: &[&Value], value: &Value, at: &str, found: &mut Vec<String>) {
        let mut shapes = Vec::new();
        schemas.iter().for_each(|one| self.shapes(one, &mut shapes));
        match value {
            Value::Object(members) => {
                let open = shapes.iter().any(|shape| {
                    shape
                        .get("additionalProperties")
                        .is_some_and(|more| more != &Value::Bool(false))
                        || shape.get("properties").is_none() && shape["type"] == "object"
                });
                for (name, member) in members {
                    let known: Vec<&Value> = shapes
                        .iter()
                        .filter_map(|shape| shape.get("properties")?.get(name))
                        .collect();
                    if !known.is_empty() {
                        self.strangers(&known, member, &format!("{at}/{name}"), found);
                    } else if !open && !UNDOCUMENTED.contains(&name.as_str()) {
                        found.push(format!("{at}/{name}"));
                    }
                }
            }
            Value::Array(list) => {
                let items: Vec<&Value> = shapes.iter().filter_map(|one| one.get("items")).collect();
                for (n, item) in list.iter().enumerate() {
                    if !items.is_empty() {
                        self.strangers(&items, item, &format!("{at}/{n}"), found);
                    }
                }
            }
            _ => {}
        }
    }

    fn shapes<'a>(&'a self, schema: &'a Value, found: &mut Vec<&'a Value>) {
        let schema = self.follow(schema);
        found.push(schema);
        for several in ["allOf", "anyOf", "oneOf"] {
            for one in schema[several].as_array().into_iter().flatten() {
                self.shapes(one, found);
            }
        }
    }
}

impl Operation {
    /// What is wrong with a call: empty for one that GitHub would read.
    pub fn complaints(
        &self,
        path: &BTreeMap<String, String>,
        query: &[(String, String)],
        body: Option<&Value>,
    ) -> Vec<String> {
        let mut found = Vec::new();
        for parameter in &self.path {
            if let Some(value) = path.get(&parameter.name) {
                parameter.check(value, "path", &mut found);
            }
        }
        for (name, value) in query {
            match self.query.iter().find(|known| known.name == *name) {
                Some(known) => known.check(value, "query", &mut found),
                None => found.push(format!("unknown parameter `{name}` in the query")),
            }
        }
        for parameter in self.query.iter().filter(|one| one.required) {
            if !query.iter().any(|(name, _)| *name == parameter.name) {
                found.push(format!("the query lacks `{}`", parameter.name));
            }
        }
        match (&self.body, body) {
            (None, Some(value)) if value.as_object().is_none_or(|members| !members.is_empty()) => {
                found.push("this operation takes no body".to_owned());
            }
            (Some(known), None) if known.required => found.push("the body is missing".to_owned()),
            (Some(known), Some(value)) => {
                let errors = known.validator.iter_errors(value);
                found.extend(errors.map(|e| format!("body{}: {e}", e.instance_path())));
                let mut strangers = Vec::new();
                spec().strangers(&[&known.schema], value, "", &mut strangers);
                found.extend(strangers.iter().map(|at| format!("unknown field body{at}")));
            }
            _ => {}
        }
        found
    }

    /// What is wrong with an answer of ours. Errors that GitHub may always give need no mention in the description.
    pub fn answer_complaints(&self, status: u16, body: Option<&Value>) -> Vec<String> {
        match (self.answers.get(&status), body) {
            (Some(Some(validator)), Some(body)) => validator
                .iter_errors(body)
                .map(|e| format!("{status} {}: {e}", e.instance_path()))
                .collect(),
            (Some(Some(_)), None) => vec![format!("{status} without a body")],
            (Some(None), None) => Vec::new(),
            (Some(None), Some(_)) if status < 300 => vec![format!("{status} with a body")],
            (_, Some(body)) if status >= 300 && body["message"].is_string() => Vec::new(),
            (None, None) if status == 304 => Vec::new(),
            (Some(None), _) if status >= 300 => Vec::new(),
            _ => vec![format!("{status} is no answer to {}", self.id)],
        }
    }
}

impl Parameter {
    fn check(&self, value: &str, place: &str, found: &mut Vec<String>) {
        let typed = match self.schema["type"].as_str() {
            Some("integer" | "number") => value.parse::<i64>().map_or(json!(value), |n| json!(n)),
            Some("boolean") => value.parse::<bool>().map_or(json!(value), |b| json!(b)),
            _ => json!(value),
        };
        let errors = self.validator.iter_errors(&typed);
        found.extend(errors.map(|e| format!("{place} `{}`: {e}", self.name)));
    }
}

/// The values of a path by a template's names; none where it doesn't fit. A path or ref at the end may hold slashes.
fn values(template: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let mut parts = path.trim_start_matches('/').split('/').peekable();
    let wanted: Vec<&str> = template.trim_start_matches('/').split('/').collect();
    for (n, want) in wanted.iter().enumerate() {
        let part = parts.next()?;
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        match want
            .strip_prefix('{')
            .and_then(|want| want.strip_suffix('}'))
        {
            None if *want == part => {}
            None => return None,
            Some(_) if part.is_empty() && n + 1 < wanted.len() => return None,
            Some(name) => {
                let mut value = part.to_owned();
                if n + 1 == wanted.len() && matches!(name, "path" | "ref") {
                    for more in parts.by_ref() {
                        value = format!("{value}/{more}");
                    }
                }
                found.insert(name.to_owned(), decode(&value));
            }
        }
    }
    parts.next().is_none().then_some(found)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
