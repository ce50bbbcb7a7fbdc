//! The demo as people start it: `idp demo`, its bot a process of its own, its levers pulled through the control address
//! of its page.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;

/// How long anything may take that somebody waits for: a first start makes a database cluster.
const PATIENCE: Duration = Duration::from_secs(90);

/// A running demo.
struct Demo {
    process: Child,
    page: String,
    output: PathBuf,
    http: reqwest::Client,
}

impl Demo {
    /// Starts it on a folder and waits for its address.
    async fn start(folder: &Path, arguments: &[&str]) -> Self {
        idp::clients::install_crypto_provider();
        let output = folder.join("output");
        let file = File::create(&output).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_idp"))
            .args(["demo", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("IDP_DATA_DIR", folder.join("data"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .unwrap();
        let mut demo = Self {
            process,
            page: String::new(),
            output,
            http: reqwest::Client::new(),
        };
        let address = demo.until("an address", async |demo| {
            let printed = demo.printed();
            let (_, rest) = printed.split_once("The demo is ready: ")?;
            let (address, _) = rest.split_once('\n')?;
            Some(address.trim_end_matches('/').to_owned())
        });
        demo.page = address.await;
        demo
    }

    fn printed(&self) -> String {
        std::fs::read_to_string(&self.output).unwrap()
    }

    /// Stops it as Ctrl-C does, and waits for its end.
    fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if !matches!(self.process.try_wait(), Ok(None)) {
            return;
        }
        let pid = self.process.id().to_string();
        let _ = Command::new("kill").args(["-INT", &pid]).status();
        let _ = self.process.wait();
    }

    async fn act(&self, what: &str, act: Value) {
        let url = format!("{}/sim/{what}", self.page);
        let answer = self.http.post(url).json(&act).send().await.unwrap();
        let good = answer.status().is_success();
        let said: Value = answer.json().await.unwrap();
        assert!(good && said["problem"].is_null(), "{what}: {said}");
    }

    async fn see(&self, what: &str) -> Value {
        let url = format!("{}/sim/{what}", self.page);
        let answer = self.http.get(url).send().await.unwrap();
        answer.json().await.unwrap()
    }

    async fn until<T>(&self, what: &str, look: impl AsyncFn(&Self) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(seen) = look(self).await {
                return seen;
            }
            let in_time = Instant::now() < deadline;
            assert!(in_time, "in vain: {what}\n{}", self.printed());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The root cards of #platform, with how many replies each has.
    async fn cards(&self, subject: &str) -> Vec<(Value, u64)> {
        let timeline = self.see("timeline?person=alex&channel=platform").await;
        let posts = timeline.as_array().unwrap().iter();
        let own = posts.filter(|post| post["by_bot"] == true);
        own.map(|post| (post["message"].clone(), post["replies"].as_u64().unwrap()))
            .filter(|(card, _)| card["text"].as_str().unwrap().contains(subject))
            .collect()
    }

    /// The card of a subject once its one line says this.
    async fn card(&self, subject: &str, says: &str) -> Value {
        self.until(&format!("{subject}: {says}"), async |demo| {
            let cards = demo.cards(subject).await;
            let found = cards.into_iter().map(|(card, _)| card);
            found
                .into_iter()
                .find(|card| card["text"].as_str().unwrap().contains(says))
        })
        .await
    }

    /// Priya types the command with a name, and sends each page as it comes up.
    async fn asks(&self, name: &str) {
        let words = format!("/idp new-service {name}");
        self.act(
            "say",
            json!({ "person": "priya", "channel": "platform", "text": words }),
        )
        .await;
        for button in ["Next", "Ask for approval"] {
            let view = self.until("a page", async |demo| {
                let view = demo.see("view?person=priya").await;
                (view["definition"]["submit"]["text"] == button).then_some(view)
            });
            let view = view.await["id"].clone();
            self.act("submit", json!({ "person": "priya", "view": view }))
                .await;
        }
        self.act("close", json!({ "person": "priya" })).await;
    }

    async fn presses(&self, person: &str, card: &Value, button: &str) {
        let on = json!({ "message": { "channel": card["channel"], "ts": card["ts"] } });
        self.act(
            "press",
            json!({ "person": person, "on": on, "action_id": button }),
        )
        .await;
    }

    async fn pulls(&self, levers: Value) {
        self.act("levers", levers).await;
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.end();
    }
}

/// One that the database's own user can reach, where that is another one.
fn folder() -> TempDir {
    tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o755))
        .tempdir()
        .unwrap()
}

#[tokio::test]
async fn it_opens_with_one_finished_request_and_never_with_two() {
    let folder = folder();
    let demo = Demo::start(folder.path(), &[]).await;
    let card = demo.card("orders-api", "done in").await;
    let first = card["ts"].clone();
    assert!(
        card["blocks"].to_string().contains("Open repository"),
        "{card:#}"
    );
    let clone = card["blocks"].to_string();
    let (_, pasted) = clone.split_once("git clone ").unwrap();
    let address = pasted.split(['\\', '"', '`']).next().unwrap();
    let cloned = Command::new("git")
        .args(["clone", "--quiet", address])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(cloned.status.success(), "{cloned:?}");
    assert!(folder.path().join("orders-api/README.md").is_file());
    demo.stop();

    let demo = Demo::start(folder.path(), &[]).await;
    demo.asks("payments-api").await;
    demo.card("payments-api", "waiting for").await;
    let cards = demo.cards("orders-api").await;
    assert_eq!((cards.len(), &cards[0].0["ts"]), (1, &first), "{cards:#?}");
    demo.stop();

    // Anew, and with templates of one's own.
    own_templates(&folder.path().join("own"));
    let demo = Demo::start(folder.path(), &["--reset", "--templates-dir", "own"]).await;
    let card = demo.card("orders-api", "done in").await;
    assert_ne!(card["ts"], first);
    assert!(demo.cards("payments-api").await.is_empty());
    let words = json!({ "person": "priya", "channel": "platform", "text": "/idp new-service" });
    demo.act("say", words).await;
    demo.until("a form with our own template", async |demo| {
        let view = demo.see("view?person=priya").await.to_string();
        view.contains("Pages of our own").then_some(())
    })
    .await;
    demo.stop();
}

/// The shipped templates, one of them under another title.
fn own_templates(folder: &Path) {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let copied = Command::new("cp")
        .arg("-r")
        .args([&shipped, folder])
        .status()
        .unwrap();
    assert!(copied.success());
    let file = folder.join("static-site/template.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replace(
        "title: Static site\n  desc",
        "title: Pages of our own\n  desc",
    );
    std::fs::write(&file, text).unwrap();
}

#[tokio::test]
async fn what_people_break_is_mended() {
    let folder = folder();
    let demo = Demo::start(folder.path(), &[]).await;
    demo.card("orders-api", "done in").await;

    // Each of two deliveries comes twice: the form that is sent, the button that is pressed.
    demo.pulls(json!({ "deliver_twice": 4 })).await;
    demo.asks("twice-api").await;
    let card = demo.card("twice-api", "waiting for").await;
    demo.pulls(json!({ "deliver_twice": 1 })).await;
    demo.presses("alex", &card, "request.approve").await;
    demo.card("twice-api", "done in").await;
    // Whoever is quicker than the sender is not asked any more: two replies, or three.
    let thread = demo.until("its end", async |demo| {
        let cards = demo.cards("twice-api").await;
        assert_eq!(cards.len(), 1, "{cards:#?}");
        assert!(cards[0].1 <= 3, "{cards:#?}");
        (cards[0].1 >= 2).then_some(())
    });
    thread.await;
    let settings = demo.see("workspace").await["settings"].clone();
    assert_eq!(settings["deliver_twice"], 0);

    // Slack refuses everything for a while, from the moment of the press.
    demo.asks("busy-api").await;
    let card = demo.card("busy-api", "waiting for").await;
    demo.pulls(json!({ "refuse_for_s": 3 })).await;
    demo.presses("alex", &card, "request.approve").await;
    demo.card("busy-api", "done in").await;

    // The git server is away when the run begins, and back before anybody has to do something.
    demo.asks("away-api").await;
    let card = demo.card("away-api", "waiting for").await;
    demo.pulls(json!({ "forge_away_s": 3 })).await;
    demo.presses("alex", &card, "request.approve").await;
    let ended = demo.until("an end of away-api", async |demo| {
        let (card, _) = demo.cards("away-api").await.pop()?;
        if card["text"].as_str()?.contains("done in") {
            return Some(());
        }
        if card["blocks"].to_string().contains("run.retry") {
            demo.presses("alex", &card, "run.retry").await;
        }
        None
    });
    ended.await;

    // It is away while a request is planned: the card says so, and what for.
    demo.pulls(json!({ "forge_away_s": 4 })).await;
    demo.asks("held-api").await;
    demo.card("held-api", "held up: ").await;
    demo.card("held-api", "waiting for").await;

    // The bot is killed in the middle of things.
    demo.asks("killed-api").await;
    let card = demo.card("killed-api", "waiting for").await;
    demo.presses("alex", &card, "request.approve").await;
    demo.pulls(json!({ "kill_bot": true })).await;
    demo.card("killed-api", "done in").await;
    let restarted = demo.until("a new start", async |demo| {
        demo.printed().contains("The bot is gone").then_some(())
    });
    restarted.await;
    demo.stop();
}

/// The same company on Discord: the same bot, the same engine, the same rules.
#[tokio::test]
async fn a_request_is_made_and_approved_on_discord() {
    let folder = folder();
    let demo = Demo::start(folder.path(), &[]).await;
    demo.card("orders-api", "done in").await;
    let words = "/idp run command:new-service words:billing-api";
    let place = json!({ "person": "priya", "channel": "platform", "text": words });
    demo.act("discord/say", place).await;
    // A page comes in parts: each is sent as it stands, and the button between them pressed.
    let card = demo.until("a card on Discord", async |demo| {
        let modal = demo.see("discord/modal?person=priya").await;
        if modal.is_object() {
            demo.act("discord/submit", json!({ "person": "priya" }))
                .await;
        }
        let seen = demo.on_discord("priya", "platform").await;
        if let Some(next) = seen.last().filter(|own| labels(own).contains(&"Continue")) {
            demo.presses_on_discord("priya", next, "Continue").await;
        }
        seen.into_iter().find(|own| {
            let said = own["content"].as_str().unwrap();
            labels(own).contains(&"Approve") && said.contains("billing-api")
        })
    });
    let card = card.await;
    demo.presses_on_discord("alex", &card, "Approve").await;
    let asked = demo.until("the question", async |demo| {
        let seen = demo.on_discord("alex", "platform").await;
        let mut seen = seen.into_iter();
        seen.find(|own| own["only_for"].is_string() && !labels(own).is_empty())
    });
    let asked = asked.await;
    let yes = labels(&asked)[0].to_owned();
    demo.presses_on_discord("alex", &asked, &yes).await;
    demo.until("an end on Discord", async |demo| {
        let seen = demo.on_discord("tom", "platform").await;
        let card = seen.iter().find(|own| own["id"] == card["id"])?;
        card["components"]
            .to_string()
            .contains("Open repository")
            .then_some(())
    })
    .await;
    let thread = demo.on_discord("tom", card["id"].as_str().unwrap()).await;
    assert!(!thread.is_empty() && thread.len() <= 3, "{thread:#?}");
    // On Slack nobody asked for it.
    assert!(demo.cards("billing-api").await.is_empty());
    demo.stop();
}

impl Demo {
    /// What somebody reads in a channel or thread of the Discord server.
    async fn on_discord(&self, person: &str, channel: &str) -> Vec<Value> {
        let path = format!("discord/timeline?person={person}&channel={channel}");
        self.see(&path)
            .await
            .as_array()
            .cloned()
            .unwrap_or_default()
    }

    async fn presses_on_discord(&self, person: &str, message: &Value, label: &str) {
        let on = json!({ "channel": message["channel"], "id": message["id"] });
        let press = json!({ "person": person, "on": on, "component": label });
        self.act("discord/press", press).await;
    }
}

/// The labels of a message's buttons.
fn labels(message: &Value) -> Vec<&str> {
    let rows = message["components"].as_array().unwrap().iter();
    let buttons = rows.flat_map(|row| row["components"].as_array().unwrap());
    buttons.filter_map(|own| own["label"].as_str()).collect()
}
