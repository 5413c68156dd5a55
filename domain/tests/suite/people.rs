//! The accounts, the community and the standings that the examples are about.

use std::collections::BTreeSet;

use domain::channel::{Channel, ChannelCreated, ChannelKind, ChannelName, ChannelTopic};
use domain::community::{Community, CommunityCreated, CommunityName};
use domain::membership::{JoinedBy, MemberJoined, Membership};
use domain::permission::Overwrites;
use domain::{AccountId, ChannelId, CommunityId, MessageId, Permissions, Role, Standing};
use jiff::Timestamp;
use uuid::Uuid;

use crate::given::fold;

pub(crate) const OWNER: AccountId = AccountId(Uuid::from_u128(0xa0));
pub(crate) const MODERATOR: AccountId = AccountId(Uuid::from_u128(0xa1));
pub(crate) const MEMBER: AccountId = AccountId(Uuid::from_u128(0xa2));
pub(crate) const OTHER: AccountId = AccountId(Uuid::from_u128(0xa3));
pub(crate) const GUEST: AccountId = AccountId(Uuid::from_u128(0xa4));
pub(crate) const STRANGER: AccountId = AccountId(Uuid::from_u128(0xa5));

pub(crate) const HERE: CommunityId = CommunityId(Uuid::from_u128(0xc0));
pub(crate) const ELSEWHERE: CommunityId = CommunityId(Uuid::from_u128(0xc1));

pub(crate) const CHANNEL: ChannelId = ChannelId(Uuid::from_u128(0xd0));
pub(crate) const OTHER_CHANNEL: ChannelId = ChannelId(Uuid::from_u128(0xd1));
pub(crate) const CATEGORY: ChannelId = ChannelId(Uuid::from_u128(0xd2));

pub(crate) const MESSAGE: MessageId = MessageId(Uuid::from_u128(0xe0));
pub(crate) const OTHER_MESSAGE: MessageId = MessageId(Uuid::from_u128(0xe1));

/// When the examples happen.
pub(crate) const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// The account's standing in [`CHANNEL`] as the product computes it, from the events that led to it.
pub(crate) fn standing(account: AccountId, community: CommunityId, roles: &[Role]) -> Standing {
    let created = CommunityCreated {
        community_id: community,
        name: CommunityName::parse("Here").unwrap(),
        owner_id: OWNER,
    };
    let joined = MemberJoined {
        community_id: community,
        account_id: account,
        roles: roles.iter().copied().collect::<BTreeSet<_>>(),
        joined_by: JoinedBy::Invite,
        invited_by: None,
    };
    let membership: Membership = if roles.is_empty() { fold([]) } else { fold([joined.into()]) };
    let channel: Channel = fold([plain_channel(CHANNEL, community).into()]);
    let channel = channel.live().unwrap();
    Standing::in_channel(account, channel, &fold::<Community>([created.into()]), &membership, NOW)
}

/// A text channel that everyone in the community may see.
pub(crate) fn plain_channel(id: ChannelId, community: CommunityId) -> ChannelCreated {
    ChannelCreated {
        channel_id: id,
        community_id: community,
        name: ChannelName::parse("general").unwrap(),
        kind: ChannelKind::Text,
        topic: ChannelTopic::none(),
        category_id: None,
        private: false,
        overwrites: Overwrites::default(),
    }
}

pub(crate) fn owner() -> Standing {
    standing(OWNER, HERE, &[Role::Member])
}

pub(crate) fn moderator() -> Standing {
    standing(MODERATOR, HERE, &[Role::Moderator])
}

pub(crate) fn member() -> Standing {
    standing(MEMBER, HERE, &[Role::Member])
}

/// A second member.
pub(crate) fn other() -> Standing {
    standing(OTHER, HERE, &[Role::Member])
}

pub(crate) fn guest() -> Standing {
    standing(GUEST, HERE, &[Role::Guest])
}

pub(crate) fn stranger() -> Standing {
    standing(STRANGER, HERE, &[])
}

/// The standing of `who` without these permissions, as no role gives it today.
pub(crate) fn without(who: Standing, permissions: Permissions) -> Standing {
    Standing { permissions: who.permissions - permissions, ..who }
}

#[test]
fn the_examples_stand_as_their_names_say() {
    let ranks = [owner(), moderator(), member(), other(), guest(), stranger()].map(|who| who.rank.number());
    assert_eq!(ranks, [u16::MAX, 3, 2, 2, 1, 0]);
}
