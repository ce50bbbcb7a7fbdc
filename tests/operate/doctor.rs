//! `idp doctor` before a whole site and before broken ones: each story breaks one thing and reads what it is told.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

use serde_json::{Value, json};
use sqlx::Connection as _;

use crate::support::discord::office::{on_discord, without_slack};
use crate::support::discord::{self, MENTIONS_ALL, POSTS, READS, WRITES};
use crate::support::postgres::Database;
use crate::support::serve::Site;
use crate::support::slack::{APP_TOKEN, Fault};

const TOML: &str = r##"
[teams.payments]
title = "Payments"
members = ["U0PRIYA"]
leads = ["group:payments-leads"]

[groups]
engineers = ["U0PRIYA", "U0ALEX"]
platform = ["U0ALEX", "U0SAM"]

[channels]
default = "#platform"
"##;

/// A site where all is good.
async fn site() -> Site {
    let site = Site::new(TOML).await;
    whole(&site);
    site
}

fn whole(site: &Site) {
    site.fake.scopes(
        "app_mentions:read,channels:read,chat:write,commands,groups:read,im:read,im:write,usergroups:read,users:read,\
         channels:history,chat:write.public,groups:history,im:history",
    );
    site.fake.groups(&[
        ("security", &["U0ALEX", "U0SAM"]),
        ("payments-leads", &["U0ALEX", "U0SAM"]),
    ]);
}

/// What it prints, and its exit code.
fn said(output: &Output) -> (i32, String) {
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), format!("{text}{errors}"))
}

async fn examined(site: &Site) -> (i32, String) {
    let mut doctor = site.idp(&["doctor"]);
    doctor
        .env("IDP_PUBLIC_URL", "https://idp.example.com")
        .env("SLACK_APP_TOKEN", APP_TOKEN);
    let output = tokio::task::spawn_blocking(move || doctor.output().unwrap());
    said(&output.await.unwrap())
}

