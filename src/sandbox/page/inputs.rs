//! Inputs of forms: text, numbers, choices, searches. What stands in them is the world's; the script sends what people
//! change.

use maud::{Markup, html};
use serde_json::Value;

use super::{
    blocks::{list, object},
    elements::confirm,
    mrkdwn::Words,
};
use crate::sandbox::world::{View, text};

/// A select with more options than this can be searched.
const SEARCH_FROM: usize = 8;

/// One element with all that drawing it needs.
struct Input<'a> {
    element: &'a Value,
    /// Slack's name of its kind.
    kind: String,
    action: String,
    /// Unique on the page.
    id: String,
    /// What stands in it.
    state: Value,
    required: bool,
    wrong: bool,
}

/// An input block: label, element, hint, what is wrong.
pub(super) fn draw(block: &Value, words: &Words<'_>, view: Option<&View>) -> Markup {
    let id = text(block, "block_id");
    let Some(element) = block.get("element") else {
        return html! {};
    };
    let optional = block.get("optional").and_then(Value::as_bool) == Some(true);
    let dispatch = block.get("dispatch_action").and_then(Value::as_bool) == Some(true);
    let error = view.and_then(|own| own.errors.get(&id));
    let input = Input {
        required: !optional,
        wrong: error.is_some(),
        ..input(element, &id, view)
    };
    let label = html! {
        (text(&block["label"], "text")) @if optional { " " small { "(optional)" } }
    };
    let hint = block.get("hint");
    let many = matches!(
        input.kind.as_str(),
        "radio_buttons" | "checkboxes" | "multi_static_select"
    );
    let body = html! {
        (widget(&input, words))
        @if let Some(hint) = hint { p.help id={ (input.id) "-help" } { (object(hint, words)) } }
        @if let Some(error) = error { p.error id={ (input.id) "-error" } role="alert" { (error) } }
    };
    html! {
        @if many {
            fieldset.field.wrong[error.is_some()] id={ "block-" (id) } data-input=(input.kind) data-block=(id) data-action=(input.action)
                data-dispatch[dispatch] aria-describedby={ (input.id) "-help " (input.id) "-error" } { legend { (label) } (body) }
        } @else {
            div.field.wrong[error.is_some()] id={ "block-" (id) } data-input=(input.kind) data-block=(id) data-action=(input.action)
                data-dispatch[dispatch] { label for=(input.id) { (label) } (body) }
        }
    }
}

/// An input in an actions block or beside a section: it acts at once.
pub(super) fn alone(
    element: &Value,
    block: &str,
    words: &Words<'_>,
    view: Option<&View>,
) -> Markup {
    let input = input(element, block, view);
    html! {
        div.alone id={ "block-" (block) "-" (input.action) } data-input=(input.kind) data-block=(block) data-action=(input.action) data-dispatch
            data-confirm=[confirm(element)] { (widget(&input, words)) }
    }
}

fn input<'a>(element: &'a Value, block: &'a str, view: Option<&View>) -> Input<'a> {
    let action = text(element, "action_id");
    let state = view.and_then(|own| own.fields.get(block, &action)).cloned();
    Input {
        kind: text(element, "type"),
        id: format!("i-{block}-{action}"),
        state: state.unwrap_or_else(|| {
            crate::sandbox::world::Fields::initial(std::slice::from_ref(
                &serde_json::json!({ "block_id": block, "element": element }),
            ))
            .get(block, &action)
            .cloned()
            .unwrap_or_default()
        }),
        element,
        action,
        required: false,
        wrong: false,
    }
}

impl Input<'_> {
    fn placeholder(&self) -> Option<String> {
        let words = text(&self.element["placeholder"], "text");
        (!words.is_empty()).then_some(words)
    }

    /// Text that stands in it.
    fn value(&self) -> Option<&str> {
        [
            "value",
            "selected_date",
            "selected_time",
            "selected_user",
            "selected_channel",
            "selected_conversation",
        ]
        .iter()
        .find_map(|name| self.state.get(*name)?.as_str())
    }

    /// The chosen option.
    fn chosen(&self) -> Option<&Value> {
        self.state
            .get("selected_option")
            .filter(|own| !own.is_null())
    }

    fn is_chosen(&self, option: &Value) -> bool {
        let value = text(option, "value");
        self.chosen().is_some_and(|own| text(own, "value") == value)
            || list(&self.state, "selected_options")
                .iter()
                .any(|own| text(own, "value") == value)
    }

    /// Ids of help and error, for those who don't see them.
    fn described(&self) -> String {
        format!("{0}-help {0}-error", self.id)
    }
}

