//! `/idp` and all that can be typed after it: home, help, our own words, commands, and sentences.

use chrono::TimeDelta;

use super::actor::Actor;
use super::open_form::{self, Opening};
use super::{App, ask, awaited, cancel, group, link, login, show, view};
use crate::cards::Open;
use crate::cards::answer::{self, Home, Links, Offer};
use crate::catalog::command::RESERVED;
use crate::catalog::{Catalog, Command, form};
use crate::domain::event::Place;
use crate::domain::reply::Reply;
use crate::domain::slash::Slash;
use crate::domain::view::RequestView;
use crate::store::{self, Conn};

/// How many of one's open requests, and of those that wait for one, are shown.
const SHOWN: i64 = 10;
/// How many waiting requests are looked through for those that wait for one person.
const LOOKED_THROUGH: i64 = 100;

/// Words that decide nothing when typed: the button knows which plan was read.
const DECIDING: [&str; 7] = [
    "approve", "approved", "deny", "denied", "reject", "lgtm", "+1",
];

/// What somebody typed: the slash command, the words behind it, where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Typed<'a> {
    /// `/idp`.
    pub slash: &'a Slash,
    /// What stands behind it.
    pub words: &'a str,
    /// Where.
    pub place: &'a Place,
    /// Whether a form can open now (it can't behind a mention: no trigger comes with it).
    pub opens: bool,
}

/// Answers what somebody typed.
pub(super) async fn asked(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    typed: Typed<'_>,
) -> anyhow::Result<Reply> {
    let words = typed.words.trim();
    let (first, rest) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
    let (word, rest) = (first.to_lowercase(), rest.trim());
    if word.is_empty() {
        return home(app, conn, actor, typed.slash).await;
    }
    if RESERVED.contains(&word.as_str()) {
        return reserved(
            app,
            conn,
            actor,
            &word,
            Typed {
                words: rest,
                ..typed
            },
        )
        .await;
    }
    let catalog = app.library.current();
    if let Some(command) = catalog.command(&word) {
        return open(
            app,
            conn,
            actor,
            command,
            Typed {
                words: rest,
                ..typed
            },
        )
        .await;
    }
    if DECIDING.contains(&word.as_str()) {
        let waiting = waiting(app, conn, actor).await?;
        let card = answer::use_the_button(&waiting);
        return Ok(Reply::Card { card });
    }
    unknown(app, conn, actor, &catalog, Typed { words, ..typed }).await
}

async fn reserved(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    word: &str,
    typed: Typed<'_>,
) -> anyhow::Result<Reply> {
    match word {
        "help" => {
            let links = Links {
                github: app.settings.current().links,
                chats: link::chat::several(conn).await?,
            };
            let offers = offers(app, conn, actor).await?;
            let card = answer::help(typed.slash, &offers, links);
            Ok(Reply::Card { card })
        }
        "status" => show::status(app, conn, actor, (typed.words, typed.slash)).await,
        "list" => show::list(app, conn, actor).await,
        "cancel" => match show::numbered(conn, typed.words).await? {
            Some(request) => cancel::request(app, conn, actor, request).await,
            None => Ok(show::unknown(typed.words, typed.slash)),
        },
        "link" => link::asked(app, conn, actor, (typed.words, typed.slash)).await,
        "login" => login::link(app, conn, actor).await,
        _ => Ok(Reply::Card {
            card: answer::not_built(word, typed.slash),
        }),
    }
}

async fn open(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    command: &Command,
    typed: Typed<'_>,
) -> anyhow::Result<Reply> {
    let opening = Opening {
        slash: typed.slash,
        place: typed.place,
        values: form::prefill(command, typed.words),
        again_from: None,
    };
    if typed.opens {
        return open_form::typed(app, conn, actor, command, opening).await;
    }
    let draft = open_form::keep_words(conn, actor, command, opening).await?;
    Ok(Reply::Card {
        card: answer::form_by_button(&Open::Draft(draft)),
    })
}

