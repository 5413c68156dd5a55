//! Runs a private Postgres for developers and test runs.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use local_postgres::{Durability, LocalPostgres, TEST_CLUSTER_VARIABLE, ThrowawayCluster};
use rustix::process::{Pid, Signal, kill_process};
use tokio::signal::unix::{SignalKind, signal};

#[derive(Parser)]
#[command(name = "local-postgres", about = "A private Postgres for developers and test runs")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run a command with a throwaway cluster, named by ECHOVERSE_TEST_POSTGRES, and end with its exit code
    Exec {
        /// Wait for the disk, as a server with data worth keeping does
        #[arg(long)]
        fsync: bool,
        /// The command and its arguments
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
    /// Run the server of a data directory until interrupted, and print its connection string
    Start {
        /// The data directory
        #[arg(long, default_value = "./data")]
        data: PathBuf,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().task {
        Task::Exec { fsync, command } => {
            let durability = if fsync { Durability::Full } else { Durability::None };
            exec(durability, &command).await
        }
        Task::Start { data } => start(data).await,
    }
}

async fn exec(durability: Durability, command: &[OsString]) -> anyhow::Result<ExitCode> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (program, arguments) = command.split_first().context("no command")?;
    let cluster = tokio::select! {
        cluster = ThrowawayCluster::start(durability) => cluster?,
        _ = interrupt.recv() => return Ok(ExitCode::from(130)),
        _ = terminate.recv() => return Ok(ExitCode::from(143)),
    };
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .env(TEST_CLUSTER_VARIABLE, cluster.url())
        .spawn()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status?,
            // The terminal has sent it to the command as well, which decides what to do.
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {
                let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
                if let Some(pid) = pid {
                    let _ = kill_process(pid, Signal::TERM);
                }
            }
        }
    };
    cluster.stop().await?;
    // As a shell says it: 128 and the signal's number.
    let code = status.code().or_else(|| status.signal().map(|number| 128 + number)).unwrap_or(1);
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

#[expect(clippy::print_stdout, reason = "the connection string is this program's result")]
async fn start(data: PathBuf) -> anyhow::Result<ExitCode> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let postgres = tokio::select! {
        postgres = LocalPostgres::start(&data, Durability::Full) => postgres?,
        _ = interrupt.recv() => return Ok(ExitCode::from(130)),
        _ = terminate.recv() => return Ok(ExitCode::from(143)),
    };
    println!("{}", postgres.url());
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    postgres.stop().await?;
    Ok(ExitCode::SUCCESS)
}
