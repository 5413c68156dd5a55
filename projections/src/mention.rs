//! Mentions: which messages mention an account.

use domain::mention::Mentions;
use domain::{AccountId, ChannelId, Role};
use event_store::Position;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::community;
use crate::database::{Params, Unavailable, rows, to_bigint};
use crate::message::{MessageRow, complete, message_columns};
use crate::read_model::ReadModel;
use crate::read_state::CONVERSATIONS;

const EVERYONE: &str = "everyone";
const HERE: &str = "here";

/// The targets of mentions, as `read.mentions` names them.
pub(crate) fn targets(mentions: &Mentions) -> impl Iterator<Item = String> {
    let Mentions { accounts, roles, everyone, here } = mentions;
    let all = [(*everyone, EVERYONE), (*here, HERE)].into_iter().filter(|(named, _)| *named);
    let named = accounts.iter().map(AccountId::to_string).chain(roles.iter().map(ToString::to_string));
    named.chain(all.map(|(_, target)| target.to_owned()))
}

/// The targets by which an account is mentioned where it holds `roles`.
pub(crate) fn naming<'a>(account: AccountId, roles: impl IntoIterator<Item = &'a Role>) -> Vec<String> {
    let everywhere = [account.to_string(), EVERYONE.to_owned(), HERE.to_owned()];
    everywhere.into_iter().chain(roles.into_iter().map(ToString::to_string)).collect()
}

/// Messages that mention an account, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MentionPage {
    pub items: Vec<MessageRow>,
    /// Where to go on, `None` at the end.
    pub next: Option<Position>,
}

/// The messages of others in which one of `$4` is mentioned in the channel beside it in `$3`, before `$2`. Each pair
/// costs a range of one index, however many mentions there are.
const SQL: &str = concat!(
    "SELECT ",
    message_columns!(),
    "
    FROM (
        SELECT DISTINCT found.message_id, found.position
        FROM unnest($3::uuid[], $4::text[]) AS place (channel_id, target)
        CROSS JOIN LATERAL (
            SELECT mentions.message_id, mentions.position
            FROM read.mentions
            WHERE mentions.channel_id = place.channel_id
                AND mentions.target = place.target
                AND mentions.position < $2
                AND mentions.author_id <> $1
            ORDER BY mentions.position DESC
            LIMIT $5
        ) AS found
        ORDER BY found.position DESC
        LIMIT $5
    ) AS mention
    JOIN read.messages ON messages.id = mention.message_id
    ORDER BY messages.position DESC"
);

impl ReadModel {
    /// The messages of others before `before` that mention `viewer`, by a role too or with everybody, in channels that
    /// they may see now.
    pub async fn mentions(
        &self,
        viewer: AccountId,
        before: Option<Position>,
        limit: usize,
    ) -> Result<MentionPage, Unavailable> {
        let before = before.map_or(i64::MAX, to_bigint);
        let wanted = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
        self.database()
            .snapshot(async |client| {
                let id: Params<'_> = &[&viewer.0];
                let (views, conversations) = tokio::try_join!(
                    community::views(client, viewer, None),
                    rows(client, CONVERSATIONS, id)
                )?;
                let (mut channels, mut targets) = (Vec::<Uuid>::new(), Vec::<String>::new());
                let mut add = |channel: ChannelId, target: String| {
                    channels.push(channel.0);
                    targets.push(target);
                };
                let everywhere = || [viewer.to_string(), EVERYONE.to_owned(), HERE.to_owned()].into_iter();
                for view in &views {
                    for channel in &view.channels {
                        let roles = view.member.roles().iter().map(ToString::to_string);
                        everywhere().chain(roles).for_each(|target| add(channel.id, target));
                    }
                }
                for conversation in &conversations {
                    let channel = ChannelId(conversation.get("channel_id"));
                    everywhere().for_each(|target| add(channel, target));
                }
                let which: Params<'_> = &[&viewer.0, &before, &channels, &targets, &wanted];
                let found: Vec<Row> = rows(client, SQL, which).await?;
                let shown = &found[..found.len().min(limit)];
                let items = complete(client, viewer, shown.iter().map(MessageRow::of).collect()).await?;
                let next = items.last().filter(|_| found.len() > limit).map(|last| last.position);
                Ok(MentionPage { items, next })
            })
            .await
    }
}
