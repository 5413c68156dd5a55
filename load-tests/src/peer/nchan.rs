//! nchan, the pub/sub module of nginx: messages in memory, written to subscribers by the process that took them. It
//! stores nothing durably, knows no accounts and no permissions: what a delivery costs where that is all.
//! <https://nchan.io>

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use hyper::Uri;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::http::{Call, Connection, Target};
use crate::longpoll::{LongPoll, Place};
use crate::marker;
use crate::repeat::{Repeat, Request};
use crate::server::{ServerOptions, free_port, scratch_directory};
use crate::sse::Stream;
use crate::usage::Watched;

const CONFIGURATION: &str = include_str!("../../peers/nchan.conf");
/// Where packages put the module, below the prefixes that are usual.
const MODULES: [&str; 6] = [
    "/usr/lib/nginx/modules",
    "/usr/lib64/nginx/modules",
    "/usr/share/nginx/modules",
    "/usr/local/lib/nginx/modules",
    "/usr/local/libexec/nginx",
    "/usr/local/nginx/modules",
];
const MODULE: &str = "ngx_nchan_module.so";
/// Directories of programs that are not on everybody's `PATH`.
const PROGRAMS: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/usr/local/nginx/sbin"];
/// Of a worker: subscribers, publishers and what nginx needs for itself.
const CONNECTIONS: u32 = 16_384;
/// The number of a message that only marks a channel's end.
const LAST: u64 = 999_999_999_999;
/// A channel for single messages, on which nobody is measured.
const SAMPLES: &str = "samples";
const START_PATIENCE: Duration = Duration::from_secs(10);
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// An nginx of the test's own; stopped when dropped.
#[derive(Debug)]
pub(crate) struct Nchan {
    pub(crate) target: Target,
    pub(crate) watched: Watched,
    /// As nginx says it, with the workers it has.
    pub(crate) version: String,
    child: Child,
    log: PathBuf,
    // Dropped last: nothing may write into it any more.
    _directory: TempDir,
}

