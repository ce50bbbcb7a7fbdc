//! Requests: one use of a command.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::{Conn, Json, Result};
use crate::domain::canonical::Digest;
use crate::domain::id::{
    AccountId, DraftId, InstallationId, PersonId, PlanId, RequestId, RequestNumber, RunId, ThreadId,
};
use crate::domain::plan::Claim;
use crate::domain::request::{Origin, RequestState};
use crate::domain::rule::DecidingRule;
use crate::domain::run::RunState;

/// A request as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Its id.
    pub id: RequestId,
    /// Its number.
    pub number: RequestNumber,
    /// The command's name.
    pub command: String,
    /// The command's bytes, as they were at the submit.
    pub command_digest: Digest,
    /// The template's package, as it was at the submit.
    pub template_digest: Option<Digest>,
    /// What it is about.
    pub subject: String,
    /// Who asked.
    pub requester: PersonId,
    /// With which account.
    pub account: AccountId,
    /// Where: the installation of that account.
    pub home: InstallationId,
    /// The checked inputs.
    pub inputs: Json<Map<String, Value>>,
    /// Where it stands.
    pub state: RequestState,
    /// Since when.
    pub since: DateTime<Utc>,
    /// The plan that is shown and can be voted on.
    pub plan: Option<PlanId>,
    /// Who ended it before it ran.
    pub ended_by: Option<PersonId>,
    /// Why it ended, as a sentence.
    pub end_reason: Option<String>,
    /// The reference under which the log has the cause.
    pub reference: Option<String>,
    /// The platform's name of the command (`/idp`).
    pub slash: String,
    /// How it came to us.
    pub origin: Origin,
    /// How often its planning was tried without an answer.
    pub plan_attempts: i32,
    /// What keeps its planning from an end, as a sentence.
    pub hindrance: Option<String>,
    /// Since when.
    pub hindered_since: Option<DateTime<Utc>>,
    /// When it was asked.
    pub created_at: DateTime<Utc>,
}

/// What is written when a request is made. The definitions must be kept already (as [`super::blob`]s).
#[derive(Debug, Clone, PartialEq)]
pub struct NewRequest<'a> {
    /// Its id.
    pub id: RequestId,
    /// The command's name.
    pub command: &'a str,
    /// The command's bytes.
    pub command_digest: Digest,
    /// The template's package.
    pub template_digest: Option<Digest>,
    /// What it is about.
    pub subject: &'a str,
    /// Who asks.
    pub requester: PersonId,
    /// With which account.
    pub account: AccountId,
    /// The draft that it was made from.
    pub draft: Option<DraftId>,
    /// The checked inputs.
    pub inputs: &'a Map<String, Value>,
    /// The platform's name of the command.
    pub slash: &'a str,
    /// How it came to us.
    pub origin: Origin,
    /// The request that it asks again.
    pub again_from: Option<RequestId>,
    /// The names that it takes.
    pub claims: &'a [Claim],
}

/// Writes a new request, to be planned, with the names it takes; gives its number. `None`: another request or a service
/// has one of the names, or a definition isn't kept; of the names some may have been taken.
pub async fn insert(
    conn: &mut Conn,
    new: &NewRequest<'_>,
    now: DateTime<Utc>,
) -> Result<Option<RequestNumber>> {
    let (kinds, names): (Vec<String>, Vec<String>) =
        (new.claims.iter().cloned().map(|c| (c.kind, c.name))).unzip();
    sqlx::query_scalar!(
        r#"with wanted as (select kind, name from unnest($14::text[], $15::text[]) as w(kind, name)),
           taken as (
               insert into claim (kind, name, request_id, created_at)
               select kind, name, $1, $13 from wanted w
               where not exists (
                   select 1 from service
                   where claims @> jsonb_build_array(jsonb_build_object('kind', w.kind, 'name', w.name)))
               order by kind, name
               on conflict (kind, name) do update set kind = excluded.kind where claim.request_id = excluded.request_id
               returning 1),
           written as (
               insert into request (id, command, command_digest, template_digest, subject, requester_id,
                                    requester_account_id, draft_id, inputs, slash, origin, again_from,
                                    state, since, created_at)
               select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'planning', $13, $13
               where (select count(*) from taken) = (select count(*) from wanted)
                 and exists (select 1 from blob where sha256 = $3)
                 and ($4::bytea is null or exists (select 1 from blob where sha256 = $4))
               returning number, requester_id),
           counted as (update person set asked = asked + 1 from written where id = requester_id)
           select number as "number: RequestNumber" from written"#,
        new.id as _,
        new.command,
        new.command_digest as _,
        new.template_digest as _,
        new.subject,
        new.requester as _,
        new.account as _,
        new.draft as _,
        Json(new.inputs) as _,
        new.slash,
        new.origin as _,
        new.again_from as _,
        now,
        &kinds,
        &names,
    )
    .fetch_optional(conn)
    .await
}

