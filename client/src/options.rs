//! What a client waits for, and how long.

use std::time::Duration;

use crate::live::LiveOptions;

/// Limits of all calls. The defaults suit a person in front of a screen.
#[derive(Debug, Clone)]
pub struct Options {
    pub connect_timeout: Duration,
    /// From sending one try of a call to the last byte of its answer.
    pub try_timeout: Duration,
    /// Over all tries and the waits between them. A `Retry-After` that would lead past it ends the call at once.
    pub total_timeout: Duration,
    /// At least 1.
    pub tries: u32,
    /// The wait after the first failed try; it doubles up to `backoff_most`.
    pub backoff_first: Duration,
    pub backoff_most: Duration,
    /// Bytes of an answer, after decompression.
    pub max_answer: usize,
    pub live: LiveOptions,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            try_timeout: Duration::from_secs(10),
            total_timeout: Duration::from_secs(30),
            tries: 5,
            backoff_first: Duration::from_millis(200),
            backoff_most: Duration::from_secs(5),
            max_answer: 16 << 20,
            live: LiveOptions::default(),
        }
    }
}
