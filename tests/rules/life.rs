//! Requests and runs: any sequence of moves leads to a legal state that can still end.

use std::collections::BTreeSet;

use idp::domain::request::{RequestMove, RequestState};
use idp::domain::run::{RunMove, RunState};
use proptest::prelude::*;
use proptest::sample::select;

fn requests_from(state: RequestState) -> BTreeSet<RequestState> {
    let moves = RequestMove::ALL.iter();
    moves.filter_map(|moved| state.after(*moved).ok()).collect()
}

fn runs_from(state: RunState) -> BTreeSet<RunState> {
    RunMove::ALL
        .iter()
        .filter_map(|moved| state.after(*moved).ok())
        .collect()
}

/// All that can be reached.
fn reach<S: Copy + Ord>(from: S, next: impl Fn(S) -> BTreeSet<S>) -> BTreeSet<S> {
    let mut reached = BTreeSet::from([from]);
    let mut todo = vec![from];
    while let Some(state) = todo.pop() {
        todo.extend(next(state).into_iter().filter(|s| reached.insert(*s)));
    }
    reached
}

proptest! {
    #[test]
    fn a_request_stays_legal_and_can_end(moves in prop::collection::vec(select(RequestMove::ALL), 0..40)) {
        let mut state = RequestState::Planning;
        for moved in moves {
            match state.after(moved) {
                Ok(next) => {
                    prop_assert!(!state.ended(), "{state} is an end, yet {moved} left it");
                    state = next;
                }
                Err(illegal) => prop_assert_eq!((illegal.state, illegal.moved), (state, moved)),
            }
            // Approved is an end of the request's own where its run goes on.
            let ends = |s: &RequestState| s.ended() || *s == RequestState::Approved;
            prop_assert!(reach(state, requests_from).iter().any(ends));
        }
    }

    #[test]
    fn a_run_stays_legal_and_can_end(moves in prop::collection::vec(select(RunMove::ALL), 0..60)) {
        let mut state = RunState::Queued;
        for moved in moves {
            if let Ok(next) = state.after(moved) {
                prop_assert!(!state.ended(), "{state} is an end, yet {moved} left it");
                state = next;
            }
            prop_assert!(reach(state, runs_from).iter().any(|s| s.ended()), "{state} never ends");
        }
    }
}

#[test]
fn only_a_made_plan_leads_to_approval() {
    for state in RequestState::ALL {
        for moved in RequestMove::ALL {
            if state.after(*moved) == Ok(RequestState::Approved) {
                let made =
                    (*state, *moved) == (RequestState::Planning, RequestMove::PlanNeedsNobody);
                let voted =
                    (*state, *moved) == (RequestState::AwaitingApproval, RequestMove::Approve);
                assert!(made || voted, "{state} {moved}");
            }
        }
    }
}

#[test]
fn a_changed_plan_never_keeps_its_approval() {
    for state in [RequestState::AwaitingApproval, RequestState::Approved] {
        assert_eq!(
            state.after(RequestMove::PlanChanged),
            Ok(RequestState::Planning)
        );
    }
}

#[test]
fn whatever_was_begun_is_undone_before_it_is_left() {
    // From cancelling there is one way: undoing, and from there nothing that leaves work standing unseen.
    assert_eq!(
        runs_from(RunState::Cancelling),
        BTreeSet::from([RunState::Undoing])
    );
    let after = BTreeSet::from([RunState::Undone, RunState::UndoFailed]);
    assert_eq!(runs_from(RunState::Undoing), after);
    assert_eq!(
        runs_from(RunState::UndoFailed),
        BTreeSet::from([RunState::Undoing])
    );
}
