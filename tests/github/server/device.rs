//! The device flow: a person types a code on GitHub's page, and the App learns who they are.
//! docs.github.com/apps, "Generating a user access token for a GitHub App".

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::answer::Answer;
use super::api::Request;
use super::auth::new_token;
use super::levers::Trouble;
use super::world::{Device, Holder, Kind, Logged, Permissions, Token, World};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Answers on GitHub's web side; none where the connection is to break.
pub fn answer(world: &mut World, request: &Request) -> Option<Answer> {
    let operation = request.path.trim_start_matches('/').to_owned();
    let logged = world.log.len();
    world.log.push(Logged {
        kind: Kind::Auth,
        method: request.method.clone(),
        path: request.path.clone(),
        operation: operation.clone(),
        status: None,
        at: world.now(),
    });
    let trouble = world.levers.take(&operation);
    let form = fields(request);
    let mut answer = match trouble {
        Some(Trouble::BreakBefore) => return None,
        Some(Trouble::Status(status)) => Answer::refusal(status, "Server Error"),
        _ => match &*operation {
            "login/device/code" => begin(world, &form),
            _ => poll(world, &form),
        },
    };
    if trouble == Some(Trouble::BreakAfter) {
        return None;
    }
    world.log[logged].status = Some(answer.status);
    // Without `Accept: application/json` GitHub answers as a form, and who doesn't ask reads nothing.
    if !request
        .header("accept")
        .unwrap_or_default()
        .contains("json")
    {
        world.fault(format!("{operation} without Accept: application/json"));
        answer.body = None;
    }
    Some(answer)
}

fn fields(request: &Request) -> Value {
    if let Ok(json) = serde_json::from_slice::<Value>(&request.body) {
        return json;
    }
    let text = String::from_utf8_lossy(&request.body);
    let form: Vec<(String, String)> = serde_urlencoded::from_str(&text).unwrap_or_default();
    form.into_iter()
        .map(|(name, value)| (name, json!(value)))
        .collect()
}

/// Errors of OAuth come with 200.
fn error(name: &str, why: &str) -> Answer {
    Answer::ok(json!({
        "error": name, "error_description": why,
        "error_uri": "https://docs.github.com/developers/apps/authorizing-oauth-apps#error-codes-for-the-device-flow",
    }))
}

fn begin(world: &mut World, form: &Value) -> Answer {
    if form["client_id"] != world.app.client_id.as_str() {
        return Answer::refusal(404, "Not Found");
    }
    if !world.app.device_flow {
        return error(
            "device_flow_disabled",
            "Device Flow must be explicitly enabled for this App",
        );
    }
    let now = world.now();
    let text = new_token("x").to_uppercase();
    let device = Device {
        code: new_token("d"),
        user_code: format!("{}-{}", &text[2..6], &text[6..10]),
        expires: now + TimeDelta::minutes(15),
        interval: world.app.device_interval,
        asked: None,
        answer: None,
        used: false,
    };
    let body = json!({
        "device_code": device.code, "user_code": device.user_code, "expires_in": 900, "interval": device.interval,
        "verification_uri": format!("{}/login/device", world.web),
    });
    world.device.push(device);
    Answer::ok(body)
}

fn poll(world: &mut World, form: &Value) -> Answer {
    if form["client_id"] != world.app.client_id.as_str() {
        return error(
            "incorrect_client_credentials",
            "The client_id and/or client_secret passed are incorrect.",
        );
    }
    if form["grant_type"] != GRANT {
        return error(
            "unsupported_grant_type",
            "The grant type must be that of the device flow.",
        );
    }
    let now = world.now();
    let Some(device) = world
        .device
        .iter_mut()
        .find(|device| form["device_code"] == device.code.as_str())
    else {
        return error(
            "incorrect_device_code",
            "The device_code provided is not valid.",
        );
    };
    let too_soon = device
        .asked
        .is_some_and(|asked| (now - asked).num_seconds() < device.interval);
    device.asked = Some(now);
    if device.used || now >= device.expires {
        return error("expired_token", "This 'device_code' has expired.");
    }
    if too_soon {
        device.interval += 5;
        let mut answer = error(
            "slow_down",
            "Too many requests have been made in the same timeframe.",
        );
        if let Some(body) = &mut answer.body {
            body["interval"] = json!(device.interval);
        }
        return answer;
    }
    match device.answer.clone() {
        None => error(
            "authorization_pending",
            "The authorization request is still pending.",
        ),
        Some(None) => error("access_denied", "The authorization request was denied."),
        Some(Some(login)) => {
            device.used = true;
            let token = new_token("ghu");
            let permissions = Permissions::from([("metadata".to_owned(), "read".to_owned())]);
            let holder = Holder::FineGrained { login, permissions };
            let expires = Some(now + TimeDelta::hours(8));
            world
                .tokens
                .insert(token.clone(), Token { holder, expires });
            Answer::ok(json!({
                "access_token": token, "token_type": "bearer", "scope": "", "expires_in": 28_800,
                "refresh_token": new_token("ghr"), "refresh_token_expires_in": 15_897_600,
            }))
        }
    }
}
