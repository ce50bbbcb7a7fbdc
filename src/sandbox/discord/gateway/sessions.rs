//! Sessions: each counts its events and keeps the newest, so that a connection that broke can go on where it was.

use std::collections::{HashMap, VecDeque};

use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::sandbox::world::Inner;

/// Events kept for a session that may come back.
const KEPT: usize = 1_000;

/// What a connection is to do.
#[derive(Clone, Debug)]
pub(in crate::sandbox) enum Order {
    /// Send this.
    Frame(String),
    /// Tell the app to come again (opcode 7), then close.
    Reconnect,
    /// Tell the app that its session is over (opcode 9); it may resume or not.
    Invalid(bool),
}

/// One session.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) intents: u64,
    seq: u64,
    sent: VecDeque<(u64, String)>,
    out: Option<mpsc::UnboundedSender<Order>>,
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
    pub(super) fn begin(&mut self, id: &str, intents: u64, out: mpsc::UnboundedSender<Order>) {
        let session = Session {
            intents,
            seq: 0,
            sent: VecDeque::new(),
            out: Some(out),
        };
        self.0.insert(id.to_owned(), session);
    }

    /// Goes on with one: what was missed after `seq`; `None` where it can't.
    pub(super) fn resume(
        &mut self,
        id: &str,
        seq: u64,
        out: mpsc::UnboundedSender<Order>,
    ) -> Option<Vec<String>> {
        let session = self.0.get_mut(id)?;
        let oldest = session
            .sent
            .front()
            .map_or(session.seq + 1, |(own, _)| *own);
        if seq > session.seq || seq + 1 < oldest {
            return None;
        }
        session.out = Some(out);
        let missed = session.sent.iter().filter(|(own, _)| *own > seq);
        Some(missed.map(|(_, frame)| frame.clone()).collect())
    }

    /// Its connection is gone; it may come back.
    pub(super) fn lose(&mut self, id: &str) {
        if let Some(session) = self.0.get_mut(id) {
            session.out = None;
        }
    }

    /// It won't come back.
    pub(super) fn end(&mut self, id: &str) {
        self.0.remove(id);
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
