//! What is drawn: named points between two axes. [`super::svg`] draws it.

use super::axis::Axis;

/// How the points of a chart hang together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The points of one series are joined.
    Lines,
    /// The points at one place are joined across the series: two sides of one comparison.
    Pairs,
}

#[derive(Debug, Clone)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

/// A picture with a title, a legend and two titled axes.
#[derive(Debug, Clone)]
pub(super) struct Chart {
    pub(super) title: String,
    pub(super) form: Form,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) series: Vec<Series>,
}

impl Chart {
    /// Points over a numeric axis, such as time. Latencies that differ much are told apart by their tenfolds; of counts
    /// and sizes the height is what one looks at.
    pub(super) fn lines(title: &str, x_label: &str, y_label: &str, series: Vec<Series>) -> Chart {
        let heights = values(&series, |point| point.1);
        let x = Axis::linear(x_label, &values(&series, |point| point.0), false);
        let y = match y_label {
            "ms" | "milliseconds" => Axis::fitting(y_label, &heights),
            _ => Axis::linear(y_label, &heights, true),
        };
        Chart { title: title.to_owned(), form: Form::Lines, x, y, series }
    }

    /// Both sides of a comparison, turn by turn.
    pub(super) fn pairs(title: &str, y_label: &str, sides: Vec<(String, Vec<f64>)>) -> Chart {
        let turns = sides.iter().map(|(_, values)| values.len()).max().unwrap_or_default();
        let series: Vec<Series> =
            sides.into_iter().map(|(name, values)| Series { name, points: numbered(&values) }).collect();
        let x = Axis::named("pair", (1..=turns).map(|turn| turn.to_string()));
        let y = Axis::linear(y_label, &values(&series, |point| point.1), true);
        Chart { title: title.to_owned(), form: Form::Pairs, x, y, series }
    }

    /// Latencies at the percentiles that are named, from the middle to the worst.
    pub(super) fn percentiles(title: &str, percentiles: &[&str], curves: Vec<(String, Vec<f64>)>) -> Chart {
        let series: Vec<Series> =
            curves.into_iter().map(|(name, values)| Series { name, points: numbered(&values) }).collect();
        let x = Axis::named("percentile", percentiles.iter().map(|&name| name.to_owned()));
        let y = Axis::fitting("milliseconds", &values(&series, |point| point.1));
        Chart { title: title.to_owned(), form: Form::Lines, x, y, series }
    }

    /// One value of each series at each named place.
    pub(super) fn over_names(title: &str, x: Axis, y_label: &str, series: Vec<Series>) -> Chart {
        let y = Axis::linear(y_label, &values(&series, |point| point.1), true);
        Chart { title: title.to_owned(), form: Form::Lines, x, y, series }
    }
}

/// Values at 0, 1, 2 …
pub(super) fn numbered(values: &[f64]) -> Vec<(f64, f64)> {
    let mut place = -1.0;
    let number = |&value: &f64| {
        place += 1.0;
        (place, value)
    };
    values.iter().map(number).collect()
}

fn values(series: &[Series], coordinate: impl Fn(&(f64, f64)) -> f64) -> Vec<f64> {
    series.iter().flat_map(|series| series.points.iter().map(&coordinate)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_latencies_get_tenfolds() {
        let ticks = |y_label| {
            let series = vec![Series { name: "x".to_owned(), points: vec![(0.0, 1.0), (1.0, 1_000.0)] }];
            Chart::lines("x", "s", y_label, series)
                .y
                .ticks
                .into_iter()
                .map(|(tick, _)| tick)
                .collect::<Vec<_>>()
        };
        assert_eq!(ticks("ms"), [1.0, 10.0, 100.0, 1_000.0]);
        assert_eq!(ticks("clients"), [0.0, 200.0, 400.0, 600.0, 800.0, 1_000.0]);
    }
}
