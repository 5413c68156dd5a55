//! A stream on HTTP/1.1 without HTTP: once its answer has begun, a connection is a socket that events are written to.
//!
//! An HTTP library keeps two buffers and a state machine for each connection and wants to be woken for each write. A
//! stream needs none of it: the hub writes to the socket itself. What is left for a task is to open the stream, to
//! catch up, to go on when the socket did not take all, and to notice that the reader is gone.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::item::{Framing, Wire};
use super::outlet::{Flushed, Outlet};
use super::sse::EventStream;

/// A reader that takes nothing for so long is gone; it comes back with its cursor.
const STALL: Duration = Duration::from_secs(60);
/// What a reader may send after its request before it is cut off: nothing is expected.
const MAX_UNASKED: usize = 8 * 1024;
/// The last chunk of a chunked body.
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// A stream that goes with the answer whose body it is: whoever asks first takes it, the body or the connection.
#[derive(Clone)]
pub(crate) struct Detachable(Arc<Mutex<Option<EventStream>>>);

impl Detachable {
    pub(super) fn new(stream: EventStream) -> Self {
        Self(Arc::new(Mutex::new(Some(stream))))
    }

    /// The stream, once.
    pub(crate) fn detach(&self) -> Option<EventStream> {
        self.0.lock().take()
    }
}

/// A stream and the socket that it is written to.
pub(crate) struct DirectStream {
    wire: Wire,
    stream: EventStream,
}

/// The reader is gone, or as good as.
struct Gone;

impl DirectStream {
    pub(crate) fn new(socket: TcpStream, framing: Framing, stream: EventStream) -> Self {
        Self { wire: Wire { socket: Arc::new(socket), framing }, stream }
    }

    /// Writes the answer's `head` and then what comes, until either side ends it.
    pub(crate) async fn run(mut self, head: Bytes) {
        // Boxed: it is done with soon, and its room is wanted back.
        if Box::pin(write(&self.wire.socket, &head)).await.is_err() {
            return;
        }
        drop(head);
        loop {
            let followed = match self.stream.following() {
                Some(subscription) => follow(&self.wire, Arc::clone(subscription.outlet())).await,
                None => match Box::pin(self.step()).await {
                    Ok(true) => Ok(()),
                    Ok(false) => break,
                    Err(gone) => Err(gone),
                },
            };
            if followed.is_err() {
                return;
            }
        }
        if self.wire.framing == Framing::Chunked {
            // The reader may be gone before us.
            let _ = Box::pin(write(&self.wire.socket, LAST_CHUNK)).await;
        }
    }

    /// Writes what the stream has to say next; whether it has more.
    async fn step(&mut self) -> Result<bool, Gone> {
        let chunk = tokio::select! {
            chunk = self.stream.next_chunk() => chunk,
            () = hang_up(&self.wire.socket) => return Err(Gone),
        };
        let Some(chunk) = chunk else { return Ok(false) };
        write(&self.wire.socket, self.wire.framing.bytes(&chunk)).await?;
        Ok(true)
    }
}

/// Lets the hub write, until the outlet has ended and all that was in it is written.
async fn follow(wire: &Wire, outlet: Arc<Outlet>) -> Result<(), Gone> {
    let mut flushed = outlet.attach(wire.clone());
    loop {
        match flushed {
            Flushed::Broken => return Err(Gone),
            Flushed::Ended => return Ok(()),
            Flushed::All => tokio::select! {
                () = outlet.changed() => {}
                () = hang_up(&wire.socket) => return Err(Gone),
            },
            Flushed::Blocked => writable(&wire.socket).await?,
        }
        flushed = outlet.go_on();
    }
}

/// Writes all of `bytes`.
async fn write(socket: &TcpStream, mut bytes: &[u8]) -> Result<(), Gone> {
    while !bytes.is_empty() {
        match socket.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => writable(socket).await?,
            Err(_) => return Err(Gone),
        }
    }
    Ok(())
}

async fn writable(socket: &TcpStream) -> Result<(), Gone> {
    match timeout(STALL, socket.writable()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Gone),
    }
}

/// Completes when the reader has hung up, or talks out of turn. Cancel safe.
async fn hang_up(socket: &TcpStream) {
    let mut unasked = 0;
    while unasked < MAX_UNASKED && socket.readable().await.is_ok() {
        let mut bytes = [0; 64];
        match socket.try_read(&mut bytes) {
            Ok(0) => return,
            Ok(read) => unasked += read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}
