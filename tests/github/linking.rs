//! `/idp link github`: from the word in chat over GitHub's page to the account that is theirs, and every way it can end.

use std::sync::Arc;

use chrono::Utc;
use graphile_worker::WorkerOptions;
use idp::clients::forge::github::device::DeviceFlow;
use idp::clients::forge::github::directory::Directory;
use idp::clients::slack::Slack;
use idp::worker::teams::Hub;
use idp::worker::{Bench, Patience, queue, sender};
use secrecy::{SecretBox, SecretString};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::server::levers::{Lever, Trouble};
use super::server::{GitHub, ORG, spec};
use super::teams::settings_of;
use crate::core::world::{ALEX, PRIYA, World, text};
use crate::simulator::clients::found;
use crate::support::serve::{Site, until};
use crate::support::slack::{BOT_TOKEN, Fake};

/// The workspace, its Slack, its GitHub, and a worker between them.
struct Office {
    world: World,
    slack: Fake,
    github: GitHub,
    stop: CancellationToken,
}

fn described() -> bool {
    found(&spec::file(), "linking with the strict GitHub server")
}

impl Office {
    async fn open() -> Self {
        let github = GitHub::start();
        github.world().app.device_interval = 1;
        let client_id = github.world().app.client_id.clone();
        let world = World::with(|settings| {
            settings.organisation = Some(ORG.to_owned());
            settings.links = true;
            settings.state_key = Some(SecretBox::from(vec![7; 32]));
        })
        .await;
        let settings = settings_of(&github);
        let device = DeviceFlow::new(&settings.git_url, &settings.api_url, client_id).unwrap();
        let hub = Hub {
            directory: Arc::new(Directory::new(&settings, Arc::new(Utc::now)).unwrap()),
            device: Some(device),
            app_id: None,
        };
        let office = Self {
            world,
            slack: Fake::start().await,
            github,
            stop: CancellationToken::new(),
        };
        office.work(hub);
        office
    }

    fn work(&self, hub: Hub) {
        let (app, stop) = (self.world.app.clone(), self.stop.clone());
        let bench = Bench {
            app: app.clone(),
            registry: self.world.registry.clone(),
            chats: idp::worker::Chats::default(),
            hub: Some(hub),
            patience: Patience::default(),
            alone: idp::worker::Alone::default(),
            stop: stop.clone(),
        };
        let pool = app.pool.clone();
        let factory: queue::Factory =
            Arc::new(move || WorkerOptions::default().pg_pool(pool.clone()));
        tokio::spawn(queue::run(bench, factory, 2));
        let slack = Slack::new(&self.slack.api_url(), &SecretString::from(BOT_TOKEN)).unwrap();
        tokio::spawn(sender::run(app, slack, self.world.installation, stop));
    }

    async fn asks(&self, who: &str) -> String {
        text(&self.world.says(who, "link github").await)
    }

    /// The message with these words among those of a person.
    async fn told(&self, who: &str, words: &str) -> String {
        let channel = who.replace('U', "D");
        self.slack
            .until(|slack| {
                let messages = slack.messages(&channel);
                let mut texts = messages.iter().filter_map(|m| m["text"].as_str());
                texts.find(|t| t.contains(words)).map(str::to_owned)
            })
            .await
    }

    /// The code that a person was sent last.
    async fn code(&self, who: &str) -> String {
        let known = self.github.world().device.len();
        self.asks(who).await;
        until("no code comes", async || {
            let world = self.github.world();
            world
                .device
                .get(known)
                .map(|device| device.user_code.clone())
        })
        .await
    }

    async fn links(&self, who: &str, login: &str) {
        let code = self.code(who).await;
        self.told(who, &code).await;
        self.github.authorise_device(&code, Some(login));
    }

    /// Whose an account on GitHub is.
    async fn whose(&self, login: &str) -> Vec<String> {
        sqlx::query_scalar(
            "select a.external_id from account g join account a on a.person_id = g.person_id and a.id <> g.id
             where g.name = $1 and g.kind = 'full' order by 1",
        )
        .bind(login)
        .fetch_all(self.world.pool())
        .await
        .unwrap()
    }

