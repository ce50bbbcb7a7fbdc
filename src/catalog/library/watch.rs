//! Reloads the library when its files change.
//!
//! Editors save in several strokes (write, rename, chmod), so a reload waits until the folder has been quiet for a
//! moment; a half-written file would be reported as broken, and right again right after.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use notify::{EventKind, RecursiveMode, Watcher as _};

use super::{Library, Reloaded};

/// How long a folder has to be quiet: longer than any editor takes to save, shorter than anybody waits.
const QUIET: Duration = Duration::from_millis(200);

/// Watches the folders until it is dropped.
#[derive(Debug)]
pub struct Watching {
    _watcher: notify::RecommendedWatcher,
}

/// Reloads when files change, a moment after the last change, and tells `on_reload` what came of it. Nothing to watch
/// where both sources are embedded: `None`.
///
/// The work is done on a thread of its own, which ends when the [`Watching`] is dropped.
pub fn watch(
    library: &Arc<Library>,
    on_reload: impl Fn(&Reloaded) + Send + 'static,
) -> notify::Result<Option<Watching>> {
    let folders: Vec<&Path> = [&library.sources.commands, &library.sources.templates]
        .into_iter()
        .flatten()
        .map(AsRef::as_ref)
        .collect();
    if folders.is_empty() {
        return Ok(None);
    }
    let (tell, changes) = channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let matters = event
            .as_ref()
            .map_or(true, |event| !matches!(event.kind, EventKind::Access(_)));
        if matters {
            // Nobody listens any more only while the watcher is being dropped.
            let _ = tell.send(());
        }
    })?;
    for folder in folders {
        watcher.watch(folder, RecursiveMode::Recursive)?;
    }
    let library = Arc::clone(library);
    thread::Builder::new()
        .name("catalog".to_owned())
        .spawn(move || {
            while wait_for_quiet(&changes) {
                on_reload(&library.reload());
            }
        })
        .map_err(notify::Error::io)?;
    Ok(Some(Watching { _watcher: watcher }))
}

/// Waits for a change and then for quiet; `false` when there is nothing more to come.
fn wait_for_quiet(changes: &Receiver<()>) -> bool {
    if changes.recv().is_err() {
        return false;
    }
    loop {
        match changes.recv_timeout(QUIET) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
}
