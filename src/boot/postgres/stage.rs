//! What the cluster is busy with, for whoever waits in front of it.

use std::fmt;

/// Something that takes long enough for a person to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Another idp starts or stops the same cluster at this moment.
    Waiting,
    /// No Postgres on this machine: fetching one. Reported again each second.
    Downloading {
        /// The major version that is fetched.
        major: u32,
        /// Whole seconds since the download began.
        seconds: u64,
    },
    /// The download has been unpacked.
    Downloaded {
        /// The full version, such as `18.6.0`.
        version: String,
    },
    /// `initdb` runs.
    Creating {
        /// The major version of the new cluster.
        major: u32,
    },
    /// The server starts.
    Starting {
        /// The major version of the server.
        major: u32,
    },
    /// A server is there but not ready: it recovers from a crash or is stopping.
    Recovering,
}

/// Gets told each [`Stage`] as it begins.
pub type Report<'a> = &'a (dyn Fn(&Stage) + Send + Sync);

/// A report that tells nobody.
pub fn silent() -> Report<'static> {
    &|_| {}
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting => f.write_str("Waiting for another idp on this data folder"),
            Self::Downloading { major, seconds } => {
                write!(
                    f,
                    "Downloading PostgreSQL {major} (about 30 MB, once), {seconds} s"
                )
            }
            Self::Downloaded { version } => write!(f, "Downloaded PostgreSQL {version}"),
            Self::Creating { major } => write!(f, "Creating a local PostgreSQL {major}"),
            Self::Starting { major } => write!(f, "Starting the local PostgreSQL {major}"),
            Self::Recovering => f.write_str("Waiting for the local PostgreSQL to recover"),
        }
    }
}
