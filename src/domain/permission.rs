//! Who may do what: verb × relation, one table. The table is a snapshot in the tests.

use super::request::RequestState;
use super::run::RunState;

words! {
    /// What somebody wants to do to a request.
    pub enum Verb {
        /// Take it back, or stop what is under way.
        Cancel = "cancel",
        /// Try the unfinished step again.
        Retry = "retry",
        /// Undo what was done.
        Undo = "undo",
        /// Read the plan.
        SeePlan = "see_plan",
    }
}

words! {
    /// What somebody is to a request. Deciding is not here: the plan's rule says who votes.
    pub enum Relation {
        /// Asked for it.
        Requester = "requester",
        /// Approved its plan.
        Approver = "approver",
        /// Is in `group:platform`.
        Platform = "platform",
        /// None of these.
        Stranger = "stranger",
    }
}

/// Whether this relation allows this verb while the request (and its run) stand so.
pub const fn may(
    verb: Verb,
    relation: Relation,
    request: RequestState,
    run: Option<RunState>,
) -> bool {
    use Relation as R;
    let insider = matches!(relation, R::Requester | R::Approver | R::Platform);
    match verb {
        Verb::SeePlan => true,
        Verb::Cancel => match (request, run) {
            (RequestState::Planning | RequestState::AwaitingApproval, _) => {
                matches!(relation, R::Requester | R::Platform)
            }
            (
                RequestState::Approved,
                Some(RunState::Queued | RunState::Running | RunState::Blocked),
            ) => insider,
            _ => false,
        },
        Verb::Retry => insider && matches!(run, Some(RunState::Failed | RunState::Blocked)),
        Verb::Undo => {
            insider
                && matches!(
                    run,
                    Some(RunState::Failed | RunState::Blocked | RunState::UndoFailed)
                )
        }
    }
}
