//! From parameters to pages that people fill in, and from what they typed to checked [`Inputs`].
//!
//! The command's own pages come first, then the chosen template's. Where both ask for the same name, the command's
//! field is shown and the value has to please both schemas.

mod check;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::parameters::{Page as ParameterPage, Parameter, Widget};
use super::{Command, Template};
use crate::domain::form::{Choice, Field, FieldKind};

pub use self::check::{check_all, check_page};

/// What a form has to know of the one who fills it in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FormFacts {
    /// The asker's own teams: the first one is preselected, and only these are offered …
    pub teams: Vec<Choice>,
    /// … unless the asker may pick any of these.
    pub all_teams: Vec<Choice>,
    /// Whether the asker may pick any team (`group:platform`).
    pub may_pick_any: bool,
    /// The templates on offer: [`super::Catalog::template_choices`].
    pub templates: Vec<Choice>,
    /// The template that is preselected where the command has no `default`: [`super::Catalog::recommended`].
    pub recommended: Option<String>,
    /// Whether it depends on the template how many pages there are, so that a change of it has to be told at once.
    pub lengths_differ: bool,
}

/// One page without what only `app` knows (draft, revision, intro).
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The form's title: the command's.
    pub title: String,
    /// The page's own title.
    pub heading: String,
    /// The fields, with the values typed so far or their defaults.
    pub fields: Vec<Field>,
    /// The label of the button that goes on: `Next`, or `Ask for approval` on the last page.
    pub submit: String,
    /// Whether there is a page to go back to.
    pub back: bool,
}

/// Parameters that were checked: made by [`check_all`] alone, or read back from where they were kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Inputs(Map<String, Value>);

impl Inputs {
    /// The values by parameter name, defaults filled in.
    pub fn values(&self) -> &Map<String, Value> {
        &self.0
    }

    /// One value.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}

/// A field whose name must still be free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unique {
    /// The field.
    pub field: String,
    /// What people read above it.
    pub label: String,
    /// The sort of name: `repository`.
    pub kind: String,
    /// The name wanted.
    pub name: String,
}

/// The template that the form shows as chosen: by the values, else preselected.
pub fn shown_template(
    command: &Command,
    values: &Map<String, Value>,
    facts: &FormFacts,
) -> Option<String> {
    let chosen = command.template(values).map(str::to_owned);
    chosen.or_else(|| {
        let start = start(command.template_field()?, facts)?;
        start.as_str().map(str::to_owned)
    })
}

/// Whether the form has more pages with one template than with another.
pub fn lengths_differ<'a>(
    command: &Command,
    templates: impl IntoIterator<Item = &'a Template>,
) -> bool {
    let mut lengths = templates.into_iter().map(|t| pages(command, Some(t)));
    let first = lengths.next();
    command.template_field().is_some() && lengths.any(|length| Some(length) != first)
}

/// How many pages the form has: the command's own, then the chosen template's.
pub fn pages(command: &Command, template: Option<&Template>) -> usize {
    asked_pages(command, template).len()
}

/// A page by its index from 0; `None` beyond the last.
pub fn page(
    command: &Command,
    template: Option<&Template>,
    index: usize,
    values: &Map<String, Value>,
    facts: &FormFacts,
) -> Option<Page> {
    let pages = asked_pages(command, template);
    let page = pages.get(index)?;
    // While the template isn't chosen, its pages are still to come.
    let open = template.is_none() && command.template_field().is_some();
    let last = index + 1 == pages.len() && !open;
    Some(Page {
        title: command.title.clone(),
        heading: page.title.to_owned(),
        fields: page
            .fields
            .iter()
            .map(|parameter| field(parameter, values, facts))
            .collect(),
        submit: if last { "Ask for approval" } else { "Next" }.to_owned(),
        back: index > 0,
    })
}

/// The fields whose names must be free, with the names wanted, of those that have a value.
pub fn uniques(
    command: &Command,
    template: Option<&Template>,
    values: &Map<String, Value>,
) -> Vec<Unique> {
    asked_pages(command, template)
        .iter()
        .flat_map(|page| &page.fields)
        .filter_map(|parameter| {
            Some(Unique {
                field: parameter.name.clone(),
                label: parameter.title.clone(),
                kind: parameter.unique.clone()?,
                name: values.get(&parameter.name)?.as_str()?.to_owned(),
            })
        })
        .collect()
}

