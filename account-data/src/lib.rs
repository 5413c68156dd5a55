//! What an account keeps for itself, in the Postgres schema `account_data`: read markers, receipts, settings.
//!
//! None of it is an event: it changes too often, nobody audits it, and its owner may have it forgotten. None of it follows
//! from the log either, so unlike the read model it cannot be made anew: it is written durably and belongs in backups.
//! [`AccountData::forget`] removes all that an account has here.
//!
//! It knows ids, positions of the log as plain numbers, and nothing of what they mean: whether an account may see a
//! message is the caller's question, asked before anything is written and again whenever it is shown. It must not see the
//! log, the read model or the commands.
//!
//! Time is passed in. Every call ends within some seconds, whatever the database does, and works again when it does.
//!
//! # Adding a noun
//! 1. A migration per object in `migrations/`, named in [`MIGRATIONS`]. The column that says whose a row is is called
//!    `account`.
//! 2. `src/<noun>.rs` with an `impl AccountData` block, its SQL beside the one function that runs it.
//! 3. Its table in `forget.rs`; a test fails while it is missing.
//! 4. `tests/suite/<noun>.rs`, over a real Postgres.

mod connection;
mod database;
mod draft;
mod forget;
mod notification_setting;
mod pace;
mod presence;
mod privacy;
mod read_marker;
mod receipt;
mod saved_message;
mod scheduled_message;

use deadpool_postgres::Pool;

use database::Database;

pub use connection::Attended;
pub use database::Unavailable;
pub use draft::{Draft, MAX_DRAFTS};
pub use notification_setting::{DEFAULT, Effective, Level, Mute, NotificationSetting, Scope, effective};
pub use pace::{PaceClaim, Paced};
pub use presence::SightChange;
pub use privacy::Privacy;
pub use read_marker::{Marked, Move, Place, ReadMarker, Start};
pub use receipt::{Reached, Receipt};
pub use saved_message::{MAX_SAVED, SavedMessage};
pub use scheduled_message::{Keyed, MAX_SCHEDULED, Outcome, Rescheduled, Scheduled, ScheduledMessage};

/// Whether something was kept, where an account may keep only so much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    Yes,
    TooMany,
}

/// What the accounts of a database keep. Clones share everything.
#[derive(Clone)]
pub struct AccountData {
    database: Database,
}

const MIGRATIONS: &[migrations::Migration] = migrations::migrations![
    "0001_schema",
    "0002_read_markers",
    "0003_receipts",
    "0004_receipts_account",
    "0005_privacy",
    "0006_notification_settings",
    "0010_presences",
    "0011_nodes",
    "0012_connections",
    "0013_connections_node",
    "0014_drafts",
    "0015_saved_messages",
    "0016_saved_messages_time",
    "0017_scheduled_messages",
    "0018_scheduled_messages_account",
    "0019_scheduled_messages_due",
    "0020_paces",
];

/// Brings the schema `account_data` of the database at `url` up to date. [`AccountData::open`] does it, too.
///
/// # Errors
/// Those of [`migrations::migrate`].
pub async fn migrate(url: &str) -> Result<(), migrations::Error> {
    migrations::migrate(url, "account-data", MIGRATIONS).await?;
    Ok(())
}

impl AccountData {
    /// Opens what is in the database at `url`, to which `pool` leads as well.
    ///
    /// # Errors
    /// Its tables cannot be brought up to date.
    pub async fn open(url: &str, pool: Pool) -> Result<Self, migrations::Error> {
        migrate(url).await?;
        Ok(Self { database: Database::new(pool) })
    }
}
