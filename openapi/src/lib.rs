//! The committed `openapi.json`: written from the api's handlers, and compared with them.
//!
//! Clients are generated from the file, so a change of the contract shows in its diff. Must not say anything of its own
//! about the contract. `cargo run -p openapi -- write` after a change; `check` says what is stale.

mod difference;

use std::path::PathBuf;

use serde_json::Value;

pub use difference::differences;

/// Where the committed document is.
pub fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("openapi.json")
}

/// The document as it is committed, of the handlers as they are.
pub fn text() -> String {
    let mut text = serde_json::to_string_pretty(&api::document()).expect("JSON can be written");
    text.push('\n');
    text
}

/// What the committed document says.
///
/// # Errors
/// It cannot be read, or is no JSON.
pub fn committed() -> anyhow::Result<Value> {
    let path = path();
    let text =
        std::fs::read_to_string(&path).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
    Ok(serde_json::from_str(&text)?)
}
