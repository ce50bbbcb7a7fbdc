//! The local forge against real git: packs, creation, pushes by strangers, crashes, full disks, and the wire.

mod deliver;
mod http;
mod local;
mod pack;
mod steps;

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use idp::clients::forge::git::Git;
use idp::clients::forge::local::{LocalForge, Place};
use idp::clients::forge::{Branch, CommitSpec, Ident, RepoName, RepoSpec, Visibility};
use idp::domain::id::RequestId;
use idp::domain::tree::{Entry, Tree, TreePath};

/// A forge in a folder of its own.
struct World {
    dir: tempfile::TempDir,
    forge: LocalForge,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let forge = open(dir.path());
        Self { dir, forge }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn repo_dir(&self) -> std::path::PathBuf {
        self.forge.place().dir(&payments())
    }
}

/// A forge as another process would open it.
fn open(data: &Path) -> LocalForge {
    let place = Place::open(data.join("git")).unwrap();
    LocalForge::new(
        place,
        "http://127.0.0.1:8484",
        Git::new(std::env::var_os("PATH").unwrap()),
    )
}

fn payments() -> RepoName {
    RepoName::new("acme", "payments-api").unwrap()
}

fn request(n: u128) -> RequestId {
    RequestId::from_uuid(uuid::Uuid::from_u128(n))
}

fn spec(request: RequestId) -> RepoSpec {
    RepoSpec {
        repo: payments(),
        request,
        team: Some("payments".to_owned()),
        description: "Takes payments".to_owned(),
        visibility: Visibility::Private,
        default_branch: Branch::main(),
    }
}

fn commit() -> CommitSpec {
    CommitSpec {
        author: Ident::new("Priya Nair", "priya@example.com"),
        committer: Ident::new("idp", "idp@localhost"),
        at: 1_767_225_600,
        message: "Create payments-api\n\nRequest 142".to_owned(),
    }
}

fn tree(files: &[(&str, Entry)]) -> Arc<Tree> {
    let mut tree = Tree::new();
    for (path, entry) in files {
        tree.insert(TreePath::new(*path).unwrap(), entry.clone())
            .unwrap();
    }
    Arc::new(tree)
}

/// Everything that a tree can hold, with names that sort differently as folders than as files.
fn wide() -> Arc<Tree> {
    tree(&[
        ("README.md", Entry::file("# Payments\n")),
        (
            "run",
            Entry::executable("#!/bin/sh\nexec node src/server.mjs\n"),
        ),
        ("docs", Entry::symlink("src/docs")),
        ("src/docs/index.md", Entry::file("# Payments\n")),
        ("src.d/x", Entry::file("")),
        ("src-a", Entry::file("a")),
        ("src/server.mjs", Entry::file("x".repeat(300_000))),
        ("src0", Entry::file("0")),
        (
            "ü/ß.bin",
            Entry::file((0..=255u8).cycle().take(70_000).collect::<Vec<_>>()),
        ),
    ])
}

/// Runs git as a stranger would, with nothing of this machine's configuration.
fn try_git(dir: &Path, args: &[&str]) -> Output {
    Command::new("git")
        .current_dir(dir)
        .args([
            "-c",
            "user.name=Stranger",
            "-c",
            "user.email=stranger@example.com",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(["-c", "safe.directory=*", "-c", "protocol.version=2"])
        .args(args)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env_remove("GIT_DIR")
        .output()
        .unwrap()
}

fn git(dir: &Path, args: &[&str]) -> String {
    let output = try_git(dir, args);
    assert!(
        output.status.success(),
        "git {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .trim_end()
        .to_owned()
}

/// Commits something new in a clone.
fn stranger_commits(clone: &Path) {
    std::fs::write(clone.join("stranger.txt"), "hello").unwrap();
    git(clone, &["add", "."]);
    git(clone, &["commit", "-q", "-m", "A stranger's"]);
}
