//! The folder of the cluster: who may enter it, its locks, its password.
//!
//! ```text
//! DATA_DIR/postgres/        0700, of the server's account; a link to /var/lib/idp/… where that account can't enter DATA_DIR
//!   data/                   made by initdb
//!   socket/                 the only way in (or a short folder under /tmp where the path would be too long)
//!   password                0600
//!   start.lock users.lock   below
//!   start.log log/          what the server says while it starts, and afterwards (a week)
//! ```
//!
//! Two locks make sharing safe. `start.lock` is held alone and briefly by whoever starts, leaves or deletes the
//! cluster; `users.lock` is held shared by each process that uses it, so getting it alone proves that nobody else does.
//! The kernel gives both back when a process dies, however it dies.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rand::RngExt;
use rand::distr::Alphanumeric;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::DATABASE;
use super::account::Account;
use super::server::Running;
use super::stage::{Report, Stage};
use crate::boot::problem::{OrFail, Problem};

/// Where the cluster goes when the server's account can't enter the data directory.
const SHARED_ROOT: &str = "/var/lib/idp";

/// A socket's whole path may have 107 bytes on Linux and 103 on macOS (`sun_path`); the file's name takes 16 of them.
const LONGEST_SOCKET_FOLDER: usize = 86;

/// The superuser of the cluster; nobody else has the password.
const USER: &str = "postgres";

const LOCKING: &str = "can't lock the local Postgres";

/// The folder of one managed cluster.
#[derive(Debug)]
pub(super) struct Home {
    path: PathBuf,
    /// The name under which the data directory knows it: the folder itself or a link to it.
    entry: PathBuf,
    account: Account,
}

/// A lock on one of the folder's files, given back when dropped.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Drop for Lock {
    /// Unlocked by name: closing the file is not enough while a process that is being started just then, by anybody in
    /// this one, still has a copy of it between its fork and its exec.
    fn drop(&mut self) {
        // What can't be unlocked is closed in a moment.
        let _closed_next = self.file.unlock();
    }
}

impl Home {
    /// Makes the folder where needed and gives it to the server's account.
    pub(super) fn prepare(data_dir: &Path) -> Result<Self, Problem> {
        let failed = |e: io::Error| {
            Problem::failed(format!(
                "can't make the folder for Postgres in {}",
                data_dir.display()
            ))
            .because(e)
        };
        if let Some(home) = Self::find(data_dir)? {
            home.secure().map_err(failed)?;
            return Ok(home);
        }
        fs::create_dir_all(data_dir).map_err(failed)?;
        let data_dir = data_dir.canonicalize().map_err(failed)?;
        let account = Account::choose(None)?;
        let entry = data_dir.join("postgres");
        if account.may_enter(&data_dir) {
            make_private(&entry).map_err(failed)?;
        } else {
            let elsewhere = Path::new(SHARED_ROOT).join(format!("postgres-{}", short_name(&entry)));
            fs::create_dir_all(SHARED_ROOT).map_err(failed)?;
            make_private(&elsewhere).map_err(failed)?;
            link(&elsewhere, &entry).map_err(failed)?;
        }
        let home = Self {
            path: entry.canonicalize().map_err(failed)?,
            entry,
            account,
        };
        home.secure().map_err(failed)?;
        Ok(home)
    }

    /// The folder of an existing cluster.
    pub(super) fn find(data_dir: &Path) -> Result<Option<Self>, Problem> {
        let entry = data_dir.join("postgres");
        let Ok(path) = entry.canonicalize() else {
            return Ok(None);
        };
        let account = Account::choose(path.metadata().ok().as_ref())?;
        if !path.parent().is_none_or(|parent| account.may_enter(parent)) {
            return Err(Problem::failed(format!(
                "the user that runs Postgres can't enter {}",
                path.display()
            ))
            .hint("let it pass: `chmod o+x` on each folder above it, or start idp as its owner"));
        }
        Ok(Some(Self {
            path,
            entry,
            account,
        }))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn account(&self) -> Account {
        self.account
    }

    /// What `initdb` made; see [`Home::major`] for whether it did.
    pub(super) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    pub(super) fn start_log(&self) -> PathBuf {
        self.path.join("start.log")
    }

    /// The major version of the existing cluster, if there is one.
    pub(super) fn major(&self) -> Result<Option<u32>, Problem> {
        let file = self.data().join("PG_VERSION");
        match fs::read_to_string(&file) {
            Ok(text) => text.trim().parse().map(Some).map_err(|e| {
                Problem::failed(format!("{} names no Postgres version", file.display())).because(e)
            }),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Problem::failed(format!("can't read {}", file.display())).because(e)),
        }
    }

    /// Waits until no other process starts, leaves or deletes this cluster.
    pub(super) async fn lock_start(&self, report: Report<'_>) -> Result<Lock, Problem> {
        let path = self.path.join("start.lock");
        let file = open_lock(&path).or_fail(LOCKING)?;
        let file = match file.try_lock() {
            Ok(()) => file,
            Err(TryLockError::Error(e)) => return Err(e).or_fail(LOCKING),
            Err(TryLockError::WouldBlock) => {
                report(&Stage::Waiting);
                let wait = move || file.lock().map(|()| file);
                tokio::task::spawn_blocking(wait)
                    .await
                    .map_err(io::Error::other)
                    .flatten()
                    .or_fail(LOCKING)?
            }
        };
        let held = file.metadata().or_fail(LOCKING)?.ino();
        if path.metadata().is_ok_and(|m| m.ino() == held) {
            Ok(Lock { file })
        } else {
            Err(Problem::failed("the local Postgres was deleted just now").hint("start again"))
        }
    }

