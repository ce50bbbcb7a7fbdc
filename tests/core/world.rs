//! A workspace with people in it, and the words they say to the bot.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use idp::app::people::{self, AccountFacts, ChannelFacts, InstallationFacts, PlatformGroup};
use idp::app::plan::{self, PlanWork, Planned, Stored};
use idp::app::{App, Channels, Settings, Team, handle, view};
use idp::catalog::{Known, Library, Sources};
use idp::clients::forge::git::Git;
use idp::clients::forge::local::{LocalForge, Place as Folder};
use idp::domain::card::Card;
use idp::domain::event::{ButtonId, Delivery, Event, Place, PlaceKind, Sender, Turn};
use idp::domain::form::FormPage;
use idp::domain::id::{DraftId, InstallationId, PlanId, RequestId};
use idp::domain::person::{AccountKind, Platform};
use idp::domain::reply::Reply;
use idp::domain::request::RequestState;
use idp::domain::step::PlanError;
use idp::domain::view::RequestView;
use idp::steps::{Order, Registry};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::postgres::Database;

pub const TEAM: &str = "T1";

/// Priya asks; Alex and Sam lead payments; Mo is of the platform team; Tess of another one.
pub const PRIYA: &str = "U_PRIYA";
pub const ALEX: &str = "U_ALEX";
pub const SAM: &str = "U_SAM";
pub const MO: &str = "U_MO";
pub const TESS: &str = "U_TESS";

pub struct World {
    pub app: App,
    pub registry: Registry,
    pub installation: InstallationId,
    groups: Vec<PlatformGroup>,
    next: AtomicU32,
    _forge: tempfile::TempDir,
    _database: Database,
}

impl World {
    pub async fn new() -> Self {
        Self::with(|_| ()).await
    }

