//! What a request was asked with: its command and template as they were then, and its checked inputs.

use std::sync::Arc;

use anyhow::Context as _;
use serde_json::{Map, Value};

use crate::catalog::flow::Asked;
use crate::catalog::{Command, Inputs, Problem, Template};
use crate::domain::canonical::Digest;
use crate::store::request::Request;
use crate::store::{self, Conn};

/// Definitions kept with a request: later edits of the files change nothing here.
#[derive(Debug, Clone)]
pub struct Definition {
    /// The command.
    pub command: Command,
    /// The template that the inputs chose.
    pub template: Option<Arc<Template>>,
    /// The inputs.
    pub inputs: Inputs,
}

impl Definition {
    /// Reads what a request was asked with.
    pub async fn of(conn: &mut Conn, request: &Request) -> anyhow::Result<Self> {
        let bytes = kept(conn, request.command_digest).await?;
        let command =
            Command::parse(&bytes).map_err(|problems| unreadable("command", &problems))?;
        let template = match request.template_digest {
            None => None,
            Some(digest) => {
                let package = kept(conn, digest).await?;
                let template = Template::parse(&package)
                    .map_err(|problems| unreadable("template", &problems))?;
                Some(Arc::new(template))
            }
        };
        let inputs = serde_json::from_value(Value::Object(request.inputs.0.clone()))
            .context("the kept inputs")?;
        Ok(Self {
            command,
            template,
            inputs,
        })
    }

    /// For the functions of [`crate::catalog::flow`].
    pub fn asked<'a>(&'a self, environment: &'a Map<String, Value>) -> Asked<'a> {
        Asked {
            command: &self.command,
            template: self.template.as_deref(),
            inputs: &self.inputs,
            environment,
        }
    }
}

async fn kept(conn: &mut Conn, digest: Digest) -> anyhow::Result<Vec<u8>> {
    let bytes = store::blob::get(conn, digest).await?;
    bytes.with_context(|| format!("the kept definition {digest} is gone"))
}

/// It was checked when the request was made, so this is ours: a release that no longer reads what an older one kept.
fn unreadable(kind: &str, problems: &[Problem]) -> anyhow::Error {
    anyhow::anyhow!("the kept {kind} can't be read any more: {problems:?}")
}
