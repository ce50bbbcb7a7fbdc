//! Messages: cards that should stand somewhere, each with the revision wanted and the revision shown.
//!
//! Whoever changes what is told writes messages and raises them; the sender takes what is due and records what came of it.

mod find;
mod post;
mod raise;
mod record;
mod take;

pub use find::{Posted, about, by_external, continuations, is_twin, unsaid};
pub use post::{New, Unless, insert, open};
pub use raise::{WAKE, raise, raise_about, raise_and_close_copies, raise_roots, wake};
pub use record::{forget_post, found, give_up, give_up_thread, hold, sending, shown};
pub use take::{Due, Message, due, lock, next_due};
