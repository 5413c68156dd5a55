//! The product under test: a server of the test's own on a data directory that vanishes, or one that runs already.

use std::ffi::OsString;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum as _;
use hyper::{StatusCode, Uri};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::database::Work;
use crate::http::{Call, Connection, Target};
use crate::pin::{Pin, Pinning};
use crate::process;
use crate::usage::Watched;

/// A first start makes a cluster.
const START_PATIENCE: Duration = Duration::from_secs(90);
/// A stop drains streams and shuts Postgres down.
const STOP_PATIENCE: Duration = Duration::from_secs(30);

/// How to come by a server.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ServerOptions {
    /// Measure the server that runs at this address (http://127.0.0.1:8080) instead of one of our own. It needs
    /// ECHOVERSE_RATE_LIMITS=off, and keeps the accounts and messages the test makes
    #[arg(long, global = true)]
    url: Option<String>,
    /// The process id of the server at --url, to know what CPU and memory it uses
    #[arg(long, global = true, requires = "url")]
    pid: Option<u32>,
    /// The program to start [default: `echoverse` beside this one]
    #[arg(long, global = true, value_name = "PROGRAM", conflicts_with = "url")]
    server: Option<PathBuf>,
    /// Where the data directories of the test are made, and removed: a disk, for in memory fsync costs nothing
    #[arg(long, global = true, value_name = "DIR", default_value = "/var/tmp")]
    pub(crate) scratch: PathBuf,
    /// Who runs on which cores [default: split; none for `post`]
    #[arg(long, global = true)]
    pub(crate) pin: Option<Pin>,
    /// What became of `pin` on this machine. A server that runs already stays where it is.
    #[arg(skip)]
    pub(crate) pinning: Pinning,
    /// Whether a server of our own counts what it does, for [`Server::metrics`].
    #[arg(skip)]
    pub(crate) metrics: bool,
}

impl ServerOptions {
    /// The product's program.
    pub(crate) fn program(&self) -> Result<PathBuf> {
        match &self.server {
            Some(program) => Ok(program.clone()),
            None => beside_us(),
        }
    }

    /// The same as arguments, for a child process of this program.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let mut arguments = vec!["--scratch".into(), self.scratch.clone().into()];
        let given = [
            ("--url", self.url.clone().map(OsString::from)),
            ("--server", self.server.clone().map(OsString::from)),
        ];
        let pid = self.pid.map(|pid| OsString::from(pid.to_string()));
        let pin = self.pin.and_then(|pin| pin.to_possible_value()).map(|pin| OsString::from(pin.get_name()));
        for (name, value) in given.into_iter().chain([("--pid", pid), ("--pin", pin)]) {
            arguments.extend(value.into_iter().flat_map(|value| [name.into(), value]));
        }
        arguments
    }
}

/// A server that answers.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) target: Target,
    pub(crate) watched: Watched,
    metrics: Option<Target>,
    own: Option<OwnServer>,
}

impl Server {
    pub(crate) async fn start(options: &ServerOptions) -> Result<Server> {
        if let Some(url) = &options.url {
            let target = Target::from_url(url)?;
            let watched =
                Watched { server: options.pid, cluster: options.pid.and_then(process::cluster_under) };
            let server = Server { target, watched, metrics: None, own: None };
            server.ready().await.with_context(|| format!("no server is ready at {url}"))?;
            return Ok(server);
        }
        let program = options.program()?;
        let directory = scratch_directory(&options.scratch)?;
        let data = directory.path().join("data");
        let log = directory.path().join("server.log");
        let target = Target::new((Ipv4Addr::LOCALHOST, free_port()?).into())?;
        let cluster = data.join("postgres").join("cluster");
        let pinning = options.pinning.clone();
        let metrics = match options.metrics {
            true => Some(Target::new((Ipv4Addr::LOCALHOST, free_port()?).into())?),
            false => None,
        };
        let child = spawn(&program, &target, metrics.as_ref(), &data, &log, &pinning)?;
        let watched = Watched { server: Some(child.id()), cluster: Some(cluster) };
        let own = OwnServer { child, program, data, log, pinning, _directory: directory };
        let mut server = Server { target, watched, metrics, own: Some(own) };
        server.wait_until_ready().await?;
        Ok(server)
    }

    /// Whether the server is ours to stop and start again.
    pub(crate) fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// Kills a server of our own, as a crash would. Its Postgres ends by itself.
    pub(crate) fn kill(&mut self) -> Result<()> {
        let own = self.own.as_mut().context("a server at --url is not ours to kill")?;
        own.child.kill().context("killing the server")?;
        own.child.wait().context("waiting for the killed server")?;
        Ok(())
    }

