//! Which files of a package a `fetch:template` step renders, copies and names how.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde_json::Value;

use super::{FetchTemplate, RenderError, as_text};
use crate::catalog::expression::{Syntax, scan};
use crate::domain::tree::{Entry, Tree, TreePath};

/// The settings of a step, ready to be applied.
pub(in crate::catalog) struct Files {
    pub(in crate::catalog) syntax: Syntax,
    /// Where the files go; `None`: to the root.
    pub(super) target: Option<TreePath>,
    folder: String,
    extension: Option<String>,
    copied: Vec<String>,
}

/// The files that the settings choose.
pub(in crate::catalog) struct Opened<'a> {
    settings: &'a Files,
    copied: GlobSet,
    files: Vec<(&'a TreePath, &'a Entry)>,
}

/// One file.
pub(in crate::catalog) struct File<'a> {
    /// Its path in the package.
    pub(in crate::catalog) source: &'a str,
    /// Its path before rendering, below the folder and without the templates' ending.
    pub(in crate::catalog) path: String,
    /// Its text, if it has to go through the engine.
    pub(in crate::catalog) template: Option<&'a str>,
    /// What it is in the package.
    pub(super) entry: &'a Entry,
}

impl Files {
    /// The settings of a step's whole input.
    pub(super) fn of(input: &FetchTemplate) -> Self {
        let syntax = Syntax {
            trim_blocks: input.trim_blocks,
            lstrip_blocks: input.lstrip_blocks,
        };
        let target = input
            .target_path
            .trim_start_matches("./")
            .trim_end_matches('/');
        Self {
            syntax,
            // `FetchTemplate::read` has checked the path.
            target: TreePath::new(target).ok(),
            folder: input
                .url
                .trim_start_matches("./")
                .trim_end_matches('/')
                .to_owned(),
            extension: input.extension.clone(),
            copied: input.copy_without_templating.clone(),
        }
    }

    /// The settings as a definition writes them, if they don't depend on anything typed.
    pub(in crate::catalog) fn plain(input: &Value) -> Option<Self> {
        let mut settings = input.as_object()?.clone();
        settings.remove("values");
        settings.remove("targetPath");
        if scan::is_template(&Value::Object(settings.clone()).to_string()) {
            return None;
        }
        Some(Self::of(
            &FetchTemplate::read(&Value::Object(settings)).ok()?,
        ))
    }

    /// The files of the package that lie in the folder.
    pub(in crate::catalog) fn open<'a>(
        &'a self,
        package: &'a Tree,
    ) -> Result<Opened<'a>, RenderError> {
        let prefix = if matches!(self.folder.as_str(), "" | ".") {
            String::new()
        } else {
            format!("{}/", self.folder)
        };
        let files: Vec<_> = package
            .iter()
            .filter(|(path, _)| path.as_str().starts_with(&prefix))
            .collect();
        if files.is_empty() {
            return Err(RenderError::whole(
                &self.folder,
                format!("there are no files in `{}`", self.folder),
            ));
        }
        let mut globs = GlobSetBuilder::new();
        for glob in &self.copied {
            // Backstage's matcher lets `*` stop at slashes and match names that begin with a dot.
            let glob = GlobBuilder::new(glob).literal_separator(true).build();
            globs
                .add(glob.map_err(|error| RenderError::whole("template.yaml", error.to_string()))?);
        }
        let copied = globs
            .build()
            .map_err(|error| RenderError::whole("template.yaml", error.to_string()))?;
        Ok(Opened {
            settings: self,
            copied,
            files,
        })
    }
}

impl<'a> Opened<'a> {
    /// Each file, in the byte order of the paths in the package.
    pub(in crate::catalog) fn files(&self) -> impl Iterator<Item = File<'a>> {
        let from = match self.settings.folder.as_str() {
            "" | "." => 0,
            folder => folder.len() + 1,
        };
        self.files.iter().map(move |(path, entry)| {
            let below = &path.as_str()[from..];
            let text = as_text(entry).filter(|text| scan::is_template(text));
            let (path_below, is_template) = match &self.settings.extension {
                None => (below, !self.copied.is_match(below)),
                Some(ending) => below
                    .strip_suffix(ending.as_str())
                    .map_or((below, false), |short| (short, true)),
            };
            File {
                source: path.as_str(),
                path: path_below.to_owned(),
                template: text.filter(|_| is_template),
                entry,
            }
        })
    }
}
