//! Short fan-outs over both transports, for what holds without a clock: every post comes to every subscriber once, in
//! one order, and the figures are there. How many and how late only a quiet machine can tell.
//!
//! They run the server that was built beside this test: `cargo test --workspace` builds it, `cargo build -p api` too.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

/// The report of a fan-out to five subscribers with these further arguments.
fn fanout(arguments: &str) -> Value {
    let program = Path::new(env!("CARGO_BIN_EXE_load-tests"));
    let server = program.with_file_name("echoverse");
    assert!(server.is_file(), "{} is not built: cargo build -p api", server.display());
    let directory = tempfile::tempdir().expect("a directory for the report");
    let file = directory.path().join("fanout.json");
    let output = Command::new(program)
        .args("fanout --subscribers 5 --publishers 3 --seconds 1 --pin none --scratch /var/tmp".split(' '))
        .args(arguments.split(' '))
        .arg("--server")
        .arg(&server)
        .arg("--json")
        .arg(&file)
        .output()
        .expect("the load tests were built");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report = fs::read_to_string(&file).expect("a report was written");
    serde_json::from_str(&report).expect("a report is JSON")
}

/// All of a side's deliveries must have come.
fn check(report: &Value, side: &str) {
    let figure = |name: &str| report.pointer(&format!("/figures/{side}/{name}")).unwrap_or(&Value::Null);
    assert_eq!(figure("faults"), &json!({"missed": 0, "strays": 0, "other_orders": 0}), "{report:#}");
    let posts = figure("posts").as_u64().expect("a count of posts");
    assert!(posts > 0, "{report:#}");
    assert_eq!(figure("deliveries").as_u64(), Some(posts * 5));
}

#[test]
fn posts_on_schedule_come_to_every_stream_once_in_one_order() {
    let report = fanout("--rate 40 --pairs 2 --no-peer");
    check(&report, "product");
    // Two turns of three seconds.
    assert_eq!(report.pointer("/figures/product/posts"), Some(&json!(240)));
    assert_eq!(report.pointer("/figures/pairs/p99_ms/products").and_then(Value::as_array).unwrap().len(), 2);
}

#[test]
fn posts_flat_out_come_to_every_poll_once_in_one_order() {
    check(&fanout("--rate max --transport long-poll --pairs 1 --no-peer"), "product");
}

#[test]
#[ignore = "needs nginx with nchan, which only the load tests ask for"]
fn what_nchan_is_given_comes_to_every_stream_and_every_poll() {
    for transport in ["sse", "long-poll"] {
        let report = fanout(&format!("--rate max --transport {transport} --pairs 1"));
        check(&report, "product");
        check(&report, "peer");
        let [ours, nchans] =
            ["product", "peer"].map(|side| report.pointer(&format!("/figures/frame_bytes/{side}")).unwrap());
        let (ours, nchans) = (ours.as_f64().unwrap(), nchans.as_f64().unwrap());
        assert!((0.95..=1.05).contains(&(ours / nchans)), "frames have {ours} and {nchans} bytes");
    }
}
