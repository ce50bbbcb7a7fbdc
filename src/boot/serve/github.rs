//! The organisation on GitHub: its webhook's way in, and whoever reads its people.

use std::sync::Arc;

use crate::app::App;
use crate::boot::clock;
use crate::boot::config::Config;
use crate::boot::problem::{OrFail as _, Problem};
use crate::clients::forge::github::Credentials;
use crate::clients::forge::github::device::DeviceFlow;
use crate::clients::forge::github::directory::Directory;
use crate::web;
use crate::worker::teams::Hub;

/// GitHub's webhook, where it has a secret. An App's number comes with its deliveries, its client id does not.
pub(super) fn webhook(
    config: &Config,
    app: &App,
    metrics: &Arc<web::metrics::Metrics>,
) -> Option<Arc<web::github::Edge>> {
    let github = config.github.as_ref()?;
    let secret = github.webhook_secret.clone()?;
    let app_id = app_id(&github.forge.credentials);
    let organisation = github.forge.organisation.clone();
    let edge = web::github::Edge::new(
        app.clone(),
        secret,
        organisation,
        app_id,
        Arc::clone(metrics),
    );
    Some(Arc::new(edge))
}

/// Our App's number, where we are one and it is known: an App may also be configured by its client id.
fn app_id(credentials: &Credentials) -> Option<String> {
    match credentials {
        Credentials::App { id, .. } => id.parse::<u64>().ok().map(|id| id.to_string()),
        Credentials::Token(_) => None,
    }
}

/// The organisation on GitHub, for whoever reads its people.
pub(super) fn hub(config: &Config) -> Result<Option<Hub>, Problem> {
    let Some(github) = &config.github else {
        return Ok(None);
    };
    let directory =
        Directory::new(&github.forge, Arc::new(clock::now)).or_fail("can't reach for GitHub")?;
    let device = github.client_id.clone().map(|client_id| {
        DeviceFlow::new(&github.forge.git_url, &github.forge.api_url, client_id)
            .or_fail("can't reach for GitHub")
    });
    Ok(Some(Hub {
        directory: Arc::new(directory),
        device: device.transpose()?,
        app_id: app_id(&github.forge.credentials),
    }))
}
