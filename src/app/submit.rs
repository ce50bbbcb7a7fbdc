//! A filled page: kept, checked, turned; on the last one the draft becomes a request.
//!
//! What was typed is kept before anything can refuse it, so no error costs a person their words.

mod at_once;

pub use at_once::Spare;
pub(super) use at_once::at_once;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::actor::Actor;
use super::open_form::{self, Desk};
use super::{App, again, ask, audit, message, new_id, place};
use crate::cards::{answer, form as lines, refusal};
use crate::catalog::Template;
use crate::catalog::form::{self, Inputs, Unique};
use crate::domain::event::Turn;
use crate::domain::form::FieldError;
use crate::domain::id::{DraftId, RequestId, RequestNumber};
use crate::domain::message::Placement;
use crate::domain::person::AccountKind;
use crate::domain::plan::Claim;
use crate::domain::reply::Reply;
use crate::domain::request::Origin;
use crate::store::claim::Holder;
use crate::store::draft::Draft;
use crate::store::request::NewRequest;
use crate::store::{self, Acquire as _, Conn, queue};

/// A page as it came.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Filled {
    /// The form's draft.
    pub draft: DraftId,
    /// Which page.
    pub page: u32,
    /// What was typed, by field.
    pub values: Map<String, Value>,
    /// Which way.
    pub turn: Turn,
}

/// Keeps a page and turns it.
pub(super) async fn page_filled(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    filled: Filled,
) -> anyhow::Result<Reply> {
    let found = open_form::own_open(app, conn, actor, filled.draft).await?;
    let shown = |draft: &Draft| u32::try_from(draft.page) == Ok(filled.page);
    if filled.turn == Turn::Stay && !found.as_ref().is_some_and(shown) {
        // The page was left meanwhile: what stands there now is not to be drawn over.
        return Ok(Reply::Done);
    }
    let Some(mut draft) = found else {
        return Ok(open_form::draft_gone());
    };
    draft.touched_at = actor.now;
    draft.page = i32::try_from(filled.page)?;
    if filled.turn != Turn::Stay {
        // From here on it is worth going on with, and whatever is drawn next is another drawing.
        draft.revision += 1;
    }
    keep(&mut draft.values, &filled.values);
    let reply = turned(app, conn, actor, &mut draft, &filled).await?;
    store::draft::save(conn, &draft).await?;
    Ok(reply)
}

async fn turned(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    draft: &mut Draft,
    filled: &Filled,
) -> anyhow::Result<Reply> {
    let catalog = app.library.current();
    let slash = actor.slash(&draft.slash);
    let Some(command) = catalog.command(&draft.command) else {
        return Ok(open_form::gone(&catalog, &draft.command, &slash));
    };
    let belongs = match ask::may(app, conn, actor, command, &slash).await? {
        Ok(belongs) => belongs,
        Err(why) => return Ok(ask::refuse(conn, actor, &command.name, &why).await?),
    };
    let desk = Desk::of(app, command, &draft.values, &belongs);
    match filled.turn {
        Turn::Back => {
            draft.page = (draft.page - 1).max(0);
            open_form::show(app, conn, actor, &desk, draft, Vec::new()).await
        }
        Turn::Stay => open_form::draw(app, conn, actor, &desk, draft, Vec::new()).await,
        Turn::Next => next(app, conn, actor, &desk, draft, filled).await,
    }
}

async fn next(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    desk: &Desk<'_>,
    draft: &mut Draft,
    filled: &Filled,
) -> anyhow::Result<Reply> {
    let page = filled.page as usize;
    let checked = form::check_page(
        desk.command,
        desk.template(),
        page,
        // A page may come in parts: what came before stands in the draft.
        &draft.values,
        &desk.facts,
    );
    let values = match checked {
        Ok(values) => values,
        Err(errors) => return Ok(Reply::Errors { errors }),
    };
    keep(&mut draft.values, &values);
    let last = page + 1 >= desk.pages();
    let known = actor.account.kind != AccountKind::Unknown;
    // Where the names are taken at once, that tells whether they are held.
    if !(last && known) {
        let gives_way = again::replaced(app, conn, actor, draft.again_from).await?;
        let gives_way = gives_way.map(|replaced| replaced.number);
        let mut here = held(conn, actor, desk, &draft.values, gives_way).await?;
        here.retain(|e| values.contains_key(&e.field));
        if !here.is_empty() {
            return Ok(Reply::Errors { errors: here });
        }
    }
    if !last {
        draft.page += 1;
        return open_form::show(app, conn, actor, desk, draft, Vec::new()).await;
    }
    if !known {
        queue::enqueue_lookup(conn, actor.account.id).await?;
        return Ok(Reply::Card {
            card: answer::looking_up(draft.id),
        });
    }
    match form::check_all(desk.command, desk.template(), &draft.values, &desk.facts) {
        Ok(inputs) => submit(app, conn, actor, desk, draft, inputs).await,
        Err(errors) => wrong(app, conn, actor, desk, draft, errors).await,
    }
}

