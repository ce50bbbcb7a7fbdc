//! The JSON Schema of command files, for editors: `docs/command.schema.json` is this value.
//!
//! It says what can be said of one file alone; the reader says more (names of groups, order of steps, expressions).

use serde_json::{Value, json};

use super::command::RESERVED;

/// JSON Schema (2020-12) of a command file.
pub fn command_schema() -> Value {
    let text = json!({ "type": "string" });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An idp command",
        "description": "What people can ask for in chat: who may ask, the form, the approval rules, the steps",
        "type": "object",
        "additionalProperties": false,
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {
            "apiVersion": { "const": "idp.dev/v1" },
            "kind": { "const": "Command" },
            "metadata": {
                "type": "object",
                "additionalProperties": false,
                "required": ["name", "title"],
                "properties": {
                    "name": {
                        "type": "string", "pattern": "^[a-z][a-z0-9-]{0,39}$", "not": { "enum": RESERVED },
                        "description": "What people type behind /idp"
                    },
                    "title": { "type": "string", "description": "What people read: Create a service" },
                    "description": text,
                }
            },
            "spec": spec(),
        },
        "$defs": {
            "duration": { "type": "string", "pattern": "^[0-9]+[smhd]$", "examples": ["90s", "30m", "24h", "7d"] },
            "condition": { "type": ["string", "boolean"], "description": "One expression: ${{ … }}" },
            "source": { "type": "string", "pattern": "^(group|leads):.+", "examples": ["group:security", "leads:${{ parameters.owner }}"] },
            "rule": rule(),
            "page": page(),
            "step": step(),
        }
    })
}

fn spec() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["approval", "steps"],
        "properties": {
            "allow": {
                "type": "array", "items": { "type": "string", "pattern": "^group:.+" },
                "description": "Who may ask; every full member where it is missing"
            },
            "channel": { "type": "string", "pattern": "^#.+", "description": "Where the thread stands; where it was typed if missing" },
            "parameters": {
                "oneOf": [{ "type": "array", "items": { "$ref": "#/$defs/page" } }, { "$ref": "#/$defs/page" }],
                "description": "The form, in pages of JSON Schema with Backstage's ui: hints"
            },
            "approval": {
                "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/rule" },
                "description": "The first rule whose `when` holds decides; the last has none"
            },
            "steps": { "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/step" } },
            "onFailure": { "enum": ["ask", "undo"], "default": "ask" },
            "output": {
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "links": { "type": "array", "items": entry("url") },
                    "text": { "type": "array", "items": entry("content") },
                }
            },
        }
    })
}

fn entry(content: &str) -> Value {
    let mut entry = json!({
        "type": "object",
        "additionalProperties": false,
        "required": [content],
        "properties": {
            "title": { "type": "string" },
            "icon": { "type": "string" },
            "if": { "$ref": "#/$defs/condition" },
        }
    });
    entry["properties"][content] = json!({ "type": "string" });
    if content == "content" {
        entry["properties"]["default"] = json!({ "type": "boolean" });
    }
    entry
}

fn rule() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["name", "require"],
        "properties": {
            "name": { "type": "string", "description": "Shown on the card" },
            "when": { "type": ["string", "boolean"], "description": "CEL over parameters, plan and actor" },
            "require": {
                "type": "array",
                "description": "Every quorum must be met; [] runs at once",
                "items": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["from"],
                    "properties": {
                        "from": { "$ref": "#/$defs/source" },
                        "count": { "type": "integer", "minimum": 1, "maximum": 100, "default": 1 },
                    }
                }
            },
            "expires": { "$ref": "#/$defs/duration", "default": "24h" },
            "remind": { "$ref": "#/$defs/duration" },
        }
    })
}

fn page() -> Value {
    json!({
        "type": "object",
        "required": ["properties"],
        "properties": {
            "title": { "type": "string" },
            "required": { "type": "array", "items": { "type": "string" } },
            "properties": {
                "type": "object",
                "propertyNames": { "pattern": "^[A-Za-z][A-Za-z0-9_]*$" },
                "additionalProperties": {
                    "type": "object",
                    "properties": {
                        "type": { "enum": ["string", "integer", "number", "boolean", "array"] },
                        "ui:field": { "enum": ["TemplatePicker", "TeamPicker", "OwnerPicker"] },
                        "ui:widget": { "enum": ["textarea", "text", "radio", "select", "checkboxes", "checkbox", "updown"] },
                        "ui:help": { "type": "string" },
                        "ui:placeholder": { "type": "string" },
                    },
                    "dependentRequired": { "pattern": ["ui:help"] }
                }
            }
        }
    })
}

fn step() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["id", "action"],
        "properties": {
            "id": { "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]*$" },
            "name": { "type": "string", "description": "What people read while it runs" },
            "action": { "type": "string", "examples": ["template:run", "debug:log"] },
            "input": { "type": "object" },
            "if": { "$ref": "#/$defs/condition" },
        }
    })
}
