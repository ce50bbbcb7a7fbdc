//! The company at work: the bot as an operator runs it, on one platform, and what its people do there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use sqlx::{AssertSqlSafe, PgPool};

use super::discord::Discord;
use super::driver::{Chat, Loss, Place, Seen, Sent, Typed, Who};
use super::slack::Slack;
use crate::support::serve::{Served, Site, until};

const TOML: &str = r##"
organisation = "acme"

[teams.payments]
title = "Payments"
members = ["group:engineers"]
leads = ["group:payments-leads"]

[channels]
default = "#platform"
security = "#payments"
"##;

/// The platforms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    Slack,
    Discord,
}

/// A bot, a platform and people.
pub struct Office {
    pub chat: Box<dyn Chat>,
    pub site: Site,
    served: Mutex<Option<Served>>,
    pool: PgPool,
    /// Whether the company is on the site's Slack as well.
    on_slack_too: bool,
    /// How much each had been told before they acted last.
    before: Mutex<BTreeMap<Who, usize>>,
}

/// Tells a story on a platform; the platform has to have taken everything that the bot sent.
pub async fn tell(on: On, story: impl AsyncFnOnce(&Office)) {
    let office = Office::open(on).await;
    story(&office).await;
    let refused = office.chat.refused();
    assert_eq!(refused, Vec::<String>::new(), "the platform refused it");
}

impl Office {
    pub async fn open(on: On) -> Self {
        let chat: Box<dyn Chat> = match on {
            On::Slack => Box::new(Slack::start().await),
            On::Discord => Box::new(Discord::start().await),
        };
        Self::with(chat).await
    }

    /// On a platform that stands already.
    pub async fn with(chat: Box<dyn Chat>) -> Self {
        Self::of(chat, TOML, false).await
    }

    /// The company is on Slack as well, where this account of another platform's leads payments too.
    pub async fn with_lead_on_slack(chat: Box<dyn Chat>, lead: &str) -> Self {
        let leads = "leads = [\"group:payments-leads\"";
        let toml = TOML.replace(leads, &format!("{leads}, \"{lead}\""));
        let office = Self::of(chat, &toml, true).await;
        office.site.knows(lead, "platform").await;
        office
    }

    async fn of(chat: Box<dyn Chat>, toml: &str, on_slack_too: bool) -> Self {
        let site = Site::new(toml).await;
        furnish(&site.path("house"));
        let pool = site.database.pool(4).await;
        let office = Self {
            chat,
            site,
            served: Mutex::default(),
            pool,
            on_slack_too,
            before: Mutex::default(),
        };
        office.starts().await;
        office
    }

    pub async fn starts(&self) {
        let house = self.site.path("house");
        let serve = self.site.serve_with(|command: &mut Command| {
            for ours in ["API_URL", "BOT_TOKEN", "SIGNING_SECRET"] {
                if !self.on_slack_too {
                    command.env_remove(format!("SLACK_{ours}"));
                }
            }
            command
                .env("IDP_COMMANDS_DIR", house.join("commands"))
                .env("IDP_TEMPLATES_DIR", house.join("templates"));
            self.chat.introduces(command);
        });
        let served = serve.await;
        self.chat.finds(&served.url);
        *self.served.lock().unwrap() = Some(served);
        let leads = [Who::Priya, Who::Alex, Who::Sam].map(|who| self.chat.account(who));
        self.becomes(
            "people are known",
            format!(
                "(select count(*) from account where kind = 'full' and external_id = any('{{{}}}')) = 3
                 and (select count(distinct channel_id) from channel_member) >= 2",
                leads.join(",")
            ),
        )
        .await;
    }

    /// The bot's process is killed, and another one takes over.
    pub async fn restarts(&self) {
        self.stops();
        self.starts().await;
    }

    /// The bot's process is killed.
    pub fn stops(&self) {
        drop(self.served.lock().unwrap().take());
    }

    /// What the bot logged since it was started last.
    pub fn log(&self) -> String {
        let served = self.served.lock().unwrap();
        served.as_ref().unwrap().log()
    }

    /// Where the bot answers.
    pub fn url(&self) -> String {
        self.served.lock().unwrap().as_ref().unwrap().url.clone()
    }

    /// What somebody was told so far is old: they act.
    pub fn acts(&self, who: Who) {
        let told = self.chat.told(who).len();
        self.before.lock().unwrap().insert(who, told);
    }

    /// Somebody types the command in `#platform`.
    pub async fn says(&self, who: Who, words: &str) {
        self.says_in(who, Place::Platform, words).await;
    }

