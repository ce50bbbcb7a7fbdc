//! What becomes of a repository on the forge: its service follows it, whatever it is called and wherever it goes.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::audit::{self, Chain};
use crate::domain::event::RepositoryFate;
use crate::store::Conn;
use crate::store::service::{self, News};

/// Keeps news of a repository at its service. Older news than what is known, and news of repositories that no service
/// has, change nothing.
pub(super) async fn follow(
    conn: &mut Conn,
    news: &News<'_>,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let Some(followed) = service::follow(conn, news).await? else {
        return Ok(());
    };
    let what = json!({
        "service": followed.id, "repository": news.repository, "page": news.page, "was": followed.was,
        "as_of": news.as_of,
    });
    let kind = match news.fate {
        RepositoryFate::Created => "repository.created",
        RepositoryFate::Renamed => "repository.renamed",
        RepositoryFate::Transferred => "repository.transferred",
        RepositoryFate::Archived => "repository.archived",
        RepositoryFate::Unarchived => "repository.unarchived",
        RepositoryFate::Deleted => "repository.deleted",
    };
    audit::append(conn, Chain::Request(followed.request), kind, now, what).await?;
    Ok(())
}
