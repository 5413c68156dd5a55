//! Direct and group channels: who comes, who goes, who owns.

use std::collections::BTreeSet;

use super::{
    Channel, ChannelError, ChannelEvent, ChannelName, DirectOpened, GroupCreated, GroupHandedOver,
    GroupMemberAdded, GroupMemberRemoved, Home, direct_id, pair,
};
use crate::{AccountId, ChannelId, Standing};

/// Most members of a group, its owner among them.
pub const MAX_GROUP_MEMBERS: usize = 25;

pub(super) fn create_group(
    channel_id: ChannelId,
    by: AccountId,
    name: Option<ChannelName>,
    others: BTreeSet<AccountId>,
    blocked: bool,
) -> Result<Vec<ChannelEvent>, ChannelError> {
    if others.is_empty() || others.contains(&by) {
        return Err(ChannelError::WithOneself);
    }
    if others.len() >= MAX_GROUP_MEMBERS {
        return Err(ChannelError::TooManyMembers);
    }
    if blocked {
        return Err(ChannelError::Blocked);
    }
    let members = others.into_iter().chain([by]).collect();
    Ok(vec![GroupCreated { channel_id, name, owner_id: by, members }.into()])
}

impl Channel {
    /// A direct channel is opened once; whoever opens it again finds it, blocked or not.
    pub(super) fn open_direct(
        &self,
        by: AccountId,
        with: AccountId,
        blocked: bool,
    ) -> Result<Vec<ChannelEvent>, ChannelError> {
        if by == with {
            return Err(ChannelError::WithOneself);
        }
        if *self != Self::Absent {
            return Ok(vec![]);
        }
        if blocked {
            return Err(ChannelError::Blocked);
        }
        let (channel_id, accounts) = (direct_id(by, with), pair(by, with));
        Ok(vec![DirectOpened { channel_id, accounts, by }.into()])
    }

    pub(super) fn add_member(
        &self,
        by: &Standing,
        account: AccountId,
        blocked: bool,
    ) -> Result<Vec<ChannelEvent>, ChannelError> {
        let (channel_id, _, members) = self.group_of(by)?;
        if members.contains(&account) {
            return Ok(vec![]);
        }
        if blocked {
            return Err(ChannelError::Blocked);
        }
        if members.len() >= MAX_GROUP_MEMBERS {
            return Err(ChannelError::TooManyMembers);
        }
        Ok(vec![GroupMemberAdded { channel_id, account_id: account, by: by.account }.into()])
    }

    /// The owner who leaves hands over first, to who has been there longest.
    pub(super) fn remove_member(
        &self,
        by: &Standing,
        account: AccountId,
    ) -> Result<Vec<ChannelEvent>, ChannelError> {
        let (channel_id, owner, members) = self.group_of(by)?;
        if account != by.account && owner != by.account {
            return Err(ChannelError::NotGroupOwner);
        }
        if !members.contains(&account) {
            return Err(ChannelError::UnknownMember);
        }
        let mut events = vec![];
        let heir = members.iter().find(|member| **member != account).filter(|_| account == owner);
        if let Some(heir) = heir {
            events.push(GroupHandedOver { channel_id, owner_id: *heir, by: by.account }.into());
        }
        let ended = members.len() == 1;
        events.push(GroupMemberRemoved { channel_id, account_id: account, by: by.account, ended }.into());
        Ok(events)
    }

    pub(super) fn hand_over(
        &self,
        by: &Standing,
        account: AccountId,
    ) -> Result<Vec<ChannelEvent>, ChannelError> {
        let (channel_id, owner, members) = self.group_of(by)?;
        if owner != by.account {
            return Err(ChannelError::NotGroupOwner);
        }
        if !members.contains(&account) {
            return Err(ChannelError::UnknownMember);
        }
        if account == owner {
            return Ok(vec![]);
        }
        Ok(vec![GroupHandedOver { channel_id, owner_id: account, by: by.account }.into()])
    }

    /// The group, its owner and its members, if `by` is one of them.
    fn group_of(&self, by: &Standing) -> Result<(ChannelId, AccountId, &[AccountId]), ChannelError> {
        let channel = self.seen_by(by)?;
        match &channel.home {
            Home::Group { owner, members } => Ok((channel.id, *owner, members)),
            Home::Community(_) | Home::Direct(_) => Err(ChannelError::NotGroup),
        }
    }
}
