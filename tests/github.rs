//! GitHub: a strict server with GitHub's own rules, proven by GitHub's own client, and the stories against it.

mod honest;
mod linking;
mod many;
mod publishing;
mod remarks;
pub mod server;
mod teams;
mod webhooks;
