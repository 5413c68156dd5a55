//! Whom the messages of the page mention.

use domain::mention::Mentions;
use tokio_postgres::types::Json;
use uuid::Uuid;

use crate::batch::{Write, params};
use crate::mention::targets;

/// One row per message and target, for messages whose row has been written.
#[derive(Default)]
pub(super) struct Marks {
    messages: Vec<Uuid>,
    targets: Vec<String>,
}

impl Marks {
    pub(super) fn add_all(&mut self, messages: &[Uuid], mentions: &[Option<Json<Mentions>>]) {
        for (message, mentions) in messages.iter().zip(mentions) {
            for target in mentions.iter().flat_map(|Json(mentions)| targets(mentions)) {
                self.messages.push(*message);
                self.targets.push(target);
            }
        }
    }

    pub(super) fn write(self) -> Option<Write> {
        const SQL: &str = "
            INSERT INTO {schema}.mentions (message_id, channel_id, author_id, thread_id, position, target)
            SELECT messages.id, messages.channel_id, messages.author_id, messages.thread_id, messages.position,
                mark.target
            FROM unnest($1::uuid[], $2::text[]) AS mark (message_id, target)
            JOIN {schema}.messages ON messages.id = mark.message_id
            WHERE messages.deleted_at IS NULL";
        let Self { messages, targets } = self;
        (!messages.is_empty()).then(|| Write { template: SQL, params: params![messages, targets] })
    }
}
