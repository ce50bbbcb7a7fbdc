//! Claims: names held for a request from plan to end. What a service holds stays held by its row.
//!
//! So no two runs ever want the same name, and none queues behind another: whoever comes second is told at its field, or
//! refused at plan, with the holder's number. Failed and blocked runs keep their names (Retry goes on), an undo that
//! failed keeps them too (something remains), and a retry never takes new ones.

use chrono::{DateTime, Utc};

use super::{Conn, Result};
use crate::domain::id::{PersonId, RequestId, RequestNumber};
use crate::domain::plan::Claim;

/// Who has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// An open request.
    Request {
        /// Its number.
        number: RequestNumber,
        /// Who asked.
        requester: PersonId,
    },
    /// A service.
    Service {
        /// The owning team.
        owner: String,
    },
}

/// Takes a name for a request; false: another one, or a service, has it. Of two at once the later one waits and loses;
/// if what it waited for became a service meanwhile, its transaction falls (see [`super::fell`]).
pub async fn take(
    conn: &mut Conn,
    request: RequestId,
    claim: &Claim,
    now: DateTime<Utc>,
) -> Result<bool> {
    let taken = sqlx::query_scalar!(
        r#"insert into claim (kind, name, request_id, created_at)
           select $1, $2, $3, $4
           where not exists (select 1 from service where claims @> jsonb_build_array(jsonb_build_object('kind', $1::text, 'name', $2::text)))
           on conflict (kind, name) do update set kind = excluded.kind where claim.request_id = excluded.request_id
           returning true as "taken!""#,
        claim.kind,
        claim.name,
        request as _,
        now,
    )
    .fetch_optional(conn)
    .await?;
    Ok(taken.is_some())
}

/// Who has a name; `None`: it is free.
pub async fn holder(conn: &mut Conn, claim: &Claim) -> Result<Option<Holder>> {
    let request = sqlx::query!(
        r#"select r.number as "number: RequestNumber", human(r.requester_id) as "requester!: PersonId"
           from claim c join request r on r.id = c.request_id where c.kind = $1 and c.name = $2"#,
        claim.kind,
        claim.name,
    )
    .fetch_optional(&mut *conn)
    .await?;
    if let Some(row) = request {
        return Ok(Some(Holder::Request {
            number: row.number,
            requester: row.requester,
        }));
    }
    let owner = sqlx::query_scalar!(
        "select owner from service
         where claims @> jsonb_build_array(jsonb_build_object('kind', $1::text, 'name', $2::text)) limit 1",
        claim.kind,
        claim.name,
    )
    .fetch_optional(conn)
    .await?;
    Ok(owner.map(|owner| Holder::Service { owner }))
}

/// Lets go of all names that a request holds.
pub async fn release(conn: &mut Conn, request: RequestId) -> Result<()> {
    sqlx::query!("delete from claim where request_id = $1", request as _)
        .execute(conn)
        .await?;
    Ok(())
}
