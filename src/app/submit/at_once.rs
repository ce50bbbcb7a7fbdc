//! The last page of a form that is simply right: judged without a lock, written by one statement.
//!
//! It is what nearly every submission is, and most of what a submission costs is waiting for the database again and
//! again. Whatever is not so (an unknown account, a field in error, a name that is held, a page turned, somebody who
//! may not ask, a delivery that came before) takes the long way, which judges everything anew and finds the words.

use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{ASKED, claim, evidence, keep, subject};
use crate::app::actor::Actor;
use crate::app::handle::kind;
use crate::app::open_form::Desk;
use crate::app::{App, ask, audit, group, message, new_id, place};
use crate::cards::{answer, form as lines};
use crate::catalog::Template;
use crate::catalog::form::{self, Inputs};
use crate::domain::event::{Delivery, Event, Turn};
use crate::domain::id::{DraftId, RequestNumber};
use crate::domain::message::Subject;
use crate::domain::plan::Claim;
use crate::domain::reply::Reply;
use crate::domain::request::Origin;
use crate::store::inbox::Answered;
use crate::store::request::NewRequest;
use crate::store::submission::{self, Seen, Submission};
use crate::store::{self, Conn};

/// Numbers that were drawn for submissions with an error in them: the next one gets it, so that mistyping leaves no gaps.
#[derive(Debug, Default)]
pub struct Spare(Mutex<Vec<RequestNumber>>);

impl Spare {
    fn take(&self) -> Option<RequestNumber> {
        self.numbers().pop()
    }

    fn keep(&self, number: Option<RequestNumber>) {
        self.numbers().extend(number);
    }

    fn numbers(&self) -> MutexGuard<'_, Vec<RequestNumber>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a request of a submission, if nothing stands against it. `None`: it takes the long way, and left no trace.
pub(in crate::app) async fn at_once(
    app: &App,
    delivery: &Delivery,
) -> anyhow::Result<Option<Reply>> {
    let Some(sent) = sent(delivery) else {
        return Ok(None);
    };
    let mut conn = app.kept.lend().await?;
    let spare = app.spare.take();
    let (sender, draws) = (&delivery.sender, spare.is_none());
    let looked = match submission::look(&mut conn, sender, sent.draft, draws).await {
        Err(cause) if store::lost(&cause) => {
            conn = app.kept.instead(conn).await?;
            submission::look(&mut conn, sender, sent.draft, draws).await?
        }
        looked => looked?,
    };
    let mut number = spare;
    let reply = if let Some((seen, drawn)) = looked {
        number = number.or(drawn);
        judge(app, &mut conn, delivery, (&seen, &mut number), &sent).await?
    } else {
        None
    };
    app.spare.keep(number);
    conn.give_back();
    Ok(reply)
}

/// A page as it was sent.
struct Sent<'a> {
    draft: DraftId,
    page: u32,
    values: &'a [(String, Value)],
}

/// The page that a delivery brings, if it is to be sent on by a member.
fn sent(delivery: &Delivery) -> Option<Sent<'_>> {
    let Event::PageFilled {
        draft,
        page,
        values,
        turn: Turn::Next,
    } = &delivery.event
    else {
        return None;
    };
    let sender = &delivery.sender;
    // Else an outsider, whatever an earlier look-up told.
    let home = sender.home.as_ref();
    home.is_none_or(|home| *home == sender.installation)
        .then_some(Sent {
            draft: *draft,
            page: *page,
            values,
        })
}

