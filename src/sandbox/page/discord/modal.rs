//! The modal that a member has open.

use maud::{Markup, html};
use serde_json::Value;

use super::{super::blocks::list, components::choices, markdown::Words, scene::Scene};
use crate::sandbox::{
    discord::{Input, OpenModal},
    world::text,
};

/// The form; the script shows its dialog while there is one.
pub(super) fn draw(scene: &Scene, modal: &OpenModal) -> Markup {
    let inputs = modal.inputs();
    let mut inputs = inputs.iter();
    html! {
        form id={ "view-" (modal.id) } data-view=(modal.id) method="dialog" novalidate {
            header {
                h2 #modal-title { (modal.title) }
                button.icon type="button" data-close aria-label="Close" { "✕" }
            }
            div.content {
                p.warning { "This form will be submitted to idp. Do not share passwords or other sensitive information." }
                @for part in &modal.components {
                    @if text(part, "type") == "10" || part.get("type") == Some(&10.into()) {
                        div.text { (Words::new(scene, &[]).draw(&text(part, "content"))) }
                    } @else if let Some(input) = inputs.next() { (field(modal, *input)) }
                }
            }
            footer {
                button type="button" data-close { "Cancel" }
                button.primary type="submit" { "Submit" }
            }
        }
    }
}

fn field(modal: &OpenModal, input: Input<'_>) -> Markup {
    let id = format!("i-{}", input.id());
    let wrong = modal.wrong.get(input.id());
    let value = modal.value(input.component);
    let many = input.is_select() && input.number("max_values").unwrap_or(1) > 1;
    let kind = match (input.is_select(), many) {
        (true, true) => "multi_static_select",
        (true, false) => "static_select",
        _ => "plain_text_input",
    };
    let label = html! {
        (input.label) @if input.required() { span.needed aria-hidden="true" { " *" } }
    };
    let help = html! {
        @if let Some(help) = input.help { p.help id={ (id) "-help" } { (help) } }
    };
    let error = html! {
        @if let Some(wrong) = wrong { p.error id={ (id) "-error" } role="alert" { (wrong) } }
    };
    html! {
        @if many {
            fieldset.field.wrong[wrong.is_some()] data-input=(kind) data-action=(input.id()) id={ "block-" (id) } {
                legend { (label) }
                (help) (choices(input.component, input.id(), &value)) (error)
            }
        } @else {
            div.field.wrong[wrong.is_some()] data-input=(kind) data-action=(input.id()) id={ "block-" (id) } {
                label for=(id) { (label) }
                (help)
                @if input.is_select() { (select(input, &id, &value)) } @else { (written(input, &id, &value, wrong.is_some())) }
                (error)
            }
        }
    }
}

fn written(input: Input<'_>, id: &str, value: &Value, wrong: bool) -> Markup {
    let value = value.as_str().unwrap_or_default();
    let own = input.component;
    let placeholder = text(own, "placeholder");
    let bound = |name: &str| input.number(name).map(|own| own.to_string());
    let described = format!("{id}-help {id}-error");
    html! {
        @if own.get("style") == Some(&2.into()) {
            textarea id=(id) rows="4" placeholder=(placeholder) maxlength=[bound("max_length")] required[input.required()]
                aria-invalid=[wrong.then_some("true")] aria-describedby=(described) { (value) }
        } @else {
            input id=(id) type="text" value=(value) placeholder=(placeholder) maxlength=[bound("max_length")]
                required[input.required()] aria-invalid=[wrong.then_some("true")] aria-describedby=(described);
        }
    }
}

fn select(input: Input<'_>, id: &str, value: &Value) -> Markup {
    let is_chosen = |option: &str| match value {
        Value::Array(all) => all.iter().any(|own| own == option),
        Value::String(one) => one == option,
        _ => false,
    };
    let options = list(input.component, "options");
    let any = options.iter().any(|own| is_chosen(&text(own, "value")));
    html! {
        select id=(id) required[input.required()] aria-describedby={ (id) "-help " (id) "-error" } {
            option value="" selected[!any] { "Make a selection" }
            @for option in options {
                @let own = text(option, "value");
                @let about = text(option, "description");
                option value=(own) selected[is_chosen(&own)] {
                    (text(option, "label")) @if !about.is_empty() { " – " (about) }
                }
            }
        }
    }
}
