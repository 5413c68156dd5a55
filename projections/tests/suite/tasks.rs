//! Handlers run in tasks, so whatever they await must be `Send`; this fails to compile where something is not.

use std::time::Duration;

use domain::{AccountId, ChannelId, CommunityId, MessageId};
use event_store::Position;
use jiff::Timestamp;
use projections::{Range, Swap, rebuild, verify};
use uuid::Uuid;

use crate::world::World;

#[tokio::test]
async fn every_query_can_be_awaited_in_a_task() {
    let (world, _running) = World::running().await;
    let read = world.read.clone();
    let queries = async move {
        let (account, community) = (AccountId(Uuid::nil()), CommunityId(Uuid::nil()));
        let (channel, message) = (ChannelId(Uuid::nil()), MessageId(Uuid::nil()));
        read.account(account).await.unwrap();
        read.accounts(&[account]).await.unwrap();
        read.visible_account(account, account).await.unwrap();
        read.co_members_among(account, &[account]).await.unwrap();
        read.community(account, community).await.unwrap();
        read.communities_of(account).await.unwrap();
        read.public_community(community).await.unwrap();
        read.standing(account, community).await.unwrap();
        read.member(account, community, account).await.unwrap();
        read.members(account, community, None, 1).await.unwrap();
        read.bans(community, Timestamp::UNIX_EPOCH).await.unwrap();
        read.roles(account, community).await.unwrap();
        read.permissions_in(account, channel).await.unwrap();
        read.access_explained(account, channel, Timestamp::UNIX_EPOCH).await.unwrap();
        read.channel(account, channel).await.unwrap();
        read.history(account, channel, Range::Newest, 1).await.unwrap();
        read.message(account, message).await.unwrap();
        read.message_position(account, message).await.unwrap();
        read.messages(account, &[message]).await.unwrap();
        read.surroundings(&[account]).await.unwrap();
        read.member_ids(account, community).await.unwrap();
        read.versions(account, message).await.unwrap();
        read.invite("code").await.unwrap();
        read.invites(community, None).await.unwrap();
        read.installation().await.unwrap();
        read.bootstrap(account, &[]).await.unwrap();
        read.unread(account, &[]).await.unwrap();
        read.sight(account).await.unwrap();
        read.participants(account, channel).await.unwrap();
        if let Some(start) = read.read_start(account, channel).await.unwrap() {
            read.unread_in(account, channel, &start, None).await.unwrap();
        }
        read.access(account).await.unwrap();
        read.comings(account, Position::START).await.unwrap();
        read.checkpoint_load("name").await.unwrap();
        read.checkpoint_save("name", Position::START).await.unwrap();
        read.health().await.unwrap();
        assert!(read.wait_for(Position::START, Duration::ZERO).await);
    };
    tokio::spawn(queries).await.unwrap();

    let (url, store, vault) = (world.database.url().to_owned(), world.store.clone(), world.vault.clone());
    let rebuilding = async move {
        rebuild(&url, store.clone(), vault.clone(), |_| ()).await.unwrap();
        verify(&url, store, vault, Swap::Never, |_| ()).await.unwrap();
    };
    tokio::spawn(rebuilding).await.unwrap();
}
