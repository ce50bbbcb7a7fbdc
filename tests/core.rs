//! The verbs of one request, told as stories through `app::handle` on a database of their own. Planning is the real
//! one, onto a forge in a folder; nothing runs here.

mod again;
mod ask;
mod clock;
mod decide;
mod operator;
mod people;
mod plan;
mod race;

pub mod world;