    pub async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::of(change, Sources::default(), 8).await
    }

    /// A world whose commands are the files of a folder.
    pub async fn of_commands(commands: PathBuf) -> Self {
        let sources = Sources {
            commands: Some(commands),
            templates: None,
        };
        Self::of(|_| (), sources, 8).await
    }

    pub async fn of(change: impl FnOnce(&mut Settings), sources: Sources, size: u32) -> Self {
        let database = Database::new().await;
        let forge = tempfile::tempdir().unwrap();
        let folder = Folder::open(forge.path().join("git")).unwrap();
        let git = Git::new(std::env::var_os("PATH").unwrap());
        let local = LocalForge::new(folder, "http://127.0.0.1:8484", git);
        let registry = Registry::new(Arc::new(local));
        let library = Library::open(sources, registry.specs(), Known::default());
        assert_eq!(library.current().problems(), []);
        let mut settings = settings();
        change(&mut settings);
        let app = App::new(database.pool(size).await, Arc::new(library), settings);
        let facts = InstallationFacts {
            platform: Platform::Slack,
            external: TEAM.to_owned(),
            name: "Acme".to_owned(),
            app: Some("A1".to_owned()),
            bot_account: Some("U_BOT".to_owned()),
        };
        let installation = people::record_installation(&app, &facts).await.unwrap();
        let world = Self {
            app,
            registry,
            installation,
            groups: groups(),
            next: AtomicU32::new(0),
            _forge: forge,
            _database: database,
        };
        world.settle().await;
        world
    }

    /// What the syncs would have told by now.
    async fn settle(&self) {
        for (external, name) in [
            (PRIYA, "Priya Nair"),
            (ALEX, "Alex Ruiz"),
            (SAM, "Sam Ito"),
            (MO, "Mo Diaz"),
            (TESS, "Tess Wu"),
        ] {
            self.is(external, name, AccountKind::Full, true).await;
        }
        let platform = ChannelFacts {
            external: "C_PLATFORM".to_owned(),
            name: Some("platform".to_owned()),
            kind: PlaceKind::Public,
            usable: Some(true),
            members: Some([PRIYA, ALEX].map(str::to_owned).to_vec()),
        };
        people::record_channel(&self.app, self.installation, &platform)
            .await
            .unwrap();
        self.read_groups().await;
    }

    /// The platform tells of an account.
    pub async fn is(&self, external: &str, name: &str, kind: AccountKind, active: bool) {
        let facts = AccountFacts {
            external: external.to_owned(),
            name: name.to_owned(),
            kind,
            active,
        };
        people::record_account(&self.app, self.installation, &facts)
            .await
            .unwrap();
    }

    /// The platform tells its groups.
    pub async fn read_groups(&self) {
        people::record_groups(&self.app, self.installation, &self.groups)
            .await
            .unwrap();
    }

    pub async fn leaves(&mut self, account: &str, group: &str) {
        let group = self.groups.iter_mut().find(|g| g.handle == group).unwrap();
        group.members.as_mut().unwrap().retain(|m| m != account);
        self.read_groups().await;
    }

    pub async fn joins(&mut self, account: &str, group: &str) {
        let group = self.groups.iter_mut().find(|g| g.handle == group).unwrap();
        group.members.as_mut().unwrap().push(account.to_owned());
        self.read_groups().await;
    }

    /// The group gets another handle; its id stays.
    pub async fn renames(&mut self, group: &str, handle: &str) {
        let group = self.groups.iter_mut().find(|g| g.handle == group).unwrap();
        handle.clone_into(&mut group.handle);
        self.read_groups().await;
    }

    pub fn pool(&self) -> &PgPool {
        &self.app.pool
    }

    /// Moves the clock of the whole product.
    pub async fn later(&self, minutes: i32) {
        sqlx::query("update clock set shift = shift + make_interval(mins => $1)")
            .bind(minutes)
            .execute(self.pool())
            .await
            .unwrap();
    }

    /// One number from the database.
    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql)
            .fetch_one(self.pool())
            .await
            .unwrap()
    }

    /// How many transactions of the pool's fell since they waited for each other.
    pub async fn deadlocks(&self) -> i64 {
        let mut all = Vec::new();
        for _ in 0..self.pool().size() {
            all.push(self.pool().acquire().await.unwrap());
        }
        // A connection keeps what it counted for a while, unless it is told to say it.
        for conn in &mut all {
            sqlx::query("select pg_stat_force_next_flush()")
                .execute(&mut **conn)
                .await
                .unwrap();
        }
        drop(all);
        self.count("select deadlocks from pg_stat_database where datname = current_database()")
            .await
    }

    pub fn delivery(&self, account: &str, event: Event) -> Delivery {
        let key = format!("event-{}", self.next.fetch_add(1, Ordering::Relaxed));
        Delivery {
            key,
            sender: Sender {
                platform: Platform::Slack,
                installation: TEAM.to_owned(),
                app: Some("A1".to_owned()),
                account: account.to_owned(),
                name: None,
                home: None,
                groups: None,
            },
            event,
        }
    }

    pub async fn does(&self, account: &str, event: Event) -> Reply {
        handle(&self.app, self.delivery(account, event))
            .await
            .unwrap()
    }

    /// `/idp WORDS` in #platform.
    pub async fn says(&self, account: &str, words: &str) -> Reply {
        self.says_in(account, words, ("C_PLATFORM", PlaceKind::Public))
            .await
    }

    pub async fn says_in(&self, account: &str, words: &str, place: (&str, PlaceKind)) -> Reply {
        let event = Event::Asked {
            command: "/idp".to_owned(),
            words: words.to_owned(),
            place: at(place),
        };
        self.does(account, event).await
    }

    pub async fn presses(&self, account: &str, button: ButtonId, value: impl ToString) -> Reply {
        self.does(account, pressed(button, value)).await
    }

    /// Fills a page and goes on.
    pub async fn fills(&self, account: &str, form: &FormPage, values: Value) -> Reply {
        self.turns(account, (form.draft, form.page), values, Turn::Next)
            .await
    }

    pub async fn turns(
        &self,
        account: &str,
        (draft, page): (DraftId, u32),
        values: Value,
        turn: Turn,
    ) -> Reply {
        let values = values.as_object().unwrap().clone().into_iter().collect();
        let event = Event::PageFilled {
            draft,
            page,
            values,
            turn,
        };
        self.does(account, event).await
    }

    /// Asks for a service from the first word to the sent form.
    pub async fn asks_for(&self, account: &str, name: &str) -> RequestId {
        self.asks_with(account, service(name)).await
    }

    pub async fn asks_with(&self, account: &str, first_page: Value) -> RequestId {
        let Reply::Form { form } = self.says(account, "new-service").await else {
            panic!("no form")
        };
        let second = self.fills(account, &form, first_page).await;
        let Reply::Form { form } = second else {
            panic!("no second page: {second:?}")
        };
        let sent = self
            .fills(account, &form, json!({ "headline": "Hello" }))
            .await;
        assert!(text(&sent).contains("is asked for"), "{sent:?}");
        self.newest().await
    }

    pub async fn newest(&self) -> RequestId {
        let id: uuid::Uuid =
            sqlx::query_scalar("select id from request order by number desc limit 1")
                .fetch_one(self.pool())
                .await
                .unwrap();
        RequestId::from_uuid(id)
    }

    /// What `worker` does with a request that is to be planned.
    pub async fn plans(&self, request: RequestId) -> Stored {
        let work = plan::take(&self.app, request).await.unwrap().unwrap();
        let planned = self.plan_of(&work).await;
        plan::store(&self.app, &work, planned).await.unwrap()
    }

    pub async fn plan_of(&self, work: &PlanWork) -> Result<Planned, PlanError> {
        let order = Order {
            request: work.request,
            number: work.number,
            requester: &work.requester,
            github: work.github.as_ref(),
            asked_at: work.asked_at,
            template: work.template.as_ref(),
            drafts: &work.drafts,
        };
        let planned = self.registry.plan(&order).await?;
        Ok(Planned {
            plan: planned.plan,
            blobs: planned.blobs,
        })
    }

    /// A request that waits for the leads of payments.
    pub async fn waiting(&self, name: &str) -> (RequestId, PlanId) {
        let request = self.asks_for(PRIYA, name).await;
        let stored = self.plans(request).await;
        let Stored::Waits(plan) = stored else {
            panic!("{stored:?}")
        };
        (request, plan)
    }

    pub async fn view(&self, request: RequestId) -> RequestView {
        let mut conn = self.pool().acquire().await.unwrap();
        view::load(&self.app, &mut conn, request, self.installation)
            .await
            .unwrap()
    }

    pub async fn state(&self, request: RequestId) -> RequestState {
        self.view(request).await.state
    }

    /// The kinds of a request's audit rows, in order.
    pub async fn evidence(&self, request: RequestId) -> Vec<String> {
        sqlx::query_scalar("select kind from audit where chain = $1 order by seq")
            .bind(format!("request:{request}"))
            .fetch_all(self.pool())
            .await
            .unwrap()
    }
}

