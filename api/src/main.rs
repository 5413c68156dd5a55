//! The program `echoverse`.

mod cli;

use std::process::ExitCode;

use clap::Parser as _;

/// The system's allocator keeps what password hashing took: some 20 MiB for each that ever ran at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run(cli::Cli::parse())
}
