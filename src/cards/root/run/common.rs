//! What the cards of several states say: where a run stands, why it stopped, what remains, and who may act.

use crate::cards::words;
use crate::domain::card::Text;
use crate::domain::run::StepState;
use crate::domain::view::{RequestView, RunView};

/// The group that may always look after a run.
const KEEPERS: &str = "platform";

/// The first step that isn't finished.
pub(super) fn unfinished(run: &RunView) -> Option<usize> {
    run.steps
        .iter()
        .position(|s| !matches!(s.state, StepState::Done | StepState::Skipped))
}

/// `step 2 of 3`
pub(super) fn place(run: &RunView, at: Option<usize>) -> String {
    let total = run.steps.len();
    format!("step {} of {total}", at.map_or(total, |at| at + 1))
}

/// `The git server gave no answer for 60 s (4 tries). Reference E-8KQ2`
pub(super) fn cause_line(run: &RunView, at: Option<usize>) -> Text {
    let step = at.and_then(|at| run.steps.get(at));
    let cause = step
        .and_then(|s| s.cause.as_deref())
        .map_or_else(|| "something broke on our side".to_owned(), words::clause);
    let tries = step
        .filter(|s| s.tries > 1)
        .map_or_else(String::new, |s| format!(" ({} tries)", s.tries));
    let reference = run
        .reference
        .as_deref()
        .map_or_else(String::new, |r| format!(" Reference {r}"));
    Text::plain(format!(
        "{}{reference}",
        words::sentence(&format!("{cause}{tries}"))
    ))
}

pub(super) fn remains(run: &RunView) -> Vec<String> {
    run.steps
        .iter()
        .flat_map(|s| s.exists.iter().map(|e| words::line(e)))
        .collect()
}

/// Who may retry and undo: the requester, who approved, the platform team.
pub(in crate::cards) fn insiders(view: &RequestView, run: &RunView) -> Vec<String> {
    let mut names = vec![words::line(&view.requester.name)];
    for (person, _) in &run.approved_by {
        let name = words::line(&person.name);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.push(KEEPERS.to_owned());
    names
}
