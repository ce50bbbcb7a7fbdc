//! Backstage's `fetch:template`: the files of a template's skeleton, rendered in memory.

use serde_json::{Map, Value};

use super::Template;
use crate::domain::tree::{Existing, Tree};

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

impl FetchTemplate {
    /// Reads the input as the step has it.
    pub fn read(input: &Value) -> Result<Self, RenderError> {
        let _ = input;
        todo!()
    }

    /// The JSON Schema of the input, for the action's table.
    pub fn schema() -> Value {
        todo!()
    }
}

/// The rendered files. The same package, input and values always give the same tree.
pub fn tree(package: &Template, input: &FetchTemplate) -> Result<Tree, RenderError> {
    let _ = (package, input);
    todo!()
}
