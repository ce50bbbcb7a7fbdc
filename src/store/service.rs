//! Services: what runs have made and the catalog shows.

use chrono::{DateTime, Utc};

use super::{Conn, Result};
use crate::domain::id::{RequestId, ServiceId};

/// A service as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its id.
    pub id: ServiceId,
    /// Its name.
    pub name: String,
    /// The owning team.
    pub owner: String,
    /// Its entity reference.
    pub entity: String,
    /// Where its source is.
    pub repository: Option<String>,
    /// Where its catalog file is.
    pub catalog_url: Option<String>,
    /// The request that made it.
    pub request: RequestId,
}

/// Writes a service, or renews that of the same request: a step may run twice. The names that the request holds become
/// the service's. False: another request's service has the name.
pub async fn record(conn: &mut Conn, service: &Service, now: DateTime<Utc>) -> Result<bool> {
    let done = sqlx::query!(
        "insert into service (id, name, owner, entity, repository, catalog_url, request_id, claims, created_at)
         select $1, $2, $3, $4, $5, $6, $7,
                coalesce((select jsonb_agg(jsonb_build_object('kind', kind, 'name', name))
                          from claim where request_id = $7), '[]'), $8
         on conflict (name) do update
         set owner = excluded.owner, entity = excluded.entity, repository = excluded.repository,
             catalog_url = excluded.catalog_url, claims = excluded.claims
         where service.request_id = excluded.request_id",
        service.id as _,
        service.name,
        service.owner,
        service.entity,
        service.repository,
        service.catalog_url,
        service.request as _,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Removes the service that a request made: its step was undone.
pub async fn remove(conn: &mut Conn, request: RequestId, name: &str) -> Result<()> {
    sqlx::query!(
        "delete from service where request_id = $1 and name = $2",
        request as _,
        name
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// All services by name.
pub async fn all(conn: &mut Conn) -> Result<Vec<Service>> {
    sqlx::query_as!(
        Service,
        r#"select id as "id: ServiceId", name, owner, entity, repository, catalog_url,
                  request_id as "request: RequestId"
           from service order by name"#
    )
    .fetch_all(conn)
    .await
}
