//! What a bench runs, in this order, and what a reader is told of it.

use std::time::Duration;

/// Two sides of a comparison, drawn turn by turn.
#[derive(Debug)]
pub(super) struct Comparison {
    pub(super) title: &'static str,
    pub(super) unit: &'static str,
    /// Name and pointer of each side (see [`super::figure::pick`]).
    pub(super) sides: &'static [(&'static str, &'static str)],
}

/// One scenario with its arguments.
#[derive(Debug)]
pub(super) struct Run {
    /// Of its folder, its pictures, and for `--only`.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    /// What is measured, how, and what it means.
    pub(super) about: &'static str,
    /// Of this program, the scenario first.
    arguments: &'static str,
    /// The same in short: it shows that all works, not how fast it is.
    quick: &'static str,
    /// About how long both take on two quiet cores.
    seconds: [u32; 2],
    pub(super) comparisons: &'static [Comparison],
    /// Curves of latency: name, and pointer to an object with `p50_ms` and its like.
    pub(super) latencies: &'static [(&'static str, &'static str)],
}

/// Which form of the runs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Form {
    pub(super) quick: bool,
    /// Of a run that lasts for minutes, instead of its own.
    pub(super) minutes: Option<f64>,
}

impl Run {
    pub(super) fn scenario(&self) -> &'static str {
        self.arguments.split(' ').next().unwrap_or_default()
    }

    pub(super) fn arguments(&self, form: Form) -> Vec<String> {
        let line = if form.quick { self.quick } else { self.arguments };
        let mut arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
        if let Some((place, minutes)) = self.place_of_minutes(&arguments).zip(form.minutes) {
            arguments[place] = minutes.to_string();
        }
        arguments
    }

    /// About how long it takes on two quiet cores.
    pub(super) fn expected(&self, form: Form) -> Duration {
        let usual = Duration::from_secs(self.seconds[usize::from(form.quick)].into());
        let arguments = self.arguments(Form { minutes: None, ..form });
        let place = self.place_of_minutes(&arguments);
        let usually: Option<f64> = place.and_then(|place| arguments[place].parse().ok());
        let more = form.minutes.zip(usually).map(|(minutes, usually)| (minutes - usually).max(0.0) * 60.0);
        usual + Duration::from_secs_f64(more.unwrap_or_default())
    }

    /// Where the arguments say how many minutes it lasts, if it lasts for minutes.
    fn place_of_minutes(&self, arguments: &[String]) -> Option<usize> {
        arguments.iter().position(|argument| argument == "--minutes").map(|flag| flag + 1)
    }
}

const DELIVERIES: &[Comparison] = &[Comparison {
    title: "Deliveries a second",
    unit: "deliveries/s",
    sides: &[
        ("EchoVerse", "/pairs/deliveries_per_second/products"),
        ("nchan", "/pairs/deliveries_per_second/peers"),
    ],
}];

/// From when a post was due, or sent, to the last byte of its frame.
const DELIVERY: &[(&str, &str)] = &[("EchoVerse", "/product/delivery"), ("nchan", "/peer/delivery")];

