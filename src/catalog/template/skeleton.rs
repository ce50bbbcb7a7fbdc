//! Checks the files that a template renders, before anybody asks for them.

use crate::catalog::expression::Syntax;
use crate::catalog::expression::check::{Fault, Names, faults};
use crate::catalog::expression::scan::Mention;
use crate::catalog::parallel;
use crate::catalog::problem::{Problem, nearest};
use crate::catalog::render::{FETCH_TEMPLATE, File, Files};
use crate::catalog::step::Step;
use crate::catalog::yaml::Node;
use crate::domain::tree::Tree;

/// What files may name: `values`, and in it what the step gives.
struct Values<'a> {
    names: Option<Vec<&'a str>>,
}

impl Names for Values<'_> {
    fn roots(&self) -> &[&str] {
        &["values"]
    }

    fn check(&self, mention: &Mention) -> Result<(), (String, Option<String>)> {
        let (Some(names), Some(name), false) = (&self.names, mention.path.first(), mention.guarded)
        else {
            return Ok(());
        };
        if names.contains(&name.as_str()) {
            return Ok(());
        }
        let what = format!("the step gives no value `{name}`");
        Err((
            what,
            nearest(name, names.iter().copied()).map(str::to_owned),
        ))
    }
}

/// Everything that is wrong in the files of every `fetch:template` step whose settings are plain.
pub(super) fn problems(folder: &str, files: &Tree, steps: &[Step]) -> Vec<Problem> {
    let mut found = Vec::new();
    for step in steps.iter().filter(|step| step.action == FETCH_TEMPLATE) {
        let Some(settings) = Files::plain(&step.input.json()) else {
            continue;
        };
        let from = match settings.open(files) {
            Ok(from) => from,
            Err(error) => {
                let at = step.input.get("url").map_or(step.at, |node| node.at);
                found.push(Problem::at(
                    format!("{folder}{}", super::ENTITY),
                    at,
                    error.what,
                ));
                continue;
            }
        };
        let values = step.input.get("values").and_then(Node::map);
        let names = Values {
            names: values.map(|members| members.iter().map(|(key, _)| key.text.as_str()).collect()),
        };
        let files: Vec<_> = from.files().collect();
        let wrong = parallel::map(&files, |file| {
            let shown = format!("{folder}{}", file.source);
            wrong_in(file, &shown, settings.syntax, &names)
        });
        found.extend(wrong.into_iter().flatten());
    }
    found
}

/// What is wrong in one file: first in its path, then in its text.
fn wrong_in(file: &File<'_>, shown: &str, syntax: Syntax, names: &Values<'_>) -> Vec<Problem> {
    let in_path = faults(&file.path, syntax, names)
        .into_iter()
        .map(|fault| Fault {
            line: 0,
            column: 0,
            what: format!("the file's path: {}", fault.what),
            ..fault
        });
    let text = file.template.unwrap_or_default();
    let in_text = faults(text, syntax, names);
    let problem = |fault: Fault| Problem {
        file: shown.to_owned(),
        line: fault.line,
        column: fault.column,
        what: fault.what,
        hint: fault.hint,
        nearest: fault.nearest,
    };
    in_path.chain(in_text).map(problem).collect()
}
