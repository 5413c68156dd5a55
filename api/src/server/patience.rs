//! Tells a client that is slow with the head of a request from one that has nothing to ask.
//!
//! hyper has one time-out for both. An idle connection should be kept, because a proxy that reuses one just as it is
//! closed answers 502; an unfinished head should not, because it costs the attacker nothing.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    /// Bytes came that are not a whole head yet; the first of them then.
    Head(Instant),
    Answering,
}

/// What a connection is at. Clones are of the same connection.
#[derive(Clone)]
pub(super) struct Heads(Arc<(Mutex<Phase>, Notify)>);

impl Heads {
    pub(super) fn new() -> Self {
        Self(Arc::new((Mutex::new(Phase::Idle), Notify::new())))
    }

    pub(super) fn begin_answer(&self) {
        *self.0.0.lock() = Phase::Answering;
    }

    pub(super) fn end_answer(&self) {
        *self.0.0.lock() = Phase::Idle;
    }

    fn bytes_came(&self) {
        let mut phase = self.0.0.lock();
        if *phase == Phase::Idle {
            *phase = Phase::Head(Instant::now());
            self.0.1.notify_one();
        }
    }

    /// Completes when a head took longer than `patience`.
    pub(super) async fn overdue(&self, patience: Duration) {
        loop {
            let phase = *self.0.0.lock();
            match phase {
                Phase::Head(since) => {
                    sleep_until(since + patience).await;
                    if *self.0.0.lock() == phase {
                        return;
                    }
                }
                // A head that begins between the look and this leaves its notice.
                Phase::Idle | Phase::Answering => self.0.1.notified().await,
            }
        }
    }
}

/// A stream that tells [`Heads`] when something comes.
pub(super) struct Watched {
    stream: TcpStream,
    heads: Heads,
}

impl Watched {
    pub(super) fn new(stream: TcpStream, heads: Heads) -> Self {
        Self { stream, heads }
    }

    pub(super) fn into_inner(self) -> TcpStream {
        self.stream
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.heads.bytes_came();
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
