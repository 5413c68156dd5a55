//! What a test found: tables for people, JSON for programs, and the machine it was found on.

use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use crate::pin::Pinning;
use crate::usage::Usage;

/// Cores busy with something else from which on a figure is worth less. The kernel itself takes some of this.
const DISTURBING: f64 = 0.15;

/// The result of one scenario.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) scenario: &'static str,
    pub(crate) machine: Machine,
    /// How the test was run.
    pub(crate) settings: Value,
    pub(crate) figures: Value,
    pub(crate) tables: Vec<Table>,
    /// Curves for whoever draws; the text leaves them out.
    pub(crate) plots: Vec<Plot>,
    /// What to know before believing the figures.
    pub(crate) notes: Vec<String>,
}

impl Report {
    /// The text for a terminal.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{}\n{}\n", self.scenario, self.machine.line());
        for table in &self.tables {
            text.push('\n');
            text.push_str(&table.text());
        }
        for note in &self.notes {
            let _ = write!(text, "\nnote: {note}");
        }
        text.truncate(text.trim_end().len());
        text
    }
}

/// Where and under what circumstances a test ran.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Machine {
    pub(crate) cores: usize,
    pub(crate) processor: String,
    pub(crate) kernel: String,
    /// Whether the scratch directory is in memory, where nothing waits for a disk.
    pub(crate) scratch_in_memory: bool,
    /// Which cores the sides had.
    pub(crate) pinning: Pinning,
}

impl Machine {
    pub(crate) fn look(scratch: &Path) -> Machine {
        let cpuinfo = read("/proc/cpuinfo");
        let processor = cpuinfo.lines().find(|line| line.starts_with("model name"));
        let processor =
            processor.and_then(|line| line.split_once(':')).map_or("unknown", |(_, name)| name.trim());
        Machine {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            processor: processor.to_owned(),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            scratch_in_memory: in_memory(scratch),
            pinning: Pinning::default(),
        }
    }

    /// All cores count, not only those of this process.
    pub(crate) fn pinned(&mut self, pinning: Pinning) {
        self.cores = pinning.cores();
        self.pinning = pinning;
    }

    /// What makes the figures doubtful; `usage` is that of the time in which they were taken.
    pub(crate) fn doubts(&self, usage: &Usage) -> Vec<String> {
        let mut doubts = Vec::new();
        if self.scratch_in_memory {
            doubts.push("the scratch directory is in memory: choose a disk with --scratch".to_owned());
        }
        if let Some(cores) = usage.other_cores().filter(|&cores| cores > DISTURBING) {
            doubts.push(format!("the machine was not quiet: others kept {cores:.2} cores busy"));
        }
        if cfg!(debug_assertions) {
            doubts.push("the load generator was built without --release".to_owned());
        }
        doubts
    }

    fn line(&self) -> String {
        let Machine { cores, processor, kernel, pinning, .. } = self;
        format!("{cores} cores of {processor}, Linux {kernel}; {}", pinning.line())
    }
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

#[cfg(target_os = "linux")]
fn in_memory(directory: &Path) -> bool {
    /// `TMPFS_MAGIC` and `RAMFS_MAGIC` of statfs(2).
    const IN_MEMORY: [u32; 2] = [0x0102_1994, 0x8584_58f6];
    rustix::fs::statfs(directory)
        .is_ok_and(|found| u32::try_from(found.f_type).is_ok_and(|kind| IN_MEMORY.contains(&kind)))
}

#[cfg(not(target_os = "linux"))]
fn in_memory(_: &Path) -> bool {
    false
}

/// Cells under a heading; the first column to the left, the others to the right. The first row names the columns.
#[derive(Debug, Serialize)]
pub(crate) struct Table {
    heading: String,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new<'a>(heading: impl Into<String>, columns: impl IntoIterator<Item = &'a str>) -> Table {
        Table { heading: heading.into(), rows: vec![columns.into_iter().map(str::to_owned).collect()] }
    }

    pub(crate) fn row(mut self, cells: Vec<String>) -> Table {
        self.rows.push(cells);
        self
    }

    pub(crate) fn rows(mut self, rows: impl IntoIterator<Item = Vec<String>>) -> Table {
        self.rows.extend(rows);
        self
    }

    fn text(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = format!("{}\n", self.heading);
        for row in &self.rows {
            let mut line = String::from(" ");
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let _ = match column {
                    0 => write!(line, " {cell:<width$}"),
                    _ => write!(line, "  {cell:>width$}"),
                };
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// Curves over one pair of axes.
#[derive(Debug, Serialize)]
pub(crate) struct Plot {
    pub(crate) title: String,
    pub(crate) x_label: String,
    pub(crate) y_label: String,
    pub(crate) series: Vec<Series>,
}

/// One curve: its points from left to right.
#[derive(Debug, Serialize)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

impl Series {
    /// How many had happened by when, of what happened at the times `at`: in at most about [`Series::POINTS`] points,
    /// the last of which is the last of all.
    #[expect(clippy::cast_precision_loss, reason = "a curve needs no more digits")]
    pub(crate) fn counted(name: &str, mut at: Vec<f64>) -> Series {
        at.sort_by(f64::total_cmp);
        let step = at.len().div_ceil(Series::POINTS).max(1);
        let mut counted = at.iter().enumerate().map(|(before, &at)| (at, (before + 1) as f64));
        let mut points: Vec<(f64, f64)> = counted.clone().step_by(step).collect();
        points.extend(counted.next_back().filter(|last| points.last() != Some(last)));
        Series { name: name.to_owned(), points }
    }

    const POINTS: usize = 100;
}

/// A size for people, in mebibytes.
pub(crate) fn mebibytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a rounded figure for people")]
    let mebibytes = bytes as f64 / f64::from(1 << 20);
    format!("{mebibytes:.1} MiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_lines_up() {
        let table = Table::new("Rates", ["pair", "posts/s"])
            .row(vec!["1".to_owned(), "1234".to_owned()])
            .row(vec!["median µs".to_owned(), "9".to_owned()]);
        assert_eq!(table.text(), "Rates\n  pair       posts/s\n  1             1234\n  median µs        9\n");
    }

    #[test]
    fn tables_and_plots_are_written_for_programs() {
        let table = serde_json::to_value(Table::new("Rates", ["pair"]).row(vec!["1".to_owned()])).unwrap();
        assert_eq!(table, serde_json::json!({"heading": "Rates", "rows": [["pair"], ["1"]]}));
        let series = vec![Series { name: "posts".to_owned(), points: vec![(1.0, 2.5)] }];
        let [title, x_label, y_label] = ["Growth", "s", "MiB"].map(str::to_owned);
        let plot = serde_json::to_value(Plot { title, x_label, y_label, series }).unwrap();
        assert_eq!(plot.pointer("/series/0/points/0/1"), Some(&serde_json::json!(2.5)));
    }

    #[test]
    fn a_counted_curve_is_short_and_ends_with_the_last() {
        let points = |at: Vec<f64>| Series::counted("x", at).points;
        let many = points((1..=1_000).rev().map(f64::from).collect());
        assert!(many.len() <= Series::POINTS + 1);
        assert_eq!((many.first(), many.last()), (Some(&(1.0, 1.0)), Some(&(1_000.0, 1_000.0))));
        assert_eq!(points(vec![0.5]), [(0.5, 1.0)]);
        assert!(points(Vec::new()).is_empty());
    }

    #[test]
    fn sizes_are_in_mebibytes() {
        assert_eq!(mebibytes(3 * 1024 * 1024 / 2), "1.5 MiB");
    }
}
