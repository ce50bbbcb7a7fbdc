//! How much stands where: for monitoring.

use super::{Conn, Result};

/// How many of a noun are in a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// `requests`, `runs`, `steps`, `messages`.
    pub noun: String,
    /// The state's word.
    pub state: String,
    /// How many; those in states that have none are left out.
    pub count: i64,
}

/// Counts what isn't over: each part is found by an index of what is open, however much has ended before.
pub async fn open(conn: &mut Conn) -> Result<Vec<Counted>> {
    sqlx::query_as!(
        Counted,
        r#"select 'requests' as "noun!", state as "state!", count(*) as "count!"
           from request where state in ('planning', 'awaiting_approval') group by state
           union all
           select 'runs', state, count(*) from run
           where state in ('queued', 'running', 'failed', 'blocked', 'cancelling', 'undoing', 'undo_failed')
           group by state
           union all
           select 'steps', s.state, count(*) from run r join step s on s.run_id = r.id
           where r.state in ('queued', 'running', 'failed', 'blocked', 'cancelling', 'undoing', 'undo_failed')
           group by s.state
           union all
           select 'messages', 'waiting', count(*) from message where wanted > shown and given_up is null
           order by 1, 2"#
    )
    .fetch_all(conn)
    .await
}
