//! `idp audit`: the evidence, checked and copied out.

use std::fs::File;
use std::io::{self, BufReader, Write as _};
use std::path::{Path, PathBuf};

use super::Context;
use super::office::at_work;
use crate::app::audit::{self, Exported};
use crate::boot::problem::{OrFail as _, Problem};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Check that no row of the evidence was changed, removed or moved
    Verify(Verify),
    /// Print every row and checkpoint, one JSON object a line
    Export,
}

#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    /// What `idp audit export` printed earlier: finds rows that were cut off since
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
}

pub(super) async fn run(context: &Context, command: &Command) -> Result<(), Problem> {
    match command {
        Command::Verify(args) => verify(context, args).await,
        Command::Export => export(context).await,
    }
}

async fn verify(context: &Context, args: &Verify) -> Result<(), Problem> {
    let file = args.against.as_deref().map(open).transpose()?;
    let report = at_work(context, async |app| {
        let settings = app.settings.current();
        let read = file.map(|file| Exported::read(file, settings.state_key.as_ref()));
        match read.transpose() {
            Ok(copy) => audit::verify(app, copy.as_ref()).await.map(Ok),
            Err(error) => Ok(Err(error)),
        }
    })
    .await?
    .or_fail("can't read the file of `--against`")?;
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

fn open(path: &Path) -> Result<BufReader<File>, Problem> {
    let file = File::open(path).or_fail(format!("can't read {}", path.display()))?;
    Ok(BufReader::new(file))
}

async fn export(context: &Context) -> Result<(), Problem> {
    at_work(context, async |app| {
        audit::export(app, None, |line| match writeln!(io::stdout(), "{line}") {
            // Whoever reads (`head`, say) has seen enough.
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        })
        .await
    })
    .await
}
