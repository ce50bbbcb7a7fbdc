//! Branches and tags of a repository as files, the way git keeps them (`gitrepository-layout`): loose ones below
//! `refs/`, older ones in `packed-refs`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::disk;
use crate::clients::forge::{Branch, ObjectId};

/// Every reference below `refs/` with the object that it names.
pub(in crate::clients::forge) fn read_refs(repo: &Path) -> io::Result<BTreeMap<String, ObjectId>> {
    let mut refs = BTreeMap::new();
    // Loose first: git packs one by writing `packed-refs` and then removing the file.
    loose(&repo.join("refs"), "refs", &mut refs)?;
    for line in read_or_empty(&repo.join("packed-refs"))?.lines() {
        if let Some((id, name)) = line.split_once(' ')
            && let Ok(id) = id.parse()
        {
            refs.entry(name.to_owned()).or_insert(id);
        }
    }
    Ok(refs)
}

fn loose(dir: &Path, name: &str, refs: &mut BTreeMap<String, ObjectId>) -> io::Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let Ok(part) = entry.file_name().into_string() else {
            continue;
        };
        let name = format!("{name}/{part}");
        if entry.file_type()?.is_dir() {
            loose(&entry.path(), &name, refs)?;
        } else if let Ok(id) = read_or_empty(&entry.path())?.trim_end().parse() {
            refs.insert(name, id);
        }
    }
    Ok(())
}

fn read_or_empty(path: &Path) -> io::Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        text => text,
    }
}

/// What came of making a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::clients::forge) enum Made {
    /// It names our commit.
    Yes,
    /// It names another one, or somebody is just writing it.
    Other(Option<ObjectId>),
}

/// Makes a branch that doesn't exist yet, under git's own protocol: who holds `NAME.lock` may write `NAME`.
///
/// Our lock appears with its content, by a hard link. So one that a crash of ours left behind is known by it and
/// taken over, and one of git's is not.
pub(in crate::clients::forge) fn create_branch(
    repo: &Path,
    branch: &Branch,
    commit: ObjectId,
) -> io::Result<Made> {
    let path = repo.join(branch.full());
    let lock = path.with_file_name(format!(
        "{}.lock",
        path.file_name().unwrap_or_default().to_string_lossy()
    ));
    let folder = path.parent().unwrap_or(repo);
    fs::create_dir_all(folder)?;
    let beside = repo
        .join("objects")
        .join(format!("tmp_{:032x}", rand::random::<u128>()));
    let content = format!("{commit}\n");
    let locked =
        disk::write_new(&beside, content.as_bytes()).and_then(|()| fs::hard_link(&beside, &lock));
    let _best_effort = fs::remove_file(&beside);
    match locked {
        Err(error)
            if error.kind() == ErrorKind::AlreadyExists && read_or_empty(&lock)? == content => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(Made::Other(None)),
        locked => locked?,
    }
    if let Some(there) = read_refs(repo)?.get(&branch.full()).copied() {
        let _best_effort = fs::remove_file(&lock);
        return Ok(if there == commit {
            Made::Yes
        } else {
            Made::Other(Some(there))
        });
    }
    fs::rename(&lock, &path)?;
    disk::sync_dir(folder)?;
    Ok(Made::Yes)
}
