//! One connection: HTTP/1.1 or HTTP/2, with a limit on everything that a client can hold back or pile up.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::Watcher;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::patience::{Heads, Watched};

/// From the connection to its first bytes, enough to tell the protocol.
const FIRST_BYTES: Duration = Duration::from_secs(10);
/// From the first byte of a head to its last.
const HEAD: Duration = Duration::from_secs(10);
/// How long an idle HTTP/1.1 connection is kept: longer than proxies keep theirs.
const IDLE: Duration = Duration::from_secs(75);
const MAX_HEADERS: usize = 64;
/// Bounds a head: what is longer is answered with 431. Idle streams keep no more than this for reading.
const READ_BUFFER: usize = 16 * 1024;
const MAX_STREAMS: u32 = 256;
const PING_EVERY: Duration = Duration::from_secs(15);
const PONG_WITHIN: Duration = Duration::from_secs(15);
const HTTP2_WINDOW: u32 = 64 * 1024;
const HTTP2_SEND_BUFFER: usize = 64 * 1024;

/// How an HTTP/2 connection begins (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const PEEK_AGAIN: Duration = Duration::from_millis(20);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Http1,
    Http2,
}

/// Serves a connection to its end; after `stop` only what it has begun to ask.
pub(super) async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    watcher: Watcher,
    stop: CancellationToken,
) {
    // Events are small and must not wait for company.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    // Browsers connect ahead of need: who has said nothing yet must not hold a shutdown up.
    let Some(Some(protocol)) = stop.run_until_cancelled(sniff(&stream)).await else {
        return;
    };
    let heads = Heads::new();
    let answering = heads.clone();
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        answering.begin_answer();
        let (router, answering) = (router.clone(), answering.clone());
        async move {
            let answer = router.oneshot(request).await;
            answering.end_answer();
            answer
        }
    });
    let io = TokioIo::new(Watched::new(stream, heads.clone()));
    let builder = builder(protocol);
    let served = watcher.watch(builder.serve_connection(io, service));
    match protocol {
        Protocol::Http1 => tokio::select! {
            served = served => report(served),
            () = heads.overdue(HEAD) => tracing::debug!("a head took too long"),
        },
        // Its pings find out who is gone.
        Protocol::Http2 => report(served.await),
    }
}

/// The other side hung up or misbehaved: no failure of ours.
fn report<E: std::fmt::Display>(served: Result<(), E>) {
    if let Err(error) = served {
        tracing::debug!(%error, "a connection broke off");
    }
}

/// Which protocol the client speaks. hyper would wait for ever for the rest of a preface.
async fn sniff(stream: &TcpStream) -> Option<Protocol> {
    let deadline = Instant::now() + FIRST_BYTES;
    let mut bytes = [0; PREFACE.len()];
    loop {
        let peeked = timeout_at(deadline, stream.peek(&mut bytes)).await.ok()?.ok()?;
        match &bytes[..peeked] {
            [] => return None,
            seen if seen == PREFACE => return Some(Protocol::Http2),
            seen if !PREFACE.starts_with(seen) => return Some(Protocol::Http1),
            // The beginning of a preface: the bytes are there to be peeked at again, so wait for the clock.
            _ if Instant::now() >= deadline => return None,
            _ => sleep(PEEK_AGAIN).await,
        }
    }
}

fn builder(protocol: Protocol) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .max_headers(MAX_HEADERS)
        .max_buf_size(READ_BUFFER);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(READ_BUFFER as u32)
        .initial_stream_window_size(HTTP2_WINDOW)
        .initial_connection_window_size(HTTP2_WINDOW * 4)
        .max_send_buf_size(HTTP2_SEND_BUFFER)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PONG_WITHIN);
    match protocol {
        Protocol::Http1 => builder.http1_only(),
        Protocol::Http2 => builder.http2_only(),
    }
}
