//! All scenarios one after the other, and the report of what they found.
//!
//! Each run of the [`plan`] is a [`child`] process of this program, so that none inherits the memory, the sockets or
//! the cores of another, and the failure of one hides nothing of the others. What they find stays in the folder of
//! [`results`]; the report is made of that folder alone, so that `--render` makes the same bytes again.
//!
//! - [`targets`] is the table of goals; [`figure`] finds their figures in the JSON of a run
//! - [`calibration`] measures the machine itself between the runs; [`provenance`] names it and its programs
//! - [`markdown`] writes the report; [`pictures`] chooses its charts, which [`chart`] and [`axis`] shape and [`svg`] draws
//!
//! A new run is an entry of the plan; a new goal an entry of the targets.

mod axis;
mod calibration;
mod chart;
mod child;
mod figure;
mod markdown;
mod number;
mod pictures;
mod plan;
mod provenance;
mod results;
mod svg;
mod targets;

use std::ffi::OsString;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use self::calibration::Sample;
use self::child::Running;
use self::plan::{Form, PLAN, Run};
use self::provenance::Provenance;
use self::results::{Folder, Outcome, Results};
use crate::progress::Progress;
use crate::server::ServerOptions;

/// Each piece of the calibration's work, in the full and the short form.
const CALIBRATION: [Duration; 2] = [Duration::from_secs(1), Duration::from_millis(200)];

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// Run these only, by scenario or by name, with commas between: `fanout,post`. What the others found before stays in
    /// the report
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    only: Vec<String>,
    /// Short forms: they show that all works, not how fast it is. Results and report go to a folder of their own
    #[arg(long)]
    quick: bool,
    /// How many minutes the soak lasts, instead of its usual few; from ten on it says whether all stayed flat
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u16).range(1..=1_440))]
    soak: Option<u16>,
    /// Run nothing: write the report from the results that are there
    #[arg(long)]
    render: bool,
    /// Where results are kept [default: `bench` or `bench-quick` in the target directory]
    #[arg(long, value_name = "DIR")]
    results: Option<PathBuf>,
    /// The report; its pictures go to the folder `report` beside it [default: load-tests/REPORT.md; with --quick, in
    /// the folder of results]
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// Runs what is asked for and writes the report. Fails when a scenario failed, after all have run.
pub(crate) async fn run(server: &ServerOptions, options: &Options) -> Result<()> {
    let program = std::env::current_exe().context("finding this program's path")?;
    let path = match &options.results {
        Some(path) => path.clone(),
        None => default_folder(&program, options.quick)?,
    };
    let folder = Folder { path };
    let report = match (&options.report, options.quick) {
        (Some(file), _) => file.clone(),
        (None, true) => folder.path.join("REPORT.md"),
        (None, false) => PathBuf::from("load-tests/REPORT.md"),
    };
    let mut failed = Vec::new();
    if !options.render {
        let runs = chosen(&options.only)?;
        let form = Form { quick: options.quick, minutes: options.soak.map(f64::from) };
        failed = run_all(server, form, &program, &folder, &runs).await?;
    }
    markdown::write(&Results::read(&folder)?, &report)?;
    say(&format!("the report is {}", report.display()));
    if !failed.is_empty() {
        bail!("these failed, see the report: {}", failed.join(", "));
    }
    Ok(())
}

/// Beside the folder of the profile that this program was built in.
fn default_folder(program: &Path, quick: bool) -> Result<PathBuf> {
    let target = program.parent().and_then(Path::parent).context("this program is in no target directory")?;
    Ok(target.join(if quick { "bench-quick" } else { "bench" }))
}

