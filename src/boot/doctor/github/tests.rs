//! What is told of GitHub, fact by fact.

use chrono::DateTime;

use super::rights::PERMISSIONS;
use super::*;
use crate::clients::forge::github::Undo;
use crate::clients::forge::github::examine::{Installed, Organisation, Person, Trouble};

fn place(app: bool) -> Place {
    Place {
        organisation: "acme".to_owned(),
        web: "https://github.com".to_owned(),
        api: "https://api.github.com".to_owned(),
        app,
    }
}

fn trouble(status: impl Into<Option<u16>>) -> Trouble {
    Trouble {
        status: status.into(),
        says: "no".to_owned(),
        authorise: None,
    }
}

fn person() -> Person {
    let scopes = ["repo", "workflow", "admin:org", "delete_repo"];
    Person {
        login: "olivia".to_owned(),
        scopes: Some(scopes.map(str::to_owned).to_vec()),
        until: None,
        two_factor: None,
        role: Ok("admin".to_owned()),
        teams: Ok(()),
    }
}

fn installed() -> Installed {
    let granted = PERMISSIONS.map(|right| (right.name.to_owned(), right.level.to_owned()));
    Installed {
        id: 7,
        permissions: granted.into_iter().collect(),
        suspended: false,
        everywhere: true,
    }
}

fn states(checks: &[Check]) -> Vec<State> {
    checks.iter().map(|check| check.state).collect()
}

#[test]
fn the_manifest_asks_for_what_is_checked() {
    let manifest = include_str!("../../../../deploy/github/app-manifest.json");
    let manifest: serde_json::Value = serde_json::from_str(manifest).unwrap();
    let asked = manifest["default_permissions"].as_object().unwrap();
    assert_eq!(asked.len(), PERMISSIONS.len());
    for right in &PERMISSIONS {
        assert_eq!(asked[right.name], right.level, "{}", right.name);
    }
}

#[test]
fn an_app_is_told_where_it_stands() {
    let app = |installed| states(&place(true).app("idp", &installed));
    assert_eq!(app(Ok(installed())), [State::Ok, State::Ok]);
    assert_eq!(app(Err(trouble(404))), [State::Fail]);
    let suspended = Installed {
        suspended: true,
        ..installed()
    };
    assert_eq!(app(Ok(suspended)), [State::Fail]);
    let selected = Installed {
        everywhere: false,
        ..installed()
    };
    assert_eq!(app(Ok(selected)), [State::Ok, State::Warn, State::Ok]);
    let mut less = installed();
    less.permissions.insert("contents".into(), "read".into());
    less.permissions.remove("secrets");
    let checks = place(true).app("idp", &Ok(less));
    assert_eq!(states(&checks), [State::Ok, State::Fail, State::Note]);
    assert_eq!(
        checks[1].says,
        "`contents: write` is missing: nothing can be pushed"
    );
}

#[test]
fn a_token_is_told_by_its_kind() {
    let now = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
    let judge = |person: &Person, undo| states(&place(false).person(person, undo, now));
    assert_eq!(judge(&person(), Undo::Delete), [State::Ok, State::Ok]);
    let scopes = Some(vec!["repo".to_owned()]);
    let less = Person { scopes, ..person() };
    let two = [State::Ok, State::Fail, State::Fail];
    assert_eq!(judge(&less, Undo::Archive), two);
    assert_eq!(judge(&less, Undo::Delete)[3..], [State::Note]);
    let mut fine = Person {
        scopes: None,
        until: Some(now + TimeDelta::days(3)),
        ..person()
    };
    let soon = [State::Ok, State::Warn, State::Note];
    assert_eq!(judge(&fine, Undo::Delete), soon);
    fine.teams = Err(trouble(403));
    fine.role = Err(trouble(403));
    assert_eq!(judge(&fine, Undo::Delete)[2..], [State::Fail]);
    fine.role = Err(trouble(404));
    assert_eq!(judge(&fine, Undo::Delete)[0], State::Fail);
}

#[test]
fn rules_of_the_organisation_are_named() {
    let judge = |told: Organisation| {
        let person = Person {
            two_factor: Some(false),
            ..person()
        };
        states(&place(false).organisation(&told, &Ok(Who::Person(person))))
    };
    let rules = |private, public| Organisation {
        private: Some(private),
        public: Some(public),
        ..Organisation::default()
    };
    assert_eq!(judge(Organisation::default()), [State::Ok]);
    assert_eq!(judge(rules(true, true)), [State::Ok]);
    assert_eq!(judge(rules(true, false)), [State::Note]);
    assert_eq!(judge(rules(false, true)), [State::Warn]);
    assert_eq!(judge(rules(false, false)), [State::Fail]);
    let strict = Organisation {
        two_factor: Some(true),
        plan: Some("free".to_owned()),
        ..rules(true, true)
    };
    assert_eq!(judge(strict), [State::Note, State::Fail]);
}

#[test]
fn what_to_do_fits_the_refusal() {
    let fix = |app, trouble: &Trouble| place(app).nobody(trouble).fix.concat();
    assert!(fix(true, &trouble(401)).contains("private key"));
    assert!(fix(true, &trouble(404)).contains("`GITHUB_APP_ID`"));
    assert!(fix(false, &trouble(401)).contains("`GITHUB_TOKEN`"));
    assert!(fix(false, &trouble(None)).contains("https://api.github.com"));
    let authorise = Some("https://github.com/orgs/acme/sso".to_owned());
    let sso = Trouble {
        authorise,
        ..trouble(403)
    };
    assert!(fix(false, &sso).contains("https://github.com/orgs/acme/sso"));
}

#[test]
fn clock_rate_and_webhooks_have_their_bounds() {
    let clock = |seconds| clock_off(TimeDelta::seconds(seconds)).state;
    assert_eq!([clock(59), clock(-59)], [State::Ok; 2]);
    assert_eq!([clock(60), clock(-600)], [State::Warn; 2]);
    let rate = |left| rate(Rate { limit: 5000, left }).state;
    assert_eq!([rate(500), rate(499)], [State::Ok, State::Warn]);
    assert_eq!(rate(0), State::Fail);
    let url = Url::parse("https://idp.example.com").unwrap();
    assert_eq!(webhooks(true, Some(&url)).state, State::Ok);
    assert_eq!(webhooks(true, None).state, State::Warn);
    assert_eq!(webhooks(false, Some(&url)).state, State::Note);
}
