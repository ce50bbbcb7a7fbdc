//! Requests in every state, for the snapshot tests of cards.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::domain::canonical::Digest;
use crate::domain::id::{PersonId, PlanId, RequestId, RequestNumber, RunId};
use crate::domain::person::{GroupName, PersonName};
use crate::domain::plan::{Fact, FactKind};
use crate::domain::request::RequestState;
use crate::domain::run::{RunState, StepState};
use crate::domain::step::TakenBack;
use crate::domain::view::{EndView, PlanStepView, PlanView, RequestView, RunView, StepView};

/// Tuesday 24 November 2026, 13:07 UTC and so many minutes.
pub(super) fn at(minutes: i64) -> DateTime<Utc> {
    let base: DateTime<Utc> = "2026-11-24T13:07:00Z".parse().unwrap();
    base + TimeDelta::minutes(minutes)
}

pub(super) fn person(number: u128, name: &str) -> PersonName {
    PersonName {
        person: PersonId::from_uuid(Uuid::from_u128(number)),
        name: name.to_owned(),
        external: Some(format!("U{number:03}")),
    }
}

pub(super) fn priya() -> PersonName {
    person(1, "Priya Nair")
}

pub(super) fn alex() -> PersonName {
    person(2, "Alex Ruiz")
}

pub(super) fn group(handle: &str) -> GroupName {
    GroupName {
        handle: handle.to_owned(),
        external: Some(format!("S-{handle}")),
    }
}

pub(super) fn fact(kind: FactKind, noun: &str, name: &str, detail: Option<&str>) -> Fact {
    Fact {
        kind,
        noun: noun.to_owned(),
        name: name.to_owned(),
        detail: detail.map(str::to_owned),
        headline: true,
    }
}

fn file(name: &str) -> Fact {
    Fact {
        headline: false,
        ..fact(FactKind::Creates, "file", name, Some("644"))
    }
}

fn plan() -> PlanView {
    let files: Vec<Fact> = [
        "README.md",
        "package.json",
        "src/server.mjs",
        "src/lib/log.mjs",
        "test/server.test.mjs",
    ]
    .map(file)
    .to_vec();
    let repository = fact(
        FactKind::Creates,
        "private repository",
        "acme/payments-api",
        Some("5 files"),
    );
    let entry = fact(
        FactKind::Creates,
        "catalog entry",
        "component:default/payments-api",
        Some("owned by payments"),
    );
    let step =
        |id: &str, title: &str, action: &str, facts: Vec<Fact>, settings: &[(&str, &str)]| {
            PlanStepView {
                id: id.to_owned(),
                title: title.to_owned(),
                action: action.to_owned(),
                facts,
                settings: settings
                    .iter()
                    .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                    .collect(),
            }
        };
    PlanView {
        id: PlanId::from_uuid(Uuid::from_u128(70)),
        digest: Digest::of(b"a plan"),
        facts: files
            .iter()
            .cloned()
            .chain([repository.clone(), entry.clone()])
            .collect(),
        steps: vec![
            step(
                "scaffold/fetch",
                "Render 5 files",
                "fetch:template",
                files,
                &[("url", "./skeleton")],
            ),
            step(
                "scaffold/publish",
                "Create repository",
                "publish:local",
                vec![repository],
                &[("visibility", "private"), ("defaultBranch", "main")],
            ),
            step(
                "scaffold/register",
                "Register in catalog",
                "catalog:register",
                vec![entry],
                &[("repository", "(known after scaffold/publish)")],
            ),
        ],
        rule: "team-lead".to_owned(),
        require: vec![(group("payments-leads"), 1)],
        lacking: vec![(group("payments-leads"), 1)],
        deciders: vec![alex(), person(3, "Sam Ito"), person(4, "Wei Chen")],
        unlisted: Vec::new(),
        approvals: Vec::new(),
        expires_at: Some(at(24 * 60)),
        reminded_at: None,
        replaced_at: None,
    }
}

