//! What an account has done on one device, for its others.

use domain::AccountId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Told to the account's own connections alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OwnSignal<T> {
    pub(crate) account_id: AccountId,
    pub(crate) time: Timestamp,
    /// How it is now, in the shape of the contract.
    pub(crate) data: T,
}
