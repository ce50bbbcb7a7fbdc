//! The verbs without a chat, for commands that ask the database: opened for one command, closed after it.

use super::Context;
use crate::app::App;
use crate::boot::database::Database;
use crate::boot::problem::{OrFail as _, Problem};
use crate::boot::{schema, serve};

/// Connections of one command.
const CONNECTIONS: u32 = 2;

/// An open way to the verbs.
pub(super) struct Office {
    pub(super) app: App,
    database: Database,
}

impl Office {
    /// Opens the configured database, whose schema must be this release's.
    pub(super) async fn open(context: &Context) -> Result<Self, Problem> {
        let config = context.config()?;
        let database = Database::open(&config, &|stage| context.printer.stage(stage)).await?;
        let pool = database.pool(CONNECTIONS).await?;
        if database.is_managed() {
            schema::migrate(&pool).await?;
        } else {
            schema::check(&pool).await?;
        }
        let app = serve::verbs(&config, pool)?;
        Ok(Self { app, database })
    }

    /// Leaves the database; the last one out stops a managed one.
    pub(super) async fn close(self) -> Result<(), Problem> {
        self.app.pool.close().await;
        self.database.close().await
    }
}

/// Does one piece of work in an office, and leaves it whatever comes of it.
pub(super) async fn at_work<T>(
    context: &Context,
    work: impl AsyncFnOnce(&App) -> anyhow::Result<T>,
) -> Result<T, Problem> {
    let office = Office::open(context).await?;
    let done = work(&office.app).await.or_fail("can't ask the database");
    let closed = office.close().await;
    let done = done?;
    closed.map(|()| done)
}
