//! Reaction events as rows, gathered so that a page full of them is four statements.
//!
//! What is gathered is written after the messages of the page, and only for those that are there and not deleted: the
//! deletion of a message or of what it is in takes its reactions along, whichever of the two is written first.

use std::collections::HashMap;

use domain::reaction::{ReactionEvent, ReactionsCleared};
use domain::{AccountId, MessageId};
use jiff::Timestamp;
use uuid::Uuid;

use crate::batch::{At, Batch, Write, params};

#[derive(Default)]
pub(crate) struct Gathered {
    kinds: HashMap<(MessageId, String), Kind>,
}

/// What became of one kind of reaction on one message.
#[derive(Default)]
struct Kind {
    count: u32,
    /// The position of its first use, if that is in this page.
    first: Option<i64>,
    /// Since when each account of the page reacts; `None`: not any more.
    accounts: HashMap<AccountId, Option<(i64, Timestamp)>>,
}

pub(crate) fn project(batch: &mut Batch, event: ReactionEvent, at: At) {
    match event {
        ReactionEvent::Added(event) => {
            let kind = batch.reactions().kind(event.message_id, event.emoji.into_string());
            kind.count = event.count;
            if event.count == 1 {
                kind.first = Some(at.bigint());
            }
            kind.accounts.insert(event.account_id, Some((at.bigint(), at.time)));
        }
        ReactionEvent::Removed(event) => {
            let kind = batch.reactions().kind(event.message_id, event.emoji.into_string());
            kind.count = event.count;
            kind.accounts.insert(event.account_id, None);
        }
        ReactionEvent::Cleared(event) => clear(batch, event),
    }
}

/// Of reactions that may be in earlier pages: those of this page are written first.
fn clear(batch: &mut Batch, event: ReactionsCleared) {
    const REACTIONS: &str = "
        DELETE FROM {schema}.reactions WHERE message_id = $1 AND ($2::text IS NULL OR emoji = $2)";
    const COUNTS: &str = "
        DELETE FROM {schema}.reaction_counts WHERE message_id = $1 AND ($2::text IS NULL OR emoji = $2)";
    batch.write_reactions();
    let emoji = event.emoji.map(domain::emoji::Emoji::into_string);
    for template in [REACTIONS, COUNTS] {
        batch.write(template, params![event.message_id.0, emoji.clone()]);
    }
}

/// A part of the rows, column by column.
#[derive(Default)]
struct Added {
    messages: Vec<Uuid>,
    accounts: Vec<Uuid>,
    positions: Vec<i64>,
    created: Vec<Timestamp>,
    emoji: Vec<String>,
}

#[derive(Default)]
struct Removed {
    messages: Vec<Uuid>,
    accounts: Vec<Uuid>,
    emoji: Vec<String>,
}

#[derive(Default)]
struct Counts {
    messages: Vec<Uuid>,
    emoji: Vec<String>,
    counts: Vec<i32>,
    firsts: Vec<Option<i64>>,
}

impl Gathered {
    fn kind(&mut self, message: MessageId, emoji: String) -> &mut Kind {
        self.kinds.entry((message, emoji)).or_default()
    }

    pub(crate) fn into_writes(self) -> Vec<Write> {
        let (mut added, mut removed, mut counts) = (Added::default(), Removed::default(), Counts::default());
        for ((message, emoji), kind) in self.kinds {
            for (account, since) in kind.accounts {
                match since {
                    Some((position, time)) => {
                        added.messages.push(message.0);
                        added.accounts.push(account.0);
                        added.positions.push(position);
                        added.created.push(time);
                        added.emoji.push(emoji.clone());
                    }
                    None => {
                        removed.messages.push(message.0);
                        removed.accounts.push(account.0);
                        removed.emoji.push(emoji.clone());
                    }
                }
            }
            counts.messages.push(message.0);
            counts.counts.push(i32::try_from(kind.count).unwrap_or(i32::MAX));
            counts.firsts.push(kind.first);
            counts.emoji.push(emoji);
        }
        [removed.write(), added.write(), counts.write()].into_iter().flatten().collect()
    }
}

impl Removed {
    fn write(self) -> Option<Write> {
        const SQL: &str = "
            DELETE FROM {schema}.reactions
            USING unnest($1::uuid[], $2::uuid[], $3::text[]) AS removed (message_id, account_id, emoji)
            WHERE reactions.message_id = removed.message_id
                AND reactions.emoji = removed.emoji
                AND reactions.account_id = removed.account_id";
        let Self { messages, accounts, emoji } = self;
        (!messages.is_empty()).then(|| Write { template: SQL, params: params![messages, accounts, emoji] })
    }
}

impl Added {
    /// Whoever took a reaction back and gave it again within the page has a row from before.
    fn write(self) -> Option<Write> {
        const SQL: &str = "
            INSERT INTO {schema}.reactions (message_id, account_id, position, created_at, emoji)
            SELECT message_id, account_id, position, created_at, emoji
            FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::timestamptz[], $5::text[])
                AS added (message_id, account_id, position, created_at, emoji)
            WHERE EXISTS (
                SELECT FROM {schema}.messages
                WHERE messages.id = added.message_id AND messages.deleted_at IS NULL
            )
            ON CONFLICT ON CONSTRAINT reactions_pkey DO UPDATE
            SET position = excluded.position, created_at = excluded.created_at";
        let Self { messages, accounts, positions, created, emoji } = self;
        (!messages.is_empty())
            .then(|| Write { template: SQL, params: params![messages, accounts, positions, created, emoji] })
    }
}

impl Counts {
    /// A kind without a first use in the page keeps the one it has.
    fn write(self) -> Option<Write> {
        const SQL: &str = "
            WITH kind AS (
                SELECT message_id, emoji, count, first
                FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::bigint[])
                    AS kind (message_id, emoji, count, first)
            ),
            gone AS (
                DELETE FROM {schema}.reaction_counts AS counts
                USING kind
                WHERE kind.count = 0 AND counts.message_id = kind.message_id AND counts.emoji = kind.emoji
            ),
            grown AS (
                UPDATE {schema}.reaction_counts AS counts
                SET count = kind.count
                FROM kind
                WHERE kind.count > 0
                    AND kind.first IS NULL
                    AND counts.message_id = kind.message_id
                    AND counts.emoji = kind.emoji
            )
            INSERT INTO {schema}.reaction_counts (message_id, emoji, count, position)
            SELECT message_id, emoji, count, first
            FROM kind
            WHERE count > 0 AND first IS NOT NULL AND EXISTS (
                SELECT FROM {schema}.messages
                WHERE messages.id = kind.message_id AND messages.deleted_at IS NULL
            )
            ON CONFLICT ON CONSTRAINT reaction_counts_pkey DO UPDATE
            SET count = excluded.count, position = excluded.position";
        let Self { messages, emoji, counts, firsts } = self;
        (!messages.is_empty())
            .then(|| Write { template: SQL, params: params![messages, emoji, counts, firsts] })
    }
}
