//! The backup and the restore of docs/operating.md, with the programs that it names.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::support::left_out;
use crate::support::postgres::Database;
use crate::support::serve::{API_TOKEN, Site, until};

const TOML: &str = r#"
commands_dir = "commands"

[teams.payments]
members = ["U0PRIYA"]
leads = ["U0ALEX"]
"#;

/// The shipped command, where nobody has to approve.
fn commands(site: &Site) {
    let shipped = include_str!("../../commands/new-service.yaml");
    let (before, rest) = shipped.split_once("  approval:\n").unwrap();
    let (_, steps) = rest.split_once("  steps:\n").unwrap();
    let open = format!("{before}  approval: [{{ name: open, require: [] }}]\n  steps:\n{steps}");
    std::fs::create_dir(site.path("commands")).unwrap();
    std::fs::write(site.path("commands/new-service.yaml"), open).unwrap();
}

fn done(program: &str, arguments: &[&str], at: &Path) {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(at)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_backed_up_is_restored_with_its_evidence_and_its_repositories() {
    if Command::new("pg_dump").arg("--version").output().is_err() {
        return left_out("backup and restore: needs `pg_dump` on the PATH");
    }
    let site = Site::new(TOML).await;
    commands(&site);
    let served = site.serve().await;
    let body = json!({ "command": "new-service", "values": { "name": "pay-api", "template": "static-site",
        "owner": "payments", "visibility": "private", "headline": "Hello" } });
    let url = format!("{}/api/requests", served.url);
    let client = reqwest::Client::new();
    let asked = client.post(&url).bearer_auth(API_TOKEN).json(&body).send();
    let number = asked
        .await
        .unwrap()
        .json::<serde_json::Value>()
        .await
        .unwrap()["number"]
        .clone();
    until("the request never succeeded", async || {
        let shown = client.get(format!("{url}/{number}")).bearer_auth(API_TOKEN);
        let shown: serde_json::Value = shown.send().await.ok()?.json().await.ok()?;
        if shown["run"]["state"] != "succeeded" {
            return None;
        }
        let attempts = shown["attempts"].as_array()?;
        let steps = attempts.iter().map(|attempt| attempt["step"].as_str());
        assert!(steps.eq(["scaffold/fetch", "scaffold/publish", "scaffold/register"].map(Some)));
        assert!(attempts.iter().all(|attempt| attempt["outcome"] == "done"
            && attempt["attempt"] == 1
            && attempt["finished_at"].is_string()));
        Some(())
    })
    .await;

    // While it runs, as docs/operating.md says.
    let dump = site.path("idp.dump");
    let dump = dump.to_str().unwrap();
    let from = site.database.url();
    done(
        "pg_dump",
        &["--format=custom", "--file", dump, &from],
        &site.path(""),
    );
    done(
        "tar",
        &["-cf", "../idp-data.tar", "git", "git.made"],
        &site.path("idp-data"),
    );
    drop(served);

    let restored = Site::with(Database::empty().await, TOML).await;
    commands(&restored);
    let to = restored.database.url();
    done(
        "pg_restore",
        &["--no-owner", "--dbname", &to, dump],
        &restored.path(""),
    );
    std::fs::create_dir(restored.path("idp-data")).unwrap();
    let archive = site.path("idp-data.tar");
    done(
        "tar",
        &["-xf", archive.to_str().unwrap()],
        &restored.path("idp-data"),
    );

    let verified = restored.runs(&["audit", "verify"]).await;
    let said = String::from_utf8_lossy(&verified.stdout);
    assert!(
        verified.status.success() && said.contains("rows in 2 chains"),
        "{said}"
    );
    let served = restored.serve().await;
    let repository = format!("{}/git/payments/pay-api.git", served.url);
    done(
        "git",
        &["clone", "--quiet", &repository, "clone"],
        &restored.path(""),
    );
    assert!(restored.path("clone/README.md").exists());
}
