//! The pure rules under any sequence of events, and the table of permissions as it stands.

mod chain;
mod life;
mod permission;
mod vote;
