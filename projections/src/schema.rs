//! The tables' names and text.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// Where a read model stands. Statements are written with `{schema}` and filled in per schema, because rebuilding
/// writes the same tables elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Schema {
    /// What queries read.
    Live,
    /// What rebuilding makes.
    Next,
    /// What was live until a swap.
    Old,
}

/// Raised when the same tables come to be filled in another way.
const REVISION: u32 = 1;

macro_rules! objects {
    ($($name:literal),+ $(,)?) => {
        &[$(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/", $name, ".sql"))),+]
    };
}

const OBJECTS: &[&str] = objects![
    "checkpoint",
    "installation",
    "accounts",
    "communities",
    "roles",
    "memberships",
    "memberships_account",
    "memberships_list",
    "channels",
    "channels_community",
    "participants",
    "participants_account",
    "blocks",
    "messages",
    "messages_position",
    "messages_thread",
    "messages_time",
    "messages_pins",
    "message_versions",
    "reactions",
    "reactions_order",
    "reaction_counts",
    "polls",
    "poll_votes",
    "poll_votes_order",
    "mentions",
    "mentions_target",
    "mentions_thread",
    "threads",
    "threads_channel",
    "thread_parts",
    "thread_parts_replies",
    "thread_parts_channel",
    "invites",
    "invites_community",
    "reports",
    "reports_community",
    "reports_state",
    "audit_entries",
    "audit_entries_community",
    "audit_entries_action",
    "audit_entries_actor",
    "audit_entries_account",
    "audit_entries_time",
];

/// The tables whose rows follow from the log.
pub(crate) const TABLES: &[&str] = &[
    "installation",
    "accounts",
    "communities",
    "roles",
    "memberships",
    "channels",
    "participants",
    "blocks",
    "messages",
    "message_versions",
    "reactions",
    "reaction_counts",
    "polls",
    "poll_votes",
    "mentions",
    "threads",
    "thread_parts",
    "invites",
    "reports",
    "audit_entries",
];

impl Schema {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Live => "read",
            Self::Next => "read_next",
            Self::Old => "read_old",
        }
    }

    /// A statement for this schema.
    pub(crate) fn fill(self, template: &str) -> String {
        template.replace("{schema}", self.name())
    }

    /// The statements that make the schema and everything in it.
    pub(crate) fn create(self) -> String {
        let objects: String = OBJECTS.iter().map(|object| self.fill(object)).collect();
        format!("CREATE SCHEMA {};\n{objects}", self.name())
    }

    pub(crate) fn drop(self) -> String {
        format!("DROP SCHEMA IF EXISTS {} CASCADE", self.name())
    }
}

/// Names what this program makes of the log: a read model of another shape is not this program's.
pub(crate) fn shape() -> String {
    let mut digest = Sha256::new();
    digest.update(REVISION.to_le_bytes());
    for object in OBJECTS {
        digest.update(object.as_bytes());
    }
    digest.finalize().iter().take(16).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
