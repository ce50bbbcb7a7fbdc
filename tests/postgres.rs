//! The managed cluster: made, shared, stopped by the last one out, found again after a crash.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use idp::boot::postgres::{Cluster, Settings, Source, Stage, erase, open, silent};
use idp::boot::schema;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use sqlx::{ConnectOptions, Connection};
use tempfile::TempDir;

use crate::support::postgres::{Database, kept_dir};

#[tokio::test]
async fn a_test_gets_a_database_with_tables() {
    let database = Database::new().await;
    let pool = database.pool(2).await;
    let requests: i64 = sqlx::query_scalar("select count(*) from request")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(requests, 0);
}

#[tokio::test]
async fn made_from_nothing_then_reused() {
    let dir = folder();
    let stages = Mutex::new(Vec::new());
    let report = |stage: &Stage| stages.lock().unwrap().push(stage.clone());
    let cluster = open(&settings(&dir), &report).await.unwrap();
    assert!(matches!(
        stages.lock().unwrap()[..],
        [Stage::Creating { .. }, Stage::Starting { .. }]
    ));
    remember(&cluster).await;
    assert_eq!(setting(&cluster, "fsync").await, "on");
    assert_eq!(
        setting(&cluster, "listen_addresses").await,
        "",
        "reachable by its socket alone"
    );
    let password = cluster.folder().join("password");
    assert_eq!(password.metadata().unwrap().mode() & 0o777, 0o600);
    let server = server_of(&dir).unwrap();
    cluster.close().await.unwrap();
    assert!(gone(server), "the last one out stops it");

    let cluster = open(&settings(&dir), silent()).await.unwrap();
    assert!(remembers(&cluster).await);
    cluster.close().await.unwrap();
}

#[tokio::test]
async fn two_processes_share_it_and_the_last_one_out_stops_it() {
    let dir = folder();
    let other = Process::on(dir.path());
    let server = server_of(&dir).unwrap();
    let cluster = open(&settings(&dir), silent()).await.unwrap();
    assert_eq!(server_of(&dir), Some(server), "joined, not started again");
    cluster.close().await.unwrap();
    assert!(!gone(server), "the other process still uses it");
    other.leave();
    assert!(gone(server));
}

#[tokio::test]
async fn many_processes_start_it_at_once() {
    let dir = folder();
    let processes: Vec<_> = (0..4).map(|_| Process::begin(dir.path())).collect();
    let processes: Vec<_> = processes.into_iter().map(Process::ready).collect();
    let server = server_of(&dir).unwrap();
    for process in processes {
        assert!(!gone(server));
        process.leave();
    }
    assert!(gone(server));
}

#[tokio::test]
async fn found_again_after_its_owner_was_killed() {
    let dir = folder();
    let owner = Process::on(dir.path());
    let server = server_of(&dir).unwrap();
    owner.kill();
    assert!(!gone(server), "a crash of idp leaves the server alone");
    let cluster = open(&settings(&dir), silent()).await.unwrap();
    assert_eq!(server_of(&dir), Some(server));
    cluster.close().await.unwrap();
    assert!(gone(server));
}

#[tokio::test]
async fn recovers_after_owner_and_server_were_killed() {
    let dir = folder();
    let owner = Process::on(dir.path());
    let cluster = open(&settings(&dir), silent()).await.unwrap();
    remember(&cluster).await;
    owner.kill();
    drop(cluster); // as a panic would: the lock goes, the server stays
    let server = server_of(&dir).unwrap();
    kill_process(server, Signal::KILL).unwrap();
    until("the killed server is gone", || gone(server)).await;
    let cluster = open(&settings(&dir), silent()).await.unwrap();
    assert_ne!(server_of(&dir), Some(server));
    assert!(remembers(&cluster).await, "what was committed survives");
    cluster.close().await.unwrap();
}

#[tokio::test]
async fn a_pid_file_that_names_some_other_program_is_no_hindrance() {
    let dir = folder();
    open(&settings(&dir), silent())
        .await
        .unwrap()
        .close()
        .await
        .unwrap();
    let data = dir.path().join("postgres/data");
    let ours = std::process::id();
    let stale = format!("{ours}\n{}\n0\n5432\n/nowhere\n\n", data.display());
    std::fs::write(data.join("postmaster.pid"), stale).unwrap();
    let cluster = open(&settings(&dir), silent()).await.unwrap();
    cluster.close().await.unwrap();
}

