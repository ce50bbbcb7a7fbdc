//! A template: a Backstage `scaffolder.backstage.io/v1beta3` entity and the files of its folder, in one package.
//!
//! The package is the canonical bytes of the folder as a tree, so one digest names definition and skeleton together,
//! and a request that keeps the package can be carried out whatever becomes of the folder.

mod read;
mod skeleton;

use super::parameters::Parameters;
use super::problem::Problem;
use super::step::{Checks, Output, Step};
use crate::domain::action::ActionSpec;
use crate::domain::canonical::Digest;
use crate::domain::tree::Tree;

/// The file in a template's folder that says what it is.
pub(super) const ENTITY: &str = "template.yaml";

/// The tag of the template that forms preselect.
pub(super) const RECOMMENDED: &str = "recommended";

/// One template, checked.
#[derive(Debug, Clone)]
pub struct Template {
    /// Its name, as `TemplatePicker` keeps it.
    pub name: String,
    /// What people read.
    pub title: String,
    /// A sentence more about it.
    pub description: Option<String>,
    /// Words that it is found by; `recommended` is one of them: forms preselect it.
    pub tags: Vec<String>,
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
    ///
    /// Its files were looked through when the catalog took it in; here they are taken as they are, and what is wrong
    /// with one would be found by rendering it.
    pub fn parse(package: &[u8]) -> Result<Self, Vec<Problem>> {
        let files = Tree::decode(package)
            .map_err(|error| vec![Problem::whole("package", error.to_string())])?;
        Self::read("", files, &Checks::default())
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

    /// The names in the outputs of its steps, together.
    pub(super) fn outputs(&self, actions: &[ActionSpec]) -> Vec<String> {
        let mut names = Vec::new();
        for step in &self.steps {
            let spec = actions.iter().find(|spec| spec.name == step.action);
            for &name in spec.map_or(&[][..], |spec| spec.outputs) {
                if !names.iter().any(|known| known == name) {
                    names.push(name.to_owned());
                }
            }
        }
        names
    }
}
