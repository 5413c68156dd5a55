//! Writes or checks the committed `openapi.json`.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "openapi", about = "The committed OpenAPI document")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Write it from the handlers
    Write,
    /// Fail, and say what differs, when it is stale
    Check,
}

#[expect(clippy::print_stdout, reason = "what differs is this program's result")]
fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().task {
        Task::Write => {
            let path = openapi::path();
            std::fs::write(&path, openapi::text())
                .with_context(|| format!("cannot write {}", path.display()))?;
            println!("wrote {}", path.display());
        }
        Task::Check => {
            let differences = openapi::differences(&openapi::committed()?, &api::document());
            if !differences.is_empty() {
                println!("openapi.json is stale; `cargo run -p openapi -- write` brings it up to date:");
                differences.iter().for_each(|line| println!("  {line}"));
                return Ok(ExitCode::FAILURE);
            }
            println!("openapi.json is fresh");
        }
    }
    Ok(ExitCode::SUCCESS)
}
