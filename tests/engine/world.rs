//! A database with a person in it, and a bench to work at.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use graphile_worker::WorkerOptions;
use idp::app::job::{Held, PlanJob, StepJob};
use idp::app::people::{self, AccountFacts, InstallationFacts, PlatformGroup};
use idp::app::{self, App, Settings, new_id};
use idp::catalog::{Known, Library, Sources};
use idp::domain::id::{InstallationId, RequestId, RunId};
use idp::domain::message::{Placement, Spot};
use idp::domain::person::{Account, AccountKind, Platform};
use idp::domain::request::Origin;
use idp::domain::run::{RunState, StepState};
use idp::steps::Registry;
use idp::store::request::NewRequest;
use idp::store::run::Run;
use idp::store::step::Step;
use idp::store::{self, queue};
use idp::worker::{Bench, Chat, Patience};
use serde_json::{Map, Value, json};
use sqlx::{AssertSqlSafe, PgPool};
use tokio_util::sync::CancellationToken;

use super::PATIENCE;
use super::script::{Script, Scripted};
use crate::support::postgres::Database;

/// The channel that requests stand in.
pub const CHANNEL: &str = "C0PLATFORM";

/// A database of its own, with one person who asks.
pub struct World {
    database: Option<Database>,
    pub pool: PgPool,
    pub app: App,
    pub script: Arc<Script>,
    pub installation: InstallationId,
    pub priya: Account,
}

/// A worker at work; it stops and ends with [`Working::stop`].
pub struct Working {
    pub bench: Bench,
    task: tokio::task::JoinHandle<()>,
}

impl Working {
    /// Tells it to stop and waits for its end.
    pub async fn stop(self) {
        self.bench.stop.cancel();
        tokio::time::timeout(PATIENCE, self.task)
            .await
            .unwrap()
            .unwrap();
    }
}

