//! `/api/requests`: with the token only, and to the whole evidence.

use serde_json::{Value, json};

use super::bot::{API_TOKEN, Bot};

async fn call(bot: &Bot, token: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let url = format!("{}/api/requests{path}", bot.url);
    let client = reqwest::Client::new();
    let request = match body {
        Some(body) => client.post(url).json(&body),
        None => client.get(url),
    };
    let answer = request.bearer_auth(token).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or_default())
}

fn service(name: &str) -> Value {
    json!({ "command": "new-service", "by": "ops", "values": { "name": name, "template": "static-site",
        "owner": "payments", "visibility": "private", "headline": "Hello" } })
}

#[tokio::test]
async fn nobody_gets_in_without_the_token() {
    let bot = Bot::start().await;
    for token in ["", "operators", "operators-tokens"] {
        assert_eq!(call(&bot, token, "", None).await.0, 401);
        assert_eq!(
            call(&bot, token, "", Some(service("payments-api"))).await.0,
            401
        );
    }
    assert_eq!(bot.count("request").await, 0);
}

#[tokio::test]
async fn a_request_is_taken_listed_and_shown_with_its_evidence() {
    let bot = Bot::start().await;
    let (status, taken) = call(&bot, API_TOKEN, "", Some(service("payments-api"))).await;
    assert_eq!(status, 201, "{taken}");
    let number = taken["number"].as_i64().unwrap();

    let (_, listed) = call(&bot, API_TOKEN, "?open=true", None).await;
    assert_eq!(listed["requests"][0]["number"], number);
    assert_eq!(listed["requests"][0]["subject"], "payments-api");

    let (status, shown) = call(&bot, API_TOKEN, &format!("/{number}"), None).await;
    assert_eq!(status, 200, "{shown}");
    assert_eq!(shown["state"], "planning");
    assert_eq!(shown["origin"], "operator");
    assert_eq!(shown["requester"]["name"], "ops");
    assert_eq!(shown["inputs"]["headline"], "Hello");
    assert_eq!(shown["audit"][0]["seq"], 1);
    assert_eq!(shown["audit"][0]["body"]["kind"], "request.asked");

    assert_eq!(call(&bot, API_TOKEN, "/4711", None).await.0, 404);
}

#[tokio::test]
async fn what_is_wrong_is_said_by_field() {
    let bot = Bot::start().await;
    let (status, wrong) = call(&bot, API_TOKEN, "", Some(service("Payments API"))).await;
    assert_eq!(status, 422);
    assert_eq!(wrong["fields"][0]["field"], "name");

    call(&bot, API_TOKEN, "", Some(service("payments-api"))).await;
    let (status, held) = call(&bot, API_TOKEN, "", Some(service("payments-api"))).await;
    assert_eq!((status, &held["fields"][0]["field"]), (422, &json!("name")));
    assert_eq!(bot.count("request").await, 1);

    let nul = |field: &str, text: &str| {
        let mut body = service("other-api");
        match field {
            "by" => body["by"] = text.into(),
            "command" => body["command"] = text.into(),
            value => body["values"][value] = text.into(),
        }
        body
    };
    let long = "o".repeat(10_000);
    for (field, text) in [
        ("by", ""),
        ("by", "op\u{0}s"),
        ("by", "op\ns"),
        ("by", &long),
        ("headline", "Hel\u{0}lo"),
        ("name", "a\u{0}b"),
        ("command", "new\u{0}service"),
        ("a\u{0}b", "x"),
    ] {
        let (status, said) = call(&bot, API_TOKEN, "", Some(nul(field, text))).await;
        assert_eq!(status, 422, "{field}: {said}");
    }
    assert_eq!(bot.count("request").await, 1);

    let unknown = json!({ "command": "new-servise" });
    let (status, unknown) = call(&bot, API_TOKEN, "", Some(unknown)).await;
    assert_eq!((status, &unknown["nearest"]), (422, &json!("new-service")));
    let (status, _) = call(&bot, API_TOKEN, "", Some(json!({ "comand": "x" }))).await;
    assert_eq!(status, 422);
}