/// No command: one word is taken for a slip, a sentence for a wish whose words are kept.
async fn unknown(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    catalog: &Catalog,
    typed: Typed<'_>,
) -> anyhow::Result<Reply> {
    let words = typed.words;
    let (first, rest) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
    let nearest = catalog.nearest_command(&first.to_lowercase());
    let kept = match nearest {
        Some(command) => {
            let offer = keeping(
                conn,
                actor,
                command,
                Typed {
                    words: rest,
                    ..typed
                },
            )
            .await?;
            answer::unknown_command(first, Some(&offer), typed.slash)
        }
        None if rest.is_empty() => answer::unknown_command(first, None, typed.slash),
        None => {
            let mut offers = Vec::new();
            for command in offered(app, conn, actor).await? {
                offers.push(keeping(conn, actor, &command, typed).await?);
            }
            answer::sentence(words, &offers, typed.slash)
        }
    };
    Ok(Reply::Card { card: kept })
}

/// An offer whose form begins with the words typed.
async fn keeping(
    conn: &mut Conn,
    actor: &Actor,
    command: &Command,
    typed: Typed<'_>,
) -> store::Result<Offer> {
    let values = form::prefill(command, typed.words);
    if values.is_empty() {
        return Ok(offer(command));
    }
    let opening = Opening {
        slash: typed.slash,
        place: typed.place,
        values,
        again_from: None,
    };
    let draft = open_form::keep_words(conn, actor, command, opening).await?;
    Ok(Offer {
        open: Open::Draft(draft),
        ..offer(command)
    })
}

async fn home(app: &App, conn: &mut Conn, actor: &Actor, slash: &Slash) -> anyhow::Result<Reply> {
    let since = actor.now - TimeDelta::hours(app.settings.current().limits.draft_hours.into());
    let drafts: Vec<_> = store::draft::all_unfinished(conn, actor.person(), since)
        .await?
        .into_iter()
        .map(|d| (d.command, d.id))
        .collect();
    let home = Home {
        slash,
        commands: &offers(app, conn, actor).await?,
        drafts: &drafts,
        mine: &views(app, conn, actor, true, SHOWN).await?,
        waiting: &waiting(app, conn, actor).await?,
    };
    Ok(Reply::Card {
        card: answer::home(&home, actor.now),
    })
}

/// One's own requests, newest first.
pub(super) async fn views(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    open_only: bool,
    limit: i64,
) -> anyhow::Result<Vec<RequestView>> {
    let mut views = Vec::new();
    for listed in store::request::list(conn, Some(actor.person()), open_only, limit).await? {
        views.push(view::load(app, conn, listed.id, actor.installation.id).await?);
    }
    Ok(views)
}

/// The requests that wait for this person's vote.
async fn waiting(app: &App, conn: &mut Conn, actor: &Actor) -> anyhow::Result<Vec<RequestView>> {
    let reader = actor.installation.id;
    let most = (LOOKED_THROUGH, usize::try_from(SHOWN)?);
    let waiting = awaited::of_person(app, conn, actor.person(), (reader, actor.now), most).await?;
    let mut views = Vec::new();
    for id in waiting {
        views.push(view::load(app, conn, id, reader).await?);
    }
    Ok(views)
}

async fn offers(app: &App, conn: &mut Conn, actor: &Actor) -> store::Result<Vec<Offer>> {
    let offered = offered(app, conn, actor).await?;
    Ok(offered.iter().map(|command| offer(command)).collect())
}

/// The commands that somebody may ask for.
async fn offered(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
) -> store::Result<Vec<std::sync::Arc<Command>>> {
    let belongs = group::of_person(app, conn, actor.person(), actor.now).await?;
    let mut offered = Vec::new();
    if ask::is_member(&actor.account).is_err() {
        return Ok(offered);
    }
    let reader = (actor.installation.id, actor.now);
    for command in app.library.current().commands() {
        if ask::allowed(app, conn, command, &belongs, reader)
            .await?
            .is_ok()
        {
            offered.push(command.clone());
        }
    }
    Ok(offered)
}

/// A command as an offer.
pub(super) fn offer(command: &Command) -> Offer {
    Offer {
        name: command.name.clone(),
        title: command.title.clone(),
        open: Open::Command(command.name.clone()),
    }
}
