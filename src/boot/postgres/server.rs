//! The server process: make its data, start it, ask it, find it, stop it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use sqlx::Connection;
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::process::Command;
use tokio::time::Instant;

use super::binaries::Binaries;
use super::home::Home;
use crate::boot::problem::{OrFail, Problem};

/// `invalid_catalog_name`: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
const NO_SUCH_DATABASE: &str = "3D000";
/// `cannot_connect_now`: starting up, recovering or shutting down.
const CANNOT_CONNECT_NOW: &str = "57P03";
/// `too_many_connections`: it answers, if only to say no.
const TOO_MANY_CONNECTIONS: &str = "53300";

/// The socket's number; the folder is our own, so it never meets another server.
const PORT: u16 = 5432;

/// How long a stop may take: it ends all sessions and writes what is in memory.
const STOPPING: Duration = Duration::from_mins(1);

/// How long processes of a killed server may hold its memory, which keeps the next one from starting.
const LINGERING: Duration = Duration::from_secs(10);

/// What keeps it private and small. `fsync` stays on: this is where everything of idp is kept.
const SETTINGS: [(&str, &str); 10] = [
    ("listen_addresses", ""),
    ("unix_socket_permissions", "0700"),
    ("max_connections", "100"),
    ("shared_buffers", "64MB"),
    ("jit", "off"), // our queries are short: compiling them costs more than it gives
    ("logging_collector", "on"),
    ("log_filename", "postgres-%a.log"), // one a weekday, overwritten after a week
    ("log_truncate_on_rotation", "on"),
    ("log_rotation_age", "1d"),
    ("log_rotation_size", "0"),
];

/// A server that `postmaster.pid` speaks of and whose process lives.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) pid: Pid,
    pub(super) port: u16,
    pub(super) socket_dir: PathBuf,
}

/// What a server says when asked for a connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Takes connections.
    Ready,
    /// Takes connections, but has not got our database yet.
    Empty,
    /// Starts, recovers or stops.
    NotYet,
    /// No answer at all.
    Silent,
}

/// Makes the data of a new cluster, under another name until it is whole.
pub(super) async fn create(home: &Home, binaries: &Binaries) -> Result<(), Problem> {
    let failed = |e: io::Error| Problem::failed("can't create the local Postgres").because(e);
    let unfinished = home.path().join("data.new");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(failed)?;
    }
    let password = home.password_file().map_err(failed)?;
    let mut initdb = command(home, &binaries.program("initdb"));
    initdb
        .arg("--pgdata")
        .arg(&unfinished)
        .arg("--pwfile")
        .arg(password)
        .args([
            "--username=postgres",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-locale",
        ]);
    let output = initdb.output().await.map_err(failed)?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(failed(io::Error::other(words)));
    }
    fs::rename(unfinished, home.data()).map_err(failed)
}

