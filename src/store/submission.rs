//! The last page of a form becomes a request in two statements: one reads all that decides it, the other writes all
//! that follows from it.
//!
//! Neither holds a transaction open, so nothing is locked while the form is checked. What was read is compared when it
//! is written, under the locks of the draft and its person: if anything of it moved, nothing is written at all.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::channel::Channel;
use super::draft::Draft;
use super::group::Held;
use super::inbox::Answered;
use super::installation::Installation;
use super::queue::{MAX_ATTEMPTS, PlanJob};
use super::request::NewRequest;
use super::thread::Thread;
use super::{Conn, Json, Result};
use crate::domain::audit::Entry;
use crate::domain::event::{PlaceKind, Sender};
use crate::domain::id::{AccountId, DraftId, InstallationId, MessageId, PersonId, RequestNumber};
use crate::domain::message::Subject;
use crate::domain::person::{Account, AccountKind, Platform};

/// All that decides about a submission, as of one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Where it comes from.
    pub installation: Installation,
    /// Who acts: a full member.
    pub account: Account,
    /// Their open draft, which asks nothing again.
    pub draft: Draft,
    /// What they belong to, as [`super::group::of_person`] tells it.
    pub held: (Vec<String>, Vec<Held>),
    /// The channel that it was asked in, if it is known.
    pub channel: Option<Channel>,
    /// How many of their requests are open, as [`super::request::count_open`] counts.
    pub open: i64,
    /// How many were ever written for them.
    pub asked: i64,
    /// The moment.
    pub now: DateTime<Utc>,
}

/// Reads it. `None`: it isn't a full member's own open draft of a first asking, or the delivery tells of other groups than
/// those that we know them in.
///
/// Where it `draws`, it draws the next request's number too, so that this takes no round trip of its own.
#[expect(
    clippy::too_many_lines,
    reason = "one query, and each of its columns put in its place"
)]
pub async fn look(
    conn: &mut Conn,
    sender: &Sender,
    draft: DraftId,
    draws: bool,
) -> Result<Option<(Seen, Option<RequestNumber>)>> {
    let row = sqlx::query!(
        r#"select i.id as "installation: InstallationId", i.platform as "platform: Platform",
                  i.external_id as installation_external, i.app_id, i.bot_account,
                  i.name as installation_name, i.revoked_at,
                  a.id as "account: AccountId", a.external_id as account_external, a.name as account_name,
                  a.kind as "kind: AccountKind", a.active,
                  p.id as "person: PersonId", p.asked,
                  d.account_id as "draft_account: AccountId", d.command, d.asked_in,
                  d.asked_in_kind as "asked_in_kind: PlaceKind", d.slash,
                  d."values" as "values: Json<Map<String, Value>>", d.page, d.revision, d.touched_at,
                  c.id as "channel?", c.name as channel_name, c.kind as "channel_kind?: PlaceKind", c.usable,
                  (select array_agg(o.external_id order by o.created_at, o.id) from account o
                   where o.person_id = p.id and o.active) as accounts,
                  held.handles, held.synced,
                  (select count(*) from request r
                   where r.requester_id = any(array(select persons_of(p.id)))
                     and (r.state in ('planning', 'awaiting_approval')
                          or (r.state = 'approved'
                              and (select state from run where request_id = r.id
                                   order by created_at desc, id desc limit 1)
                                  in ('succeeded', 'undone', 'superseded') is not true))) as "open!",
                  case when $7 then nextval('request_number') end as "number: RequestNumber",
                  idp_now() as "now!"
           from installation i
           join account a on a.installation_id = i.id and a.external_id = $3 and a.kind = 'full' and a.active
           join person p on p.id = a.person_id
           join draft d on d.id = $5 and d.person_id = p.id and d.consumed_at is null and d.again_from is null
           left join channel c on c.installation_id = i.id and c.external_id = d.asked_in
           cross join lateral (
               select array_agg(handle order by handle) as handles, array_agg(oldest order by handle) as synced
               from (select g.handle, min(g.synced_at) as oldest
                     from account o
                     join membership m on m.account_id = o.id
                     join served_group g on g.id = m.group_id
                     where o.person_id = p.id and o.active
                     group by g.handle) g) held
           where i.platform = $1 and i.external_id = $2 and coalesce(i.app_id = $4, true)
             and ($6::text[] is null or not exists (
                 select from idp_group g
                 left join membership m on m.group_id = g.id and m.account_id = a.id
                 where g.installation_id = i.id and g.active
                   and (m.account_id is not null) <> (g.external_id = any($6))))"#,
        sender.platform as _,
        sender.installation,
        sender.account,
        sender.app,
        draft as _,
        sender.groups.as_deref(),
        draws,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| {
        let seen = Seen {
            held: (
                row.accounts.unwrap_or_default(),
                held(row.handles, row.synced),
            ),
            account: Account {
                id: row.account,
                person: row.person,
                installation: row.installation,
                external: row.account_external,
                name: row.account_name,
                kind: row.kind,
                active: row.active,
            },
            channel: row.channel.zip(row.channel_kind).map(|(id, kind)| Channel {
                id,
                external: row.asked_in.clone(),
                name: row.channel_name,
                kind,
                usable: row.usable,
            }),
            draft: Draft {
                id: draft,
                person: row.person,
                account: row.draft_account,
                command: row.command,
                asked_in: row.asked_in,
                asked_in_kind: row.asked_in_kind,
                slash: row.slash,
                again_from: None,
                values: row.values,
                page: row.page,
                revision: row.revision,
                consumed_at: None,
                touched_at: row.touched_at,
            },
            installation: Installation {
                id: row.installation,
                platform: row.platform,
                external: row.installation_external,
                app: row.app_id,
                bot_account: row.bot_account,
                name: row.installation_name,
                revoked_at: row.revoked_at,
            },
            open: row.open,
            asked: row.asked,
            now: row.now,
        };
        (seen, row.number)
    }))
}

