//! What Discord takes: messages, components, modals, commands, each against the limits of its documentation.

mod command;
mod components;
mod message;
mod modal;
mod twilight;

use std::ops::RangeInclusive;

use serde_json::Value;

pub(in crate::sandbox) use self::{
    command::{commands, kept_commands},
    components::{is_select, numbered, pressable},
    message::{Wanted, message, name},
    modal::modal,
};
use super::error::Form;

/// A part of a body, with the place it stands at.
#[derive(Clone, Debug)]
struct Part<'a> {
    value: &'a Value,
    path: String,
}

impl<'a> Part<'a> {
    fn new(value: &'a Value) -> Self {
        Self {
            value,
            path: String::new(),
        }
    }

    /// The place of a member.
    fn place(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    /// A member; `None` where it is missing or null.
    fn at(&self, name: &str) -> Option<Self> {
        let value = self.value.get(name).filter(|value| !value.is_null())?;
        Some(Self {
            value,
            path: self.place(name),
        })
    }

    /// The elements of a member that is a list; one that isn't is wrong.
    fn list(&self, form: &mut Form, name: &str) -> Vec<Self> {
        let Some(member) = self.at(name) else {
            return Vec::new();
        };
        let Some(all) = member.value.as_array() else {
            let message = "Only iterables may be used in a ListType";
            form.wrong(&member.path, "LIST_TYPE_CONVERT", message);
            return Vec::new();
        };
        let part = |(at, value): (usize, &'a Value)| Self {
            value,
            path: format!("{}.{at}", member.path),
        };
        all.iter().enumerate().map(part).collect()
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.value.get(name)?.as_u64()
    }

    fn flag(&self, name: &str) -> bool {
        self.value.get(name) == Some(&Value::Bool(true))
    }

    fn str(&self, name: &str) -> &'a str {
        let value = self.value.get(name).and_then(Value::as_str);
        value.unwrap_or_default()
    }

    /// A text of so many characters.
    fn text(&self, form: &mut Form, name: &str, (length, needed): (RangeInclusive<usize>, bool)) {
        let place = self.place(name);
        let Some(member) = self.at(name) else {
            if needed {
                form.missing(&place);
            }
            return;
        };
        let Some(text) = member.value.as_str() else {
            form.wrong(
                &place,
                "STRING_TYPE_CONVERT",
                "Could not interpret value as string.",
            );
            return;
        };
        within(form, &place, text.chars().count(), length);
    }

    /// A number within bounds, where there is one.
    fn bounded(&self, form: &mut Form, name: &str, bounds: RangeInclusive<u64>) {
        let Some(member) = self.at(name) else { return };
        let good = member.value.as_u64().is_some_and(|n| bounds.contains(&n));
        if !good {
            let (least, most) = bounds.into_inner();
            let message = format!("int value should be between {least} and {most}.");
            form.wrong(&member.path, "NUMBER_TYPE_RANGE", &message);
        }
    }
}

/// Whether so many characters are within bounds.
fn within(form: &mut Form, place: &str, count: usize, length: RangeInclusive<usize>) {
    let (least, most) = length.into_inner();
    if count > most {
        let message = format!("Must be {most} or fewer in length.");
        form.wrong(place, "BASE_TYPE_MAX_LENGTH", &message);
    } else if count < least {
        let message = format!("Must be between {least} and {most} in length.");
        form.wrong(place, "BASE_TYPE_BAD_LENGTH", &message);
    }
}

/// Whether a list has as many as it may.
fn counted(form: &mut Form, place: &str, count: usize, bounds: RangeInclusive<usize>) {
    if !bounds.contains(&count) {
        let (least, most) = bounds.into_inner();
        let message = format!("Must be between {least} and {most} in length.");
        form.wrong(place, "BASE_TYPE_BAD_LENGTH", &message);
    }
}

/// A value that is none of those known.
fn choice(form: &mut Form, place: &str, known: &str) {
    let message = format!("Value must be one of ({known}).");
    form.wrong(place, "BASE_TYPE_CHOICES", &message);
}

#[cfg(test)]
mod tests;
