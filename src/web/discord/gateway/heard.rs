//! How far a shard's session was heard: what a connection after this one goes on from, in this process or in the next.
//!
//! An event is under way from when it was heard until it was learned from or acted on. Were it lost in between, by a crash,
//! it would have to be told again: so what is kept goes no further than before the first that is under way. Whatever is
//! told twice is one delivery to the inbox.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::connection::Line;
use crate::app::gateway::Session;

/// How often a session is kept in which nothing happens: it is as old as when it was kept last.
const QUIET: Duration = Duration::from_secs(30);

/// How long a stop holds the word back for what is under way: whoever acts meanwhile waits for the next process, and can be
/// answered for three seconds. And how often it looks.
const SETTLING: Duration = Duration::from_millis(500);
const LOOK: Duration = Duration::from_millis(10);

/// A session, as far as it was heard.
#[derive(Default)]
pub(super) struct Heard(Mutex<State>);

#[derive(Default)]
struct State {
    /// None: the next connection begins one.
    session: Option<Session>,
    /// How many there were before: the numbers of their events say nothing about this one's.
    before: u64,
    /// The numbers of the events that are under way.
    under_way: BTreeSet<u64>,
    /// What the database has, and since when.
    kept: Option<(Session, Instant)>,
}

/// An event that is under way until this is dropped.
pub(super) struct UnderWay {
    heard: Arc<Heard>,
    before: u64,
    number: u64,
}

impl Heard {
    /// The session to go on with, if it asks for these intents.
    pub(super) fn session(&self, intents: u64) -> Option<Session> {
        let session = self.state().session.clone();
        session.filter(|session| session.intents == intents)
    }

    /// Begins with what another process kept.
    pub(super) fn take_up(&self, session: Option<Session>) {
        let mut state = self.state();
        state.kept = session.clone().map(|session| (session, Instant::now()));
        state.turn_to(session);
    }

    /// There is no session any more.
    pub(super) fn forget(&self) {
        self.take_up(None);
    }

    /// An event was heard and isn't done.
    pub(super) fn begin(self: &Arc<Self>, number: u64) -> UnderWay {
        let mut state = self.state();
        state.under_way.insert(number);
        UnderWay {
            heard: Arc::clone(self),
            before: state.before,
            number,
        }
    }

    /// Notes how far a line has heard.
    pub(super) fn note(&self, line: &Line) {
        let mut state = self.state();
        let Some(told) = line.session() else {
            if state.session.is_some() {
                state.turn_to(None);
            }
            return;
        };
        if let Some(session) = &mut state.session
            && session.id == told.id()
        {
            session.sequence = told.sequence();
            if session.resume_url.as_deref() != line.resume_url() {
                session.resume_url = line.resume_url().map(str::to_owned);
            }
            return;
        }
        state.turn_to(Some(Session {
            id: told.id().to_owned(),
            sequence: told.sequence(),
            resume_url: line.resume_url().map(str::to_owned),
            intents: line.config().intents().bits(),
        }));
    }

    /// What is to be kept now, if that isn't kept yet, or was a while ago.
    pub(super) fn due(&self) -> Option<Session> {
        let state = self.state();
        let session = state.to_keep()?;
        let kept = state.kept.as_ref();
        let is_kept = kept.is_some_and(|(kept, at)| *kept == session && at.elapsed() < QUIET);
        (!is_kept).then_some(session)
    }

    /// This was kept.
    pub(super) fn kept(&self, session: Session) {
        self.state().kept = Some((session, Instant::now()));
    }

    /// Waits until nothing is under way, for a moment.
    pub(super) async fn settled(&self) {
        let until = Instant::now() + SETTLING;
        while self.is_busy() && Instant::now() < until {
            tokio::time::sleep(LOOK).await;
        }
    }

    fn is_busy(&self) -> bool {
        !self.state().under_way.is_empty()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Another session, or none.
    fn turn_to(&mut self, session: Option<Session>) {
        self.session = session;
        self.before += 1;
        self.under_way.clear();
    }

    /// The session up to before the first event that is under way.
    fn to_keep(&self) -> Option<Session> {
        let mut session = self.session.clone()?;
        if let Some(first) = self.under_way.first() {
            session.sequence = session.sequence.min(first.saturating_sub(1));
        }
        Some(session)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut state = self.heard.state();
        if state.before == self.before {
            state.under_way.remove(&self.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(id: &str, sequence: u64) -> Session {
        Session {
            id: id.to_owned(),
            sequence,
            resume_url: None,
            intents: 1,
        }
    }

    /// Heard up to an event, as if a line had told it.
    fn hear(heard: &Heard, sequence: u64) {
        heard.state().session.as_mut().unwrap().sequence = sequence;
    }

    fn due(heard: &Heard) -> Option<u64> {
        let session = heard.due()?;
        heard.kept(session.clone());
        Some(session.sequence)
    }

    #[test]
    fn what_is_kept_ends_before_the_first_event_that_is_under_way() {
        let heard = Arc::<Heard>::default();
        heard.take_up(Some(session("a", 5)));
        assert_eq!(due(&heard), None, "it is kept already");
        let (first, second) = (heard.begin(6), heard.begin(8));
        hear(&heard, 9);
        assert_eq!(due(&heard), None, "nothing further is done");
        drop(second);
        assert_eq!(due(&heard), None, "the first may get lost still");
        drop(first);
        assert_eq!(due(&heard), Some(9));
        let _third = heard.begin(12);
        hear(&heard, 12);
        assert_eq!(due(&heard), Some(11));
        assert_eq!(heard.session(1), Some(session("a", 12)), "it is here still");
        assert_eq!(heard.session(3), None, "it asks for something else");
    }

    #[test]
    fn what_is_under_way_of_another_session_holds_up_nothing() {
        let heard = Arc::<Heard>::default();
        heard.take_up(Some(session("a", 5)));
        let old = heard.begin(6);
        heard.forget();
        assert_eq!(heard.due(), None);
        heard.take_up(Some(session("b", 5)));
        let new = heard.begin(6);
        hear(&heard, 6);
        drop(old);
        assert_eq!(due(&heard), None, "the same number is another event");
        drop(new);
        assert_eq!(due(&heard), Some(6));
    }
}
