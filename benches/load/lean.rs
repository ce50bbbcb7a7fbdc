//! HTTP as sparing as `pgbench` is: bodies signed beforehand, two threads that share nothing, one buffer a connection, no
//! more read of an answer than its length. So what is measured is the bot and not its load.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// Sends whole requests over so many connections, the next one when the one before is answered; all must be taken.
pub async fn send_all(to: &str, requests: Vec<Vec<u8>>, connections: usize) {
    let to = to.to_owned();
    let sent = apart(move || async move {
        let requests = Rc::new(requests);
        let next = Rc::new(Cell::new(0));
        let mut under_way = Vec::new();
        for _ in 0..connections {
            let stream = TcpStream::connect(&to).await.unwrap();
            let (requests, next) = (Rc::clone(&requests), Rc::clone(&next));
            under_way.push(tokio::task::spawn_local(send(stream, requests, next)));
        }
        for one in under_way {
            one.await.unwrap();
        }
    });
    sent.await.unwrap();
}

async fn send(mut stream: TcpStream, requests: Rc<Vec<Vec<u8>>>, next: Rc<Cell<usize>>) {
    stream.set_nodelay(true).unwrap();
    let mut buffer = Vec::with_capacity(16 * 1024);
    while let Some(request) = requests.get(next.replace(next.get() + 1)) {
        stream.write_all(request).await.unwrap();
        let end = whole(&mut stream, &mut buffer).await.expect("an answer");
        assert!(
            buffer.starts_with(b"HTTP/1.1 200"),
            "{}",
            String::from_utf8_lossy(&buffer)
        );
        buffer.drain(..end);
    }
}

/// Takes posts on a port of its own, says `ok` to each and counts them.
pub async fn count_posts() -> (String, Arc<AtomicU64>) {
    let counted = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&counted);
    let (tell, told) = oneshot::channel();
    drop(apart(move || async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        tell.send(listener.local_addr().unwrap().to_string())
            .unwrap();
        while let Ok((stream, _)) = listener.accept().await {
            tokio::task::spawn_local(take(stream, Arc::clone(&count)));
        }
    }));
    (told.await.unwrap(), counted)
}

async fn take(mut stream: TcpStream, count: Arc<AtomicU64>) {
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
}

/// Runs on a thread of its own; resolves when it is done.
fn apart<F: Future<Output = ()>>(
    work: impl FnOnce() -> F + Send + 'static,
) -> oneshot::Receiver<()> {
    let (done, is_done) = oneshot::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .unwrap();
        tokio::task::LocalSet::new().block_on(&runtime, work());
        done.send(()).ok();
    });
    is_done
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
