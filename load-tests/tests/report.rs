//! The report is made of the folder of results alone: the same results give the same bytes, and what is in them shows.
#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

fn write(path: &Path, value: &Value) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, value.to_string()).unwrap();
}

fn speed(disk: f64) -> Value {
    json!({"memory": 12.0, "disk": disk, "loopback": 40_000.0})
}

fn outcome(arguments: &[&str], failure: Option<&str>, disk: f64) -> Value {
    json!({
        "arguments": arguments, "commit": "0123456789", "began": 1_800_000_000, "seconds": 75.2, "failure": failure,
        "calibration": speed(disk),
    })
}

/// A bench of three runs: one that met its goal, one that did not, and one that failed.
fn results(folder: &Path, quick: bool) {
    let bench = json!({
        "began": 1_800_000_000, "cores": 2, "processor": "A Processor | with a bar", "memory_bytes": 8_u64 << 30,
        "kernel": "6.1.0", "scratch_in_memory": false, "compiler": "rustc 1.95.0", "postgres": "postgres 15.1",
        "nginx": "nginx/1.22.1", "nchan": "unknown", "quick": quick, "calibration": speed(500.0),
    });
    write(&folder.join("bench.json"), &bench);
    write(&folder.join("post/outcome.json"), &outcome(&["post", "--pairs", "3"], None, 800.0));
    let latency = json!({"p50_ms": 5.0, "p90_ms": 7.0, "p99_ms": 11.0, "p999_ms": 30.0, "max_ms": 400.0});
    let post = json!({
        "figures": {
            "ratios": [0.61, 0.52, 0.57], "latency": latency,
            "turns": [{"posts_per_second": 9000.0}, {"posts_per_second": 9100.0}, {"posts_per_second": 9200.0}],
            "peer": [{"inserts_per_second": 16000.0}, {"inserts_per_second": 17500.0}, {"inserts_per_second": 16100.0}],
        },
        "tables": [{"heading": "Where a post's time goes", "rows": [["stage", "mean"], ["sealing", "4 µs"]]}],
        "plots": [], "notes": ["the machine was not quiet"],
    });
    write(&folder.join("post/report.json"), &post);
    write(&folder.join("rebuild/outcome.json"), &outcome(&["rebuild"], None, 900.0));
    let turns: Vec<Value> =
        [41_000.0, 47_250.0, 43_000.0].map(|rate| json!({"events_per_second": rate})).to_vec();
    let plot = json!({
        "title": "Memory", "x_label": "minutes", "y_label": "MiB",
        "series": [{"name": "server <RSS>", "points": [[0.0, 40.0], [1.0, 42.5]]}],
    });
    let rebuild = json!({"figures": {"turns": turns}, "tables": [], "plots": [plot], "notes": []});
    write(&folder.join("rebuild/report.json"), &rebuild);
    write(
        &folder.join("history/outcome.json"),
        &outcome(&["history"], Some("Error: a page is short"), 700.0),
    );
}

/// All files of the report, by their names.
fn render(results: &Path, out: &Path) -> BTreeMap<String, String> {
    let file = out.join("REPORT.md");
    let status = Command::new(env!("CARGO_BIN_EXE_load-tests"))
        .args(["bench", "--render", "--results"])
        .arg(results)
        .arg("--report")
        .arg(&file)
        .status()
        .unwrap();
    assert!(status.success());
    let mut files = BTreeMap::from([("REPORT.md".to_owned(), fs::read_to_string(&file).unwrap())]);
    for entry in fs::read_dir(out.join("report")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        files.insert(name, fs::read_to_string(&path).unwrap());
    }
    files
}

#[test]
fn the_same_results_give_the_same_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("results");
    results(&folder, false);
    let [one, other] = ["one", "other"].map(|name| directory.path().join(name));
    fs::create_dir_all(other.join("report")).unwrap();
    fs::create_dir_all(&one).unwrap();
    fs::write(other.join("report/of-an-earlier-plan.svg"), "<svg/>").unwrap();
    assert_eq!(render(&folder, &one), render(&folder, &other));
}

#[test]
fn goals_failures_tables_and_pictures_are_all_there() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("results");
    results(&folder, false);
    let files = render(&folder, directory.path());
    let report = &files["REPORT.md"];
    let line = |begin: &str| {
        let found = report.lines().find(|line| line.starts_with(begin));
        found.unwrap_or_else(|| panic!("no line begins with {begin:?} in\n{report}"))
    };
    let met = line("| [Durable posts a second");
    assert!(met.ends_with("| ≥ 0.5 × | 0.57 × | 0.52 × | 0.61 × | 0.61 · 0.52 · 0.57 | met |"), "{met}");
    let missed = line("| [Events a second of a rebuild");
    assert!(
        missed.ends_with("| ≥ 50,000 | 43,000 | 41,000 | 47,250 | 41,000 · 47,250 · 43,000 | **not met** |"),
        "{missed}"
    );
    let failed = line("| [p99 of a history page");
    assert!(failed.ends_with("| not measured |"), "{failed}");
    for part in [
        "**Failed: history.**",
        "Error: a page is short",
        "| sealing | 4 µs |",
        "- the machine was not quiet",
        "`load-tests post --pairs 3`, 1 min 15 s",
        "| processor | 2 cores of A Processor \\| with a bar |",
        "| pages of 8 KiB appended and forced to the disk | 500 | 750 | 900 |",
        "2027-01-15",
    ] {
        assert!(report.contains(part), "{part:?} is not in\n{report}");
    }
    // Every picture is shown once and drawn.
    let shown: Vec<&str> =
        report.split("](report/").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    let drawn: Vec<&str> = files.keys().map(String::as_str).filter(|name| name.ends_with(".svg")).collect();
    let mut sorted = shown.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, drawn);
    assert!(files["rebuild-2.svg"].contains("server &lt;RSS&gt;"));
}

#[test]
fn short_forms_decide_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("results");
    results(&folder, true);
    let files = render(&folder, directory.path());
    let report = &files["REPORT.md"];
    assert_eq!(report.matches("| short form |").count(), 2, "{report}");
    assert!(!report.contains("met |") && !files.contains_key("goals.svg"), "{report}");
}

#[test]
fn without_results_there_is_no_report() {
    let directory = tempfile::tempdir().unwrap();
    let report = directory.path().join("REPORT.md");
    let output = Command::new(env!("CARGO_BIN_EXE_load-tests"))
        .args(["bench", "--render", "--results"])
        .arg(directory.path().join("nothing"))
        .arg("--report")
        .arg(&report)
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("run the bench first"));
    assert!(!report.exists());
}
