//! The figures of all pairs, side by side.

use anyhow::Result;
use serde_json::{Value, json};

use super::side::{Side, Turn};
use super::tally::Faults;
use super::{Options, Pair, Rate, Transport};
use crate::footprint::Footprint;
use crate::report::{Machine, Report, Table};
use crate::statistics::{Latencies, Summary, median};
use crate::usage::Usage;

/// One figure of a turn.
struct Measure {
    key: &'static str,
    name: &'static str,
    digits: usize,
    of: fn(&Turn) -> f64,
}

const MEASURES: [Measure; 6] = [
    Measure {
        key: "deliveries_per_second",
        name: "deliveries/s",
        digits: 0,
        of: |turn| turn.deliveries_per_second,
    },
    Measure { key: "cpu_us_per_delivery", name: "CPU µs", digits: 2, of: Turn::cpu },
    Measure { key: "p50_ms", name: "p50 ms", digits: 2, of: |turn| turn.each.summary().p50_ms },
    Measure { key: "p99_ms", name: "p99 ms", digits: 2, of: |turn| turn.each.summary().p99_ms },
    Measure { key: "p999_ms", name: "p99.9 ms", digits: 2, of: |turn| turn.each.summary().p999_ms },
    Measure { key: "last_p99_ms", name: "last p99 ms", digits: 2, of: |turn| turn.last.summary().p99_ms },
];

impl Measure {
    /// Of the product, of the peer, and the ratio of the two, for each pair.
    fn all(&self, pairs: &[Pair]) -> [Vec<f64>; 3] {
        let product: Vec<f64> = pairs.iter().map(|pair| (self.of)(&pair.product)).collect();
        let peer: Vec<f64> = pairs.iter().filter_map(|pair| pair.peer.as_ref()).map(self.of).collect();
        let ratios = product.iter().zip(&peer).map(|(product, peer)| product / peer).collect();
        [product, peer, ratios]
    }

    fn json(&self, pairs: &[Pair]) -> Value {
        let [product, peer, ratios] = self.all(pairs);
        json!({
            "product": median(&product), "peer": median(&peer), "ratio": median(&ratios),
            "products": product, "peers": peer, "ratios": ratios,
        })
    }

    /// A row for each pair, and one of medians.
    fn table(&self, pairs: &[Pair]) -> Table {
        let all = self.all(pairs);
        let cell = |value: Option<f64>, digits: usize| {
            value.map(|value| format!("{value:.digits$}")).unwrap_or_default()
        };
        let row = |name: String, [product, peer, ratio]: [Option<f64>; 3]| {
            vec![name, cell(product, self.digits), cell(peer, self.digits), cell(ratio, 3)]
        };
        let rows = (0..pairs.len())
            .map(|n| row((n + 1).to_string(), all.each_ref().map(|values| values.get(n).copied())));
        Table::new(format!("{}, pair by pair", self.name), ["pair", "product", "nchan", "ratio"])
            .rows(rows.collect::<Vec<_>>())
            .row(row("median".to_owned(), all.each_ref().map(|values| median(values))))
    }
}

/// All turns of one side together.
struct Total {
    each: Latencies,
    last: Latencies,
    answered: Latencies,
    late: Latencies,
    usage: Usage,
    posts: u64,
    deliveries: u64,
    faults: Faults,
}

impl Total {
    fn of<'a>(turns: impl Iterator<Item = &'a Turn>) -> Result<Total> {
        let [each, last, answered, late] = std::array::from_fn(|_| Latencies::new());
        let (usage, faults) = (Usage::default(), Faults::default());
        let mut total = Total { each, last, answered, late, usage, posts: 0, deliveries: 0, faults };
        for turn in turns {
            total.each.merge(&turn.each)?;
            total.last.merge(&turn.last)?;
            total.answered.merge(&turn.answered)?;
            total.late.merge(&turn.late)?;
            total.usage.add(&turn.usage);
            total.posts += turn.posts;
            total.deliveries += turn.deliveries;
            total.faults.add(turn.faults);
        }
        Ok(total)
    }

    fn rows(&self, side: &str) -> Vec<Vec<String>> {
        let named =
            |what: &str, summary: &Summary| [vec![format!("{side}: {what}")], summary.cells()].concat();
        vec![
            named("to each subscriber", &self.each.summary()),
            named("to the last subscriber", &self.last.summary()),
            named("to the answer", &self.answered.summary()),
            named("to the sending", &self.late.summary()),
        ]
    }

    fn json(&self) -> Value {
        json!({
            "delivery": self.each.summary(), "last_delivery": self.last.summary(), "answer": self.answered.summary(),
            "send_delay": self.late.summary(), "usage": self.usage, "posts": self.posts,
            "deliveries": self.deliveries, "faults": self.faults,
        })
    }
}

