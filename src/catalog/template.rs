//! A template: a Backstage `scaffolder.backstage.io/v1beta3` entity and the files of its folder, in one package.

use super::command::{Output, Step};
use super::parameters::Parameters;
use super::problem::Problem;
use crate::domain::canonical::Digest;
use crate::domain::tree::Tree;

/// One template, checked.
#[derive(Debug, Clone)]
pub struct Template {
    /// Its name, as `TemplatePicker` keeps it.
    pub name: String,
    /// What people read.
    pub title: String,
    /// A sentence more about it.
    pub description: Option<String>,
    /// What it asks for beyond the command's own pages.
    pub parameters: Parameters,
    /// Its steps.
    pub steps: Vec<Step>,
    /// What people get at the end, where the command says nothing.
    pub output: Output,
    files: Tree,
    package: Vec<u8>,
    digest: Digest,
}

impl Template {
    /// Reads a template from its package: the canonical bytes of the tree of its folder.
    pub fn parse(package: &[u8]) -> Result<Self, Vec<Problem>> {
        let _ = package;
        todo!()
    }

    /// The canonical bytes of its folder, `template.yaml` and all: what requests keep.
    pub fn package(&self) -> &[u8] {
        &self.package
    }

    /// The digest of the package.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The files of its folder, `template.yaml` among them.
    pub fn files(&self) -> &Tree {
        &self.files
    }
}