#[tokio::test]
async fn a_half_made_cluster_is_made_anew() {
    let dir = folder();
    let unfinished = dir.path().join("postgres/data.new");
    std::fs::create_dir_all(&unfinished).unwrap();
    std::fs::write(unfinished.join("PG_VERSION"), "").unwrap();
    let cluster = open(&settings(&dir), silent()).await.unwrap();
    assert!(!unfinished.exists());
    cluster.close().await.unwrap();
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_gets_a_short_one() {
    let dir = folder();
    let deep = dir.path().join("so-long-a-path/".repeat(8));
    let settings = Settings::new(&deep, kept_dir());
    let cluster = open(&settings, silent()).await.unwrap();
    let socket = PathBuf::from(setting(&cluster, "unix_socket_directories").await);
    assert!(socket.starts_with("/tmp"), "{}", socket.display());
    assert_eq!(socket.metadata().unwrap().mode() & 0o777, 0o700);
    cluster.close().await.unwrap();
    std::fs::remove_dir_all(socket).unwrap();
}

#[tokio::test]
async fn a_cluster_of_another_major_is_refused_and_left_alone() {
    let dir = folder();
    open(&settings(&dir), silent())
        .await
        .unwrap()
        .close()
        .await
        .unwrap();
    let version = dir.path().join("postgres/data/PG_VERSION");
    std::fs::write(&version, "9\n").unwrap();
    let before = tree(&dir.path().join("postgres/data"));
    let problem = open(&settings(&dir), silent()).await.unwrap_err();
    assert!(
        problem.text().contains("was made by PostgreSQL 9"),
        "{problem}"
    );
    assert!(
        problem.text().ends_with("it was left untouched"),
        "{problem}"
    );
    assert!(
        problem
            .hints()
            .iter()
            .any(|hint| hint.contains("install PostgreSQL 9"))
    );
    assert!(
        problem
            .hints()
            .iter()
            .any(|hint| hint.contains("pg_dumpall"))
    );
    assert_eq!(tree(&dir.path().join("postgres/data")), before);
}

#[tokio::test]
async fn erased_only_when_nobody_uses_it() {
    let dir = folder();
    let cluster = open(&settings(&dir), silent()).await.unwrap();
    let problem = erase(dir.path()).await.unwrap_err();
    assert!(
        problem.text().ends_with("is in use by another idp"),
        "{problem}"
    );
    cluster.close().await.unwrap();
    erase(dir.path()).await.unwrap();
    assert!(!dir.path().join("postgres").exists());
    erase(dir.path()).await.unwrap(); // nothing there is fine
}

#[tokio::test]
async fn as_root_it_runs_under_another_user() {
    if !rustix::process::geteuid().is_root() {
        crate::support::left_out("a Postgres started as root: needs root");
        return;
    }
    let dir = folder();
    let cluster = open(&settings(&dir), silent()).await.unwrap();
    let server = server_of(&dir).unwrap();
    let process = PathBuf::from(format!("/proc/{}", server.as_raw_nonzero()));
    assert_ne!(process.metadata().unwrap().uid(), 0);
    cluster.close().await.unwrap();
}

#[tokio::test]
async fn as_root_in_a_private_folder_it_lives_where_its_user_may_go() {
    if !rustix::process::geteuid().is_root() {
        crate::support::left_out("a Postgres started as root: needs root");
        return;
    }
    let dir = folder();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let cluster = open(&settings(&dir), silent()).await.unwrap();
    let folder = cluster.folder().to_owned();
    assert!(folder.starts_with("/var/lib/idp"), "{}", folder.display());
    remember(&cluster).await;
    cluster.close().await.unwrap();
    let cluster = open(&settings(&dir), silent()).await.unwrap();
    assert!(
        remembers(&cluster).await,
        "found through the link in the data directory"
    );
    cluster.close().await.unwrap();
    erase(dir.path()).await.unwrap();
    assert!(!folder.exists());
}

#[tokio::test]
async fn downloaded_programs_serve_as_well() {
    let dir = folder();
    let settings = Settings {
        source: Source::Download,
        ..settings(&dir)
    };
    let cluster = open(&settings, silent()).await.unwrap();
    assert!(setting(&cluster, "server_version").await.starts_with("18."));
    cluster.close().await.unwrap();

    let settings = Settings {
        source: Source::Folder(dir.path().to_owned()),
        ..settings
    };
    let problem = open(&settings, silent()).await.unwrap_err();
    assert!(problem.text().ends_with("holds no Postgres"), "{problem}");
}

#[tokio::test]
async fn a_schema_that_this_release_cannot_work_on_is_refused() {
    let database = Database::empty().await;
    let pool = database.pool(2).await;
    let refused = async || schema::check(&pool).await.unwrap_err().to_string();
    insta::assert_snapshot!(refused().await, @r"
    the database is empty
    hint: run `idp migrate` first
    ");

    schema::migrate(&pool).await.unwrap();
    schema::check(&pool).await.unwrap();
    schema::migrate(&pool).await.unwrap(); // again is fine

    sqlx::query("delete from _sqlx_migrations")
        .execute(&pool)
        .await
        .unwrap();
    sqlx::query("insert into _sqlx_migrations values (1, 'later', now(), true, '', 0)")
        .execute(&pool)
        .await
        .unwrap();
    assert!(
        refused()
            .await
            .starts_with("the database is older than this release")
    );

    sqlx::query("update release set oldest_readable = 2")
        .execute(&pool)
        .await
        .unwrap();
    insta::assert_snapshot!(refused().await, @r"
    the database has moved on: it needs release 2 of idp or newer, and this is 1
    hint: upgrade this replica
    ");
    assert!(
        schema::migrate(&pool).await.is_err(),
        "nor does it touch one"
    );
}

#[tokio::test]
async fn the_release_before_may_go_on_after_a_migration() {
    let database = Database::new().await;
    let pool = database.pool(2).await;
    sqlx::query(
        "insert into _sqlx_migrations values (99999999999999, 'later', now(), true, '', 0)",
    )
    .execute(&pool)
    .await
    .unwrap();
    schema::check(&pool).await.unwrap();
    schema::migrate(&pool).await.unwrap();
}

/// The whole program where there is no Postgres: the folders with one are covered up for it.
#[test]
fn a_machine_without_any_postgres_gets_one() {
    let hide = "for dir in /usr/lib/postgresql /usr/local/bin /usr/pgsql-*; do \
        [ ! -d \"$dir\" ] || mount -t tmpfs none \"$dir\" || exit 77; done; exec \"$@\"";
    let dir = folder();
    let cache = kept_dir();
    let output = Command::new("unshare")
        .args([
            "--mount",
            "sh",
            "-c",
            hide,
            "sh",
            env!("CARGO_BIN_EXE_idp"),
            "migrate",
        ])
        .current_dir(dir.path())
        .env_remove("DATABASE_URL")
        .env("XDG_CACHE_HOME", &cache)
        .output();
    let Ok(output) = output else {
        return crate::support::left_out("a machine without Postgres: needs `unshare`");
    };
    let said = String::from_utf8_lossy(&output.stderr);
    if matches!(output.status.code(), Some(1) if said.contains("unshare"))
        || output.status.code() == Some(77)
    {
        return crate::support::left_out(&format!(
            "a machine without Postgres: may not cover up folders here ({})",
            said.trim()
        ));
    }
    assert!(output.status.success(), "{said}");
    let version = dir.path().join("idp-data/postgres/data/PG_VERSION");
    assert_eq!(std::fs::read_to_string(version).unwrap().trim(), "18");
}

/// Run by [`Process`]: uses the cluster until its standard input ends.
#[tokio::test]
#[ignore = "a process for the other tests"]
async fn process_on_a_cluster() {
    let data_dir = std::env::var_os("IDP_TEST_CLUSTER").unwrap();
    let cluster = open(&Settings::new(data_dir, kept_dir()), silent())
        .await
        .unwrap();
    println!("\nready");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    cluster.close().await.unwrap();
}

/// Another process on a data directory.
struct Process(Child);

impl Process {
    fn on(data_dir: &Path) -> Self {
        Self::begin(data_dir).ready()
    }

    fn begin(data_dir: &Path) -> Self {
        let test = [
            "--exact",
            "postgres::process_on_a_cluster",
            "--ignored",
            "--nocapture",
        ];
        let child = Command::new(std::env::current_exe().unwrap())
            .args(test)
            .env("IDP_TEST_CLUSTER", data_dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self(child)
    }

    fn ready(mut self) -> Self {
        let mut lines = BufReader::new(self.0.stdout.as_mut().unwrap()).lines();
        assert!(
            lines.any(|line| line.unwrap() == "ready"),
            "the other process failed"
        );
        self
    }

    fn leave(mut self) {
        self.0.stdin.take().unwrap().write_all(b"\n").unwrap();
        assert!(self.0.wait().unwrap().success());
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// A data directory that other users may enter, as an operator's is.
fn folder() -> TempDir {
    let open = std::fs::Permissions::from_mode(0o755);
    tempfile::Builder::new()
        .permissions(open)
        .tempdir_in(kept_dir())
        .unwrap()
}

fn settings(dir: &TempDir) -> Settings {
    Settings::new(dir.path(), kept_dir())
}

fn server_of(dir: &TempDir) -> Option<Pid> {
    let file = dir.path().join("postgres/data/postmaster.pid");
    let text = std::fs::read_to_string(file).ok()?;
    Pid::from_raw(text.lines().next()?.parse().ok()?)
}

fn gone(server: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.as_raw_nonzero()));
    test_kill_process(server).is_err() || stat.is_ok_and(|stat| stat.contains(") Z "))
}

async fn until(what: &str, happened: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !happened() {
        assert!(Instant::now() < deadline, "{what}: not within ten seconds");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn remember(cluster: &Cluster) {
    let mut connection = cluster.options().connect().await.unwrap();
    sqlx::query("create table memory ()")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

async fn remembers(cluster: &Cluster) -> bool {
    let mut connection = cluster.options().connect().await.unwrap();
    let query = sqlx::query_scalar("select to_regclass('memory') is not null");
    query.fetch_one(&mut connection).await.unwrap()
}

async fn setting(cluster: &Cluster, name: &str) -> String {
    let mut connection = cluster.options().connect().await.unwrap();
    let query = sqlx::query_scalar("select current_setting($1)").bind(name);
    query.fetch_one(&mut connection).await.unwrap()
}

/// Every file below a folder with its size and time of change.
fn tree(dir: &Path) -> Vec<(PathBuf, u64, i64)> {
    let mut files: Vec<_> = walkdir::WalkDir::new(dir)
        .into_iter()
        .map(|entry| {
            let entry = entry.unwrap();
            let meta = entry.metadata().unwrap();
            (entry.into_path(), meta.len(), meta.mtime())
        })
        .collect();
    files.sort();
    files
}
