//! What is left of a story: in the database, in the forge, in the workspace.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool};

use super::company::{Company, SECRETS};

/// Attempts at steps, by what came of them.
#[derive(Debug)]
pub struct Attempts {
    /// Began.
    pub begun: i64,
    /// Brought the outcome that is recorded.
    pub done: i64,
    /// Died with their process, and were made again.
    pub lost: i64,
}

/// Holds what is left against what was asked.
pub async fn check(company: &Company, requests: usize) -> Attempts {
    let pool = company.database.pool(2).await;
    let asked = i64::try_from(requests).unwrap();
    let count = async |sql: &str| count(&pool, sql).await;
    assert_eq!(count("request").await, asked, "{}", company.logs());
    assert_eq!(count("run where state = 'succeeded'").await, asked);
    assert_eq!(count("service").await, asked);
    assert_eq!(count("run where generation > 0").await, 0);
    assert_eq!(count("graphile_worker._private_jobs").await, 0);

    let steps = count("step where state = 'done'").await;
    assert_eq!(count("step").await, steps);
    let attempts = Attempts {
        begun: count("step_attempt").await,
        done: count("step_attempt where outcome = 'done'").await,
        lost: count("step_attempt where outcome = 'lost'").await,
    };
    assert_eq!(attempts.done, steps, "a step was recorded twice");
    assert_eq!(
        attempts.begun,
        attempts.done + attempts.lost,
        "{attempts:?}"
    );
    let again = "step_attempt a join step s using (run_id, seq) where a.started_at > s.finished_at";
    assert_eq!(count(again).await, 0, "a recorded step began again");

    let cards = company.cards().await;
    for n in 0..requests {
        let name = format!("service-{n}");
        let roots = cards.iter().filter(|card| is_about(card, &name)).count();
        assert_eq!(roots, 1, "root cards of {name}");
        one_commit(company, &name);
    }
    assert_eq!(repositories(company).len(), requests);

    no_secret_is_told(company, &pool, &cards).await;

    let verified = company.idp(&["audit", "verify"]).output().unwrap();
    assert!(verified.status.success(), "{verified:?}");
    attempts
}

/// Everything that was logged, written down or shown, in every table and as bytes too, holds no secret of a bot.
async fn no_secret_is_told(company: &Company, pool: &PgPool, cards: &[Value]) {
    let tables: Vec<String> = sqlx::query_scalar(
        "select format('%I.%I', schemaname, tablename) from pg_tables
         where schemaname not in ('pg_catalog', 'information_schema')",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let mut told = vec![
        ("the log".to_owned(), company.all_logged().join("\n")),
        (
            "the cards".to_owned(),
            Value::from(cards.to_vec()).to_string(),
        ),
    ];
    for table in tables {
        let rows = format!("select coalesce(string_agg(t::text, chr(10)), '') from {table} t");
        let rows: String = sqlx::query_scalar(AssertSqlSafe(rows))
            .fetch_one(pool)
            .await
            .unwrap();
        told.push((table, rows));
    }
    let audit = &told
        .iter()
        .find(|(place, _)| place == "public.audit")
        .unwrap()
        .1;
    assert!(
        audit.contains(&hex::encode("request.asked")),
        "bytes are read as hex"
    );
    for (place, text) in told {
        for (name, secret) in SECRETS {
            let found = text.contains(secret) || text.contains(&hex::encode(secret));
            assert!(!found, "{name} stands in {place}");
        }
    }
}

/// Whether a card is the root card of this service.
pub fn is_about(card: &Value, name: &str) -> bool {
    card["blocks"].to_string().contains(&format!("*{name}*"))
}

/// The repositories of the forge, whoever owns them.
fn repositories(company: &Company) -> Vec<PathBuf> {
    let folders = |dir: &Path| {
        let all = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
        let visible = all.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
        visible
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
    };
    let owners: Vec<PathBuf> = folders(&company.data().join("git")).collect();
    owners
        .iter()
        .flat_map(|owner| folders(owner).collect::<Vec<_>>())
        .collect()
}

/// A request has one repository with one commit, whoever pushed it how often.
fn one_commit(company: &Company, name: &str) {
    let repositories = repositories(company);
    let own: Vec<&PathBuf> = repositories
        .iter()
        .filter(|path| path.ends_with(format!("{name}.git")))
        .collect();
    let [repository] = own[..] else {
        panic!("repositories of {name}: {own:?}")
    };
    let commits = Command::new("git")
        .args(["rev-list", "--all", "--count"])
        .env("GIT_DIR", repository)
        .output()
        .unwrap();
    let commits = String::from_utf8(commits.stdout).unwrap();
    assert_eq!(commits.trim(), "1", "commits in {}", repository.display());
}

async fn count(pool: &PgPool, what: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from {what}")))
        .fetch_one(pool)
        .await
        .unwrap()
}