impl World {
    pub async fn new() -> Self {
        let _ = tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::from_env("IDP_TEST_LOG"))
            .with_test_writer()
            .try_init();
        let database = Database::new().await;
        let pool = database.pool(20).await;
        Self::on(Some(database), pool).await
    }

    /// On a database that the test looks after itself.
    pub async fn at(pool: PgPool) -> Self {
        Self::on(None, pool).await
    }

    async fn on(database: Option<Database>, pool: PgPool) -> Self {
        let script = Arc::new(Script::default());
        let app = app(&pool, &registry(&script));
        let facts = InstallationFacts {
            platform: Platform::Slack,
            external: "T0ACME".to_owned(),
            name: "Acme".to_owned(),
            app: None,
            bot_account: Some("U0BOT".to_owned()),
        };
        let installation = people::record_installation(&app, &facts).await.unwrap();
        let facts = AccountFacts {
            external: "U0PRIYA".to_owned(),
            name: "Priya Nair".to_owned(),
            kind: AccountKind::Full,
            active: true,
        };
        people::record_account(&app, installation, &facts)
            .await
            .unwrap();
        let mut conn = pool.acquire().await.unwrap();
        let priya = store::account::find(&mut conn, installation, "U0PRIYA")
            .await
            .unwrap()
            .unwrap();
        drop(conn);
        Self {
            database,
            pool,
            app,
            script,
            installation,
            priya,
        }
    }

    pub fn url(&self) -> String {
        self.database.as_ref().unwrap().url()
    }

    /// What this process works with.
    pub fn bench(&self, chats: Vec<Chat>) -> Bench {
        Bench {
            app: self.app.clone(),
            registry: registry(&self.script),
            chats: chats.into(),
            hub: None,
            alone: idp::worker::Alone::default(),
            patience: Patience {
                look: Duration::from_millis(20),
                let_go: Duration::from_millis(300),
                finish: Duration::from_millis(200),
            },
            stop: CancellationToken::new(),
        }
    }

    /// Works off the queue in the background.
    pub fn work(&self) -> Working {
        self.work_with(Vec::new())
    }

    /// The same, with ways to installations.
    pub fn work_with(&self, chats: Vec<Chat>) -> Working {
        let bench = self.bench(chats);
        let pool = self.pool.clone();
        let factory: idp::worker::queue::Factory =
            Arc::new(move || WorkerOptions::default().pg_pool(pool.clone()));
        let task = tokio::spawn(idp::worker::queue::run(bench.clone(), factory, 4));
        Working { bench, task }
    }

    /// Asks for a command that nobody has to approve, with these steps (`id: input`).
    pub async fn ask(&self, steps: &[(&str, Value)]) -> RequestId {
        self.ask_with(steps, "ask", "[]").await
    }

    pub async fn ask_with(
        &self,
        steps: &[(&str, Value)],
        on_failure: &str,
        require: &str,
    ) -> RequestId {
        self.ask_allowed("[]", steps, (on_failure, require)).await
    }

    /// Asks for a command that these groups may ask for.
    pub async fn ask_allowed(
        &self,
        allow: &str,
        steps: &[(&str, Value)],
        (on_failure, require): (&str, &str),
    ) -> RequestId {
        let first = steps[0].0;
        let steps: Vec<Value> = steps
            .iter()
            .map(|(id, input)| {
                let mut step = json!({ "id": id, "action": "test:step", "input": input });
                if let Some(condition) = input.get("if") {
                    step["if"] = condition.clone();
                }
                step
            })
            .collect();
        let command = format!(
            "apiVersion: idp.dev/v1\nkind: Command\nmetadata: {{ name: try, title: Try }}\nspec:\n  allow: {allow}\n  \
             approval: [{{ name: nobody, require: {require}, expires: 24h, remind: 2h }}]\n  steps: {}\n  \
             onFailure: {on_failure}\n  output: {{ links: [{{ title: Thing, url: \"https://x.dev/${{{{ steps.{first}.output.value }}}}\" }}] }}\n",
            Value::Array(steps)
        );
        self.ask_for(&command).await
    }

    /// Asks for a command of its own.
    pub async fn ask_for(&self, command: &str) -> RequestId {
        let mut tx = store::begin(&self.pool).await.unwrap();
        let now = store::now(&mut tx).await.unwrap();
        let digest = store::blob::put(&mut tx, command.as_bytes(), now)
            .await
            .unwrap();
        let id: RequestId = new_id();
        let new = NewRequest {
            id,
            command: "try",
            command_digest: digest,
            template_digest: None,
            subject: "things",
            requester: self.priya.person,
            account: self.priya.id,
            draft: None,
            inputs: &Map::new(),
            slash: "/idp",
            origin: Origin::Chat,
            again_from: None,
            claims: &[],
        };
        store::request::insert(&mut tx, &new, now).await.unwrap();
        let spot = Spot::Channel {
            channel: CHANNEL.to_owned(),
        };
        let placement = Placement {
            installation: self.installation,
            spot,
        };
        app::message::open(&mut tx, id, &placement, now)
            .await
            .unwrap();
        queue::enqueue_plan(&mut tx, id, None).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    /// What the platform says of `group:makers`, as of now: Priya alone is in.
    pub async fn read_groups(&self) {
        let makers = PlatformGroup {
            external: "S0MAKERS".to_owned(),
            handle: "makers".to_owned(),
            name: "Makers".to_owned(),
            members: Some(vec!["U0PRIYA".to_owned()]),
        };
        people::record_groups(&self.app, self.installation, &[makers])
            .await
            .unwrap();
    }

    /// The root card of a request, as somebody would read it now.
    pub async fn card(&self, request: RequestId) -> String {
        let mut conn = self.pool.acquire().await.unwrap();
        let now = store::now(&mut conn).await.unwrap();
        let view = app::view::load(&self.app, &mut conn, request, self.installation)
            .await
            .unwrap();
        format!("{:?}", idp::cards::root(&view, now))
    }

    /// The run of a request, once there is one.
    pub async fn run(&self, request: RequestId) -> Option<Run> {
        let mut conn = self.pool.acquire().await.unwrap();
        store::run::latest(&mut conn, request).await.unwrap()
    }

    /// Waits until the request's run stands so.
    pub async fn until(&self, request: RequestId, state: RunState) -> Run {
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let run = self.run(request).await;
            if let Some(run) = run.as_ref().filter(|r| r.state == state) {
                return run.clone();
            }
            assert!(
                tokio::time::Instant::now() < until,
                "not {state} but {run:?}\n{:?}",
                self.script.calls()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The same, with every wait of the queue cut short.
    pub async fn hurried_until(&self, request: RequestId, state: RunState) -> Run {
        let hurry = async {
            loop {
                self.hurry().await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            run = self.until(request, state) => run,
            () = hurry => unreachable!("it never ends"),
        }
    }

    /// Makes every waiting job due.
    pub async fn hurry(&self) {
        self.execute("update graphile_worker._private_jobs set run_at = now() where locked_at is null and run_at > now()")
            .await;
        self.execute("notify \"jobs:insert\", '{}'").await;
    }

    pub async fn steps(&self, run: RunId) -> Vec<Step> {
        let mut conn = self.pool.acquire().await.unwrap();
        store::step::of_run(&mut conn, run).await.unwrap()
    }

    pub async fn states(&self, run: RunId) -> Vec<StepState> {
        self.steps(run).await.into_iter().map(|s| s.state).collect()
    }

    /// One number out of the database.
    pub async fn count(&self, sql: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from {sql}")))
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    pub async fn execute(&self, sql: &str) {
        sqlx::query(AssertSqlSafe(sql.to_owned()))
            .execute(&self.pool)
            .await
            .unwrap();
    }

    /// Moves the clock.
    pub async fn pass(&self, interval: &str) {
        self.execute(&format!(
            "update clock set shift = shift + interval '{interval}'"
        ))
        .await;
    }

    pub async fn now(&self) -> DateTime<Utc> {
        let mut conn = self.pool.acquire().await.unwrap();
        store::now(&mut conn).await.unwrap()
    }

    /// Claims the next job as a worker of the queue does, to be held by hand.
    pub async fn claim(&self, worker: &str) -> Option<(Held, String, Value)> {
        let row: Option<(i64, String, Value)> = sqlx::query_as(
            "update graphile_worker._private_jobs j set locked_by = $1, locked_at = now(), attempts = attempts + 1
             from graphile_worker._private_tasks t
             where t.id = j.task_id and j.id = (
                select id from graphile_worker._private_jobs where is_available and run_at <= now() order by id limit 1)
             returning j.id, t.identifier, j.payload::jsonb",
        )
        .bind(worker)
        .fetch_optional(&self.pool)
        .await
        .unwrap();
        let (job, identifier, payload) = row?;
        let held = Held {
            job,
            worker: worker.to_owned(),
            queue: None,
        };
        Some((held, identifier, payload))
    }

    /// Claims a step's job by hand.
    pub async fn claim_step(&self, worker: &str) -> (Held, StepJob) {
        let (held, identifier, payload) = self.claim(worker).await.expect("a job");
        assert_eq!(identifier, StepJob::IDENTIFIER);
        (held, serde_json::from_value(payload).unwrap())
    }

    /// Lets a job go as the queue does when its worker has died.
    pub async fn dies(&self, held: &Held) {
        self.execute(&format!(
            "update graphile_worker._private_jobs set locked_by = null, locked_at = null, attempts = attempts - 1 where id = {}",
            held.job
        ))
        .await;
    }

    /// Plans a request by hand, so that its run begins; gives the run, with its first job waiting.
    pub async fn planned(&self, request: RequestId) -> Run {
        let (held, identifier, _) = self.claim("planner").await.expect("a plan job");
        assert_eq!(identifier, PlanJob::IDENTIFIER);
        let work = app::plan::take(&self.app, request).await.unwrap().unwrap();
        let result = plan(&registry(&self.script), &work).await;
        app::plan::store(&self.app, &work, result).await.unwrap();
        self.execute(&format!(
            "delete from graphile_worker._private_jobs where id = {}",
            held.job
        ))
        .await;
        self.run(request).await.expect("a run")
    }
}

async fn plan(
    registry: &Registry,
    work: &app::plan::PlanWork,
) -> Result<app::plan::Planned, idp::domain::step::PlanError> {
    let order = idp::steps::Order {
        request: work.request,
        number: work.number,
        requester: &work.requester,
        github: work.github.as_ref(),
        asked_at: work.asked_at,
        template: work.template.as_ref(),
        drafts: &work.drafts,
    };
    let planned = registry.plan(&order).await?;
    Ok(app::plan::Planned {
        plan: planned.plan,
        blobs: planned.blobs,
    })
}

pub fn registry(script: &Arc<Script>) -> Registry {
    Registry::of(vec![Box::new(Scripted(Arc::clone(script)))])
}

pub fn app(pool: &PgPool, registry: &Registry) -> App {
    let library = Library::open(Sources::default(), registry.specs(), Known::default());
    App::new(pool.clone(), Arc::new(library), Settings::default())
}