fn widget(input: &Input<'_>, words: &Words<'_>) -> Markup {
    let bound = |name: &str| {
        input.element.get(name).map(|own| match own {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    };
    let typed = |kind: &str| {
        html! {
            input id=(input.id) type=(kind) value=[input.value()] placeholder=[input.placeholder()]
                minlength=[bound("min_length")] maxlength=[bound("max_length")] required[input.required]
                aria-invalid=[input.wrong.then_some("true")] aria-describedby=(input.described());
        }
    };
    match input.kind.as_str() {
        "plain_text_input"
            if input.element.get("multiline").and_then(Value::as_bool) == Some(true) =>
        {
            html! {
                textarea id=(input.id) rows="4" placeholder=[input.placeholder()] maxlength=[bound("max_length")] required[input.required]
                    aria-invalid=[input.wrong.then_some("true")] aria-describedby=(input.described()) { (input.value().unwrap_or_default()) }
            }
        }
        "plain_text_input" => typed("text"),
        "email_text_input" => typed("email"),
        "url_text_input" => typed("url"),
        "datepicker" => typed("date"),
        "timepicker" => typed("time"),
        "number_input" => html! {
            input id=(input.id) type="text" inputmode="decimal" value=[input.value()] placeholder=[input.placeholder()]
                data-min=[bound("min_value")] data-max=[bound("max_value")] required[input.required]
                aria-invalid=[input.wrong.then_some("true")] aria-describedby=(input.described());
        },
        "radio_buttons" => options(input, words, "radio"),
        "checkboxes" | "multi_static_select" => options(input, words, "checkbox"),
        "static_select" if all_options(input.element).len() <= SEARCH_FROM => select(input),
        "static_select" | "external_select" => search(input),
        other => {
            html! { p.unknown { "This page can't draw an input of type " code { (other) } "." } }
        }
    }
}

/// A choice that is seen whole.
fn options(input: &Input<'_>, words: &Words<'_>, kind: &str) -> Markup {
    html! {
        div.options.long[input.kind == "multi_static_select"] {
            @for (at, option) in all_options(input.element).into_iter().enumerate() {
                label.option {
                    input type=(kind) name=(input.id) value=(text(option, "value")) checked[input.is_chosen(option)] id={ (input.id) "-" (at) };
                    span {
                        (object(&option["text"], words))
                        @if let Some(more) = option.get("description") { small { (object(more, words)) } }
                    }
                }
            }
        }
    }
}

fn select(input: &Input<'_>) -> Markup {
    html! {
        select id=(input.id) required[input.required] aria-invalid=[input.wrong.then_some("true")] aria-describedby=(input.described()) {
            option value="" selected[input.chosen().is_none()] { (input.placeholder().unwrap_or_else(|| "Choose…".to_owned())) }
            @for option in all_options(input.element) {
                option value=(text(option, "value")) selected[input.is_chosen(option)] { (text(&option["text"], "text")) }
            }
        }
    }
}

/// A choice that is searched: in the options given, or by the app.
fn search(input: &Input<'_>) -> Markup {
    let external = input.kind == "external_select";
    let least = input
        .element
        .get("min_query_length")
        .and_then(Value::as_u64);
    let chosen = input.chosen();
    html! {
        div.search data-external[external] data-least=[external.then(|| least.unwrap_or(3))] {
            input id=(input.id) type="text" role="combobox" autocomplete="off" aria-expanded="false" aria-autocomplete="list"
                aria-controls={ (input.id) "-list" } aria-invalid=[input.wrong.then_some("true")] aria-describedby=(input.described())
                placeholder=[input.placeholder().or_else(|| Some("Search…".to_owned()))]
                value=[chosen.map(|own| text(&own["text"], "text"))] data-value=[chosen.map(|own| text(own, "value"))];
            ul id={ (input.id) "-list" } role="listbox" hidden data-keep {
                @for (at, option) in all_options(input.element).into_iter().enumerate() {
                    li role="option" id={ (input.id) "-o" (at) } data-value=(text(option, "value")) { (text(&option["text"], "text")) }
                }
            }
        }
    }
}

/// The options of an element, those of its groups included.
fn all_options(element: &Value) -> Vec<&Value> {
    let grouped = list(element, "option_groups")
        .iter()
        .flat_map(|group| list(group, "options"));
    list(element, "options").iter().chain(grouped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_groups_count() {
        let element = serde_json::json!({
            "type": "static_select",
            "option_groups": [{ "options": [{ "value": "a" }, { "value": "b" }] }, { "options": [{ "value": "c" }] }],
        });
        assert_eq!(all_options(&element).len(), 3);
    }
}
