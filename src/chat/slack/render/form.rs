//! Pages of forms as modals, and pages that are only read.

use serde_json::{Value, json};

use super::super::ids::{self, Reading};
use super::super::limits;
use super::input::input;
use super::{blocks, text};
use crate::domain::card::Block;
use crate::domain::event::ButtonId;
use crate::domain::form::FormPage;
use crate::domain::id::PlanId;

/// Inputs on one page, with room for heading, intro and the back button. `catalog` keeps pages far shorter.
const FIELDS: usize = 90;
/// A reason of a Deny: it stands on a card.
const REASON_CHARS: u32 = 1_000;

/// A page of a form.
pub fn form(page: &FormPage) -> Value {
    let mut above = Vec::new();
    if !page.heading.trim().is_empty() && page.heading != page.title {
        above.push(Block::Heading {
            text: page.heading.clone(),
        });
    }
    if !page.intro.is_empty() {
        above.push(Block::Small {
            lines: page.intro.clone(),
        });
    }
    let mut drawn: Vec<Value> = blocks::draw(&above)
        .into_iter()
        .map(|block| block.json)
        .collect();
    drawn.truncate(limits::VIEW_BLOCKS - FIELDS - 1);
    drawn.extend(
        page.fields
            .iter()
            .take(FIELDS)
            .map(|field| input(page, field)),
    );
    if page.back {
        drawn.push(json!({
            "type": "actions",
            "block_id": format!("turn:{}.{}", page.page, page.revision),
            "elements": [{
                "type": "button",
                "action_id": ButtonId::FormBack.as_str(),
                "value": ids::form_memory(page.draft, page.page),
                "text": text::plain("Back", limits::LABEL),
            }],
        }));
    }
    let mut view = blocks::modal(&page.title, &drawn);
    view["callback_id"] = ids::FORM.into();
    view["private_metadata"] = ids::form_memory(page.draft, page.page).into();
    view["submit"] = text::plain(&page.submit, limits::VIEW_TITLE);
    view["close"] = text::plain("Cancel", limits::VIEW_TITLE);
    view
}

/// A page to read.
pub fn reading(title: &str, content: &[Block]) -> Value {
    let mut drawn: Vec<Value> = blocks::draw(content)
        .into_iter()
        .map(|block| block.json)
        .collect();
    drawn.truncate(limits::VIEW_BLOCKS);
    let mut view = blocks::modal(title, &drawn);
    view["callback_id"] = ids::READING.into();
    view
}

/// Asks why a plan is denied.
pub(super) fn reason(plan: PlanId, title: &str, hint: &str) -> Value {
    let mut view = blocks::modal(
        title,
        &[json!({
            "type": "input",
            "block_id": ids::REASON_BLOCK,
            "label": text::plain("Reason", limits::INPUT_LABEL),
            "hint": text::plain(hint, limits::INPUT_LABEL),
            "element": {
                "type": "plain_text_input",
                "action_id": Reading::Text.action_id(),
                "multiline": true,
                "max_length": REASON_CHARS,
            },
        })],
    );
    view["callback_id"] = ids::REASON.into();
    view["private_metadata"] = plan.to_string().into();
    view["submit"] = text::plain("Deny", limits::VIEW_TITLE);
    view["close"] = text::plain("Cancel", limits::VIEW_TITLE);
    view
}