/// How many requests of a person are open: not ended, and their run neither done nor undone.
pub async fn count_open(conn: &mut Conn, of: PersonId) -> Result<i64> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from request r
           where r.requester_id = any(array(select persons_of($1)))
             and (r.state in ('planning', 'awaiting_approval')
                  or (r.state = 'approved'
                      and (select state from run where request_id = r.id order by created_at desc, id desc limit 1)
                          in ('succeeded', 'undone', 'superseded') is not true))"#,
        of as _,
    )
    .fetch_one(conn)
    .await
}

/// The columns of [`Request`], with a condition: checked queries want their text whole.
macro_rules! select_request {
    ($rest:literal, $($arg:expr),+) => {
        sqlx::query_as!(
            Request,
            r#"select id as "id: RequestId", number as "number: RequestNumber", command,
                      command_digest as "command_digest: Digest", template_digest as "template_digest: Digest",
                      subject, human(requester_id) as "requester!: PersonId", requester_account_id as "account: AccountId",
                      (select a.installation_id from account a where a.id = requester_account_id)
                          as "home!: InstallationId",
                      inputs as "inputs: Json<Map<String, Value>>", state as "state: RequestState", since,
                      plan_id as "plan: PlanId", human(ended_by) as "ended_by: PersonId", end_reason, reference, slash,
                      origin as "origin: Origin", plan_attempts, hindrance,
                      hindered_since, created_at
               from request "# + $rest,
            $($arg),+
        )
    };
}

/// Reads a request.
pub async fn get(conn: &mut Conn, id: RequestId) -> Result<Option<Request>> {
    select_request!("where id = $1", id as _)
        .fetch_optional(conn)
        .await
}

/// Reads a request by its number.
pub async fn numbered(conn: &mut Conn, number: RequestNumber) -> Result<Option<Request>> {
    select_request!("where number = $1", number as _)
        .fetch_optional(conn)
        .await
}

/// Reads a request and keeps others from moving it until the transaction ends. Rows that only refer to it go on.
pub async fn lock(conn: &mut Conn, id: RequestId) -> Result<Option<Request>> {
    select_request!("where id = $1 for no key update", id as _)
        .fetch_optional(conn)
        .await
}

/// The same for the request of a run.
pub async fn lock_of_run(conn: &mut Conn, run: RunId) -> Result<Option<Request>> {
    select_request!(
        "where id = (select request_id from run where id = $1) for no key update",
        run as _
    )
    .fetch_optional(conn)
    .await
}

