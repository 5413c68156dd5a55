//! The `sh` process that keeps the server running while we live, and ends it when we don't.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::error::{Attempt as _, Error};
use crate::identity::Identity;

const SCRIPT: &str = include_str!("supervisor.sh");

/// A fast shutdown writes a checkpoint, which a slow disk may take long for.
const STOP_TIMEOUT: Duration = Duration::from_secs(60);

/// How a server is ended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shutdown {
    /// Ends all sessions and writes a checkpoint.
    Fast,
    /// Ends at once; the next start would recover. For data nobody keeps.
    Immediate,
}

/// What the supervisor is to run.
pub(crate) struct Plan<'a> {
    pub(crate) identity: Identity,
    pub(crate) shutdown: Shutdown,
    /// The marker of a server that has answered.
    pub(crate) started: &'a Path,
    /// Directories removed when the server has ended: a throwaway home, a socket directory of its own.
    pub(crate) doomed: [Option<&'a Path>; 2],
    pub(crate) postgres: &'a Path,
    pub(crate) arguments: Vec<String>,
    /// Locked; the lock passes to the supervisor and all its children.
    pub(crate) lock: File,
    pub(crate) log: File,
}

/// A running supervisor. Dropping it starts a shutdown without waiting for the end.
#[derive(Debug)]
pub(crate) struct Supervisor {
    child: Option<Child>,
    /// The only writer of the supervisor's pipe: closed on drop, and by the kernel when we die.
    pipe: Option<ChildStdin>,
    started: PathBuf,
}

impl Supervisor {
    pub(crate) fn spawn(plan: Plan<'_>) -> Result<Supervisor, Error> {
        let mut command = plan.identity.command("/bin/sh");
        let signal = match plan.shutdown {
            Shutdown::Fast => "INT",
            Shutdown::Immediate => "QUIT",
        };
        command.args(["-c", SCRIPT, "supervisor", signal]).arg(plan.started);
        command.args(plan.doomed.map(|path| path.unwrap_or(Path::new(""))));
        command.arg(plan.postgres).args(plan.arguments);
        // Its own group: Ctrl-C in a terminal is for us, who stop the server after the last write.
        command.process_group(0).stdin(Stdio::piped()).stdout(plan.lock).stderr(plan.log);
        let mut child = command.spawn().attempt(|| "start the supervisor of Postgres".to_owned())?;
        let pipe = child.stdin.take();
        Ok(Supervisor { child: Some(child), pipe, started: plan.started.to_owned() })
    }

    /// How the supervisor ended, if it has: before [`Supervisor::server_answered`], the server did not start.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>, Error> {
        let Some(child) = self.child.as_mut() else { return Ok(None) };
        child.try_wait().attempt(|| "look after the supervisor of Postgres".to_owned())
    }

    /// From now on a server that ends is started again.
    pub(crate) fn server_answered(&self) -> Result<(), Error> {
        File::create(&self.started)
            .and_then(|mut file| file.write_all(b""))
            .attempt(|| format!("write {}", self.started.display()))
    }

    /// Ends the server and waits for it.
    pub(crate) async fn stop(mut self) -> Result<(), Error> {
        self.pipe = None;
        let deadline = Instant::now() + STOP_TIMEOUT;
        while self.ended()?.is_none() {
            if Instant::now() > deadline {
                return Err(Error::DidNotStop { seconds: STOP_TIMEOUT.as_secs() });
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.pipe = None;
        if let Some(mut child) = self.child.take()
            && !matches!(child.try_wait(), Ok(Some(_)))
        {
            // Only reaps the process; it ends by itself whether or not we live to see it.
            let reaper = std::thread::Builder::new().name("reap-postgres".to_owned());
            let _ = reaper.spawn(move || child.wait());
        }
    }
}
