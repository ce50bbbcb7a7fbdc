//! Postgres, always: the managed cluster that runs when no `DATABASE_URL` is set.
//!
//! One private cluster lives in the data directory and listens on a Unix socket only. Any number of processes on the
//! same folder share it: each holds a shared lock while it lasts, the last one out stops the server, and after a crash
//! the next one finds it again, running or not. Binaries come from the machine or, where there are none, from Maven
//! Central. The server, not idp, keeps the data safe: `fsync` stays on and the settings below only make it small.

mod account;
mod binaries;
mod download;
mod home;
mod server;
mod stage;

use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use self::home::{Home, Lock};
use self::server::Answer;
pub use self::stage::{Report, Stage, silent};
use super::problem::{OrFail, Problem};

/// The oldest and newest Postgres that idp is tested on.
pub const SUPPORTED: std::ops::RangeInclusive<u32> = 15..=18;

/// The database that idp keeps its tables in.
const DATABASE: &str = "idp";

/// How long a server may take to recover after a crash before we give up waiting.
const RECOVERY: Duration = Duration::from_mins(2);

/// Where the managed cluster lives and what it is made from.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The data directory; the cluster takes the folder `postgres` in it.
    pub data_dir: PathBuf,
    /// Where downloaded binaries are kept, apart from the data so that a reset doesn't fetch them again.
    pub cache_dir: PathBuf,
    /// Where the programs come from.
    pub source: Source,
    /// Further server settings, which win over our own.
    pub server: Vec<(String, String)>,
}

/// Where the Postgres programs come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Found on the machine, downloaded where it has none.
    Machine,
    /// This folder with `initdb`, `pg_ctl` and `postgres`.
    Folder(PathBuf),
    /// Downloaded, whatever the machine has.
    Download,
}

impl Settings {
    /// The settings for a data directory, with everything else left to be found.
    pub fn new(data_dir: impl Into<PathBuf>, cache_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            cache_dir: cache_dir.into(),
            source: Source::Machine,
            server: Vec::new(),
        }
    }
}

/// A running managed cluster that this process uses. End it with [`Cluster::close`].
///
/// Dropped without that (a panic, say), it only gives back its lock: the server stays up and the next process on the
/// folder finds it.
#[derive(Debug)]
pub struct Cluster {
    home: Home,
    users: Lock,
    options: PgConnectOptions,
}

/// Whether there is a cluster in this data directory, running or not.
pub fn is_made(data_dir: &Path) -> bool {
    data_dir.join("postgres").exists()
}

/// Finds, makes or starts the cluster of `settings.data_dir` and comes back when it answers.
pub async fn open(settings: &Settings, report: Report<'_>) -> Result<Cluster, Problem> {
    let home = Home::prepare(&settings.data_dir)?;
    let starting = home.lock_start(report).await?;
    let users = home.lock_as_user()?;
    let options = bring_up(&home, settings, report).await?;
    drop(starting);
    Ok(Cluster {
        home,
        users,
        options,
    })
}

impl Cluster {
    /// How to connect to idp's database.
    pub fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// The same as a `postgres://` address, for a process of its own (`psql` reads it too). Holds the password.
    pub fn url(&self) -> SecretString {
        let mut url = self.options().to_url_lossy();
        url.set_query(None); // words that only sqlx knows
        SecretString::from(String::from(url))
    }

    /// The folder that holds the cluster: data, socket, password, logs.
    pub fn folder(&self) -> &Path {
        self.home.path()
    }

    /// Leaves the cluster; the last one to leave stops the server.
    pub async fn close(self) -> Result<(), Problem> {
        let _starting = self.home.lock_start(silent()).await?;
        drop(self.users);
        if let Some(_alone) = self.home.try_lock_alone()? {
            server::stop(&self.home).await?;
        }
        Ok(())
    }
}

/// Stops the cluster of a data directory and deletes it. Refused while another process uses it.
pub async fn erase(data_dir: &Path) -> Result<(), Problem> {
    let Some(home) = Home::find(data_dir)? else {
        return Ok(());
    };
    let _starting = home.lock_start(silent()).await?;
    let Some(_alone) = home.try_lock_alone()? else {
        return Err(
            Problem::failed(format!("{} is in use by another idp", data_dir.display())).hint(
                "stop the other `idp` on this folder first, or name another with `--data-dir`",
            ),
        );
    };
    server::stop(&home).await?;
    home.delete()
}

/// Answers with the options to connect once the server does answer, whatever state it was found in.
async fn bring_up(
    home: &Home,
    settings: &Settings,
    report: Report<'_>,
) -> Result<PgConnectOptions, Problem> {
    let deadline = tokio::time::Instant::now() + RECOVERY;
    let mut started = false;
    loop {
        if let Some(running) = server::running(home)? {
            let options = home.options(&running)?;
            match server::ask(&options).await? {
                Answer::Ready => return Ok(options),
                Answer::Empty => create_database(&options).await?,
                Answer::NotYet if !started => report(&Stage::Recovering),
                Answer::NotYet | Answer::Silent => {}
            }
        } else if started {
            return Err(home.explain("the local Postgres stopped right after its start"));
        } else {
            create_and_start(home, settings, report).await?;
            started = true;
            continue;
        }
        if tokio::time::Instant::now() > deadline {
            return Err(home.explain("the local Postgres runs but doesn't answer"));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn create_and_start(
    home: &Home,
    settings: &Settings,
    report: Report<'_>,
) -> Result<(), Problem> {
    let existing = home.major()?;
    let binaries = binaries::choose(settings, home, existing, report).await?;
    if existing.is_none() {
        report(&Stage::Creating {
            major: binaries.major,
        });
        server::create(home, &binaries).await?;
    }
    report(&Stage::Starting {
        major: binaries.major,
    });
    server::start(home, &binaries, &settings.server).await
}

async fn create_database(options: &PgConnectOptions) -> Result<(), Problem> {
    let create = async {
        let mut connection = options.clone().database("postgres").connect().await?;
        let sql = AssertSqlSafe(format!("create database {DATABASE}"));
        sqlx::query(sql).execute(&mut connection).await?;
        connection.close().await
    };
    create
        .await
        .or_fail("can't make idp's database in the local Postgres")
}
