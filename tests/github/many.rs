//! Many services at once, two replicas on one database, and a GitHub that refuses rates or fails for a while.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{TimeDelta, Utc};
use graphile_worker::WorkerOptions;
use idp::clients::forge::Forge;
use idp::clients::forge::git::Git;
use idp::clients::forge::github::{AppKey, Credentials, GitHubForge, GitHubSettings, Undo};
use idp::domain::action::{ActionSpec, Undo as Undoing};
use idp::domain::canonical::Digest;
use idp::domain::id::RequestId;
use idp::domain::plan::PlannedValue;
use idp::domain::run::RunState;
use idp::domain::step::{Done, Outcome, PlanError, StepError, StepPlan, TakenBack};
use idp::domain::tree::{Entry, Tree, TreePath};
use idp::steps::catalog_register::CatalogRegister;
use idp::steps::{Action, PlanContext, Publisher, Registry, RunContext, Secrets};
use idp::worker::Bench;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::server::levers::Trouble;
use super::server::{GitHub, ORG, bare, spec};
use crate::engine::world::{World, app};
use crate::simulator::clients::found;

/// How long everything together may take, whatever the clocks say.
const PATIENCE: Duration = Duration::from_mins(2);

/// `test:files`: a working tree of one file.
#[derive(Debug)]
struct Files;

#[async_trait]
impl Action for Files {
    fn spec(&self) -> ActionSpec {
        ActionSpec {
            name: "test:files",
            title: "Make files",
            input: json!({ "type": "object" }),
            outputs: &[],
            undo: Undoing::Nothing,
            limit: None,
        }
    }

    async fn plan(&self, _: &PlanContext<'_>, _: &PlannedValue) -> Result<StepPlan, PlanError> {
        let mut tree = Tree::new();
        let entity =
            "kind: Component\nmetadata: { name: payments-api }\nspec: { owner: payments }\n";
        for (path, text) in [("README.md", "# Hello"), ("catalog-info.yaml", entity)] {
            tree.insert(TreePath::new(path).unwrap(), Entry::file(text))
                .unwrap();
        }
        let bytes = tree.encode();
        Ok(StepPlan {
            workspace: Some(Digest::of(&bytes)),
            blobs: vec![bytes],
            ..StepPlan::default()
        })
    }

    async fn run(&self, _: &RunContext, _: &Value) -> Result<Outcome, StepError> {
        Ok(Outcome::Done(Done {
            output: json!({}),
            ..Done::default()
        }))
    }

    async fn undo(
        &self,
        _: &RunContext,
        _: &Value,
        _: Option<&Value>,
    ) -> Result<Outcome<TakenBack>, StepError> {
        Ok(Outcome::Done(TakenBack::Nothing))
    }
}

/// A database, a GitHub, and the replicas at work on them. All of their clocks go together.
struct Fleet {
    world: World,
    github: GitHub,
    shift: Arc<AtomicI64>,
    replicas: Vec<(Bench, JoinHandle<()>)>,
    /// The buckets that were closed at some time.
    closed: Mutex<BTreeSet<String>>,
}

impl Fleet {
    async fn new(replicas: usize) -> Self {
        let mut fleet = Self {
            world: World::new().await,
            github: GitHub::start(),
            shift: Arc::default(),
            replicas: Vec::new(),
            closed: Mutex::default(),
        };
        fleet.world.app = app(&fleet.world.pool, &fleet.registry());
        for _ in 0..replicas {
            let mut bench = fleet.world.bench(Vec::new());
            bench.registry = fleet.registry();
            let pool = fleet.world.pool.clone();
            let factory: idp::worker::queue::Factory =
                Arc::new(move || WorkerOptions::default().pg_pool(pool.clone()));
            let task = tokio::spawn(idp::worker::queue::run(bench.clone(), factory, 4));
            fleet.replicas.push((bench, task));
        }
        fleet
    }

