//! Slack and Discord at once, on the wire: `idp serve` as an operator starts it, between two strict platforms.

use serde_json::{Value, json};

use crate::support::discord::office::{Office, TOML, content};
use crate::support::discord::{ALEX, GUILD, PRIYA};
use crate::support::serve::until;
use crate::support::slack::{self, TEAM, filled};

const CHANNEL: &str = "C0PLATFORM";

/// A workspace and a guild, with Priya and Alex in both; on Slack both lead payments.
async fn office() -> Office {
    let leads = r#"leads = ["group:payments-leads""#;
    let toml = TOML.replace(leads, &format!("{leads}, \"U0ALEX\", \"U0PRIYA\""));
    let office = Office::with(&toml, |_| ()).await;
    for account in ["U0ALEX", "U0PRIYA"] {
        office.site.knows(account, "platform").await;
    }
    office.site.knows(ALEX, "platform").await;
    office.site.knows(PRIYA, "platform").await;
    office
}

/// What Slack shows in a channel or in somebody's direct messages, once it says this.
async fn on_slack(office: &Office, channel: &str, words: &str) -> Value {
    until(words, async || {
        let messages = office.site.fake.messages(channel);
        messages.into_iter().find(|m| m.to_string().contains(words))
    })
    .await
}

/// The same for somebody's direct messages on Discord.
async fn on_discord(office: &Office, account: &str, words: &str) -> Value {
    until(words, async || {
        let messages = office.discord.messages(&format!("9{account}"));
        messages.into_iter().find(|m| m.to_string().contains(words))
    })
    .await
}

async fn links(office: &Office, here: &str, there: &str) {
    let answer = office.site.types(&office.served, here, "link").await;
    let mut words = answer
        .text
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let code = words
        .find(|w| w.len() == 9 && w.as_bytes()[4] == b'-')
        .unwrap();
    let typed = office.runs(there, "link", &[("code", code)]).await;
    assert!(content(&typed).contains("Now confirm it"), "{typed}");
    let dm = here.replace('U', "D");
    let asked = on_slack(office, &dm, "typed your code").await;
    let press = slack::press(&office.site.fake, here, &dm, &asked, "link.confirm");
    office.site.presses(&office.served, &press).await;
    on_slack(office, &dm, "You confirmed that").await;
    on_slack(office, &dm, "are one person here from now on").await;
    on_discord(office, there, "are one person here from now on").await;
}

/// Priya asks for a service on Slack.
async fn asks(office: &Office) {
    let (site, served) = (&office.site, &office.served);
    site.types(served, "U0PRIYA", "new-service").await;
    let mut view = site.fake.last_view();
    for typed in [
        &[
            ("name", json!("payments-api")),
            ("template", json!("static-site")),
            ("owner", json!("payments")),
            ("visibility", json!("private")),
        ][..],
        &[("headline", json!("Hello"))],
    ] {
        let sent = json!({ "view": filled(&view, typed) });
        let payload = slack::interaction(&site.fake, "view_submission", "U0PRIYA", sent);
        let answer = site.presses(served, &payload).await;
        if answer.text.contains("is asked for") {
            return;
        }
        view = site
            .fake
            .show(view["id"].as_str().unwrap(), &answer.json["view"]);
    }
    panic!("the form never ends: {view:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn linked_people_follow_and_decide_a_request_of_slack_from_discord() {
    let office = office().await;
    links(&office, "U0ALEX", ALEX).await;
    links(&office, "U0PRIYA", PRIYA).await;
    asks(&office).await;
    let card = on_slack(&office, CHANNEL, "Waiting for approval").await;
    let number = card["text"]
        .as_str()
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .to_owned();

    for account in [PRIYA, ALEX] {
        let told = office.runs(account, "status", &[("id", &number)]).await;
        assert!(content(&told).contains("direct message"), "{told}");
    }
    let own = on_discord(&office, PRIYA, "Waiting for approval").await;
    let own = office.presses(PRIYA, &own, "Approve").await;
    let own = office.presses(PRIYA, &own["data"], "Approve").await;
    assert!(content(&own).contains("your vote can't count"), "{own}");

    let copy = on_discord(&office, ALEX, "Waiting for approval").await;
    let asked = office.presses(ALEX, &copy, "Approve").await;
    let counted = office.presses(ALEX, &asked["data"], "Approve").await;
    assert_eq!(counted["type"], 7, "{counted}");

    let done = on_slack(&office, CHANNEL, "*Done*").await;
    assert_eq!(done["ts"], card["ts"], "edited in place");
    assert!(
        done.to_string().contains("Alex Ruiz"),
        "named as Slack knows them: {done}"
    );
    for account in [PRIYA, ALEX] {
        let copy = on_discord(&office, account, "**Done**").await;
        assert!(!copy.to_string().contains("Waiting for approval"), "{copy}");
    }
    assert_eq!(office.discord.refused(), Vec::<String>::new());
    let verified = office.site.runs(&["audit", "verify"]).await;
    assert!(verified.status.success(), "{verified:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operators_file_links_people_while_idp_runs() {
    let office = office().await;
    let with = |workspace: &str| {
        let accounts = format!("[\"slack:{workspace}/U0ALEX\", \"discord:{GUILD}/{ALEX}\"]");
        format!("{TOML}\n[[people]]\naccounts = {accounts}\n")
    };
    office.site.configure(&with(TEAM));
    on_slack(&office, "D0ALEX", "are one person here from now on").await;
    on_discord(&office, ALEX, "are one person here from now on").await;
    let told = office.runs(ALEX, "link", &[]).await;
    assert!(content(&told).contains("only they can change it"), "{told}");

    // A slip in the next version of the file: said with its line and the right word, and the link is gone.
    let slip = format!("{}X", &TEAM[..TEAM.len() - 1]);
    office.site.configure(&with(&slip));
    let log = office
        .served
        .says("is in a place that idp doesn't serve")
        .await;
    let line = log.lines().find(|l| l.contains("doesn't serve")).unwrap();
    assert!(
        line.contains("idp.toml:11:13") && line.contains(TEAM),
        "{line}"
    );
    on_slack(&office, "D0ALEX", "are no longer one person").await;
    on_discord(&office, ALEX, "are no longer one person").await;
    let verified = office.site.runs(&["audit", "verify"]).await;
    assert!(verified.status.success(), "{verified:?}");
}
