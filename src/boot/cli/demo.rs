//! `idp demo`

use std::sync::Arc;

use url::Url;

use super::Context;
use crate::boot::demo::{self, Wishes};
use crate::boot::problem::Problem;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Forget the last demo and begin anew
    #[arg(long)]
    reset: bool,

    /// The chat workspace and the Discord server alone, for a bot that you start yourself
    #[arg(long)]
    chat_only: bool,

    /// Where that bot takes deliveries of both over HTTP [default: it connects by Socket Mode and by Discord's gateway]
    #[arg(long, value_name = "URL", num_args = 1.., requires = "chat_only")]
    deliver_to: Vec<Url>,
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), Problem> {
    let Args {
        reset,
        chat_only,
        deliver_to,
    } = args;
    let wishes = Wishes {
        reset,
        chat_only,
        deliver_to,
    };
    demo::run(&context.config()?, &wishes, &Arc::clone(&context.printer)).await
}
