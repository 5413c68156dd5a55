//! Charts as SVG: one file, no script, no font of its own, legible in light and dark.
//! <https://www.w3.org/TR/SVG2/>
//!
//! The picture paints its own ground, so that a viewer who ignores `prefers-color-scheme` still reads it. Series differ
//! by colour and by the shape of their marks; the colours are told apart by colour-blind readers, too (Okabe and Ito).

use std::fmt::Write as _;

use super::chart::{Chart, Form, Series};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 380.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 24.0;
const BOTTOM: f64 = 60.0;
/// About the width of a character, for the legend's places.
const CHARACTER: f64 = 7.2;
const LEGEND_LINE: f64 = 20.0;
/// A line of more points than this is drawn without marks.
const MARKED: usize = 40;
/// Of one series in the style below.
const COLOURS: usize = 6;

const STYLE: &str = "svg{font:13px system-ui,sans-serif}\
text{fill:#1f2328}.ground{fill:#fff}.title{font-size:15px;font-weight:600}.quiet{fill:#59636e}\
.grid{stroke:#d1d9e0}.axis{stroke:#59636e}.tie{stroke:#59636e;stroke-dasharray:2 3}.goal{stroke:#1f2328;stroke-width:1.5}\
.line{fill:none!important;stroke-width:2}.met{fill:#0072b2}.missed{fill:#d55e00}\
.s0{fill:#0072b2;stroke:#0072b2}.s1{fill:#d55e00;stroke:#d55e00}.s2{fill:#009e73;stroke:#009e73}\
.s3{fill:#b5548c;stroke:#b5548c}.s4{fill:#8a6d00;stroke:#8a6d00}.s5{fill:#56708a;stroke:#56708a}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.ground{fill:#0d1117}.quiet{fill:#9198a1}\
.grid{stroke:#3d444d}.axis{stroke:#9198a1}.tie{stroke:#9198a1}.goal{stroke:#e6edf3}.met{fill:#56b4e9}.missed{fill:#e69f00}\
.s0{fill:#56b4e9;stroke:#56b4e9}.s1{fill:#e69f00;stroke:#e69f00}.s2{fill:#2fc79a;stroke:#2fc79a}\
.s3{fill:#e08cbb;stroke:#e08cbb}.s4{fill:#e5d55a;stroke:#e5d55a}.s5{fill:#a3b8cc;stroke:#a3b8cc}}";

