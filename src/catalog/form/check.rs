//! Checks what was typed, in sentences at the fields.

use serde_json::{Map, Value};

use super::{Asked, FormFacts, Inputs, asked_pages};
use crate::catalog::parameters::{Parameter, Widget};
use crate::catalog::problem::nearest;
use crate::catalog::{Command, Template};
use crate::domain::form::{Choice, FieldError};

/// Longest text of a field without a `maxLength`: Slack's own limit for a text input.
const MAX_TEXT: usize = 3000;

/// Checks what was typed on one page; gives the values of that page, typed as their schema says.
///
/// `template` is the one that the typed values choose ([`Command::template`]), where there is one already.
pub fn check_page(
    command: &Command,
    template: Option<&Template>,
    index: usize,
    typed: &Map<String, Value>,
    facts: &FormFacts,
) -> Result<Map<String, Value>, Vec<FieldError>> {
    let pages = asked_pages(command, template);
    let mut errors = Vec::new();
    let values = pages
        .get(index)
        .map(|page| fields(page, template, typed, facts, &mut errors))
        .unwrap_or_default();
    if errors.is_empty() {
        Ok(values)
    } else {
        Err(errors)
    }
}

/// Checks everything at once, at submit: the only way to [`Inputs`]. Values that no page asks for are refused.
pub fn check_all(
    command: &Command,
    template: Option<&Template>,
    values: &Map<String, Value>,
    facts: &FormFacts,
) -> Result<Inputs, Vec<FieldError>> {
    let pages = asked_pages(command, template);
    let mut errors = Vec::new();
    let mut inputs = Map::new();
    for page in &pages {
        inputs.extend(fields(page, template, values, facts, &mut errors));
    }
    let asked = || {
        pages
            .iter()
            .flat_map(|page| &page.fields)
            .map(|parameter| parameter.name.as_str())
    };
    for name in values
        .keys()
        .filter(|name| !asked().any(|known| known == name.as_str()))
    {
        let message = match nearest(name, asked()) {
            Some(near) => format!("This is not asked for. Did you mean `{near}`?"),
            None => "This is not asked for.".to_owned(),
        };
        errors.push(FieldError {
            field: name.clone(),
            label: name.clone(),
            message,
        });
    }
    if errors.is_empty() {
        Ok(Inputs(inputs))
    } else {
        Err(errors)
    }
}

fn fields(
    page: &Asked<'_>,
    template: Option<&Template>,
    typed: &Map<String, Value>,
    facts: &FormFacts,
    errors: &mut Vec<FieldError>,
) -> Map<String, Value> {
    let mut values = Map::new();
    for &parameter in &page.fields {
        // The template's own view of a name that the command asks for counts too.
        let twin = template.and_then(|template| template.parameters.get(&parameter.name));
        match value(parameter, twin, typed.get(&parameter.name), facts) {
            Ok(Some(value)) => drop(values.insert(parameter.name.clone(), value)),
            Ok(None) => {}
            Err(message) => errors.push(FieldError {
                field: parameter.name.clone(),
                label: parameter.title.clone(),
                message,
            }),
        }
    }
    values
}

/// The checked value of a field; `None` where it may be and is empty.
fn value(
    parameter: &Parameter,
    twin: Option<&Parameter>,
    typed: Option<&Value>,
    facts: &FormFacts,
) -> Result<Option<Value>, String> {
    let required = parameter.required || twin.is_some_and(|twin| twin.required);
    // A field that was shown and emptied stays empty; one that was never shown takes its default.
    let found = match typed {
        Some(raw) => parameter.typed(raw),
        None => parameter
            .default
            .clone()
            .or_else(|| twin.and_then(|twin| twin.default.clone())),
    };
    let Some(value) = found else {
        return if required {
            Err(missing(parameter, facts))
        } else {
            Ok(None)
        };
    };
    if value
        .as_str()
        .is_some_and(|text| text.chars().count() > MAX_TEXT)
    {
        return Err(format!("At most {MAX_TEXT} characters."));
    }
    // No database text holds one, and nobody types one.
    if value.as_str().is_some_and(|text| text.contains('\0')) {
        return Err("This holds a character that can't be kept (NUL).".to_owned());
    }
    for schema in [Some(parameter), twin].into_iter().flatten() {
        schema.check(&value)?;
    }
    match parameter.widget {
        Widget::Template => offered(&value, &facts.templates, "There is no template")?,
        Widget::Team => offered(&value, facts.offered_teams(), "You can't choose the team")?,
        _ => {}
    }
    Ok(Some(value))
}

fn missing(parameter: &Parameter, facts: &FormFacts) -> String {
    match parameter.widget {
        Widget::Team if facts.offered_teams().is_empty() => {
            "You are in no team. Ask the platform team to add you to one.".to_owned()
        }
        Widget::Choice | Widget::Choices | Widget::Template | Widget::Team | Widget::Switch => {
            "Choose one.".to_owned()
        }
        Widget::Line | Widget::Lines | Widget::Number { .. } => "Fill this in.".to_owned(),
    }
}

fn offered(value: &Value, choices: &[Choice], what: &str) -> Result<(), String> {
    let shown = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    if choices.iter().any(|choice| choice.value == shown) {
        return Ok(());
    }
    let names = choices.iter().map(|choice| choice.value.as_str());
    Err(match nearest(&shown, names.clone()) {
        Some(near) => format!("{what} `{shown}`. Did you mean `{near}`?"),
        None => format!(
            "{what} `{shown}`. Choose one of: {}.",
            names.collect::<Vec<_>>().join(", ")
        ),
    })
}
