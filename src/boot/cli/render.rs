//! `idp render`: a template's files, without a request, into a folder or a git repository.

use std::path::PathBuf;

use serde_json::Map;

use super::Context;
use crate::boot::clock;
use crate::boot::problem::{OrFail, Problem};
use crate::boot::serve::settings;
use crate::catalog::{Catalog, Known};
use crate::clients::forge::deliver;
use crate::clients::forge::{Branch, CommitSpec, Ident};
use crate::steps;
use crate::steps::scaffold::{self, ScaffoldError, Wanted};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The template's name
    template: String,

    /// A value, as often as there are values
    #[arg(long, value_name = "NAME=VALUE", value_parser = super::setting)]
    set: Vec<(String, String)>,

    #[command(flatten)]
    to: Target,

    /// The branch to commit to [default: the repository's own]
    #[arg(long, value_name = "NAME", requires = "git")]
    branch: Option<Branch>,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Target {
    /// Write the files into a folder, which must be new or empty
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Commit them to a bare repository by its path, or push them to its URL
    #[arg(long, value_name = "URL")]
    git: Option<String>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<(), Problem> {
    let config = context.config()?;
    let actions = steps::specs(settings::forge_kind(&config));
    let catalog = Catalog::load(&settings::sources(&config), &actions, &Known::default());
    let wanted = Wanted {
        template: &args.template,
        values: &args
            .set
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().into()))
            .collect(),
        environment: &Map::new(),
    };
    let tree = scaffold::files(&catalog, wanted, &actions)
        .map_err(|e| refused(&catalog, &args.template, e))?;
    let files = tree.iter().count();
    if let Some(dir) = &args.to.out {
        deliver::to_folder(dir, &tree).or_fail("can't write the files")?;
        context
            .printer
            .note(format_args!("Wrote {files} files into {}.", dir.display()));
    } else if let Some(url) = &args.to.git {
        let commit = commit(&args.template);
        let id = deliver::to_git(url, args.branch.as_ref(), &tree, &commit)
            .or_fail("can't commit the files")?;
        context.printer.result(id)?;
        context
            .printer
            .note(format_args!("Committed {files} files to {url}."));
    }
    Ok(())
}

fn refused(catalog: &Catalog, template: &str, error: ScaffoldError) -> Problem {
    match error {
        ScaffoldError::Values(errors) => errors.iter().fold(
            Problem::misuse(format!("`{template}` can't be rendered with these values")),
            |problem, e| problem.hint(format!("`--set {}=…`: {}", e.field, e.message)),
        ),
        ScaffoldError::Template(what) => Problem::failed(what),
        ScaffoldError::Unknown { name, nearest } => {
            let problem = Problem::misuse(format!("there is no template `{name}`"));
            let names: Vec<&str> = catalog.templates().map(|t| t.name.as_str()).collect();
            let problem = match nearest {
                Some(near) => problem.hint(format!("did you mean `{near}`?")),
                None => problem.hint(format!("there are {}", names.join(", "))),
            };
            // A template that doesn't load is the likeliest reason for one that isn't found.
            match catalog.problems().len() {
                0 => problem,
                n => problem.hint(format!(
                    "{n} problems keep definitions from loading; see `idp check`"
                )),
            }
        }
    }
}

fn commit(template: &str) -> CommitSpec {
    let idp = Ident::new("idp", "noreply@idp.localhost");
    CommitSpec {
        author: idp.clone(),
        committer: idp,
        at: clock::now().timestamp(),
        message: format!("Render {template}"),
    }
}
