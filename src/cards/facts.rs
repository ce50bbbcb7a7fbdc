//! What a plan changes, worded from the closed kinds of facts: also for actions nobody here has heard of.

use super::words;
use crate::domain::card::Text;
use crate::domain::plan::{Fact, FactKind};

/// How many things of one kind a card names before it counts the rest.
const NAMED: usize = 4;

/// A line per kind, and one that says so when nothing that exists is touched.
pub(super) fn lines(facts: &[Fact], subject: &str) -> Vec<Text> {
    let mut lines: Vec<Text> = Vec::new();
    for &kind in FactKind::ALL {
        let items = items(facts, kind, subject, |detail| format!(" ({detail})"));
        if !items.is_empty() {
            lines.push(
                Text::default()
                    .bold(verb(kind))
                    .and(format!(" {}", items.join(", "))),
            );
        }
    }
    let touches = |f: &Fact| matches!(f.kind, FactKind::Changes | FactKind::Deletes);
    if !facts.iter().any(touches) {
        let at = usize::from(facts.iter().any(|f| f.kind == FactKind::Creates));
        lines.insert(
            at,
            Text::default().bold("Changes").and(" nothing that exists"),
        );
    }
    lines
}

/// All of it as sentences, for dialogs: `Creates private repository acme/payments-api, 23 files.`
pub(super) fn effect(facts: &[Fact], subject: &str) -> String {
    let sentences: Vec<String> = FactKind::ALL
        .iter()
        .map(|&kind| {
            (
                kind,
                items(facts, kind, subject, |detail| format!(", {detail}")),
            )
        })
        .filter(|(_, items)| !items.is_empty())
        .map(|(kind, items)| format!("{} {}.", verb(kind), items.join(", ")))
        .collect();
    if sentences.is_empty() {
        "Changes nothing outside idp.".to_owned()
    } else {
        sentences.join(" ")
    }
}

/// One fact in full, for See plan: `private repository acme/payments-api (23 files)`.
pub(super) fn whole(fact: &Fact) -> String {
    one(fact, "", |detail| format!(" ({detail})"))
}

/// The kind as the first word of a line.
pub(super) const fn verb(kind: FactKind) -> &'static str {
    match kind {
        FactKind::Creates => "Creates",
        FactKind::Changes => "Changes",
        FactKind::Deletes => "Deletes",
        FactKind::Grants => "Grants",
        FactKind::Costs => "Costs",
    }
}

/// Headlines by name, the rest counted by noun, unless a headline's detail has said the same number.
fn items(
    facts: &[Fact],
    kind: FactKind,
    subject: &str,
    with_detail: impl Fn(&str) -> String + Copy,
) -> Vec<String> {
    let of_kind = || facts.iter().filter(|f| f.kind == kind);
    let headlines: Vec<&Fact> = of_kind().filter(|f| f.headline).collect();
    let mut items: Vec<String> = headlines
        .iter()
        .take(NAMED)
        .map(|f| one(f, subject, with_detail))
        .collect();
    if headlines.len() > NAMED {
        items.push(format!("+{} more", headlines.len() - NAMED));
    }
    let mut nouns: Vec<(&str, usize)> = Vec::new();
    for fact in of_kind().filter(|f| !f.headline) {
        match nouns.iter_mut().find(|(noun, _)| *noun == fact.noun) {
            Some((_, count)) => *count += 1,
            None => nouns.push((&fact.noun, 1)),
        }
    }
    let counted = nouns
        .into_iter()
        .map(|(noun, count)| words::count(count, &words::line(noun)));
    items.extend(counted.filter(|counted| {
        !headlines
            .iter()
            .any(|f| f.detail.as_deref() == Some(counted))
    }));
    items
}

/// A fact; where line 1 has said its name, the noun is enough.
fn one(fact: &Fact, subject: &str, with_detail: impl Fn(&str) -> String) -> String {
    let mut text = words::line(&fact.noun);
    if said(&fact.name, subject) {
        return text;
    }
    if !fact.name.is_empty() {
        text.push(' ');
        text.push_str(&words::line(&fact.name));
    }
    if let Some(detail) = fact.detail.as_deref().filter(|d| !d.is_empty()) {
        text.push_str(&with_detail(&words::line(detail)));
    }
    text
}

/// Whether a name is the subject's, by itself or in an entity reference (`component:default/payments-api`).
fn said(name: &str, subject: &str) -> bool {
    let referred = || {
        name.rsplit_once('/')
            .filter(|(before, _)| before.contains(':'))
            .map(|(_, name)| name)
    };
    !subject.is_empty() && (name == subject || referred() == Some(subject))
}
