//! `idp request`: asking and looking without a chat.

use serde_json::{Map, Value};

use super::Context;
use super::office::at_work;
use crate::app::operator::{self, NotAsked};
use crate::boot::clock;
use crate::boot::problem::{OrFail as _, Problem};
use crate::cards;
use crate::domain::id::RequestNumber;
use crate::domain::refusal::Refusal;
use crate::domain::view::RequestView;

/// How many requests a list shows.
const LISTED: u16 = 50;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Ask for a command as an operator; approvals are asked for as always
    New {
        /// The command's name
        command: String,
        /// A value, as often as there are values
        #[arg(long, value_name = "NAME=VALUE", value_parser = super::setting)]
        set: Vec<(String, String)>,
        /// Who asks, as the request will say
        #[arg(long = "as", value_name = "NAME", default_value = "operator")]
        by: String,
    },
    /// List the latest requests
    List {
        /// Only those that are not over
        #[arg(long)]
        open: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one request; as JSON with its whole evidence
    Show {
        /// Its number
        number: i64,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(context: &Context, command: &Command) -> Result<(), Problem> {
    match command {
        Command::New { command, set, by } => new(context, command, set, by).await,
        Command::List { open, json } => list(context, *open, *json).await,
        Command::Show { number, json } => show(context, *number, *json).await,
    }
}

async fn new(
    context: &Context,
    command: &str,
    set: &[(String, String)],
    by: &str,
) -> Result<(), Problem> {
    let values: Map<String, Value> = set
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().into()))
        .collect();
    let asked = at_work(context, async |app| {
        operator::ask(app, by, command, &values).await
    })
    .await?;
    match asked {
        Ok(view) => context.printer.result(line(&view)),
        Err(NotAsked::Refused(refusal)) => Err(refused(&refusal)),
        Err(NotAsked::Wrong(errors)) => {
            let problem = Problem::misuse(format!("`{command}` can't be asked for like this"));
            Err(errors.iter().fold(problem, |problem, e| {
                problem.hint(format!("`--set {}=…`: {}", e.field, e.message))
            }))
        }
    }
}

fn refused(refusal: &Refusal) -> Problem {
    let problem = Problem::failed(refusal.to_string());
    match &refusal.nearest {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None => problem,
    }
}

async fn list(context: &Context, open: bool, json: bool) -> Result<(), Problem> {
    let views = at_work(context, async |app| operator::list(app, open, LISTED).await).await?;
    if json {
        return context.printer.result(serde_json::json!(views));
    }
    views
        .iter()
        .try_for_each(|view| context.printer.result(line(view)))
}

async fn show(context: &Context, number: i64, json: bool) -> Result<(), Problem> {
    let shown = at_work(context, async |app| {
        operator::show(app, RequestNumber(number)).await
    })
    .await?
    .ok_or_else(|| {
        Problem::failed(format!("there is no request {number}"))
            .hint("`idp request list` shows the latest")
    })?;
    if json {
        let document = shown.json().or_fail("can't write the evidence down")?;
        return context.printer.result(format_args!("{document:#}"));
    }
    context.printer.result(line(&shown.view))?;
    shown.audit.iter().try_for_each(|entry| {
        context
            .printer
            .result(format_args!("{:>4}  {}", entry.seq, entry.json()))
    })
}

/// One line that says where a request stands, as on its card.
fn line(view: &RequestView) -> String {
    cards::root(view, clock::now()).fallback
}
