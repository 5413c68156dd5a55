//! Deletions of messages, of which those by others than their authors make entries. The event does not say whose the
//! message was, so this waits until the messages of the page are written.

use domain::message::MessageDeleted;
use jiff::Timestamp;
use uuid::Uuid;

use crate::batch::{At, Write, params};

#[derive(Default)]
pub(crate) struct Deletions {
    positions: Vec<i64>,
    times: Vec<Timestamp>,
    communities: Vec<Uuid>,
    messages: Vec<Uuid>,
    deleters: Vec<Uuid>,
}

impl Deletions {
    /// Outside communities nobody deletes another's message.
    pub(crate) fn add(&mut self, event: &MessageDeleted, at: At) {
        let Some(community) = event.community_id else { return };
        self.positions.push(at.bigint());
        self.times.push(at.time);
        self.communities.push(community.0);
        self.messages.push(event.message_id.0);
        self.deleters.push(event.deleted_by.0);
    }

    pub(crate) fn into_write(self) -> Option<Write> {
        const SQL: &str = "
            INSERT INTO {schema}.audit_entries
                (position, community_id, actor_id, account_id, channel_id, message_id, created_at, action, changes)
            SELECT deletion.position, deletion.community_id, deletion.by, messages.author_id, messages.channel_id,
                messages.id, deletion.time, 'message.deleted', '{}'
            FROM unnest($1::bigint[], $2::timestamptz[], $3::uuid[], $4::uuid[], $5::uuid[])
                AS deletion (position, time, community_id, message_id, by)
            JOIN {schema}.messages ON messages.id = deletion.message_id AND messages.author_id <> deletion.by";
        let Self { positions, times, communities, messages, deleters } = self;
        (!positions.is_empty()).then(|| Write {
            template: SQL,
            params: params![positions, times, communities, messages, deleters],
        })
    }
}
