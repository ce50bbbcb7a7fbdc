//! What people read where there is no reply to show: `web` knows when, `cards` knows the words, and they don't meet.

use super::{App, Broken};
use crate::cards::{Open, answer};
use crate::domain::card::Card;
use crate::domain::event::Event;
use crate::domain::reply::Reply;
use crate::store;
pub use crate::store::installation::Refusing;

/// We broke: what didn't happen, and the reference.
pub fn broken(undone: &str, broken: &Broken) -> Card {
    answer::broken(undone, broken.reference.as_str())
}

/// What didn't happen when an event broke, as a clause.
pub fn undone(event: &Event) -> &'static str {
    match event {
        Event::Asked { .. } | Event::Mentioned { .. } => "nothing was asked for",
        Event::PageFilled { .. } => "what you typed was not sent",
        Event::Pressed { .. } => "your click was not counted",
        Event::DenyReasoned { .. } => "your vote was not counted",
        Event::Searched { .. }
        | Event::GroupsChanged
        | Event::Installed
        | Event::RepositoryChanged { .. }
        | Event::AccountChanged
        | Event::ChannelChanged { .. }
        | Event::MessageDeleted { .. }
        | Event::ThreadDeleted { .. }
        | Event::Uninstalled
        | Event::Other { .. } => "nothing was done",
    }
}

/// A view couldn't be opened in time: the way to open it after all.
pub fn not_opened(reply: &Reply) -> Card {
    match reply {
        Reply::Form { form } => answer::open_form(&Open::Draft(form.draft)),
        _ => answer::press_again(),
    }
}

/// The work takes longer than an answer may.
pub fn still_working() -> Card {
    answer::still_working()
}

impl App {
    /// The installations whose platform refuses us: the token is no good, or we were taken out. That it can tell says that
    /// the database answers.
    pub async fn refused_tokens(&self) -> store::Result<Vec<Refusing>> {
        let mut conn = self.pool.acquire().await?;
        store::installation::revoked(&mut conn).await
    }
}
