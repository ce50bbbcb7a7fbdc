//! See plan: all that an approval covers, in parts short enough for a dialog.

use super::root::{name, title};
use super::{facts, words};
use crate::domain::card::{Block, Button, ButtonStyle, Text};
use crate::domain::event::ButtonId;
use crate::domain::plan::FactKind;
use crate::domain::view::{PlanStepView, PlanView, RequestView};

/// Longest preformatted text: one Slack section with room for its frame (3,000 characters: <https://docs.slack.dev/reference/block-kit/blocks/section-block>).
const CODE: usize = 2_600;
/// What one part carries; a Slack dialog holds a hundred blocks, and people read a screen or two.
const BLOCKS: usize = 40;
/// Characters of one part: messages near 13,000 are refused by Slack, dialogs are kept to the same.
const CHARACTERS: usize = 10_000;
/// Longest value of a setting.
const VALUE: usize = 300;
/// Lines of settings in one block.
const SETTINGS: usize = 10;

/// One part of the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The dialog's title: `Plan of 142` (Slack cuts at 24 characters).
    pub title: String,
    /// Its content, with buttons to the other parts where there are several.
    pub blocks: Vec<Block>,
}

/// All parts of the plan of a request; empty where there is no plan.
pub fn pages(view: &RequestView) -> Vec<Page> {
    let Some(plan) = &view.plan else {
        return Vec::new();
    };
    let parts = parts(content(view, plan));
    let last = parts.len().saturating_sub(1);
    parts
        .into_iter()
        .enumerate()
        .map(|(at, mut blocks)| {
            if last > 0 {
                blocks.push(turns(plan, at, last));
            }
            Page {
                title: format!("Plan of {}", view.number),
                blocks,
            }
        })
        .collect()
}

/// `PLAN:PART`, the value of the buttons that turn to another part; parts count from 0.
pub fn turn(value: &str) -> Option<(crate::domain::id::PlanId, usize)> {
    let (plan, part) = value.rsplit_once(':')?;
    Some((plan.parse().ok()?, part.parse().ok()?))
}

fn turns(plan: &PlanView, at: usize, last: usize) -> Block {
    let to = |part: usize, label: &str| Button {
        id: ButtonId::PlanPage,
        value: format!("{}:{part}", plan.id),
        label: label.to_owned(),
        style: ButtonStyle::Plain,
        confirm: None,
        url: None,
    };
    let mut buttons = Vec::new();
    if at > 0 {
        buttons.push(to(at - 1, "Back"));
    }
    if at < last {
        buttons.push(to(at + 1, &format!("Part {} of {}", at + 2, last + 1)));
    }
    Block::Buttons {
        buttons,
        menu: Vec::new(),
    }
}

fn content(view: &RequestView, plan: &PlanView) -> Vec<Block> {
    let mut head = vec![title(view)];
    head.extend(facts::lines(&plan.facts, &view.subject));
    head.push(
        Text::default()
            .bold("Decides")
            .and(format!(": rule \"{}\"", words::line(&plan.rule)))
            .and(if plan.require.is_empty() {
                ", which asks nobody".to_owned()
            } else {
                format!(", {}", words::quorums(&plan.require))
            }),
    );
    let mut blocks = vec![
        Block::Lines { lines: head },
        Block::Small {
            lines: vec![
                Text::plain("Approving covers exactly the plan with digest ")
                    .code(plan.digest.to_string()),
            ],
        },
    ];
    for (at, step) in plan.steps.iter().enumerate() {
        blocks.push(Block::Divider);
        blocks.extend(step_blocks(at, step));
    }
    if plan.steps.is_empty() {
        blocks.push(Block::Lines {
            lines: vec![format!("{} has no steps.", name(view)).into()],
        });
    }
    blocks
}