/// The runs that are named, in the order of the plan; all where none is.
fn chosen(names: &[String]) -> Result<Vec<&'static Run>> {
    let is = |run: &Run, name: &str| run.name == name || run.scenario() == name;
    if let Some(unknown) = names.iter().find(|name| !PLAN.iter().any(|run| is(run, name))) {
        let known: Vec<&str> = PLAN.iter().map(|run| run.name).collect();
        bail!("there is no {unknown}; there are {}, and the scenarios' names", known.join(", "));
    }
    let wanted = |run: &&Run| names.is_empty() || names.iter().any(|name| is(run, name));
    Ok(PLAN.iter().filter(wanted).collect())
}

/// Returns the names of those that failed.
async fn run_all(
    server: &ServerOptions,
    form: Form,
    program: &Path,
    folder: &Folder,
    runs: &[&'static Run],
) -> Result<Vec<&'static str>> {
    let expected: Duration = runs.iter().map(|run| run.expected(form)).sum();
    say(&format!("{} runs, about {} in all", runs.len(), number::duration(expected.as_secs_f64())));
    let each = CALIBRATION[usize::from(form.quick)];
    let before = Sample::take(&server.scratch, each)?;
    folder.begin(&Provenance::look(&server.scratch, form.quick, before))?;
    let mut failed = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        let stage = format!("[{}/{}] {}", index + 1, runs.len(), run.name);
        let arguments = run.arguments(form);
        let mut all: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        all.extend(["--json".into(), folder.report(run).into()]);
        all.extend(server.arguments());
        let (commit, began) = (provenance::commit(), provenance::now());
        folder.clear(run)?;
        let output = folder.output(run);
        let running = Running::start(program, &all, &output)?;
        let begun = Instant::now();
        let expected = run.expected(form);
        let failure = Progress::during(&stage, expected, running.finish(limit(expected), &output)).await?;
        let seconds = begun.elapsed().as_secs_f64();
        let ended = if failure.is_some() { "failed after" } else { "took" };
        say(&format!("{stage} {ended} {}", number::duration(seconds)));
        if let Some(failure) = &failure {
            say(failure);
            failed.push(run.name);
        }
        let calibration = Sample::take(&server.scratch, each)?;
        let outcome = Outcome { arguments, commit, began, seconds, failure, calibration };
        folder.write_outcome(run, &outcome)?;
    }
    Ok(failed)
}

/// A run that takes much longer than on a quiet machine is ended.
fn limit(expected: Duration) -> Duration {
    const TIMES: u32 = 4;
    const AT_LEAST: Duration = Duration::from_secs(180);
    (expected * TIMES).max(AT_LEAST)
}

/// A line for whoever waits; where they see no progress, the only sign of it.
fn say(line: &str) {
    let mut errors = std::io::stderr();
    let clear = if errors.is_terminal() { "\r\x1b[2K" } else { "" };
    // Nobody may be left to read it.
    let _ = writeln!(errors, "{clear}{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(wanted: &[&str]) -> Vec<&'static str> {
        let wanted: Vec<String> = wanted.iter().map(|&name| name.to_owned()).collect();
        chosen(&wanted).unwrap().into_iter().map(|run| run.name).collect()
    }

    #[test]
    fn runs_are_chosen_by_scenario_or_by_name_in_the_order_of_the_plan() {
        assert_eq!(names(&[]).len(), PLAN.len());
        assert_eq!(names(&["post", "idle"]), ["idle", "post"]);
        let unknown = chosen(&["psot".to_owned()]).unwrap_err().to_string();
        assert!(unknown.contains("psot") && unknown.contains("post"), "{unknown}");
    }

    #[test]
    fn results_lie_in_the_target_directory() {
        let program = Path::new("/src/target/release/load-tests");
        assert_eq!(default_folder(program, false).unwrap(), Path::new("/src/target/bench"));
        assert_eq!(default_folder(program, true).unwrap(), Path::new("/src/target/bench-quick"));
    }

    #[test]
    fn a_run_has_time_enough_and_not_for_ever() {
        assert_eq!(limit(Duration::from_secs(10)), Duration::from_secs(180));
        assert_eq!(limit(Duration::from_secs(100)), Duration::from_secs(400));
    }
}
