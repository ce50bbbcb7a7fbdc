//! Commands: docs.discord.com/developers/interactions/application-commands.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Form, Part, choice, counted, twilight};
use crate::sandbox::discord::error::Refusal;

const SUB: u64 = 1;
const GROUP: u64 = 2;
/// Commands of each kind that an application may have.
const MOST: usize = 100;

/// Whether Discord takes all of them.
pub(in crate::sandbox) fn commands(body: &Value) -> Result<(), Refusal> {
    let mut form = Form::default();
    let wrapped = serde_json::json!({ "commands": body });
    let all = Part::new(&wrapped).list(&mut form, "commands");
    counted(&mut form, "commands", all.len(), 0..=MOST);
    let mut names = BTreeSet::new();
    for (at, own) in all.iter().enumerate() {
        // In a bulk overwrite places begin with the number of the command.
        let command = Part {
            value: own.value,
            path: at.to_string(),
        };
        one(&mut form, &command);
        if !names.insert((own.number("type"), own.str("name").to_owned())) {
            let message = "Application command names must be unique";
            form.wrong(
                &command.place("name"),
                "APPLICATION_COMMANDS_DUPLICATE_NAME",
                message,
            );
        }
    }
    form.done()
}

/// The same of commands as they are kept, by twilight's reading.
pub(in crate::sandbox) fn kept_commands(commands: &[Value]) -> Result<(), Refusal> {
    let mut form = Form::default();
    twilight::commands(&mut form, commands);
    form.done()
}

fn one(form: &mut Form, command: &Part<'_>) {
    let slash = matches!(command.number("type"), None | Some(1));
    if slash {
        described(form, command);
        options(form, command, 0);
    } else {
        command.text(form, "name", (1..=32, true));
    }
}

/// A name as Discord spells them, and a description.
fn described(form: &mut Form, part: &Part<'_>) {
    part.text(form, "name", (1..=32, true));
    part.text(form, "description", (1..=100, true));
    let name = part.str("name");
    let spelt = |c: char| c == '-' || c == '_' || c == '\'' || c.is_alphanumeric();
    if !name.chars().all(spelt) || name.to_lowercase() != name {
        let message = "Command name is invalid";
        form.wrong(
            &part.place("name"),
            "APPLICATION_COMMAND_INVALID_NAME",
            message,
        );
    }
}

fn options(form: &mut Form, part: &Part<'_>, depth: u8) {
    let all = part.list(form, "options");
    counted(form, &part.place("options"), all.len(), 0..=25);
    let nested = |own: &&Part<'_>| matches!(own.number("type"), Some(SUB | GROUP));
    let subs = all.iter().filter(nested).count();
    if subs > 0 && (subs < all.len() || depth > 1) {
        let message = "Sub-commands and sub-command groups stand by themselves";
        form.wrong(
            &part.place("options"),
            "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
            message,
        );
    }
    let mut names = BTreeSet::new();
    let mut optional = false;
    for own in &all {
        described(form, own);
        if !names.insert(own.str("name")) {
            let message = "Option names must be unique";
            form.wrong(
                &own.place("name"),
                "APPLICATION_COMMAND_OPTIONS_NAME_INVALID",
                message,
            );
        }
        match own.number("type") {
            Some(SUB | GROUP) => options(form, own, depth + 1),
            Some(3..=11) => value(form, own),
            _ => choice(
                form,
                &own.place("type"),
                "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11",
            ),
        }
        if own.flag("required") && optional {
            let message = "Required options must be placed before non-required options";
            form.wrong(
                &own.place("required"),
                "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                message,
            );
        }
        optional |= !own.flag("required");
    }
}

fn value(form: &mut Form, own: &Part<'_>) {
    let choices = own.list(form, "choices");
    counted(form, &own.place("choices"), choices.len(), 0..=25);
    for one in &choices {
        one.text(form, "name", (1..=100, true));
    }
    if own.flag("autocomplete") && !choices.is_empty() {
        let message = "Choices and autocomplete exclude each other";
        form.wrong(
            &own.place("autocomplete"),
            "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_INVALID",
            message,
        );
    }
}
