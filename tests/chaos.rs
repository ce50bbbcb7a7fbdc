//! Two replicas of the real bot on one database, one of them killed at a random moment of each request.
//!
//! Everything is a process of its own: the chat workspace (`idp demo --chat-only`), the two bots (`idp serve`), and the
//! people are acts on the workspace's control address. A kill is SIGKILL; the replica is started again at once. What
//! came of it is read from the database, from the forge and from the workspace, never from the bots.
//!
//! A few requests are part of the suite. The long story is `cargo test --test all chaos:: -- --ignored --nocapture`;
//! docs/performance.md keeps its figures.

mod company;
mod deadends;
mod evidence;
mod story;

use self::story::{Way, told};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_few_requests_end_well_over_http_while_replicas_are_killed() {
    told(Way::Http, 4, 142).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_few_requests_end_well_over_socket_mode_while_replicas_are_killed() {
    told(Way::Socket, 4, 143).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "five minutes; docs/performance.md says how to run it"]
async fn fifty_requests_end_well_over_http_while_replicas_are_killed() {
    told(Way::Http, 50, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "five minutes; docs/performance.md says how to run it"]
async fn fifty_requests_end_well_over_socket_mode_while_replicas_are_killed() {
    told(Way::Socket, 50, 2).await;
}
