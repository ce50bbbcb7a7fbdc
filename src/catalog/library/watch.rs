//! Reloads the library when its files change; watches any other file alike.
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
    let library = Arc::clone(library);
    let watching = on_change(
        &folders,
        RecursiveMode::Recursive,
        |_| true,
        move || on_reload(&library.reload()),
    );
    watching.map(Some)
}

/// Does something a moment after the last change of a file.
///
/// The file's folder is watched, since editors replace a file and whoever mounts configuration into a container
/// replaces a link beside it (`..data`).
pub fn watch_file(
    file: &Path,
    on_change_of_file: impl FnMut() + Send + 'static,
) -> notify::Result<Watching> {
    let folder = file.parent().filter(|path| !path.as_os_str().is_empty());
    let name = file.file_name().map(ToOwned::to_owned);
    let matters = move |path: &Path| {
        let changed = path.file_name();
        let link = changed.is_some_and(|changed| changed.as_encoded_bytes().starts_with(b".."));
        link || changed == name.as_deref()
    };
    on_change(
        &[folder.unwrap_or(Path::new("."))],
        RecursiveMode::NonRecursive,
        matters,
        on_change_of_file,
    )
}

/// The work is done on a thread of its own, which ends when the [`Watching`] is dropped.
fn on_change(
    folders: &[&Path],
    mode: RecursiveMode,
    matters: impl Fn(&Path) -> bool + Send + 'static,
    mut act: impl FnMut() + Send + 'static,
) -> notify::Result<Watching> {
    let (tell, changes) = channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // What can't be told is taken for a change: looking once more does no harm.
        let matters = event.as_ref().map_or(true, |event| {
            let changes = !matches!(event.kind, EventKind::Access(_));
            changes && (event.paths.is_empty() || event.paths.iter().any(|path| matters(path)))
        });
        if matters {
            // Nobody listens any more only while the watcher is being dropped.
            let _ = tell.send(());
        }
    })?;
    for folder in folders {
        watcher.watch(folder, mode)?;
    }
    thread::Builder::new()
        .name("watch".to_owned())
        .spawn(move || {
            while wait_for_quiet(&changes) {
                act();
            }
        })
        .map_err(notify::Error::io)?;
    Ok(Watching { _watcher: watcher })
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