    pub async fn says_in(&self, who: Who, place: Place, words: &str) {
        self.acts(who);
        self.chat.types(who, place, words).await;
    }

    /// Somebody presses a button, and says yes where they are asked once more; gives the question.
    pub async fn presses(&self, who: Who, on: &Seen, label: &str) -> Option<String> {
        self.acts(who);
        self.chat.presses(who, on, label).await
    }

    /// Somebody fills in and sends the page that is open before them.
    pub async fn fills(&self, who: Who, typed: &[(&str, &str)]) -> Sent {
        self.acts(who);
        self.chat.fills(who, Typed::Fields(typed)).await
    }

    /// Somebody denies, with this reason.
    pub async fn denies(&self, who: Who, card: &Seen, reason: &str) {
        self.presses(who, card, "Deny…").await;
        let sent = self.fills(who, &[("reason", reason)]).await;
        assert_eq!(sent, Sent::Over);
    }

    /// What somebody is told since they acted last.
    pub async fn told(&self, who: Who, words: &str) -> Seen {
        let before = self.before.lock().unwrap().get(&who).copied();
        self.sees(
            &format!("{who:?} is told {words:?}"),
            || {
                let told = self.chat.told(who).into_iter();
                told.skip(before.unwrap_or_default()).collect()
            },
            |seen| seen.says(words),
        )
        .await
    }

    /// The last answer with this button that somebody got since they acted last.
    pub async fn answers(&self, who: Who, button: &str) -> Seen {
        let before = self.before.lock().unwrap().get(&who).copied();
        let what = format!("{who:?} gets an answer with {button}");
        let has = |seen: &Seen| seen.buttons.iter().any(|label| label == button);
        let since = || {
            let told = self.chat.told(who).into_iter();
            let since: Vec<Seen> = told.skip(before.unwrap_or_default()).collect();
            since.into_iter().rev().collect()
        };
        self.sees(&what, since, has).await
    }

    /// Fills all pages of the form that is open with the same values.
    pub async fn fills_all(&self, who: Who, typed: &[(&str, &str)]) {
        for _ in 0..4 {
            match self.fills(who, typed).await {
                Sent::Page => {}
                Sent::Over => return,
                Sent::Wrong(errors) => panic!("{errors:?}"),
            }
        }
        panic!("the form never ends");
    }

    /// Asks for a service; gives the card that waits for its approval.
    pub async fn asks(&self, who: Who, name: &str) -> Seen {
        self.asks_for(who, "new-service", &service(name)).await;
        self.waits(name).await
    }

    pub async fn asks_for(&self, who: Who, command: &str, typed: &[(&str, &str)]) {
        self.says(who, command).await;
        self.fills_all(who, typed).await;
        self.told(who, "is asked for").await;
    }

    /// The card that waits for approval.
    pub async fn waits(&self, name: &str) -> Seen {
        self.card(name, "Waiting for approval").await
    }

    /// The card of a request in `#platform`, once it says this.
    pub async fn card(&self, name: &str, says: &str) -> Seen {
        self.card_in(Place::Platform, name, says).await
    }

    pub async fn card_in(&self, place: Place, name: &str, says: &str) -> Seen {
        let what = format!("{says:?} on the card of {name} in {place:?}");
        let about = |seen: &Seen| seen.words.starts_with(&format!("{name} ·")) && seen.says(says);
        self.sees(&what, || self.chat.channel(place), about).await
    }

    /// A message in somebody's direct messages.
    pub async fn direct(&self, who: Who, says: &str) -> Seen {
        let what = format!("{says:?} in {who:?}'s messages");
        self.sees(&what, || self.chat.direct(who), |seen| seen.says(says))
            .await
    }

    /// A reply to a card.
    pub async fn reply(&self, card: &Seen, says: &str) -> Seen {
        let what = format!("{says:?} under the card");
        self.sees(&what, || self.chat.thread(card), |seen| seen.says(says))
            .await
    }

    async fn sees(
        &self,
        what: &str,
        look: impl Fn() -> Vec<Seen>,
        is: impl Fn(&Seen) -> bool,
    ) -> Seen {
        let mut last = Vec::new();
        let seen = tokio::time::timeout(
            std::time::Duration::from_secs(25),
            until(what, async || {
                last = look();
                last.iter().find(|seen| is(seen)).cloned()
            }),
        )
        .await;
        seen.unwrap_or_else(|_| {
            let words: Vec<&str> = last.iter().map(|seen| seen.words.as_str()).collect();
            panic!("never: {what}. There is: {words:#?}")
        })
    }

