//! The report. Nothing in it is typed by hand, and nothing depends on when it is written.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use jiff::Timestamp;

use super::calibration::{WORK, Work};
use super::figure::Spread;
use super::number::{duration, number};
use super::pictures::{self, Picture};
use super::results::{Made, Results, Table};
use super::targets::{Bound, TARGETS, Verdict, judge};

/// Beside the report.
const PICTURES: &str = "report";

/// Writes the report and its pictures, and removes pictures of earlier reports.
pub(super) fn write(results: &Results, file: &Path) -> Result<()> {
    let (text, drawn) = render(results);
    let beside = file.parent().unwrap_or(Path::new("")).join(PICTURES);
    fs::create_dir_all(&beside).with_context(|| format!("making {}", beside.display()))?;
    for entry in fs::read_dir(&beside).with_context(|| format!("reading {}", beside.display()))? {
        let path = entry.context("reading the pictures' folder")?.path();
        if path.extension().is_some_and(|extension| extension == "svg") {
            fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        }
    }
    for picture in drawn {
        let path = beside.join(&picture.file);
        fs::write(&path, picture.svg).with_context(|| format!("writing {}", path.display()))?;
    }
    fs::write(file, text).with_context(|| format!("writing {}", file.display()))
}

fn render(results: &Results) -> (String, Vec<Picture>) {
    let mut drawn = Vec::new();
    let mut text = String::from("# Load tests: what was measured\n\n");
    text.push_str(&opening(results));
    let verdicts = judge(TARGETS, results);
    text.push_str(&goals(&verdicts, results.provenance.quick));
    if !results.provenance.quick {
        show(&mut text, &mut drawn, vec![pictures::of_targets(&verdicts)]);
    }
    text.push_str(&machine(results));
    show(&mut text, &mut drawn, vec![pictures::of_machine(results)]);
    for made in &results.made {
        text.push_str(&run(made));
        show(&mut text, &mut drawn, pictures::of_run(made));
        for table in made.found.iter().flat_map(|found| &found.tables) {
            let _ = write!(text, "**{}**\n\n{}\n", escape(&table.heading), cells(table));
        }
        let notes = made.found.iter().flat_map(|found| &found.notes);
        let notes: String = notes.map(|note| format!("- {}\n", escape(note))).collect();
        if !notes.is_empty() {
            let _ = write!(text, "To know before believing the figures:\n{notes}\n");
        }
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    (text, drawn)
}

fn opening(results: &Results) -> String {
    let provenance = &results.provenance;
    let mut text = String::from(
        "Written by `make bench` from the results of its runs; no figure is typed by hand. [README.md](README.md) says \
         how to run it.\n\n",
    );
    if provenance.quick {
        text.push_str("**Short forms: they show that all works, not how fast it is.**\n\n");
    }
    let mut commits: Vec<&str> = results.made.iter().map(|made| made.outcome.commit.as_str()).collect();
    commits.sort_unstable();
    commits.dedup();
    let seconds: f64 = results.made.iter().map(|made| made.outcome.seconds).sum();
    let _ = write!(
        text,
        "{} runs of {} in all, the last bench begun on {}, at commit {}.\n\n",
        results.made.len(),
        duration(seconds),
        date(provenance.began),
        commits.join(", "),
    );
    let failed: Vec<&str> = failed(results).map(|made| made.run.name).collect();
    if !failed.is_empty() {
        let _ = write!(text, "**Failed: {}.** Their sections say why.\n\n", failed.join(", "));
    }
    text
}

fn failed(results: &Results) -> impl Iterator<Item = &Made> {
    results.made.iter().filter(|made| made.outcome.failure.is_some())
}

fn goals(verdicts: &[Verdict], quick: bool) -> String {
    let mut text = String::from(
        "## The goals\n\nSpeeds are held against a peer in the same run, turn by turn, because machines differ and vary. \
         The median decides.\n\n| | goal | median | least | most | pair by pair | |\n|---|---:|---:|---:|---:|---|---|\n",
    );
    for verdict in verdicts {
        let _ = writeln!(text, "| {} |", row(verdict, quick).join(" | "));
    }
    text.push('\n');
    text
}

fn row(verdict: &Verdict, quick: bool) -> Vec<String> {
    let unit = verdict.target.unit;
    let with_unit = |value: f64| format!("{}{unit}", number(value));
    let mut row = vec![format!("[{}](#{})", verdict.target.claim, anchor(verdict)), bound(verdict)];
    match &verdict.spread {
        Some(Spread { values, least, median, most }) if values.len() > 1 => {
            row.extend([*median, *least, *most].map(with_unit));
            row.push(values.iter().map(|&value| number(value)).collect::<Vec<_>>().join(" · "));
        }
        Some(spread) => {
            row.push(with_unit(spread.median));
            row.extend([const { String::new() }; 3]);
        }
        None => row.extend([const { String::new() }; 4]),
    }
    row.push(match verdict.met() {
        Some(_) if quick => "short form".to_owned(),
        Some(true) => "met".to_owned(),
        Some(false) => "**not met**".to_owned(),
        None => "not measured".to_owned(),
    });
    row
}

fn bound(verdict: &Verdict) -> String {
    let sign = match verdict.target.bound {
        Bound::AtLeast(_) => "≥",
        Bound::AtMost(_) | Bound::OneCommit => "≤",
        Bound::Below(_) => "<",
    };
    match verdict.bound {
        Some(bound) => format!("{sign} {}{}", number(bound), verdict.target.unit),
        None => "unknown".to_owned(),
    }
}

/// Of the section of the run, as GitHub derives it from a heading of one word.
fn anchor(verdict: &Verdict) -> &'static str {
    verdict.target.run
}

