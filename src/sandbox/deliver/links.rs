//! The app's open Socket Mode connections: who gets the next payload, and which acknowledgements are awaited.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

/// <https://docs.slack.dev/apis/events-api/using-socket-mode>: "up to 10 open WebSocket connections at once".
const CONNECTIONS: usize = 10;
/// How long a connection address is good for. Slack doesn't say; its addresses are meant to be used at once.
const TICKET_LIFE: TimeDelta = TimeDelta::seconds(60);

/// What a connection's task is told.
#[derive(Debug)]
pub(super) enum Order {
    /// Send this frame.
    Text(String),
    /// Tell the app to reconnect, then close.
    Refresh(&'static str),
}

/// All connections.
#[derive(Default)]
pub(in crate::sandbox) struct Links {
    turn: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    tickets: HashMap<String, DateTime<Utc>>,
    open: Vec<Link>,
    next: u64,
    /// Addresses that gave back a challenge.
    verified: HashSet<String>,
    awaited: HashMap<String, oneshot::Sender<Value>>,
}

struct Link {
    id: u64,
    orders: mpsc::UnboundedSender<Order>,
    /// Told to go: gets nothing new, may still acknowledge.
    leaving: bool,
}

impl Links {
    fn with<R>(&self, step: impl FnOnce(&mut State) -> R) -> R {
        step(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts deliveries, so that targets and connections take turns.
    pub(super) fn turn(&self) -> usize {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether an address gave back a challenge.
    pub(super) fn is_verified(&self, address: &str) -> bool {
        self.with(|state| state.verified.contains(address))
    }

    /// An address gave back its challenge.
    pub(super) fn verified(&self, address: &str) {
        self.with(|state| state.verified.insert(address.to_owned()));
    }

    /// A ticket for one connection.
    pub(in crate::sandbox) fn issue(&self, now: DateTime<Utc>) -> String {
        let ticket = uuid::Builder::from_random_bytes(rand::random())
            .into_uuid()
            .to_string();
        self.with(|state| {
            state
                .tickets
                .retain(|_, issued| now - *issued < TICKET_LIFE);
            state.tickets.insert(ticket.clone(), now);
        });
        ticket
    }

    /// Whether the ticket is good; it is used up by this.
    pub(super) fn redeem(&self, ticket: &str, now: DateTime<Utc>) -> bool {
        self.with(|state| state.tickets.remove(ticket))
            .is_some_and(|issued| now - issued < TICKET_LIFE)
    }

    /// Adds a connection: its number and how many there are now. `None` when ten are open already.
    pub(super) fn join(&self, orders: mpsc::UnboundedSender<Order>) -> Option<(u64, usize)> {
        self.with(|state| {
            if state.open.iter().filter(|link| !link.leaving).count() >= CONNECTIONS {
                return None;
            }
            state.next += 1;
            state.open.push(Link {
                id: state.next,
                orders,
                leaving: false,
            });
            Some((
                state.next,
                state.open.iter().filter(|link| !link.leaving).count(),
            ))
        })
    }

    /// A connection is gone.
    pub(super) fn leave(&self, id: u64) {
        self.with(|state| state.open.retain(|link| link.id != id));
    }

    /// How many connections take payloads.
    pub(in crate::sandbox) fn count(&self) -> usize {
        self.with(|state| state.open.iter().filter(|link| !link.leaving).count())
    }

    /// Sends an envelope over the connection whose turn it is.
    pub(super) fn send(
        &self,
        envelope_id: &str,
        frame: &str,
    ) -> Option<(u64, oneshot::Receiver<Value>)> {
        let turn = self.turn();
        self.with(|state| {
            loop {
                let able: Vec<usize> = (0..state.open.len())
                    .filter(|at| !state.open[*at].leaving)
                    .collect();
                let at = *able.get(turn % able.len().max(1))?;
                if state.open[at]
                    .orders
                    .send(Order::Text(frame.to_owned()))
                    .is_ok()
                {
                    let (acked, ack) = oneshot::channel();
                    state.awaited.insert(envelope_id.to_owned(), acked);
                    return Some((state.open[at].id, ack));
                }
                state.open.remove(at);
            }
        })
    }

    /// An acknowledgement came. Late ones, after the wait was given up, find nobody.
    pub(super) fn acknowledge(&self, envelope_id: &str, payload: Value) {
        if let Some(acked) = self.with(|state| state.awaited.remove(envelope_id)) {
            let _ = acked.send(payload);
        }
    }

    /// Nobody waits for this acknowledgement any more.
    pub(super) fn give_up(&self, envelope_id: &str) {
        self.with(|state| state.awaited.remove(envelope_id));
    }

    /// Tells one connection, or all, to reconnect.
    pub(in crate::sandbox) fn refresh(&self, only: Option<u64>, reason: &'static str) {
        self.with(|state| {
            for link in state
                .open
                .iter_mut()
                .filter(|link| only.is_none_or(|id| id == link.id))
            {
                link.leaving = true;
                let _ = link.orders.send(Order::Refresh(reason));
            }
        });
    }
}