fn step_blocks(at: usize, step: &PlanStepView) -> Vec<Block> {
    let mut lines = vec![
        Text::default()
            .bold(format!("{}. {}", at + 1, words::line(&step.title)))
            .and(" · ")
            .code(words::line(&step.action)),
    ];
    for fact in step.facts.iter().filter(|f| f.headline) {
        lines.push(Text::plain(format!(
            "{} {}",
            facts::verb(fact.kind),
            facts::whole(fact)
        )));
    }
    let mut blocks = vec![Block::Lines { lines }];
    for (kind, noun, names) in counted(step) {
        blocks.push(Block::Small {
            lines: vec![Text::plain(format!(
                "{} {}:",
                facts::verb(kind),
                words::count(names.len(), &words::line(noun))
            ))],
        });
        blocks.extend(code_blocks(&tree(&names)));
    }
    for settings in step.settings.chunks(SETTINGS) {
        let lines = settings
            .iter()
            .map(|(name, value)| {
                Text::plain(format!("{}: ", words::line(name)))
                    .code(words::clip(&words::line(value), VALUE))
            })
            .collect();
        blocks.push(Block::Small { lines });
    }
    blocks
}

/// Facts of one kind and noun, with name and detail of each.
type Counted<'a> = (FactKind, &'a str, Vec<(String, String)>);

/// The facts that cards only count, by kind and noun, with name and detail of each.
fn counted(step: &PlanStepView) -> Vec<Counted<'_>> {
    let mut groups: Vec<Counted<'_>> = Vec::new();
    for fact in step.facts.iter().filter(|f| !f.headline) {
        let entry = (
            words::line(&fact.name),
            words::line(fact.detail.as_deref().unwrap_or_default()),
        );
        match groups
            .iter_mut()
            .find(|(k, n, _)| *k == fact.kind && *n == fact.noun)
        {
            Some((_, _, names)) => names.push(entry),
            None => groups.push((fact.kind, &fact.noun, vec![entry])),
        }
    }
    groups
}

/// Paths as an indented tree, folders once; the detail stands behind the name.
fn tree(entries: &[(String, String)]) -> Vec<String> {
    let mut entries: Vec<(Vec<&str>, &str)> = entries
        .iter()
        .map(|(path, detail)| (path.split('/').collect(), detail.as_str()))
        .collect();
    entries.sort();
    let mut lines = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    for (path, detail) in entries {
        let Some((file, folders)) = path.split_last() else {
            continue;
        };
        let same = open.iter().zip(folders).take_while(|(a, b)| a == b).count();
        open.truncate(same);
        for folder in &folders[same..] {
            lines.push(format!("{}{folder}/", "  ".repeat(open.len())));
            open.push(folder);
        }
        let detail = if detail.is_empty() {
            String::new()
        } else {
            format!("  {detail}")
        };
        lines.push(format!("{}{file}{detail}", "  ".repeat(open.len())));
    }
    lines
}

/// Lines as preformatted blocks, none too long.
fn code_blocks(lines: &[String]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut text = String::new();
    let mut held = 0;
    for line in lines {
        let line = words::clip(line, VALUE);
        let length = line.chars().count() + 1;
        if held + length > CODE && !text.is_empty() {
            blocks.push(Block::Code {
                text: std::mem::take(&mut text),
            });
            held = 0;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&line);
        held += length;
    }
    if !text.is_empty() {
        blocks.push(Block::Code { text });
    }
    blocks
}

/// Blocks dealt out over parts, in order.
fn parts(blocks: Vec<Block>) -> Vec<Vec<Block>> {
    let mut parts: Vec<Vec<Block>> = vec![Vec::new()];
    let mut held = 0;
    for block in blocks {
        let length = characters(&block);
        let full = |part: &Vec<Block>| part.len() >= BLOCKS || held + length > CHARACTERS;
        if parts
            .last()
            .is_some_and(|part| !part.is_empty() && full(part))
        {
            parts.push(Vec::new());
            held = 0;
        }
        held += length;
        if let Some(part) = parts.last_mut() {
            part.push(block);
        }
    }
    parts
}

fn characters(block: &Block) -> usize {
    match block {
        Block::Heading { text } | Block::Code { text } => text.chars().count(),
        Block::Lines { lines } | Block::Small { lines } => lines
            .iter()
            .map(|l| l.to_string().chars().count() + 1)
            .sum(),
        Block::Buttons { .. } | Block::Divider => 0,
    }
}