/// Errors found at the end: at their fields if these are on the page shown, else on the page that has them.
async fn wrong(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    desk: &Desk<'_>,
    draft: &mut Draft,
    errors: Vec<FieldError>,
) -> anyhow::Result<Reply> {
    for index in 0..desk.pages() {
        let page = form::page(
            desk.command,
            desk.template(),
            index,
            &draft.values,
            &desk.facts,
        );
        let fields = page.map(|p| p.fields).unwrap_or_default();
        let here: Vec<FieldError> = errors
            .iter()
            .filter(|e| fields.iter().any(|f| f.name == e.field))
            .cloned()
            .collect();
        if here.is_empty() {
            continue;
        }
        if i32::try_from(index)? == draft.page {
            return Ok(Reply::Errors { errors: here });
        }
        draft.page = i32::try_from(index)?;
        let trouble = lines::trouble(&here);
        return open_form::show(app, conn, actor, desk, draft, trouble).await;
    }
    // Errors at fields that no page has: the definition changed under the form. Its first page shows what there is.
    draft.page = 0;
    let trouble = lines::trouble(&errors);
    open_form::show(app, conn, actor, desk, draft, trouble).await
}

/// The draft becomes a request: names, definitions, request, audit, plan job and root card, all or nothing.
async fn submit(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    desk: &Desk<'_>,
    draft: &mut Draft,
    inputs: Inputs,
) -> anyhow::Result<Reply> {
    let asked_in = (draft.asked_in.as_str(), draft.asked_in_kind);
    let standing = place::standing(app, conn, actor, desk.command, asked_in).await?;
    let asking = Asking {
        inputs: &inputs,
        slash: &draft.slash,
        origin: Origin::Chat,
        draft: Some(draft.id),
        again_from: draft.again_from,
        placement: Some(standing.placement),
    };
    let (_, number) = match write_instead(app, conn, actor, desk, asking).await? {
        Ok(made) => made,
        Err(errors) => return wrong(app, conn, actor, desk, draft, errors).await,
    };
    draft.consumed_at = Some(actor.now);
    let place = standing.name.unwrap_or_else(|| lines::DIRECT.to_owned());
    Ok(Reply::Card {
        card: answer::submitted(number, &subject(desk, inputs.values()), &place),
    })
}

/// What a request is made of beyond its command.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asking<'a> {
    /// The checked inputs.
    pub inputs: &'a Inputs,
    /// The slash command's name.
    pub slash: &'a str,
    /// How it came to us.
    pub origin: Origin,
    /// The draft that it is made from.
    pub draft: Option<DraftId>,
    /// The request that it asks again.
    pub again_from: Option<RequestId>,
    /// Where it stands; `None`: nowhere (an operator's, with no chat to be told in).
    pub placement: Option<Placement>,
}

/// Writes a request, in the place of the one that it is asked from if that gives way to it.
async fn write_instead(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    desk: &Desk<'_>,
    asking: Asking<'_>,
) -> anyhow::Result<Result<(RequestId, RequestNumber), Vec<FieldError>>> {
    let Some(replaced) = again::replaced(app, conn, actor, asking.again_from).await? else {
        return write(conn, actor, desk, asking).await;
    };
    let mut both = conn.begin().await?;
    again::supersede(&mut both, actor, replaced).await?;
    let written = write(&mut both, actor, desk, asking).await?;
    if written.is_ok() {
        both.commit().await?;
    } else {
        both.rollback().await?;
    }
    Ok(written)
}

