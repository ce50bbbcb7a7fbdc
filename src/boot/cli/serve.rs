//! `idp serve`

use tokio_util::sync::CancellationToken;

use super::Context;
use crate::boot::problem::Problem;
use crate::boot::serve::{self, Role};
use crate::boot::shutdown;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which part of the work this process does
    #[arg(long, value_name = "ROLE", default_value = "all")]
    role: Role,
    /// Stop when standard input ends: whoever started this holds its other end
    #[arg(long, hide = true)]
    until_input_ends: bool,
}

pub(super) async fn run(context: &Context, args: &Args) -> Result<(), Problem> {
    let config = context.config()?;
    let stop = CancellationToken::new();
    shutdown::on_signals(&stop)?;
    if args.until_input_ends {
        shutdown::on_end_of_input(&stop);
    }
    serve::run(
        &config,
        args.role,
        &|stage| context.printer.stage(stage),
        stop,
    )
    .await
}
