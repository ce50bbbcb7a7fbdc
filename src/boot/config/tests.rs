//! The configuration's order, its checks, and what a mistake reads like.

use super::*;

fn load(toml: &str, variables: &[(&str, &str)]) -> Result<Config, Problem> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("idp.toml");
    std::fs::write(&path, toml).unwrap();
    let options = Options {
        config: Some(path),
        ..Options::default()
    };
    Config::load(&options, &variables.iter().copied().collect())
}

/// What is printed, with the file's folder taken off.
fn refused(toml: &str, variables: &[(&str, &str)]) -> String {
    let text = load(toml, variables).unwrap_err().to_string();
    let line = |line: &str| match line.find("--> ") {
        Some(at) => format!(
            "  --> {}",
            line[at..].rsplit('/').next().unwrap_or_default()
        ),
        None => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_empty_file_gives_the_documented_defaults() {
    let config = load("", &[("HOME", "/home/op")]).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8484");
    assert_eq!(config.data_dir, Path::new("idp-data"));
    assert!(config.slack.is_none() && config.public_url.is_none());
    assert_eq!(config.organisation.limits.open_requests_per_person, 5);
    let Database::Managed(postgres) = config.database else {
        panic!("not managed")
    };
    assert_eq!(postgres.cache_dir, Path::new("/home/op/.cache/idp"));
}

#[test]
fn the_environment_wins_over_the_file_and_flags_over_both() {
    let toml = "database_url = 'postgres://file/x'\nlisten = '127.0.0.1:1'\n";
    let url = |config: Config| match config.database {
        Database::External(url) => url.expose_secret().to_owned(),
        Database::Managed(_) => "managed".to_owned(),
    };
    let environment = [("DATABASE_URL", "postgres://environment/x")];
    assert_eq!(url(load(toml, &[]).unwrap()), "postgres://file/x");
    assert_eq!(
        url(load(toml, &environment).unwrap()),
        "postgres://environment/x"
    );
    let options = Options {
        database_url: Some("postgres://flag/x".into()),
        ..Options::default()
    };
    let config = Config::load(&options, &environment.into_iter().collect()).unwrap();
    assert_eq!(url(config), "postgres://flag/x");
}

#[test]
fn a_secret_may_stand_in_a_file_but_not_in_two_places() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "postgres://mounted/x\n").unwrap();
    let path = secret.path().to_str().unwrap();
    let config = load("", &[("DATABASE_URL_FILE", path)]).unwrap();
    let Database::External(url) = config.database else {
        panic!("not read")
    };
    assert_eq!(url.expose_secret(), "postgres://mounted/x");
    let twice = [
        ("DATABASE_URL_FILE", path),
        ("DATABASE_URL", "postgres://x/y"),
    ];
    insta::assert_snapshot!(refused("", &twice), @r"
    both `DATABASE_URL` and `DATABASE_URL_FILE` are set
    hint: unset one of them, so that it is clear which one counts
    ");
}

#[test]
fn a_mistyped_key_is_named_with_its_place() {
    insta::assert_snapshot!(refused("data_dir = 'x'\nlisen = '127.0.0.1:1'\n", &[]), @r"
    unknown key `lisen`
      --> idp.toml:2:1
    hint: did you mean `listen`?
    ");
    insta::assert_snapshot!(refused("[teams.payments]\nmembers = []\nleeds = []\n", &[]), @r"
    unknown key `leeds`
      --> idp.toml:3:1
    hint: did you mean `leads`?
    ");
    insta::assert_snapshot!(refused("[limits]\nrequests = 5\n", &[]), @r"
    unknown key `requests`
      --> idp.toml:2:1
    hint: the keys here are open_requests_per_person
    ");
    insta::assert_snapshot!(refused("listen = 5\n", &[]), @r"
    invalid type: integer `5`, expected a string
      --> idp.toml:1:10
    ");
    insta::assert_snapshot!(refused("listen = \n", &[]), @r"
    string values must be quoted, expected literal string
      --> idp.toml:1:10
    ");
}

#[test]
fn people_and_channels_are_checked() {
    insta::assert_snapshot!(refused("[groups]\nsecurity = ['@alex']\n", &[]), @r"
    `@alex` names nobody
      --> idp.toml:2:13
    hint: write `group:NAME`, or a user's id: in Slack, Profile, ⋮, Copy member ID; in Discord, with developer mode on, Copy User ID
    ");
    insta::assert_snapshot!(refused("[groups]\nsecurity = []\n", &[]), @r"
    group `security` has nobody in it
      --> idp.toml:2:12
    hint: a rule that asks it could never be met: name somebody, or remove the group
    ");
    insta::assert_snapshot!(refused("[groups]\nsecurity = ['group:leads']\n", &[]), @r"
    a group lists people, not other groups
      --> idp.toml:2:13
    hint: name the people's ids, or a team on GitHub
    ");
    insta::assert_snapshot!(refused("[groups]\nsecurity = ['group:github:acme']\n", &[]), @r"
    `group:github:acme` names no team on GitHub
      --> idp.toml:2:13
    hint: write `group:github:ORGANISATION/TEAM`, as in the team's address
    ");
    insta::assert_snapshot!(refused("[groups]\nSecurity = ['U024BE7LH']\n", &[]), @r"
    `Security` can't be the name of a group
      --> idp.toml:2:12
    hint: use lower-case letters, digits and dashes
    ");
    insta::assert_snapshot!(refused("organisation = 'acme/x'\n", &[]), @r"
    `acme/x` can't own repositories
      --> idp.toml:1:16
    hint: use up to 39 letters, digits and inner dashes, as the forge names the organisation
    ");
    insta::assert_snapshot!(refused("[commands.new-service]\nchannel = 'platform'\n", &[]), @r"
    `platform` is no channel
      --> idp.toml:2:11
    hint: write a name with its `#`, or the channel's id
    ");
}

#[test]
fn a_half_configured_slack_app_is_explained() {
    insta::assert_snapshot!(refused("", &[("SLACK_APP_TOKEN", "xapp-1")]), @r"
    Slack is half configured: `SLACK_BOT_TOKEN` is missing
    hint: copy the Bot User OAuth Token (`xoxb-…`) from your app's page OAuth & Permissions
    ");
    insta::assert_snapshot!(refused("", &[("SLACK_BOT_TOKEN", "xoxb-1")]), @r"
    Slack is half configured: idp can send, but nothing reaches it
    hint: for Socket Mode set `SLACK_APP_TOKEN` (`xapp-…`, scope connections:write)
    hint: for HTTP set `SLACK_SIGNING_SECRET` (from your app's page Basic Information)
    ");
    let swapped = [("SLACK_BOT_TOKEN", "xapp-1"), ("SLACK_APP_TOKEN", "xoxb-1")];
    insta::assert_snapshot!(refused("", &swapped), @r"
    `SLACK_BOT_TOKEN` is not the right kind of token
    hint: this one begins with `xoxb-`
    ");
}

#[test]
fn teams_and_groups_are_read() {
    let toml = r##"
        organisation = "acme"
        paused = "Moving house"
        [teams.payments]
        title = "Payments"
        github = "Payments-Crew"
        members = ["group:payments", "U024BE7LH"]
        leads = ["U024BE7LH"]
        [teams.core]
        members = []
        leads = []
        [groups]
        security = ["U024BE7LH", "80351110224678912"]
        [channels]
        security = "#security"
        [commands.new-service]
        channel = "C024BE91L"
        [retention]
        messages_days = 90
    "##;
    let read = load(toml, &[]).unwrap().organisation;
    assert_eq!(read.paused.as_deref(), Some("Moving house"));
    assert_eq!(read.name.as_deref(), Some("acme"));
    let team = &read.teams["payments"];
    assert_eq!(team.members[0], Member::Group("payments".into()));
    assert_eq!(team.github, "payments-crew");
    assert_eq!(read.teams["core"].github, "core", "its own name");
    assert_eq!(team.leads, [Member::Account("U024BE7LH".into())]);
    assert_eq!(read.groups["security"].len(), 2);
    assert_eq!(read.channels["security"], Channel::Name("security".into()));
    assert_eq!(
        read.command_channels["new-service"],
        Channel::Id("C024BE91L".into())
    );
    assert_eq!(
        (read.retention.messages_days, read.retention.deliveries_days),
        (90, 7)
    );
}

#[test]
fn no_secret_shows_in_debug() {
    let variables = [
        ("DATABASE_URL", "postgres://u:s3cret@h/x"),
        ("SLACK_BOT_TOKEN", "xoxb-s3cret"),
        ("SLACK_APP_TOKEN", "xapp-s3cret"),
        ("SLACK_SIGNING_SECRET", "s3cret"),
        ("IDP_STATE_KEY", "s3cret"),
        ("IDP_API_TOKEN", "s3cret"),
    ];
    let config = load("", &variables).unwrap();
    assert!(!format!("{config:?}").contains("s3cret"));
}

#[test]
fn the_example_is_complete_and_says_the_defaults() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("idp.toml.example");
    let text = std::fs::read_to_string(&example).unwrap();
    let options = Options {
        config: Some(example),
        ..Options::default()
    };
    let config = Config::load(&options, &Environment::default()).unwrap();
    assert_eq!(
        config.organisation,
        Organisation::default(),
        "all of it is commented out"
    );

    // With each `# key = …` line uncommented it must still parse, and hold every key that there is.
    let uncommented: String = text
        .lines()
        .map(|line| {
            line.strip_prefix("# ")
                .filter(|l| is_toml(l))
                .unwrap_or(line)
        })
        .fold(String::new(), |all, line| all + line + "\n");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("idp.toml");
    std::fs::write(&path, &uncommented).unwrap();
    let options = Options {
        config: Some(path),
        ..Options::default()
    };
    let config = Config::load(&options, &Environment::default()).unwrap();
    assert_eq!(config.organisation.limits, Limits::default());
    assert_eq!(config.organisation.retention, Retention::default());
    for table in [
        "",
        "[slack]",
        "[discord]",
        "[github]",
        "[teams.x]",
        "[[people]]",
        "[commands.x]",
        "[limits]",
        "[retention]",
    ] {
        let problem = load(&format!("{table}\nqqq = 1\n"), &[]).unwrap_err();
        let keys = problem.hints()[0]
            .strip_prefix("the keys here are ")
            .unwrap()
            .to_owned();
        for key in keys.split(", ") {
            let stands = uncommented.lines().any(|line| {
                // Indented behind the `#`: an alternative to what stands before it.
                let line = line.trim_start_matches("#   ");
                let table = line.trim_start_matches('[').starts_with(key) && line.starts_with('[');
                line.starts_with(&format!("{key} = ")) || table
            });
            assert!(
                stands,
                "`{key}` of `{table}` is missing in idp.toml.example"
            );
        }
    }
}

#[test]
fn people_with_several_accounts_are_named_by_ids_and_once() {
    let file = |accounts: &str| format!("paused = \"\"\n\n[[people]]\naccounts = [{accounts}]\n");
    let (here, there) = (
        "\"slack:T0ACME/U0PRIYA1\"",
        "\"discord:84502773827/61342564868\"",
    );
    let config = load(&file(&format!("{here}, {there}")), &[]).unwrap();
    let people = &config.organisation.people;
    let names: Vec<String> = people[0].iter().map(ToString::to_string).collect();
    assert_eq!(
        names,
        ["slack:T0ACME/U0PRIYA1", "discord:84502773827/61342564868"]
    );
    assert!(
        people[0][1].at.ends_with("idp.toml:4:38"),
        "{}",
        people[0][1].at
    );
    let problems: Vec<String> = [
        here.to_owned(),
        format!("{here}, \"slak:T0ACME/U0PRIYA2\""),
        format!("{here}, \"teams:X1/Y1\""),
        format!("{here}, \"priya\""),
        format!("{here}, \"discord:acme/priya\""),
        format!("{here}, {there}, {here}"),
    ]
    .iter()
    .map(|accounts| refused(&file(accounts), &[]))
    .collect();
    insta::assert_snapshot!(problems.join("\n"));
    let typo = refused("[[people]]\naccount = []\n", &[]);
    assert!(typo.contains("did you mean `accounts`?"), "{typo}");
}

#[test]
fn a_half_configured_discord_application_is_explained() {
    let key = (
        "DISCORD_PUBLIC_KEY",
        "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29",
    );
    let token = ("DISCORD_BOT_TOKEN", "s3cret");
    let problem = |variables: &[(&str, &str)]| load("", variables).unwrap_err().to_string();
    assert!(problem(&[token]).contains("set `DISCORD_GATEWAY=1`"));
    assert!(problem(&[key]).contains("`DISCORD_BOT_TOKEN` is missing"));
    let swapped = problem(&[token, ("DISCORD_PUBLIC_KEY", "s3cret")]);
    assert!(swapped.contains("can't be used"), "{swapped}");
    let named = problem(&[token, key, ("DISCORD_APPLICATION_ID", "idp")]);
    assert!(named.contains("is not an id of Discord's"), "{named}");
    let config = load("", &[token, key]).unwrap();
    let gateway = load("[discord]\ngateway = true\n", &[token]).unwrap();
    let gateway = gateway.discord.unwrap();
    assert!(gateway.gateway && gateway.key.is_none());
    let discord = config.discord.unwrap();
    assert!(!discord.gateway && discord.key.is_some());
    assert_eq!(discord.api_url.as_str(), "https://discord.com/api/v10");
    assert!(!format!("{discord:?}").contains("s3cret"));
    assert_eq!(discord.guilds, None, "all that the bot is in");
    let listed = |guilds: &str| {
        let file = format!("[discord]\ngateway = true\nguilds = {guilds}\n");
        load(&file, &[token])
    };
    let discord = listed("[\"845027738276462632\"]").unwrap().discord;
    let guilds = discord.unwrap().guilds.unwrap();
    assert!(guilds.contains("845027738276462632"), "{guilds:?}");
    let named = listed("[\"Acme\"]").unwrap_err().to_string();
    assert!(
        named.contains("is not an id of Discord's: `Acme`"),
        "{named}"
    );
}

/// Whether a line of a comment is a setting rather than prose.
fn is_toml(line: &str) -> bool {
    line.starts_with('[')
        || line
            .split_once(" = ")
            .is_some_and(|(key, _)| !key.contains(' '))
}

const ORG: (&str, &str) = ("GITHUB_ORG", "acme");
const TOKEN: (&str, &str) = ("GITHUB_TOKEN", "github_pat_s3cret");

#[test]
fn repositories_get_webhooks_of_their_own_only_where_they_can_reach_idp() {
    let file = "[github]\nwebhooks = \"repository\"\n";
    let (secret, public) = (
        ("GITHUB_WEBHOOK_SECRET", "s3cret"),
        "public_url = \"https://idp.example.com/bot/\"\n",
    );
    let of = |toml: &str, variables: &[(&str, &str)]| {
        load(toml, variables).map(|c| c.github.unwrap().forge.webhook)
    };
    let webhook = of(&format!("{public}{file}"), &[ORG, TOKEN, secret]).unwrap();
    let address = webhook.unwrap().address;
    assert_eq!(
        address.as_str(),
        "https://idp.example.com/bot/github/webhooks"
    );
    assert!(of(public, &[ORG, TOKEN, secret]).unwrap().is_none());
    for (toml, variables) in [
        (file.to_owned(), &[ORG, TOKEN, secret][..]),
        (format!("{public}{file}"), &[ORG, TOKEN][..]),
    ] {
        let problem = of(&toml, variables).unwrap_err().to_string();
        assert!(
            problem.contains("can't get webhooks of their own"),
            "{problem}"
        );
    }
}

#[test]
fn github_is_read_from_the_environment_and_shows_no_secret() {
    let secret = ("GITHUB_WEBHOOK_SECRET", "s3cret");
    let npm = ("IDP_SECRET_NPM_TOKEN", "s3cret");
    let config = load("", &[ORG, TOKEN, secret, npm]).unwrap();
    assert!(!format!("{config:?}").contains("s3cret"));
    assert!(config.secrets.contains_key("NPM_TOKEN"));
    let github = config.github.unwrap();
    assert_eq!(github.forge.api_url.as_str(), "https://api.github.com/");
    assert_eq!(github.forge.git_url.as_str(), "https://github.com/");
    assert!(load("", &[]).unwrap().github.is_none());
}

#[test]
fn repositories_are_beside_the_api() {
    let git = |api: &str| {
        let config = load("", &[ORG, TOKEN, ("GITHUB_API_URL", api)]).unwrap();
        config.github.unwrap().forge.git_url.to_string()
    };
    assert_eq!(
        git("https://git.example.com/api/v3"),
        "https://git.example.com/"
    );
    assert_eq!(git("https://api.acme.ghe.com/"), "https://acme.ghe.com/");
    insta::assert_snapshot!(refused("", &[ORG, TOKEN, ("GITHUB_API_URL", "https://proxy.test/github")]), @r"
    GitHub is half configured: `GITHUB_GIT_URL` is missing
    hint: say where its repositories are, such as `https://github.example.com`
    ");
}

#[test]
fn mix_ups_about_github_say_what_to_do() {
    let app = ("GITHUB_APP_ID", "7");
    let key = ("GITHUB_APP_PRIVATE_KEY", "s3cret");
    let said: Vec<String> = [
        vec![ORG],
        vec![TOKEN],
        vec![ORG, app],
        vec![ORG, key],
        vec![ORG, app, key],
        vec![ORG, app, key, TOKEN],
        vec![
            ORG,
            TOKEN,
            ("GITHUB_API_URL", "http://git.example.com/api/v3"),
        ],
    ]
    .iter()
    .map(|variables| refused("", variables))
    .collect();
    assert!(!said.concat().contains("s3cret"));
    insta::assert_snapshot!(said.join("\n\n"));
}

#[test]
fn an_address_for_others_is_told_from_one_of_this_machine() {
    let meant = |url: &str| {
        let config = load(&format!("public_url = '{url}'"), &[]).unwrap();
        config.is_for_this_machine()
    };
    for own in [
        "http://localhost:8484",
        "http://IDP.localhost/",
        "http://127.0.0.1:8484",
        "http://[::1]:8484",
    ] {
        assert!(meant(own), "{own}");
    }
    for others in [
        "https://idp.example.com",
        "http://localhost.example.com",
        "http://10.0.0.1",
        "http://[::2]",
    ] {
        assert!(!meant(others), "{others}");
    }
    assert!(load("", &[]).unwrap().is_for_this_machine());
}
