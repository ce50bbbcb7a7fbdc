//! What was typed behind the slash, read against the registered commands.

use serde_json::{Value, json};

use super::{ActError, Next, Sort, Suggested};
use crate::sandbox::{
    discord::{deliver::Act, id::Id},
    world::{Inner, InteractionKind},
};

const SUB: u64 = 1;
const GROUP: u64 = 2;

/// What was typed, read against the registered commands.
pub(super) struct Typed {
    pub(super) command: Value,
    /// The subcommands on the way, outermost first.
    subs: Vec<Value>,
    /// The options that can be given here.
    options: Vec<Value>,
    given: Vec<Given>,
    /// What stands before the first option and is none.
    stray: String,
}

struct Given {
    name: String,
    value: String,
    /// Where its value begins in the text.
    at: usize,
}

impl Inner {
    /// Reads what was typed; `None` while no whole command is named.
    pub(super) fn typed(&self, text: &str) -> Option<Typed> {
        let mut words = text.strip_prefix('/')?.split_whitespace();
        let name = words.next()?;
        let mut commands = self.discord.commands.iter();
        let command = commands.find(|own| own.get("name") == Some(&name.into()))?;
        let mut at = text.find(name)? + name.len();
        let mut subs: Vec<Value> = Vec::new();
        let mut options = list(command);
        while options.iter().any(nested) {
            let rest = &text[at..];
            let word = rest.split_whitespace().next()?;
            let sub = options
                .iter()
                .find(|own| own.get("name") == Some(&word.into()))?;
            at += rest.find(word)? + word.len();
            subs.push(sub.clone());
            options = list(sub);
        }
        let (given, stray) = given(text, at, &options);
        Some(Typed {
            command: command.clone(),
            subs,
            options,
            given,
            stray,
        })
    }
}

impl Typed {
    /// `idp run`.
    pub(super) fn called(&self) -> String {
        let names = std::iter::once(&self.command).chain(&self.subs);
        let names: Vec<String> = names.map(|own| text_of(own, "name")).collect();
        names.join(" ")
    }

    /// Whether it can be sent.
    pub(super) fn complete(&self) -> Result<(), ActError> {
        if !self.stray.is_empty() {
            let text = format!("{:?} belongs to no option of this command.", self.stray);
            return Err(ActError::Failed(text));
        }
        let has = |name: &str| {
            self.given
                .iter()
                .any(|own| own.name == name && !own.value.is_empty())
        };
        let missing = self
            .options
            .iter()
            .find(|own| own.get("required") == Some(&true.into()) && !has(&text_of(own, "name")));
        match missing {
            Some(own) => Err(ActError::Failed(format!(
                "{} is required: This option is required. Specify a value",
                text_of(own, "name")
            ))),
            None => Ok(()),
        }
    }

    /// The data of the interaction; one option may be the one that is being typed.
    pub(super) fn data(&self, focused: Option<&str>) -> Result<Value, ActError> {
        let mut options = Vec::new();
        for own in &self.given {
            let focus = focused == Some(own.name.as_str());
            if own.value.is_empty() && !focus {
                continue;
            }
            let known = self
                .options
                .iter()
                .find(|option| text_of(option, "name") == own.name);
            let kind = known.and_then(|option| option.get("type")?.as_u64());
            let value = if focus {
                own.value.as_str().into()
            } else {
                value(own, kind)?
            };
            let mut option = json!({ "name": own.name, "type": kind, "value": value });
            if focus {
                option["focused"] = true.into();
            }
            options.push(option);
        }
        for sub in self.subs.iter().rev() {
            let inside = std::mem::take(&mut options);
            options = vec![
                json!({ "name": sub.get("name"), "type": sub.get("type"), "options": inside }),
            ];
        }
        let command = &self.command;
        Ok(json!({
            "id": command.get("id"), "name": command.get("name"), "type": 1, "options": options,
        }))
    }

