//! Whose word requests wait for.

use chrono::{DateTime, Utc};

use super::{App, group};
use crate::domain::id::{InstallationId, PersonId, RequestId};
use crate::domain::person::GroupFacts;
use crate::domain::rule::DecidingRule;
use crate::store::request::Awaiting;
use crate::store::{self, Conn};

/// The requests that wait for the word of a person, newest first: of so many that wait for anybody's, and so many of them at
/// most.
pub(super) async fn of_person(
    app: &App,
    conn: &mut Conn,
    person: PersonId,
    (reader, now): (InstallationId, DateTime<Utc>),
    (looked_through, most): (i64, usize),
) -> store::Result<Vec<RequestId>> {
    let mut found = Vec::new();
    // A few rules decide nearly all requests: the people behind each are read once.
    let mut known: Vec<(DecidingRule, Vec<GroupFacts>)> = Vec::new();
    for Awaiting {
        id,
        requester,
        rule,
    } in store::request::awaiting(conn, person, looked_through).await?
    {
        if found.len() >= most {
            break;
        }
        let read = known.iter().position(|(one, _)| *one == rule.0);
        let at = read.unwrap_or(known.len());
        if read.is_none() {
            let groups = group::of_rule(app, conn, &rule.0, reader, now).await?;
            known.push((rule.0, groups));
        }
        let (rule, groups) = &known[at];
        let mut deciders = rule.deciders(groups, requester).into_iter();
        if deciders.any(|decider| decider.person == person) {
            found.push(id);
        }
    }
    Ok(found)
}
