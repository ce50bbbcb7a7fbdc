//! Opens a form: a new draft of a command, one that was left unfinished, or a request asked again.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

use super::actor::Actor;
use super::group::{self, Belongs};
use super::{App, ask, new_id, place};
use crate::cards::{Open, answer, form as lines};
use crate::catalog::form::{self, FormFacts};
use crate::catalog::{Catalog, Command, Template};
use crate::domain::card::Text;
use crate::domain::event::Place;
use crate::domain::form::{Choice, FieldKind, FormPage};
use crate::domain::id::{DraftId, RequestId};
use crate::domain::reply::Reply;
use crate::domain::slash::{self, Slash};
use crate::store::draft::Draft;
use crate::store::{self, Conn, Json};

/// What a form is opened with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Opening<'a> {
    /// The slash command, as typed.
    pub slash: &'a Slash,
    /// Where it was typed.
    pub place: &'a Place,
    /// Values to begin with.
    pub values: Map<String, Value>,
    /// The request that is asked again.
    pub again_from: Option<RequestId>,
}

/// Someone typed a command: its form, or the choice to go on with an unfinished one.
pub(super) async fn typed(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    command: &Command,
    opening: Opening<'_>,
) -> anyhow::Result<Reply> {
    if opening.values.is_empty() {
        let since = kept_since(app, actor.now);
        let unfinished =
            store::draft::unfinished(conn, actor.person(), &command.name, since).await?;
        if let Some(draft) = unfinished {
            let card = answer::draft_found(&command.name, draft.id, draft.touched_at, actor.now);
            return Ok(Reply::Card { card });
        }
    }
    anew(app, conn, actor, command, opening).await
}

/// Opens a form with a draft of its own.
pub(super) async fn anew(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    command: &Command,
    opening: Opening<'_>,
) -> anyhow::Result<Reply> {
    let belongs = match ask::may(app, conn, actor, command, opening.slash).await? {
        Ok(belongs) => belongs,
        Err(why) => return Ok(ask::refuse(conn, actor, &command.name, &why).await?),
    };
    let mut draft = draft(actor, command, opening);
    store::draft::insert(conn, &draft).await?;
    let desk = Desk::of(app, command, &draft.values, &belongs);
    show(app, conn, actor, &desk, &mut draft, Vec::new()).await
}

/// A draft that is not shown yet: it keeps words that came before the command was chosen.
pub(super) async fn keep_words(
    conn: &mut Conn,
    actor: &Actor,
    command: &Command,
    opening: Opening<'_>,
) -> store::Result<DraftId> {
    let draft = draft(actor, command, opening);
    store::draft::insert(conn, &draft).await?;
    Ok(draft.id)
}

fn draft(actor: &Actor, command: &Command, opening: Opening<'_>) -> Draft {
    Draft {
        id: new_id(),
        person: actor.person(),
        account: actor.account.id,
        command: command.name.clone(),
        asked_in: opening.place.channel.clone(),
        asked_in_kind: opening.place.kind,
        slash: opening.slash.name().to_owned(),
        again_from: opening.again_from,
        values: Json(opening.values),
        page: 0,
        revision: 0,
        consumed_at: None,
        touched_at: actor.now,
    }
}

/// Someone pressed a button that opens a form.
pub(super) async fn pressed(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    what: &Open,
    place: &Place,
) -> anyhow::Result<Reply> {
    let catalog = app.library.current();
    let opening = Opening {
        slash: &actor.slash(slash::NAME),
        place,
        values: Map::new(),
        again_from: None,
    };
    match what {
        Open::Command(name) => match catalog.command(name) {
            Some(command) => anew(app, conn, actor, command, opening).await,
            None => Ok(gone(&catalog, name, opening.slash)),
        },
        Open::Draft(id) => resume(app, conn, actor, *id).await,
        Open::Again(id) => {
            let Some(request) = store::request::get(conn, *id).await? else {
                return Ok(unknown_request(&id.to_string(), opening.slash));
            };
            let slash = actor.slash(&request.slash);
            let Some(command) = catalog.command(&request.command) else {
                return Ok(gone(&catalog, &request.command, &slash));
            };
            let opening = Opening {
                slash: &slash,
                values: request.inputs.0,
                again_from: Some(*id),
                ..opening
            };
            anew(app, conn, actor, command, opening).await
        }
    }
}

/// Shows a draft as it was left.
async fn resume(app: &App, conn: &mut Conn, actor: &Actor, id: DraftId) -> anyhow::Result<Reply> {
    let Some(mut draft) = own_open(app, conn, actor, id).await? else {
        return Ok(draft_gone());
    };
    let catalog = app.library.current();
    let slash = actor.slash(&draft.slash);
    let Some(command) = catalog.command(&draft.command) else {
        return Ok(gone(&catalog, &draft.command, &slash));
    };
    let belongs = match ask::may(app, conn, actor, command, &slash).await? {
        Ok(belongs) => belongs,
        Err(why) => return Ok(ask::refuse(conn, actor, &command.name, &why).await?),
    };
    let desk = Desk::of(app, command, &draft.values, &belongs);
    show(app, conn, actor, &desk, &mut draft, Vec::new()).await
}

/// A draft of the one who acts that can still be sent, locked.
pub(super) async fn own_open(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    id: DraftId,
) -> store::Result<Option<Draft>> {
    let kept_since = kept_since(app, actor.now);
    let draft = store::draft::lock(conn, id).await?;
    Ok(draft.filter(|d| {
        d.person == actor.person() && d.consumed_at.is_none() && d.touched_at > kept_since
    }))
}