/// Groups out of two columns of equal length.
fn held(handles: Option<Vec<String>>, synced: Option<Vec<DateTime<Utc>>>) -> Vec<Held> {
    let handles = handles.unwrap_or_default().into_iter();
    handles
        .zip(synced.unwrap_or_default())
        .map(|(handle, synced_at)| Held { handle, synced_at })
        .collect()
}

/// Everything that a submission writes.
#[derive(Debug, Clone)]
pub struct Submission<'a> {
    /// What it was judged by.
    pub seen: &'a Seen,
    /// The delivery's row, with its reply.
    pub answered: &'a Answered,
    /// The request.
    pub new: &'a NewRequest<'a>,
    /// Its number.
    pub number: RequestNumber,
    /// All that was typed, to be kept in the draft.
    pub typed: &'a Map<String, Value>,
    /// The page that was sent.
    pub page: i32,
    /// The first row of its chain, and the word of what happened.
    pub entry: (&'a Entry, &'a str),
    /// The thread of its root card.
    pub thread: &'a Thread,
    /// The root card.
    pub root: (MessageId, Subject, Uuid),
}

/// Each part behind `delivered` follows from it, and it is empty where anything moved: then nothing follows.
const WRITE: &str = r#"
with wanted as (select kind, name from unnest($1::text[], $2::text[]) as w(kind, name)),
unmoved as (
    select from draft d join person p on p.id = d.person_id
    where d.id = $3 and d.consumed_at is null and d.revision = $4 and d.touched_at = $5
      and p.asked = $6
      and exists (select from blob where sha256 = $7)
      and ($8::bytea is null or exists (select from blob where sha256 = $8))
      and not exists (
          select from wanted w
          where exists (select from claim c where c.kind = w.kind and c.name = w.name)
             or exists (
                 select from service
                 where claims @> jsonb_build_array(jsonb_build_object('kind', w.kind, 'name', w.name))))
    for no key update),
planner as (select id from graphile_worker._private_tasks where identifier = $39),
delivered as (
    insert into inbox (installation_id, key, kind, account_id, reply, received_at)
    select $9, $10, $11, $12, $13, $14 from unmoved, planner
    on conflict (installation_id, key) do nothing returning key),
