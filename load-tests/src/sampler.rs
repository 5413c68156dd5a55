//! CPU and memory of server and Postgres over a whole run, as curves.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::footprint::Footprint;
use crate::process;
use crate::report::{Plot, Series};
use crate::usage::Watched;

/// Often enough for a curve; each look costs a few milliseconds.
const EVERY: Duration = Duration::from_secs(1);

/// A thread that looks from time to time; ends when stopped or dropped.
pub(crate) struct Sampler {
    watched: mpsc::Sender<Watched>,
    thread: JoinHandle<Vec<Sample>>,
}

/// One moment, in seconds from the start.
#[derive(Debug, Clone, Copy)]
struct Sample {
    at: f64,
    memory: Footprint,
    /// CPU seconds since the processes began.
    server: Option<f64>,
    postgres: Option<f64>,
}

impl Sampler {
    pub(crate) fn start(watched: &Watched) -> Sampler {
        let (sender, receiver) = mpsc::channel();
        let watched = watched.clone();
        let thread = std::thread::spawn(move || sample(watched, &receiver));
        Sampler { watched: sender, thread }
    }

    /// Looks at these from now on: a server that was started again is another process.
    pub(crate) fn watch(&self, watched: &Watched) {
        // A thread that ended in a panic is told of when it is stopped.
        let _ = self.watched.send(watched.clone());
    }

    /// What became of memory and CPU.
    pub(crate) fn stop(self) -> Result<Vec<Plot>> {
        drop(self.watched);
        let samples = self.thread.join().map_err(|_| anyhow::anyhow!("the sampling thread panicked"))?;
        Ok(plots(&samples))
    }
}

fn sample(mut watched: Watched, changes: &mpsc::Receiver<Watched>) -> Vec<Sample> {
    let begun = Instant::now();
    let mut samples = Vec::new();
    loop {
        let postgres = watched.postgres();
        samples.push(Sample {
            at: begun.elapsed().as_secs_f64(),
            memory: Footprint::look(&watched),
            server: watched.server.and_then(process::cpu).map(|cpu| cpu.as_secs_f64()),
            postgres: (!postgres.is_empty()).then(|| process::cpu_with_ended(&postgres).as_secs_f64()),
        });
        match changes.recv_timeout(EVERY) {
            Ok(changed) => watched = changed,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return samples,
        }
    }
}

fn plots(samples: &[Sample]) -> Vec<Plot> {
    let memory = |name: &str, size: fn(&Footprint) -> Option<u64>| {
        let point = |sample: &Sample| Some((sample.at, mebibytes(size(&sample.memory)?)));
        Series { name: name.to_owned(), points: samples.iter().filter_map(point).collect() }
    };
    let cores = |name: &str, cpu: fn(&Sample) -> Option<f64>| {
        let point = |pair: &[Sample]| {
            // Less than before: another process, or one that has taken its children's share with it.
            let used = cpu(&pair[1])? - cpu(&pair[0])?;
            (used >= 0.0).then(|| (pair[1].at, used / (pair[1].at - pair[0].at)))
        };
        Series { name: name.to_owned(), points: samples.windows(2).filter_map(point).collect() }
    };
    let plot = |title: &str, y_label: &str, series: Vec<Series>| Plot {
        title: title.to_owned(),
        x_label: "s".to_owned(),
        y_label: y_label.to_owned(),
        series: series.into_iter().filter(|series| !series.points.is_empty()).collect(),
    };
    vec![
        plot(
            "Memory over the run",
            "MiB",
            vec![
                memory("server (RSS)", |memory| Some(memory.server?.rss_bytes)),
                memory("Postgres (PSS)", |memory| Some(memory.postgres?.pss_bytes)),
            ],
        ),
        plot(
            "CPU over the run",
            "cores",
            vec![cores("server", |sample| sample.server), cores("Postgres", |sample| sample.postgres)],
        ),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "a rounded figure for people")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Memory;

    fn at(seconds: f64, cpu: f64) -> Sample {
        let memory = Memory { rss_bytes: 3 << 20, pss_bytes: 1 << 20 };
        let memory = Footprint { server: Some(memory), postgres: None };
        Sample { at: seconds, memory, server: Some(cpu), postgres: None }
    }

    #[test]
    fn curves_are_of_what_was_watched() {
        let plots = plots(&[at(0.0, 1.0), at(2.0, 2.0), at(3.0, 0.5), at(4.0, 1.25)]);
        let names: Vec<&str> =
            plots.iter().flat_map(|plot| &plot.series).map(|series| series.name.as_str()).collect();
        assert_eq!(names, ["server (RSS)", "server"]);
        assert_eq!(plots[0].series[0].points, [(0.0, 3.0), (2.0, 3.0), (3.0, 3.0), (4.0, 3.0)]);
        assert_eq!(plots[1].series[0].points, [(2.0, 0.5), (4.0, 0.75)], "a restarted server has no past");
    }
}
