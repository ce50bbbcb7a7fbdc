//! What the sender does to messages: takes one that is due, tells what came of it. Only the holder of the
//! installation's lease may take; what it shows is made here, from the state of that moment.

mod draw;
mod lease;
mod sent;
mod take;
mod unsent;

pub use lease::Lease;
pub use sent::{Stands, found, opened, shown};
pub use take::{Sending, Waiting, linked, take, waiting};
pub(super) use unsent::elsewhere;
pub use unsent::{Unsent, give_up, hold, limited, place_lost, reply_vanished, vanished};

pub use crate::domain::message::PlaceLost;
pub use crate::store::message::Due;
pub use crate::store::wake::Wake;
