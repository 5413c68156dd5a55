//! Pins of messages from earlier pages: of each, how the page leaves it.

use std::collections::HashMap;

use domain::{AccountId, MessageId};
use jiff::Timestamp;

use crate::batch::{At, Write, params};

/// That a message is pinned.
#[derive(Clone, Copy)]
pub(super) struct Pin {
    pub(super) position: i64,
    pub(super) at: Timestamp,
    pub(super) by: AccountId,
}

impl Pin {
    pub(super) fn new(by: AccountId, at: At) -> Self {
        Self { position: at.bigint(), at: at.time, by }
    }
}

#[derive(Default)]
pub(super) struct Pins(HashMap<MessageId, Option<Pin>>);

impl Pins {
    pub(super) fn set(&mut self, message: MessageId, pin: Option<Pin>) {
        self.0.insert(message, pin);
    }

    /// A deleted message keeps no pin, whichever of the two is written first.
    pub(super) fn write(self) -> Option<Write> {
        const SQL: &str = "
            UPDATE {schema}.messages
            SET pinned_position = pin.position, pinned_at = pin.time, pinned_by = pin.account_id
            FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::uuid[])
                AS pin (message_id, position, time, account_id)
            WHERE messages.id = pin.message_id AND messages.deleted_at IS NULL";
        if self.0.is_empty() {
            return None;
        }
        let (mut ids, mut positions, mut times, mut accounts) = (vec![], vec![], vec![], vec![]);
        for (message, pin) in self.0 {
            ids.push(message.0);
            positions.push(pin.map(|pin| pin.position));
            times.push(pin.map(|pin| pin.at));
            accounts.push(pin.map(|pin| pin.by.0));
        }
        Some(Write { template: SQL, params: params![ids, positions, times, accounts] })
    }
}
