//! Writing so that a crash or a full disk leaves the old or the new, never half of it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use crate::clients::forge::pack::Pack;

/// Makes a folder in a folder that exists; one that is there already is fine.
pub(super) fn ensure_dir(dir: &Path) -> io::Result<()> {
    match fs::create_dir(dir) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Writes a whole file, in place of the one that may stand there, and has it on the disk when it returns.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_file_name(format!("tmp_{:032x}", rand::random::<u128>()));
    let written = write_new(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        let _best_effort = fs::remove_file(&beside);
    }
    written?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// Writes a file that doesn't exist yet, and has its content on the disk when it returns.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Has the names in a folder on the disk.
pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Removes a folder with everything in it; one that is gone already is fine.
pub(super) fn remove_tree(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Adds a pack to the objects of a repository. The index comes last: with it the pack begins to exist for git.
///
/// Temporary names begin with `tmp_`, which git's own housekeeping removes.
pub(in crate::clients::forge) fn write_pack(repo: &Path, pack: &Pack) -> io::Result<()> {
    let dir = repo.join("objects/pack");
    let [packed, index] =
        ["pack", "idx"].map(|kind| dir.join(format!("pack-{}.{kind}", pack.name)));
    if index.exists() {
        return Ok(());
    }
    for (path, bytes) in [(&packed, &pack.pack), (&index, &pack.idx)] {
        let beside = dir.join(format!("tmp_{:032x}", rand::random::<u128>()));
        let written = write_new(&beside, bytes)
            .and_then(|()| read_only(&beside))
            .and_then(|()| fs::rename(&beside, path));
        if written.is_err() {
            let _best_effort = fs::remove_file(&beside);
        }
        written?;
    }
    sync_dir(&dir)
}

fn read_only(path: &Path) -> io::Result<()> {
    let mut permissions = fs::metadata(path)?.permissions();
    permissions.set_readonly(true);
    fs::set_permissions(path, permissions)
}
