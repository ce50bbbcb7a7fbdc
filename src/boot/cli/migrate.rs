//! `idp migrate`

use super::Context;
use crate::boot::database::Database;
use crate::boot::problem::Problem;
use crate::boot::schema;

pub(super) async fn run(context: &Context) -> Result<(), Problem> {
    let config = context.config()?;
    let database = Database::open(&config, &|stage| context.printer.stage(stage)).await?;
    let pool = database.pool(2).await?;
    context.printer.progress("Migrating");
    schema::migrate(&pool).await?;
    pool.close().await;
    database.close().await?;
    context
        .printer
        .note("The database is ready for this release.");
    Ok(())
}
