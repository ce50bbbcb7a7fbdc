//! One function a figure: makes the load, holds the result to what must be true, prints the numbers.

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};
use tokio::sync::Mutex;

use crate::bot::{Bot, cpu_of, wait_for};
use crate::lean;
use crate::slack::{Card, SECRET, Slack};

/// Connections over which presses come.
pub const CONNECTIONS: usize = 50;

pub fn database() -> String {
    std::env::var("DATABASE_URL").expect("benches/run gives DATABASE_URL")
}

pub async fn connect() -> PgConnection {
    PgConnection::connect(&database()).await.unwrap()
}

/// Counts, always over the same connection: a new one each time would be a new process of the server, and who waits by
/// asking again and again would measure that.
pub async fn count(sql: &'static str) -> i64 {
    static KEPT: Mutex<Option<PgConnection>> = Mutex::const_new(None);
    let mut kept = KEPT.lock().await;
    if kept.is_none() {
        *kept = Some(connect().await);
    }
    let conn = kept.as_mut().unwrap();
    sqlx::query_scalar(sql).fetch_one(conn).await.unwrap()
}

pub fn percentile(sorted: &[Duration], p: f64) -> f64 {
    let at = ((sorted.len() as f64 * p).ceil() as usize).clamp(1, sorted.len()) - 1;
    sorted[at].as_secs_f64() * 1000.0
}

/// Opens so many forms and gives the bodies of their submissions.
async fn forms(slack: &Slack, bot: &Bot, many: usize) -> Vec<String> {
    let mut bodies = Vec::with_capacity(many);
    for at in 0..many {
        let person = 10 + at % 500;
        let trigger = slack.says(&bot.url, person, "bench").await;
        wait_for("the form", Duration::from_secs(5), async || {
            slack.seen.lock().await.views.contains_key(&trigger)
        })
        .await;
        let view = slack.seen.lock().await.views.remove(&trigger).unwrap();
        bodies.push(slack.submission(person, &view, &format!("bench-{at}")));
    }
    bodies
}

/// Sends bodies at a steady rate; gives the sorted times to answer.
async fn send_at(slack: &Slack, to: &str, bodies: Vec<String>, per_second: u32) -> Vec<Duration> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / per_second);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    let mut under_way = tokio::task::JoinSet::new();
    for body in bodies {
        ticks.tick().await;
        let (slack, to) = (slack.clone(), to.to_owned());
        under_way.spawn(async move {
            let (status, text, took) = slack.deliver(&to, "/slack/interactions", body).await;
            assert_eq!(status, 200, "{text}");
            assert!(!text.contains("errors"), "{text}");
            took
        });
    }
    let mut times = under_way.join_all().await;
    times.sort();
    times
}

/// Form submission → durable request → ack, beside Bolt JS with `pg` doing the same inserts.
pub async fn submissions() {
    let many = 3000;
    let slack = Slack::start(520).await;
    // Bolt runs no jobs, so a replica that only takes deliveries is what is measured. The one that works is there
    // until everybody is known; afterwards it would only take the processor from both.
    let worker = Bot::start_as("worker", &slack, &database()).await;
    let bot = Bot::start_as("web", &slack, &database()).await;
    let bodies = forms(&slack, &bot, many).await;
    let unknown = "select count(*) from account where kind = 'unknown' and external_id <> all(array['U0','U1','U2','U3','U4','U5','U6','U7','U8','U9']) and substr(external_id, 2)::int < 510";
    wait_for(
        "everybody to be looked up",
        Duration::from_secs(120),
        async || count(unknown).await == 0,
    )
    .await;
    drop(worker);
    let peer = Bolt::start(&slack).await;
    // Both are warm when they are measured: connections made, statements prepared.
    let (warm, measured) = bodies.split_at(500);
    let before = count("select count(*) from request").await;
    send_at(&slack, &bot.url, warm.to_vec(), 200).await;
    send_at(&slack, &peer.url, warm.to_vec(), 200).await;
    // By turns, so that whatever else slows the machine down for a while slows both.
    let (mut ours, mut theirs) = (Seen::default(), Seen::default());
    for bodies in measured.chunks(250) {
        let cpu = bot.cpu();
        let times = send_at(&slack, &bot.url, bodies.to_vec(), 200).await;
        ours.add(bot.cpu() - cpu, times);
        let cpu = cpu_of(peer.process.id());
        let times = send_at(&slack, &peer.url, bodies.to_vec(), 200).await;
        theirs.add(cpu_of(peer.process.id()) - cpu, times);
    }
    assert_eq!(
        count("select count(*) from request").await - before,
        many as i64,
        "each submission is one durable request"
    );
    println!("idp   : {}", ours.told());
    println!("Bolt  : {}", theirs.told());
    println!("ratio : {:.3} of Bolt's CPU", ours.cpu / theirs.cpu);
}

