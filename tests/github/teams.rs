//! Teams on GitHub as groups of approval rules: who counts, who doesn't, and what is said where nobody can tell.

use std::sync::Arc;

use chrono::Utc;
use idp::app::plan::Stored;
use idp::app::teams::{self, Named};
use idp::catalog::Sources;
use idp::clients::forge::github::directory::Directory;
use idp::clients::forge::github::{AppKey, Credentials, GitHubSettings, Undo};
use idp::domain::event::ButtonId;
use idp::domain::id::{InstallationId, RequestId};
use idp::domain::request::RequestState;
use idp::worker::teams::Hub;

use super::server::levers::Trouble;
use super::server::world::User;
use super::server::{GitHub, ORG, spec};
use crate::core::world::{ALEX, PRIYA, SAM, TESS, World, text};
use crate::simulator::clients::found;

/// The workspace of the stories and its organisation on GitHub, whose team leads payments.
struct Company {
    world: World,
    github: GitHub,
    hub: Hub,
    there: InstallationId,
}

fn described() -> bool {
    found(&spec::file(), "teams of the strict GitHub server")
}

pub fn settings_of(github: &GitHub) -> GitHubSettings {
    let key = AppKey::from_pem(&github.private_key().to_owned().into()).unwrap();
    GitHubSettings {
        api_url: github.api_url().parse().unwrap(),
        git_url: github.git_url().parse().unwrap(),
        organisation: ORG.to_owned(),
        credentials: Credentials::App {
            id: github.app_id().to_string(),
            key,
        },
        undo: Undo::Delete,
        webhook: None,
    }
}

impl Company {
    async fn new(leads: &str) -> Self {
        let github = GitHub::start();
        let change = |settings: &mut idp::app::Settings| {
            settings.organisation = Some(ORG.to_owned());
            let payments = settings.teams.get_mut("payments").unwrap();
            payments.leads = vec![leads.to_owned()];
        };
        let world = World::of(change, Sources::default(), 8).await;
        let directory = Directory::new(&settings_of(&github), Arc::new(Utc::now)).unwrap();
        let hub = Hub {
            directory: Arc::new(directory),
            device: None,
            app_id: None,
        };
        let there = hub.introduce(&world.app).await.unwrap();
        Self {
            world,
            github,
            hub,
            there,
        }
    }

    async fn named(&self) -> Named {
        teams::named(&self.world.app, self.there).await.unwrap()
    }

    async fn reads(&self) -> anyhow::Result<()> {
        let named = self.named().await;
        self.hub.read(&self.world.app, self.there, &named).await
    }

    /// What linking leaves: the account on GitHub is that of the person in chat.
    async fn links(&self, account: &str, login: &str) {
        let done = sqlx::query(
            "update account set person_id = (select person_id from account where external_id = $1)
             where installation_id = $2 and name = $3",
        )
        .bind(account)
        .bind(self.there.uuid())
        .bind(login)
        .execute(self.world.pool())
        .await
        .unwrap();
        assert_eq!(done.rows_affected(), 1);
    }

