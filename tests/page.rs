//! The page: in a real browser, and what it must never show to whom.

use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt;
use idp::sandbox::world::ChannelKind;
use serde_json::{Value, json};

use crate::simulator::clients::{found, node};
use crate::simulator::harness::Sim;

/// Pointer, keyboard, two tabs, dialogs, drawer, phone's width, dark: `tests/clients/page.mjs`.
#[tokio::test]
async fn in_a_browser() {
    if found(Path::new("/usr/bin/chromium"), "the page in a browser") {
        node("page.mjs").await;
    }
}

/// The same for the Discord server: `tests/clients/page-discord.mjs`.
#[tokio::test]
async fn discord_in_a_browser() {
    if found(
        Path::new("/usr/bin/chromium"),
        "the Discord page in a browser",
    ) {
        node("page-discord.mjs").await;
    }
}

#[tokio::test]
async fn it_opens_as_the_first_person_in_their_first_channel() {
    let sim = Sim::start(|_| {}).await;
    let html = page(&sim, "").await;
    assert!(html.contains("You are Priya Nair"));
    assert!(html.contains(r#"placeholder="Type /idp new-service""#));
    assert!(html.contains("This is the very beginning of #platform."));
}

#[tokio::test]
async fn nobody_reads_what_isnt_theirs() {
    let sim = Sim::start(|_| {}).await;
    sim.world
        .say("mira", "security-ops", None, "the key is under the mat")
        .await
        .unwrap();
    sim.world
        .say("priya", "D07PRIYALEX", None, "between us")
        .await
        .unwrap();
    let channel = sim.world.channel("security-ops").unwrap();
    let ts = channel.messages.keys().next().unwrap();
    for person in ["priya", "tom", "gil"] {
        for address in [
            format!("?as={person}&in=security-ops"),
            format!("?as={person}&in={}&thread={ts}", channel.id),
            format!("?as={person}&in={}&behind={ts}", channel.id),
        ] {
            assert!(
                !page(&sim, &address).await.contains("under the mat"),
                "{address}"
            );
        }
    }
    assert!(
        page(&sim, "?as=mira&in=security-ops")
            .await
            .contains("under the mat")
    );
    assert!(
        !page(&sim, "?as=sam&in=D07PRIYALEX")
            .await
            .contains("between us")
    );
    assert!(
        page(&sim, "?as=alex&in=D07PRIYALEX")
            .await
            .contains("between us")
    );
}

#[tokio::test]
async fn what_people_write_is_no_markup() {
    let sim = Sim::start(|_| {}).await;
    let evil = r#"<img src=x onerror=alert(1)> "><script>alert(1)</script> *bold*"#;
    sim.world.say("priya", "random", None, evil).await.unwrap();
    sim.world
        .new_channel(
            "<i>x</i>",
            ChannelKind::Public,
            false,
            &["priya".to_owned()],
        )
        .unwrap();
    let html = page(&sim, "?as=priya&in=random&thread=%22%3E%3Cscript%3E").await;
    assert!(
        html.contains("&lt;img src=x onerror=alert(1)&gt;")
            && html.contains("<strong>bold</strong>")
    );
    for part in ["<img src=x", "<script>", "<i>x</i>"] {
        assert!(!html.contains(part), "{part}");
    }
}

#[tokio::test]
async fn its_script_is_the_only_one() {
    let sim = Sim::start(|_| {}).await;
    let answer = reqwest::get(sim.base.clone()).await.unwrap();
    let policy = answer.headers()["content-security-policy"]
        .to_str()
        .unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"));
    for asset in ["page/main.js", "page/style.css", "page/icon.svg"] {
        let answer = reqwest::get(sim.base.join(asset).unwrap()).await.unwrap();
        assert!(answer.status().is_success(), "{asset}");
    }
}

#[tokio::test]
async fn a_permalink_leads_to_the_message() {
    let sim = Sim::start(|_| {}).await;
    let said = sim
        .world
        .say("priya", "random", None, "over here")
        .await
        .unwrap();
    let ts = said.ts.unwrap();
    let channel = sim.world.channel("random").unwrap().id;
    let link = sim.world.permalink(&channel, &ts).unwrap();
    let answer = reqwest::get(link).await.unwrap();
    assert!(
        answer
            .url()
            .query()
            .unwrap()
            .contains(&format!("thread={ts}"))
    );
    assert!(
        answer
            .text()
            .await
            .unwrap()
            .contains(&format!(r#"id="m-{ts}""#))
    );
}

#[tokio::test]
async fn a_page_is_told_of_its_own_persons_changes_only() {
    let sim = Sim::start(|_| {}).await;
    let mut alex = events(&sim, "alex").await;
    assert_eq!(alex.next().await, Some(json!({ "kind": "hello" })));
    // A command that nobody answers is told to Priya alone, a message to everybody.
    sim.world
        .say("priya", "random", None, "/nothing")
        .await
        .unwrap();
    let said = sim
        .world
        .say("priya", "random", None, "hello")
        .await
        .unwrap();
    let told = alex.next().await.unwrap();
    assert_eq!(
        (&told["kind"], &told["ts"]),
        (&json!("message"), &json!(said.ts))
    );
}

async fn page(sim: &Sim, query: &str) -> String {
    let address = sim.base.join(query).unwrap();
    reqwest::get(address).await.unwrap().text().await.unwrap()
}

/// What the page of this person is told, one change after the other.
async fn events(sim: &Sim, person: &str) -> impl StreamExt<Item = Value> + Unpin {
    let address = sim.base.join(&format!("page/events?as={person}")).unwrap();
    let answer = reqwest::get(address).await.unwrap();
    let parts = futures_util::stream::unfold(answer, async |mut answer| {
        let part = answer.chunk().await.unwrap()?;
        Some((part, answer))
    });
    let lines = parts.flat_map(|part| {
        let text = String::from_utf8(part.to_vec()).unwrap();
        let changes: Vec<Value> = text
            .lines()
            .filter_map(|line| line.strip_prefix("data: "))
            .map(|data| serde_json::from_str(data).unwrap())
            .collect();
        futures_util::stream::iter(changes)
    });
    let timed = tokio_stream::StreamExt::timeout(lines, Duration::from_secs(10));
    Box::pin(timed.map(Result::unwrap))
}
