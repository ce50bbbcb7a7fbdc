//! A database per test, on one managed cluster per build folder: the same code that runs in production.
//!
//! The cluster is started by the first test that needs it and stopped when the last test process on it has ended,
//! however it ended. `IDP_TEST_PG_BIN` names the folder of another Postgres (or `download`), which gets a cluster of
//! its own. Databases are copies of a migrated template, so that a test pays a file copy and no migration.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use idp::boot::postgres::{Cluster, Settings, Source, open, silent};
use idp::boot::schema;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tokio::sync::OnceCell;

/// A database of this test alone, dropped with everything in it when the value goes.
#[derive(Debug)]
pub struct Database {
    name: String,
    cluster: &'static Cluster,
}

impl Database {
    /// A database with all tables and nothing in them.
    pub async fn new() -> Self {
        let (cluster, template) = shared().await;
        Self::create(cluster, template).await
    }

    /// A database without any table.
    pub async fn empty() -> Self {
        Self::create(shared().await.0, "template1").await
    }

    /// Where it is, for a process: `postgres://…`.
    pub fn url(&self) -> String {
        let mut url = url::Url::parse(self.cluster.url().expose_secret()).unwrap();
        url.set_path(&self.name);
        url.into()
    }

    /// How to connect to it.
    pub fn options(&self) -> PgConnectOptions {
        self.cluster.options().database(&self.name)
    }

    /// A pool of at most `size` connections. It belongs to the runtime of the test that makes it.
    pub async fn pool(&self, size: u32) -> PgPool {
        PgPoolOptions::new()
            .max_connections(size)
            .connect_with(self.options())
            .await
            .unwrap()
    }

    async fn create(cluster: &'static Cluster, template: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{number}", std::process::id());
        let mut admin = cluster.options().connect().await.unwrap();
        execute(
            &mut admin,
            format!("create database {name} template {template}"),
        )
        .await;
        Self { name, cluster }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let options = self.cluster.options();
        let drop = format!("drop database if exists {} with (force)", self.name);
        // A thread with a runtime of its own: the test's may be ending.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let mut admin = options.connect().await.unwrap();
                execute(&mut admin, drop).await;
            });
        });
        let dropped = dropping.join().is_ok();
        assert!(
            dropped || std::thread::panicking(),
            "{} was not dropped",
            self.name
        );
    }
}

/// The folder for what tests keep between runs, such as downloaded programs.
pub fn kept_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}

/// The cluster of this process and the name of its migrated template.
async fn shared() -> (&'static Cluster, &'static str) {
    static SHARED: OnceCell<(Cluster, String)> = OnceCell::const_new();
    let (cluster, template) = SHARED
        .get_or_init(async || {
            let cluster = open(&settings(), silent()).await.unwrap();
            stop_after_us(cluster.folder());
            let template = prepare(&cluster).await;
            (cluster, template)
        })
        .await;
    (cluster, template)
}

/// Every test process on one build folder shares the cluster; each Postgres version has its own.
fn settings() -> Settings {
    let (folder, source) = match std::env::var_os("IDP_TEST_PG_BIN") {
        None => ("postgres".to_owned(), Source::Machine),
        Some(word) if word == "download" => ("postgres-downloaded".to_owned(), Source::Download),
        Some(dir) => {
            let digest = hex::encode(Sha256::digest(dir.as_encoded_bytes()));
            (
                format!("postgres-{}", &digest[..8]),
                Source::Folder(dir.into()),
            )
        }
    };
    Settings {
        source,
        // Nothing here outlives the run: a crash of the machine may lose it.
        server: [("fsync", "off"), ("max_connections", "400")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        ..Settings::new(kept_dir().join(folder), kept_dir())
    }
}

/// Makes the template that all databases are copied from, once per set of migrations, and clears what killed test
/// processes left behind.
async fn prepare(cluster: &Cluster) -> String {
    let mut digest = Sha256::new();
    for migration in schema::MIGRATIONS.iter() {
        digest.update(&migration.checksum);
    }
    let template = format!("template_{}", &hex::encode(digest.finalize())[..16]);
    let unfinished = "template_unfinished";
    let mut admin = cluster.options().connect().await.unwrap();
    execute(&mut admin, "select pg_advisory_lock(142)").await; // held until `admin` hangs up
    execute(&mut admin, quick_log_in(cluster)).await;
    let names: Vec<String> = sqlx::query_scalar("select datname::text from pg_database")
        .fetch_all(&mut admin)
        .await
        .unwrap();
    for name in names
        .iter()
        .filter(|name| *name == unfinished || is_left_over(name))
    {
        execute(
            &mut admin,
            format!("drop database if exists {name} with (force)"),
        )
        .await;
    }
    if !names.contains(&template) {
        execute(&mut admin, format!("create database {unfinished}")).await;
        let options = cluster.options().database(unfinished);
        let pool = PgPoolOptions::new().connect_with(options).await.unwrap();
        schema::migrate(&pool).await.unwrap();
        pool.close().await;
        execute(
            &mut admin,
            format!("alter database {unfinished} rename to {template}"),
        )
        .await;
    }
    admin.close().await.unwrap();
    template
}

/// The same password, kept with one round of hashing in place of 4096 (RFC 5802): unoptimised as tests are, the rounds of
/// each log-in would take longer than most of them.
fn quick_log_in(cluster: &Cluster) -> String {
    let mac = |key: &[u8], text: &[u8]| -> Vec<u8> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(text);
        mac.finalize().into_bytes().to_vec()
    };
    let url = url::Url::parse(cluster.url().expose_secret()).unwrap();
    let salt = b"a salt for tests".to_vec();
    let first_block = [salt.clone(), 1_u32.to_be_bytes().to_vec()].concat();
    let salted = mac(url.password().unwrap().as_bytes(), &first_block);
    let stored = Sha256::digest(mac(&salted, b"Client Key")).to_vec();
    let server = mac(&salted, b"Server Key");
    let [salt, stored, server] = [salt, stored, server].map(|part| BASE64.encode(part));
    format!(
        "alter role {} password 'SCRAM-SHA-256$1:{salt}${stored}:{server}'",
        url.username()
    )
}

/// Whether it is the database of a test process that is gone.
fn is_left_over(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("test_") else {
        return false;
    };
    let pid = rest.split('_').next().and_then(|pid| pid.parse().ok());
    let pid = pid.and_then(rustix::process::Pid::from_raw);
    pid.is_none_or(|pid| rustix::process::test_kill_process(pid).is_err())
}

/// Stops the server once this process and all others on it are gone. A test process has no last moment of its own,
/// so a small shell waits for the end of its standard input, which is the end of us.
fn stop_after_us(folder: &Path) {
    // Never waited for: it ends after us.
    static OUR_END: OnceLock<Child> = OnceLock::new();
    let script = r#"
        while read -r _; do :; done
        cd "$1" || exit
        flock start.lock flock --nonblock users.lock sh -c 'kill -INT "$(head -n 1 data/postmaster.pid)"'
    "#;
    let shell = Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    OUR_END.set(shell).unwrap();
}

async fn execute(connection: &mut PgConnection, sql: impl Into<String>) {
    let sql = sql.into();
    sqlx::query(AssertSqlSafe(sql.clone()))
        .execute(connection)
        .await
        .unwrap_or_else(|e| panic!("{sql}: {e}"));
}