/// Judges what was seen, and writes what follows, which takes the number. `None`: nothing was written.
async fn judge(
    app: &App,
    conn: &mut Conn,
    delivery: &Delivery,
    (seen, number): (&Seen, &mut Option<RequestNumber>),
    sent: &Sent<'_>,
) -> anyhow::Result<Option<Reply>> {
    let catalog = app.library.current();
    let Some(command) = catalog.command(&seen.draft.command) else {
        return Ok(None);
    };
    let belongs = group::belongs(app, seen.held.clone(), seen.now);
    let fresh = super::open_form::kept_since(app, seen.now) < seen.draft.touched_at;
    if !fresh || !ask::surely(app, command, &belongs, seen.open) {
        return Ok(None);
    }
    let values: Map<String, Value> = sent.values.iter().cloned().collect();
    let mut typed = seen.draft.values.0.clone();
    keep(&mut typed, &values);
    let desk = Desk::of(app, command, &typed, &belongs);
    let Some(inputs) = checked(&desk, sent.page as usize, &mut typed) else {
        return Ok(None);
    };
    let filled = Filled {
        page: i32::try_from(sent.page)?,
        number: number.take().context("a look that draws gives a number")?,
        typed,
        inputs,
    };
    write(app, conn, delivery, (seen, &desk), &filled).await
}

/// What was sent, found good.
struct Filled {
    page: i32,
    /// What the request will be called.
    number: RequestNumber,
    /// All that the draft holds by now.
    typed: Map<String, Value>,
    inputs: Inputs,
}

/// The inputs that the form comes to with its last page; `None`: it wasn't the last one, or something is wrong.
fn checked(desk: &Desk<'_>, page: usize, typed: &mut Map<String, Value>) -> Option<Inputs> {
    let (command, template) = (desk.command, desk.template());
    if page + 1 < desk.pages() {
        return None;
    }
    let values = form::check_page(command, template, page, typed, &desk.facts).ok()?;
    keep(typed, &values);
    form::check_all(command, template, typed, &desk.facts).ok()
}

async fn write(
    app: &App,
    conn: &mut Conn,
    delivery: &Delivery,
    (seen, desk): (&Seen, &Desk<'_>),
    filled: &Filled,
) -> anyhow::Result<Option<Reply>> {
    let values = filled.inputs.values();
    let standing = standing(app, conn, seen, desk).await?;
    let claims: Vec<Claim> = form::uniques(desk.command, desk.template(), values)
        .iter()
        .map(claim)
        .collect();
    let subject = subject(desk, values);
    let new = NewRequest {
        id: new_id(),
        command: &desk.command.name,
        command_digest: desk.command.digest(),
        template_digest: desk.template().map(Template::digest),
        subject: &subject,
        requester: seen.account.person,
        account: seen.account.id,
        draft: Some(seen.draft.id),
        inputs: values,
        slash: &seen.draft.slash,
        origin: Origin::Chat,
        again_from: None,
        claims: &claims,
    };
    let number = filled.number;
    let place = standing.name.as_deref().unwrap_or(lines::DIRECT);
    let reply = Reply::Card {
        card: answer::submitted(number, &subject, place),
    };
    let answered = Answered {
        key: delivery.key.clone(),
        sender: delivery.sender.clone(),
        kind: kind(&delivery.event),
        reply,
    };
    let entry = audit::first(new.id, ASKED, seen.now, evidence(&new, number));
    let written = Submission {
        seen,
        answered: &answered,
        new: &new,
        number,
        typed: &filled.typed,
        page: filled.page,
        entry: (&entry, ASKED),
        thread: &message::main_thread(new.id, &standing.placement, seen.now),
        root: (new_id(), Subject::Root, Uuid::now_v7()),
    };
    match submission::write(conn, &written).await {
        Ok(true) => {
            app.bell.ring(&app.kept, seen.installation.id);
            Ok(Some(answered.reply))
        }
        Ok(false) => Ok(None),
        Err(error) if store::taken(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Where the request stands.
async fn standing(
    app: &App,
    conn: &mut Conn,
    seen: &Seen,
    desk: &Desk<'_>,
) -> store::Result<place::Standing> {
    let asked_in = (seen.draft.asked_in.as_str(), seen.draft.asked_in_kind);
    let elsewhere = place::configured(&app.settings.current(), desk.command).is_some();
    let there = place::typed(&seen.installation, asked_in, seen.channel.clone());
    if let Some(standing) = there.filter(|_| !elsewhere) {
        return Ok(standing);
    }
    let actor = Actor {
        installation: seen.installation.clone(),
        account: seen.account.clone(),
        now: seen.now,
    };
    place::standing(app, conn, &actor, desk.command, asked_in).await
}