pub fn pressed(button: ButtonId, value: impl ToString) -> Event {
    Event::Pressed {
        button,
        value: value.to_string(),
        place: at(("C_PLATFORM", PlaceKind::Public)),
        confirmed: true,
    }
}

pub fn at((channel, kind): (&str, PlaceKind)) -> Place {
    Place {
        channel: channel.to_owned(),
        kind,
        thread: None,
        message: None,
    }
}

/// The first page of a service of the payments team.
pub fn service(name: &str) -> Value {
    json!({
        "name": name, "template": "static-site", "owner": "payments", "visibility": "private", "description": null,
    })
}

/// What a reply says, as plain text.
pub fn text(reply: &Reply) -> String {
    match reply {
        Reply::Card { card } => words(card),
        Reply::Errors { errors } => {
            let line = |e: &idp::domain::form::FieldError| format!("{}: {}", e.field, e.message);
            errors.iter().map(line).collect::<Vec<_>>().join("\n")
        }
        other => format!("{other:?}"),
    }
}

pub fn words(card: &Card) -> String {
    card.fallback.clone()
}

pub fn form(reply: Reply) -> FormPage {
    match reply {
        Reply::Form { form } => *form,
        other => panic!("not a form: {other:?}"),
    }
}

fn settings() -> Settings {
    let team = |title: &str, leads: &[&str]| Team {
        title: title.to_owned(),
        members: vec!["group:engineers".to_owned()],
        leads: leads.iter().map(|l| (*l).to_owned()).collect(),
    };
    Settings {
        teams: BTreeMap::from([
            (
                "payments".to_owned(),
                team("Payments", &["group:payments-leads"]),
            ),
            ("core".to_owned(), team("Core", &[ALEX, PRIYA])),
            ("alone".to_owned(), team("Alone", &[PRIYA])),
        ]),
        channels: Channels {
            default: Some("#platform".to_owned()),
            ..Channels::default()
        },
        public_url: Some("https://idp.example".to_owned()),
        ..Settings::default()
    }
}

fn groups() -> Vec<PlatformGroup> {
    let group = |external: &str, handle: &str, members: &[&str]| PlatformGroup {
        external: external.to_owned(),
        handle: handle.to_owned(),
        name: handle.to_owned(),
        members: Some(members.iter().map(|m| (*m).to_owned()).collect()),
    };
    vec![
        group("S1", "engineers", &[PRIYA, ALEX, SAM, MO, TESS]),
        group("S2", "payments-leads", &[ALEX, SAM]),
        group("S3", "platform", &[MO]),
        group("S4", "security", &[TESS, MO]),
    ]
}
