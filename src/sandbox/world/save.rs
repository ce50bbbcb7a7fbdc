//! Keeps workspace and server in a file between starts: written whole, beside, then renamed, a moment after a change.

use std::{path::Path, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Log, Workspace, World};
use crate::sandbox::{SandboxError, discord::Discord};

/// Raised whenever an older file can't be read any more.
const FORMAT: u32 = 1;

/// Changes within this time are written together.
const CALM: Duration = Duration::from_millis(300);

#[derive(Deserialize)]
struct Saved {
    format: u32,
    workspace: Workspace,
    /// Files of before there was one begin it anew.
    #[serde(default)]
    discord: Option<Discord>,
    #[serde(default)]
    log: Log,
}

#[derive(Serialize)]
struct Saving<'a> {
    format: u32,
    workspace: &'a Workspace,
    discord: &'a Discord,
    log: &'a Log,
}

/// What a file holds.
pub(super) type Kept = (Workspace, Option<Discord>, Log);

/// What was kept, or `None` when there is no file yet.
pub(super) fn read(path: &Path) -> Result<Option<Kept>, SandboxError> {
    let broken = |cause: String| SandboxError::State {
        path: path.to_owned(),
        cause,
    };
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(broken(cause.to_string())),
    };
    let saved: Saved = serde_json::from_slice(&bytes).map_err(|cause| broken(cause.to_string()))?;
    if saved.format != FORMAT {
        return Err(broken(format!("format {} is not {FORMAT}", saved.format)));
    }
    Ok(Some((saved.workspace, saved.discord, saved.log)))
}

impl World {
    /// Writes the workspace a moment after each change, until dropped.
    pub(in crate::sandbox) async fn keep_saving(self: Arc<Self>) {
        loop {
            self.dirty.notified().await;
            tokio::time::sleep(CALM).await;
            if let Err(cause) = self.save().await {
                tracing::error!(%cause, "Can't keep the workspace");
            }
        }
    }

    /// Writes the workspace now.
    pub(in crate::sandbox) async fn save(&self) -> Result<(), SandboxError> {
        let Some(path) = &self.config.state_file else {
            return Ok(());
        };
        let broken = |cause: String| SandboxError::State {
            path: path.clone(),
            cause,
        };
        let bytes = self
            .with(|inner| {
                serde_json::to_vec(&Saving {
                    format: FORMAT,
                    workspace: &inner.workspace,
                    discord: &inner.discord,
                    log: &inner.log.newest(),
                })
            })
            .map_err(|cause| broken(cause.to_string()))?;
        let beside = path.with_extension("tmp");
        if let Some(folder) = path.parent() {
            tokio::fs::create_dir_all(folder)
                .await
                .map_err(|cause| broken(cause.to_string()))?;
        }
        tokio::fs::write(&beside, bytes)
            .await
            .map_err(|cause| broken(cause.to_string()))?;
        tokio::fs::rename(&beside, path)
            .await
            .map_err(|cause| broken(cause.to_string()))
    }
}

/// Messages as they are kept: ephemeral ones are not.
pub(super) mod kept_messages {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use crate::sandbox::world::Message;

    pub(in crate::sandbox::world) fn serialize<S: Serializer>(
        messages: &BTreeMap<String, Message>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(
            messages
                .values()
                .filter(|message| message.only_for.is_none()),
        )
    }

    pub(in crate::sandbox::world) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<String, Message>, D::Error> {
        let messages = Vec::<Message>::deserialize(deserializer)?;
        Ok(messages
            .into_iter()
            .map(|message| (message.ts.clone(), message))
            .collect())
    }
}
