//! Sessions: each counts its events and keeps the newest, so that a connection that broke can go on where it was.

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::sandbox::world::Inner;

/// Events kept for a session that may come back.
const KEPT: usize = 1_000;
/// How long a session waits for its app to come back: some minutes; Discord tells no number.
const LOST_FOR: TimeDelta = TimeDelta::minutes(5);

/// What a connection is to do.
#[derive(Clone, Debug)]
pub(in crate::sandbox) enum Order {
    /// Send this.
    Frame(String),
    /// Tell the app to come again (opcode 7), then close.
    Reconnect,
    /// Tell the app that its session is over (opcode 9); it may resume or not.
    Invalid(bool),
    /// Close: the session went on over another connection.
    Close,
}

/// One session.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) intents: u64,
    seq: u64,
    sent: VecDeque<(u64, String)>,
    out: Option<mpsc::UnboundedSender<Order>>,
    /// When its connection went, where it has none.
    lost_at: Option<DateTime<Utc>>,
}

/// All sessions, by id.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct Sessions(HashMap<String, Session>);

impl Sessions {
    /// How many have a connection.
    pub(in crate::sandbox) fn connected(&self) -> usize {
        self.0.values().filter(|own| own.out.is_some()).count()
    }

    /// Begins one.
    pub(super) fn begin(
        &mut self,
        id: &str,
        intents: u64,
        out: mpsc::UnboundedSender<Order>,
        now: DateTime<Utc>,
    ) {
        self.forget(now);
        let session = Session {
            intents,
            seq: 0,
            sent: VecDeque::new(),
            out: Some(out),
            lost_at: None,
        };
        self.0.insert(id.to_owned(), session);
    }

    /// Goes on with one: what was missed after `seq`; `None` where it can't. The connection that it had is closed: a
    /// session has one.
    pub(super) fn resume(
        &mut self,
        id: &str,
        seq: u64,
        out: mpsc::UnboundedSender<Order>,
        now: DateTime<Utc>,
    ) -> Option<Vec<String>> {
        self.forget(now);
        let session = self.0.get_mut(id)?;
        let oldest = session
            .sent
            .front()
            .map_or(session.seq + 1, |(own, _)| *own);
        if seq > session.seq || seq + 1 < oldest {
            return None;
        }
        if let Some(before) = session.out.replace(out) {
            let _ = before.send(Order::Close);
        }
        session.lost_at = None;
        let missed = session.sent.iter().filter(|(own, _)| *own > seq);
        Some(missed.map(|(_, frame)| frame.clone()).collect())
    }

    /// This connection of it is gone; it may come back. Nothing happens where it went on over another one.
    pub(super) fn lose(
        &mut self,
        id: &str,
        out: &mpsc::UnboundedSender<Order>,
        now: DateTime<Utc>,
    ) {
        if let Some(session) = self.0.get_mut(id).filter(|own| own.goes_over(out)) {
            session.out = None;
            session.lost_at = Some(now);
        }
    }

    /// It won't come back, as this connection of it says. Nothing happens where it went on over another one.
    pub(super) fn end(&mut self, id: &str, out: &mpsc::UnboundedSender<Order>) {
        if self.0.get(id).is_some_and(|own| own.goes_over(out)) {
            self.0.remove(id);
        }
    }

    /// Forgets those that were lost for too long.
    fn forget(&mut self, now: DateTime<Utc>) {
        self.0
            .retain(|_, own| own.lost_at.is_none_or(|at| now - at < LOST_FOR));
    }

    /// Tells every connection.
    pub(in crate::sandbox) fn order(&mut self, order: &Order) {
        for session in self.0.values() {
            if let Some(out) = &session.out {
                let _ = out.send(order.clone());
            }
        }
        if matches!(order, Order::Invalid(false)) {
            self.0.clear();
        }
    }
}

impl Session {
    /// Whether this is its connection.
    fn goes_over(&self, out: &mpsc::UnboundedSender<Order>) -> bool {
        self.out.as_ref().is_some_and(|own| own.same_channel(out))
    }

    fn event(&mut self, name: &str, data: &Value) {
        self.seq += 1;
        let frame = json!({ "op": 0, "t": name, "s": self.seq, "d": data }).to_string();
        if self.sent.len() == KEPT {
            self.sent.pop_front();
        }
        self.sent.push_back((self.seq, frame.clone()));
        if let Some(out) = &self.out {
            let _ = out.send(Order::Frame(frame));
        }
    }
}

impl Inner {
    /// Sends an event to every session that asked for it; intent 0 is for all.
    pub(in crate::sandbox) fn emit(&mut self, name: &str, intent: u64, data: &Value) {
        for session in self.live.sessions.0.values_mut() {
            if intent == 0 || session.intents & intent != 0 {
                session.event(name, data);
            }
        }
    }

    /// Sends an event to one session.
    pub(super) fn emit_to(&mut self, id: &str, name: &str, data: &Value) {
        if let Some(session) = self.live.sessions.0.get_mut(id) {
            session.event(name, data);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
    }

    #[test]
    fn a_connection_that_was_taken_over_ends_nothing() {
        let mut sessions = Sessions::default();
        let (old, mut told) = mpsc::unbounded_channel();
        let (new, _inbox) = mpsc::unbounded_channel();
        sessions.begin("a", 0, old.clone(), at(0));
        assert!(sessions.resume("a", 0, new.clone(), at(0)).is_some());
        assert!(matches!(told.try_recv(), Ok(Order::Close)));
        sessions.lose("a", &old, at(1));
        sessions.end("a", &old);
        assert_eq!(sessions.connected(), 1);
        sessions.end("a", &new);
        assert_eq!(sessions.connected(), 0);
    }

    #[test]
    fn a_lost_session_is_kept_for_some_minutes() {
        let mut sessions = Sessions::default();
        let (out, _inbox) = mpsc::unbounded_channel();
        sessions.begin("a", 0, out.clone(), at(0));
        sessions.lose("a", &out, at(10));
        assert!(sessions.resume("a", 0, out.clone(), at(14)).is_some());
        sessions.lose("a", &out, at(20));
        sessions.begin("b", 0, out.clone(), at(25));
        assert_eq!(sessions.0.len(), 1);
        assert!(sessions.resume("a", 0, out, at(25)).is_none());
    }
}
