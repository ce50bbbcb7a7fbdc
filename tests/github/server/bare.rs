//! The bare repositories behind the API: real git, with nothing of this machine's configuration.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// A command of git in a repository.
pub fn command(dir: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", "/nonexistent")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .args(["-c", "safe.directory=*", "-C"])
        .arg(dir);
    command
}

/// What a command says; none where it fails.
pub fn git(dir: &Path, args: &[&str]) -> Option<String> {
    let said = command(dir).args(args).output().unwrap();
    let text = String::from_utf8_lossy(&said.stdout).trim_end().to_owned();
    said.status.success().then_some(text)
}

/// Feeds a command; gives what it says, or what it complains about.
pub fn feed(mut command: Command, input: &[u8]) -> Result<String, String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // What it answers is short, so nothing can block.
    let _closed_early = child.stdin.take().unwrap().write_all(input);
    let said = child.wait_with_output().unwrap();
    if said.status.success() {
        return Ok(String::from_utf8_lossy(&said.stdout).trim_end().to_owned());
    }
    Err(String::from_utf8_lossy(&said.stderr).trim_end().to_owned())
}

/// Makes an empty repository.
pub fn init(dir: &Path, branch: &str) {
    std::fs::create_dir_all(dir).unwrap();
    git(dir, &["init", "-q", "--bare", "-b", branch]).unwrap();
    for (key, value) in [
        ("http.receivepack", "true"),
        ("receive.fsckObjects", "true"),
        ("receive.advertisePushOptions", "true"),
        ("uploadpack.allowFilter", "true"),
    ] {
        git(dir, &["config", key, value]).unwrap();
    }
}

/// Whether nothing was pushed yet.
pub fn is_empty(dir: &Path) -> bool {
    git(dir, &["for-each-ref", "--count=1", "refs/heads"]).is_none_or(|refs| refs.is_empty())
}

/// The branches with their commits, by name.
pub fn branches(dir: &Path) -> Vec<(String, String)> {
    refs(dir, "refs/heads")
}

/// The tags with what they name.
pub fn tags(dir: &Path) -> Vec<(String, String)> {
    refs(dir, "refs/tags")
}

fn refs(dir: &Path, below: &str) -> Vec<(String, String)> {
    let format = "--format=%(refname:lstrip=2) %(objectname)";
    let refs = git(dir, &["for-each-ref", format, below]);
    refs.unwrap_or_default()
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, sha)| (name.to_owned(), sha.to_owned()))
        .collect()
}

/// The commit that a branch, tag or id means.
pub fn commit(dir: &Path, name: &str) -> Option<String> {
    let name = name.trim_start_matches("refs/");
    let found = git(
        dir,
        &[
            "rev-parse",
            "-q",
            "--verify",
            "--end-of-options",
            &format!("{name}^{{commit}}"),
        ],
    );
    found.filter(|sha| !sha.is_empty())
}

/// Commits one file on a branch as the server does for its contents API; gives the commit and the blob.
pub fn put_file(
    dir: &Path,
    (branch, path): (&str, &str),
    content: &[u8],
    message: &str,
    (name, email): (&str, &str),
) -> Result<(String, String), String> {
    let mut hash = command(dir);
    hash.args(["hash-object", "-w", "--stdin"]);
    let blob = feed(hash, content)?;
    let parent = commit(dir, &format!("heads/{branch}"));
    let index = dir.join("idp-index");
    let _none = std::fs::remove_file(&index);
    let with_index = |args: &[&str]| {
        let mut command = command(dir);
        command.env("GIT_INDEX_FILE", &index).args(args);
        feed(command, b"")
    };
    if let Some(parent) = &parent {
        with_index(&["read-tree", parent])?;
    }
    with_index(&[
        "update-index",
        "--add",
        "--cacheinfo",
        &format!("100644,{blob},{path}"),
    ])?;
    let tree = with_index(&["write-tree"])?;
    let _gone = std::fs::remove_file(&index);
    let mut make = command(dir);
    for (key, value) in [("NAME", name), ("EMAIL", email)] {
        make.env(format!("GIT_AUTHOR_{key}"), value)
            .env(format!("GIT_COMMITTER_{key}"), value);
    }
    make.args(["commit-tree", &tree, "-m", message]);
    if let Some(parent) = &parent {
        make.args(["-p", parent]);
    }
    let made = feed(make, b"")?;
    git(dir, &["update-ref", &format!("refs/heads/{branch}"), &made])
        .ok_or("the branch did not move")?;
    Ok((made, blob))
}
