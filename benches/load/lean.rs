//! HTTP as sparing as `pgbench` is: bodies signed beforehand, one buffer a connection, no more read of an answer than its
//! length. So what is measured is the bot and not its load.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Sends whole requests over so many connections, the next one when the one before is answered; all must be taken.
pub async fn send_all(to: &str, requests: Vec<Vec<u8>>, connections: usize) {
    let requests = Arc::new(requests);
    let next = Arc::new(AtomicUsize::new(0));
    let mut under_way = tokio::task::JoinSet::new();
    for _ in 0..connections {
        let mut stream = TcpStream::connect(to).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (requests, next) = (Arc::clone(&requests), Arc::clone(&next));
        under_way.spawn(async move {
            let mut buffer = Vec::with_capacity(16 * 1024);
            while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                stream.write_all(request).await.unwrap();
                let end = whole(&mut stream, &mut buffer).await.expect("an answer");
                assert!(
                    buffer.starts_with(b"HTTP/1.1 200"),
                    "{}",
                    String::from_utf8_lossy(&buffer)
                );
                buffer.drain(..end);
            }
        });
    }
    under_way.join_all().await;
}

/// Takes posts on a port of its own, says `ok` to each and counts them.
pub async fn count_posts() -> (String, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let counted = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&counted);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let count = Arc::clone(&count);
            tokio::spawn(async move {
                stream.set_nodelay(true).ok();
                let mut buffer = Vec::with_capacity(16 * 1024);
                while let Some(end) = whole(&mut stream, &mut buffer).await {
                    buffer.drain(..end);
                    count.fetch_add(1, Ordering::Relaxed);
                    let ok = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                    if stream.write_all(ok).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (address, counted)
}

/// Reads until the buffer begins with a whole message; gives its end. `None`: the other side is done.
async fn whole(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<usize> {
    loop {
        if let Some(end) = end_of(buffer) {
            return Some(end);
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

fn end_of(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let lines = std::str::from_utf8(&bytes[..head]).unwrap().lines();
    let length = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, length)| length.trim().parse().unwrap());
    (bytes.len() >= head + length).then_some(head + length)
}