fn machine(results: &Results) -> String {
    let provenance = &results.provenance;
    let memory = provenance.memory_bytes / (1 << 20);
    #[expect(clippy::cast_precision_loss, reason = "mebibytes stay far below 2^52")]
    let rows = [
        ("processor", format!("{} cores of {}", provenance.cores, provenance.processor)),
        ("memory", format!("{} MiB", number(memory as f64))),
        ("kernel", format!("Linux {}", provenance.kernel)),
        ("Postgres", provenance.postgres.clone()),
        ("nginx", provenance.nginx.clone()),
        ("nchan", provenance.nchan.clone()),
        ("compiler", provenance.compiler.clone()),
    ];
    let mut text = String::from("## The machine\n\n| | |\n|---|---|\n");
    for (name, value) in rows {
        let _ = writeln!(text, "| {name} | {} |", escape(&value));
    }
    if provenance.scratch_in_memory {
        text.push_str("\n**The scratch directory was in memory, where nothing waits for a disk.**\n");
    }
    text.push_str(
        "\nHow much the machine itself varied: three fixed pieces of work, done before the first run and after each. A \
         difference between two runs that is smaller than this says nothing. Ratios within one run stand on firmer \
         ground, because their sides took turns.\n\n\
         | a second | least | median | most |\n|---|---:|---:|---:|\n",
    );
    let samples = results.calibrations();
    for Work { what, unit, of, .. } in WORK {
        let spread = Spread::of(samples.iter().map(|(_, sample)| of(sample)).collect());
        let Some(Spread { least, median, most, .. }) = spread else { continue };
        let [least, median, most] = [least, median, most].map(number);
        let _ = writeln!(text, "| {what} | {least}{unit} | {median}{unit} | {most}{unit} |");
    }
    text.push_str("\nSamples:");
    for (number, (after, _)) in samples.iter().enumerate() {
        let _ = write!(text, "{} {number} {after}", if number == 0 { "" } else { "," });
    }
    text.push_str(".\n\n");
    text
}

fn run(made: &Made) -> String {
    let Made { run, outcome, .. } = made;
    let mut text = format!("## {}\n\n**{}** {}\n\n", run.name, run.title, run.about);
    let _ = write!(text, "`load-tests {}`, {}\n\n", outcome.arguments.join(" "), duration(outcome.seconds));
    if let Some(failure) = &outcome.failure {
        let _ = write!(text, "**It failed:**\n```\n{}\n```\n\n", failure.replace("```", "'''"));
    }
    text
}

fn cells(table: &Table) -> String {
    let mut text = String::new();
    let width = table.rows.iter().map(Vec::len).max().unwrap_or_default();
    for (number, row) in table.rows.iter().enumerate() {
        let cells = row.iter().map(|cell| escape(cell)).chain(std::iter::repeat(String::new()));
        let _ = writeln!(text, "| {} |", cells.take(width).collect::<Vec<_>>().join(" | "));
        if number == 0 {
            let _ = writeln!(text, "|---{}|", "|---:".repeat(width.saturating_sub(1)));
        }
    }
    text
}

fn show(text: &mut String, drawn: &mut Vec<Picture>, pictures: Vec<Picture>) {
    for picture in pictures {
        let _ = write!(text, "![{}]({PICTURES}/{})\n\n", escape(&picture.title), picture.file);
        drawn.push(picture);
    }
}

/// What would end a cell or begin markup.
fn escape(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace('\n', " ")
}

/// The day, in UTC.
fn date(seconds: i64) -> String {
    Timestamp::from_second(seconds).map(|time| time.strftime("%Y-%m-%d").to_string()).unwrap_or_default()
}