    /// The values of the option that is being typed, else the options that are still open.
    pub(super) fn next(&self, text: &str, place: (Id, Id)) -> Next {
        let typing = self.given.last();
        if let Some(own) = typing.filter(|own| own.value.is_empty() || !text.ends_with(' ')) {
            let option = self
                .options
                .iter()
                .find(|option| text_of(option, "name") == own.name);
            let prefix = &text[..own.at];
            return self.values(option, own, (prefix, place));
        }
        let open = self.options.iter().filter(|option| {
            let name = text_of(option, "name");
            self.given.iter().all(|own| own.name != name)
        });
        let base = text.trim_end();
        let typed = self.stray.as_str();
        let base = base.strip_suffix(typed).unwrap_or(base).trim_end();
        let lines = open.filter(|option| text_of(option, "name").starts_with(typed));
        Next::Known(
            lines
                .map(|option| Suggested {
                    text: format!("{base} {}:", text_of(option, "name")),
                    name: format!("{}:", text_of(option, "name")),
                    about: text_of(option, "description"),
                    kind: Sort::Option,
                })
                .collect(),
        )
    }

    fn values(
        &self,
        option: Option<&Value>,
        own: &Given,
        (prefix, place): (&str, (Id, Id)),
    ) -> Next {
        let Some(option) = option else {
            return Next::Known(Vec::new());
        };
        if option.get("autocomplete") == Some(&true.into()) {
            let Ok(data) = self.data(Some(&own.name)) else {
                return Next::Known(Vec::new());
            };
            let act = Act {
                kind: InteractionKind::Autocomplete,
                member: place.0,
                channel: place.1,
                message: None,
                command: Some(self.called()),
                data,
            };
            return Next::Ask(Box::new(act), prefix.to_owned());
        }
        let choices = option.get("choices").and_then(Value::as_array);
        let fitting = choices.into_iter().flatten().filter(|choice| {
            let name = text_of(choice, "name").to_lowercase();
            name.contains(&own.value.to_lowercase())
        });
        Next::Known(
            fitting
                .map(|choice| Suggested {
                    text: format!("{prefix}{} ", text_of(choice, "value")),
                    name: text_of(choice, "name"),
                    about: String::new(),
                    kind: Sort::Value,
                })
                .collect(),
        )
    }
}

/// The options that are given behind a place in the text, and what stands before the first.
fn given(text: &str, from: usize, options: &[Value]) -> (Vec<Given>, String) {
    let mut marks: Vec<(usize, usize, String)> = Vec::new();
    for option in options {
        let name = text_of(option, "name");
        let mark = format!(" {name}:");
        if let Some(at) = text[from..].find(&mark) {
            marks.push((from + at, from + at + mark.len(), name));
        }
    }
    marks.sort();
    let first = marks.first().map_or(text.len(), |mark| mark.0);
    let stray = text[from..first].trim().to_owned();
    let ends = marks.iter().skip(1).map(|mark| mark.0).chain([text.len()]);
    let given = marks.iter().zip(ends).map(|((_, at, name), end)| Given {
        name: name.clone(),
        value: text[*at..end].trim().to_owned(),
        at: *at,
    });
    (given.collect(), stray)
}

/// A value by its option's kind.
fn value(own: &Given, kind: Option<u64>) -> Result<Value, ActError> {
    let wrong = || ActError::BadValue(own.name.clone());
    Ok(match kind {
        Some(4) => own.value.parse::<i64>().map_err(|_| wrong())?.into(),
        Some(5) => own
            .value
            .to_lowercase()
            .parse::<bool>()
            .map_err(|_| wrong())?
            .into(),
        Some(10) => own.value.parse::<f64>().map_err(|_| wrong())?.into(),
        _ => own.value.as_str().into(),
    })
}

pub(super) fn nested(option: &Value) -> bool {
    let kind = option.get("type").and_then(Value::as_u64);
    matches!(kind, Some(SUB | GROUP))
}

pub(super) fn list(of: &Value) -> Vec<Value> {
    let options = of.get("options").and_then(Value::as_array);
    options.cloned().unwrap_or_default()
}

pub(super) fn text_of(of: &Value, name: &str) -> String {
    match of.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}
