//! A run's life: the execution of one approval, and its undoing.

words! {
    /// Where a run stands.
    pub enum RunState {
        /// Its first (or next) job waits.
        Queued = "queued",
        /// A step is at work, or waits for a time.
        Running = "running",
        /// All steps are done.
        Succeeded = "succeeded",
        /// A step stopped; Retry or Undo.
        Failed = "failed",
        /// A step's effect is unknown; a person must look.
        Blocked = "blocked",
        /// The plan differed just before the start, or it was asked again.
        Superseded = "superseded",
        /// To be undone as soon as the step at work lets go.
        Cancelling = "cancelling",
        /// Steps are being undone, last first.
        Undoing = "undoing",
        /// Nothing remains.
        Undone = "undone",
        /// Something remains that couldn't be undone.
        UndoFailed = "undo_failed",
    }
}

words! {
    /// What can happen to a run.
    pub enum RunMove {
        /// Its first job began.
        Start = "start",
        /// The last step is done.
        Succeed = "succeed",
        /// A step stopped for good.
        Fail = "fail",
        /// A step's effect is unknown.
        Block = "block",
        /// A person asked to go on from the unfinished step; the generation goes up by one.
        Retry = "retry",
        /// The plan differed, or the request was asked again.
        Supersede = "supersede",
        /// A person cancels what is under way.
        Cancel = "cancel",
        /// Undoing begins: asked for, or after a cancel.
        Undo = "undo",
        /// The last undo is done.
        UndoDone = "undo_done",
        /// An undo stopped for good.
        UndoFail = "undo_fail",
    }
}

words! {
    /// Which way a run goes through its steps.
    pub enum Direction {
        /// First to last.
        Do = "do",
        /// Last to first, beginning with the unfinished one.
        Undo = "undo",
    }
}

words! {
    /// Where one step of a run stands.
    pub enum StepState {
        /// Not begun.
        Pending = "pending",
        /// At work.
        Running = "running",
        /// Waits for a time without a worker.
        Waiting = "waiting",
        /// Done; it has an output.
        Done = "done",
        /// Its condition was false.
        Skipped = "skipped",
        /// Stopped for good.
        Failed = "failed",
        /// Its effect is unknown.
        Unknown = "unknown",
        /// Taken back.
        Undone = "undone",
        /// Couldn't be taken back.
        UndoFailed = "undo_failed",
    }
}

/// A move that the state doesn't allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a run that is {state} can't {moved}")]
pub struct IllegalMove {
    /// Where it stood.
    pub state: RunState,
    /// What was tried.
    pub moved: RunMove,
}

impl RunState {
    /// Whether nobody and nothing is expected to move the run any more.
    pub const fn ended(self) -> bool {
        match self {
            Self::Succeeded | Self::Superseded | Self::Undone => true,
            Self::Queued
            | Self::Running
            | Self::Failed
            | Self::Blocked
            | Self::Cancelling
            | Self::Undoing
            | Self::UndoFailed => false,
        }
    }

    /// The state after the move, or why there is none.
    pub const fn after(self, moved: RunMove) -> Result<Self, IllegalMove> {
        use RunMove as M;
        use RunState as S;
        let next = match (self, moved) {
            (S::Queued, M::Start) => S::Running,
            (S::Running, M::Succeed) => S::Succeeded,
            (S::Running, M::Fail) => S::Failed,
            (S::Running, M::Block) => S::Blocked,
            (S::Failed | S::Blocked, M::Retry) => S::Queued,
            (S::Queued | S::Running | S::Failed, M::Supersede) => S::Superseded,
            (S::Queued | S::Running | S::Blocked, M::Cancel) => S::Cancelling,
            (S::Cancelling | S::Failed | S::Blocked | S::UndoFailed, M::Undo) => S::Undoing,
            (S::Undoing, M::UndoDone) => S::Undone,
            (S::Undoing, M::UndoFail) => S::UndoFailed,
            _ => return Err(IllegalMove { state: self, moved }),
        };
        Ok(next)
    }
}
