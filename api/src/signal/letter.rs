//! What nodes send each other: some signals in one NOTIFY.

use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::Signal;

/// Postgres refuses a payload of 8,000 bytes.
pub(super) const MAX: usize = 7_999;
const END: &str = "]}";

/// A letter that is being written.
pub(super) struct Letter {
    text: String,
    signals: usize,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Added {
    Yes,
    /// It goes into the next letter.
    Full,
    /// It goes into no letter.
    TooLarge,
}

impl Letter {
    pub(super) fn from(node: Uuid) -> Self {
        Self { text: format!(r#"{{"node":"{node}","signals":["#), signals: 0 }
    }

    pub(super) fn add(&mut self, signal: &Signal) -> Added {
        let signal = serde_json::to_string(signal).expect("signals are plain structs: JSON cannot fail");
        if self.text.len() + ",".len() + signal.len() + END.len() > MAX {
            return if self.signals == 0 { Added::TooLarge } else { Added::Full };
        }
        if self.signals > 0 {
            self.text.push(',');
        }
        self.text.push_str(&signal);
        self.signals += 1;
        Added::Yes
    }

    pub(super) fn signals(&self) -> usize {
        self.signals
    }

    pub(super) fn close(mut self) -> String {
        self.text.push_str(END);
        self.text
    }
}

/// A letter as it came: signals that a newer node knows are left out, and counted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) node: Uuid,
    pub(super) signals: Vec<Signal>,
    pub(super) unreadable: usize,
}

pub(super) fn read(text: &str) -> Result<Received, serde_json::Error> {
    #[derive(Deserialize)]
    struct Raw<'a> {
        node: Uuid,
        #[serde(borrow)]
        signals: Vec<&'a RawValue>,
    }
    let Raw { node, signals: raw } = serde_json::from_str(text)?;
    let signals: Vec<Signal> =
        raw.iter().filter_map(|signal| serde_json::from_str(signal.get()).ok()).collect();
    let unreadable = raw.len() - signals.len();
    Ok(Received { node, signals, unreadable })
}
