//! What a person at a terminal sees while a test runs; nothing where standard error is no terminal.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// A line that shows how far a stage is; it vanishes when dropped.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Progress {
    /// A stage of `count` steps.
    pub(crate) fn steps(stage: &str, count: usize) -> Progress {
        let bar = ProgressBar::new(count.try_into().unwrap_or(u64::MAX));
        bar.set_style(style("{msg} {bar:30} {pos}/{len} {eta}"));
        bar.set_message(stage.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        Progress { bar }
    }

    pub(crate) fn step(&self) {
        self.bar.inc(1);
    }

    /// Runs `work`, which takes about `duration`, showing the time.
    pub(crate) async fn during<T>(stage: &str, duration: Duration, work: impl Future<Output = T>) -> T {
        let bar = ProgressBar::new(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
        bar.set_style(style("{msg} {bar:30} {elapsed}"));
        bar.set_message(stage.to_owned());
        let progress = Progress { bar };
        let begun = Instant::now();
        let mut tick = tokio::time::interval(Duration::from_millis(200));
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                _ = tick.tick() => {
                    let elapsed = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
                    progress.bar.set_position(elapsed);
                }
            }
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is a constant that parses")
}
