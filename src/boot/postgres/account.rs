//! The account that the server runs under.
//!
//! `initdb` and `postgres` refuse root, so as root they run as `postgres` or `nobody`, in folders that this user may
//! enter. Anyone else runs them as themselves.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;

use tokio::process::Command;

use crate::boot::problem::Problem;

/// Users to take as root, the most fitting first.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

/// Who runs `initdb` and `postgres`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Account {
    /// Whoever runs idp.
    Own,
    /// Someone else, because idp runs as root.
    Other {
        /// The numeric user id.
        uid: u32,
        /// The numeric primary group id.
        gid: u32,
    },
}

impl Account {
    /// The account for a cluster: of an existing one its owner, otherwise the first user that serves.
    pub(super) fn choose(existing: Option<&Metadata>) -> Result<Self, Problem> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Own);
        }
        if let Some(owner) = existing.filter(|m| m.uid() != 0) {
            return Ok(Self::Other {
                uid: owner.uid(),
                gid: owner.gid(),
            });
        }
        let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        CANDIDATES
            .iter()
            .find_map(|name| lookup(&users, name))
            .ok_or_else(|| {
                Problem::failed(
                    "Postgres refuses to run as root, and this machine has no other user for it",
                )
                .hint("add one: `useradd --system postgres`")
                .hint("or start idp as an ordinary user")
                .hint("or name a running Postgres in `DATABASE_URL`")
            })
    }

    /// A command that runs as this account, free of `PG…` variables that would lead it elsewhere.
    pub(super) fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        if let Self::Other { uid, gid } = self {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Gives a file or folder to this account.
    pub(super) fn own(self, path: &Path) -> io::Result<()> {
        match self {
            Self::Own => Ok(()),
            Self::Other { uid, gid } => chown(path, Some(uid), Some(gid)),
        }
    }

    /// Whether this account may walk into `folder`, judged by the mode bits of it and all folders above.
    pub(super) fn may_enter(self, folder: &Path) -> bool {
        let Self::Other { uid, gid } = self else {
            return true;
        };
        folder.ancestors().all(|part| {
            part.metadata().is_ok_and(|m| {
                let bit = match (m.uid() == uid, m.gid() == gid) {
                    (true, _) => 0o100,
                    (false, true) => 0o010,
                    (false, false) => 0o001,
                };
                m.mode() & bit != 0
            })
        })
    }
}

/// Reads one user's ids from the text of `/etc/passwd` (`name:password:uid:gid:…`).
fn lookup(users: &str, name: &str) -> Option<Account> {
    let line = users
        .lines()
        .find(|line| line.split(':').next() == Some(name))?;
    let mut ids = line.split(':').skip(2).map(str::parse);
    match (ids.next()?.ok()?, ids.next()?.ok()?) {
        (0, _) => None,
        (uid, gid) => Some(Account::Other { uid, gid }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_user_by_whole_name() {
        let users =
            "root:x:0:0::/root:/bin/sh\npostgresql:x:7:7::/:/x\npostgres:x:101:104:PG:/v:/x\n";
        assert_eq!(
            lookup(users, "postgres"),
            Some(Account::Other { uid: 101, gid: 104 })
        );
        assert_eq!(lookup(users, "nobody"), None);
        assert_eq!(lookup(users, "root"), None, "root never runs the server");
    }

    #[test]
    fn another_user_may_not_enter_a_private_folder() {
        use std::os::unix::fs::PermissionsExt;
        let private = std::fs::Permissions::from_mode(0o700);
        let dir = tempfile::Builder::new()
            .permissions(private)
            .tempdir()
            .unwrap();
        let stranger = Account::Other {
            uid: 64_000,
            gid: 64_000,
        };
        assert!(
            !stranger.may_enter(dir.path()),
            "temporary folders are 0700"
        );
        assert!(stranger.may_enter(Path::new("/")));
        assert!(Account::Own.may_enter(dir.path()));
    }
}
