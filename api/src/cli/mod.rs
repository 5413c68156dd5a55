//! The commands of the program.

mod chat;
mod doctor;
mod log;
mod migrate;
mod rebuild;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Self-hosted community chat
#[derive(Parser)]
#[command(name = "echoverse", version, about, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(flatten)]
    log: log::Logging,
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run the server
    Serve(Box<serve::Serve>),
    /// Bring the database up to date and end
    Migrate(migrate::Migrate),
    /// Make the read model anew from the log
    Rebuild(rebuild::Rebuild),
    /// Say what is wrong with this installation and how to mend it
    Doctor(Box<doctor::Doctor>),
    /// Chat in the terminal
    Chat(chat::Chat),
}

/// Tasks that a busy thread runs before it looks at the sockets. All posts wait for the database's answer to one batch,
/// and behind 61 requests, the usual number, it would be seen a millisecond late.
const EVENT_INTERVAL: u32 = 16;

/// Runs a command to its end; a failure is told on standard error, with its causes.
#[expect(clippy::print_stderr, reason = "a program's failures go to standard error")]
pub(crate) fn run(Cli { log, task }: Cli) -> ExitCode {
    // A chat has the terminal for itself.
    if !matches!(task, Task::Chat(_)) {
        log.start();
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().event_interval(EVENT_INTERVAL).build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the runtime does not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(async {
        match task {
            Task::Serve(serve) => serve.run().await.map(|()| ExitCode::SUCCESS),
            Task::Migrate(migrate) => migrate.run().await.map(|()| ExitCode::SUCCESS),
            Task::Rebuild(rebuild) => rebuild.run().await,
            Task::Doctor(doctor) => doctor.run().await,
            Task::Chat(chat) => chat.run().await.map(|()| ExitCode::SUCCESS),
        }
    });
    // A thread that waits for the terminal must not hold up the end.
    runtime.shutdown_background();
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
