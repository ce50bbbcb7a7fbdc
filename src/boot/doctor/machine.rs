//! This machine: the data folder, files with secrets, the local forge, programs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::Check;
use crate::boot::config::file::holds_secrets;
use crate::boot::config::{Config, Environment};
use crate::boot::serve;
use crate::clients::forge::local::{Place, Standing};

pub(super) fn checks(config: &Config, environment: &Environment) -> Vec<Check> {
    let mut checks = vec![data_folder(&config.data_dir, &found(&config.data_dir))];
    checks.extend(secrets(&secret_files(config, environment)));
    if config.github.is_none() {
        checks.push(forge(&config.data_dir.join("git")));
    }
    checks.push(git(serve::git().command().arg("--version").output()));
    checks
}

/// What is known of the data folder.
enum Folder {
    /// It is there.
    There {
        /// Its permission bits.
        mode: u32,
        writable: bool,
    },
    /// It would be made in this folder.
    Missing { above: PathBuf, writable: bool },
}

fn found(folder: &Path) -> Folder {
    let writable = |path: &Path| access(path, Access::WRITE_OK | Access::EXEC_OK).is_ok();
    if let Ok(facts) = fs::metadata(folder) {
        return Folder::There {
            mode: facts.permissions().mode(),
            writable: facts.is_dir() && writable(folder),
        };
    }
    let mut above = folder.ancestors().skip(1);
    let above = above.find(|path| path.is_dir()).unwrap_or(Path::new("."));
    Folder::Missing {
        above: above.to_owned(),
        writable: writable(above),
    }
}

fn data_folder(path: &Path, folder: &Folder) -> Check {
    const TOPIC: &str = "data folder";
    let path = path.display();
    match folder {
        Folder::There {
            writable: false, ..
        } => Check::fail(TOPIC, format!("idp can't write in {path}"))
            .fix("give it to the user that runs idp, or name another with `--data-dir`"),
        Folder::There { mode, .. } if mode & 0o002 != 0 => Check::fail(
            TOPIC,
            format!("every user of this machine may write in {path}"),
        )
        .fix(format!("chmod o-w {path}")),
        Folder::There { .. } => Check::ok(TOPIC, path.to_string()),
        Folder::Missing { writable: true, .. } => {
            Check::ok(TOPIC, format!("{path} is made at the first start"))
        }
        Folder::Missing { above, .. } => Check::fail(
            TOPIC,
            format!("{path} can't be made in {}", above.display()),
        )
        .fix("make it and give it to the user that runs idp, or name another with `--data-dir`"),
    }
}

/// A file with a secret in it, and its permission bits.
struct SecretFile {
    path: PathBuf,
    mode: u32,
}

/// All files that secrets are read from, as far as they can be looked at.
fn secret_files(config: &Config, environment: &Environment) -> Vec<SecretFile> {
    let mut paths = environment.secret_files();
    let text = fs::read_to_string(&config.file).unwrap_or_default();
    if holds_secrets(&text) {
        paths.push(config.file.clone());
    }
    paths.push(config.data_dir.join(serve::settings::KEY_FILE));
    let files = paths.into_iter().filter_map(|path| {
        let mode = fs::metadata(&path).ok()?.permissions().mode();
        Some(SecretFile { path, mode })
    });
    files.collect()
}

/// A group may read: a container's user reads mounted secrets as a member of one.
fn secrets(files: &[SecretFile]) -> Vec<Check> {
    const TOPIC: &str = "secret files";
    let open = files.iter().filter(|file| file.mode & 0o007 != 0);
    let open: Vec<Check> = open
        .map(|file| {
            let path = file.path.display();
            Check::fail(TOPIC, format!("every user of this machine may read {path}"))
                .fix(format!("chmod 600 {path}"))
        })
        .collect();
    match (open.is_empty(), files.len()) {
        (false, _) => open,
        (true, 0) => Vec::new(),
        (true, 1) => vec![Check::ok(TOPIC, "1, closed to others")],
        (true, n) => vec![Check::ok(TOPIC, format!("{n}, closed to others"))],
    }
}

fn forge(root: &Path) -> Check {
    const TOPIC: &str = "local forge";
    let path = root.display();
    match Place::standing(root) {
        Standing::There => Check::ok(TOPIC, path.to_string()),
        Standing::NotMade => Check::ok(TOPIC, format!("{path} is made at the first start")),
        Standing::Away => Check::fail(
            TOPIC,
            format!("{path} was made once and is away: nothing can be published"),
        )
        .fix("mount or restore the folder")
        .fix("to begin with an empty one on purpose, remove `git.made` beside it"),
    }
}

fn git(answer: std::io::Result<std::process::Output>) -> Check {
    const TOPIC: &str = "git";
    match answer {
        Ok(output) if output.status.success() => {
            let says = String::from_utf8_lossy(&output.stdout);
            Check::ok(TOPIC, says.trim().trim_start_matches("git version "))
        }
        Ok(output) => Check::fail(
            TOPIC,
            format!("`git --version` ends with {}", output.status),
        )
        .fix("install git again"),
        Err(e) => Check::fail(TOPIC, format!("`git` can't be started: {e}"))
            .fix("install git, and put its folder on the `PATH` of idp"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::doctor::State;

    #[test]
    fn a_secret_is_for_its_user_and_group() {
        let state = |mode| {
            let path = PathBuf::from("token");
            secrets(&[SecretFile { path, mode }])[0].state
        };
        assert_eq!(state(0o100_600), State::Ok);
        assert_eq!(state(0o100_440), State::Ok);
        assert_eq!(state(0o100_644), State::Fail);
        assert!(secrets(&[]).is_empty());
    }

    #[test]
    fn the_data_folder_is_ours_to_write_and_not_everybodys() {
        let state = |folder: &Folder| data_folder(Path::new("data"), folder).state;
        let there = |mode, writable| Folder::There { mode, writable };
        assert_eq!(state(&there(0o755, true)), State::Ok);
        assert_eq!(state(&there(0o777, true)), State::Fail);
        assert_eq!(state(&there(0o755, false)), State::Fail);
        let above = PathBuf::from("/");
        let writable = false;
        assert_eq!(state(&Folder::Missing { above, writable }), State::Fail);
    }
}
