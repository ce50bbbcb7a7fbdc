//! `idp serve`: the parts put together, started in the order in which they need each other, and stopped in reverse.
//!
//! Readiness goes off first, so that no new work comes; then sockets and HTTP drain, workers finish or hand back what
//! they hold, pools close, and a managed Postgres goes last.

mod answer;
mod apart;
mod chat;
mod forge;
mod github;
mod guilds;
mod house;
mod introduce;
mod meet;
mod reload;
mod role;
pub(in crate::boot) mod settings;
mod work;

pub(in crate::boot) use forge::git;
pub use role::Role;

use std::sync::Arc;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use self::house::House;
use super::config::Config;
use super::database::Database;
use super::problem::{OrFail as _, Problem};
use super::{postgres, schema};
use crate::app::link::listed;
use crate::app::{App, audit, configured};
use crate::catalog::Library;

/// Connections for what people wait for, besides those kept at hand: each delivery holds one for a few milliseconds.
const WEB_CONNECTIONS: u32 = 10;

/// Serves until `stop` is cancelled.
pub async fn run(
    config: &Config,
    role: Role,
    report: postgres::Report<'_>,
    stop: CancellationToken,
) -> Result<(), Problem> {
    let database = Database::open(config, report).await?;
    let served = with_database(config, role, &database, stop).await;
    let closed = database.close().await;
    served.and(closed)
}

async fn with_database(
    config: &Config,
    role: Role,
    database: &Database,
    stop: CancellationToken,
) -> Result<(), Problem> {
    let pool = database.pool(WEB_CONNECTIONS).await?;
    if database.is_managed() {
        schema::migrate(&pool).await?;
    } else {
        schema::check(&pool).await?;
    }
    let house = House::build(config, pool.clone())?;
    keyed(&house.app).await?;
    configured::started(&house.app)
        .await
        .or_fail("can't keep the configuration as evidence")?;
    listed::apply(&house.app)
        .await
        .or_fail("can't link the people of the configuration")?;
    let served = house.serve(config, role, database, &stop).await;
    stop.cancel();
    pool.close().await;
    served
}

/// Refuses a state key that isn't the database's: a machine without one makes its own, and two that differ would each
/// take the other's checkpoints for forged.
async fn keyed(app: &App) -> Result<(), Problem> {
    let ours = audit::key_is_ours(app)
        .await
        .or_fail("can't look at the state key")?;
    if ours {
        return Ok(());
    }
    Err(Problem::failed("the state key is not the one that this database was begun with").hint(format!(
        "set `IDP_STATE_KEY` to that one, or put back the file `{}` of the data folder: all replicas share one",
        settings::KEY_FILE
    )))
}

/// The verbs alone, for a command that asks and ends.
pub(in crate::boot) fn verbs(config: &Config, pool: PgPool) -> Result<App, Problem> {
    let actions = crate::steps::specs(settings::forge_kind(config));
    let known = settings::known(&config.organisation, settings::github(config), &actions);
    let library = Arc::new(Library::open(settings::sources(config), actions, known));
    Ok(App::new(pool, library, settings::settings(config)?))
}
