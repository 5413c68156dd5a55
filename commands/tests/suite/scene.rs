//! A community in full swing.

use std::ops::Deref;

use commands::NewChannel;
use domain::channel::{ChannelKind, ChannelName, ChannelTopic};
use domain::community::CommunityName;
use domain::invite::InviteCode;
use domain::{AccountId, ChannelId, CommunityId, Event, MessageId, Role, streams};
use jiff::SignedDuration;

use crate::world::{World, by, content, decoded};

pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) owner: AccountId,
    pub(crate) moderator: AccountId,
    pub(crate) member: AccountId,
    /// Registered, but in no community.
    pub(crate) outsider: AccountId,
    pub(crate) community: CommunityId,
    /// The community's first.
    pub(crate) channel: ChannelId,
}

impl Deref for Scene {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl Scene {
    pub(crate) async fn set() -> Self {
        let world = World::new().await;
        let owner = world.person("owner").await;
        let moderator = world.person("moderator").await;
        let member = world.person("member").await;
        let outsider = world.person("outsider").await;
        let community = world.commands.create_community(&by(owner), name("Here")).await.unwrap().made;
        let channel = first_channel(&world, community).await;
        let scene = Self { world, owner, moderator, member, outsider, community, channel };
        scene.let_in(moderator).await;
        scene.let_in(member).await;
        scene.grant(moderator, &[Role::Moderator]).await;
        scene
    }

    pub(crate) async fn invite(
        &self,
        max_uses: Option<u32>,
        expires_in: Option<SignedDuration>,
    ) -> InviteCode {
        let made = self.commands.create_invite(&by(self.owner), self.community, max_uses, expires_in).await;
        made.unwrap().made.invite.code
    }

    pub(crate) async fn let_in(&self, account: AccountId) {
        let code = self.invite(None, None).await;
        assert!(self.commands.redeem_invite(&by(account), code).await.unwrap().made.joined);
    }

    pub(crate) async fn grant(&self, account: AccountId, roles: &[Role]) {
        let roles = roles.iter().copied().collect();
        self.commands.set_roles(&by(self.owner), self.community, account, roles).await.unwrap();
    }

    pub(crate) async fn post(&self, author: AccountId, text: &str) -> MessageId {
        let posted = self.commands.post_message(&by(author), self.channel, content(text), None).await;
        posted.unwrap().made.facts.id
    }

    pub(crate) async fn new_channel(&self, kind: ChannelKind) -> ChannelId {
        let created = self.commands.create_channel(&by(self.owner), self.community, a_channel(kind)).await;
        created.unwrap().made.channel.id
    }

    pub(crate) fn membership(&self, account: AccountId) -> String {
        streams::membership(self.community, account)
    }
}

pub(crate) fn name(text: &str) -> CommunityName {
    CommunityName::parse(text).unwrap()
}

pub(crate) fn a_channel(kind: ChannelKind) -> NewChannel {
    let (name, topic) = (ChannelName::parse("lounge").unwrap(), ChannelTopic::parse("Tea").unwrap());
    NewChannel { name, kind, topic, category_id: None, private: None, overwrites: None, existing: 0 }
}

/// The only channel that a community has so far.
pub(crate) async fn first_channel(world: &World, community: CommunityId) -> ChannelId {
    let mut channels = world.all("channel.created").await.into_iter().filter_map(|record| {
        let Event::Channel(domain::channel::ChannelEvent::Created(created)) = decoded(&record) else {
            return None;
        };
        (created.community_id == community).then_some(created.channel_id)
    });
    let first = channels.next().expect("a community starts with a channel");
    assert!(channels.next().is_none(), "a community starts with one channel");
    first
}