/// The server's own memory, without its database, for each subscriber of the second half while all are idle: what the
/// start and the first of all kinds took is not in it.
#[expect(clippy::cast_precision_loss, reason = "a rounded figure for people")]
fn memory(side: &Side, subscribers: u16) -> Option<f64> {
    let pss = |footprint: &Footprint| Some(footprint.server?.pss_bytes as f64);
    let half = f64::from(subscribers - subscribers / 2);
    Some((pss(&side.full)? - pss(&side.half)?) / half)
}

pub(super) fn report(
    machine: Machine,
    options: &Options,
    frame: [Option<usize>; 2],
    product: &Side,
    peer: Option<&Side>,
    pairs: &[Pair],
) -> Result<Report> {
    let ours = Total::of(pairs.iter().map(|pair| &pair.product))?;
    let peers = match peer {
        Some(_) => Some(Total::of(pairs.iter().filter_map(|pair| pair.peer.as_ref()))?),
        None => None,
    };
    let memories =
        [memory(product, options.subscribers), peer.and_then(|peer| memory(peer, options.subscribers))];

    let mut tables: Vec<Table> = MEASURES.iter().map(|measure| measure.table(pairs)).collect();
    let mut latencies = Table::new("From when a post was due", [""].into_iter().chain(Summary::COLUMNS))
        .rows(ours.rows("product"));
    let mut cpu = vec![
        Table::new("CPU of the product", ["", "CPU", "cores", "a delivery"])
            .rows(ours.usage.rows(ours.deliveries)),
    ];
    if let Some(peers) = &peers {
        latencies = latencies.rows(peers.rows("nchan"));
        let table = Table::new("CPU of nchan", ["", "CPU", "cores", "a delivery"]);
        cpu.push(table.rows(peers.usage.rows(peers.deliveries)));
    }
    tables.push(latencies);
    tables.append(&mut cpu);
    let row = |name: &str, n: usize| {
        let memory = memories[n].map(|each| format!("{each:.0} B")).unwrap_or_default();
        vec![name.to_owned(), memory, frame[n].map(|bytes| format!("{bytes} B")).unwrap_or_default()]
    };
    let mut sizes =
        Table::new("Sizes", ["", "memory of an idle subscriber", "a frame"]).row(row("product", 0));
    if peer.is_some() {
        sizes = sizes.row(row("nchan", 1));
    }
    tables.push(sizes);

    let publishers = [Some(options.publishers), peer.map(|_| options.peer_publishers())];
    let measures: serde_json::Map<String, Value> =
        MEASURES.iter().map(|measure| (measure.key.to_owned(), measure.json(pairs))).collect();
    Ok(Report {
        scenario: "fanout",
        notes: notes(&machine, options, &ours, peers.as_ref(), peer.and_then(|peer| peer.system.version())),
        machine,
        settings: serde_json::to_value(options)?,
        plots: Vec::new(),
        figures: json!({
            "pairs": measures, "publishers": publishers, "product": ours.json(), "peer": peers.as_ref().map(Total::json),
            "memory_per_subscriber": {
                "product": memories[0], "peer": memories[1],
                "ratio": memories[0].zip(memories[1]).map(|(product, peer)| product / peer),
            },
            "frame_bytes": {"product": frame[0], "peer": frame[1]},
        }),
        tables,
    })
}

fn notes(
    machine: &Machine,
    options: &Options,
    ours: &Total,
    peers: Option<&Total>,
    version: Option<&str>,
) -> Vec<String> {
    let mut usage = ours.usage.clone();
    if let Some(peers) = peers {
        usage.add(&peers.usage);
    }
    let mut notes = machine.doubts(&usage);
    if peers.is_some() {
        notes.push(format!("{} publishers, {} at nchan", options.publishers, options.peer_publishers()));
    }
    let of = match options.transport {
        Transport::Sse => "streams",
        Transport::LongPoll => "polling connections",
    };
    notes.push(format!(
        "the {of} of both sides were open at the same time and kept over all turns; CPU is that of a whole turn, with \
         what the side still did after it, by its deliveries"
    ));
    if options.rate == Rate::Max {
        notes.push(format!(
            "publishers waited while subscribers were {} posts behind on average; latencies are those of a saturated \
             side, from the sending of a post",
            options.ahead
        ));
    }
    notes
        .extend(version.map(|version| format!("nchan ran in {version}, set by load-tests/peers/nchan.conf")));
    let busy =
        |total: &Total| total.usage.load_seconds.unwrap_or_default() / total.usage.wall_seconds.max(1e-9);
    for (side, total) in [("product", Some(ours)), ("nchan", peers)] {
        if let Some(cores) = total.map(busy).filter(|&cores| cores > 0.9) {
            notes.push(format!(
                "{side}: the load generator kept {cores:.2} cores busy and may be what was measured"
            ));
        }
    }
    if let Some(Total { faults, .. }) = peers.filter(|total| total.faults != Faults::default()) {
        notes.push(format!(
            "nchan missed {} deliveries, made {} twice, and subscribers saw {} other orders",
            faults.missed, faults.strays, faults.other_orders
        ));
    }
    notes
}
