//! One delivery in, one reply out: the inbox row first, then who acts, then the verb.

use serde_json::{Map, Value, json};

use super::actor::{self, Actor};
use super::audit::{self, Chain};
use super::home::{self, Typed};
use super::submit::{self, Filled};
use super::{
    App, Broken, cancel, decide, late, link, named, open_form, people, really, show, twin,
};
use crate::cards::answer::{self, MayNotAsk};
use crate::cards::{Open, plan as plan_card};
use crate::domain::event::{ButtonId, Delivery, Event, Place, Sender};
use crate::domain::form::Choice;
use crate::domain::id::DraftId;
use crate::domain::permission::Verb;
use crate::domain::reply::Reply;
use crate::domain::slash;
use crate::domain::vote::Verdict;
use crate::store::inbox;
use crate::store::{self, Conn};

/// How often a delivery is tried whose transaction fell to another one (a deadlock): nothing of it was kept.
const TRIES: u32 = 3;

/// What a searching field offers at most.
const OFFERED: usize = 100;

/// Acts on one verified delivery. A repeated one gets the same reply and has no second effect.
pub async fn handle(app: &App, mut delivery: Delivery) -> Result<Reply, Broken> {
    if delivery.sender.installation.is_empty() {
        let placed = placed(app, &mut delivery.sender).await;
        placed.map_err(|cause| Broken::log(kind(&delivery.event), cause))?;
    }
    named::restore(app, &mut delivery.event);
    let mut tried = 1;
    loop {
        match act(app, &delivery).await {
            Ok(reply) => return Ok(reply),
            Err(cause) if tried < TRIES && store::fell(&cause) => tried += 1,
            Err(cause) => return Err(Broken::log(kind(&delivery.event), cause)),
        }
    }
}

/// Turns away whoever acts in a place that the operator's list leaves out: they are told who can change that.
pub async fn turn_away(app: &App, delivery: &Delivery) -> Result<Reply, Broken> {
    let turned = unlisted(app, delivery).await;
    turned.map_err(|cause| Broken::log(kind(&delivery.event), cause))
}

async fn unlisted(app: &App, delivery: &Delivery) -> anyhow::Result<Reply> {
    let mut tx = store::begin(&app.pool).await?;
    let place = delivery.sender.installation.clone();
    let reply = refuse(&mut tx, delivery, &MayNotAsk::Unlisted { place }).await?;
    tx.commit().await?;
    Ok(reply)
}

/// Finds out whose installation's somebody is who acts where the platform names none (direct messages on Discord).
async fn placed(app: &App, sender: &mut Sender) -> anyhow::Result<()> {
    let mut conn = app.pool.acquire().await?;
    let found =
        store::installation::of_account(&mut conn, sender.platform, &sender.account).await?;
    sender.installation = found.unwrap_or_default();
    Ok(())
}

async fn act(app: &App, delivery: &Delivery) -> anyhow::Result<Reply> {
    let _judged = match late::answer(app, delivery).await? {
        Ok(reply) => return Ok(reply),
        Err(judged) => judged,
    };
    if let Some(reply) = submit::at_once(app, delivery).await? {
        return Ok(reply);
    }
    // Boxed: all verbs are in it, and every delivery's task would be moved about with the room for it.
    Box::pin(in_full(app, delivery)).await
}

