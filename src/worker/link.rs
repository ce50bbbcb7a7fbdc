//! Linking accounts on GitHub: asks for a code, then looks from time to time whether it was used. Between two looks there
//! is only a job in the queue.

use std::time::Duration;

use chrono::TimeDelta;

use super::Bench;
use super::teams::Hub;
use crate::app::job::LinkJob;
use crate::app::link::github::{self as link, Next};
use crate::app::teams::Member;
use crate::clients::forge::github::device::{DeviceError, DeviceFlow, Found};
use crate::domain::id::{InstallationId, LinkId};
use crate::domain::link::github::LinkState;

/// A token is given once, so whose it is is asked this often, with so long in between.
const TRIES: u32 = 3;
const BETWEEN: Duration = Duration::from_millis(500);

/// How long until GitHub is asked again that gave no answer.
const LEFT_ALONE: TimeDelta = TimeDelta::seconds(5);

/// Does what is next about a code.
pub(super) async fn link(bench: &Bench, job: LinkJob) -> anyhow::Result<()> {
    let id = job.link;
    let next = link::next(&bench.app, id).await?;
    let Some((hub, flow)) = bench
        .hub
        .as_ref()
        .and_then(|hub| Some((hub, hub.device.as_ref()?)))
    else {
        // Another process of this deployment took the wish and this one isn't set up like it.
        tracing::warn!("A code for GitHub is wanted, and no client id is set");
        return link::failed(&bench.app, id, LinkState::Disabled).await;
    };
    match next {
        Next::Nothing => Ok(()),
        Next::Begin => begin(bench, (hub, flow), id).await,
        Next::Look {
            device_code,
            installation: _,
        } => match flow.look(&device_code).await {
            Ok(found) => follow(bench, flow, id, found).await,
            Err(error) => failed(bench, id, &error).await,
        },
    }
}

async fn begin(bench: &Bench, (hub, flow): (&Hub, &DeviceFlow), id: LinkId) -> anyhow::Result<()> {
    // First, so that whoever uses the code can be kept whatever GitHub does then.
    let installation: InstallationId = match hub.introduce(&bench.app).await {
        Ok(installation) => installation,
        Err(error) => return failed(bench, id, &DeviceError::Away(format!("{error:#}"))).await,
    };
    match flow.code().await {
        Ok(code) => {
            let code = link::Code {
                device_code: code.device_code,
                user_code: code.user_code,
                address: code.address,
                good_for: TimeDelta::from_std(code.good_for)?,
                interval: TimeDelta::from_std(code.interval)?,
            };
            link::coded(&bench.app, id, installation, code).await
        }
        Err(error) => failed(bench, id, &error).await,
    }
}

async fn follow(bench: &Bench, flow: &DeviceFlow, id: LinkId, found: Found) -> anyhow::Result<()> {
    let app = &bench.app;
    let token = match found {
        Found::Pending => return link::later(app, id, link::Pause::Usual).await,
        Found::TooOften(interval) => {
            let interval = interval.map(TimeDelta::from_std).transpose()?;
            return link::later(app, id, link::Pause::Longer(interval)).await;
        }
        Found::Declined => return link::failed(app, id, LinkState::Declined).await,
        // Ours is over before GitHub's: it was used, and the answer lost.
        Found::Gone => return link::failed(app, id, LinkState::Failed).await,
        Found::Used(token) => token,
    };
    let mut tried = 1;
    let whose = loop {
        match flow.whose(&token).await {
            Err(DeviceError::Away(_)) if tried < TRIES => {
                tried += 1;
                tokio::time::sleep(BETWEEN).await;
            }
            answer => break answer,
        }
    };
    drop(token);
    match whose {
        Ok(account) => {
            let member = Member {
                id: account.id.to_string(),
                login: account.login,
            };
            link::used(app, id, &member).await
        }
        Err(error) => {
            tracing::warn!(%error, "GitHub doesn't say who used a code");
            link::failed(app, id, LinkState::Failed).await
        }
    }
}

/// No answer is worth another look, as long as the code can be used; a refusal isn't.
async fn failed(bench: &Bench, id: LinkId, error: &DeviceError) -> anyhow::Result<()> {
    tracing::warn!(%error, "A code for GitHub got no good answer");
    match error {
        DeviceError::Away(_) => link::later(&bench.app, id, link::Pause::Once(LEFT_ALONE)).await,
        DeviceError::Disabled(_) => link::failed(&bench.app, id, LinkState::Disabled).await,
        DeviceError::Refused(_) => link::failed(&bench.app, id, LinkState::Failed).await,
    }
}
