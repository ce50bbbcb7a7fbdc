//! The latest requests of everybody.

use super::reader;
use crate::app::{App, view};
use crate::domain::view::RequestView;
use crate::store;

/// The latest requests of everybody, newest first.
pub async fn list(app: &App, open_only: bool, limit: u16) -> anyhow::Result<Vec<RequestView>> {
    let mut tx = store::begin_snapshot(&app.pool).await?;
    let mut views = Vec::new();
    for listed in store::request::list(&mut tx, None, open_only, limit.into()).await? {
        let reader = reader(&mut tx, listed.id).await?;
        views.push(view::load(app, &mut tx, listed.id, reader).await?);
    }
    Ok(views)
}
