//! Modals: triggers, stacks, values, answers to a submission, searches.

use serde_json::{Value, json};

use super::harness::{Answer, App, Sim};
use idp::sandbox::acts::{FieldEntry, Press, Surface};

fn form(title: &str) -> Value {
    json!({
        "type": "modal",
        "callback_id": "new-service",
        "private_metadata": "draft-1",
        "title": { "type": "plain_text", "text": title },
        "submit": { "type": "plain_text", "text": "Next" },
        "close": { "type": "plain_text", "text": "Cancel" },
        "notify_on_close": true,
        "blocks": [
            {
                "type": "input", "block_id": "name",
                "label": { "type": "plain_text", "text": "Name" },
                "element": { "type": "plain_text_input", "action_id": "value", "max_length": 40 }
            },
            {
                "type": "input", "block_id": "team", "optional": true,
                "label": { "type": "plain_text", "text": "Team" },
                "element": { "type": "external_select", "action_id": "team", "min_query_length": 0 }
            },
            {
                "type": "input", "block_id": "path",
                "label": { "type": "plain_text", "text": "Path" },
                "element": {
                    "type": "radio_buttons", "action_id": "value",
                    "initial_option": option("node"),
                    "options": [option("node"), option("static")]
                }
            }
        ]
    })
}

fn option(value: &str) -> Value {
    json!({ "text": { "type": "plain_text", "text": value }, "value": value })
}

fn entry(block: &str, action: &str, value: &str) -> FieldEntry {
    FieldEntry {
        block_id: Some(block.into()),
        action_id: action.into(),
        value: json!(value),
    }
}

/// An app that answers submissions with this.
async fn app(submitted: Answer) -> App {
    App::start(move |got| match got.payload()["type"].as_str() {
        Some("view_submission") => submitted.clone(),
        Some("block_suggestion") => Answer::Json(json!({ "options": [option("payments")] })),
        _ => Answer::Empty,
    })
    .await
}

/// Types the command and opens the form with its trigger.
async fn open(sim: &Sim, app: &App) -> Value {
    sim.world
        .say("priya", "#platform", None, "/idp")
        .await
        .unwrap();
    let trigger = app.received().last().unwrap().payload()["trigger_id"].clone();
    sim.call(
        "views.open",
        json!({ "trigger_id": trigger, "view": form("Form") }),
    )
    .await["view"]
        .clone()
}

#[tokio::test]
async fn a_trigger_opens_one_view_within_three_seconds() {
    let app = app(Answer::Empty).await;
    let sim = Sim::with_app(&app).await;
    let open = |trigger: &Value| json!({ "trigger_id": trigger, "view": form("Form") });
    sim.world
        .say("priya", "#platform", None, "/idp")
        .await
        .unwrap();
    let trigger = app.only().payload()["trigger_id"].clone();
    sim.call("views.open", open(&trigger)).await;
    assert_eq!(
        sim.refused("views.open", open(&trigger)).await,
        "exchanged_trigger_id"
    );
    assert_eq!(
        sim.refused("views.open", open(&json!("1.2.x"))).await,
        "invalid_trigger_id"
    );

    sim.world
        .say("priya", "#platform", None, "/idp")
        .await
        .unwrap();
    let trigger = app.received()[1].payload()["trigger_id"].clone();
    sim.pass(4);
    assert_eq!(
        sim.refused("views.open", open(&trigger)).await,
        "expired_trigger_id"
    );
}

#[tokio::test]
async fn a_submission_carries_every_value_and_closes_the_view() {
    let app = app(Answer::Empty).await;
    let sim = Sim::with_app(&app).await;
    let view = open(&sim, &app).await;
    let id = view["id"].as_str().unwrap();
    let on = Surface::View(id.into());
    sim.world
        .suggest("priya", &on, "team", "pay")
        .await
        .unwrap();
    let search = app.received().last().unwrap().payload();
    assert_eq!(
        (search["value"].as_str(), search["action_id"].as_str()),
        (Some("pay"), Some("team"))
    );
    assert_eq!(app.received().last().unwrap().path, "/slack/options");

    let entries = [
        entry("name", "value", "payments-api"),
        entry("team", "team", "payments"),
        entry("path", "value", "static"),
    ];
    let outcome = sim.world.submit("priya", id, &entries).await.unwrap();
    assert_eq!(outcome.problem, None);
    assert!(sim.world.open_view("priya").is_none());
    let payload = app.received().last().unwrap().payload();
    let view = &payload["view"];
    assert_eq!(view["private_metadata"], "draft-1");
    assert_eq!(
        view["state"]["values"],
        json!({
            "name": { "value": { "type": "plain_text_input", "value": "payments-api" } },
            "path": { "value": { "type": "radio_buttons", "selected_option": option("static") } },
            "team": { "team": { "type": "external_select", "selected_option": option("payments") } },
        })
    );
    assert_eq!(payload["response_urls"], json!([]));
}

