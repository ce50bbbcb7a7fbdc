//! A request as it stands at one moment: all that cards are made from.
//!
//! `app` reads it from the store inside one transaction; `cards` words it. Nothing here is markup.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::canonical::Digest;
use super::id::{PlanId, RequestId, RequestNumber, RunId};
use super::person::{GroupName, PersonName};
use super::plan::Fact;
use super::request::RequestState;
use super::run::{RunState, StepState};
use super::step::TakenBack;

/// Everything a card of a request may say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequestView {
    /// Its id, the value of buttons that name the request.
    pub id: RequestId,
    /// Its number.
    pub number: RequestNumber,
    /// The command's name (`new-service`).
    pub command: String,
    /// What line 1 calls it: `new service`.
    pub command_words: String,
    /// What it is about: the value of the parameter `name`, else the command's title.
    pub subject: String,
    /// Who asked.
    pub requester: PersonName,
    /// When it was asked.
    pub asked_at: DateTime<Utc>,
    /// Where it stands.
    pub state: RequestState,
    /// Since when.
    pub since: DateTime<Utc>,
    /// What keeps its planning from an end, as a sentence, and since when; it is tried again.
    pub hindrance: Option<(String, DateTime<Utc>)>,
    /// What was chosen, for the card's *Path* and *Team*: label and words.
    pub choices: Vec<(String, String)>,
    /// The current plan, once there is one.
    pub plan: Option<PlanView>,
    /// How it ended before running, where it did.
    pub end: Option<EndView>,
    /// The run, once approved.
    pub run: Option<RunView>,
    /// The platform's name of the command, for "ask again" hints (`/idp`).
    pub slash: String,
}

impl RequestView {
    /// Whether nothing more is expected to happen to it.
    pub fn over(&self) -> bool {
        let run = self.run.as_ref().is_some_and(|run| run.state.ended());
        self.state.ended() || run
    }
}

/// A plan with its rule and votes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanView {
    /// Its id, the value of Approve and Deny.
    pub id: PlanId,
    /// Its digest.
    pub digest: Digest,
    /// What would become different, over all steps.
    pub facts: Vec<Fact>,
    /// The steps: id, title, facts of each, and the known input as JSON text for See plan.
    pub steps: Vec<PlanStepView>,
    /// The name of the deciding rule.
    pub rule: String,
    /// Group and number wanted.
    pub require: Vec<(GroupName, u32)>,
    /// Group and number still lacking.
    pub lacking: Vec<(GroupName, u32)>,
    /// Who can decide, the requester never among them.
    pub deciders: Vec<PersonName>,
    /// The deciding groups of which not all members are known: whoever is in one can decide as well.
    #[serde(default)]
    pub unlisted: Vec<GroupName>,
    /// Who said yes so far, and when.
    pub approvals: Vec<(PersonName, DateTime<Utc>)>,
    /// Until when it can be decided.
    pub expires_at: Option<DateTime<Utc>>,
    /// When the reminder went out.
    pub reminded_at: Option<DateTime<Utc>>,
    /// When an earlier plan was replaced by this one.
    pub replaced_at: Option<DateTime<Utc>>,
}

/// One step of a plan, to read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanStepView {
    /// `scaffold/publish`
    pub id: String,
    /// `Create repository`
    pub title: String,
    /// `publish:local`
    pub action: String,
    /// What it would change.
    pub facts: Vec<Fact>,
    /// Name and words of each input that is worth reading; unknown parts read `(known after …)`.
    pub settings: Vec<(String, String)>,
}

/// How a request ended without a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EndView {
    /// Who ended it: denied, cancelled; nobody for the rest.
    pub by: Option<PersonName>,
    /// When.
    pub at: DateTime<Utc>,
    /// Why, as a sentence: the reason of a Deny, the refusal, the cause of a failed plan.
    pub reason: Option<String>,
    /// The reference under which the log has the cause.
    pub reference: Option<String>,
}

/// A run with its steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunView {
    /// Its id; buttons carry `id:generation`.
    pub id: RunId,
    /// How often it was begun, from 0.
    pub generation: i32,
    /// Where it stands.
    pub state: RunState,
    /// Since when.
    pub since: DateTime<Utc>,
    /// When it started; none while queued.
    pub started_at: Option<DateTime<Utc>>,
    /// The steps in order.
    pub steps: Vec<StepView>,
    /// Who approved, last one last; empty where the rule wants nobody.
    pub approved_by: Vec<(PersonName, DateTime<Utc>)>,
    /// The rule that let it run.
    pub rule: String,
    /// Who cancelled, asked for the undo or retried last.
    pub acted_by: Option<PersonName>,
    /// Whether it is being (or was) undone because somebody cancelled it.
    pub cancelled: bool,
    /// When a failed run is undone by itself.
    pub undo_at: Option<DateTime<Utc>>,
    /// Whether Retry would go on with the same plan still (24 h from the approval).
    pub retry_good: bool,
    /// Links of the command's output, once it succeeded: title and address.
    pub links: Vec<(String, String)>,
    /// What people can paste, once it succeeded: `git clone …`.
    pub clone: Option<String>,
    /// The reference under which the log has the cause of a stop.
    pub reference: Option<String>,
}

/// One step of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepView {
    /// `Create repository`
    pub title: String,
    /// Where it stands.
    pub state: StepState,
    /// Since when it is at work.
    pub started_at: Option<DateTime<Utc>>,
    /// How long it took, in milliseconds, once done.
    pub took_ms: Option<i64>,
    /// How often it was tried in this generation.
    pub tries: i32,
    /// Why it stopped, or what it waits for.
    pub cause: Option<String>,
    /// What to check, when its effect is unknown.
    pub check: Option<String>,
    /// What exists now because of it, in words (`repository acme/payments-api`); empty: nothing outside idp.
    pub exists: Vec<String>,
    /// What may exist because of it: it was begun and didn't come to its end.
    #[serde(default)]
    pub may_exist: Vec<String>,
    /// What its undoing came to, once it is undone.
    #[serde(default)]
    pub taken_back: Option<TakenBack>,
    /// Words of its undo: `delete repository acme/payments-api`; none where there is, and was, nothing to undo.
    pub undo: Option<String>,
}
