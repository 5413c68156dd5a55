//! Stands between an appender and its server and cuts their connection at a message of choice.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinSet,
};
use tokio_postgres::{Config, config::Host};

/// Where the connection ends. Each cut is made once; the connections after it pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The COMMIT does not reach the server.
    BeforeCommit,
    /// The server has committed, its answer does not reach the client.
    AfterCommit,
    /// After so many more messages of the client.
    Request(usize),
    /// After so many more messages of the server.
    Response(usize),
}

pub(crate) struct Proxy {
    directory: TempDir,
    user: String,
    database: String,
    state: Arc<State>,
    _serving: JoinSet<()>,
}

#[derive(Default)]
struct State {
    cut: Mutex<Option<Cut>>,
    cuts: AtomicUsize,
}

/// The start of a connection has no type byte; its parameters tell whose it is.
const STARTUP: u8 = 0;

impl Proxy {
    pub(crate) fn before(url: &str) -> Self {
        let config: Config = url.parse().unwrap();
        let Host::Unix(host) = &config.get_hosts()[0] else { panic!("{url} names no socket") };
        let port = config.get_ports().first().copied().unwrap_or(5432);
        let server = host.join(format!(".s.PGSQL.{port}"));
        let directory = TempDir::new().unwrap();
        let listener = UnixListener::bind(directory.path().join(".s.PGSQL.5432")).unwrap();
        let state = Arc::new(State::default());
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, server.into_boxed_path().into(), state.clone()));
        Self {
            directory,
            user: config.get_user().unwrap().to_owned(),
            database: config.get_dbname().unwrap().to_owned(),
            state,
            _serving: serving,
        }
    }

    pub(crate) fn url(&self) -> String {
        let Self { directory, user, database, .. } = self;
        format!("host={} user={user} dbname={database}", directory.path().display())
    }

    pub(crate) fn cut(&self, cut: Cut) {
        *self.state.cut.lock() = Some(cut);
    }

    /// How many connections were cut.
    pub(crate) fn cuts(&self) -> usize {
        self.state.cuts.load(Ordering::SeqCst)
    }
}

async fn serve(listener: UnixListener, server: Arc<Path>, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        connections.spawn(pass(client, server.clone(), state.clone()));
    }
}

async fn pass(client: UnixStream, server: Arc<Path>, state: Arc<State>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = UnixStream::connect(server).await.unwrap().into_split();
    let Some(startup) = message(&mut from_client, true).await else { return };
    let appender = contains(&startup.body, b"appender");
    send(&mut to_server, &startup).await;
    let committing = AtomicBool::new(false);
    // The first to end closes both connections.
    tokio::select! {
        () = async {
            while let Some(request) = message(&mut from_client, false).await {
                if appender && state.cuts_request(&request, &committing) {
                    return;
                }
                send(&mut to_server, &request).await;
            }
        } => {}
        () = async {
            while let Some(response) = message(&mut from_server, false).await {
                if appender && state.cuts_response(&response, &committing) {
                    return;
                }
                send(&mut to_client, &response).await;
            }
        } => {}
    }
}

impl State {
    fn cuts_request(&self, request: &Message, committing: &AtomicBool) -> bool {
        let mut cut = self.cut.lock();
        let commit = request.kind == b'Q' && contains(&request.body, b"COMMIT");
        let now = match &mut *cut {
            Some(Cut::BeforeCommit) => commit,
            Some(Cut::AfterCommit) => {
                committing.fetch_or(commit, Ordering::SeqCst);
                false
            }
            Some(Cut::Request(left)) => count_down(left),
            Some(Cut::Response(_)) | None => false,
        };
        self.cut_if(now, &mut cut)
    }

    fn cuts_response(&self, response: &Message, committing: &AtomicBool) -> bool {
        let mut cut = self.cut.lock();
        let committed = response.kind == b'C' && response.body.starts_with(b"COMMIT");
        let now = match &mut *cut {
            Some(Cut::AfterCommit) => committed && committing.load(Ordering::SeqCst),
            Some(Cut::Response(left)) => count_down(left),
            Some(Cut::BeforeCommit | Cut::Request(_)) | None => false,
        };
        self.cut_if(now, &mut cut)
    }

    fn cut_if(&self, now: bool, cut: &mut Option<Cut>) -> bool {
        if now {
            *cut = None;
            self.cuts.fetch_add(1, Ordering::SeqCst);
        }
        now
    }
}

fn count_down(left: &mut usize) -> bool {
    let now = *left == 0;
    *left = left.saturating_sub(1);
    now
}

struct Message {
    kind: u8,
    body: Vec<u8>,
}

async fn message(from: &mut OwnedReadHalf, startup: bool) -> Option<Message> {
    let kind = if startup { STARTUP } else { from.read_u8().await.ok()? };
    let length = from.read_u32().await.ok()?;
    let mut body = vec![0; usize::try_from(length).unwrap().checked_sub(4)?];
    from.read_exact(&mut body).await.ok()?;
    Some(Message { kind, body })
}

/// A receiver that is gone is noticed by the other direction.
async fn send(to: &mut OwnedWriteHalf, message: &Message) {
    let mut bytes = Vec::with_capacity(message.body.len() + 5);
    if message.kind != STARTUP {
        bytes.push(message.kind);
    }
    bytes.extend_from_slice(&u32::try_from(message.body.len() + 4).unwrap().to_be_bytes());
    bytes.extend_from_slice(&message.body);
    let _ = to.write_all(&bytes).await;
}

fn contains(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len()).any(|window| window == part)
}
