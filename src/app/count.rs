//! How much stands where, for whoever watches.

pub use crate::store::count::Counted;

use super::App;
use crate::store;

/// Counts what isn't over.
pub async fn open(app: &App) -> store::Result<Vec<Counted>> {
    let mut conn = app.pool.acquire().await?;
    store::count::open(&mut conn).await
}