    async fn why(&self, request: RequestId) -> String {
        let end = self.world.view(request).await.end.unwrap();
        end.reason.unwrap_or_default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_people_of_the_team_who_linked_their_account_can_decide() {
    if !described() {
        return;
    }
    let company = Company::new("group:github:acme/payments-leads").await;
    let world = &company.world;
    company.reads().await.unwrap();
    let request = world.asks_for(PRIYA, "payments-api").await;
    assert_eq!(world.plans(request).await, Stored::Ended);
    let why = company.why(request).await;
    assert!(
        why.contains(
            "asks acme/payments-leads, and 2 of its people haven't linked their GitHub accounts"
        ),
        "{why}"
    );
    assert!(why.contains("/idp link github"), "{why}");

    company.links(ALEX, "alex-ruiz").await;
    let (request, plan) = world.waiting("payments-api").await;
    let view = world.view(request).await;
    let deciders = view.plan.unwrap().deciders;
    assert_eq!(deciders.len(), 1, "{deciders:?}");
    assert_eq!(deciders[0].external.as_deref(), Some(ALEX));

    let refused = text(&world.presses(SAM, ButtonId::RequestApprove, plan).await);
    assert!(
        refused.contains("Only acme/payments-leads decide"),
        "{refused}"
    );
    world.presses(ALEX, ButtonId::RequestApprove, plan).await;
    assert_eq!(world.state(request).await, RequestState::Approved);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_leaves_the_team_or_chat_decides_no_more() {
    if !described() {
        return;
    }
    let company = Company::new("group:github:acme/payments-leads").await;
    let world = &company.world;
    company.reads().await.unwrap();
    company.links(ALEX, "alex-ruiz").await;
    company.links(SAM, "sam-ito").await;
    let (_, plan) = world.waiting("payments-api").await;

    let leads = |github: &GitHub| {
        let mut world = github.world();
        world
            .org
            .teams
            .get_mut("payments-leads")
            .unwrap()
            .members
            .remove("alex-ruiz");
    };
    leads(&company.github);
    company.reads().await.unwrap();
    let refused = text(&world.presses(ALEX, ButtonId::RequestApprove, plan).await);
    assert!(
        refused.contains("Only acme/payments-leads decide"),
        "{refused}"
    );

    // Who was deactivated in chat has an account on GitHub still.
    world
        .is(
            SAM,
            "Sam Ito",
            idp::domain::person::AccountKind::Full,
            false,
        )
        .await;
    let refused = text(&world.presses(SAM, ButtonId::RequestApprove, plan).await);
    assert!(!refused.contains("Approved"), "{refused}");
    let votes = world
        .count("select count(*) from vote where verdict = 'approve'")
        .await;
    assert_eq!(votes, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn facts_that_are_old_or_not_there_decide_nothing_and_say_so() {
    if !described() {
        return;
    }
    let company = Company::new("group:github:acme/payments-leads").await;
    let world = &company.world;
    // Nobody has read the team yet: the plan is tried again, not refused.
    assert!(company.named().await.unread);
    let request = world.asks_for(PRIYA, "payments-api").await;
    assert_eq!(world.plans(request).await, Stored::Again);
    company.reads().await.unwrap();
    assert!(!company.named().await.unread);
    company.links(ALEX, "alex-ruiz").await;
    let Stored::Waits(plan) = world.plans(request).await else {
        panic!("doesn't wait")
    };

    world.later(6).await;
    let said = text(&world.presses(ALEX, ButtonId::RequestApprove, plan).await);
    assert!(said.contains("acme/payments-leads"), "{said}");
    assert_eq!(world.state(request).await, RequestState::AwaitingApproval);

    company
        .github
        .trouble("teams/list-members-in-org", 0, Trouble::Status(502));
    company.reads().await.unwrap_err();
    let said = text(&world.presses(ALEX, ButtonId::RequestApprove, plan).await);
    assert!(said.contains("acme/payments-leads"), "{said}");
    company.reads().await.unwrap();
    world.presses(ALEX, ButtonId::RequestApprove, plan).await;
    assert_eq!(world.state(request).await, RequestState::Approved);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_team_that_is_not_there_is_said_to_be_unknown_until_it_is() {
    if !described() {
        return;
    }
    let company = Company::new("group:github:acme/payments-leads").await;
    let world = &company.world;
    company.github.delete_team("payments-leads");
    company.reads().await.unwrap();
    let request = world.asks_for(PRIYA, "payments-api").await;
    assert_eq!(world.plans(request).await, Stored::Ended);
    let why = company.why(request).await;
    assert!(
        why.contains("asks acme/payments-leads, which isn't known here"),
        "{why}"
    );

    // A team of another organisation is never read.
    let elsewhere = Company::new("group:github:elsewhere/leads").await;
    assert!(elsewhere.named().await.teams.is_empty());
    let request = elsewhere.world.asks_for(PRIYA, "payments-api").await;
    assert_eq!(elsewhere.world.plans(request).await, Stored::Ended);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_team_is_read_in_a_call_for_each_hundred_and_kept_once() {
    if !described() {
        return;
    }
    let company = Company::new("group:github:acme/payments-leads").await;
    {
        let mut world = company.github.world();
        for n in 0..230 {
            let (id, login) = (world.new_id(), format!("person-{n:03}"));
            let user = User {
                id,
                login: login.clone(),
                name: login.clone(),
            };
            world.users.insert(login.clone(), user);
            world.org.members.insert(login.clone(), "member".to_owned());
            let team = world.org.teams.get_mut("payments-leads").unwrap();
            team.members.insert(login);
        }
    }
    company.reads().await.unwrap();
    company.github.clear_log();
    company.reads().await.unwrap();
    assert_eq!(company.github.log().len(), 3);
    let members = "select count(*) from membership m join idp_group g on g.id = m.group_id
                   where g.handle = 'github:acme/payments-leads'";
    assert_eq!(company.world.count(members).await, 232);

    // Somebody is called otherwise from now on: the same account.
    let accounts = company.world.count("select count(*) from account").await;
    {
        let mut world = company.github.world();
        let mut user = world.users.remove("person-007").unwrap();
        user.login = "bond".to_owned();
        world.users.insert("bond".to_owned(), user);
        let team = world.org.teams.get_mut("payments-leads").unwrap();
        team.members.remove("person-007");
        team.members.insert("bond".to_owned());
    }
    company.reads().await.unwrap();
    assert_eq!(
        company.world.count("select count(*) from account").await,
        accounts
    );
    let bond = "select count(*) from account where name = 'bond'";
    assert_eq!(company.world.count(bond).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_the_configuration_may_be_a_team_on_github() {
    if !described() {
        return;
    }
    let company = Company::new("group:leads").await;
    let world = &company.world;
    let mut settings = (*world.app.settings.current()).clone();
    let list = vec![
        TESS.to_owned(),
        "group:github:acme/payments-leads".to_owned(),
    ];
    settings.groups.insert("leads".to_owned(), list);
    world.app.settings.replace(settings);
    company.reads().await.unwrap();
    company.links(SAM, "sam-ito").await;
    let (request, _) = world.waiting("payments-api").await;
    let deciders = world.view(request).await.plan.unwrap().deciders;
    let mut who: Vec<_> = deciders
        .iter()
        .filter_map(|d| d.external.as_deref())
        .collect();
    who.sort_unstable();
    assert_eq!(who, [SAM, TESS]);
}