impl Nchan {
    /// On the server's cores, with a worker for each.
    pub(crate) async fn start(options: &ServerOptions) -> Result<Nchan> {
        let program = find_program()?;
        let directory = scratch_directory(&options.scratch)?;
        let log = directory.path().join("nginx.log");
        let port = free_port()?;
        let workers = options.pinning.server.count().max(1);
        let file = directory.path().join("nginx.conf");
        fs::write(&file, configuration(port, workers, &log))
            .with_context(|| format!("writing {}", file.display()))?;
        let on_server_cores = options.pinning.on_server_cores()?;
        let child = Command::new(&program)
            .arg("-p")
            .arg(directory.path())
            .arg("-e")
            .arg(&log)
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        drop(on_server_cores);
        let watched = Watched { server: Some(child.id()), cluster: None };
        let target = Target::new(([127, 0, 0, 1], port).into())?;
        let version = format!("{}, {workers} worker(s)", version(&program));
        let mut nchan = Nchan { target, watched, version, child, log, _directory: directory };
        nchan.wait_until_ready().await?;
        Ok(nchan)
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        let begun = Instant::now();
        while Connection::open(&self.target).await.is_err() {
            if let Some(status) = self.child.try_wait().context("looking after nginx")? {
                bail!("nginx ended at once with {status}:\n{}", self.said());
            }
            if begun.elapsed() > START_PATIENCE {
                bail!("nginx does not answer after {START_PATIENCE:?}:\n{}", self.said());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// What it complained of.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Publishes `json` to `channel`, with a number for every placeholder in it.
    pub(crate) fn publishing(&self, channel: &str, json: &str) -> Result<Request> {
        let text = format!(
            "POST /publish?channel={channel} HTTP/1.1\r\nhost: {}\r\naccept: text/json\r\n\
             x-eventsource-event: message.posted\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{json}",
            self.target.address,
            json.len(),
        );
        Request::new(&text, marker::PLACEHOLDER)
    }

    /// A stream of what is published to `channel` from now on.
    pub(crate) async fn stream(&self, channel: &str) -> Result<Stream> {
        let request = format!(
            "GET /stream?channel={channel} HTTP/1.1\r\nhost: {}\r\naccept: text/event-stream\r\n\r\n",
            self.target.address,
        );
        let stream = tokio::time::timeout(START_PATIENCE, Stream::ask(&self.target, &request)).await;
        stream.context("nchan opened no stream in time")?
    }

    /// How many bytes a frame has that carries `json`.
    pub(crate) async fn frame_length(&self, json: &str) -> Result<usize> {
        let mut stream = self.stream(SAMPLES).await?;
        Repeat::open(&self.target, self.publishing(SAMPLES, json)?).await?.send(0).await?;
        let mut length = None;
        let seeing = async {
            while length.is_none() {
                let more = stream.read(|frame| length = frame.sequence().map(|_| frame.length()));
                more.await?.context("nchan ended a stream")?;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(START_PATIENCE, seeing).await.context("a message came to no stream")??;
        length.context("a message came")
    }

    /// Where `channel` ends now, to poll on from there: behind a message published for the purpose.
    pub(crate) async fn end(&self, channel: &str) -> Result<Place> {
        let mut connection = Connection::open(&self.target).await?;
        let uri: Uri = format!("/publish?channel={channel}").parse().context("a channel makes a URI")?;
        connection.succeed(Call::post(uri, None, format!(r#"{{"content":"seq-{LAST}"}}"#))).await?;
        let mut poll = self.poll(channel, Place::Beginning).await?;
        let mut reached = false;
        let reaching = async {
            while !reached {
                poll.poll(|number| reached |= number == LAST).await?;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(START_PATIENCE, reaching).await.context("a channel of nchan has no end")??;
        Ok(poll.place().clone())
    }

    /// A client that polls `channel` from `place` on.
    pub(crate) async fn poll(&self, channel: &str, place: Place) -> Result<LongPoll> {
        LongPoll::ask(&self.target, &format!("/poll?channel={channel}"), "", place).await
    }
}

impl Drop for Nchan {
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

fn configuration(port: u16, workers: usize, log: &Path) -> String {
    // A build of nginx that has nchan in it needs no module.
    let load = find_module().map(|module| format!("load_module {};", module.display())).unwrap_or_default();
    let names = [
        ("${LOAD_MODULE}", load),
        ("${WORKERS}", workers.to_string()),
        ("${CONNECTIONS}", CONNECTIONS.to_string()),
        ("${LOG}", log.display().to_string()),
        ("${PORT}", port.to_string()),
    ];
    names.iter().fold(CONFIGURATION.to_owned(), |text, (name, value)| text.replace(name, value))
}

fn find_module() -> Option<PathBuf> {
    MODULES.iter().map(|directory| Path::new(directory).join(MODULE)).find(|module| module.is_file())
}

fn find_program() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut directories = std::env::split_paths(&path).chain(PROGRAMS.iter().map(PathBuf::from));
    directories.find_map(|directory| Some(directory.join("nginx")).filter(|program| program.is_file())).context(
        "nginx was not found. It comes with nchan in packages (Debian, Ubuntu: apt-get install nginx-light \
         libnginx-mod-nchan; Fedora, Arch: nginx and the module nchan). Without it: --no-peer",
    )
}

/// `nginx -v` says it on standard error.
fn version(program: &Path) -> String {
    let said = Command::new(program).arg("-v").output().map(|output| output.stderr).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    said.trim().rsplit(' ').next().unwrap_or("nginx").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_the_configuration_is_filled_in() {
        let text = configuration(8099, 3, Path::new("/scratch/log"));
        assert!(!text.lines().any(|line| !line.starts_with('#') && line.contains("${")), "{text}");
        assert!(text.contains("listen 127.0.0.1:8099 "));
        assert!(text.contains("\nworker_processes 3;"));
    }
}
