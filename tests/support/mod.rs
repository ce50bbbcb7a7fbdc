//! What the tests stand on.

pub mod discord;
pub mod postgres;
pub mod serve;
pub mod slack;

/// Says aloud what is left out and why: past the harness, which keeps what a passing test prints to itself.
pub fn left_out(what: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "LEFT OUT {what}");
}

/// Calls what runs on this machine. Made once, without the machine's certificates: reading those takes longer than most
/// calls, and without idle connections, which would be those of another test's runtime.
pub fn http() -> &'static reqwest::Client {
    static HTTP: std::sync::LazyLock<reqwest::Client> = std::sync::LazyLock::new(|| {
        idp::clients::install_crypto_provider();
        let client = reqwest::Client::builder().no_proxy();
        let client = client.tls_certs_only([]).pool_max_idle_per_host(0);
        client.build().unwrap()
    });
    &HTTP
}
