//! A request as it stands at one moment, read in the caller's transaction: what cards are made from.

use super::App;
use crate::domain::id::{InstallationId, RequestId};
use crate::domain::view::RequestView;
use crate::store::Conn;

/// Reads a request for a card that goes to an installation: mentions carry the ids of that one.
pub async fn load(
    app: &App,
    conn: &mut Conn,
    request: RequestId,
    reader: InstallationId,
) -> anyhow::Result<RequestView> {
    let _ = (app, conn, request, reader);
    anyhow::bail!("reading a request is not there yet")
}
