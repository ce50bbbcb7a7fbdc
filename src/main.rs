//! The `idp` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Before anything can open a TLS connection: two providers in one process would make rustls panic at the first one.
    if rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .is_err()
    {
        return ExitCode::FAILURE;
    }
    match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime.block_on(idp::boot::cli::run(std::env::args_os())),
        Err(_) => ExitCode::FAILURE, // no threads to be had: nothing could print a word either
    }
}
