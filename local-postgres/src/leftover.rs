//! What an earlier run may have left: a server still shutting down, one that lost its supervisor, a stale pid file.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::cluster::Home;
use crate::error::{Attempt as _, Error};
use crate::identity::output;
use crate::lock;

/// The supervisor of a killed run ends its server within moments.
const SUPERVISOR_TIME: Duration = Duration::from_secs(3);
/// When a server that ignores a fast shutdown is told to drop everything; it recovers on its next start.
const FAST_TIME: Duration = Duration::from_secs(20);
/// When we give up.
const LONGEST: Duration = Duration::from_secs(35);

/// Above the largest pid of any system we run on, yet a number that Postgres accepts in its pid file.
const DEAD_PID: i32 = 0x7fff_fffe;

/// Waits until nothing of an earlier run is alive, and returns the lock that proves it.
pub(crate) async fn outlive(home: &Home) -> Result<File, Error> {
    let path = home.path.join("supervisor.lock");
    let file = lock::open(&path)?;
    home.identity.give(&path)?;
    let begun = Instant::now();
    let (mut asked, mut pressed) = (false, false);
    while !lock::try_lock(&file, &path)? {
        let waited = begun.elapsed();
        if waited > LONGEST {
            return Err(Error::StillStopping { home: home.path.clone() });
        }
        if waited > SUPERVISOR_TIME && !asked {
            asked = true;
            signal_server(&home.cluster(), Signal::INT).await;
        }
        if waited > FAST_TIME && !pressed {
            pressed = true;
            signal_server(&home.cluster(), Signal::QUIT).await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    disarm_pid_file(home).await?;
    Ok(file)
}

async fn signal_server(cluster: &Path, signal: Signal) {
    if let Some(pid) = recorded_pid(cluster)
        && serves(pid, cluster).await
    {
        tracing::warn!(
            pid = pid.as_raw_pid(),
            ?signal,
            "stopping a Postgres that an earlier run left behind"
        );
        let _ = kill_process(pid, signal);
    }
}

/// With the lock ours, no server of ours lives. A pid file that names a living process is either stale, its number
/// now another program's, or of a server started by hand.
///
/// Postgres refuses to start while the named process lives, whatever it is. Only the pid is replaced, since the rest
/// of the file lets Postgres check that no old process still uses its shared memory.
async fn disarm_pid_file(home: &Home) -> Result<(), Error> {
    let cluster = home.cluster();
    let Some(pid) = recorded_pid(&cluster).filter(|pid| test_kill_process(*pid).is_ok()) else {
        return Ok(());
    };
    if serves(pid, &cluster).await {
        return Err(Error::ForeignServer { pid: pid.as_raw_pid(), cluster });
    }
    let path = cluster.join("postmaster.pid");
    let text = std::fs::read_to_string(&path).attempt(|| format!("read {}", path.display()))?;
    let rest = text.split_once('\n').map_or("", |(_, rest)| rest);
    std::fs::write(&path, format!("{DEAD_PID}\n{rest}")).attempt(|| format!("write {}", path.display()))
}

/// The pid in the first line of `postmaster.pid`.
fn recorded_pid(cluster: &Path) -> Option<Pid> {
    let text = std::fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
    Pid::from_raw(text.lines().next()?.trim().parse::<i32>().ok().filter(|pid| *pid > 1)?)
}

/// Whether the process is a server of this cluster: Postgres works inside its data directory, and we start it with
/// that directory on its command line.
async fn serves(pid: Pid, cluster: &Path) -> bool {
    let pid = pid.as_raw_pid();
    if Path::new("/proc/self/cwd").exists() {
        let Ok(cluster) = std::fs::canonicalize(cluster) else { return false };
        return std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == cluster)
            && std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| {
                line.split(|byte| *byte == 0).next().is_some_and(|name| name.ends_with(b"postgres"))
            });
    }
    let mut ps = std::process::Command::new("ps");
    ps.args(["-ww", "-o", "command=", "-p", &pid.to_string()]);
    let Ok(output) = output(ps).await else { return false };
    let line = String::from_utf8_lossy(&output.stdout);
    line.contains("postgres") && line.contains(&cluster.display().to_string())
}