    /// The actions of one process: its client of GitHub knows nothing of the other processes'.
    fn registry(&self) -> Registry {
        let key = AppKey::from_pem(&self.github.private_key().to_owned().into()).unwrap();
        let settings = GitHubSettings {
            api_url: self.github.api_url().parse().unwrap(),
            git_url: self.github.git_url().parse().unwrap(),
            organisation: ORG.to_owned(),
            credentials: Credentials::App {
                id: self.github.app_id().to_string(),
                key,
            },
            undo: Undo::Delete,
            webhook: None,
        };
        let shift = Arc::clone(&self.shift);
        let clock =
            Arc::new(move || Utc::now() + TimeDelta::seconds(shift.load(Ordering::Relaxed)));
        let git = Git::new(std::env::var_os("PATH").unwrap());
        let forge: Arc<dyn Forge> = Arc::new(GitHubForge::new(settings, git, clock).unwrap());
        Registry::of(vec![
            Box::new(Files),
            Box::new(CatalogRegister),
            Box::new(Publisher::repository(
                Arc::clone(&forge),
                Secrets::default(),
            )),
            Box::new(Publisher::only_here(forge, Secrets::default())),
        ])
    }

    /// Asks for a repository by this action. Nobody has to decide.
    async fn ask(&self, action: &str, repo: &str) -> RequestId {
        self.ask_then(action, repo, None).await
    }

    /// The same with a step behind it.
    async fn ask_then(&self, action: &str, repo: &str, then: Option<Value>) -> RequestId {
        let input = json!({
            "repoUrl": format!("github.com?owner={ORG}&repo={repo}"),
            "description": "One of many",
            "protectDefaultBranch": false,
        });
        let mut steps = vec![
            json!({ "id": "files", "action": "test:files", "input": {} }),
            json!({ "id": "publish", "action": action, "input": input }),
        ];
        steps.extend(then);
        let steps = Value::Array(steps);
        let command = format!(
            "apiVersion: idp.dev/v1\nkind: Command\nmetadata: {{ name: try, title: Try }}\nspec:\n  \
             approval: [{{ name: nobody, require: [], expires: 24h }}]\n  steps: {steps}\n"
        );
        self.world.ask_for(&command).await
    }

    /// Moves every clock on, unless a job is under way, and lets all jobs look whether their time has come. No job can
    /// begin meanwhile: a clock of one side ahead of another's would look like a call before its time.
    async fn pass(&self, seconds: u32) {
        let mut tx = self.world.pool.begin().await.unwrap();
        let lock = "lock table graphile_worker._private_jobs in share row exclusive mode";
        sqlx::query(lock).execute(&mut *tx).await.unwrap();
        let busy = "select count(*) from graphile_worker._private_jobs where locked_at is not null or run_at <= now()";
        let busy: i64 = sqlx::query_scalar(busy).fetch_one(&mut *tx).await.unwrap();
        if busy > 0 {
            return;
        }
        let closed: Vec<String> = sqlx::query_scalar("select bucket from rate_limit")
            .fetch_all(&mut *tx)
            .await
            .unwrap();
        self.closed.lock().unwrap().extend(closed);
        sqlx::query("update clock set shift = shift + make_interval(secs => $1)")
            .bind(f64::from(seconds))
            .execute(&mut *tx)
            .await
            .unwrap();
        self.github.advance(Duration::from_secs(seconds.into()));
        self.shift.fetch_add(seconds.into(), Ordering::Relaxed);
        tx.commit().await.unwrap();
        self.world.hurry().await;
    }

    /// Lets time pass until all have come to this end.
    async fn until(&self, requests: &[RequestId], state: RunState) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let mut left = Vec::new();
            for request in requests {
                let run = self.world.run(*request).await;
                if run.as_ref().is_none_or(|run| run.state != state) {
                    left.push((*request, run));
                }
            }
            if left.is_empty() {
                return;
            }
            let (request, run) = &left[0];
            let ended = run
                .as_ref()
                .is_some_and(|run| run.state.ended() || run.state == RunState::Failed);
            if ended || tokio::time::Instant::now() >= deadline {
                let card = self.world.card(*request).await;
                panic!("{} left, one of them {run:?}\n{card}", left.len());
            }
            self.pass(7).await;
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    }

    async fn stop(self) {
        for (bench, task) in self.replicas {
            bench.stop.cancel();
            task.await.unwrap();
        }
    }
}

fn described() -> bool {
    found(&spec::file(), "many services on the strict GitHub server")
}

