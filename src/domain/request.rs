//! A request's life before anything runs: one pure function from state and move to state.

words! {
    /// Where a request stands. What a run does afterwards is the run's state.
    pub enum RequestState {
        /// Its plan is being made.
        Planning = "planning",
        /// The plan stands; the rule's people decide.
        AwaitingApproval = "awaiting_approval",
        /// The rule is met; there is an approval row and a run.
        Approved = "approved",
        /// The plan found that it can't be done.
        Refused = "refused",
        /// Someone who may decide said no.
        Denied = "denied",
        /// Nobody decided in time.
        Expired = "expired",
        /// Taken back before approval.
        Cancelled = "cancelled",
        /// The plan couldn't be made; nothing was created.
        PlanFailed = "plan_failed",
    }
}

words! {
    /// How a request came to us.
    pub enum Origin {
        /// From a chat.
        Chat = "chat",
        /// From the command line or `/api/requests`.
        Operator = "operator",
        /// From a webhook of the forge.
        Forge = "forge",
        /// From a clock of ours.
        Timer = "timer",
    }
}

words! {
    /// What can happen to a request.
    pub enum RequestMove {
        /// A plan was made and its rule wants votes.
        PlanNeedsVotes = "plan_needs_votes",
        /// A plan was made and its rule wants nobody.
        PlanNeedsNobody = "plan_needs_nobody",
        /// The plan found a reason why it can't be done.
        PlanRefused = "plan_refused",
        /// The plan couldn't be made.
        PlanFailed = "plan_failed",
        /// The rule is met.
        Approve = "approve",
        /// Someone who may decide said no.
        Deny = "deny",
        /// The time is up.
        Expire = "expire",
        /// Requester or platform team took it back before approval.
        Cancel = "cancel",
        /// The plan differs now from the one shown: votes are void.
        PlanChanged = "plan_changed",
    }
}

/// A move that the state doesn't allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a request that is {state} can't {moved}")]
pub struct IllegalMove {
    /// Where it stood.
    pub state: RequestState,
    /// What was tried.
    pub moved: RequestMove,
}

impl RequestState {
    /// Whether nothing more can happen to the request itself.
    pub const fn ended(self) -> bool {
        match self {
            Self::Planning | Self::AwaitingApproval | Self::Approved => false,
            Self::Refused | Self::Denied | Self::Expired | Self::Cancelled | Self::PlanFailed => {
                true
            }
        }
    }

    /// The state after the move, or why there is none.
    pub const fn after(self, moved: RequestMove) -> Result<Self, IllegalMove> {
        use RequestMove as M;
        use RequestState as S;
        let next = match (self, moved) {
            (S::Planning, M::PlanNeedsVotes) => S::AwaitingApproval,
            (S::Planning, M::PlanNeedsNobody) | (S::AwaitingApproval, M::Approve) => S::Approved,
            (S::Planning, M::PlanRefused) => S::Refused,
            (S::Planning, M::PlanFailed) => S::PlanFailed,
            (S::AwaitingApproval, M::Deny) => S::Denied,
            (S::AwaitingApproval, M::Expire) => S::Expired,
            (S::Planning | S::AwaitingApproval, M::Cancel) => S::Cancelled,
            (S::AwaitingApproval | S::Approved, M::PlanChanged) => S::Planning,
            _ => return Err(IllegalMove { state: self, moved }),
        };
        Ok(next)
    }
}
