//! Services: what runs have made and the catalog shows.

use chrono::{DateTime, Utc};

use super::{Conn, Result};
use crate::domain::event::RepositoryFate;
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
    /// The forge's own id of that repository, where it is known.
    pub forge_repository: Option<String>,
    /// Where its catalog file is.
    pub catalog_url: Option<String>,
    /// The request that made it.
    pub request: RequestId,
}

/// Writes a service, or renews that of the same request: a step may run twice. The names that the request holds become
/// the service's. False: another request's service has the name.
pub async fn record(conn: &mut Conn, service: &Service, now: DateTime<Utc>) -> Result<bool> {
    let done = sqlx::query!(
        "insert into service (id, name, owner, entity, repository, catalog_url, request_id, claims, created_at,
                              forge_repository)
         select $1, $2, $3, $4, $5, $6, $7,
                coalesce((select jsonb_agg(jsonb_build_object('kind', kind, 'name', name))
                          from claim where request_id = $7), '[]'), $8,
                -- Of several services in one repository the first one follows it.
                case when exists (select from service where forge_repository = $9 and name <> $2) then null else $9 end
         on conflict (name) do update
         set owner = excluded.owner, entity = excluded.entity, repository = excluded.repository,
             catalog_url = excluded.catalog_url, claims = excluded.claims,
             forge_repository = coalesce(excluded.forge_repository, service.forge_repository)
         where service.request_id = excluded.request_id",
        service.id as _,
        service.name,
        service.owner,
        service.entity,
        service.repository,
        service.catalog_url,
        service.request as _,
        now,
        service.forge_repository,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What the forge tells of a repository.
#[derive(Debug, Clone, Copy)]
pub struct News<'a> {
    /// The forge's own id of it.
    pub repository: &'a str,
    /// Its page now.
    pub page: &'a str,
    /// Its page before, where that was another.
    pub former: Option<&'a str>,
    /// What became of it.
    pub fate: RepositoryFate,
    /// As of when.
    pub as_of: DateTime<Utc>,
}

/// A service that followed its repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// The service.
    pub id: ServiceId,
    /// The request that made it.
    pub request: RequestId,
    /// Where its source was.
    pub was: Option<String>,
}

/// Lets the service of a repository follow it: page, catalog file, held names and state; with its repository it goes,
/// and its names are free again. It is known by the forge's id; one whose id isn't known yet, by the page, and gets its
/// id. `None`: no service has it, or newer news is known.
pub async fn follow(conn: &mut Conn, news: &News<'_>) -> Result<Option<Followed>> {
    let Some(found) = of_repository(conn, news).await? else {
        return Ok(None);
    };
    let state = match news.fate {
        RepositoryFate::Archived => Some("archived"),
        RepositoryFate::Unarchived => Some("active"),
        RepositoryFate::Created | RepositoryFate::Renamed | RepositoryFate::Transferred => None,
        RepositoryFate::Deleted => {
            sqlx::query!("delete from service where id = $1", found.id as _)
                .execute(conn)
                .await?;
            return Ok(Some(found));
        }
    };
    // A form holds the bare name, a plan the one with its owner: `payments-api` and `acme/payments-api`.
    sqlx::query!(
        r#"with place as (
               select lower(substring($6::text from '[^/]+/[^/]+$')) as was, lower(substring($2 from '[^/]+/[^/]+$')) as now
           )
           update service s
           set forge_repository = $3, repository = $2, repository_as_of = $4,
               repository_state = coalesce($5, s.repository_state),
               catalog_url = case when starts_with(s.catalog_url, $6 || '/')
                                  then $2 || substr(s.catalog_url, length($6) + 1) else s.catalog_url end,
               claims = (select coalesce(jsonb_agg(case
                                when c ->> 'kind' <> 'repository' then c
                                when lower(c ->> 'name') = place.was
                                then jsonb_set(c, '{name}', to_jsonb(place.now))
                                when lower(c ->> 'name') = split_part(place.was, '/', 2)
                                then jsonb_set(c, '{name}', to_jsonb(split_part(place.now, '/', 2)))
                                else c end), '[]')
                         from jsonb_array_elements(s.claims) c)
           from place where s.id = $1"#,
        found.id as _,
        news.page,
        news.repository,
        news.as_of,
        state,
        found.was,
    )
    .execute(conn)
    .await?;
    Ok(Some(found))
}

/// The service that a repository is known to be of, kept from others until the transaction ends.
async fn of_repository(conn: &mut Conn, news: &News<'_>) -> Result<Option<Followed>> {
    let pages: Vec<String> = match news.fate {
        // A new repository in an old one's place is not the service's.
        RepositoryFate::Created => Vec::new(),
        _ => [Some(news.page), news.former]
            .into_iter()
            .flatten()
            .map(str::to_lowercase)
            .collect(),
    };
    sqlx::query_as!(
        Followed,
        r#"select id as "id: ServiceId", request_id as "request: RequestId", repository as was
           from service
           where (forge_repository = $1 or (forge_repository is null and lower(repository) = any($2)))
             and coalesce(repository_as_of <= $3, true)
           order by forge_repository nulls last, created_at
           limit 1 for update"#,
        news.repository,
        &pages,
        news.as_of,
    )
    .fetch_optional(conn)
    .await
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
        r#"select id as "id: ServiceId", name, owner, entity, repository, forge_repository, catalog_url,
                  request_id as "request: RequestId"
           from service order by name"#
    )
    .fetch_all(conn)
    .await
}
