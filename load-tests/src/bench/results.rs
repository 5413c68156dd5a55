//! The folder of results: what a bench leaves behind, and all that a report is made of.
//!
//! ```text
//! bench.json             the machine, its programs, its speed before the first scenario
//! <run>/outcome.json     how the run went: arguments, commit, seconds, failure, the machine's speed after it
//! <run>/report.json      what the scenario found; absent when it failed
//! <run>/output.txt       what it printed
//! ```

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::calibration::Sample;
use super::plan::{PLAN, Run};
use super::provenance::Provenance;

/// How a run went.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Outcome {
    pub(super) arguments: Vec<String>,
    pub(super) commit: String,
    /// Seconds since 1970.
    pub(super) began: i64,
    pub(super) seconds: f64,
    /// Why there is no report.
    pub(super) failure: Option<String>,
    /// The machine after it.
    pub(super) calibration: Sample,
}

/// A [`crate::report::Report`], read back.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Found {
    pub(super) figures: Value,
    pub(super) tables: Vec<Table>,
    pub(super) plots: Vec<Plot>,
    pub(super) notes: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Table {
    pub(super) heading: String,
    /// The first names the columns.
    pub(super) rows: Vec<Vec<String>>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Plot {
    pub(super) title: String,
    pub(super) x_label: String,
    pub(super) y_label: String,
    pub(super) series: Vec<PlotSeries>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct PlotSeries {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

/// One run of the plan that was made.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) run: &'static Run,
    pub(super) outcome: Outcome,
    pub(super) found: Option<Found>,
}

/// All that is in a folder of results.
#[derive(Debug)]
pub(super) struct Results {
    pub(super) provenance: Provenance,
    /// In the order of the plan.
    pub(super) made: Vec<Made>,
}

impl Results {
    pub(super) fn read(folder: &Folder) -> Result<Results> {
        let provenance = read(&folder.provenance())?
            .with_context(|| format!("no results in {}: run the bench first", folder.path.display()))?;
        let mut made = Vec::new();
        for run in PLAN {
            let Some(outcome) = read::<Outcome>(&folder.outcome(run))? else { continue };
            let found = match outcome.failure {
                None => read(&folder.report(run))?,
                Some(_) => None,
            };
            made.push(Made { run, outcome, found });
        }
        Ok(Results { provenance, made })
    }

    /// The machine's speed, and when it was taken, in the order of the plan.
    pub(super) fn calibrations(&self) -> Vec<(String, Sample)> {
        let before = ("before all".to_owned(), self.provenance.calibration);
        let after =
            self.made.iter().map(|made| (format!("after {}", made.run.name), made.outcome.calibration));
        std::iter::once(before).chain(after).collect()
    }

    pub(super) fn found(&self, run: &str) -> Option<&Found> {
        self.made.iter().find(|made| made.run.name == run)?.found.as_ref()
    }
}

/// Where results are kept.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
}

impl Folder {
    /// Makes the folder where it is missing. What earlier benches found stays, until a run is made again.
    pub(super) fn begin(&self, provenance: &Provenance) -> Result<()> {
        fs::create_dir_all(&self.path).with_context(|| format!("making {}", self.path.display()))?;
        write(&self.provenance(), provenance)
    }

    /// Forgets what was found by `run` earlier.
    pub(super) fn clear(&self, run: &Run) -> Result<()> {
        let path = self.path.join(run.name);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("removing {}", path.display()));
            }
            _ => {}
        }
        fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))
    }

    pub(super) fn report(&self, run: &Run) -> PathBuf {
        self.path.join(run.name).join("report.json")
    }

    pub(super) fn output(&self, run: &Run) -> PathBuf {
        self.path.join(run.name).join("output.txt")
    }

    pub(super) fn write_outcome(&self, run: &Run, outcome: &Outcome) -> Result<()> {
        write(&self.outcome(run), outcome)
    }

    fn outcome(&self, run: &Run) -> PathBuf {
        self.path.join(run.name).join("outcome.json")
    }

    fn provenance(&self) -> PathBuf {
        self.path.join("bench.json")
    }
}

fn write(path: &Path, value: &impl Serialize) -> Result<()> {
    let json = serde_json::to_string_pretty(value).context("writing JSON")?;
    fs::write(path, json + "\n").with_context(|| format!("writing {}", path.display()))
}

/// `None` where there is no such file.
fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let json = match fs::read(path) {
        Ok(json) => json,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
    };
    serde_json::from_slice(&json)
        .with_context(|| format!("{} is not what a bench writes", path.display()))
        .map(Some)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;
    use crate::report;

    #[test]
    fn what_a_scenario_writes_is_read_back() {
        let series = vec![report::Series { name: "server".to_owned(), points: vec![(0.5, 12.0)] }];
        let [title, x_label, y_label] = ["Memory", "minutes", "MiB"].map(str::to_owned);
        let written = report::Report {
            scenario: "soak",
            machine: report::Machine::look(Path::new("/")),
            settings: json!({}),
            figures: json!({"ratio": 1.5}),
            tables: vec![
                report::Table::new("CPU", ["", "CPU"]).row(vec!["server".to_owned(), "1 s".to_owned()]),
            ],
            plots: vec![report::Plot { title, x_label, y_label, series }],
            notes: vec!["quiet".to_owned()],
        };
        let read: Found = serde_json::from_value(serde_json::to_value(written).unwrap()).unwrap();
        assert_eq!(read.figures, json!({"ratio": 1.5}));
        assert_eq!((read.tables[0].heading.as_str(), read.tables[0].rows[1][1].as_str()), ("CPU", "1 s"));
        assert_eq!(
            (read.plots[0].title.as_str(), read.plots[0].series[0].points[0]),
            ("Memory", (0.5, 12.0))
        );
        assert_eq!(read.notes, ["quiet"]);
    }
}
