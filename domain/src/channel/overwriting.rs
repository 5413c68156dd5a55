//! Giving a channel its exceptions.

use super::{Channel, ChannelError, ChannelEvent, ChannelOverwritten};
use crate::permission::{MAX_OVERWRITES, Overwrite, Overwrites, Target};
use crate::{Permissions, Rank, Standing};

/// An overwrite as somebody wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedOverwrite {
    pub target: Target,
    /// What the target's rank is; `None`: the community has no such role or member.
    pub rank: Option<Rank>,
    pub overwrite: Overwrite,
}

impl WantedOverwrite {
    /// Whether `by` may put this in the place of what is there. What counts is what changes by it: who lacks a permission
    /// gives it to nobody, and takes nobody's denial of it away.
    pub(super) fn check(&self, there: &Overwrites, by: &Standing) -> Result<(), ChannelError> {
        let Self { target, rank, overwrite: Overwrite { allow, deny } } = *self;
        if !Permissions::IN_CHANNEL.contains(allow | deny) {
            return Err(ChannelError::NotOfChannel);
        }
        if allow.intersects(deny) {
            return Err(ChannelError::AllowedAndDenied);
        }
        let before = there.get(target);
        let rank = match rank {
            Some(rank) => rank,
            // What is left of somebody who went can be taken away.
            None if before.is_some() && self.overwrite.is_empty() => Rank::OUTSIDER,
            None => return Err(ChannelError::UnknownTarget),
        };
        if rank >= by.rank && !by.is_owner() {
            return Err(ChannelError::TargetTooHigh);
        }
        let before = before.unwrap_or_default();
        let changed = (allow ^ before.allow) | (deny ^ before.deny);
        if !by.may(changed) {
            return Err(ChannelError::GrantsMore);
        }
        Ok(())
    }
}

impl Channel {
    pub(super) fn overwrite(
        &self,
        by: &Standing,
        wanted: &WantedOverwrite,
    ) -> Result<Vec<ChannelEvent>, ChannelError> {
        let channel = self.seen_by(by)?;
        let community_id = channel.community_id().ok_or(ChannelError::OfConversation)?;
        if !by.may(Permissions::MANAGE_CHANNELS) && !by.may(Permissions::MANAGE_ROLES) {
            return Err(ChannelError::MayNotManage);
        }
        let WantedOverwrite { target, overwrite, .. } = *wanted;
        let before = channel.overwrites.get(target);
        if before.unwrap_or_default() == overwrite {
            return Ok(vec![]);
        }
        wanted.check(&channel.overwrites, by)?;
        if before.is_none() && channel.overwrites.len() >= MAX_OVERWRITES {
            return Err(ChannelError::TooManyOverwrites);
        }
        let (channel_id, by) = (channel.id, by.account);
        Ok(vec![ChannelOverwritten { channel_id, community_id, target, overwrite, by }.into()])
    }
}