/// Keeps others from moving the request of a thread, if it is about one, until the transaction ends.
pub async fn lock_of_thread(conn: &mut Conn, thread: ThreadId) -> Result<()> {
    sqlx::query!(
        "select from request where id = (select request_id from thread where id = $1) for no key update",
        thread as _
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Where a request was asked for: the installation of the account that asked.
pub async fn installation(conn: &mut Conn, id: RequestId) -> Result<InstallationId> {
    sqlx::query_scalar!(
        r#"select a.installation_id as "id: InstallationId"
           from request r join account a on a.id = r.requester_account_id where r.id = $1"#,
        id as _
    )
    .fetch_one(conn)
    .await
}

/// Keeps what changed of a request that the caller holds locked. Who ended it stays whoever did, whoever stands for them now.
pub async fn save(conn: &mut Conn, request: &Request) -> Result<()> {
    sqlx::query!(
        "update request set state = $2, since = $3, plan_id = $4,
                ended_by = case when human(ended_by) = $5 then ended_by else $5 end, end_reason = $6, reference = $7,
                plan_attempts = $8, hindrance = $9, hindered_since = $10
         where id = $1",
        request.id as _,
        request.state as _,
        request.since,
        request.plan as _,
        request.ended_by as _,
        request.end_reason,
        request.reference,
        request.plan_attempts,
        request.hindrance,
        request.hindered_since,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A request in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: RequestId,
    /// Its number.
    pub number: RequestNumber,
    /// The command's name.
    pub command: String,
    /// What it is about.
    pub subject: String,
    /// Who asked.
    pub requester: PersonId,
    /// Where it stands.
    pub state: RequestState,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Where its latest run stands.
    pub run: Option<RunState>,
    /// Since when.
    pub run_since: Option<DateTime<Utc>>,
}

/// The latest requests, newest first; of one person, or of everybody.
pub async fn list(
    conn: &mut Conn,
    of: Option<PersonId>,
    open_only: bool,
    limit: i64,
) -> Result<Vec<Listed>> {
    sqlx::query_as!(
        Listed,
        r#"select r.id as "id: RequestId", r.number as "number: RequestNumber", r.command, r.subject,
                  human(r.requester_id) as "requester!: PersonId", r.state as "state: RequestState", r.since,
                  run.state as "run?: RunState", run.since as "run_since?"
           from request r
           left join lateral (select state, since from run where request_id = r.id
                              order by created_at desc, id desc limit 1) run on r.state = 'approved'
           where ($1::uuid is null or r.requester_id = any(array(select persons_of($1))))
             and (not $2 or r.state in ('planning', 'awaiting_approval')
                  or (r.state = 'approved' and run.state is distinct from 'succeeded'
                      and run.state is distinct from 'undone' and run.state is distinct from 'superseded'))
           order by r.number desc limit $3"#,
        of as _,
        open_only,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// A request that waits for votes on its current plan, and the rule that decides it.
#[derive(Debug)]
pub struct Awaiting {
    /// Its id.
    pub id: RequestId,
    /// Who asked.
    pub requester: PersonId,
    /// Who has to say yes.
    pub rule: Json<DecidingRule>,
}

/// The requests of others that wait for votes, that this person is known to where they were asked for, and that have none
/// of theirs, newest first: whether their vote would count is judged by the caller. Whoever never was anybody else is spared
/// the search for that.
pub async fn awaiting(conn: &mut Conn, person: PersonId, limit: i64) -> Result<Vec<Awaiting>> {
    sqlx::query_as!(
        Awaiting,
        r#"select r.id as "id: RequestId", human(r.requester_id) as "requester!: PersonId",
                  p.rule as "rule: Json<DecidingRule>"
           from request r join plan p on p.id = r.plan_id
           join account asked on asked.id = r.requester_account_id
           join installation home on home.id = asked.installation_id
           where r.state = 'awaiting_approval'
             and r.requester_id <> $1
             and (not exists (select from tie where one = $1 or other = $1)
                  or human_at(r.requester_id, r.created_at) <> human_at($1, r.created_at))
             and (home.platform not in ('slack', 'discord')
                  or exists (select from account a where a.person_id = $1 and a.installation_id = home.id and a.active))
             and not exists (select from vote v where v.plan_id = p.id and v.person_id = any(array(select persons_of($1)))
                             and v.verdict = 'approve')
           order by r.since desc limit $2"#,
        person as _,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// A person's requests that nothing has begun to run for.
pub async fn not_begun(conn: &mut Conn, person: PersonId) -> Result<Vec<RequestId>> {
    sqlx::query_scalar!(
        r#"select id as "id: RequestId" from request
           where requester_id = any(array(select persons_of($1))) and state in ('planning', 'awaiting_approval')
           order by number"#,
        person as _,
    )
    .fetch_all(conn)
    .await
}

/// The requests that wait for votes and that one of these persons asked for or voted on: what their cards say changes with
/// who is one human with whom.
pub async fn awaiting_with(conn: &mut Conn, persons: &[PersonId]) -> Result<Vec<RequestId>> {
    sqlx::query_scalar!(
        r#"select id as "id: RequestId" from request
           where state = 'awaiting_approval'
             and (requester_id = any($1)
                  or exists (select from vote v where v.plan_id = request.plan_id and v.person_id = any($1)))
           order by id"#,
        persons as _,
    )
    .fetch_all(conn)
    .await
}