sent as (
    update draft set "values" = $15, page = $16, revision = revision + 1, consumed_at = $14, touched_at = $14
    from delivered where id = $3),
counted as (update person set asked = asked + 1 from delivered where id = $17),
taken as (
    insert into claim (kind, name, request_id, created_at)
    select w.kind, w.name, $18, $14 from wanted w, delivered order by w.kind, w.name),
written as (
    insert into request (id, number, command, command_digest, template_digest, subject, requester_id,
                         requester_account_id, draft_id, inputs, slash, origin, state, since, created_at)
    select $18, $19, $20, $7, $8, $21, $17, $12, $3, $22, $23, $24, 'planning', $14, $14 from delivered),
head as (insert into audit_chain (chain, seq, hash) select $25, $26, $27 from delivered),
noted as (
    insert into audit (chain, seq, prev, hash, body, kind, at)
    select $25, $26, $28, $27, $29, $30, $14 from delivered),
opened as (
    insert into thread (id, request_id, installation_id, channel, account, role, created_at)
    select $31, $18, $9, $32, $33, $34, $14 from delivered),
posted as (
    insert into message (id, thread_id, place, kind, subject, nonce, created_at)
    select $35, $31, 0, $36, $37, $38, $14 from delivered)
insert into graphile_worker._private_jobs (task_id, payload, key, max_attempts)
select planner.id, $40::jsonb::json, $41, $42 from planner, delivered"#;

/// Writes a submission, all or nothing. False: something moved since it was judged, one of its names is held, its
/// definition isn't kept yet, its delivery came before or the queue knows no job of this kind yet, and nothing is
/// written. A name that is taken at this very moment fails as a violated key.
///
/// Whoever is to go on with it is not woken: [`super::wake::tell`] does that, when it is committed. The queue's own
/// function would notify, so the job is written as that writes it; no other has its key, which is the request's. Unchecked
/// at compile time, since the table is the queue's own (see [`super::queue`]).
pub async fn write(conn: &mut Conn, submission: &Submission<'_>) -> Result<bool> {
    let Submission {
        seen,
        answered,
        new,
        ..
    } = submission;
    let (entry, kind) = submission.entry;
    let (root, subject, nonce) = submission.root;
    let (kinds, names): (Vec<&str>, Vec<&str>) =
        (new.claims.iter().map(|c| (&*c.kind, &*c.name))).unzip();
    let written = sqlx::query(WRITE)
        .bind(kinds)
        .bind(names)
        .bind(seen.draft.id)
        .bind(seen.draft.revision)
        .bind(seen.draft.touched_at)
        .bind(seen.asked)
        .bind(new.command_digest)
        .bind(new.template_digest)
        .bind(seen.installation.id)
        .bind(&answered.key)
        .bind(answered.kind)
        .bind(new.account)
        .bind(Json(&answered.reply))
        .bind(seen.now)
        .bind(Json(submission.typed))
        .bind(submission.page)
        .bind(new.requester)
        .bind(new.id)
        .bind(submission.number)
        .bind(new.command)
        .bind(new.subject)
        .bind(Json(new.inputs))
        .bind(new.slash)
        .bind(new.origin)
        .bind(&entry.chain)
        .bind(entry.seq)
        .bind(entry.hash)
        .bind(entry.prev)
        .bind(&entry.body)
        .bind(kind)
        .bind(submission.thread.id)
        .bind(&submission.thread.channel)
        .bind(&submission.thread.account)
        .bind(submission.thread.role)
        .bind(root)
        .bind(subject.kind())
        .bind(Json(subject))
        .bind(nonce)
        .bind(PlanJob::IDENTIFIER)
        .bind(Json(PlanJob { request: new.id }))
        .bind(PlanJob::key(new.id))
        .bind(MAX_ATTEMPTS)
        .execute(conn)
        .await?;
    Ok(written.rows_affected() == 1)
}
