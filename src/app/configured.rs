//! What decides who may do what, as files say it: its changes are evidence like votes are.

use serde_json::{Value, json};

use super::App;
use super::audit::{self, Chain};
use crate::catalog::library::Reloaded;
use crate::store::{self, Conn};

const STARTED: &str = "configuration.started";
const CHANGED: &str = "configuration.changed";
const RELOADED: &str = "definitions.reloaded";

/// Keeps that a start finds another configuration than the rows tell of. Starts without a change leave no row.
pub async fn started(app: &App) -> anyhow::Result<()> {
    let mut tx = store::begin(&app.pool).await?;
    let catalog = app.library.current();
    let commands = catalog
        .commands()
        .map(|c| json!({ "name": c.name, "digest": c.digest() }));
    let templates = catalog
        .templates()
        .map(|t| json!({ "name": t.name, "digest": t.digest() }));
    let what = json!({
        "settings": app.settings.current().digest(),
        "commands": commands.collect::<Vec<_>>(),
        "templates": templates.collect::<Vec<_>>(),
    });
    if same(
        last(&mut tx, &[STARTED, CHANGED, RELOADED]).await?.as_ref(),
        &what,
    ) {
        return Ok(());
    }
    let now = store::now(&mut tx).await?;
    audit::append(&mut tx, Chain::System, STARTED, now, what).await?;
    tx.commit().await?;
    Ok(())
}

/// Keeps that the configuration was read again and differs at these keys ([`super::Settings::differences`]). Replicas
/// that read the same keep it once.
pub async fn changed(app: &App, keys: &[String]) -> anyhow::Result<()> {
    let settings = app.settings.current();
    let mut tx = store::begin(&app.pool).await?;
    let what = json!({ "settings": settings.digest() });
    if same(last(&mut tx, &[STARTED, CHANGED]).await?.as_ref(), &what) {
        return Ok(());
    }
    let now = store::now(&mut tx).await?;
    let what = json!({
        "settings": settings.digest(), "changed": keys, "paused": settings.paused,
    });
    audit::append(&mut tx, Chain::System, CHANGED, now, what).await?;
    tx.commit().await?;
    Ok(())
}

/// Keeps that definitions were read again, and what differs or is wrong.
pub async fn reloaded(app: &App, reloaded: &Reloaded) -> anyhow::Result<()> {
    let problems: Vec<String> = reloaded.problems.iter().map(ToString::to_string).collect();
    if reloaded.changed.is_empty() && reloaded.removed.is_empty() && problems.is_empty() {
        return Ok(());
    }
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    let what = json!({
        "changed": reloaded.changed, "removed": reloaded.removed, "problems": problems,
    });
    audit::append(&mut tx, Chain::System, RELOADED, now, what).await?;
    tx.commit().await?;
    Ok(())
}

/// What the last row of these kinds says. Whoever else keeps something waits from here to the end of the transaction.
async fn last(conn: &mut Conn, kinds: &[&str]) -> store::Result<Option<Value>> {
    let system = Chain::System.to_string();
    store::audit::lock_head(conn, &system).await?;
    let body = store::audit::last_of_kinds(conn, &system, kinds).await?;
    Ok(body.map(|body| crate::domain::audit::json(&body)))
}

/// Whether a kept row says all of this.
fn same(kept: Option<&Value>, what: &Value) -> bool {
    let mut members = what.as_object().into_iter().flatten();
    kept.is_some_and(|kept| members.all(|(name, value)| kept.get(name) == Some(value)))
}
