//! Reads the input of `fetch:template`, and publishes its schema.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::{FetchTemplate, RenderError};
use crate::domain::tree::{Existing, TreePath};

/// The ending that `templateFileExtension: true` stands for.
const NJK: &str = ".njk";

impl FetchTemplate {
    /// Reads the input as the step has it.
    pub fn read(input: &Value) -> Result<Self, RenderError> {
        let refuse = |what: String| RenderError::whole("template.yaml", what);
        if let Some(error) = validator().and_then(|validator| validator.validate(input).err()) {
            return Err(refuse(format!(
                "the input of fetch:template is no good: {error}"
            )));
        }
        let text = |name: &str| input.get(name).and_then(Value::as_str);
        let url = text("url").unwrap_or_default().to_owned();
        let target_path = text("targetPath").unwrap_or(".").to_owned();
        for path in [&url, &target_path] {
            if !is_inside(path) {
                return Err(refuse(format!("`{path}` is no folder below the template")));
            }
        }
        Ok(Self {
            url,
            target_path,
            values: input
                .get("values")
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_else(Map::new),
            extension: match input.get("templateFileExtension") {
                Some(Value::Bool(true)) => Some(NJK.to_owned()),
                Some(Value::String(ending)) => Some(ending.clone()),
                _ => None,
            },
            copy_without_templating: strings(input.get("copyWithoutTemplating")),
            trim_blocks: input.get("trimBlocks") == Some(&Value::Bool(true)),
            lstrip_blocks: input.get("lstripBlocks") == Some(&Value::Bool(true)),
            existing: match input.get("replace") {
                Some(Value::Bool(true)) => Existing::Replace,
                _ => Existing::Keep,
            },
        })
    }

    /// The JSON Schema of the input, for the action's table. What Backstage has and we don't (`token`,
    /// `cookiecutterCompat`, addresses of other places) is refused by it.
    pub fn schema() -> Value {
        json!({
            "type": "object",
            "required": ["url"],
            "additionalProperties": false,
            "properties": {
                "url": { "type": "string", "pattern": "^\\.?/?[^:]*$", "description": "The folder of the template to render, as ./skeleton" },
                "targetPath": { "type": "string", "description": "The folder that the files go to; the root where it is missing" },
                "values": { "type": "object", "description": "What files read as values.NAME" },
                "templateFileExtension": { "type": ["boolean", "string"], "description": "Only files with this ending (true: .njk) are templates, and lose it" },
                "copyWithoutTemplating": { "type": "array", "items": { "type": "string" }, "description": "Globs of files that are copied as they are" },
                "trimBlocks": { "type": "boolean", "description": "The line break behind a block goes" },
                "lstripBlocks": { "type": "boolean", "description": "White space before a block goes" },
                "replace": { "type": "boolean", "description": "Files that stand already are replaced" }
            }
        })
    }
}

/// Made once: rendering is counted in milliseconds.
fn validator() -> Option<&'static jsonschema::Validator> {
    static MADE: LazyLock<Option<jsonschema::Validator>> =
        LazyLock::new(|| jsonschema::draft202012::new(&FetchTemplate::schema()).ok());
    MADE.as_ref()
}

fn strings(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// `.`, `./` or a relative folder that doesn't climb.
fn is_inside(path: &str) -> bool {
    let path = path
        .strip_prefix("./")
        .unwrap_or(path)
        .trim_end_matches('/');
    matches!(path, "" | ".") || TreePath::new(path).is_ok()
}