/// What was seen of one of the two.
#[derive(Default)]
struct Seen {
    /// In seconds.
    cpu: f64,
    times: Vec<Duration>,
}

impl Seen {
    fn add(&mut self, cpu: f64, times: Vec<Duration>) {
        self.cpu += cpu;
        self.times.extend(times);
    }

    fn told(&mut self) -> String {
        self.times.sort();
        format!(
            "{:.3} ms CPU a submission, p50 {:.1} ms, p99 {:.1} ms at 200/s",
            self.cpu * 1000.0 / self.times.len() as f64,
            percentile(&self.times, 0.5),
            percentile(&self.times, 0.99)
        )
    }
}

/// The peer, killed when dropped.
struct Bolt {
    process: Child,
    url: String,
}

impl Bolt {
    /// Its drafts are what ours are by now.
    async fn start(slack: &Slack) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let process = Command::new("node")
            .arg("bolt.mjs")
            .current_dir(std::env::var("PEERS").expect("benches/run gives PEERS"))
            .env("DATABASE_URL", database())
            .env("PORT", port.to_string())
            .env("SLACK_SIGNING_SECRET", SECRET)
            .env("SLACK_API_URL", slack.api())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let bolt = Self {
            process,
            url: format!("http://127.0.0.1:{port}"),
        };
        wait_for("Bolt", Duration::from_secs(30), async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .is_ok()
        })
        .await;
        bolt
    }
}

impl Drop for Bolt {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Makes one request and gives its card with the Approve button.
pub async fn asked(slack: &Slack, bot: &Bot, name: &str) -> Card {
    wait_for(
        "the bot to know the workspace",
        Duration::from_secs(10),
        async || count("select count(*) from installation").await > 0,
    )
    .await;
    let trigger = slack.says(&bot.url, 10, "bench").await;
    wait_for("the form", Duration::from_secs(5), async || {
        slack.seen.lock().await.views.contains_key(&trigger)
    })
    .await;
    let view = slack.seen.lock().await.views.remove(&trigger).unwrap();
    slack.seen.lock().await.messages.clear();
    let unknown = "select count(*) from account where external_id = 'U10' and kind = 'unknown'";
    wait_for(
        "the asker to be looked up",
        Duration::from_secs(10),
        async || count(unknown).await == 0,
    )
    .await;
    let (status, text, _) = slack
        .deliver(
            &bot.url,
            "/slack/interactions",
            slack.submission(10, &view, name),
        )
        .await;
    assert_eq!(status, 200, "{text}");
    let mut found = None;
    wait_for("the card", Duration::from_secs(10), async || {
        found = slack.seen.lock().await.messages.iter().rev().find_map(card);
        found.is_some()
    })
    .await;
    found.unwrap()
}

fn card(message: &serde_json::Value) -> Option<Card> {
    Some(Card {
        value: approve_value(message)?,
        channel: message["channel"].as_str()?.to_owned(),
        ts: message["ts"].as_str()?.to_owned(),
    })
}

fn approve_value(message: &serde_json::Value) -> Option<String> {
    let blocks = match &message["blocks"] {
        serde_json::Value::String(text) => serde_json::from_str(text).ok()?,
        blocks => blocks.clone(),
    };
    let elements = blocks
        .as_array()?
        .iter()
        .flat_map(|b| b["elements"].as_array().cloned().unwrap_or_default());
    elements.into_iter().find(|e| {
        e["action_id"]
            .as_str()
            .is_some_and(|a| a.starts_with("request.approve"))
    })?["value"]
        .as_str()
        .map(str::to_owned)
}

/// A lead presses Approve.
pub async fn approve(slack: &Slack, bot: &Bot, plan: &Card) {
    let press = slack.press(1, "request.approve", plan, &slack.address());
    let (status, text, _) = slack.deliver(&bot.url, "/slack/interactions", press).await;
    assert_eq!(status, 200, "{text}");
}

/// 10,000 presses racing on one request from 50 connections, beside `pgbench` doing one insert and commit.
pub async fn presses() {
    let (many, connections) = (10_000, CONNECTIONS);
    let slack = Slack::start(520).await;
    let bot = Bot::start(&slack, &database()).await;
    let plan = asked(&slack, &bot, "race").await;
    let approvals = count("select count(*) from approval").await;
    let (answers, answered) = lean::count_posts().await;
    // Leads, strangers and the requester, all at once.
    let requests = (0..many)
        .map(|at| slack.press(at % 30, "request.approve", &plan, &answers))
        .map(|body| slack.request("/slack/interactions", &body))
        .collect();
    let ours = race(&bot, requests, (approvals, &answered, many as u64 - 1)).await;
    drop(bot);
    let theirs = pgbench(connections);
    println!("pgbench: {theirs:.0} inserts/s with {connections} clients");
    println!("ratio  : {:.2}", ours / theirs);
}

/// Sends presses that race on one request; all are answered, and there is one decision more than there were. Gives how
/// many a second.
pub async fn race(
    bot: &Bot,
    requests: Vec<Vec<u8>>,
    (approvals, answered, expected): (i64, &AtomicU64, u64),
) -> f64 {
    let many = requests.len() as f64;
    let cpu = bot.cpu();
    let begun = Instant::now();
    lean::send_all(bot.address(), requests, CONNECTIONS).await;
    let took = begun.elapsed().as_secs_f64();
    assert_eq!(
        count("select count(*) from approval").await - approvals,
        1,
        "exactly one decision"
    );
    wait_for("all answers", Duration::from_secs(60), async || {
        answered.load(Ordering::Relaxed) >= expected
    })
    .await;
    let ours = many / took;
    println!(
        "idp    : {ours:.0} presses/s, one decision, {} private answers, {:.3} ms CPU of the bot a press",
        answered.load(Ordering::Relaxed),
        (bot.cpu() - cpu) * 1000.0 / many,
    );
    ours
}

fn pgbench(clients: usize) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("insert.sql");
    std::fs::write(
        &script,
        "insert into bench_insert (at, who, what) values (now(), 'U1', 'request.approve');\n",
    )
    .unwrap();
    let psql = Command::new("psql")
        .args([&database(), "-qc", "create table if not exists bench_insert (id bigint generated always as identity primary key, at timestamptz, who text, what text)"])
        .status()
        .unwrap();
    assert!(psql.success());
    let bin = std::env::var("PGBENCH").unwrap_or_else(|_| "pgbench".into());
    let out = Command::new(bin)
        .args(["-n", "-c", &clients.to_string(), "-j", "2", "-T", "8", "-f"])
        .arg(&script)
        .arg(database())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let line = text
        .lines()
        .find(|l| l.starts_with("tps"))
        .unwrap_or_else(|| panic!("{text}"));
    line.split_whitespace().nth(2).unwrap().parse().unwrap()
}

