//! Polls: how a message's poll stands, and who votes for what.

use std::collections::{BTreeSet, HashMap};

use deadpool_postgres::GenericClient;
use domain::poll::PollEvent;
use domain::{AccountId, MessageId};
use event_store::Position;
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::account::account_columns;
use crate::batch::{At, Batch, params};
use crate::database::{Params, Unavailable, rows, to_bigint};
use crate::message;
use crate::reaction::ParticipantPage;
use crate::read_model::ReadModel;
use crate::viewing::may_view;

/// The poll of a message, as a viewer sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollRow {
    pub options: Vec<PollOptionRow>,
    pub multiple: bool,
    pub closes_at: Option<Timestamp>,
    /// When somebody closed it; one whose time is over is closed as well.
    pub closed_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollOptionRow {
    /// `None` when it was deleted or erased.
    pub text: Option<String>,
    pub votes: u32,
    /// Whether the viewer votes for it.
    pub me: bool,
}

impl PollRow {
    fn of(row: &Row) -> Self {
        let votes: Vec<i32> = row.get("votes");
        let mut texts = row.get::<_, Option<Vec<String>>>("texts").unwrap_or_default().into_iter();
        let mine: BTreeSet<i16> = row.get::<_, Vec<i16>>("mine").into_iter().collect();
        let options = (0_i16..).zip(votes).map(|(place, votes)| PollOptionRow {
            text: texts.next(),
            votes: votes.unsigned_abs(),
            me: mine.contains(&place),
        });
        Self {
            options: options.collect(),
            multiple: row.get("multiple"),
            closes_at: row.get("closes_at"),
            closed_at: row.get("closed_at"),
        }
    }
}

/// The polls of `messages` (`$1`) as an account (`$2`) sees them.
const OF_MESSAGES: &str = "
    SELECT polls.message_id, polls.multiple, polls.closes_at, polls.closed_at, polls.votes, polls.texts,
        ARRAY (
            SELECT option FROM read.poll_votes
            WHERE poll_votes.message_id = polls.message_id AND poll_votes.account_id = $2
        ) AS mine
    FROM read.polls
    WHERE polls.message_id = ANY ($1)";

/// The polls of messages, for those that have one.
pub(crate) async fn of_messages(
    client: &impl GenericClient,
    viewer: AccountId,
    messages: &[Uuid],
) -> Result<HashMap<MessageId, PollRow>, tokio_postgres::Error> {
    let params: Params<'_> = &[&messages, &viewer.0];
    let polls = rows(client, OF_MESSAGES, params).await?;
    Ok(polls.iter().map(|row| (MessageId(row.get("message_id")), PollRow::of(row))).collect())
}

impl ReadModel {
    /// Who votes for an option of a message's poll, after `after`; `None` when `viewer` may not see the message.
    pub async fn voters(
        &self,
        viewer: AccountId,
        id: MessageId,
        option: u8,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Option<ParticipantPage>, Unavailable> {
        const SQL: &str = concat!(
            "SELECT poll_votes.position, poll_votes.created_at, ",
            account_columns!(),
            "
            FROM read.poll_votes
            JOIN read.accounts ON accounts.id = poll_votes.account_id
            LEFT JOIN read.installation ON installation.administrator = accounts.id
            WHERE poll_votes.message_id = $1 AND poll_votes.option = $2 AND poll_votes.position > $3
            ORDER BY poll_votes.position
            LIMIT $4"
        );
        let (option, after) = (i16::from(option), after.map_or(0, to_bigint));
        let wanted = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
        self.database()
            .within(async |client| {
                let one: &[Uuid] = &[id.0];
                let whose: Params<'_> = &[&viewer.0, &one];
                let which: Params<'_> = &[&id.0, &option, &after, &wanted];
                let (seen, found) =
                    tokio::try_join!(rows(client, message::SEEN, whose), rows(client, SQL, which))?;
                let seen = seen.first().is_some_and(may_view);
                Ok(seen.then(|| ParticipantPage::of(&found, limit)))
            })
            .await
    }
}

/// A message must be written before what happens to its poll; the deletion of a message takes its votes along.
pub(crate) fn project(batch: &mut Batch, event: PollEvent, at: At) {
    const COUNT: &str = "
        WITH counted AS (
            UPDATE {schema}.polls
            SET votes = $3
            FROM {schema}.messages
            WHERE polls.message_id = $1 AND messages.id = $1 AND messages.deleted_at IS NULL
        )
        DELETE FROM {schema}.poll_votes WHERE message_id = $1 AND account_id = $2";
    const VOTE: &str = "
        INSERT INTO {schema}.poll_votes (message_id, account_id, position, created_at, option)
        SELECT $1, $2, $3, $4, option
        FROM unnest($5::smallint[]) AS vote (option)
        WHERE EXISTS (SELECT FROM {schema}.messages WHERE id = $1 AND deleted_at IS NULL)";
    const CLOSE: &str = "
        UPDATE {schema}.polls SET closed_at = $2 WHERE message_id = $1 AND closed_at IS NULL";
    let (message, _, _) = event.subject();
    batch.write_message(message);
    match event {
        PollEvent::Voted(event) => {
            let (message, account) = (message.0, event.account_id.0);
            let count = |votes: u32| i32::try_from(votes).unwrap_or(i32::MAX);
            let votes: Vec<i32> = event.votes.into_iter().map(count).collect();
            batch.write(COUNT, params![message, account, votes]);
            let options: Vec<i16> = event.options.into_iter().map(i16::from).collect();
            if !options.is_empty() {
                batch.write(VOTE, params![message, account, at.bigint(), at.time, options]);
            }
        }
        PollEvent::Closed(_) => batch.write(CLOSE, params![message.0, at.time]),
    }
}