/// The whole file.
pub(super) fn draw(chart: &Chart) -> String {
    let legend = legend(&chart.series);
    let top = 44.0 + legend.height;
    let height = HEIGHT + legend.height;
    let (width, depth) = (WIDTH - LEFT - RIGHT, height - top - BOTTOM);
    let x = |value: f64| LEFT + width * chart.x.place(value);
    let y = |value: f64| top + depth * (1.0 - chart.y.place(value));

    let mut svg = open(WIDTH, height, &chart.title);
    svg.push_str(&legend.svg);
    for (value, name) in &chart.y.ticks {
        let at = y(*value);
        let _ = writeln!(svg, r#"<path class="grid" d="M{LEFT:.1} {at:.1}h{width:.1}"/>"#);
        text(&mut svg, LEFT - 8.0, at + 4.5, "quiet", "end", name);
    }
    for (value, name) in &chart.x.ticks {
        text(&mut svg, x(*value), top + depth + 20.0, "quiet", "middle", name);
    }
    let _ = writeln!(svg, r#"<path class="axis" d="M{LEFT:.1} {:.1}h{width:.1}"/>"#, top + depth);
    text(&mut svg, LEFT + width / 2.0, height - 14.0, "quiet", "middle", &chart.x.label);
    let (label, middle) = (escape(&chart.y.label), top + depth / 2.0);
    let _ = writeln!(
        svg,
        r#"<text class="quiet" text-anchor="middle" transform="translate(18 {middle:.1})rotate(-90)">{label}</text>"#
    );
    if chart.form == Form::Pairs {
        ties(&mut svg, chart, x, y);
    }
    for (number, series) in chart.series.iter().enumerate() {
        let points: Vec<(f64, f64)> = series
            .points
            .iter()
            .filter(|point| point.1.is_finite())
            .map(|point| (x(point.0), y(point.1)))
            .collect();
        let class = number % COLOURS;
        if chart.form == Form::Lines && points.len() > 1 {
            let mut path = String::new();
            for (index, (x, y)) in points.iter().enumerate() {
                let _ = write!(path, "{}{x:.1} {y:.1}", if index == 0 { 'M' } else { 'L' });
            }
            let _ = writeln!(svg, r#"<path class="line s{class}" d="{path}"/>"#);
        }
        if chart.form == Form::Pairs || points.len() <= MARKED {
            for (x, y) in points {
                mark(&mut svg, number, x, y);
            }
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// One line of a ladder: a name, and how many times better than asked for a figure is.
#[derive(Debug, Clone)]
pub(super) struct Rung {
    pub(super) name: String,
    pub(super) times: f64,
    /// What stands behind the bar.
    pub(super) says: String,
    pub(super) met: bool,
}

/// Bars from the goal outwards: to the right what is better than asked for, to the left what is worse.
pub(super) fn ladder(title: &str, rungs: &[Rung]) -> String {
    const NAMES: f64 = 280.0;
    /// Room for what stands behind a bar, on either side.
    const SAYS: f64 = 80.0;
    const RUNG: f64 = 26.0;
    /// Bars end here, so that one does not make all others invisible.
    const FURTHEST: f64 = 8.0;
    let height = rungs.iter().fold(84.0, |height, _| height + RUNG);
    let mut svg = open(WIDTH, height, title);
    let (from, width) = (NAMES + SAYS, WIDTH - NAMES - 2.0 * SAYS);
    let furthest =
        rungs.iter().map(|rung| rung.times.max(1.0 / rung.times)).fold(2.0, f64::max).min(FURTHEST);
    let place = |times: f64| {
        let along = times.clamp(1.0 / furthest, furthest).ln() / furthest.ln();
        from + width * (along + 1.0) / 2.0
    };
    let goal = place(1.0);
    let mut y = 52.0;
    for rung in rungs {
        let (begin, end) = (goal.min(place(rung.times)), goal.max(place(rung.times)));
        let class = if rung.met { "met" } else { "missed" };
        text(&mut svg, NAMES, y + 13.0, "", "end", &rung.name);
        let _ = writeln!(
            svg,
            r#"<rect class="{class}" x="{begin:.1}" y="{y:.1}" width="{:.1}" height="16" rx="2"/>"#,
            (end - begin).max(1.5)
        );
        let (at, anchor) = if rung.times < 1.0 { (begin - 6.0, "end") } else { (end + 6.0, "start") };
        text(&mut svg, at, y + 13.0, "quiet", anchor, &rung.says);
        y += RUNG;
    }
    let _ = writeln!(svg, r#"<path class="goal" d="M{goal:.1} 44V{:.1}"/>"#, y - 4.0);
    text(&mut svg, goal, y + 14.0, "quiet", "middle", "← short of the goal · better than the goal →");
    svg.push_str("</svg>\n");
    svg
}

fn open(width: f64, height: f64, title: &str) -> String {
    let title = escape(title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" role=\"img\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
         <rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n<text class=\"title\" x=\"16\" y=\"26\">{title}</text>\n"
    )
}

struct Legend {
    svg: String,
    height: f64,
}

/// In as many lines as the names need.
fn legend(series: &[Series]) -> Legend {
    let mut svg = String::new();
    let (mut x, mut y) = (22.0, 48.0);
    for (number, series) in series.iter().enumerate() {
        let width = series.name.chars().fold(36.0, |width, _| width + CHARACTER);
        if number > 0 && x + width > WIDTH - RIGHT {
            (x, y) = (22.0, y + LEGEND_LINE);
        }
        mark(&mut svg, number, x, y - 4.5);
        text(&mut svg, x + 12.0, y, "", "start", &series.name);
        x += width;
    }
    Legend { svg, height: y - 48.0 + LEGEND_LINE }
}

/// Lines between the points of all series that stand at one place.
fn ties(svg: &mut String, chart: &Chart, x: impl Fn(f64) -> f64, y: impl Fn(f64) -> f64) {
    for (place, _) in &chart.x.ticks {
        let here = chart.series.iter().flat_map(|series| &series.points);
        let heights: Vec<f64> =
            here.filter(|point| (point.0 - place).abs() < f64::EPSILON).map(|point| y(point.1)).collect();
        if heights.len() > 1 {
            let (top, bottom) = heights
                .iter()
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(top, bottom), &at| (top.min(at), bottom.max(at)));
            let _ = writeln!(svg, r#"<path class="tie" d="M{:.1} {top:.1}V{bottom:.1}"/>"#, x(*place));
        }
    }
}

/// A circle, a square, a diamond or a triangle, in turn.
fn mark(svg: &mut String, number: usize, x: f64, y: f64) {
    let class = number % COLOURS;
    let _ = match number % 4 {
        0 => writeln!(svg, r#"<circle class="s{class}" cx="{x:.1}" cy="{y:.1}" r="4"/>"#),
        1 => {
            let (x, y) = (x - 3.5, y - 3.5);
            writeln!(svg, r#"<rect class="s{class}" x="{x:.1}" y="{y:.1}" width="7" height="7"/>"#)
        }
        2 => writeln!(svg, r#"<path class="s{class}" d="M{x:.1} {:.1}l5 5l-5 5l-5-5z"/>"#, y - 5.0),
        _ => writeln!(svg, r#"<path class="s{class}" d="M{x:.1} {:.1}l5 9h-10z"/>"#, y - 5.0),
    };
}

fn text(svg: &mut String, x: f64, y: f64, class: &str, anchor: &str, says: &str) {
    let says = escape(says);
    let _ =
        writeln!(svg, r#"<text class="{class}" x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{says}</text>"#);
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs() -> Chart {
        let sides =
            vec![("us & them".to_owned(), vec![300.0, 100.0]), ("<peer>".to_owned(), vec![200.0, 400.0])];
        Chart::pairs("A < B", "deliveries/s", sides)
    }

    #[test]
    fn text_is_escaped_and_every_label_is_there() {
        let svg = draw(&pairs());
        for part in ["A &lt; B", "us &amp; them", "&lt;peer&gt;", ">deliveries/s<", ">pair<", ">400<"] {
            assert!(svg.contains(part), "{part} is not in {svg}");
        }
        assert!(!svg.contains("<peer>"));
    }

    #[test]
    fn a_larger_value_stands_higher() {
        let svg = draw(&pairs());
        let heights: Vec<f64> = svg
            .lines()
            .filter_map(|line| line.split_once(r#"class="s0" cx="#))
            .filter_map(|(_, rest)| rest.split('"').nth(3)?.parse().ok())
            .collect();
        let [_legend, first, second] = heights[..] else {
            panic!("three circles of the first series: {svg}")
        };
        assert!(first < second, "300 is drawn at {first}, 100 at {second}");
    }

    #[test]
    fn both_sides_of_a_pair_are_tied() {
        assert_eq!(draw(&pairs()).matches(r#"class="tie""#).count(), 2);
    }

    #[test]
    fn a_value_that_is_no_number_is_not_drawn() {
        let series = vec![Series { name: "memory".to_owned(), points: vec![(0.0, 1.0), (1.0, f64::NAN)] }];
        assert!(!draw(&Chart::lines("Memory", "minutes", "MiB", series)).contains("NaN"));
    }

    #[test]
    fn a_ladder_goes_right_for_better_and_left_for_worse() {
        let rung = |times: f64| Rung { name: "x".to_owned(), times, says: "y".to_owned(), met: times >= 1.0 };
        let svg = ladder("Goals", &[rung(2.0), rung(0.5), rung(1e9)]);
        assert_eq!(svg.matches(r#"class="met""#).count(), 2);
        assert_eq!(svg.matches(r#"class="missed""#).count(), 1);
    }
}
