//! What a message says as of now.

use chrono::{DateTime, Utc};

use crate::app::{App, link, message, tell, view};
use crate::cards::{self, notice};
use crate::domain::card::{Card, Mention};
use crate::domain::message::{Milestone, Notice, Subject, ThreadRole};
use crate::domain::person::Platform;
use crate::domain::request::RequestState;
use crate::domain::slash::Slash;
use crate::domain::view::RequestView;
use crate::store::message::Message;
use crate::store::thread::Thread;
use crate::store::{self, Conn};

/// A message as of now.
pub(super) struct Drawn {
    pub(super) card: Card,
    pub(super) title: Option<String>,
    pub(super) part: usize,
    pub(super) points_at: Option<(String, String)>,
}

/// What a message says now; `None`: there is nothing to say any more.
pub(super) async fn draw(
    app: &App,
    conn: &mut Conn,
    (message, thread): (&Message, &Thread),
    url: Option<&str>,
    now: DateTime<Utc>,
) -> anyhow::Result<Option<Drawn>> {
    let Some(request) = thread.request else {
        let card = link::card(conn, message.subject.0).await?;
        return Ok(card.map(|card| Drawn {
            card,
            title: None,
            part: 0,
            points_at: None,
        }));
    };
    let view = view::load(app, conn, request, thread.installation).await?;
    let (subject, part) = match message.subject.0 {
        Subject::Continuation { of, part } => match store::message::lock(conn, of).await? {
            Some(whole) => (whole.subject.0, usize::try_from(part)?),
            None => return Ok(None),
        },
        subject => (subject, 0),
    };
    let posted = message.shown > 0;
    let mut points_at = None;
    let card = match subject {
        Subject::Root if thread.role == ThreadRole::Direct && thread.closed_at.is_some() => {
            let slash = Slash::of(&view.slash, platform(conn, thread).await?);
            cards::closed(&view, &slash, now)
        }
        Subject::Root => cards::root(&view, now),
        Subject::Milestone {
            what: Milestone::ApprovalAsked,
        } => {
            if view.state != RequestState::AwaitingApproval && !posted {
                return Ok(None);
            }
            notice::approval_asked(&view, &call(&view))
        }
        Subject::Milestone {
            what: Milestone::Decided,
        } => notice::decided(&view),
        Subject::Milestone {
            what: Milestone::Ended,
        } => notice::ended(&view),
        Subject::Notice {
            what: Notice::Reminder,
        } => {
            if view.state != RequestState::AwaitingApproval && !posted {
                return Ok(None);
            }
            notice::reminder(&view, None)
        }
        Subject::Notice {
            what: Notice::Archived,
        } => notice::moved(&view, notice::Moved::Archived),
        Subject::Notice {
            what: Notice::NotIn,
        } => {
            let why = notice::Moved::NotIn(platform(conn, thread).await?);
            notice::moved(&view, why)
        }
        Subject::Notice {
            what: Notice::Permalink,
        } => {
            let place = tell::whereabouts(conn, request, thread.account.as_deref()).await?;
            let Some(place) = place else {
                return Ok(None);
            };
            points_at = place.points_at;
            notice::permalink(&view, &place.label, url)
        }
        Subject::Continuation { .. }
        | Subject::LinkCode { .. }
        | Subject::LinkEnd { .. }
        | Subject::LinkAsked { .. }
        | Subject::LinkOver { .. }
        | Subject::Linked { .. }
        | Subject::Unlinked { .. } => return Ok(None),
    };
    Ok(Some(Drawn {
        card,
        title: Some(cards::name(&view)),
        part,
        points_at,
    }))
}

/// The platform that a thread is read on.
async fn platform(conn: &mut Conn, thread: &Thread) -> store::Result<Platform> {
    let reader = store::installation::get(conn, thread.installation).await?;
    Ok(reader.platform)
}

/// Whom the milestone calls: each deciding group that the platform knows, else its people.
fn call(view: &RequestView) -> Vec<Mention> {
    let Some(plan) = &view.plan else {
        return Vec::new();
    };
    let lacking = plan.lacking.iter().map(|(group, _)| group);
    let groups: Vec<Mention> = lacking
        .clone()
        .filter_map(|g| {
            let external = g.external.clone()?;
            let handle = g.handle.clone();
            Some(Mention::Group { external, handle })
        })
        .collect();
    if groups.len() == lacking.count() {
        return groups;
    }
    let people = plan.deciders.iter().filter_map(|p| {
        let external = p.external.clone()?;
        let name = p.name.clone();
        Some(Mention::Account { external, name })
    });
    groups
        .into_iter()
        .chain(people.take(message::MOST_COPIES))
        .collect()
}
