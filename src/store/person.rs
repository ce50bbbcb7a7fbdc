//! Persons: one human, one or more accounts. A person has no name of their own, only those of the accounts.

use chrono::{DateTime, Utc};

use super::{Conn, Result};
use crate::domain::id::{InstallationId, PersonId};
use crate::domain::person::PersonName;

/// Writes a new person.
pub async fn insert(conn: &mut Conn, id: PersonId, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "insert into person (id, created_at) values ($1, $2)",
        id as _,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps others from deciding whose account is whose for this person until the transaction ends.
pub async fn lock(conn: &mut Conn, id: PersonId) -> Result<()> {
    sqlx::query!(
        "select id from person where id = $1 for no key update",
        id as _
    )
    .fetch_one(conn)
    .await?;
    Ok(())
}

/// The persons as an installation names them: by an account there of the human that each is, else by their oldest one, on GitHub last of all.
pub async fn names(
    conn: &mut Conn,
    ids: &[PersonId],
    reader: InstallationId,
) -> Result<Vec<PersonName>> {
    sqlx::query_as!(
        PersonName,
        r#"select distinct on (told.id) told.id as "person!: PersonId", a.name,
                  case when a.installation_id = $2 then a.external_id end as external
           from unnest($1::uuid[]) told(id) join account a on a.person_id = human(told.id)
           order by told.id, a.installation_id = $2 desc,
                    a.installation_id in (select id from installation where platform = 'github'), a.active desc, a.created_at"#,
        ids as _,
        reader as _,
    )
    .fetch_all(conn)
    .await
}
