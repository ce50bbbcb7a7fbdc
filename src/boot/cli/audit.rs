//! `idp audit`: the evidence, checked and copied out.

use std::io::{self, Write as _};

use super::Context;
use super::office::at_work;
use crate::app::audit;
use crate::boot::problem::Problem;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Check that no row of the evidence was changed, removed or moved
    Verify,
    /// Print every row, one JSON object a line
    Export,
}

pub(super) async fn run(context: &Context, command: &Command) -> Result<(), Problem> {
    match command {
        Command::Verify => verify(context).await,
        Command::Export => export(context).await,
    }
}

async fn verify(context: &Context) -> Result<(), Problem> {
    let report = at_work(context, async |app| audit::verify(app).await).await?;
    context.printer.result(format_args!(
        "{} rows in {} chains, {} checkpoints",
        report.rows, report.chains, report.checkpoints
    ))?;
    if !report.authenticated {
        context
            .printer
            .note("The checkpoints' seals were not checked: `IDP_STATE_KEY` is not set.");
    }
    let mut broken = report.broken.iter();
    let Some(first) = broken.next() else {
        return Ok(());
    };
    let problem = Problem::failed(format!("the evidence was changed: {first}"));
    Err(broken.fold(problem, |problem, more| {
        problem.hint(format!("also: {more}"))
    }))
}

async fn export(context: &Context) -> Result<(), Problem> {
    at_work(context, async |app| {
        audit::export(app, None, |entry| {
            let row = serde_json::json!({
                "chain": entry.chain,
                "seq": entry.seq,
                "prev": entry.prev,
                "hash": entry.hash,
                "body": entry.json(),
            });
            match writeln!(io::stdout(), "{row}") {
                // Whoever reads (`head`, say) has seen enough.
                Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                written => written,
            }
        })
        .await
    })
    .await
}
