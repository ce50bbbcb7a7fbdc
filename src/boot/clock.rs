//! The clock of the process: for what happens before there is a database, such as the age of a signed delivery.
//!
//! Whatever is decided in a transaction uses the database's time instead, read once, so that replicas agree.

use chrono::{DateTime, Utc};

/// The current time.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the clock; all others are handed `now`"
)]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}