#[tokio::test]
async fn twenty_services_at_once_are_all_made_and_no_refused_call_comes_back_too_early() {
    if !described() {
        return;
    }
    let fleet = Fleet::new(2).await;
    fleet.github.world().limits.content_a_minute = 6;
    // The clocks move on only while nothing is at work, so that tells what was on its way, on a slow machine too.
    fleet.github.world().limits.on_their_way = PATIENCE;
    let mut requests = Vec::new();
    for n in 0..20 {
        let action = ["publish:github", "publish:repository"][n % 2];
        requests.push(fleet.ask(action, &format!("service-{n}")).await);
    }
    fleet.until(&requests, RunState::Succeeded).await;
    for n in 0..20 {
        let name = format!("service-{n}");
        let branches = fleet.github.repo(&name, |repo| {
            assert_eq!(repo.shown["description"], "One of many");
            bare::branches(&repo.dir).len()
        });
        assert_eq!(branches, Some(1), "{name}");
    }
    let (refusals, too_early, repos) = {
        let world = fleet.github.world();
        (
            world.limits.refusals,
            world.limits.too_early,
            world.repos.len(),
        )
    };
    println!("{refusals} calls were refused, {too_early} came back before their time");
    assert_eq!((repos, too_early), (20, 0));
    assert!(refusals > 0, "nothing was refused, so nothing was shown");
    // What one action was refused, the other knew of, and so did the other replica: there is one bucket for all.
    let buckets = fleet.closed.lock().unwrap().clone();
    assert_eq!(buckets, BTreeSet::from(["step:forge".to_owned()]));
    fleet.stop().await;
}

#[tokio::test]
async fn a_new_service_knows_its_repository_by_githubs_own_id() {
    if !described() {
        return;
    }
    let fleet = Fleet::new(1).await;
    let register = json!({
        "id": "register", "action": "catalog:register",
        "input": { "repoContentsUrl": "${{ steps.publish.output.repoContentsUrl }}" },
    });
    let request = fleet
        .ask_then("publish:github", "payments-api", Some(register))
        .await;
    fleet.until(&[request], RunState::Succeeded).await;
    let id = fleet
        .github
        .repo("payments-api", |repo| repo.id.to_string());
    let page = format!("{}/{ORG}/payments-api", fleet.github.git_url());
    let known: (Option<String>, String, String) =
        sqlx::query_as("select forge_repository, repository, catalog_url from service")
            .fetch_one(&fleet.world.pool)
            .await
            .unwrap();
    let file = format!("{page}/blob/main/catalog-info.yaml");
    assert_eq!(known, (id, page, file));
    fleet.stop().await;
}

#[tokio::test]
async fn an_hour_that_is_used_up_is_waited_for_and_nothing_is_lost() {
    if !described() {
        return;
    }
    let fleet = Fleet::new(2).await;
    fleet.github.world().limits.an_hour = 25;
    let mut requests = Vec::new();
    for n in 0..4 {
        requests.push(fleet.ask("publish:github", &format!("service-{n}")).await);
    }
    fleet.until(&requests, RunState::Succeeded).await;
    let (refusals, too_early) = {
        let world = fleet.github.world();
        assert_eq!(world.repos.len(), 4);
        (world.limits.refusals, world.limits.too_early)
    };
    assert!(refusals > 0 && too_early == 0, "{refusals}, {too_early}");
    fleet.stop().await;
}

#[tokio::test]
async fn a_minute_of_bad_gateways_is_outlived_with_exactly_one_repository() {
    if !described() {
        return;
    }
    // From which call on GitHub fails: before the first, at the creation, at the push, at the settling.
    for (operation, skip) in [
        ("*", 0),
        ("repos/create-in-org", 0),
        ("git", 0),
        ("repos/update", 0),
    ] {
        let fleet = Fleet::new(1).await;
        // Far more than a client that comes back every ten seconds asks in a minute.
        fleet
            .github
            .troubles(operation, skip, usize::MAX, Trouble::Status(502));
        let request = fleet.ask("publish:github", "payments-api").await;
        let tried = tokio::time::Instant::now() + PATIENCE;
        let mut passed = 0;
        while passed < 70 {
            assert!(
                tokio::time::Instant::now() < tried,
                "{operation}: no time passes"
            );
            let before = fleet.shift.load(Ordering::Relaxed);
            fleet.pass(7).await;
            passed += fleet.shift.load(Ordering::Relaxed) - before;
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
        fleet.github.world().levers.mend();
        fleet.until(&[request], RunState::Succeeded).await;
        assert_eq!(fleet.github.world().repos.len(), 1, "{operation}");
        let failed = fleet
            .github
            .log()
            .iter()
            .filter(|call| call.status == Some(502))
            .count();
        assert!(
            (1..30).contains(&failed),
            "{operation}: asked {failed} times in vain"
        );
        fleet.stop().await;
    }
}
