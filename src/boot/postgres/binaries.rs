//! Which Postgres programs to use: those of the machine, else downloaded ones.
//!
//! A cluster is bound to the major version that made it. Programs of another major are refused with the way out, and
//! the cluster is left alone.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use tokio::process::Command;

use super::home::Home;
use super::stage::Report;
use super::{SUPPORTED, Settings, Source, download};
use crate::boot::problem::Problem;

/// Folders with a Postgres each, `*` standing for its version: Debian, Red Hat, Homebrew (two), Postgres.app.
const PLACES: [(&str, &str, &str); 5] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

/// How often, and how soon, a busy program is started again.
const TRIES: u32 = 20;
const AGAIN: Duration = Duration::from_millis(50);

/// A folder with `initdb`, `pg_ctl` and `postgres`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    dir: PathBuf,
    pub(super) major: u32,
}

impl Binaries {
    /// The path of one program.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Looks into a folder. Fails if it holds no whole Postgres, or one that doesn't start.
    pub(super) async fn inspect(dir: PathBuf) -> io::Result<Self> {
        let mut programs = ["initdb", "pg_ctl", "postgres"].into_iter();
        if let Some(name) = programs.find(|name| !dir.join(name).is_file()) {
            return Err(io::Error::other(format!("{} has no {name}", dir.display())));
        }
        let output = version(&dir.join("postgres")).await?;
        let Some(major) = major(&String::from_utf8_lossy(&output.stdout)) else {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(io::Error::other(format!("{}: {said}", output.status)));
        };
        Ok(Self { dir, major })
    }
}

/// What a program says of its version. One that was written a moment ago is busy for as long as a child that was just begun
/// has its file open.
async fn version(program: &Path) -> io::Result<Output> {
    let mut tries = 1;
    loop {
        match Command::new(program).arg("--version").output().await {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy && tries < TRIES => {
                tries += 1;
                tokio::time::sleep(AGAIN).await;
            }
            told => return told,
        }
    }
}

/// The programs for a cluster: of its major version if it exists, else the newest.
pub(super) async fn choose(
    settings: &Settings,
    home: &Home,
    existing: Option<u32>,
    report: Report<'_>,
) -> Result<Binaries, Problem> {
    let found = match &settings.source {
        Source::Folder(dir) => vec![named(dir).await?],
        Source::Machine => on_machine(home).await,
        Source::Download => Vec::new(),
    };
    let wanted = existing.unwrap_or(*SUPPORTED.end());
    match found
        .iter()
        .filter(|b| existing.is_none_or(|major| b.major == major))
        .max_by_key(|b| b.major)
    {
        Some(binaries) => Ok(binaries.clone()),
        None if found.is_empty() && SUPPORTED.contains(&wanted) => {
            download::get(&settings.cache_dir, home.account(), wanted, report).await
        }
        None => Err(other_major(home, wanted, &found)),
    }
}

/// The folder that the operator names.
async fn named(dir: &Path) -> Result<Binaries, Problem> {
    let binaries = Binaries::inspect(dir.to_owned()).await.map_err(|e| {
        Problem::misuse(format!("{} holds no Postgres", dir.display()))
            .because(e)
            .hint("`IDP_POSTGRES_BIN` names the folder with `initdb`, `pg_ctl` and `postgres`")
    })?;
    if SUPPORTED.contains(&binaries.major) {
        return Ok(binaries);
    }
    Err(
        Problem::misuse(format!("PostgreSQL {} is not supported", binaries.major)).hint(format!(
            "use a version from {} to {}",
            SUPPORTED.start(),
            SUPPORTED.end()
        )),
    )
}

/// Every supported Postgres of this machine that the server's account can start.
async fn on_machine(home: &Home) -> Vec<Binaries> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // A program in PATH may be a link into the folder that holds the whole.
    let in_path = std::env::split_paths(&path)
        .filter_map(|dir| dir.join("postgres").canonicalize().ok())
        .filter_map(|program| program.parent().map(Path::to_owned));
    let installed = PLACES.iter().flat_map(|(root, prefix, bin)| {
        let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
        entries
            .filter(move |entry| entry.file_name().to_string_lossy().starts_with(prefix))
            .filter_map(move |entry| entry.path().join(bin).canonicalize().ok())
    });
    let dirs: BTreeSet<PathBuf> = in_path.chain(installed).collect();
    let mut found = Vec::new();
    for dir in dirs.into_iter().filter(|dir| home.account().may_enter(dir)) {
        found.extend(
            Binaries::inspect(dir)
                .await
                .ok()
                .filter(|b| SUPPORTED.contains(&b.major)),
        );
    }
    found
}

/// The way out of a cluster that the programs at hand can't open.
fn other_major(home: &Home, wanted: u32, found: &[Binaries]) -> Problem {
    let majors: BTreeSet<u32> = found.iter().map(|b| b.major).collect();
    let majors = majors
        .iter()
        .map(u32::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    let at_hand = if majors.is_empty() {
        format!(
            "idp works with {} to {}",
            SUPPORTED.start(),
            SUPPORTED.end()
        )
    } else {
        format!("the programs here are of PostgreSQL {majors}")
    };
    let data = home.data();
    Problem::failed(format!(
        "{} was made by PostgreSQL {wanted}, and {at_hand}; it was left untouched",
        data.display()
    ))
    .hint(format!("install PostgreSQL {wanted} beside it (Debian: `apt-get install postgresql-{wanted}`)"))
    .hint(format!("or name the folder with its programs in `IDP_POSTGRES_BIN`, or `download` to fetch {wanted}"))
    .hint(format!(
        "or move the data: start PostgreSQL {wanted} on it, `pg_dumpall > all.sql`, move {} away, start idp once, \
         restore with `psql -f all.sql`",
        home.path().display()
    ))
}

/// The major version in the words of `postgres --version`: `postgres (PostgreSQL) 15.18 (Debian …)`.
fn major(words: &str) -> Option<u32> {
    let version = words
        .split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let digits = version
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(version.len());
    version[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn reads_the_major_version() {
        assert_eq!(
            major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"),
            Some(15)
        );
        assert_eq!(major("postgres (PostgreSQL) 19beta2"), Some(19));
        assert_eq!(major("postgres: command not found"), None);
    }
}