/// Starts the server and comes back when it says that it is ready.
///
/// `pg_ctl` gives it a session of its own, so that Ctrl-C in our terminal doesn't reach it.
pub(super) async fn start(
    home: &Home,
    binaries: &Binaries,
    further: &[(String, String)],
) -> Result<(), Problem> {
    let failed = |e: io::Error| Problem::failed("can't start the local Postgres").because(e);
    let crashed = read_pid_file(home).map_err(failed)?.is_some();
    forget_foreign_pid(home).map_err(failed)?;
    let log = home.start_log();
    fs::File::create(&log)
        .and_then(|_| home.account().own(&log))
        .map_err(failed)?;
    let socket_dir = home.socket_dir().map_err(failed)?;
    let log_dir = home.path().join("log");
    let own = [
        ("port", PORT.to_string()),
        ("unix_socket_directories", socket_dir.display().to_string()),
        ("log_directory", log_dir.display().to_string()),
    ];
    let settings = SETTINGS
        .iter()
        .map(|(name, value)| option(name, value))
        .chain(own.iter().map(|(name, value)| option(name, value)))
        .chain(further.iter().map(|(name, value)| option(name, value)))
        .collect::<String>();
    let mut pg_ctl = command(home, &binaries.program("pg_ctl"));
    pg_ctl
        .args(["start", "--wait", "--timeout=120", "--silent", "--pgdata"])
        .arg(home.data())
        .arg("--log")
        .arg(&log)
        .arg("--options")
        .arg(settings)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let deadline = Instant::now() + if crashed { LINGERING } else { Duration::ZERO };
    loop {
        let status = pg_ctl.status().await.map_err(failed)?;
        // One that still recovers after the timeout runs and is waited for by the caller.
        if status.success() || running(home)?.is_some() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(home.explain("can't start the local Postgres"));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The server of this cluster, if one runs, whoever started it.
pub(super) fn running(home: &Home) -> Result<Option<Running>, Problem> {
    let Some(text) = read_pid_file(home).or_fail("can't look for the local Postgres")? else {
        return Ok(None);
    };
    // Lines: pid, data folder, start time, port, socket folder; the last may not be written yet.
    let mut lines = text.lines();
    let pid = lines.next().and_then(parse_pid);
    let Some(pid) = pid.filter(|pid| is_server(*pid)) else {
        return Ok(None);
    };
    let port = lines
        .nth(2)
        .and_then(|line| line.trim().parse().ok())
        .unwrap_or(PORT);
    let socket_dir = match lines.next().map(str::trim) {
        Some(dir) if !dir.is_empty() => PathBuf::from(dir),
        _ => home
            .socket_dir()
            .or_fail("can't look for the local Postgres")?,
    };
    Ok(Some(Running {
        pid,
        port,
        socket_dir,
    }))
}

/// Asks the server for a connection and hangs up.
pub(super) async fn ask(options: &PgConnectOptions) -> Result<Answer, Problem> {
    match PgConnection::connect_with(options).await {
        Ok(connection) => {
            let _ = connection.close().await; // it answered, which is all we wanted
            Ok(Answer::Ready)
        }
        Err(sqlx::Error::Io(_)) => Ok(Answer::Silent),
        Err(e) => match e
            .as_database_error()
            .and_then(DatabaseError::code)
            .as_deref()
        {
            Some(CANNOT_CONNECT_NOW) => Ok(Answer::NotYet),
            Some(TOO_MANY_CONNECTIONS) => Ok(Answer::Ready),
            Some(NO_SUCH_DATABASE) => Ok(Answer::Empty),
            _ => Err(e).or_fail("can't log in to the local Postgres"),
        },
    }
}

/// Stops the server if it runs: sessions end, everything reaches the disk.
pub(super) async fn stop(home: &Home) -> Result<(), Problem> {
    let deadline = Instant::now() + STOPPING;
    let Some(server) = running(home)? else {
        return Ok(());
    };
    // SIGINT is Postgres' "fast shutdown": <https://www.postgresql.org/docs/current/server-shutdown.html>.
    match rustix::process::kill_process(server.pid, Signal::INT) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => {}
        Err(e) => return Err(e).or_fail("can't stop the local Postgres"),
    }
    while is_server(server.pid) {
        if Instant::now() > deadline {
            return Err(home.explain("the local Postgres doesn't stop"));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

fn command(home: &Home, program: &Path) -> Command {
    let mut command = home.account().command(program);
    command.current_dir(home.path()).stdin(Stdio::null());
    command
}

/// One server setting as `pg_ctl --options` wants it: a word for the shell, whatever is in it.
fn option(name: &str, value: &str) -> String {
    format!("-c '{name}={}' ", value.replace('\'', r"'\''"))
}

fn read_pid_file(home: &Home) -> io::Result<Option<String>> {
    match fs::read_to_string(home.data().join("postmaster.pid")) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

fn parse_pid(line: &str) -> Option<Pid> {
    Pid::from_raw(line.trim().parse().ok()?)
}

/// Removes a `postmaster.pid` whose number now belongs to some other program, as happens when a container starts
/// again: Postgres only sees that a process of that number lives and would refuse. A dead number it handles itself.
fn forget_foreign_pid(home: &Home) -> io::Result<()> {
    let pid = read_pid_file(home)?
        .as_deref()
        .and_then(|text| parse_pid(text.lines().next()?));
    match pid {
        Some(pid) if rustix::process::test_kill_process(pid).is_ok() && !is_server(pid) => {
            fs::remove_file(home.data().join("postmaster.pid"))
        }
        _ => Ok(()),
    }
}

/// Whether a process of this number lives and is a Postgres.
fn is_server(pid: Pid) -> bool {
    // "pid (name) state …"; a dead process that nobody has asked after yet is in state Z.
    match fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())) {
        Ok(stat) => stat.contains("(postgres) ") && !stat.contains(") Z "),
        Err(_) if Path::new("/proc/self/stat").exists() => false,
        Err(_) => rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_the_shell() {
        assert_eq!(
            option("log_directory", "/it's here"),
            r"-c 'log_directory=/it'\''s here' "
        );
    }

    #[test]
    fn a_process_that_is_no_server_is_not_taken_for_one() {
        assert!(!is_server(rustix::process::getpid()));
    }
}