/// Writes a request with all that belongs to it. `Err`: a name is taken.
pub(super) async fn write(
    conn: &mut Conn,
    actor: &Actor,
    desk: &Desk<'_>,
    asking: Asking<'_>,
) -> anyhow::Result<Result<(RequestId, RequestNumber), Vec<FieldError>>> {
    let id: RequestId = new_id();
    let values = asking.inputs.values();
    let now = actor.now;
    let claims: Vec<Claim> = form::uniques(desk.command, desk.template(), values)
        .iter()
        .map(claim)
        .collect();
    let definitions = definitions(desk);
    let subject = subject(desk, values);
    let new = NewRequest {
        id,
        command: &desk.command.name,
        command_digest: desk.command.digest(),
        template_digest: desk.template().map(Template::digest),
        subject: &subject,
        requester: actor.person(),
        account: actor.account.id,
        draft: asking.draft,
        inputs: values,
        slash: asking.slash,
        origin: asking.origin,
        again_from: asking.again_from,
        claims: &claims,
    };
    let number = loop {
        if let Some(number) = insert(conn, &new, definitions, now).await? {
            break number;
        }
        // Some of the names may be ours by now: given back before anybody is told who has them.
        store::claim::release(conn, id).await?;
        let held = held(conn, actor, desk, values, None).await?;
        // Who let go of one just now holds it no more: then it is to be taken still.
        if !held.is_empty() {
            return Ok(Err(held));
        }
    };
    audit::begin(conn, id, ASKED, now, evidence(&new, number)).await?;
    if let Some(placement) = &asking.placement {
        message::open(conn, id, placement, now).await?;
    }
    queue::enqueue_plan(conn, id, None).await?;
    Ok(Ok((id, number)))
}

/// What happened, in the first row of a request's chain.
const ASKED: &str = "request.asked";

/// What that row says.
fn evidence(new: &NewRequest<'_>, number: RequestNumber) -> Value {
    json!({
        "number": number, "by": new.requester, "account": new.account, "command": new.command,
        "command_digest": new.command_digest, "template_digest": new.template_digest, "inputs": new.inputs,
        "origin": new.origin, "again_from": new.again_from,
    })
}

/// Writes the request. The definitions are nearly always kept already, so they are sent only where that fails.
async fn insert(
    conn: &mut Conn,
    new: &NewRequest<'_>,
    (command, template): (&[u8], Option<&[u8]>),
    now: DateTime<Utc>,
) -> store::Result<Option<RequestNumber>> {
    if let Some(number) = store::request::insert(conn, new, now).await? {
        return Ok(Some(number));
    }
    store::blob::put(conn, command, now).await?;
    if let Some(template) = template {
        store::blob::put(conn, template, now).await?;
    }
    store::request::insert(conn, new, now).await
}

/// The bytes of the command, and of the template if there is one.
fn definitions<'a>(desk: &'a Desk<'_>) -> (&'a [u8], Option<&'a [u8]>) {
    (
        desk.command.source(),
        desk.template().map(Template::package),
    )
}

/// What a request is about: the value of `name`, else the command's title.
fn subject(desk: &Desk<'_>, values: &Map<String, Value>) -> String {
    let name = values.get("name").and_then(Value::as_str);
    name.unwrap_or(&desk.command.title).to_owned()
}

/// The fields whose names somebody has, each with a sentence that says who. The one that gives way has none.
async fn held(
    conn: &mut Conn,
    actor: &Actor,
    desk: &Desk<'_>,
    values: &Map<String, Value>,
    gives_way: Option<RequestNumber>,
) -> store::Result<Vec<FieldError>> {
    let mut errors = Vec::new();
    for unique in form::uniques(desk.command, desk.template(), values) {
        let Some(holder) = store::claim::holder(conn, &claim(&unique)).await? else {
            continue;
        };
        if matches!(holder, Holder::Request { number, .. } if Some(number) == gives_way) {
            continue;
        }
        errors.push(FieldError {
            message: taken(conn, actor.installation.id, &claim(&unique), holder)
                .await?
                .to_string(),
            label: unique.label,
            field: unique.field,
        });
    }
    Ok(errors)
}

/// Who has a name, as a refusal.
pub(super) async fn taken(
    conn: &mut Conn,
    reader: crate::domain::id::InstallationId,
    claim: &Claim,
    holder: Holder,
) -> store::Result<crate::domain::refusal::Refusal> {
    Ok(match holder {
        Holder::Service { owner } => {
            refusal::held_by_service(&claim.kind, &claim.name, Some(&owner))
        }
        Holder::Request { number, requester } => {
            let names = store::person::names(conn, &[requester], reader).await?;
            let name = names.first().map_or("", |n| n.name.as_str());
            refusal::held_by_request(&claim.kind, &claim.name, number.0, name)
        }
    })
}

fn claim(unique: &Unique) -> Claim {
    Claim {
        kind: unique.kind.clone(),
        name: unique.name.clone(),
    }
}

/// What was left empty is not kept as a value.
fn keep(values: &mut Map<String, Value>, typed: &Map<String, Value>) {
    for (field, value) in typed {
        if value.is_null() {
            values.remove(field);
        } else {
            values.insert(field.clone(), value.clone());
        }
    }
}
