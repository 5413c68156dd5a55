//! A page in headless Chromium, with the native `EventSource` and a cookie login, receives live: directly, through
//! nginx as it comes, and by long-polling through an nginx that buffers whatever it is told.

mod nginx;
mod server;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use nginx::{Manners, Nginx};
use server::Server;

/// Text that every way out must give back byte for byte.
const TEXT: &str =
    "Grüße 你好 こんにちは مرحبا שלום नमस्ते \u{202e}rtl\u{202c} 👩‍👩‍👧‍👦 e\u{301} <b>&amp;</b> \u{0} end";

fn text() -> String {
    TEXT.replace('\u{0}', "\n")
}

/// What the page saw.
struct Sight {
    seen: Vec<String>,
    events: Vec<String>,
    foreign: Vec<String>,
}

#[test]
fn a_page_receives_by_event_source_directly() {
    let server = Server::start();
    let sight = look(&server, "sse", &server.origin);
    assert_eq!(sight.seen, [text()]);
    assert_eq!(sight.events.first().map(String::as_str), Some("hello"));
    assert!(sight.foreign.is_empty(), "requests left the server: {:?}", sight.foreign);
}

#[test]
fn a_page_receives_by_event_source_through_nginx_as_it_comes() {
    let server = Server::start();
    let nginx = Nginx::start(server.address, Manners::Default);
    let sight = look(&server, "sse", &nginx.origin);
    assert_eq!(sight.seen, [text()]);
}

#[test]
fn a_page_receives_by_long_poll_through_an_nginx_that_always_buffers() {
    let server = Server::start();
    let nginx = Nginx::start(server.address, Manners::BuffersAlways);
    // The stream does not come through there: not even `hello`.
    let held = look(&server, "sse", &nginx.origin);
    assert!(held.seen.is_empty() && held.events.is_empty(), "{:?}", held.events);
    let sight = look(&server, "poll", &nginx.origin);
    assert_eq!(sight.seen, [text()]);
}

/// Runs a browser against `origin`.
fn look(server: &Server, mode: &str, origin: &str) -> Sight {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    let output = Command::new("node")
        .current_dir(&folder)
        .arg("live.mjs")
        .arg(chromium())
        .args([mode, origin, &server.handle, server::PASSWORD, &server.channel, &text()])
        .output()
        .expect("node runs");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the page failed (has `npm ci` run in {}?): {words}", folder.display());
    let result: Value = serde_json::from_slice(&output.stdout).expect("one line of JSON");
    let strings = |name: &str| -> Vec<String> {
        serde_json::from_value(result[name].clone()).expect("a list of strings")
    };
    Sight { seen: strings("seen"), events: strings("events"), foreign: strings("foreign") }
}

fn chromium() -> PathBuf {
    let usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    let found = usual.iter().map(PathBuf::from).find(|path| path.exists());
    found.unwrap_or_else(|| PathBuf::from("chromium"))
}
