//! What people get once a run succeeded: the command's links, and what they can paste.

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::App;
use super::super::definition::Definition;
use crate::catalog::flow;
use crate::store::step::Step;

/// What a succeeded run keeps in its `output`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ending {
    /// Links: title and address.
    pub links: Vec<(String, String)>,
    /// Texts: title and content.
    #[serde(default)]
    pub texts: Vec<(String, String)>,
    /// What people can paste: `git clone …`.
    pub clone: Option<String>,
}

/// The name under which every publishing action gives the address to clone from (Backstage's own).
const REMOTE_URL: &str = "remoteUrl";

impl Ending {
    /// Makes it from what the steps brought.
    pub(super) fn of(app: &App, definition: &Definition, steps: &[Step]) -> anyhow::Result<Self> {
        let outputs: Map<String, Value> = steps
            .iter()
            .filter_map(|s| Some((s.id.clone(), s.output.clone()?)))
            .collect();
        let ending = flow::ending(
            definition.asked(&app.settings.current().environment),
            &outputs,
        )
        .context("the command's output")?;
        let remote = steps
            .iter()
            .filter_map(|s| s.output.as_ref()?.get(REMOTE_URL)?.as_str())
            .find(|url| url.starts_with("http://") || url.starts_with("https://"));
        Ok(Self {
            links: ending
                .links
                .into_iter()
                .map(|l| (l.title, to_page(l.url, remote)))
                .collect(),
            texts: ending.texts,
            clone: remote.map(|url| format!("git clone {url}")),
        })
    }
}

/// Where a link leads: templates name a repository by its address for git, and people want its page.
fn to_page(url: String, remote: Option<&str>) -> String {
    match url.strip_suffix(".git") {
        Some(page) if remote == Some(&url) => page.to_owned(),
        _ => url,
    }
}