/// A request in this state, with its plan where it has one.
pub(super) fn request(state: RequestState) -> RequestView {
    RequestView {
        id: RequestId::from_uuid(Uuid::from_u128(142)),
        number: RequestNumber(142),
        command: "new-service".to_owned(),
        command_words: "new service".to_owned(),
        subject: "payments-api".to_owned(),
        requester: priya(),
        asked_at: at(-3),
        state,
        since: at(-3),
        hindrance: None,
        choices: vec![
            ("Path".to_owned(), "Node.js HTTP service".to_owned()),
            ("Team".to_owned(), "payments".to_owned()),
        ],
        plan: (state != RequestState::Planning).then(plan),
        end: None,
        run: None,
        slash: "/idp".to_owned(),
    }
}

/// A request whose planning gets no answer.
fn held_up() -> RequestView {
    let cause = "The git server gave no answer.".to_owned();
    RequestView {
        hindrance: Some((cause, at(0))),
        ..request(RequestState::Planning)
    }
}

/// A request that ended before running.
pub(super) fn ended(
    state: RequestState,
    by: Option<PersonName>,
    reason: Option<&str>,
) -> RequestView {
    let mut view = request(state);
    if matches!(state, RequestState::Refused | RequestState::PlanFailed) {
        view.plan = None;
    }
    view.end = Some(EndView {
        by,
        at: at(2),
        reason: reason.map(str::to_owned),
        reference: (state == RequestState::PlanFailed).then(|| "E-8KQ2".to_owned()),
    });
    view
}

fn steps(states: [StepState; 3]) -> Vec<StepView> {
    let titles = ["Render 5 files", "Create repository", "Register in catalog"];
    let undo = [
        None,
        Some("delete repository acme/payments-api"),
        Some("remove catalog entry payments-api"),
    ];
    let exists = [
        "",
        "repository acme/payments-api",
        "catalog entry payments-api",
    ];
    (0..3)
        .map(|n| StepView {
            title: titles[n].to_owned(),
            state: states[n],
            started_at: (states[n] != StepState::Pending).then(|| at(0)),
            took_ms: (states[n] == StepState::Done).then_some(420),
            tries: 1,
            cause: None,
            check: None,
            exists: if matches!(states[n], StepState::Done | StepState::UndoFailed)
                && !exists[n].is_empty()
            {
                vec![exists[n].to_owned()]
            } else {
                Vec::new()
            },
            may_exist: if matches!(
                states[n],
                StepState::Running | StepState::Failed | StepState::Unknown
            ) && !exists[n].is_empty()
            {
                vec![exists[n].to_owned()]
            } else {
                Vec::new()
            },
            taken_back: (states[n] == StepState::Undone).then_some(TakenBack::Removed),
            undo: undo[n]
                .filter(|_| states[n] != StepState::Pending)
                .map(str::to_owned),
        })
        .collect()
}