    /// Takes a leader of payments out of the group, as the platform tells it.
    pub async fn loses_role(&self, who: Who) {
        self.chat.takes(Loss::Role(who)).await;
        if !self.chat.tells_roles() {
            let out = format!(
                "not exists (select from membership m join account a on a.id = m.account_id
                 join idp_group g on g.id = m.group_id
                 where a.external_id = '{}' and g.handle = 'payments-leads')",
                self.chat.account(who)
            );
            self.becomes("the bot reads the group", out).await;
        }
    }

    /// The company calls itself otherwise from now on.
    pub async fn renames_organisation(&self, name: &str) {
        let named = format!("organisation = \"{name}\"");
        self.site
            .configure(&TOML.replace("organisation = \"acme\"", &named));
        let served = "the configuration is read";
        until(served, async || {
            let log = self.log();
            log.contains("Read the configuration again").then_some(())
        })
        .await;
    }

    /// Lets time pass, for the whole product.
    pub async fn later(&self, interval: &str) {
        self.execute(&format!(
            "update clock set shift = shift + interval '{interval}'"
        ))
        .await;
        self.hurries().await;
    }

    /// Jobs that wait for their time are due.
    pub async fn hurries(&self) {
        self.execute("update graphile_worker._private_jobs set run_at = now() where locked_at is null and run_at > now()")
            .await;
        self.execute("notify \"jobs:insert\", '{}'").await;
    }

    /// Waits until what is known of groups is of now, after time has passed.
    pub async fn reads_people(&self) {
        let fresh = "not exists (select from installation where platform in ('slack', 'discord')
            and (synced_at is null or synced_at < idp_now() - interval '2 minutes'))";
        self.becomes("groups are read", fresh.to_owned()).await;
    }

    /// Waits until a condition holds in the database.
    pub async fn becomes(&self, what: &str, condition: String) {
        let sql = format!("select {condition}");
        until(what, async || {
            let holds: bool = sqlx::query_scalar(AssertSqlSafe(sql.clone()))
                .fetch_one(&self.pool)
                .await
                .unwrap();
            holds.then_some(())
        })
        .await;
    }

    /// Rows, counted: `vote where verdict = 'approve'`.
    pub async fn count(&self, of: &str) -> i64 {
        self.value(&format!("count(*) from {of}")).await
    }

    /// One value out of the database.
    pub async fn value<T>(&self, what: &str) -> T
    where
        T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        sqlx::query_scalar(AssertSqlSafe(format!("select {what}")))
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    pub async fn execute(&self, sql: &str) {
        sqlx::query(AssertSqlSafe(sql.to_owned()))
            .execute(&self.pool)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// The database, for a transaction of the story's own.
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The number of the newest request.
    pub async fn number(&self) -> i64 {
        self.value("max(number) from request").await
    }

    /// Where a repository stands on the forge.
    pub fn repository(&self, name: &str) -> PathBuf {
        self.site.path(&format!("idp-data/git/acme/{name}.git"))
    }

    /// Somebody makes a repository of this name without the bot.
    pub fn takes_name(&self, name: &str) {
        let made = Command::new("git")
            .args(["init", "--quiet", "--bare"])
            .arg(self.repository(name))
            .status();
        assert!(made.unwrap().success());
    }

    /// And deletes it.
    pub fn frees_name(&self, name: &str) {
        std::fs::remove_dir_all(self.repository(name)).unwrap();
    }
}

/// A service of the payments team, with what all its pages ask for.
pub fn service(name: &str) -> [(&'static str, &str); 5] {
    [
        ("name", name),
        ("template", "static-site"),
        ("owner", "payments"),
        ("visibility", "private"),
        ("headline", "Hello"),
    ]
}

/// The commands and templates that stories use: the shipped ones, and some that stop, wait or ask nobody.
fn furnish(house: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (from, to) in [
        ("commands", "commands"),
        ("templates/static-site", "templates/static-site"),
        ("tests/conformance/house", ""),
    ] {
        let from = root.join(from);
        for entry in walkdir::WalkDir::new(&from).into_iter().map(Result::unwrap) {
            let target = house
                .join(to)
                .join(entry.path().strip_prefix(&from).unwrap());
            if entry.file_type().is_dir() {
                std::fs::create_dir_all(&target).unwrap();
            } else {
                std::fs::copy(entry.path(), &target).unwrap();
            }
        }
    }
}
