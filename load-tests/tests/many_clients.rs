//! Short forms of the scenarios with many clients, for what holds without a clock: whoever comes back, over either
//! transport, after a cut or a kill, misses nothing and sees nothing twice, and nobody sees what is not theirs. The
//! scenarios check it and fail where it does not hold.
//!
//! They run the server that was built beside this test: `cargo test --workspace` builds it, `cargo build -p api` too.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

/// The figures of a scenario.
fn run(arguments: &str) -> Value {
    let program = Path::new(env!("CARGO_BIN_EXE_load-tests"));
    let server = program.with_file_name("echoverse");
    assert!(server.is_file(), "{} is not built: cargo build -p api", server.display());
    let directory = tempfile::tempdir().expect("there is room for a directory");
    let file = directory.path().join("report.json");
    let output = Command::new(program)
        .args(arguments.split(' '))
        .args(["--pin", "none", "--scratch", "/var/tmp", "--server"])
        .arg(&server)
        .arg("--json")
        .arg(&file)
        .output()
        .expect("the load tests start");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report = fs::read_to_string(&file).expect("a run that went well has written its report");
    let mut report: Value = serde_json::from_str(&report).expect("a report is JSON");
    report["figures"].take()
}

#[test]
fn clients_catch_up_from_memory_and_from_the_log_over_both_transports() {
    let figures = run("resume --clients 20 --events 700 --rounds 1 --others 100");
    for variant in ["memory_sse", "memory_long_poll", "log_sse", "log_long_poll"] {
        assert_eq!(figures[variant]["rounds"][0]["frames"], json!(20 * 700), "{variant}: {figures:#}");
        assert_eq!(figures[variant]["caught_up"]["count"], json!(20), "{variant}: {figures:#}");
    }
}

#[test]
fn clients_that_are_cut_off_miss_nothing_even_when_the_server_is_killed() {
    let figures = run("storm --clients 40 --storms spread,at-once,kill --within 1 --requests 10 --calm 1");
    for storm in ["spread", "at_once", "kill"] {
        assert_eq!(figures[storm]["clients"], json!(40), "{storm}: {figures:#}");
    }
    assert_eq!(figures["sdk"], Value::Null, "it was not asked for");
    assert!(figures["read"]["messages"].as_u64() > Some(0), "{figures:#}");
}

#[test]
fn subscribers_get_the_messages_of_their_channels_and_no_others() {
    let shape = "--subscribers 20 --communities 4 --channels 3 --accounts 2 --publishers 4";
    for rate in ["50", "max --skew 1"] {
        let figures = run(&format!("many-channels {shape} --rate {rate} --seconds 2"));
        for (turn, readers) in [("own", 5), ("all", 20)] {
            let of = |what: &str| figures[turn][what].as_u64();
            assert!(of("posts") > Some(0), "{figures:#}");
            assert_eq!(of("deliveries"), of("posts").map(|posts| posts * readers), "{turn}: {figures:#}");
        }
    }
}