/// The line that fails, with what it says to do, runs of blanks made one; there must be exactly one failure.
async fn failure(site: &Site) -> String {
    let (code, text) = examined(site).await;
    assert_eq!(code, 1, "{text}");
    let mut lines = text.lines().skip_while(|line| !line.starts_with("fail"));
    let first = lines.next().unwrap();
    let mut told = vec![first];
    told.extend(lines.by_ref().take_while(|line| line.starts_with(' ')));
    assert!(lines.all(|line| !line.starts_with("fail")), "{text}");
    let words: Vec<&str> = told.iter().flat_map(|l| l.split_whitespace()).collect();
    words.join(" ")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_site_is_good_line_by_line() {
    let site = site().await;
    let (code, text) = examined(&site).await;
    assert_eq!(code, 0, "{text}");
    // These tell versions and numbers, which are other ones elsewhere and tomorrow.
    let varies = |line: &&str| {
        let topic = line.split_whitespace().nth(1);
        topic.is_some_and(|topic| ["git", "postgres", "definitions"].contains(&topic))
    };
    let same: Vec<&str> = text.lines().filter(|line| !varies(line)).collect();
    insta::assert_snapshot!(same.join("\n"), @r"
    ok    configuration     idp.toml
    ok    public address    https://idp.example.com/
    ok    data folder       idp-data is made at the first start
    ok    local forge       idp-data/git is made at the first start
    ok    tables            of release 1, this one's
    ok    slack token       U0BOT in Acme (T0ACME)
    ok    slack scopes      all 8 that idp needs
    ok    slack deliveries  Socket Mode opens
    ok    slack deliveries  HTTP, at the public address
    ok    clock             right within a minute
    ok    channels          #platform
    ok    groups            engineers (2), payments-leads (2), platform (2), security (2)
    ok    teams             payments, each with its leads
    ok    github            not configured: repositories stand on the local forge

    All good.
    ");

    let output = site.runs(&["doctor", "--json"]).await;
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = document["checks"].as_array().unwrap();
    let of = |topic: &str| checks.iter().find(|check| check["topic"] == topic).unwrap();
    assert_eq!(of("slack token")["state"], "ok");
    // Without an address, deliveries over HTTP alone have no way in.
    assert_eq!(of("slack deliveries")["state"], "fail");
    assert_eq!(
        (&document["good"], output.status.code()),
        (&Value::Bool(false), Some(1))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_slack_refuses_is_told_with_its_fix() {
    let site = site().await;
    site.fake.scopes(
        "app_mentions:read,channels:read,chat:write,commands,groups:read,im:write,usergroups:read",
    );
    let told = failure(&site).await;
    assert!(
        told.starts_with("fail slack scopes `users:read` is missing"),
        "{told}"
    );
    assert!(told.contains("fix: add it on the app's page"), "{told}");
    let (_, text) = examined(&site).await;
    assert!(
        text.contains("without `channels:history`, a message"),
        "{text}"
    );
    whole(&site);

    site.fake.fault("auth.test", Fault::Code("token_revoked"));
    let told = failure(&site).await;
    assert!(
        told.contains("Slack refuses the token: token_revoked fix: install"),
        "{told}"
    );

    site.fake
        .fault("apps.connections.open", Fault::Code("invalid_auth"));
    let told = failure(&site).await;
    assert!(
        told.starts_with("fail slack deliveries Socket Mode doesn't open"),
        "{told}"
    );

    site.fake.clock_off(-600);
    let told = failure(&site).await;
    assert!(told.starts_with("fail clock"), "{told}");
    assert!(told.contains("ahead of Slack's"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_teams_and_channels_that_cannot_decide_are_named() {
    let site = site().await;
    site.fake.groups(&[
        ("securty", &["U0ALEX", "U0SAM"]),
        ("payments-leads", &["U0ALEX", "U0SAM"]),
    ]);
    let told = failure(&site).await;
    assert!(
        told.contains("there is no group `security` fix: did you mean `securty`?"),
        "{told}"
    );

    site.fake
        .groups(&[("security", &[]), ("payments-leads", &["U0ALEX", "U0SAM"])]);
    let told = failure(&site).await;
    assert!(told.contains("`security` has nobody in it"), "{told}");

    site.fake.groups(&[
        ("security", &["U0ALEX"]),
        ("payments-leads", &["U0ALEX", "U0SAM"]),
    ]);
    let (code, text) = examined(&site).await;
    assert!(code == 0 && text.contains("warn  groups"), "{text}");
    whole(&site);

    site.configure(&format!(
        "{TOML}\n[teams.core]\nmembers = ['U0PRIYA']\nleads = []\n"
    ));
    let told = failure(&site).await;
    assert!(told.contains("`core` has no lead"), "{told}");

    site.configure(&TOML.replace("#platform", "#platfrom"));
    let told = failure(&site).await;
    assert!(
        told.contains("#platfrom isn't there") && told.contains("did you mean `#platform`?"),
        "{told}"
    );
    site.configure(TOML);

    site.fake.scopes("app_mentions:read,channels:read,chat:write,commands,groups:read,im:write,usergroups:read,users:read");
    site.fake.leaves();
    let told = failure(&site).await;
    assert!(
        told.contains("the bot isn't in #platform fix: type `/invite @idp` in #platform"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_not_this_releases_is_told() {
    let site = site().await;
    let mut admin = sqlx::PgConnection::connect(&site.database.url())
        .await
        .unwrap();
    // What a release before our latest migration would have left.
    let older = "update _sqlx_migrations set version = 1
        where version = (select max(version) from _sqlx_migrations)";
    sqlx::query(older).execute(&mut admin).await.unwrap();
    let told = failure(&site).await;
    assert!(
        told.contains("1 of its migrations missing fix: run `idp migrate`"),
        "{told}"
    );

    let empty = Site::with(Database::empty().await, TOML).await;
    whole(&empty);
    let told = failure(&empty).await;
    assert_eq!(
        told,
        "fail tables the database is empty fix: run `idp migrate`"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_and_folders_that_stand_open_are_told() {
    let site = site().await;
    let open = |path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    site.configure(&format!("state_key = 'never mind'\n{TOML}"));
    open(site.path("idp.toml"), 0o644);
    let told = failure(&site).await;
    assert!(
        told.ends_with("may read idp.toml fix: chmod 600 idp.toml"),
        "{told}"
    );
    site.configure(TOML);

    std::fs::create_dir(site.path("idp-data")).unwrap();
    open(site.path("idp-data"), 0o777);
    let told = failure(&site).await;
    assert!(
        told.contains("may write in idp-data fix: chmod o-w idp-data"),
        "{told}"
    );
    open(site.path("idp-data"), 0o755);

    // The forge was made once, and its folder is away.
    std::fs::write(site.path("idp-data/git.made"), "").unwrap();
    let told = failure(&site).await;
    assert!(told.contains("local forge"), "{told}");

    site.configure("pausd = 'x'");
    let told = failure(&site).await;
    assert_eq!(
        told,
        "fail configuration unknown key `pausd` (idp.toml:1:1) fix: did you mean `paused`?"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_discord_lacks_is_told() {
    let guild = TOML.replace("\"U0PRIYA\"]\nleads", "\"group:engineers\"]\nleads");
    let site = Site::new(&guild).await;
    let fake = discord::Fake::start().await;
    let doctor = async |token: &str, application: &str, public: &str| {
        let mut command = site.idp(&["doctor"]);
        command
            .env_remove("SLACK_API_URL")
            .env_remove("SLACK_BOT_TOKEN")
            .env_remove("SLACK_SIGNING_SECRET")
            .env("DISCORD_API_URL", &fake.url)
            .env("DISCORD_APPLICATION_ID", application)
            .env("DISCORD_PUBLIC_KEY", fake.public_key())
            .env("DISCORD_BOT_TOKEN", token)
            .env("IDP_PUBLIC_URL", public);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap());
        String::from_utf8(output.await.unwrap().stdout).unwrap()
    };
    let says = |text: &str, words: &[&str]| {
        for word in words {
            assert!(text.contains(word), "{word}: {text}");
        }
    };
    let ours = "https://idp.acme.example";
    let good = doctor(discord::BOT_TOKEN, discord::APPLICATION, ours).await;
    let delivers = format!("Discord delivers to {}", discord::ENDPOINT);
    says(&good, &["discord token", "Acme", "intent is on", &delivers]);
    assert!(!good.contains("and idp is reached at"), "{good}");
    assert!(!good.contains("slack"), "{good}");
    says(
        &doctor("another", discord::APPLICATION, ours).await,
        &["Discord refuses the token"],
    );
    says(
        &doctor(discord::BOT_TOKEN, "7", ours).await,
        &["`DISCORD_APPLICATION_ID` names 7"],
    );
    says(
        &doctor(
            discord::BOT_TOKEN,
            discord::APPLICATION,
            "https://elsewhere.example",
        )
        .await,
        &["idp is reached at https://elsewhere.example/discord/interactions"],
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_public_key_of_another_application_and_open_files_with_secrets_are_told() {
    let site = Site::new("").await;
    let fake = discord::Fake::start().await;
    let token = site.path("discord-token");
    std::fs::write(&token, discord::BOT_TOKEN).unwrap();
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&token, readable).unwrap();
    let mut command = site.idp(&["doctor"]);
    without_slack(&mut command);
    on_discord(&mut command, &fake);
    command
        .env(
            "DISCORD_PUBLIC_KEY",
            // Of RFC 8032, 7.1.
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        )
        .env_remove("DISCORD_BOT_TOKEN")
        .env("DISCORD_BOT_TOKEN_FILE", &token);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let (_, text) = said(&output.await.unwrap());
    assert!(
        text.contains("`DISCORD_PUBLIC_KEY` is of another application"),
        "{text}"
    );
    assert!(text.contains("discord-token"), "{text}");
}

/// What it says of a Discord alone, runs of blanks made one.
async fn said_of(site: &Site, fake: &discord::Fake) -> String {
    let mut command = site.idp(&["doctor"]);
    without_slack(&mut command);
    command.env("DISCORD_PUBLIC_KEY", fake.public_key());
    on_discord(&mut command, fake);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let (_, text) = said(&output.await.unwrap());
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_the_bot_was_taken_out_of_are_told_as_such() {
    let listed = format!("{TOML}\n[discord]\nguilds = [\"{}\"]\n", discord::GUILD);
    let site = Site::new(&listed).await;
    let fake = discord::Fake::start().await;
    let told = said_of(&site, &fake).await;
    assert!(told.contains("ok discord guilds Acme"), "{told}");
    fake.leaves(discord::GUILD);
    let invite = format!(
        "fix: add the bot: https://discord.com/oauth2/authorize?client_id={}&scope=bot+applications.commands&permissions=",
        discord::APPLICATION
    );
    let out = format!(
        "fail discord guilds the bot isn't in the server {}, which `[discord] guilds` lists {invite}",
        discord::GUILD
    );
    let told = said_of(&site, &fake).await;
    assert!(told.contains(&out), "{told}");
    site.configure(TOML);
    let none = format!("fail discord guilds the bot is in no guild that is served {invite}");
    let told = said_of(&site, &fake).await;
    assert!(told.contains(&none), "{told}");
    assert!(!told.contains("refuses the token"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_that_are_nobodys_are_told_and_do_not_count() {
    let two = "platform = [\"U0ALEX\", \"U0SAM\"]";
    let site = site().await;
    site.configure(&TOML.replace(two, "platform = [\"U0ALEX\", \"U0NOBODY1\"]"));
    let says = |text: &str, words: &[&str]| {
        let said: Vec<&str> = text.split_whitespace().collect();
        let said = said.join(" ");
        for words in words {
            assert!(said.contains(words), "{words}: {said}");
        }
    };
    let alone = "a rule wants 1 of `platform` and no more are in it";
    let (code, text) = examined(&site).await;
    assert_eq!(code, 0, "{text}");
    let nobody =
        "warn groups `platform` names U0NOBODY1: nobody in Acme has this id fix: write a user's id";
    says(&text, &[nobody, alone]);
    site.configure(TOML);
    site.fake.user("U0SAM", json!({ "deleted": true }));
    let (_, text) = examined(&site).await;
    let left = "`platform` names U0SAM: the account is deactivated";
    says(&text, &[left, alone]);

    // On Discord roles have ids that look the same.
    let leads = discord::ROLES
        .iter()
        .find(|(name, _)| *name == "Payments Leads");
    let (_, leads) = leads.unwrap();
    let three = format!(
        "platform = [\"{}\", \"200000000000000099\", \"{leads}\"]\npayments-leads = [\"{leads}\"]",
        discord::ALEX
    );
    let member = "members = [\"U0PRIYA\"";
    let toml = TOML.replace(member, &format!("{member}, \"{leads}\""));
    let site = Site::new(&toml.replace(two, &three)).await;
    let fake = discord::Fake::start().await;
    // What to write instead depends on what the configuration takes there.
    let role = |list: &str, fix: &str| {
        format!("`{list}` names {leads}: it is the role Payments Leads fix: {fix}")
    };
    let instead = "list its people fix: or write `group:payments-leads` in rules and teams";
    let in_another = role("platform", instead);
    let in_its_own = role("payments-leads", "take the list out");
    let in_a_team = role("payments", "write `group:payments-leads`");
    let words = [
        "warn groups `platform` names 200000000000000099: no person in Acme has this id",
        &in_another,
        &in_its_own,
        &in_a_team,
        alone,
        "warn groups `engineers` names U0PRIYA: Slack isn't configured",
        "fail groups `engineers` has nobody in it",
    ];
    says(&said_of(&site, &fake).await, &words);
    // Without the list of members each is asked for.
    fake.without_members();
    says(&said_of(&site, &fake).await, &words);
    assert_eq!(fake.refused(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_that_no_call_reaches_are_told() {
    let site = Site::new(TOML).await;
    let fake = discord::Fake::start().await;
    let told = said_of(&site, &fake).await;
    for role in ["Security", "Payments Leads"] {
        let unheard = format!("warn discord roles idp's call reaches nobody of {role} in Acme:");
        assert!(told.contains(&unheard), "{role}: {told}");
    }
    assert!(
        told.contains(
            "*Mention @everyone, @here, and All Roles* in Server Settings, Roles fix: or switch \
             *Allow anyone to @mention this role* on for Security there"
        ),
        "{told}"
    );
    site.configure(&TOML.replace("group:payments-leads", "group:treasury"));
    let missing = said_of(&site, &fake).await;
    for said in [
        "there is no group `treasury`",
        "fix: make a role of this name",
    ] {
        assert!(missing.contains(said), "{said}: {missing}");
    }
    assert!(!missing.contains("user group"), "{missing}");
    site.configure(TOML);
    // These decide nothing, or by a list of the configuration, whose people are mentioned themselves.
    for role in ["Engineers", "Platform"] {
        assert!(!told.contains(&format!("nobody of {role}")), "{told}");
    }

    fake.mentionable(&["Security"]);
    let told = said_of(&site, &fake).await;
    assert!(!told.contains("nobody of Security"), "{told}");
    assert!(told.contains("nobody of Payments Leads"), "{told}");

    fake.permits(WRITES | MENTIONS_ALL);
    let told = said_of(&site, &fake).await;
    assert!(!told.contains("reaches nobody"), "{told}");

    // A channel may say otherwise, which is enough where requests stand in no other.
    fake.permits(WRITES);
    fake.allows(MENTIONS_ALL);
    let told = said_of(&site, &fake).await;
    assert!(told.contains("reaches nobody"), "{told}");
    site.configure(&format!(
        "{TOML}commands = {{ new-service = \"#platform\" }}\n"
    ));
    let told = said_of(&site, &fake).await;
    assert!(!told.contains("reaches nobody"), "{told}");
    site.configure(TOML);
    fake.allows(0);
    fake.permits(WRITES | MENTIONS_ALL);
    fake.denies(MENTIONS_ALL);
    let told = said_of(&site, &fake).await;
    assert!(
        told.contains(
            "warn discord channels idp's call in #platform in Acme reaches nobody of Payments Leads: nobody is \
             notified when it mentions a role there fix: allow idp's role *Mention @everyone, @here, and All Roles* \
             in Edit Channel, Permissions of #platform fix: or switch"
        ),
        "{told}"
    );
    fake.mentionable(&["Security", "Payments Leads"]);
    let told = said_of(&site, &fake).await;
    assert!(!told.contains("reaches nobody"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn channels_that_are_not_in_the_guild_or_closed_to_the_bot_are_told() {
    let site = Site::new(TOML).await;
    let fake = discord::Fake::start().await;
    let told = said_of(&site, &fake).await;
    assert!(
        told.contains("ok discord channels #platform in Acme"),
        "{told}"
    );

    site.configure(&TOML.replace("#platform", "#platfrom"));
    let told = said_of(&site, &fake).await;
    assert!(
        told.contains(
            "fail discord channels #platfrom isn't in Acme fix: did you mean `#platform`?"
        ),
        "{told}"
    );
    // People speak in it, and nobody writes.
    site.configure(&TOML.replace("#platform", "#voice"));
    let told = said_of(&site, &fake).await;
    assert!(told.contains("#voice isn't in Acme"), "{told}");

    // The bot is let in by name, and may write nothing.
    site.configure(&TOML.replace("#platform", "#payments"));
    fake.permits(WRITES & !POSTS);
    let told = said_of(&site, &fake).await;
    assert!(
        told.contains(
            "fail discord channels the bot may not post in #payments in Acme: it lacks Send Messages \
             fix: allow idp's role these"
        ),
        "{told}"
    );
    // It may write, and open no thread: idp can do without.
    fake.permits(POSTS | READS);
    let told = said_of(&site, &fake).await;
    assert!(
        told.contains(
            "warn discord channels replies stand in #payments in Acme itself, not in a thread: the bot lacks \
             Create Public Threads, Send Messages in Threads fix: allow idp's role these"
        ),
        "{told}"
    );
    fake.permits(WRITES);
    let told = said_of(&site, &fake).await;
    assert!(
        told.contains("ok discord channels #payments in Acme"),
        "{told}"
    );
}