    /// Joins those who use the cluster. Call it under the start lock, which keeps it from waiting.
    pub(super) fn lock_as_user(&self) -> Result<Lock, Problem> {
        let file = open_lock(&self.path.join("users.lock")).or_fail(LOCKING)?;
        file.lock_shared().or_fail(LOCKING)?;
        Ok(Lock { file })
    }

    /// The proof that nobody uses the cluster, or `None`. Call it under the start lock.
    pub(super) fn try_lock_alone(&self) -> Result<Option<Lock>, Problem> {
        let file = open_lock(&self.path.join("users.lock")).or_fail(LOCKING)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(e).or_fail(LOCKING),
        }
    }

    /// The file with the superuser's password, made at the first call: each cluster keeps its first password.
    pub(super) fn password_file(&self) -> io::Result<PathBuf> {
        let path = self.path.join("password");
        if !path.exists() {
            let password: String = rand::rng()
                .sample_iter(Alphanumeric)
                .take(32)
                .map(char::from)
                .collect();
            let unfinished = self.path.join("password.new");
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&unfinished)?;
            file.write_all(password.as_bytes())?;
            file.sync_all()?;
            self.account.own(&unfinished)?;
            fs::rename(unfinished, &path)?;
        }
        Ok(path)
    }

    /// Where a server started now puts its socket.
    pub(super) fn socket_dir(&self) -> io::Result<PathBuf> {
        let near = self.path.join("socket");
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@".contains(c);
        let fits = near
            .to_str()
            .is_some_and(|s| s.len() <= LONGEST_SOCKET_FOLDER && s.chars().all(plain));
        let dir = if fits {
            near
        } else {
            Path::new("/tmp").join(format!("idp-{}", short_name(&self.path)))
        };
        make_private(&dir)?;
        if !dir.symlink_metadata()?.is_dir() {
            return Err(io::Error::other(format!(
                "{} is not a folder",
                dir.display()
            )));
        }
        self.account.own(&dir)?;
        if dir.metadata()?.mode() & 0o077 != 0 {
            return Err(io::Error::other(format!(
                "{} is open to other users",
                dir.display()
            )));
        }
        Ok(dir)
    }

    /// How to connect to a running server as its superuser, to idp's database.
    pub(super) fn options(&self, running: &Running) -> Result<PgConnectOptions, Problem> {
        let file = self.path.join("password");
        let password = fs::read_to_string(&file)
            .map(SecretString::from)
            .map_err(|e| {
                Problem::failed("can't read the password of the local Postgres")
                    .because(e)
                    .hint(format!("it belongs in {}", file.display()))
            })?;
        Ok(PgConnectOptions::new_without_pgpass()
            .socket(&running.socket_dir)
            .port(running.port)
            .ssl_mode(PgSslMode::Disable)
            .username(USER)
            .password(password.expose_secret().trim())
            .database(DATABASE)
            .application_name("idp"))
    }

    /// A problem with the server, with its last words as the cause.
    pub(super) fn explain(&self, text: &str) -> Problem {
        let words = self.last_words();
        let tail = words[words.len().saturating_sub(5)..].join("\n    ");
        let problem = Problem::failed(text)
            .hint(format!("its logs are in {}", self.path.display()))
            .hint("or name a Postgres of your own in `DATABASE_URL`");
        if tail.is_empty() {
            problem
        } else {
            problem.because(io::Error::other(tail))
        }
    }

    /// What the server said last: while it started, then in its newest log.
    fn last_words(&self) -> Vec<String> {
        let logs = fs::read_dir(self.path.join("log"))
            .into_iter()
            .flatten()
            .flatten();
        let newest = logs.max_by_key(|log| log.metadata().and_then(|m| m.modified()).ok());
        let files = [Some(self.start_log()), newest.map(|log| log.path())];
        let texts = files
            .into_iter()
            .flatten()
            .filter_map(|file| fs::read_to_string(file).ok());
        let lines = texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>());
        lines.filter(|line| !line.trim().is_empty()).collect()
    }

    /// Removes everything. Call it under both locks, with the server stopped.
    pub(super) fn delete(&self) -> Result<(), Problem> {
        let remove = || {
            fs::remove_dir_all(&self.path)?;
            match self.entry.symlink_metadata() {
                Ok(entry) if entry.is_symlink() => fs::remove_file(&self.entry),
                _ => Ok(()),
            }
        };
        remove().map_err(|e| {
            Problem::failed(format!("can't delete {}", self.path.display())).because(e)
        })
    }

    /// Private to the server's account, also where a crash left it half-made.
    fn secure(&self) -> io::Result<()> {
        fs::set_permissions(&self.path, Permissions::from_mode(0o700))?;
        self.account.own(&self.path)
    }
}

fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

/// Makes a folder that only its owner may enter; one that is there stays as it is.
fn make_private(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// Puts a link at `entry`, in place of one that leads nowhere.
fn link(target: &Path, entry: &Path) -> io::Result<()> {
    if entry.symlink_metadata().is_ok_and(|m| m.is_symlink()) && !entry.exists() {
        fs::remove_file(entry)?;
    }
    match symlink(target, entry) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// Sixteen characters that stand for a path.
fn short_name(path: &Path) -> String {
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    hex::encode(&digest[..8])
}