    /// Starts a server that was killed at the same address, on the same data. Returns when it is ready.
    pub(crate) async fn start_again(&mut self) -> Result<()> {
        let own = self.own.as_mut().context("a server at --url is not ours to start")?;
        own.child =
            spawn(&own.program, &self.target, self.metrics.as_ref(), &own.data, &own.log, &own.pinning)?;
        self.watched.server = Some(own.child.id());
        self.wait_until_ready().await
    }

    /// What its Postgres has done so far, where that is private to it.
    pub(crate) async fn work(&self) -> Result<Option<Work>> {
        match &self.watched.cluster {
            Some(cluster) => Work::read(cluster).await.map(Some),
            None => Ok(None),
        }
    }

    /// The text of its metrics (Prometheus' format), where the options asked for them.
    pub(crate) async fn metrics(&self) -> Result<Option<String>> {
        let Some(target) = &self.metrics else { return Ok(None) };
        let mut connection = Connection::open(target).await?;
        let text = connection.succeed(Call::get(Uri::from_static("/metrics"), None)).await?;
        Ok(Some(String::from_utf8_lossy(&text).into_owned()))
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        let begun = Instant::now();
        loop {
            let Err(error) = self.ready().await else { return Ok(()) };
            if let Some(own) = &mut self.own
                && let Some(status) = own.child.try_wait().context("looking after the server")?
            {
                bail!("the server ended at once with {status}:\n{}", own.tail());
            }
            if begun.elapsed() > START_PATIENCE {
                let tail = self.own.as_ref().map(OwnServer::tail).unwrap_or_default();
                return Err(
                    error.context(format!("the server is not ready after {START_PATIENCE:?}:\n{tail}"))
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn ready(&self) -> Result<()> {
        let mut connection = Connection::open(&self.target).await?;
        let (status, body) = connection.call(Call::get(Uri::from_static("/readyz"), None)).await?;
        if status != StatusCode::OK {
            bail!("/readyz: {status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(())
    }
}

/// Stops the server when dropped, and waits for it, so that an interrupted test leaves nothing behind either.
#[derive(Debug)]
struct OwnServer {
    child: Child,
    program: PathBuf,
    data: PathBuf,
    log: PathBuf,
    pinning: Pinning,
    // Dropped last: nothing may write into it any more.
    _directory: TempDir,
}

impl OwnServer {
    fn tail(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let begun = Instant::now();
        while let Ok(None) = self.child.try_wait() {
            if begun.elapsed() > STOP_PATIENCE {
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// On the server's cores; what an earlier start wrote into `log` stays.
fn spawn(
    program: &Path,
    target: &Target,
    metrics: Option<&Target>,
    data: &Path,
    log: &Path,
    pinning: &Pinning,
) -> Result<Child> {
    let log_file = File::options().create(true).append(true).open(log);
    let log_file = log_file.with_context(|| format!("opening {}", log.display()))?;
    let mut command = Command::new(program);
    command.arg("serve").stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        // A test measures the defaults, whatever the shell it runs in has set.
        if name == "DATABASE_URL" || name.to_string_lossy().starts_with("ECHOVERSE_") {
            command.env_remove(name);
        }
    }
    command.env("ECHOVERSE_LISTEN", target.address.to_string());
    command.env("ECHOVERSE_DATA", data);
    command.env("ECHOVERSE_RATE_LIMITS", "off");
    if let Some(metrics) = metrics {
        command.env("ECHOVERSE_METRICS_LISTEN", metrics.address.to_string());
    }
    let errors = log_file.try_clone().context("duplicating the log's handle")?;
    command.stdout(log_file).stderr(errors);
    let _on_server_cores = pinning.on_server_cores()?;
    command.spawn().with_context(|| {
        format!("starting {}: build it with `cargo build --release -p api`", program.display())
    })
}

fn beside_us() -> Result<PathBuf> {
    let us = std::env::current_exe().context("finding this program's path")?;
    Ok(us.with_file_name("echoverse"))
}

/// A directory that the user Postgres runs as may pass through.
pub(crate) fn scratch_directory(parent: &Path) -> Result<TempDir> {
    let mode = if rustix::process::geteuid().is_root() { 0o711 } else { 0o700 };
    let directory = tempfile::Builder::new()
        .prefix("echoverse-load-")
        .permissions(fs::Permissions::from_mode(mode))
        .tempdir_in(parent)
        .with_context(|| format!("making a directory in {}", parent.display()))?;
    // Again, because the umask may have taken bits away.
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(mode))
        .with_context(|| format!("opening {}", directory.path().display()))?;
    Ok(directory)
}

/// Free at the moment; the server takes it before anybody else is likely to.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("finding a free port")?;
    Ok(listener.local_addr().context("asking for the port")?.port())
}
