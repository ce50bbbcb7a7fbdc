//! Buttons: their labels, their opaque values and the dialogs that name an effect before it happens.

use super::{facts, words};
use crate::domain::card::{Button, ButtonStyle, Confirm};
use crate::domain::event::ButtonId;
use crate::domain::id::{DraftId, RequestId};
use crate::domain::run::StepState;
use crate::domain::view::{PlanView, RequestView, RunView};

/// Longest label.
const LABEL: usize = 20;
/// Longest text of a dialog: Slack's limit of a confirm object's text
/// (<https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object>).
const DIALOG: usize = 300;

/// What a `form.open` button opens. Its written form is the button's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Open {
    /// A command's empty form.
    Command(String),
    /// A draft as it was left, or with words kept for it.
    Draft(DraftId),
    /// A request's form, filled in as it was asked.
    Again(RequestId),
}

impl std::fmt::Display for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Command(name) => write!(f, "command:{name}"),
            Self::Draft(id) => write!(f, "draft:{id}"),
            Self::Again(id) => write!(f, "request:{id}"),
        }
    }
}

/// A value that no `form.open` button has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names nothing to open")]
pub struct NotToOpen(String);

impl std::str::FromStr for Open {
    type Err = NotToOpen;
    fn from_str(value: &str) -> Result<Self, Self::Err> {
        let wrong = || NotToOpen(value.to_owned());
        let (kind, id) = value.split_once(':').ok_or_else(wrong)?;
        match kind {
            "command" if !id.is_empty() => Ok(Self::Command(id.to_owned())),
            "draft" => id.parse().map(Self::Draft).map_err(|_| wrong()),
            "request" => id.parse().map(Self::Again).map_err(|_| wrong()),
            _ => Err(wrong()),
        }
    }
}

/// A button without a dialog.
pub(super) fn button(
    id: ButtonId,
    value: &dyn ToString,
    label: &str,
    style: ButtonStyle,
) -> Button {
    Button {
        id,
        value: value.to_string(),
        label: words::clip(&words::line(label), LABEL),
        style,
        confirm: None,
        url: None,
    }
}

fn dialog(title: String, text: &str, yes: &str) -> Confirm {
    Confirm {
        title,
        text: words::clip(text, DIALOG),
        yes: yes.to_owned(),
        no: "Back".to_owned(),
    }
}

/// A button that opens a form.
pub(super) fn open(what: &Open, label: &str, style: ButtonStyle) -> Button {
    button(ButtonId::FormOpen, what, label, style)
}

/// Opens the form again as it was filled: `Ask again`, `Change and ask again`, `Try again`.
pub(super) fn again(view: &RequestView, label: &str) -> Button {
    open(&Open::Again(view.id), label, ButtonStyle::Plain)
}

/// Approve, with the effect named in its dialog.
pub(super) fn approve(view: &RequestView, plan: &PlanView) -> Button {
    let recorded = format!("Recorded under your name for plan {}.", plan.digest.short());
    // The last sentence always shows; the effect gives way.
    let room = DIALOG.saturating_sub(recorded.chars().count() + 1);
    let effect = words::clip(&facts::effect(&plan.facts, &view.subject), room);
    Button {
        confirm: Some(dialog(
            format!("Approve {}?", view.number),
            &format!("{effect} {recorded}"),
            "Approve",
        )),
        ..button(
            ButtonId::RequestApprove,
            &plan.id,
            "Approve",
            ButtonStyle::Primary,
        )
    }
}

/// Deny; the reason is asked for next.
pub(super) fn deny(plan: &PlanView) -> Button {
    button(
        ButtonId::RequestDeny,
        &plan.id,
        "Deny…",
        ButtonStyle::Danger,
    )
}

/// See plan.
pub(super) fn see_plan(plan: &PlanView) -> Button {
    button(ButtonId::PlanShow, &plan.id, "See plan", ButtonStyle::Plain)
}

/// Cancel while nothing has been made: no dialog.
pub(super) fn cancel(view: &RequestView) -> Button {
    button(
        ButtonId::RequestCancel,
        &view.id,
        "Cancel",
        ButtonStyle::Plain,
    )
}

/// Cancel of what is under way, with what will be taken back named.
pub(super) fn cancel_run(view: &RequestView, run: &RunView) -> Button {
    let text = match undo_words(run).as_slice() {
        [] => "Nothing exists outside idp yet; what is at work is taken back.".to_owned(),
        undo => format!("What was done is taken back: {}.", undo.join(", then ")),
    };
    Button {
        confirm: Some(dialog(
            format!("Cancel {}?", view.number),
            &text,
            "Cancel it",
        )),
        ..button(
            ButtonId::RequestCancel,
            &view.id,
            "Cancel…",
            ButtonStyle::Plain,
        )
    }
}

/// Goes on from the unfinished step.
pub(super) fn retry(run: &RunView) -> Button {
    button(
        ButtonId::RunRetry,
        &generation(run),
        "Retry",
        ButtonStyle::Primary,
    )
}

/// Takes back what was done, named in its dialog.
pub(super) fn undo(view: &RequestView, run: &RunView) -> Button {
    let text = match undo_words(run).as_slice() {
        [] => "Nothing exists outside idp. This ends the request and frees its names.".to_owned(),
        undo => words::sentence(&undo.join(", then ")),
    };
    Button {
        confirm: Some(dialog(format!("Undo {}?", view.number), &text, "Undo")),
        ..button(
            ButtonId::RunUndo,
            &generation(run),
            "Undo…",
            ButtonStyle::Danger,
        )
    }
}

/// Opens a link: `Open repository`.
pub(super) fn link(title: &str, url: &str) -> Button {
    let label = format!("Open {}", words::line(title).to_lowercase());
    let label = if label.chars().count() > LABEL {
        "Open"
    } else {
        &label
    };
    Button {
        url: Some(url.to_owned()),
        ..button(ButtonId::LinkOpen, &"link", label, ButtonStyle::Primary)
    }
}

/// What undoing would do, in its order: the unfinished step first, then backwards.
pub(super) fn undo_words(run: &RunView) -> Vec<String> {
    run.steps
        .iter()
        .rev()
        .filter(|step| step.state != StepState::Undone)
        .filter_map(|step| {
            let undo = words::clause(step.undo.as_deref()?);
            Some(match step.may_exist.as_slice() {
                [] => undo,
                _ => format!("{undo} if it was made"),
            })
        })
        .collect()
}

/// `RUN:GENERATION`: a press on an earlier try is seen as such.
fn generation(run: &RunView) -> String {
    format!("{}:{}", run.id, run.generation)
}
