//! Backstage's `fetch:template`: the files of a template's skeleton, rendered in memory.
//!
//! Nothing touches a disk and nothing depends on a clock, so the same package, input and values give the same tree.
//! Only files with code in them go through the engine; all others are copied.

mod files;
mod input;

use minijinja::Environment;
use serde_json::{Map, Value, json};

pub(super) use self::files::{File, Files};
use super::Template;
use super::expression::{self, environment, fault, scan};
use super::parallel;
use crate::domain::tree::{Entry, Existing, Mode, Tree, TreePath};

/// The action that renders.
pub(super) const FETCH_TEMPLATE: &str = "fetch:template";

/// The input of `fetch:template`.
#[derive(Debug, Clone, PartialEq)]
pub struct FetchTemplate {
    /// The folder of the package to render: `./skeleton`.
    pub url: String,
    /// Where the files go: `.`, or a folder below.
    pub target_path: String,
    /// What templates read as `values`.
    pub values: Map<String, Value>,
    /// Only files with this ending are templates, and lose it (`.njk`).
    pub extension: Option<String>,
    /// Globs of files that are copied as they are; their paths are still rendered.
    pub copy_without_templating: Vec<String>,
    /// Whether the first line break behind a block goes.
    pub trim_blocks: bool,
    /// Whether white space before a block goes.
    pub lstrip_blocks: bool,
    /// What happens where a file stands already.
    pub existing: Existing,
}

/// A file that can't be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {what}", file, if *line > 0 { format!(":{line}") } else { String::new() })]
pub struct RenderError {
    /// The file in the package.
    pub file: String,
    /// The line in it, from 1; 0 where the whole file, or its path, is meant.
    pub line: usize,
    /// What is wrong: a sentence without its full stop.
    pub what: String,
}

impl RenderError {
    fn whole(file: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            line: 0,
            what: what.into(),
        }
    }
}

/// The rendered files. The same package, input and values always give the same tree.
pub fn tree(package: &Template, input: &FetchTemplate) -> Result<Tree, RenderError> {
    let settings = Files::of(input);
    let opened = settings.open(package.files())?;
    let engine = environment(settings.syntax);
    let context = expression::context(&json!({ "values": input.values }));
    let files: Vec<_> = opened.files().collect();
    let rendered = parallel::map(&files, |file| rendered(engine, file, &context));
    let mut tree = Tree::new();
    for (file, rendered) in files.iter().zip(rendered) {
        if let Some((path, entry)) = rendered? {
            tree.insert(path, entry)
                .map_err(|error| RenderError::whole(file.source, error.to_string()))?;
        }
    }
    match settings.target.as_ref() {
        None => Ok(tree),
        Some(target) => tree
            .below(target)
            .map_err(|error| RenderError::whole(&input.url, error.to_string())),
    }
}

/// One file with the place where it goes; `None`: it is left out.
fn rendered(
    engine: &Environment<'_>,
    file: &files::File<'_>,
    context: &minijinja::Value,
) -> Result<Option<(TreePath, Entry)>, RenderError> {
    let Some(path) = rendered_path(engine, file, context)? else {
        return Ok(None);
    };
    let bytes = match file.template {
        Some(text) => render(engine, file.source, text, context)?.into_bytes(),
        None => file.entry.bytes.clone(),
    };
    let entry = Entry {
        mode: file.entry.mode,
        bytes,
    };
    Ok(Some((path, entry)))
}

/// Where a file goes; a path with a part that renders to nothing skips it, which is how templates leave files out.
fn rendered_path(
    engine: &Environment<'_>,
    file: &files::File<'_>,
    context: &minijinja::Value,
) -> Result<Option<TreePath>, RenderError> {
    let path = if scan::is_template(&file.path) {
        let rendered = engine.render_str(&file.path, context.clone());
        rendered.map_err(|error| {
            RenderError::whole(
                file.source,
                format!("the file's path: {}", fault(&error, &file.path).what),
            )
        })?
    } else {
        file.path.clone()
    };
    if path.is_empty() || path.starts_with('/') || path.contains("//") || path.ends_with('/') {
        return Ok(None);
    }
    TreePath::new(path)
        .map(Some)
        .map_err(|error| RenderError::whole(file.source, error.to_string()))
}

fn render(
    engine: &Environment<'_>,
    file: &str,
    text: &str,
    context: &minijinja::Value,
) -> Result<String, RenderError> {
    engine
        .template_from_named_str(file, text)
        .and_then(|template| template.render(context.clone()))
        .map_err(|error| {
            let fault = fault(&error, text);
            RenderError {
                file: file.to_owned(),
                line: fault.line,
                what: fault.what,
            }
        })
}

/// Whether an entry is text that the engine may read: what is no UTF-8 or has a NUL byte is binary.
fn as_text(entry: &Entry) -> Option<&str> {
    let text = std::str::from_utf8(&entry.bytes).ok()?;
    (entry.mode != Mode::Symlink && !text.contains('\0')).then_some(text)
}
