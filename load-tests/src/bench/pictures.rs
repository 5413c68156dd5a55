//! Which charts a report has.

use super::axis::Axis;
use super::calibration::{WORK, Work};
use super::chart::{Chart, Series, numbered};
use super::figure::pick;
use super::number::number;
use super::results::{Made, Results};
use super::svg::{self, Rung};
use super::targets::Verdict;

/// Percentiles of a latency curve, and where a summary has them.
const PERCENTILES: [(&str, &str); 5] =
    [("p50", "p50_ms"), ("p90", "p90_ms"), ("p99", "p99_ms"), ("p99.9", "p999_ms"), ("worst", "max_ms")];

/// A file of its own beside the report.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) file: String,
    pub(super) title: String,
    pub(super) svg: String,
}

impl Picture {
    fn of(file: String, chart: &Chart) -> Picture {
        Picture { file, title: chart.title.clone(), svg: svg::draw(chart) }
    }
}

/// Those of one run; none where the figures lack what it would show.
pub(super) fn of_run(made: &Made) -> Vec<Picture> {
    let Some(found) = &made.found else { return Vec::new() };
    let mut charts = Vec::new();
    for comparison in made.run.comparisons {
        let sides = comparison
            .sides
            .iter()
            .map(|(name, pointer)| ((*name).to_owned(), pick(&found.figures, pointer)));
        let sides: Vec<(String, Vec<f64>)> = sides.filter(|(_, values)| !values.is_empty()).collect();
        if !sides.is_empty() {
            charts.push(Chart::pairs(comparison.title, comparison.unit, sides));
        }
    }
    let curve = |(name, pointer): &(&str, &str)| {
        let at = |(_, key): (&str, &str)| pick(&found.figures, &format!("{pointer}/{key}")).first().copied();
        let values: Option<Vec<f64>> = PERCENTILES.into_iter().map(at).collect();
        values.map(|values| ((*name).to_owned(), values))
    };
    let curves: Vec<(String, Vec<f64>)> = made.run.latencies.iter().filter_map(curve).collect();
    if !curves.is_empty() {
        charts.push(Chart::percentiles(
            "Latency, from the middle to the worst",
            &PERCENTILES.map(|(name, _)| name),
            curves,
        ));
    }
    for plot in &found.plots {
        let series = plot
            .series
            .iter()
            .map(|series| Series { name: series.name.clone(), points: series.points.clone() });
        charts.push(Chart::lines(&plot.title, &plot.x_label, &plot.y_label, series.collect()));
    }
    let name = |number: usize| format!("{}-{}.svg", made.run.name, number + 1);
    charts.iter().enumerate().map(|(number, chart)| Picture::of(name(number), chart)).collect()
}

/// The speed of the machine itself, in hundredths of its middle.
pub(super) fn of_machine(results: &Results) -> Picture {
    let samples = results.calibrations();
    let series = WORK.into_iter().map(|Work { name, of, .. }| {
        let values: Vec<f64> = samples.iter().map(|(_, sample)| of(sample)).collect();
        let middle = crate::statistics::median(&values).unwrap_or(1.0);
        let shares: Vec<f64> = values.iter().map(|value| value / middle * 100.0).collect();
        Series { name: name.to_owned(), points: numbered(&shares) }
    });
    let x = Axis::named(
        "sample: the first before all runs, then one after each",
        (0..samples.len()).map(|n| n.to_string()),
    );
    let title = "How fast the machine was, run by run";
    Picture::of("machine.svg".to_owned(), &Chart::over_names(title, x, "% of the median", series.collect()))
}

/// How far each figure is from its goal.
pub(super) fn of_targets(verdicts: &[Verdict]) -> Picture {
    let rung = |verdict: &Verdict| {
        let (times, met) = (verdict.times()?, verdict.met()?);
        let says = format!("{} ×", number(times));
        Some(Rung { name: verdict.target.short.to_owned(), times, says, met })
    };
    let rungs: Vec<Rung> = verdicts.iter().filter_map(rung).collect();
    let title = "The goals: how many times better than asked for";
    Picture { file: "goals.svg".to_owned(), title: title.to_owned(), svg: svg::ladder(title, &rungs) }
}
