//! `idp policy`: why a rule decides.

use super::Context;
use super::office::at_work;
use crate::app::operator::{self, Explained};
use crate::boot::problem::Problem;
use crate::domain::id::RequestNumber;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Tell which rule decides a request, and who can meet it now
    Explain {
        /// The request's number
        number: i64,
    },
}

pub(super) async fn run(context: &Context, command: &Command) -> Result<(), Problem> {
    let Command::Explain { number } = command;
    let explained = at_work(context, async |app| {
        operator::explain(app, RequestNumber(*number)).await
    })
    .await?
    .ok_or_else(|| {
        Problem::failed(format!("there is no request {number} with a plan"))
            .hint("`idp request list` shows the latest")
    })?;
    lines(&explained)
        .iter()
        .try_for_each(|line| context.printer.result(line))
}

fn lines(explained: &Explained) -> Vec<String> {
    let mut lines = vec![format!(
        "{} {}",
        explained.view.number, explained.view.subject
    )];
    let decides = explained.rules.iter().position(|(_, _, decides)| *decides);
    for (at, (name, when, _)) in explained.rules.iter().enumerate() {
        let verdict = match decides {
            Some(d) if at == d => "decides",
            Some(d) if at < d => "does not hold",
            _ => "not looked at",
        };
        let when = when.as_deref().unwrap_or("always");
        lines.push(format!("  rule \"{name}\" ({when}): {verdict}"));
    }
    for (handle, members, fresh) in &explained.groups {
        let age = if *fresh {
            ""
        } else {
            " (read too long ago to decide)"
        };
        lines.push(format!("  {handle}{age}: {}", members.join(", ")));
    }
    lines
}
