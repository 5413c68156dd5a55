//! The terminal client by itself: `cargo run -p client --example chat -- https://chat.example`.

use client::chat::{ChatError, ChatOptions, run};

#[tokio::main]
async fn main() -> Result<(), ChatError> {
    let server = std::env::args().nth(1).unwrap_or_else(|| "http://127.0.0.1:8080".to_owned());
    run(ChatOptions { server, ..ChatOptions::default() }).await
}
