//! `echoverse rebuild`: the read model anew from the log, beside the one in use.

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use api::settings::Storage;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use parking_lot::Mutex;
use projections::{Progress, Swap};

use super::migrate::Database;

#[derive(Args)]
pub(crate) struct Rebuild {
    /// Compare the new tables with those in use, and keep these if they differ (exit code 1)
    #[arg(long)]
    verify: bool,
    #[command(flatten)]
    storage: Storage,
}

impl Rebuild {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let database = Database::open(&self.storage).await?;
        let result = self.rebuild(&database).await;
        database.close().await?;
        result
    }

    async fn rebuild(&self, database: &Database) -> anyhow::Result<ExitCode> {
        let prepared = database.prepare(&self.storage).await?;
        let shown = Shown::new();
        let progress = |progress| shown.show(progress);
        let (url, store, vault) = (&database.url, prepared.store, prepared.vault);
        let report = if self.verify {
            projections::verify(url, store, vault, Swap::IfEqual, progress).await
        } else {
            projections::rebuild(url, store, vault, progress).await
        };
        let report = report.context("the read model was not rebuilt; the one in use is as it was")?;
        shown.end();
        let differences = report.differences.as_deref().unwrap_or_default();
        for difference in differences {
            tracing::error!(?difference, "rebuilt and live read model differ");
        }
        if !differences.is_empty() {
            tracing::error!(
                "the read model in use was kept; `echoverse rebuild` without --verify replaces it"
            );
            return Ok(ExitCode::FAILURE);
        }
        let compared = report.differences.is_some();
        tracing::info!(
            events = report.events,
            swapped = report.swapped,
            compared,
            "the read model is rebuilt"
        );
        Ok(ExitCode::SUCCESS)
    }
}

/// How far it has come: a bar on a terminal, else a line now and then.
enum Shown {
    Bar(ProgressBar),
    Lines(Mutex<Instant>),
}

const LINE_EVERY: Duration = Duration::from_secs(5);

impl Shown {
    fn new() -> Self {
        if !std::io::stderr().is_terminal() {
            return Self::Lines(Mutex::new(Instant::now()));
        }
        let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {pos}/{len}  {eta} left");
        let bar = ProgressBar::new(0);
        Self::Bar(match style {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        })
    }

    fn show(&self, Progress { position, head }: Progress) {
        match self {
            Self::Bar(bar) => {
                bar.set_length(head.0);
                bar.set_position(position.0);
            }
            Self::Lines(last) => {
                let mut last = last.lock();
                if last.elapsed() >= LINE_EVERY {
                    *last = Instant::now();
                    tracing::info!(position = position.0, head = head.0, "rebuilding");
                }
            }
        }
    }

    fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}