    async fn evidence(&self, kind: &str) -> Vec<Value> {
        let bodies: Vec<Vec<u8>> =
            sqlx::query_scalar("select body from audit where kind = $1 order by seq")
                .bind(kind)
                .fetch_all(self.world.pool())
                .await
                .unwrap();
        let json = |body: &Vec<u8>| {
            let at = body.iter().position(|b| *b == b'{').unwrap();
            serde_json::from_slice(&body[at..]).unwrap()
        };
        bodies.iter().map(json).collect()
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_that_is_typed_on_github_makes_the_account_theirs() {
    if !described() {
        return;
    }
    let office = Office::open().await;
    assert!(
        office
            .asks(PRIYA)
            .await
            .contains("comes to you as a direct message")
    );
    // Asked again at once, it is the same code.
    office.asks(PRIYA).await;
    let message = office.told(PRIYA, "/login/device").await;
    let (code, secret) = {
        let world = office.github.world();
        assert_eq!(world.device.len(), 1);
        (
            world.device[0].user_code.clone(),
            world.device[0].code.clone(),
        )
    };
    assert!(
        message.contains(&code) && !message.contains(&secret),
        "{message}"
    );
    let kept: Vec<u8> = sqlx::query_scalar("select device_code from link")
        .fetch_one(office.world.pool())
        .await
        .unwrap();
    assert!(!String::from_utf8_lossy(&kept).contains(&secret));

    office.github.authorise_device(&code, Some("priya-nair"));
    office.told(PRIYA, "priya-nair on GitHub is yours").await;
    office.told(PRIYA, "The code for GitHub was used").await;
    assert_eq!(office.whose("priya-nair").await, [PRIYA]);
    assert_eq!(office.evidence("link.made").await.len(), 1);
    assert_eq!(
        office
            .world
            .count("select count(*) from link where device_code is not null")
            .await,
        0
    );
    // Nobody was looked for more often than GitHub allows.
    assert_eq!(office.github.world().device[0].interval, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_one_persons_and_a_person_has_one() {
    if !described() {
        return;
    }
    let office = Office::open().await;
    office.links(PRIYA, "priya-nair").await;
    office.told(PRIYA, "priya-nair on GitHub is yours").await;

    office.links(ALEX, "priya-nair").await;
    office
        .told(ALEX, "priya-nair on GitHub belongs to somebody else here")
        .await;
    assert_eq!(office.whose("priya-nair").await, [PRIYA]);
    assert_eq!(office.evidence("link.refused").await.len(), 1);

    office.world.later(2).await;
    office.links(PRIYA, "sam-ito").await;
    office.told(PRIYA, "sam-ito on GitHub is yours").await;
    assert_eq!(office.whose("sam-ito").await, [PRIYA]);
    assert_eq!(office.whose("priya-nair").await, [""; 0]);
    let made = office.evidence("link.made").await;
    let replaced = made[1].to_string();
    assert!(replaced.contains("\"replaced\":[\""), "{replaced}");

    // What was freed can be linked by whom it belongs to.
    office.world.later(2).await;
    office.links(ALEX, "priya-nair").await;
    office.told(ALEX, "priya-nair on GitHub is yours").await;
    assert_eq!(office.whose("priya-nair").await, [ALEX]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_that_is_declined_or_late_or_replaced_links_nothing() {
    if !described() {
        return;
    }
    let office = Office::open().await;
    let code = office.code(PRIYA).await;
    office.told(PRIYA, &code).await;
    office.github.authorise_device(&code, None);
    office
        .told(PRIYA, "You declined on GitHub. Nothing is linked.")
        .await;

    office.world.later(2).await;
    let code = office.code(PRIYA).await;
    office.told(PRIYA, &code).await;
    office.world.later(11).await;
    office
        .told(PRIYA, "The code wasn't used in time. Nothing is linked.")
        .await;
    office
        .told(PRIYA, "The code for GitHub can't be used any more")
        .await;
    // Too late by our clock, whatever GitHub's says.
    office.github.authorise_device(&code, Some("priya-nair"));

    let old = office.code(ALEX).await;
    office.told(ALEX, &old).await;
    office.world.later(2).await;
    let new = office.code(ALEX).await;
    office.told(ALEX, &new).await;
    office.told(ALEX, "There is a newer code for GitHub").await;
    office.github.authorise_device(&old, Some("alex-ruiz"));
    office.github.authorise_device(&new, Some("sam-ito"));
    office.told(ALEX, "sam-ito on GitHub is yours").await;
    assert_eq!(office.evidence("link.made").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_github_that_fails_in_between_is_asked_again_and_one_that_cant_is_told() {
    if !described() {
        return;
    }
    let office = Office::open().await;
    office
        .github
        .troubles("users/get-authenticated", 0, 2, Trouble::Status(502));
    office.links(PRIYA, "priya-nair").await;
    office.told(PRIYA, "priya-nair on GitHub is yours").await;

    // The token was given and never came: the code is no good any more, and that is told.
    let code = office.code(ALEX).await;
    office.told(ALEX, &code).await;
    {
        let mut world = office.github.world();
        world.device.last_mut().unwrap().answer = Some(Some("alex-ruiz".to_owned()));
        world.levers.pull(Lever {
            operation: "login/oauth/access_token".to_owned(),
            skip: 0,
            times: 1,
            trouble: Trouble::BreakAfter,
        });
    }
    office
        .told(ALEX, "GitHub gave no good answer. Nothing is linked.")
        .await;
    assert_eq!(office.whose("alex-ruiz").await, [""; 0]);

    office.github.world().app.device_flow = false;
    office.world.later(2).await;
    office.asks(PRIYA).await;
    office
        .told(
            PRIYA,
            "idp's App on GitHub doesn't take part in device flow",
        )
        .await;
}

#[tokio::test]
async fn what_is_missing_for_it_is_said() {
    let world = World::with(|settings| settings.organisation = Some(ORG.to_owned())).await;
    let said = text(&world.says(PRIYA, "link github").await);
    assert!(
        said.contains("can't be linked here yet") && said.contains("GITHUB_CLIENT_ID"),
        "{said}"
    );
    let world = World::new().await;
    let said = text(&world.says(PRIYA, "link github").await);
    assert!(said.contains("no GitHub to link to"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_a_process_it_links_and_logs_no_secret() {
    if !described() {
        return;
    }
    let github = GitHub::start();
    let site = Site::new("").await;
    let client_id = github.world().app.client_id.clone();
    let served = site
        .serve_with(|serve| {
            serve
                .env("GITHUB_API_URL", github.api_url())
                .env("GITHUB_GIT_URL", github.git_url())
                .env("GITHUB_ORG", ORG)
                .env("GITHUB_APP_ID", github.app_id().to_string())
                .env("GITHUB_CLIENT_ID", client_id)
                .env("GITHUB_APP_PRIVATE_KEY", github.private_key())
                .env("RUST_LOG", "idp=trace");
        })
        .await;
    let answer = site.types(&served, "U0PRIYA", "link github").await;
    assert!(answer.text.contains("direct message"), "{}", answer.text);
    let code = until("no code comes", async || {
        let world = github.world();
        world.device.first().map(|device| device.user_code.clone())
    })
    .await;
    github.authorise_device(&code, Some("priya-nair"));
    site.fake
        .until(|slack| {
            let messages = slack.messages("D0PRIYA");
            let linked = |m: &&Value| m["text"].to_string().contains("is yours here from now on");
            messages.iter().find(linked).cloned()
        })
        .await;
    let log = served.log();
    let world = github.world();
    for secret in world.tokens.keys().chain([&world.device[0].code]) {
        assert!(!log.contains(secret), "{secret} stands in the log");
    }
}