/// A draft that was last touched before this is too old to be sent.
pub(super) fn kept_since(app: &App, now: DateTime<Utc>) -> DateTime<Utc> {
    now - TimeDelta::hours(app.settings.current().limits.draft_hours.into())
}

/// What a form is made and checked with: the command as of now, the template that the values choose (or that the form
/// preselects), the asker's teams.
pub(super) struct Desk<'a> {
    /// The command.
    pub command: &'a Command,
    /// The template chosen so far.
    pub template: Option<Arc<Template>>,
    /// Teams and templates on offer.
    pub facts: FormFacts,
}

impl<'a> Desk<'a> {
    pub(super) fn of(
        app: &App,
        command: &'a Command,
        values: &Map<String, Value>,
        belongs: &Belongs,
    ) -> Self {
        let catalog = app.library.current();
        let facts = FormFacts {
            teams: group::choices(app, &belongs.teams),
            all_teams: group::choices(app, app.settings.current().teams.keys()),
            may_pick_any: belongs.platform(),
            templates: catalog.template_choices(),
            recommended: catalog.recommended().map(str::to_owned),
            lengths_differ: form::lengths_differ(command, catalog.templates().map(AsRef::as_ref)),
        };
        let template = form::shown_template(command, values, &facts)
            .and_then(|name| catalog.template(&name).cloned());
        Self {
            command,
            template,
            facts,
        }
    }

    pub(super) fn template(&self) -> Option<&Template> {
        self.template.as_deref()
    }

    /// How many pages there are.
    pub(super) fn pages(&self) -> usize {
        form::pages(self.command, self.template())
    }
}

/// Draws the draft's page, counts the drawing and keeps the draft. `trouble` are lines above the fields.
pub(super) async fn show(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    desk: &Desk<'_>,
    draft: &mut Draft,
    trouble: Vec<Text>,
) -> anyhow::Result<Reply> {
    draft.revision += 1;
    draw(app, conn, actor, desk, draft, trouble).await
}

/// Draws the draft's page and keeps the draft. A drawing with the number of the one before leaves what stands in its
/// fields by now.
pub(super) async fn draw(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    desk: &Desk<'_>,
    draft: &mut Draft,
    trouble: Vec<Text>,
) -> anyhow::Result<Reply> {
    let last = desk.pages().saturating_sub(1);
    let index = usize::try_from(draft.page)?.min(last);
    let Some(page) = form::page(
        desk.command,
        desk.template(),
        index,
        &draft.values,
        &desk.facts,
    ) else {
        anyhow::bail!("command {} has no page {index}", desk.command.name);
    };
    draft.page = i32::try_from(index)?;
    draft.touched_at = actor.now;
    store::draft::save(conn, draft).await?;
    let asked_in = (draft.asked_in.as_str(), draft.asked_in_kind);
    let standing = place::standing(app, conn, actor, desk.command, asked_in).await?;
    let mut intro = trouble;
    if index == 0 {
        intro.push(lines::intro(standing.name.as_deref()));
    }
    Ok(Reply::Form {
        form: Box::new(FormPage {
            draft: draft.id,
            page: u32::try_from(index)?,
            revision: u32::try_from(draft.revision)?,
            title: page.title,
            heading: page.heading,
            intro,
            fields: page.fields,
            submit: page.submit,
            back: page.back,
        }),
    })
}

/// The command isn't offered any more.
pub(super) fn gone(catalog: &Catalog, name: &str, slash: &Slash) -> Reply {
    let offer = catalog.nearest_command(name).map(|c| super::home::offer(c));
    Reply::Card {
        card: answer::unknown_command(name, offer.as_ref(), slash),
    }
}

/// The draft was sent, is too old, or is somebody else's.
pub(super) fn draft_gone() -> Reply {
    Reply::Card {
        card: answer::draft_gone(),
    }
}

fn unknown_request(typed: &str, slash: &Slash) -> Reply {
    Reply::Card {
        card: answer::unknown_request(typed, slash),
    }
}

/// Someone turned back without sending the page: what they had typed there before is still kept.
pub(super) async fn turned_back(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    (id, page): (DraftId, u32),
) -> anyhow::Result<Reply> {
    let Some(mut draft) = own_open(app, conn, actor, id).await? else {
        return Ok(draft_gone());
    };
    draft.page = i32::try_from(page.saturating_sub(1))?;
    store::draft::save(conn, &draft).await?;
    resume(app, conn, actor, id).await
}

/// What a field of a draft's form can be; empty for a field that it doesn't have.
pub(super) async fn choices(
    app: &App,
    conn: &mut Conn,
    actor: &Actor,
    draft: DraftId,
    field: &str,
) -> anyhow::Result<Vec<Choice>> {
    let Some(draft) = own_open(app, conn, actor, draft).await? else {
        return Ok(Vec::new());
    };
    let catalog = app.library.current();
    let Some(command) = catalog.command(&draft.command) else {
        return Ok(Vec::new());
    };
    let belongs = group::of_person(app, conn, actor.person(), actor.now).await?;
    let desk = Desk::of(app, command, &draft.values, &belongs);
    let fields = (0..desk.pages())
        .filter_map(|i| form::page(command, desk.template(), i, &draft.values, &desk.facts))
        .flat_map(|page| page.fields);
    Ok(fields
        .filter(|f| f.name == field)
        .find_map(|f| match f.kind {
            FieldKind::Choice { options } | FieldKind::Choices { options } => Some(options),
            FieldKind::Text { .. } | FieldKind::Number { .. } | FieldKind::Switch => None,
        })
        .unwrap_or_default())
}
