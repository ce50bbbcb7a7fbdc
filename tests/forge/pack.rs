//! What we write, git must take for its own.

use idp::clients::forge::deliver::{to_folder, to_git};

use super::{commit, git, wide};

#[test]
fn gits_own_commit_of_the_same_files_has_the_same_id() {
    let dir = tempfile::tempdir().unwrap();
    let (bare, work) = (dir.path().join("bare.git"), dir.path().join("work"));
    git(dir.path(), &["init", "-q", "--bare", "bare.git"]);
    let ours = to_git(bare.to_str().unwrap(), None, &wide(), &commit()).unwrap();

    to_folder(&work, &wide()).unwrap();
    git(&work, &["init", "-q"]);
    git(&work, &["add", "-A"]);
    let theirs = std::process::Command::new("git")
        .current_dir(&work)
        .args(["commit", "-q", "-m", &commit().message])
        .envs([
            ("GIT_AUTHOR_NAME", "Priya Nair"),
            ("GIT_AUTHOR_EMAIL", "priya@example.com"),
            ("GIT_COMMITTER_NAME", "idp"),
            ("GIT_COMMITTER_EMAIL", "idp@localhost"),
            ("GIT_AUTHOR_DATE", "1767225600 +0000"),
            ("GIT_COMMITTER_DATE", "1767225600 +0000"),
        ])
        .status()
        .unwrap();
    assert!(theirs.success());
    assert_eq!(git(&work, &["rev-parse", "HEAD"]), ours.to_string());
}

#[test]
fn the_pack_and_its_index_are_flawless_to_git() {
    let dir = tempfile::tempdir().unwrap();
    let bare = dir.path().join("bare.git");
    git(dir.path(), &["init", "-q", "--bare", "bare.git"]);
    to_git(bare.to_str().unwrap(), None, &wide(), &commit()).unwrap();
    let said = super::try_git(&bare, &["fsck", "--strict", "--full", "--no-dangling"]);
    assert!(said.status.success());
    assert_eq!(String::from_utf8_lossy(&said.stderr).trim(), "");
    let index = std::fs::read_dir(bare.join("objects/pack"))
        .unwrap()
        .map(|e| e.unwrap().path());
    let index: Vec<_> = index
        .filter(|path| path.extension().is_some_and(|e| e == "idx"))
        .collect();
    assert_eq!(index.len(), 1);
    git(&bare, &["verify-pack", index[0].to_str().unwrap()]);
    // Git's own index of our pack is the same, byte for byte.
    let pack = index[0].with_extension("pack");
    let theirs = dir.path().join("theirs.idx");
    git(
        &bare,
        &[
            "index-pack",
            "-o",
            theirs.to_str().unwrap(),
            pack.to_str().unwrap(),
        ],
    );
    assert_eq!(
        std::fs::read(theirs).unwrap(),
        std::fs::read(&index[0]).unwrap()
    );
}

#[test]
fn the_id_of_a_known_commit_never_changes() {
    let dir = tempfile::tempdir().unwrap();
    git(dir.path(), &["init", "-q", "--bare", "bare.git"]);
    let id = to_git(
        dir.path().join("bare.git").to_str().unwrap(),
        None,
        &wide(),
        &commit(),
    )
    .unwrap();
    insta::assert_snapshot!(id, @"3d5368ce5a53ac0d23c3f80780480cdfd035f146");
}
