//! Channel events as rows.

use domain::channel::{
    ChannelChanged, ChannelEvent, ChannelKind, ChannelName, ChannelOverwritten, ChannelTopic,
};
use domain::channel_order::ChannelOrderEvent;
use domain::permission::Overwrites;
use domain::{AccountId, ChannelId, CommunityId};
use tokio_postgres::types::Json;

use crate::batch::{At, Batch, params};
use crate::message;

pub(crate) fn project(batch: &mut Batch, event: ChannelEvent, at: At) {
    const INSERT: &str = "
        INSERT INTO {schema}.channels (id, community_id, category_id, created_at, kind, name, topic, private, overwrites)
        SELECT $1, communities.id, (SELECT id FROM {schema}.channels WHERE id = $3), $4, $5, $6, $7, $8, $9
        FROM {schema}.communities
        WHERE communities.id = $2";
    match event {
        ChannelEvent::Created(event) => {
            let (id, community) = (event.channel_id.0, event.community_id.0);
            let category = event.category_id.map(|id| id.0);
            let (name, topic) = (event.name.into_string(), event.topic.into_string());
            let kind = event.kind.as_str();
            let (private, overwrites) = (event.private, Json(event.overwrites));
            batch.write(
                INSERT,
                params![id, community, category, at.time, kind, name, topic, private, overwrites],
            );
        }
        ChannelEvent::Changed(event) => changed(batch, event),
        ChannelEvent::Deleted(event) => deleted(batch, event.channel_id, event.community_id),
        ChannelEvent::Overwritten(event) => overwritten(batch, &event),
        ChannelEvent::DirectOpened(event) => {
            conversation(batch, event.channel_id, (ChannelKind::Direct, None, None), at);
            event.accounts.into_iter().for_each(|account| comes(batch, event.channel_id, account, at));
        }
        ChannelEvent::GroupCreated(event) => {
            let group = (ChannelKind::Group, Some(event.owner_id), event.name);
            conversation(batch, event.channel_id, group, at);
            event.members.into_iter().for_each(|account| comes(batch, event.channel_id, account, at));
        }
        ChannelEvent::GroupRenamed(event) => {
            const SQL: &str = "UPDATE {schema}.channels SET name = $2 WHERE id = $1";
            batch.write(SQL, params![event.channel_id.0, event.name.map(ChannelName::into_string)]);
        }
        ChannelEvent::GroupMemberAdded(event) => comes(batch, event.channel_id, event.account_id, at),
        ChannelEvent::GroupMemberRemoved(event) => {
            const SQL: &str = "
                UPDATE {schema}.participants SET position = $3, joined_at = NULL
                WHERE channel_id = $1 AND account_id = $2";
            batch.write(SQL, params![event.channel_id.0, event.account_id.0, at.bigint()]);
            if event.ended {
                gone(batch, event.channel_id);
            }
        }
        ChannelEvent::GroupHandedOver(event) => {
            const SQL: &str = "UPDATE {schema}.channels SET owner_id = $2 WHERE id = $1";
            batch.write(SQL, params![event.channel_id.0, event.owner_id.0]);
        }
    }
}

fn changed(batch: &mut Batch, event: ChannelChanged) {
    const SETTINGS: &str = "
        UPDATE {schema}.channels
        SET name = coalesce($2, name), topic = coalesce($3, topic), private = coalesce($4, private),
            slow_mode = coalesce($5, slow_mode), archived = coalesce($6, archived)
        WHERE id = $1";
    const CATEGORY: &str = "
        UPDATE {schema}.channels
        SET category_id = (SELECT category.id FROM {schema}.channels AS category WHERE category.id = $2)
        WHERE id = $1";
    let id = event.channel_id.0;
    let name = event.name.map(ChannelName::into_string);
    let topic = event.topic.map(ChannelTopic::into_string);
    let slow_mode = event.slow_mode.map(|slow_mode| slow_mode.seconds().cast_signed());
    batch.write(SETTINGS, params![id, name, topic, event.private, slow_mode, event.archived]);
    if let Some(category) = event.category_id {
        batch.write(CATEGORY, params![id, category.map(|id| id.0)]);
    }
}

/// The whole layout: what it does not name has no place.
pub(crate) fn ordered(batch: &mut Batch, event: &ChannelOrderEvent) {
    const PLACES: &str = "
        UPDATE {schema}.channels
        SET place = array_position($2::uuid[], id)
        WHERE community_id = $1";
    const CATEGORIES: &str = "
        UPDATE {schema}.channels
        SET category_id = (SELECT category.id FROM {schema}.channels AS category WHERE category.id = wanted.category)
        FROM unnest($2::uuid[], $3::uuid[]) AS wanted (id, category)
        WHERE channels.community_id = $1 AND channels.id = wanted.id";
    let ChannelOrderEvent::Ordered(event) = event;
    let community = event.community_id.0;
    let ids: Vec<_> = event.channels.iter().map(|placed| placed.id.0).collect();
    let categories: Vec<_> = event.channels.iter().map(|placed| placed.category_id.map(|id| id.0)).collect();
    batch.write(PLACES, params![community, ids.clone()]);
    batch.write(CATEGORIES, params![community, ids, categories]);
}

fn overwritten(batch: &mut Batch, event: &ChannelOverwritten) {
    const SQL: &str = "
        UPDATE {schema}.channels
        SET overwrites = $3::jsonb || (
            SELECT coalesce(jsonb_agg(entry ORDER BY place), '[]')
            FROM jsonb_array_elements(overwrites) WITH ORDINALITY AS entries (entry, place)
            WHERE NOT entry @> $2::jsonb
        )
        WHERE id = $1";
    let now: Overwrites = [(event.target, event.overwrite)].into_iter().collect();
    batch.write(SQL, params![event.channel_id.0, Json(event.target), Json(now)]);
}

fn conversation(
    batch: &mut Batch,
    id: ChannelId,
    (kind, owner, name): (ChannelKind, Option<AccountId>, Option<ChannelName>),
    at: At,
) {
    const SQL: &str = "
        INSERT INTO {schema}.channels (id, owner_id, created_at, kind, name, topic, private, overwrites)
        VALUES ($1, $2, $3, $4, $5, '', false, '[]')";
    let (owner, name) = (owner.map(|id| id.0), name.map(ChannelName::into_string));
    batch.write(SQL, params![id.0, owner, at.time, kind.as_str(), name]);
}

fn comes(batch: &mut Batch, channel: ChannelId, account: AccountId, at: At) {
    const SQL: &str = "
        INSERT INTO {schema}.participants (channel_id, account_id, position, joined_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT ON CONSTRAINT participants_pkey DO UPDATE
        SET position = excluded.position, joined_at = excluded.joined_at";
    batch.write(SQL, params![channel.0, account.0, at.bigint(), at.time]);
}

/// The channel with all that is in it.
fn gone(batch: &mut Batch, id: ChannelId) {
    const CHANNEL: &str = "DELETE FROM {schema}.channels WHERE id = $1";
    for template in message::DELETE_IN_CHANNEL.into_iter().chain([CHANNEL]) {
        batch.write(template, params![id.0]);
    }
}

fn deleted(batch: &mut Batch, id: ChannelId, community: CommunityId) {
    const CATEGORY: &str = "
        UPDATE {schema}.channels SET category_id = NULL WHERE community_id = $2 AND category_id = $1";
    gone(batch, id);
    batch.write(CATEGORY, params![id.0, community.0]);
}