/// Acts in one transaction, whatever the delivery is.
async fn in_full(app: &App, delivery: &Delivery) -> anyhow::Result<Reply> {
    let mut tx = store::begin(&app.pool).await?;
    let sender = &delivery.sender;
    let Some(opened) = inbox::open(&mut tx, delivery, kind(&delivery.event)).await? else {
        let reply = not_installed(&mut tx, delivery).await?;
        tx.commit().await?;
        return Ok(reply);
    };
    let installation = opened.installation;
    let key = inbox::Key {
        installation: installation.id,
        key: &delivery.key,
    };
    let Some(now) = opened.now else {
        return Ok(inbox::seen(&mut tx, key).await?);
    };
    let (account, reply) = if sender.account.is_empty() {
        people::learn(&mut tx, &installation, sender, &delivery.event, now).await?;
        (None, Reply::Done)
    } else {
        let account = actor::account(&mut tx, &installation, sender, opened.account, now).await?;
        if let Some(groups) = &sender.groups {
            let told = (groups.as_slice(), &delivery.event);
            people::told_groups(app, &mut tx, &account, told, now).await?;
        }
        let actor = Actor {
            installation,
            account,
            now,
        };
        let reply = answer(app, &mut tx, &actor, delivery).await?;
        (Some(actor.account.id), reply)
    };
    let kept = match &reply {
        Reply::Once { .. } => &Reply::Done,
        reply => reply,
    };
    inbox::close(&mut tx, key, account, kept).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn answer(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    delivery: &Delivery,
) -> anyhow::Result<Reply> {
    match &delivery.event {
        Event::Asked {
            command,
            words,
            place,
        } => {
            let typed = Typed {
                slash: &actor.slash(command),
                words,
                place,
                opens: true,
            };
            home::asked(app, conn, actor, typed).await
        }
        Event::Mentioned { words, place } => {
            let typed = Typed {
                slash: &actor.slash(slash::NAME),
                words,
                place,
                opens: false,
            };
            home::asked(app, conn, actor, typed).await
        }
        Event::PageFilled {
            draft,
            page,
            values,
            turn,
        } => {
            let filled = Filled {
                draft: *draft,
                page: *page,
                values: values.iter().cloned().collect::<Map<String, Value>>(),
                turn: *turn,
            };
            submit::page_filled(app, conn, actor, filled).await
        }
        Event::Pressed {
            button,
            value,
            place,
            confirmed,
        } => {
            twin::pressed(conn, actor.installation.id, (*button, value), place).await?;
            if !confirmed
                && let Some(question) = really::ask(app, conn, actor, (*button, value)).await?
            {
                return Ok(question);
            }
            pressed(app, conn, actor, (*button, value), place).await
        }
        Event::DenyReasoned { plan, reason } => {
            let word = (Verdict::Deny, Some(reason.as_str()));
            decide::vote(app, conn, actor, *plan, word).await
        }
        Event::Searched {
            draft,
            field,
            query,
        } => searched(app, conn, actor, *draft, (field, query)).await,
        event @ (Event::GroupsChanged
        | Event::AccountChanged
        | Event::ChannelChanged { .. }
        | Event::MessageDeleted { .. }
        | Event::ThreadDeleted { .. }
        | Event::Uninstalled
        | Event::Installed
        | Event::RepositoryChanged { .. }
        | Event::Other { .. }) => {
            people::learn(
                conn,
                &actor.installation,
                &delivery.sender,
                event,
                actor.now,
            )
            .await?;
            Ok(Reply::Done)
        }
    }
}

async fn pressed(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    (button, value): (ButtonId, &str),
    place: &Place,
) -> anyhow::Result<Reply> {
    let unknown = || Ok(show::unknown(value, &actor.slash(slash::NAME)));
    match button {
        ButtonId::RequestApprove => match value.parse() {
            Ok(plan) => decide::vote(app, conn, actor, plan, (Verdict::Approve, None)).await,
            Err(_) => unknown(),
        },
        ButtonId::RequestDeny => match value.parse() {
            Ok(plan) => decide::ask_reason(app, conn, actor, plan).await,
            Err(_) => unknown(),
        },
        ButtonId::RequestCancel => match value.parse() {
            Ok(request) => cancel::request(app, conn, actor, request).await,
            Err(_) => unknown(),
        },
        ButtonId::RunRetry => cancel::run(app, conn, actor, Verb::Retry, value).await,
        ButtonId::RunUndo => cancel::run(app, conn, actor, Verb::Undo, value).await,
        ButtonId::PlanShow => match value.parse() {
            Ok(plan) => show::plan(app, conn, actor, plan, 0).await,
            Err(_) => unknown(),
        },
        ButtonId::PlanPage => match plan_card::turn(value) {
            Some((plan, part)) => show::plan(app, conn, actor, plan, part).await,
            None => unknown(),
        },
        ButtonId::FormOpen => match value.parse::<Open>() {
            Ok(what) => open_form::pressed(app, conn, actor, &what, place).await,
            Err(_) => unknown(),
        },
        ButtonId::FormBack => match back(value) {
            Some(draft) => open_form::turned_back(app, conn, actor, draft).await,
            None => unknown(),
        },
        ButtonId::LinkConfirm => match value.parse() {
            Ok(code) => link::chat::confirmed(conn, actor, code).await,
            Err(_) => unknown(),
        },
        ButtonId::LinkRefuse => match value.parse() {
            Ok(code) => link::chat::refused(conn, actor, code).await,
            Err(_) => unknown(),
        },
        ButtonId::LinkEnd => match value.parse() {
            Ok(account) => link::chat::unlinked(conn, actor, account).await,
            Err(_) => unknown(),
        },
        ButtonId::LinkOpen => Ok(Reply::Done),
    }
}

/// `DRAFT:PAGE`, the value of the button that turns back.
fn back(value: &str) -> Option<(DraftId, u32)> {
    let (draft, page) = value.split_once(':')?;
    Some((draft.parse().ok()?, page.parse().ok()?))
}

/// What a searching field offers: of the choices of its page, those that hold what was typed.
async fn searched(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    draft: DraftId,
    (field, query): (&str, &str),
) -> anyhow::Result<Reply> {
    let options = open_form::choices(app, conn, actor, draft, field).await?;
    let query = query.trim().to_lowercase();
    let fits = |choice: &Choice| {
        query.is_empty()
            || choice.label.to_lowercase().contains(&query)
            || choice.value.to_lowercase().contains(&query)
    };
    let options = options.into_iter().filter(fits).take(OFFERED).collect();
    Ok(Reply::Choices { options })
}

/// A delivery of a workspace or app that isn't ours: one sentence, and evidence. Nobody there is written down.
async fn not_installed(conn: &mut Conn, delivery: &Delivery) -> anyhow::Result<Reply> {
    let sender = &delivery.sender;
    if sender.account.is_empty() {
        return Ok(Reply::Done);
    }
    let why = if sender.installation.is_empty() {
        unplaced(conn, sender).await?
    } else if store::installation::served(conn, sender.platform)
        .await?
        .is_empty()
    {
        MayNotAsk::Starting
    } else {
        MayNotAsk::NotInstalled
    };
    refuse(conn, delivery, &why).await
}

/// Why somebody can do nothing where the platform names no place (direct messages on Discord).
async fn unplaced(conn: &mut Conn, sender: &Sender) -> store::Result<MayNotAsk> {
    let from = store::installation::refusing(conn, sender.platform, &sender.account).await?;
    Ok(from.map_or(MayNotAsk::Unplaced, |place| MayNotAsk::Away { place }))
}

/// Says no to somebody who is nobody of ours, and keeps that it was said.
async fn refuse(conn: &mut Conn, delivery: &Delivery, why: &MayNotAsk) -> anyhow::Result<Reply> {
    let sender = &delivery.sender;
    let refusal = answer::may_not_ask(why, sender.platform);
    let what = json!({
        "platform": sender.platform, "installation": sender.installation, "app": sender.app,
        "account": sender.account, "what": kind(&delivery.event), "why": refusal.what.to_string(),
    });
    let now = store::now(conn).await?;
    audit::append(conn, Chain::System, "delivery.refused", now, what).await?;
    Ok(Reply::Card {
        card: answer::refused(&refusal),
    })
}

/// The event's word, in the inbox and in logs.
pub(super) const fn kind(event: &Event) -> &'static str {
    match event {
        Event::Asked { .. } => "asked",
        Event::Mentioned { .. } => "mentioned",
        Event::PageFilled { .. } => "page_filled",
        Event::Pressed { .. } => "pressed",
        Event::DenyReasoned { .. } => "deny_reasoned",
        Event::Searched { .. } => "searched",
        Event::GroupsChanged => "groups_changed",
        Event::AccountChanged => "account_changed",
        Event::ChannelChanged { .. } => "channel_changed",
        Event::MessageDeleted { .. } => "message_deleted",
        Event::ThreadDeleted { .. } => "thread_deleted",
        Event::Uninstalled => "uninstalled",
        Event::Installed => "installed",
        Event::RepositoryChanged { .. } => "repository_changed",
        Event::Other { .. } => "other",
    }
}