#[tokio::test]
async fn an_empty_required_input_never_leaves_the_client() {
    let app = app(Answer::Empty).await;
    let sim = Sim::with_app(&app).await;
    let view = open(&sim, &app).await;
    let outcome = sim
        .world
        .submit("priya", view["id"].as_str().unwrap(), &[])
        .await
        .unwrap();
    assert!(outcome.problem.is_some());
    let shown = sim.world.open_view("priya").unwrap();
    assert_eq!(shown.errors.keys().collect::<Vec<_>>(), ["name"]);
    assert_eq!(app.received().len(), 1, "only the command");
}

#[tokio::test]
async fn errors_stand_at_their_fields_and_nothing_is_lost() {
    let answer =
        json!({ "response_action": "errors", "errors": { "name": "Taken by team core." } });
    let app = app(Answer::Json(answer)).await;
    let sim = Sim::with_app(&app).await;
    let view = open(&sim, &app).await;
    let entries = [entry("name", "value", "api")];
    sim.world
        .submit("priya", view["id"].as_str().unwrap(), &entries)
        .await
        .unwrap();
    let shown = sim.world.open_view("priya").unwrap();
    assert_eq!(shown.errors["name"], "Taken by team core.");
    assert_eq!(shown.fields.get("name", "value").unwrap()["value"], "api");
}

#[tokio::test]
async fn errors_for_unknown_blocks_are_the_apps_mistake() {
    let answer = json!({ "response_action": "errors", "errors": { "nowhere": "x" } });
    let app = app(Answer::Json(answer)).await;
    let sim = Sim::with_app(&app).await;
    let view = open(&sim, &app).await;
    let entries = [entry("name", "value", "api")];
    let outcome = sim
        .world
        .submit("priya", view["id"].as_str().unwrap(), &entries)
        .await
        .unwrap();
    assert!(
        outcome
            .problem
            .unwrap()
            .starts_with("We had some trouble connecting")
    );
    assert!(sim.world.open_view("priya").is_some());
}

#[tokio::test]
async fn the_next_page_replaces_the_view_and_keeps_values_of_the_same_ids() {
    let app = app(Answer::Json(
        json!({ "response_action": "update", "view": form("Page 2") }),
    ))
    .await;
    let sim = Sim::with_app(&app).await;
    let view = open(&sim, &app).await;
    let entries = [entry("name", "value", "api")];
    sim.world
        .submit("priya", view["id"].as_str().unwrap(), &entries)
        .await
        .unwrap();
    let shown = sim.world.open_view("priya").unwrap();
    assert_eq!(shown.id, view["id"].as_str().unwrap());
    assert_eq!(shown.label("title"), Some("Page 2"));
    assert_eq!(shown.fields.get("name", "value").unwrap()["value"], "api");
    assert_ne!(shown.hash, view["hash"].as_str().unwrap());

    let args = json!({ "view_id": shown.id, "hash": view["hash"], "view": form("x") });
    assert_eq!(sim.refused("views.update", args).await, "hash_conflict");
    let args = json!({ "view_id": "V0", "view": form("x") });
    assert_eq!(sim.refused("views.update", args).await, "not_found");
}

#[tokio::test]
async fn pushed_views_stack_three_high_and_closing_tells_the_app() {
    let app = app(Answer::Json(
        json!({ "response_action": "push", "view": form("Above") }),
    ))
    .await;
    let sim = Sim::with_app(&app).await;
    open(&sim, &app).await;
    for height in 2..=3 {
        let top = sim.world.open_view("priya").unwrap().id;
        sim.world
            .submit("priya", &top, &[entry("name", "value", "api")])
            .await
            .unwrap();
        assert_eq!(sim.world.view_stack("priya").len(), height);
    }
    let top = sim.world.open_view("priya").unwrap();
    let outcome = sim
        .world
        .submit("priya", &top.id, &[entry("name", "value", "api")])
        .await
        .unwrap();
    assert!(outcome.problem.is_some(), "a fourth view is refused");
    assert_eq!(top.root_id, sim.world.view_stack("priya")[0].id);

    sim.world.close("priya", &top.id).await.unwrap();
    let payload = app.received().last().unwrap().payload();
    assert_eq!(
        (payload["type"].as_str(), payload["is_cleared"].as_bool()),
        (Some("view_closed"), Some(false))
    );
    assert_eq!(sim.world.view_stack("priya").len(), 2);
}

