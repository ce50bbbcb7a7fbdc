//! The lines above a form's fields, and the dialog that asks for the reason of a Deny.

use super::words;
use crate::domain::card::Text;
use crate::domain::form::FieldError;
use crate::domain::id::RequestNumber;

/// Where requests stand that have no channel.
pub const DIRECT: &str = "your direct messages with me";

/// Where the request will stand: the first line of every form. `None`: the asker's direct messages.
pub fn intro(place: Option<&str>) -> Text {
    match place {
        Some(place) => Text::plain("The request will stand in ")
            .bold(words::line(place))
            .and("."),
        None => Text::plain(format!("The request will stand in {DIRECT}.")),
    }
}

/// What is wrong on this page, for errors that were found after it had been left.
pub fn trouble(errors: &[FieldError]) -> Vec<Text> {
    let line = |e: &FieldError| {
        Text::default()
            .bold(words::line(e.called()))
            .and(format!(": {}", words::line(&e.message)))
    };
    errors.iter().map(line).collect()
}

/// Title and hint of the dialog that asks why.
pub fn deny(number: RequestNumber) -> (String, String) {
    (
        format!("Deny {number}?"),
        "The reason stands on the card, so that the next request can be better.".to_owned(),
    )
}