/// Approval → first job starts.
pub async fn latency() {
    let slack = Slack::start(520).await;
    let bot = Bot::start(&slack, &database()).await;
    let since = chrono::Utc::now();
    for at in 0..100 {
        let plan = asked(&slack, &bot, &format!("latency-{at}")).await;
        approve(&slack, &bot, &plan).await;
        wait_for("the run", Duration::from_secs(10), async || {
            count("select count(*) from run where state not in ('succeeded')").await == 0
        })
        .await;
    }
    let mut millis: Vec<f64> = sqlx::query_scalar(
        "select (extract(epoch from r.started_at - a.created_at) * 1000)::float8
         from run r join approval a on a.id = r.approval_id where a.created_at >= $1 and r.started_at is not null",
    )
    .bind(since)
    .fetch_all(&mut connect().await)
    .await
    .unwrap();
    millis.sort_by(f64::total_cmp);
    let at = |p: f64| millis[((millis.len() as f64 * p).ceil() as usize).max(1) - 1];
    println!(
        "approval → first job: p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms, worst {:.1} ms over {}",
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0),
        millis.len()
    );
}

/// Start to ready on a running Postgres, and memory when idle.
pub async fn lifecycle() {
    let slack = Slack::start(20).await;
    drop(Bot::start(&slack, &database()).await);
    let mut ready: Vec<f64> = Vec::new();
    for _ in 0..5 {
        let bot = Bot::start(&slack, &database()).await;
        ready.push(bot.ready.as_secs_f64() * 1000.0);
        if ready.len() == 5 {
            tokio::time::sleep(Duration::from_secs(5)).await;
            println!("idle memory: {:.1} MiB", bot.memory());
        }
    }
    ready.sort_by(f64::total_cmp);
    println!(
        "start to ready: median {:.0} ms, worst {:.0} ms of {}",
        ready[2],
        ready[4],
        ready.len()
    );
}

/// A run under way is taken over by the other replica after kill -9 of the one that holds it.
pub async fn recovery() {
    let slack = Slack::start(20).await;
    let mut took: Vec<f64> = Vec::new();
    let mut one = Bot::start(&slack, &database()).await;
    let mut two = Bot::start(&slack, &database()).await;
    for at in 0..20 {
        let plan = asked(&slack, &one, &format!("recovery-{at}")).await;
        approve(&slack, &one, &plan).await;
        // Both replicas work; the one that answered the press is as likely as the other to hold the job.
        one.child.kill().unwrap();
        one.child.wait().unwrap();
        let begun = Instant::now();
        wait_for("the other replica", Duration::from_secs(60), async || {
            count("select count(*) from run where state <> 'succeeded'").await == 0
        })
        .await;
        took.push(begun.elapsed().as_secs_f64());
        one = two;
        two = Bot::start(&slack, &database()).await;
    }
    took.sort_by(f64::total_cmp);
    println!(
        "recovery after kill -9: p50 {:.2} s, p95 {:.2} s, worst {:.2} s",
        took[10], took[18], took[19]
    );
}
