//! The demo's folder: `demo/` in the data directory, apart from the data of a real bot.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::boot::postgres;
use crate::boot::problem::{OrFail, Problem};

/// Who belongs where in the demo's company: what an operator's `idp.toml` says.
const CONFIGURATION: &str = include_str!("idp.toml");

/// The folder, held by one demo at a time.
#[derive(Debug)]
pub(super) struct Place {
    data: PathBuf,
    /// Beside the folder, so that it outlives a reset.
    _lock: File,
}

impl Place {
    pub(super) fn open(data_dir: &Path) -> Result<Self, Problem> {
        let data = data_dir.join("demo");
        fs::create_dir_all(&data).or_fail(format!("can't make {}", data.display()))?;
        let data = data
            .canonicalize()
            .or_fail("can't find the demo's folder")?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(data.with_extension("lock"))
            .or_fail("can't lock the demo's folder")?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Problem::failed("a demo runs on this folder already")
                    .at(data.display().to_string())
                    .hint("stop it, or begin another with `--data-dir`"));
            }
            Err(TryLockError::Error(e)) => return Err(e).or_fail("can't lock the demo's folder"),
        }
        let place = Self { data, _lock: lock };
        place.bring_forge_back()?;
        Ok(place)
    }

    /// Deletes everything in it.
    pub(super) async fn clear(&self) -> Result<(), Problem> {
        postgres::erase(&self.data).await?;
        let clear = || {
            fs::remove_dir_all(&self.data)?;
            fs::create_dir(&self.data)
        };
        clear().or_fail(format!("can't empty {}", self.data.display()))
    }

    /// The bot's data directory.
    pub(super) fn data(&self) -> &Path {
        &self.data
    }

    /// Where the chat workspace is kept.
    pub(super) fn chat(&self) -> PathBuf {
        self.data.join("chat.json")
    }

    pub(super) fn bot_log(&self) -> PathBuf {
        self.data.join("bot.log")
    }

    /// The local forge's folder, and where it goes while it is taken away.
    pub(super) fn forge(&self) -> (PathBuf, PathBuf) {
        (self.data.join("git"), self.data.join("git.away"))
    }

    /// Puts the forge back that a demo which was killed had taken away.
    pub(super) fn bring_forge_back(&self) -> Result<(), Problem> {
        let (here, away) = self.forge();
        if away.exists() && !here.exists() {
            fs::rename(away, here).or_fail("can't bring the forge back")?;
        }
        Ok(())
    }

    /// The bot's `idp.toml`, written anew each time.
    pub(super) fn configuration(&self) -> Result<PathBuf, Problem> {
        let path = self.data.join("idp.toml");
        fs::write(&path, CONFIGURATION).or_fail(format!("can't write {}", path.display()))?;
        Ok(path)
    }
}
