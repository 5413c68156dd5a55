//! A short soak, for what holds without a clock: nothing is lost or comes twice, and what belonged to clients is given
//! back when they have gone. Whether latencies stay flat only an hour on a quiet machine can tell.
//!
//! It runs the server that was built beside this test: `cargo test --workspace` builds it, `cargo build -p api` too.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Far more than a debug server takes for two dozen clients, far less than what a leak of each frame would make it.
const MOST_MEMORY: u64 = 400 << 20;

/// The product's program, in the directory of ours.
fn server() -> String {
    let server = Path::new(env!("CARGO_BIN_EXE_load-tests")).with_file_name("echoverse");
    assert!(server.is_file(), "{} is not built: cargo build -p api", server.display());
    server.to_str().expect("a path in UTF-8").to_owned()
}

fn number(report: &Value, pointer: &str) -> u64 {
    let found = report.pointer(pointer).and_then(Value::as_u64);
    found.unwrap_or_else(|| panic!("no {pointer} in {report:#}"))
}

#[test]
fn a_short_soak_loses_nothing_repeats_nothing_and_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("soak.json");
    let output = Command::new(env!("CARGO_BIN_EXE_load-tests"))
        .args(
            "soak --minutes 0.2 --rate 40 --posters 4 --readers 8 --pollers 6 --visitors 10 --pages 5"
                .split(' '),
        )
        .args("--fill 500 --channels 4 --interval 1 --pin none --scratch /var/tmp".split(' '))
        .args(["--server", &server(), "--json"])
        .arg(&file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let figure = |name: &str| number(&report, &format!("/figures/{name}"));

    // 40 a second for 12 s and a last one; each tenth is edited, each twentieth deleted. 24 follow.
    assert_eq!((figure("posts"), figure("edits"), figure("deletions")), (481, 48, 24));
    assert_eq!((figure("delivery/followers"), figure("delivery/frames")), (24, 24 * (481 + 48 + 24)));
    let wrong = ["lost", "repeated", "foreign"].map(|what| figure(&format!("delivery/{what}")));
    assert_eq!((wrong, figure("delivery/orders")), ([0; 3], 1));
    // Each visitor was away at least once.
    assert!(figure("resumed") >= 10, "{report:#}");
    assert_eq!((figure("failures/posts"), figure("failures/followers")), (0, 0), "{report:#}");

    if cfg!(target_os = "linux") {
        let sockets = [0, 1].map(|moment| figure(&format!("at_rest/{moment}/network_sockets")));
        assert!(sockets[1] <= sockets[0], "{sockets:?} network sockets before and after");
        // One that was cut off as it began, too.
        let left = report.pointer("/figures/at_rest/1/subscriptions").and_then(Value::as_f64);
        assert_eq!(left, Some(0.0), "subscriptions are left");
        let samples = report.pointer("/figures/samples").and_then(Value::as_array).unwrap();
        let sizes = samples.iter().map(|sample| number(sample, "/memory/server/rss_bytes"));
        let largest = sizes.max().unwrap();
        assert!(largest < MOST_MEMORY, "the server took {largest} bytes");
    }
}
