//! Conversations, blocks, and what is set about channels, among random histories.

use domain::block::{AccountBlocked, AccountUnblocked, BlockEvent};
use domain::channel::{
    ChannelChanged, ChannelEvent, ChannelName, ChannelOverwritten, DirectOpened, GroupCreated,
    GroupHandedOver, GroupMemberAdded, GroupMemberRemoved, GroupRenamed, SlowMode, direct_id, pair,
};
use domain::channel_order::{ChannelOrderEvent, ChannelsOrdered, Placed};
use domain::message::{Content, MessageEvent, MessagePosted};
use domain::permission::{Overwrite, Target};
use domain::{AccountId, ChannelId, CommunityId, MessageId, Permissions, Personal, Role};

use super::choose;
use crate::world::{Place, World};

/// The groups that there are, with their members, and the direct channels.
#[derive(Default)]
pub(super) struct Talks {
    groups: Vec<(ChannelId, Vec<AccountId>)>,
    direct: Vec<(ChannelId, [AccountId; 2])>,
}

impl Talks {
    pub(super) async fn happen(
        &mut self,
        world: &World,
        accounts: &[AccountId],
        what: u8,
        (first, second): (usize, usize),
    ) -> Option<()> {
        let (one, other) = (choose(accounts, first)?, choose(accounts, second)?);
        match what {
            0 if one != other => self.open(world, one, other).await,
            1 => self.create(world, one, other).await,
            2 => self.come_or_go(world, first, other).await?,
            3 => self.leave(world, first, second).await?,
            4 if one != other => block(world, one, other, second).await,
            _ => self.post(world, first, second).await?,
        }
        Some(())
    }

    async fn open(&mut self, world: &World, by: AccountId, with: AccountId) {
        let (channel_id, accounts) = (direct_id(by, with), pair(by, with));
        if self.direct.iter().all(|(id, _)| *id != channel_id) {
            self.direct.push((channel_id, accounts));
            world.tell(ChannelEvent::from(DirectOpened { channel_id, accounts, by })).await;
        }
    }

    async fn create(&mut self, world: &World, owner_id: AccountId, other: AccountId) {
        let channel_id = ChannelId(world.id());
        let members = [owner_id, other].into();
        let name = Some(ChannelName::parse("group").unwrap());
        self.groups.push((channel_id, Vec::from_iter(&members).into_iter().copied().collect()));
        world.tell(ChannelEvent::from(GroupCreated { channel_id, name, owner_id, members })).await;
    }

    async fn come_or_go(&mut self, world: &World, number: usize, account_id: AccountId) -> Option<()> {
        let count = self.groups.len().max(1);
        let (channel_id, members) = self.groups.get_mut(number % count)?;
        let (channel_id, by) = (*channel_id, members[0]);
        if members.contains(&account_id) {
            let owner_id = account_id;
            world.tell(ChannelEvent::from(GroupHandedOver { channel_id, owner_id, by })).await;
            let name = number.is_multiple_of(2).then(|| ChannelName::parse("renamed").unwrap());
            world.tell(ChannelEvent::from(GroupRenamed { channel_id, name, by })).await;
        } else {
            members.push(account_id);
            world.tell(ChannelEvent::from(GroupMemberAdded { channel_id, account_id, by })).await;
        }
        Some(())
    }

    async fn leave(&mut self, world: &World, number: usize, whom: usize) -> Option<()> {
        let index = number % self.groups.len().max(1);
        let (channel_id, members) = self.groups.get_mut(index)?;
        let channel_id = *channel_id;
        let account_id = members.remove(whom % members.len());
        let ended = members.is_empty();
        if ended {
            self.groups.remove(index);
        }
        let by = account_id;
        let removed = GroupMemberRemoved { channel_id, account_id, by, ended };
        world.tell(ChannelEvent::from(removed)).await;
        Some(())
    }

    async fn post(&self, world: &World, number: usize, whom: usize) -> Option<()> {
        let (channel_id, author_id) = if number.is_multiple_of(2) {
            let (channel, members) = choose(&self.groups, number)?;
            (channel, choose(&members, whom)?)
        } else {
            let (channel, accounts) = choose(&self.direct, number)?;
            (channel, accounts[whom % 2])
        };
        let posted = MessagePosted {
            message_id: MessageId(world.id()),
            channel_id,
            community_id: None,
            author_id,
            reply_to: None,
            poll: None,
            thread_id: None,
            forwarded: None,
            mentions: domain::mention::Mentions::default(),
            text: Personal::Clear(Content::parse("between us").unwrap().into()),
        };
        world.tell(MessageEvent::from(posted)).await;
        Some(())
    }
}

async fn block(world: &World, by: AccountId, account_id: AccountId, number: usize) {
    if number.is_multiple_of(3) {
        world.tell(BlockEvent::from(AccountUnblocked { account_id, by })).await;
    } else {
        world.tell(BlockEvent::from(AccountBlocked { account_id, by })).await;
    }
}

/// What is set about a channel, or about the order of all.
pub(super) async fn set(
    world: &World,
    channels: &[Place],
    by: AccountId,
    (first, second): (usize, usize),
) -> Option<()> {
    let (community_id, channel_id) = choose(channels, first)?;
    let other = choose(channels, second).filter(|(community, _)| *community == community_id);
    let category_id = other.map(|(_, channel)| channel).filter(|channel| *channel != channel_id);
    match second % 3 {
        0 => {
            let changed = ChannelChanged {
                private: Some(first.is_multiple_of(2)),
                slow_mode: SlowMode::new(second as u32),
                archived: Some(second.is_multiple_of(2)),
                category_id: Some(category_id),
                ..ChannelChanged::nothing(channel_id, community_id)
            };
            world.tell(ChannelEvent::from(changed)).await;
        }
        1 => {
            let target =
                if first.is_multiple_of(2) { Target::Role(Role::Guest) } else { Target::Account(by) };
            let allow = if second.is_multiple_of(2) { Permissions::POST } else { Permissions::empty() };
            let overwrite = Overwrite { allow, deny: Permissions::empty() };
            let overwritten = ChannelOverwritten { channel_id, community_id, target, overwrite, by };
            world.tell(ChannelEvent::from(overwritten)).await;
        }
        _ => order(world, channels, community_id, by, second).await,
    }
    Some(())
}

async fn order(world: &World, channels: &[Place], community_id: CommunityId, by: AccountId, number: usize) {
    let of_it = channels.iter().filter(|(community, _)| *community == community_id);
    let mut layout: Vec<Placed> = of_it.map(|(_, id)| Placed { id: *id, category_id: None }).collect();
    layout.reverse();
    layout.truncate(number % 4 + 1);
    if let [first, second, ..] = &mut layout[..] {
        second.category_id = Some(first.id);
    }
    world.tell(ChannelOrderEvent::from(ChannelsOrdered { community_id, channels: layout, by })).await;
}