/// The values that free words behind a command's name stand for: one word is the `name`, a sentence the
/// `description` (where there is none, the words joined are the `name`).
pub fn prefill(command: &Command, words: &str) -> Map<String, Value> {
    let words: Vec<&str> = words.split_whitespace().collect();
    let has = |name: &str| {
        command
            .parameters
            .get(name)
            .is_some_and(|p| matches!(p.widget, Widget::Line | Widget::Lines))
    };
    let filled: Option<(&str, String)> = match words.as_slice() {
        [one] if has("name") => Some(("name", (*one).to_owned())),
        [_, _, ..] if has("description") => Some(("description", words.join(" "))),
        [_, _, ..] if has("name") => Some(("name", words.join("-").to_lowercase())),
        _ => None,
    };
    filled
        .into_iter()
        .map(|(name, text)| (name.to_owned(), Value::String(text)))
        .collect()
}

/// One page to be asked: the template's fields that the command asks for already are gone.
struct Asked<'a> {
    title: &'a str,
    fields: Vec<&'a Parameter>,
}

fn asked_pages<'a>(command: &'a Command, template: Option<&'a Template>) -> Vec<Asked<'a>> {
    let own = command.parameters.pages.iter().map(|page| (page, false));
    let its = template
        .into_iter()
        .flat_map(|template| &template.parameters.pages)
        .map(|page| (page, true));
    let visible = |page: &'a ParameterPage, from_template: bool| Asked {
        title: &page.title,
        fields: page
            .fields
            .iter()
            .filter(|field| !from_template || command.parameters.get(&field.name).is_none())
            .collect(),
    };
    own.chain(its)
        .map(|(page, from_template)| visible(page, from_template))
        .filter(|page| !page.fields.is_empty())
        .collect()
}

fn field(parameter: &Parameter, values: &Map<String, Value>, facts: &FormFacts) -> Field {
    let number = |name: &str| parameter.schema.get(name).and_then(Value::as_f64);
    let length = |name: &str| {
        parameter
            .schema
            .get(name)
            .and_then(Value::as_u64)
            .and_then(|n| u32::try_from(n).ok())
    };
    let text = |multiline| FieldKind::Text {
        multiline,
        min: length("minLength"),
        max: length("maxLength"),
    };
    let kind = match parameter.widget {
        Widget::Line => text(false),
        Widget::Lines => text(true),
        Widget::Number { integer } => FieldKind::Number {
            integer,
            min: number("minimum"),
            max: number("maximum"),
        },
        Widget::Switch => FieldKind::Switch,
        Widget::Choice => FieldKind::Choice {
            options: choices(parameter),
        },
        Widget::Choices => FieldKind::Choices {
            options: choices(parameter),
        },
        Widget::Template => FieldKind::Choice {
            options: facts.templates.clone(),
        },
        Widget::Team => FieldKind::Choice {
            options: facts.offered_teams().to_vec(),
        },
    };
    Field {
        name: parameter.name.clone(),
        label: parameter.title.clone(),
        help: parameter.help.clone(),
        placeholder: parameter.placeholder.clone(),
        required: parameter.required,
        value: values
            .get(&parameter.name)
            .cloned()
            .or_else(|| start(parameter, facts)),
        steers: parameter.widget == Widget::Template && facts.lengths_differ,
        kind,
    }
}

/// What a field starts with: its default, where that is on offer; the asker's first team; the recommended template.
fn start(parameter: &Parameter, facts: &FormFacts) -> Option<Value> {
    let first = |choices: &[Choice]| {
        choices
            .first()
            .map(|choice| Value::from(choice.value.clone()))
    };
    let offered = |choices: &[Choice]| {
        let default = parameter.default.clone();
        default.filter(|value| {
            choices
                .iter()
                .any(|c| Some(c.value.as_str()) == value.as_str())
        })
    };
    match parameter.widget {
        Widget::Team => offered(facts.offered_teams()).or_else(|| first(&facts.teams)),
        Widget::Template => {
            offered(&facts.templates).or_else(|| facts.recommended.clone().map(Value::from))
        }
        _ => parameter.default.clone(),
    }
}

fn choices(parameter: &Parameter) -> Vec<Choice> {
    let choice = |(value, label): &(Value, String)| Choice {
        value: value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned),
        label: label.clone(),
        description: None,
    };
    parameter.options.iter().map(choice).collect()
}

impl FormFacts {
    /// The teams that the asker may choose.
    fn offered_teams(&self) -> &[Choice] {
        if self.may_pick_any && !self.all_teams.is_empty() {
            &self.all_teams
        } else {
            &self.teams
        }
    }
}
