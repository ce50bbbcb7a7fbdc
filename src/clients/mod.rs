//! All outgoing calls: chat platforms and forges.

pub mod discord;
pub mod forge;
pub mod slack;

/// Makes aws-lc-rs the process's one TLS provider; the first line of `main`, and of tests that make a client.
/// A second call changes nothing.
pub fn install_crypto_provider() {
    // The only failure is that there is one already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}
