//! Ports: the wanted one, or the next that is free.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::boot::problem::{OrFail, Problem};

/// How many ports are tried before it is more likely that something else is wrong.
const TRIES: u16 = 20;

/// Listens at `wanted`, or at the next port that is free.
pub(super) async fn bind(wanted: SocketAddr) -> Result<TcpListener, Problem> {
    let mut address = wanted;
    let mut last = io::Error::from(ErrorKind::AddrInUse);
    for _ in 0..TRIES {
        match TcpListener::bind(address).await {
            Ok(listener) => return Ok(listener),
            Err(e) if e.kind() == ErrorKind::AddrInUse => last = e,
            Err(e) => return Err(e).or_fail(format!("can't listen at {address}")),
        }
        let Some(next) = address.port().checked_add(1) else {
            break;
        };
        address.set_port(next);
    }
    Err(last)
        .or_fail(format!("no port is free from {wanted} on"))
        .map_err(|problem| problem.hint("name another with `--listen 127.0.0.1:PORT`"))
}

/// An address after `taken` that is free at this moment, for a process that binds it itself.
pub(super) async fn free_after(taken: SocketAddr) -> Result<SocketAddr, Problem> {
    let mut next = taken;
    next.set_port(taken.port().checked_add(1).unwrap_or(1024));
    bind(next)
        .await?
        .local_addr()
        .or_fail("can't tell the bot's address")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_busy_port_moves_on_by_one() {
        let first = bind("127.0.0.1:0".parse().unwrap())
            .await
            .unwrap()
            .local_addr()
            .unwrap();
        let held = bind(first).await.unwrap();
        let second = bind(first).await.unwrap();
        assert_eq!(held.local_addr().unwrap(), first);
        assert!(second.local_addr().unwrap().port() > first.port());
    }
}
