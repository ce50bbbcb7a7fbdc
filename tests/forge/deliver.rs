//! `idp render`'s ways out: a folder, a bare repository by path, a push.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use idp::clients::forge::deliver::{DeliverError, to_folder, to_git};
use idp::domain::tree::Entry;

use super::{commit, git, stranger_commits, tree, wide};

#[test]
fn a_folder_gets_every_file_with_its_mode() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("new/folder");
    to_folder(&out, &wide()).unwrap();
    assert_eq!(
        fs::read_to_string(out.join("README.md")).unwrap(),
        "# Payments\n"
    );
    assert_eq!(
        fs::read_link(out.join("docs")).unwrap().to_str(),
        Some("src/docs")
    );
    assert_eq!(
        fs::metadata(out.join("run")).unwrap().permissions().mode() & 0o111,
        0o111
    );
    assert!(matches!(
        to_folder(&out, &wide()),
        Err(DeliverError::NotEmpty(_))
    ));
}

#[test]
fn a_bare_repository_takes_the_same_twice_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    git(
        dir.path(),
        &["init", "-q", "--bare", "-b", "trunk", "bare.git"],
    );
    let bare = dir.path().join("bare.git");
    let to = bare.to_str().unwrap();
    let first = to_git(to, None, &wide(), &commit()).unwrap();
    assert_eq!(to_git(to, None, &wide(), &commit()).unwrap(), first);
    assert_eq!(git(&bare, &["rev-parse", "trunk"]), first.to_string());
    let other = tree(&[("a", Entry::file("other"))]);
    assert!(matches!(
        to_git(to, None, &other, &commit()),
        Err(DeliverError::Diverged { .. })
    ));
    assert_eq!(git(&bare, &["rev-parse", "trunk"]), first.to_string());
    let side = to_git(to, Some(&"side/work".parse().unwrap()), &other, &commit()).unwrap();
    assert_eq!(git(&bare, &["rev-parse", "side/work"]), side.to_string());
    git(&bare, &["fsck", "--strict"]);
}

#[test]
fn a_packed_branch_is_seen_too() {
    let dir = tempfile::tempdir().unwrap();
    git(dir.path(), &["init", "-q", "--bare", "bare.git"]);
    let bare = dir.path().join("bare.git");
    let to = bare.to_str().unwrap();
    let first = to_git(to, None, &wide(), &commit()).unwrap();
    git(&bare, &["pack-refs", "--all"]);
    assert!(!bare.join("refs/heads/main").exists());
    assert_eq!(to_git(to, None, &wide(), &commit()).unwrap(), first);
    let other = tree(&[("a", Entry::file("other"))]);
    assert!(matches!(
        to_git(to, None, &other, &commit()),
        Err(DeliverError::Diverged { .. })
    ));
}

#[test]
fn a_lock_that_we_left_in_a_crash_is_taken_over_and_gits_is_not() {
    let dir = tempfile::tempdir().unwrap();
    git(dir.path(), &["init", "-q", "--bare", "bare.git"]);
    git(dir.path(), &["init", "-q", "--bare", "other.git"]);
    let id = to_git(
        dir.path().join("other.git").to_str().unwrap(),
        None,
        &wide(),
        &commit(),
    )
    .unwrap();
    let bare = dir.path().join("bare.git");
    let lock = bare.join("refs/heads/main.lock");
    fs::write(&lock, "").unwrap();
    assert!(matches!(
        to_git(bare.to_str().unwrap(), None, &wide(), &commit()),
        Err(DeliverError::Diverged { .. })
    ));
    fs::write(&lock, format!("{id}\n")).unwrap();
    assert_eq!(
        to_git(bare.to_str().unwrap(), None, &wide(), &commit()).unwrap(),
        id
    );
    assert!(!lock.exists());
    assert_eq!(git(&bare, &["rev-parse", "main"]), id.to_string());
}

#[test]
fn a_url_is_pushed_to_by_git_itself() {
    let dir = tempfile::tempdir().unwrap();
    git(dir.path(), &["init", "-q", "--bare", "bare.git"]);
    let url = format!("file://{}/bare.git", dir.path().display());
    let id = to_git(&url, None, &wide(), &commit()).unwrap();
    git(dir.path(), &["clone", "-q", &url, "clone"]);
    let clone = dir.path().join("clone");
    assert_eq!(git(&clone, &["rev-parse", "HEAD"]), id.to_string());
    stranger_commits(&clone);
    git(&clone, &["push", "-q", "origin", "main"]);
    assert!(matches!(
        to_git(&url, None, &wide(), &commit()),
        Err(DeliverError::Push(_))
    ));
}

#[test]
fn a_repository_in_another_object_format_is_left_to_git() {
    let dir = tempfile::tempdir().unwrap();
    git(
        dir.path(),
        &["init", "-q", "--bare", "--object-format=sha256", "bare.git"],
    );
    let bare = dir.path().join("bare.git");
    assert!(matches!(
        to_git(bare.to_str().unwrap(), None, &wide(), &commit()),
        Err(DeliverError::Push(_))
    ));
    assert!(!bare.join("refs/heads/main").exists());
}

#[test]
fn what_is_no_bare_repository_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let said = to_git(dir.path().to_str().unwrap(), None, &wide(), &commit())
        .unwrap_err()
        .to_string();
    assert!(said.contains("is not a bare git repository"), "{said}");
}
