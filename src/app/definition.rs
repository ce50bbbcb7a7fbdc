//! What a request was asked with: its command and template as they were then, and its checked inputs.

use std::sync::Arc;

use anyhow::Context as _;
use serde_json::{Map, Value};

use super::remembered::Remembered;
use crate::catalog::flow::Asked;
use crate::catalog::{Command, Inputs, Problem, Template};
use crate::domain::canonical::Digest;
use crate::store::request::Request;
use crate::store::{self, Conn};

/// What was read already, by the digest of its bytes: a digest never names anything else, and every card of a request
/// is drawn with its definition. More than one catalog has definitions, with their last versions.
static COMMANDS: Remembered<Digest, Command> = Remembered::new(256);
static TEMPLATES: Remembered<Digest, Template> = Remembered::new(256);

/// Definitions kept with a request: later edits of the files change nothing here.
#[derive(Debug, Clone)]
pub struct Definition {
    /// The command.
    pub command: Arc<Command>,
    /// The template that the inputs chose.
    pub template: Option<Arc<Template>>,
    /// The inputs.
    pub inputs: Inputs,
}

impl Definition {
    /// Reads what a request was asked with.
    pub async fn of(conn: &mut Conn, request: &Request) -> anyhow::Result<Self> {
        let command = command(conn, request.command_digest).await?;
        let template = match request.template_digest {
            None => None,
            Some(digest) => Some(template(conn, digest).await?),
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

async fn command(conn: &mut Conn, digest: Digest) -> anyhow::Result<Arc<Command>> {
    if let Some(read) = COMMANDS.get(&digest) {
        return Ok(read);
    }
    let bytes = kept(conn, digest).await?;
    let command = Command::parse(&bytes).map_err(|problems| unreadable("command", &problems))?;
    Ok(COMMANDS.keep(digest, command))
}

async fn template(conn: &mut Conn, digest: Digest) -> anyhow::Result<Arc<Template>> {
    if let Some(read) = TEMPLATES.get(&digest) {
        return Ok(read);
    }
    let package = kept(conn, digest).await?;
    let template =
        Template::parse(&package).map_err(|problems| unreadable("template", &problems))?;
    Ok(TEMPLATES.keep(digest, template))
}

async fn kept(conn: &mut Conn, digest: Digest) -> anyhow::Result<Vec<u8>> {
    let bytes = store::blob::get(conn, digest).await?;
    bytes.with_context(|| format!("the kept definition {digest} is gone"))
}

/// It was checked when the request was made, so this is ours: a release that no longer reads what an older one kept.
fn unreadable(kind: &str, problems: &[Problem]) -> anyhow::Error {
    anyhow::anyhow!("the kept {kind} can't be read any more: {problems:?}")
}
