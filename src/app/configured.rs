//! What decides who may do what, as files say it: its changes are evidence like votes are.

use serde_json::{Value, json};

use super::App;
use super::audit::{self, Chain};
use crate::catalog::library::Reloaded;
use crate::store;

/// Keeps that the configuration differs from the one that the last start kept. Starts without a change leave no row.
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
        "settings": app.settings.digest(),
        "commands": commands.collect::<Vec<_>>(),
        "templates": templates.collect::<Vec<_>>(),
    });
    let system = Chain::System.to_string();
    let last = store::audit::last_of_kind(&mut tx, &system, STARTED).await?;
    if last.is_some_and(|body| same(&body, &what)) {
        return Ok(());
    }
    let now = store::now(&mut tx).await?;
    audit::append(&mut tx, Chain::System, STARTED, now, what).await?;
    tx.commit().await?;
    Ok(())
}

/// Keeps that definitions were read again and differ.
pub async fn reloaded(app: &App, reloaded: &Reloaded) -> anyhow::Result<()> {
    let problems: Vec<String> = reloaded.problems.iter().map(ToString::to_string).collect();
    let mut tx = store::begin(&app.pool).await?;
    let now = store::now(&mut tx).await?;
    let what = json!({
        "changed": reloaded.changed, "removed": reloaded.removed, "problems": problems,
    });
    audit::append(&mut tx, Chain::System, "definitions.reloaded", now, what).await?;
    tx.commit().await?;
    Ok(())
}

const STARTED: &str = "configuration.started";

/// Whether a kept row says the same, its own members (kind, time) aside.
fn same(body: &[u8], what: &Value) -> bool {
    let kept = crate::domain::audit::json(body);
    let members = what.as_object().into_iter().flatten();
    members
        .into_iter()
        .all(|(name, value)| kept.get(name) == Some(value))
}