#[tokio::test]
async fn a_button_in_a_form_can_push_with_its_own_trigger() {
    let app = app(Answer::Empty).await;
    let sim = Sim::with_app(&app).await;
    sim.world
        .say("priya", "#platform", None, "/idp")
        .await
        .unwrap();
    let trigger = app.only().payload()["trigger_id"].clone();
    let mut view = form("Form");
    let button = json!({ "type": "button", "action_id": "more", "text": { "type": "plain_text", "text": "More" } });
    view["blocks"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "type": "actions", "elements": [button] }));
    let args = json!({ "trigger_id": trigger, "view": view });
    let id = sim.call("views.open", args).await["view"]["id"]
        .as_str()
        .unwrap()
        .to_owned();

    let press = Press {
        surface: Surface::View(id.clone()),
        block_id: None,
        action_id: "more".into(),
        value: Value::Null,
    };
    sim.world.press("priya", &press).await.unwrap();
    let payload = app.received()[1].payload();
    assert_eq!(
        payload["container"],
        json!({ "type": "view", "view_id": id })
    );
    assert_eq!(payload.get("response_url"), None);
    let args = json!({ "trigger_id": payload["trigger_id"], "view": form("Above") });
    let pushed = sim.call("views.push", args).await;
    assert_eq!(pushed["view"]["previous_view_id"], json!(id));
}

#[tokio::test]
async fn nobody_uses_another_ones_form() {
    let app = app(Answer::Empty).await;
    let sim = Sim::with_app(&app).await;
    let view = open(&sim, &app).await;
    let refused = sim
        .world
        .submit("tom", view["id"].as_str().unwrap(), &[])
        .await;
    assert_eq!(refused, Err(idp::sandbox::acts::ActError::NoView));
}

#[tokio::test]
async fn a_choice_that_acts_at_once_brings_the_whole_view_and_an_update_keeps_what_was_typed() {
    let app = app(Answer::Empty).await;
    let sim = Sim::with_app(&app).await;
    let mut steered = form("Form");
    steered["blocks"][2]["dispatch_action"] = json!(true);
    sim.world
        .say("priya", "#platform", None, "/idp")
        .await
        .unwrap();
    let trigger = app.only().payload()["trigger_id"].clone();
    let opened = sim
        .call(
            "views.open",
            json!({ "trigger_id": trigger, "view": steered }),
        )
        .await;
    let id = opened["view"]["id"].as_str().unwrap();
    let typed = [entry("name", "value", "payments-api")];
    sim.world.fill("priya", id, &typed).unwrap();
    let press = Press {
        surface: Surface::View(id.into()),
        block_id: Some("path".into()),
        action_id: "value".into(),
        value: json!("static"),
    };
    sim.world.press("priya", &press).await.unwrap();
    let got = app.received().last().unwrap().payload();
    assert_eq!(got["actions"][0]["selected_option"]["value"], "static");
    let state = &got["view"]["state"]["values"];
    assert_eq!(state["name"]["value"]["value"], "payments-api");
    assert_eq!(state["path"]["value"]["selected_option"]["value"], "static");

    // What is typed before the update arrives stays, because the block ids stayed.
    let typed = [entry("name", "value", "payments-api-2")];
    sim.world.fill("priya", id, &typed).unwrap();
    steered["submit"]["text"] = json!("Ask for approval");
    let hash = got["view"]["hash"].clone();
    let update = json!({ "view_id": id, "hash": hash, "view": steered });
    let updated = sim.call("views.update", update.clone()).await;
    let state = &updated["view"]["state"]["values"];
    assert_eq!(state["name"]["value"]["value"], "payments-api-2");
    assert_eq!(state["path"]["value"]["selected_option"]["value"], "static");
    assert_eq!(sim.refused("views.update", update).await, "hash_conflict");
}
