//! The whole table of permissions: a change of policy is read as a change of this snapshot.

use std::fmt::Write as _;

use idp::domain::permission::{Relation, Verb, may};
use idp::domain::request::RequestState;
use idp::domain::run::RunState;

#[test]
fn who_may_do_what() {
    let mut table = String::new();
    for verb in Verb::ALL {
        writeln!(table, "{verb}").unwrap();
        for (request, run) in situations() {
            let who: Vec<&str> = Relation::ALL
                .iter()
                .filter(|relation| may(*verb, **relation, request, run))
                .map(|relation| relation.as_str())
                .collect();
            let who = if who.is_empty() {
                "nobody".to_owned()
            } else {
                who.join(", ")
            };
            let run = run.map_or_else(String::new, |run| format!(" · {run}"));
            writeln!(table, "  {:<28} {who}", format!("{request}{run}")).unwrap();
        }
    }
    insta::assert_snapshot!("permissions", table);
}

/// A run stands only beside an approved request.
fn situations() -> impl Iterator<Item = (RequestState, Option<RunState>)> {
    let runs = RunState::ALL
        .iter()
        .map(|run| (RequestState::Approved, Some(*run)));
    let before = RequestState::ALL
        .iter()
        .filter(|state| **state != RequestState::Approved);
    before.map(|state| (*state, None)).chain(runs)
}
