//! Work on a thread of its own, so that what people wait for never stands behind it.

use std::io;
use std::thread;

use tokio::runtime::Builder;
use tokio::sync::oneshot;

/// Begins work on a thread with a runtime of its own; gives what resolves when it has ended, however it did.
pub(super) fn begin(
    name: &str,
    work: impl Future<Output = ()> + Send + 'static,
) -> io::Result<impl Future<Output = ()> + Send + 'static> {
    // One thread here too: a job is a row of short turns around the database and other servers; what takes a processor
    // for longer (rendering, packing) goes to threads for that.
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (ended, ends) = oneshot::channel::<()>();
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            runtime.block_on(work);
            drop(ended);
        })?;
    Ok(async move {
        // It ends by being dropped: also where the work breaks off.
        ends.await.ok();
    })
}