/// A request with a run in this state.
pub(super) fn running(state: RunState) -> RequestView {
    use StepState as S;
    let states = match state {
        RunState::Queued => [S::Pending, S::Pending, S::Pending],
        RunState::Running | RunState::Cancelling => [S::Done, S::Running, S::Pending],
        RunState::Succeeded => [S::Done, S::Done, S::Done],
        RunState::Failed | RunState::Superseded => [S::Done, S::Failed, S::Pending],
        RunState::Blocked => [S::Done, S::Unknown, S::Pending],
        RunState::Undoing => [S::Done, S::Done, S::Undone],
        RunState::Undone => [S::Undone, S::Undone, S::Undone],
        RunState::UndoFailed => [S::Done, S::UndoFailed, S::Undone],
    };
    let mut steps = steps(states);
    if matches!(
        state,
        RunState::Failed | RunState::Blocked | RunState::UndoFailed
    ) {
        steps[1].cause = Some("The git server gave no answer for 60 s".to_owned());
        steps[1].tries = 4;
    }
    if state == RunState::Blocked {
        steps[1].check =
            Some("whether repository acme/payments-api exists on the git server".to_owned());
    }
    let mut view = request(RequestState::Approved);
    let success = state == RunState::Succeeded;
    view.run = Some(RunView {
        id: RunId::from_uuid(Uuid::from_u128(9)),
        generation: 0,
        state,
        since: at(1),
        started_at: Some(at(1) - TimeDelta::milliseconds(4_200)),
        steps,
        approved_by: vec![(alex(), at(0))],
        rule: "team-lead".to_owned(),
        acted_by: matches!(
            state,
            RunState::Undoing | RunState::Undone | RunState::Cancelling
        )
        .then(priya),
        cancelled: state == RunState::Cancelling,
        undo_at: (state == RunState::Failed).then(|| at(24 * 60)),
        retry_good: true,
        links: if success {
            vec![
                (
                    "Repository".to_owned(),
                    "http://127.0.0.1:8484/git/acme/payments-api".to_owned(),
                ),
                ("Broken".to_owned(), String::new()),
            ]
        } else {
            Vec::new()
        },
        clone: success
            .then(|| "git clone http://127.0.0.1:8484/git/acme/payments-api.git".to_owned()),
        reference: matches!(
            state,
            RunState::Failed | RunState::Blocked | RunState::UndoFailed
        )
        .then(|| "E-8KQ2".to_owned()),
    });
    view
}

/// Every state that a root card can show, by name.
pub(super) fn all() -> Vec<(String, RequestView)> {
    let mut all: Vec<(String, RequestView)> = vec![
        ("planning".to_owned(), request(RequestState::Planning)),
        (
            "awaiting approval".to_owned(),
            request(RequestState::AwaitingApproval),
        ),
        (
            "refused".to_owned(),
            ended(
                RequestState::Refused,
                None,
                Some("acme/payments-api exists (team core)"),
            ),
        ),
        (
            "denied".to_owned(),
            ended(
                RequestState::Denied,
                Some(alex()),
                Some("Use payments-core."),
            ),
        ),
        (
            "expired".to_owned(),
            ended(RequestState::Expired, None, None),
        ),
        (
            "cancelled".to_owned(),
            ended(RequestState::Cancelled, Some(priya()), None),
        ),
        (
            "plan failed".to_owned(),
            ended(
                RequestState::PlanFailed,
                None,
                Some("The git server gave no answer."),
            ),
        ),
    ];
    all.extend(
        RunState::ALL
            .iter()
            .map(|&s| (s.as_str().replace('_', " "), running(s))),
    );

    let mut half = request(RequestState::AwaitingApproval);
    if let Some(plan) = &mut half.plan {
        plan.require.push((group("security"), 2));
        plan.lacking = vec![(group("security"), 2)];
        plan.approvals = vec![(alex(), at(-1))];
        plan.replaced_at = Some(at(-2));
        plan.facts.push(fact(
            FactKind::Changes,
            "DNS record",
            "api.acme.example",
            None,
        ));
        plan.facts
            .push(fact(FactKind::Grants, "write", "on acme/infra", None));
        plan.facts.push(fact(
            FactKind::Costs,
            "database",
            "payments-db",
            Some("about 12 EUR a month"),
        ));
    }
    all.push(("awaiting the second quorum".to_owned(), half));

    let mut by_rule = running(RunState::Running);
    if let Some(run) = &mut by_rule.run {
        run.approved_by.clear();
        run.rule = "sandbox".to_owned();
        run.steps[1].state = StepState::Waiting;
        run.steps[1].cause = Some("the timer".to_owned());
    }
    all.push(("running by rule, waiting".to_owned(), by_rule));

    let mut cancelled = running(RunState::Undone);
    if let Some(run) = &mut cancelled.run {
        run.cancelled = true;
        run.steps[2].state = StepState::Pending;
        run.steps[2].undo = None;
    }
    all.push(("cancelled while running".to_owned(), cancelled));
    all.push(("planning, held up".to_owned(), held_up()));
    all
}
