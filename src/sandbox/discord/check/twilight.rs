//! A second opinion on whatever an app sends, by code that nobody here wrote: what passes our own check must also be read by
//! twilight's types and pass its limits, so that a mistake of ours alone lets nothing through.

use serde_json::Value;
use twilight_model::{application::command::Command, channel::message::Component};
use twilight_validate::{command, component, message};

use super::{Form, Part};

/// The content and the components of a message.
pub(super) fn message(form: &mut Form, part: &Part<'_>) {
    if let Err(error) = message::content(part.str("content")) {
        form.wrong(
            &part.place("content"),
            "BASE_TYPE_MAX_LENGTH",
            &error.to_string(),
        );
    }
    let Some(components) = read(form, part) else {
        return;
    };
    if let Err(error) = message::components(&components, false) {
        differs(form, part, &error.to_string());
    }
}

/// The components of a modal.
pub(super) fn modal(form: &mut Form, part: &Part<'_>) {
    for own in read(form, part).unwrap_or_default() {
        let judged = match &own {
            Component::Label(label) => component::label(label),
            Component::TextDisplay(text) => component::text_display(text),
            // Rows with one input: the older way, which its functions for messages would refuse.
            _ => Ok(()),
        };
        if let Err(error) = judged {
            differs(form, part, &error.to_string());
        }
    }
}

/// Commands as they are kept, with their ids.
pub(super) fn commands(form: &mut Form, commands: &[Value]) {
    for (at, own) in commands.iter().enumerate() {
        let judged = match serde_json::from_value::<Command>(own.clone()) {
            Ok(read) => command::command(&read).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(why) = judged {
            form.wrong(&at.to_string(), "APPLICATION_COMMAND_INVALID", &why);
        }
    }
}

/// The components as twilight reads them.
fn read(form: &mut Form, part: &Part<'_>) -> Option<Vec<Component>> {
    let components = part.at("components")?;
    match serde_json::from_value(components.value.clone()) {
        Ok(read) => Some(read),
        Err(error) => {
            differs(form, part, &error.to_string());
            None
        }
    }
}

fn differs(form: &mut Form, part: &Part<'_>, why: &str) {
    form.wrong(&part.place("components"), "COMPONENT_INVALID", why);
}
