//! One connection: HTTP/1.1 or HTTP/2, with a limit on everything that a client can hold back or pile up.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::{Method, Version};
use axum::response::Response;
use bytes::Bytes;
use commands::{Clock as _, SystemClock};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::head;
use super::patience::{Heads, Watched};
use crate::live::{Detachable, DirectStream};

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

/// A connection whose answer goes on without HTTP.
pub(super) struct Detached {
    pub(super) stream: DirectStream,
    pub(super) head: Bytes,
}

/// Serves a connection to its end; after `stop` only what it has begun to ask. A stream of events on HTTP/1.1 is
/// returned as soon as its answer begins.
pub(super) async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    stop: CancellationToken,
) -> Option<Detached> {
    // Events are small and must not wait for company.
    stream.set_nodelay(true).ok()?;
    // Browsers connect ahead of need: who has said nothing yet must not hold a shutdown up.
    let protocol = stop.run_until_cancelled(sniff(&stream)).await??;
    match protocol {
        Protocol::Http1 => serve_http1(stream, peer, router, stop).await,
        Protocol::Http2 => {
            serve_http2(stream, peer, router, stop).await;
            None
        }
    }
}

/// The answer is a stream that was detached: HTTP ends here.
#[derive(Debug, thiserror::Error)]
#[error("the stream goes on without HTTP")]
struct Leaves;

type Leaving = Arc<Mutex<Option<(Response, Version)>>>;

async fn serve_http1(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    stop: CancellationToken,
) -> Option<Detached> {
    let heads = Heads::new();
    let answering = heads.clone();
    let leaving = Leaving::default();
    let leaver = leaving.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        answering.begin_answer();
        let (asked, version) = (request.method() == Method::GET, request.version());
        let (router, answering, leaver) = (router.clone(), answering.clone(), leaver.clone());
        async move {
            let Ok(answer) = router.oneshot(request).await;
            answering.end_answer();
            if asked && answer.extensions().get::<Detachable>().is_some() {
                *leaver.lock() = Some((answer, version));
                return Err(Leaves);
            }
            Ok(answer)
        }
    });
    let io = TokioIo::new(Watched::new(stream, heads.clone()));
    let mut connection = http1().serve_connection(io, service);
    let mut stopping = false;
    let served = loop {
        tokio::select! {
            served = &mut connection => break served,
            () = heads.overdue(HEAD) => {
                tracing::debug!("a head took too long");
                return None;
            }
            () = stop.cancelled(), if !stopping => stopping = true,
        }
        Pin::new(&mut connection).graceful_shutdown();
    };
    let left = leaving.lock().take();
    let Some((answer, version)) = left else {
        report(served);
        return None;
    };
    let (parts, _) = answer.into_parts();
    let stream = parts.extensions.get::<Detachable>()?.detach()?;
    let framing = head::framing(version);
    let head = head::write(&parts, framing, SystemClock.now());
    let socket = connection.into_parts().io.into_inner().into_inner();
    Some(Detached { stream: DirectStream::new(socket, framing, stream), head })
}

async fn serve_http2(stream: TcpStream, peer: SocketAddr, router: Router, stop: CancellationToken) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let router = router.clone();
        async move { router.oneshot(request).await }
    });
    let mut connection = http2().serve_connection(TokioIo::new(stream), service);
    let mut stopping = false;
    let served = loop {
        tokio::select! {
            // Its pings find out who is gone.
            served = &mut connection => break served,
            () = stop.cancelled(), if !stopping => stopping = true,
        }
        Pin::new(&mut connection).graceful_shutdown();
    };
    report(served);
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

fn http1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .max_headers(MAX_HEADERS)
        .max_buf_size(READ_BUFFER);
    builder
}

fn http2() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(READ_BUFFER as u32)
        .initial_stream_window_size(HTTP2_WINDOW)
        .initial_connection_window_size(HTTP2_WINDOW * 4)
        .max_send_buf_size(HTTP2_SEND_BUFFER)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PONG_WITHIN);
    builder
}