pub(super) const PLAN: &[Run] = &[
    Run {
        name: "fanout-1000",
        title: "One channel, 1,000 SSE readers, as fast as it goes.",
        about: "Publishers post again as soon as they are answered, and every reader must get every message once, all in \
                one order. EchoVerse and nchan take turns, each on one core, the load generator on the other. nchan is a \
                module of nginx that hands messages on from memory. EchoVerse's posts are commands: authorised, sealed, \
                and on the disk before they are answered.",
        arguments: "fanout --subscribers 1000 --rate max",
        quick: "fanout --subscribers 200 --rate max --pairs 1 --seconds 2",
        seconds: [150, 20],
        comparisons: DELIVERIES,
        latencies: &[],
    },
    Run {
        name: "fanout-100",
        title: "The same with 100 readers.",
        about: "Fewer readers for each post: what a post costs weighs more.",
        arguments: "fanout --subscribers 100 --rate max",
        quick: "fanout --subscribers 50 --rate max --pairs 1 --seconds 2",
        seconds: [140, 20],
        comparisons: DELIVERIES,
        latencies: &[],
    },
    Run {
        name: "fanout-5000",
        title: "The same with 5,000 readers.",
        about: "Many connections: what a write to a socket costs, and whether the memory of so many stays in reach.",
        arguments: "fanout --subscribers 5000 --rate max",
        quick: "fanout --subscribers 500 --rate max --pairs 1 --seconds 2",
        seconds: [200, 25],
        comparisons: DELIVERIES,
        latencies: &[],
    },
    Run {
        name: "fanout-paced",
        title: "One channel, 1,000 SSE readers, 50 messages a second.",
        about: "Messages are due at fixed times whether or not a side keeps up. Latency counts from when a message was \
                due to the last byte of its frame, at every reader. nchan answers from memory; EchoVerse waits for the \
                disk first, so one commit is allowed on top.",
        arguments: "fanout --subscribers 1000 --rate 50",
        quick: "fanout --subscribers 200 --rate 50 --pairs 1 --seconds 2",
        seconds: [150, 20],
        comparisons: &[
            Comparison {
                title: "CPU for each delivery",
                unit: "microseconds",
                sides: &[
                    ("EchoVerse with its Postgres", "/pairs/cpu_us_per_delivery/products"),
                    ("nchan", "/pairs/cpu_us_per_delivery/peers"),
                ],
            },
            Comparison {
                title: "Latency, p99",
                unit: "milliseconds",
                sides: &[("EchoVerse", "/pairs/p99_ms/products"), ("nchan", "/pairs/p99_ms/peers")],
            },
        ],
        latencies: DELIVERY,
    },
    Run {
        name: "fanout-2000",
        title: "One channel takes 2,000 durable posts a second, 1,000 SSE readers.",
        about: "Two million deliveries are due each second, whether or not the server keeps up, and none may be lost.",
        arguments: "fanout --subscribers 1000 --rate 2000 --no-peer --pairs 3",
        quick: "fanout --subscribers 200 --rate 500 --no-peer --pairs 1 --seconds 2",
        seconds: [90, 15],
        comparisons: &[],
        latencies: DELIVERY,
    },
    Run {
        name: "many-channels",
        title: "1,000 SSE readers, each in 20 of 2,000 channels, 500 posts a second over all of them.",
        about: "Then as many deliveries again in one channel that all of them see. A server that looked at every reader \
                for every post would show in the cost of a post: CPU and context switches are told apart by the two \
                turns. Each reader must get the messages of its channels and no others.",
        arguments: "many-channels",
        quick: "many-channels --subscribers 100 --communities 10 --rate 100 --seconds 3",
        seconds: [110, 20],
        comparisons: &[],
        latencies: &[
            ("a few of many channels", "/own/delivery"),
            ("one channel that all see", "/all/delivery"),
        ],
    },
    Run {
        name: "idle",
        title: "10,000 SSE readers who only listen.",
        about: "Memory of the server for each of them, and the same for nchan afterwards. Streams are held for two \
                heartbeats, so that their buffers count. The first readers fill memory that was left over from the \
                start; the second half tells the truth.",
        arguments: "idle --readers 10000",
        quick: "idle --readers 500 --seconds 5",
        seconds: [240, 55],
        comparisons: &[],
        latencies: &[],
    },
    Run {
        name: "post",
        title: "Durable posts a second on 64 connections.",
        about: "Each connection posts again as soon as it is answered, in turn with pgbench inserting bare rows by as \
                many clients into a Postgres of the same settings. Both use the whole machine. The ratio says what \
                authorising, sealing, ordering and answering cost on top of the bare insert.",
        arguments: "post",
        quick: "post --pairs 1 --seconds 3",
        seconds: [150, 20],
        comparisons: &[Comparison {
            title: "Durable posts and bare inserts a second",
            unit: "a second",
            sides: &[("EchoVerse", "/turns/*/posts_per_second"), ("pgbench", "/peer/*/inserts_per_second")],
        }],
        latencies: &[("post to its answer", "/latency")],
    },
    Run {
        name: "resume",
        title: "1,000 clients come back at once, each having missed 1,000 events.",
        about: "Timed from the first client's connecting until the last has caught up, over both transports: with what \
                they missed still in the server's memory, and again after the server was killed, so that every event \
                comes from the log and every key from the vault. Each client checks each frame.",
        arguments: "resume",
        quick: "resume --clients 100 --events 200 --rounds 1",
        seconds: [150, 25],
        comparisons: &[],
        latencies: &[
            ("from memory, SSE", "/memory_sse/caught_up"),
            ("from memory, long-poll", "/memory_long_poll/caught_up"),
            ("from the log, SSE", "/log_sse/caught_up"),
            ("from the log, long-poll", "/log_long_poll/caught_up"),
        ],
    },
    Run {
        name: "storm",
        title: "5,000 streams are cut at the same moment and come back.",
        about: "Four storms, with calm between: the clients come back spread over ten seconds, as the SDK does, or all at \
                once; then the server is killed and started again. Others read pages and post meanwhile. A client is back \
                when a heartbeat tells it that it misses nothing, and must have seen every message once, over all storms.",
        arguments: "storm",
        quick: "storm --clients 200 --storms at-once,kill --calm 2",
        seconds: [90, 30],
        comparisons: &[],
        latencies: &[
            ("others, calm", "/calm/all"),
            ("others, spread", "/spread/others/all"),
            ("others, as the SDK", "/sdk/others/all"),
            ("others, at once", "/at_once/others/all"),
            ("others, after a kill", "/kill/others/all"),
        ],
    },
    Run {
        name: "history",
        title: "Pages of channels of 1,000, 100,000 and 1,000,000 messages.",
        about: "Pages at the newest, the middle and the oldest, the channels in turn. The time of a page must not grow \
                with the history behind it.",
        arguments: "history",
        quick: "history --sizes 1000,10000 --rounds 2 --seconds 1",
        seconds: [400, 25],
        comparisons: &[],
        latencies: &[
            ("1,000 messages", "/channels/0/all"),
            ("100,000 messages", "/channels/1/all"),
            ("1,000,000 messages", "/channels/2/all"),
        ],
    },
    Run {
        name: "rebuild",
        title: "The read model made anew from the log.",
        about: "`echoverse rebuild` replays 500,000 messages beside the running server, opens every sealed text, and \
                swaps the tables; then `--verify` compares them with those in use.",
        arguments: "rebuild",
        quick: "rebuild --events 10000 --turns 2",
        seconds: [270, 25],
        comparisons: &[Comparison {
            title: "Events a second, turn by turn",
            unit: "events/s",
            sides: &[("rebuild", "/turns/*/events_per_second")],
        }],
        latencies: &[],
    },
    Run {
        name: "soak",
        title: "Moderate load for some minutes.",
        about: "Posts at a fixed rate, edits and deletions, streams and polls that stay, visitors who come and go and \
                resume from their cursors, pages of the history. Nothing may be lost or come twice. Whether memory, open \
                files and latencies stay flat is judged from ten minutes on; `--soak 60` gives it the hour it is made for.",
        arguments: "soak --minutes 5 --fill 50000",
        quick: "soak --minutes 0.2 --fill 2000",
        seconds: [340, 30],
        comparisons: &[],
        latencies: &[],
    },
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use clap::{FromArgMatches as _, Subcommand as _};

    use super::*;
    use crate::scenario::Scenario;

    #[test]
    fn every_run_is_a_scenario_and_takes_its_arguments_in_both_forms() {
        for run in PLAN {
            for quick in [false, true] {
                let arguments = run.arguments(Form { quick, minutes: Some(60.0) });
                let command =
                    Scenario::augment_subcommands(clap::Command::new("load-tests").no_binary_name(true));
                let parsed = command.try_get_matches_from(&arguments);
                let parsed = parsed.unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
                assert!(Scenario::from_arg_matches(&parsed).is_ok(), "{arguments:?}");
                assert_eq!(arguments[0], run.scenario(), "both forms are of one scenario");
            }
        }
    }

    #[test]
    fn names_differ_and_do_for_files_and_anchors() {
        let names: HashSet<&str> = PLAN.iter().map(|run| run.name).collect();
        assert_eq!(names.len(), PLAN.len());
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        assert!(names.iter().all(|name| name.bytes().all(plain)));
    }

    #[test]
    fn a_soak_lasts_as_long_as_is_asked_and_no_other_run_does() {
        for run in PLAN {
            let [usual, hour] = [None, Some(60.0)].map(|minutes| Form { quick: false, minutes });
            let differs = run.arguments(usual) != run.arguments(hour);
            assert_eq!(differs, run.scenario() == "soak", "{}", run.name);
            assert_eq!(run.expected(hour) > run.expected(usual), differs, "{}", run.name);
            assert!(!differs || run.expected(hour) >= Duration::from_secs(3_600));
        }
    }

    #[test]
    fn all_fits_into_the_time_that_is_promised() {
        let sum =
            |quick| PLAN.iter().map(|run| run.expected(Form { quick, minutes: None })).sum::<Duration>();
        assert!(sum(false) <= Duration::from_secs(45 * 60), "{:?}", sum(false));
        assert!(sum(true) <= Duration::from_secs(6 * 60), "{:?}", sum(true));
    }
}
