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
    // One thread for what people wait for: a delivery is a few short turns around the database, which cost more to hand
    // from thread to thread than to do. What works has threads of its own (`boot::serve`).
    match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime.block_on(idp::boot::cli::run(std::env::args_os())),
        Err(_) => ExitCode::FAILURE, // no threads to be had: nothing could print a word either
    }
}
