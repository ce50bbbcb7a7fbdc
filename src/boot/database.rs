//! The database of this process: the one of `DATABASE_URL`, or the managed one, behind one way to connect.

use std::str::FromStr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection};

use super::config::{self, Config};
use super::postgres::{self, Cluster, Report};
use super::problem::{OrFail, Problem};

/// How long a task waits for a connection before it gives up and says so; well inside the three seconds that
/// platforms wait for an answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long ago a connection may have been at work to be taken without asking whether the server is still there.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// How many statements a connection keeps prepared: more than there are. With fewer, what one piece of work prepares the
/// next one throws out.
const STATEMENTS: usize = 1000;

/// How long a server may take to greet at start: it may be far away, or just waking up.
const GREETING: Duration = Duration::from_secs(10);

/// An open way to Postgres. Close it after all its pools.
#[derive(Debug)]
pub struct Database {
    options: PgConnectOptions,
    url: SecretString,
    managed: Option<Cluster>,
}

impl Database {
    /// Finds the database; a managed one is started where needed.
    pub async fn open(config: &Config, report: Report<'_>) -> Result<Self, Problem> {
        match &config.database {
            config::Database::External(url) => {
                let options = PgConnectOptions::from_str(url.expose_secret())
                    .map_err(|e| Problem::misuse("`DATABASE_URL` can't be read").because(e))?;
                let options = options.application_name("idp");
                // Where a pooler stands between, the operator says in the address that none is to stay.
                let options = if url.expose_secret().contains("statement-cache-capacity") {
                    options
                } else {
                    options.statement_cache_capacity(STATEMENTS)
                };
                greet(&options).await?;
                Ok(Self {
                    options,
                    url: url.clone(),
                    managed: None,
                })
            }
            config::Database::Managed(settings) => {
                let cluster = postgres::open(settings, report).await?;
                Ok(Self {
                    options: cluster.options().statement_cache_capacity(STATEMENTS),
                    url: cluster.url(),
                    managed: Some(cluster),
                })
            }
        }
    }

    /// A pool of at most `size` connections, one of which is made now, so that a wrong address shows at once.
    pub async fn pool(&self, size: u32) -> Result<PgPool, Problem> {
        let pool = pool_options(size, PATIENCE).connect_with(self.quiet());
        pool.await
            .or_fail("can't connect to Postgres")
            .map_err(|problem| {
                problem.hint("check that it runs, and that address, name and password are right")
            })
    }

    /// A pool whose tasks wait for a connection as long as `patience`, where nobody waits for them. Its connections
    /// are made by whoever first needs them, on that thread.
    pub fn lazy_pool(&self, size: u32, patience: Duration) -> PgPool {
        pool_options(size, patience).connect_lazy_with(self.quiet())
    }

    /// A slow statement would be logged with its whole text; Postgres' own log tells of them better.
    fn quiet(&self) -> PgConnectOptions {
        self.options.clone().disable_statement_logging()
    }

    /// Whether it is the managed one, which no other release shares.
    pub fn is_managed(&self) -> bool {
        self.managed.is_some()
    }

    /// Its address, for tools.
    pub fn url(&self) -> &SecretString {
        &self.url
    }

    /// Leaves it; the last one out stops a managed server.
    pub async fn close(self) -> Result<(), Problem> {
        match self.managed {
            Some(cluster) => cluster.close().await,
            None => Ok(()),
        }
    }
}

fn pool_options(size: u32, patience: Duration) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(patience)
        // One that was just at work is taken at its word: a question before each use would cost a round trip more.
        .test_before_acquire(false)
        .before_acquire(|conn, meta| {
            Box::pin(async move {
                let asked = meta.idle_for < TRUSTED_FOR || conn.ping().await.is_ok();
                Ok(asked)
            })
        })
}

/// Asks a server of the operator's own for its version: a pool would try again and again, and say only that it did.
async fn greet(options: &PgConnectOptions) -> Result<(), Problem> {
    let greeting = async {
        let mut connection = options.connect().await?;
        let version: String = sqlx::query_scalar("select current_setting('server_version_num')")
            .fetch_one(&mut connection)
            .await?;
        connection.close().await?;
        Ok::<_, sqlx::Error>(version)
    };
    let refused = |cause: anyhow::Error| {
        Problem::failed("can't connect to the Postgres of `DATABASE_URL`")
            .because(cause)
            .hint("unset `DATABASE_URL` to let idp run a Postgres of its own")
    };
    let version = match tokio::time::timeout(GREETING, greeting).await {
        Ok(Ok(version)) => version,
        Ok(Err(e)) => return Err(refused(e.into())),
        Err(_) => return Err(refused(anyhow::anyhow!("no answer for {GREETING:?}"))),
    };
    // 150018 is 15.18: <https://www.postgresql.org/docs/current/runtime-config-preset.html>.
    let major = version.parse::<u32>().unwrap_or_default() / 10_000;
    if major >= *postgres::SUPPORTED.start() {
        return Ok(());
    }
    Err(Problem::failed(format!(
        "the Postgres of `DATABASE_URL` is of version {major}"
    ))
    .hint(format!(
        "idp needs {} or newer",
        postgres::SUPPORTED.start()
    )))
}
