//! What an operator does without a chat, by `idp request`, `idp policy explain` and `/api/requests`: ask, list, read
//! the whole evidence of one request, have a decision explained. A file per verb.
//!
//! An operator is whoever holds the database or the API's token, so `allow` and the limit of open requests don't bind
//! them; approval does, like everybody. What they ask for stands in the command's channel where there is one, so that
//! approvers see it.

mod ask;
mod explain;
mod list;
mod show;

pub use ask::{NotAsked, ask};
pub use explain::{Explained, explain};
pub use list::list;
pub use show::{Shown, show};

use crate::domain::id::{InstallationId, RequestId};
use crate::store::{self, Conn};

/// The installation whose names a request is told in: that of the one who asked.
async fn reader(conn: &mut Conn, request: RequestId) -> anyhow::Result<InstallationId> {
    let request = store::request::get(conn, request).await?;
    let account = request.map(|r| r.account);
    match account {
        Some(account) => Ok(store::account::get(conn, account).await?.installation),
        None => anyhow::bail!("the request is gone"),
    }
}
