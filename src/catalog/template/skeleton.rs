//! Checks the files that a template renders, before anybody asks for them.

use crate::catalog::expression::check::{Names, faults};
use crate::catalog::expression::scan::Mention;
use crate::catalog::problem::{Problem, nearest};
use crate::catalog::render::{FETCH_TEMPLATE, Files};
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
        for file in from.files() {
            let shown = format!("{folder}{}", file.source);
            for text in [Some(file.path.as_str()), file.template]
                .into_iter()
                .flatten()
            {
                let in_path = text == file.path;
                found.extend(
                    faults(text, settings.syntax, &names)
                        .into_iter()
                        .map(|fault| Problem {
                            file: shown.clone(),
                            line: if in_path { 0 } else { fault.line },
                            column: if in_path { 0 } else { fault.column },
                            what: if in_path {
                                format!("the file's path: {}", fault.what)
                            } else {
                                fault.what
                            },
                            hint: fault.hint,
                            nearest: fault.nearest,
                        }),
                );
            }
        }
    }
    found
}
