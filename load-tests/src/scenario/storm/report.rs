//! What the storms did, as tables, figures and curves.

use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::client::Failed;
use super::others::{Asked, Kind as Asking};
use super::posts::Posted;
use super::{Kind, Options, Storm};
use crate::footprint::Footprint;
use crate::report::{Machine, Plot, Report, Series, Table};
use crate::statistics::{Latencies, Summary};
use crate::usage::Usage;

/// All clients must be live again within this of when the last may come back.
const GOAL: Duration = Duration::from_secs(5);
/// Others' requests must take less at their 99th percentile.
const OTHERS_GOAL: Duration = Duration::from_millis(250);

/// All that was measured.
pub(super) struct Found {
    pub(super) begun: Instant,
    pub(super) storms: Vec<Storm>,
    pub(super) calms: Vec<Range<Instant>>,
    pub(super) asked: Vec<Asked>,
    pub(super) posted: Posted,
    pub(super) memory: [(&'static str, Footprint); 3],
    pub(super) plots: Vec<Plot>,
    pub(super) machine: Machine,
}

pub(super) fn report(options: &Options, found: Found) -> Result<Report> {
    let Found { begun, storms, calms, asked, posted, memory, plots, machine } = found;
    let mut back = Table::new(
        format!("{} clients come back, in seconds", options.clients),
        ["", "tries from–to", "failed", "to hello p50", "p99", "to live p50", "p99", "max", "all live"],
    );
    let mut requests = Table::new(
        "Requests of others, from when they were due",
        ["", "", "count", "unanswered", "p50", "p99", "max"],
    );
    let mut costs =
        Table::new("CPU of a storm, cores kept busy", ["", "for", "server", "Postgres", "load generator"]);
    let calm = Others::of(&asked, &calms);
    requests = requests.rows(calm.rows("calm"));
    let (mut figures, mut usage) = (Map::new(), Usage::default());
    for storm in &storms {
        let returned = Returned::of(storm);
        let window = storm.ready.unwrap_or(storm.cut)..storm.live;
        let others = Others::of(&asked, std::slice::from_ref(&window));
        let outage = storm.ready.map(|ready| Others::of(&asked, &[storm.cut..ready]));
        back = back.row(returned.row(storm.kind));
        requests = requests.rows(others.rows(storm.kind.title()));
        costs = costs.row(cost(storm));
        usage.add(&storm.usage);
        figures.insert(name(storm.kind)?, figure(storm, &returned, &others, outage.as_ref()));
    }
    figures.insert("calm".to_owned(), calm.figure());
    let read = json!({"messages": posted.last + 1, "posted_again": posted.again, "missed": 0, "repeated": 0});
    figures.insert("read".to_owned(), read);
    figures.insert("memory".to_owned(), memory.iter().map(|(when, size)| json!([when, size])).collect());
    let mut curves = vec![live(&storms), slowest(&asked, begun)];
    curves.extend(plots);
    let mut notes = machine.doubts(&usage);
    notes.push(format!(
        "\"all live\" counts from when the last client may come back: at its first try, or after a kill at its first \
         try with the server ready again; the goal is {} s",
        GOAL.as_secs()
    ));
    notes.push(format!("the goal for others' requests is a p99 under {} ms", OTHERS_GOAL.as_millis()));
    notes.push(format!(
        "every client read all {} messages once and in order; {} posts were sent again",
        posted.last + 1,
        posted.again
    ));
    if storms.len() < options.storms.len() {
        notes.push("a server at --url is not killed".to_owned());
    }
    Ok(Report {
        scenario: "storm",
        machine,
        settings: serde_json::to_value(options)?,
        figures: Value::Object(figures),
        tables: vec![back, requests, costs, Footprint::table(memory)],
        plots: curves,
        notes,
    })
}

/// How the clients of one storm came back.
struct Returned {
    tries: Range<Duration>,
    hello: Latencies,
    live: Latencies,
    failed: Failed,
    /// From when the last may come back to when the last was live.
    after_last: Duration,
    /// The longest that one client took from when it could come back.
    longest: Duration,
}

impl Returned {
    fn of(storm: &Storm) -> Returned {
        let mut returned = Returned {
            tries: Duration::MAX..Duration::ZERO,
            hello: Latencies::new(),
            live: Latencies::new(),
            failed: Failed::default(),
            after_last: Duration::ZERO,
            longest: Duration::ZERO,
        };
        let mut last = storm.cut;
        for back in &storm.backs {
            let first = back.tries.first().copied().unwrap_or(back.hello);
            let since = first.saturating_duration_since(storm.cut);
            returned.tries = returned.tries.start.min(since)..returned.tries.end.max(since);
            returned.hello.record(back.hello - first);
            returned.live.record(back.live - first);
            returned.failed.add(&back.failed);
            let could = back.could(storm.ready);
            returned.longest = returned.longest.max(back.live - could);
            last = last.max(could);
        }
        returned.after_last = storm.live.saturating_duration_since(last);
        returned
    }

    fn row(&self, kind: Kind) -> Vec<String> {
        let seconds = |duration: Duration| format!("{:.2}", duration.as_secs_f64());
        let (hello, live) = (self.hello.summary(), self.live.summary());
        let mut row = vec![kind.title().to_owned()];
        row.push(format!("{}–{}", seconds(self.tries.start), seconds(self.tries.end)));
        row.push(self.failed.sum().to_string());
        let times = [hello.p50_ms, hello.p99_ms, live.p50_ms, live.p99_ms, live.max_ms];
        row.extend(times.map(|time| format!("{:.2}", time / 1_000.0)));
        row.push(seconds(self.after_last));
        row
    }
}

/// Others' requests that were due at some time.
struct Others {
    pages: Latencies,
    posts: Latencies,
    all: Latencies,
    unanswered: [u64; 2],
}

impl Others {
    fn of(asked: &[Asked], windows: &[Range<Instant>]) -> Others {
        let (pages, posts, all) = (Latencies::new(), Latencies::new(), Latencies::new());
        let mut others = Others { pages, posts, all, unanswered: [0; 2] };
        for asked in asked.iter().filter(|asked| windows.iter().any(|window| window.contains(&asked.due))) {
            let (latencies, unanswered) = match asked.kind {
                Asking::Page => (&mut others.pages, &mut others.unanswered[0]),
                Asking::Post => (&mut others.posts, &mut others.unanswered[1]),
            };
            // One that was given up counts as long as it was waited for.
            latencies.record(asked.took);
            others.all.record(asked.took);
            *unanswered += u64::from(!asked.answered);
        }
        others
    }

    fn rows(&self, when: &str) -> Vec<Vec<String>> {
        let row = |name: &str, kind: &str, latencies: &Latencies, unanswered: u64| {
            let Summary { count, p50_ms, p99_ms, max_ms, .. } = latencies.summary();
            let mut row = vec![name.to_owned(), kind.to_owned(), count.to_string(), unanswered.to_string()];
            row.extend([p50_ms, p99_ms, max_ms].map(|time| format!("{time:.2} ms")));
            row
        };
        let [pages, posts] = self.unanswered;
        vec![row(when, "pages", &self.pages, pages), row("", "posts", &self.posts, posts)]
    }

    fn figure(&self) -> Value {
        let [pages, posts] = self.unanswered;
        json!({
            "pages": self.pages.summary(), "posts": self.posts.summary(), "all": self.all.summary(),
            "unanswered_pages": pages, "unanswered_posts": posts,
        })
    }
}

/// The storm's name in the figures, as in the options.
fn name(kind: Kind) -> Result<String> {
    Ok(serde_json::to_value(kind)?.as_str().unwrap_or_default().to_owned())
}

fn figure(storm: &Storm, returned: &Returned, others: &Others, outage: Option<&Others>) -> Value {
    json!({
        "clients": storm.backs.len(),
        "first_try_seconds": [returned.tries.start.as_secs_f64(), returned.tries.end.as_secs_f64()],
        "failed": returned.failed, "to_hello": returned.hello.summary(), "to_live": returned.live.summary(),
        "live_after_last_seconds": returned.after_last.as_secs_f64(),
        "longest_seconds": returned.longest.as_secs_f64(),
        "ready_seconds": storm.ready.map(|ready| (ready - storm.cut).as_secs_f64()),
        "seconds": (storm.live - storm.cut).as_secs_f64(),
        "live_in_time": returned.after_last <= GOAL,
        "others": others.figure(),
        "others_in_time": others.all.summary().p99_ms < OTHERS_GOAL.as_secs_f64() * 1_000.0,
        "others_during_outage": outage.map(Others::figure),
        "usage": storm.usage,
    })
}

fn cost(storm: &Storm) -> Vec<String> {
    let Usage { wall_seconds, server_seconds, postgres_seconds, load_seconds, .. } = storm.usage;
    let cores = |seconds: Option<f64>| {
        seconds.map(|seconds| format!("{:.2}", seconds / wall_seconds.max(1e-9))).unwrap_or_default()
    };
    let mut row = vec![storm.kind.title().to_owned(), format!("{wall_seconds:.1} s")];
    row.extend([server_seconds, postgres_seconds, load_seconds].map(cores));
    row
}

/// How many clients were live again by when.
fn live(storms: &[Storm]) -> Plot {
    let series = storms.iter().map(|storm| {
        let at = storm.backs.iter().map(|back| (back.live - storm.cut).as_secs_f64()).collect();
        Series::counted(storm.kind.title(), at)
    });
    Plot {
        title: "Clients that are live again".to_owned(),
        x_label: "s from the cut".to_owned(),
        y_label: "clients".to_owned(),
        series: series.collect(),
    }
}

/// The slowest of others' requests in each second of the run.
#[expect(clippy::cast_precision_loss, reason = "seconds are few")]
fn slowest(asked: &[Asked], begun: Instant) -> Plot {
    let series = [("pages", Asking::Page), ("posts", Asking::Post)].map(|(name, kind)| {
        let mut points: Vec<(f64, f64)> = Vec::new();
        for asked in asked.iter().filter(|asked| asked.kind == kind) {
            let second = asked.due.saturating_duration_since(begun).as_secs() as f64;
            let took = asked.took.as_secs_f64() * 1_000.0;
            match points.last_mut() {
                Some(last) if last.0 == second => last.1 = last.1.max(took),
                _ => points.push((second, took)),
            }
        }
        Series { name: name.to_owned(), points }
    });
    Plot {
        title: "The slowest of others' requests in each second".to_owned(),
        x_label: "s".to_owned(),
        y_label: "ms".to_owned(),
        series: series.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::client::Back;
    use super::*;

    fn storm(start: Instant, ready: Option<u64>, tries: &[(u64, u64)]) -> Storm {
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let back = |&(tried, live): &(u64, u64)| Back {
            tries: vec![at(tried)],
            hello: at(live - 10),
            live: at(live),
            failed: Failed::default(),
        };
        let live = tries.iter().map(|&(_, live)| live).max().unwrap();
        Storm {
            kind: Kind::Sdk,
            cut: start,
            ready: ready.map(at),
            live: at(live),
            backs: tries.iter().map(back).collect(),
            usage: Usage::default(),
        }
    }

    #[test]
    fn the_last_one_live_counts_from_when_the_last_one_may_come_back() {
        let start = Instant::now();
        // The first client is the slowest; it had been at it for as long as the others were away.
        let returned = Returned::of(&storm(start, None, &[(1_000, 4_000), (2_000, 2_100), (1_500, 1_600)]));
        assert_eq!(returned.after_last, Duration::from_millis(2_000));
        assert_eq!(returned.longest, Duration::from_millis(3_000));
        assert_eq!(returned.tries, Duration::from_millis(1_000)..Duration::from_millis(2_000));
    }

    #[test]
    fn after_a_kill_nobody_may_come_back_before_the_server_is_ready() {
        let returned = Returned::of(&storm(Instant::now(), Some(3_000), &[(1_000, 3_500), (2_000, 3_200)]));
        assert_eq!(returned.after_last, Duration::from_millis(500));
        assert_eq!(returned.longest, Duration::from_millis(500));
    }

    #[test]
    fn requests_count_by_when_they_were_due() {
        let start = Instant::now();
        let asked = |second: u64, took: u64, answered| Asked {
            kind: Asking::Page,
            due: start + Duration::from_secs(second),
            took: Duration::from_millis(took),
            answered,
        };
        let all = [asked(1, 5, true), asked(2, 700, true), asked(3, 15_000, false), asked(9, 9, true)];
        let window = start + Duration::from_secs(2)..start + Duration::from_secs(4);
        let others = Others::of(&all, &[window]);
        assert_eq!((others.pages.summary().count, others.unanswered), (2, [1, 0]));
        let curve = slowest(&all, start);
        assert_eq!(curve.series[0].points, [(1.0, 5.0), (2.0, 700.0), (3.0, 15_000.0), (9.0, 9.0)]);
    }
}
