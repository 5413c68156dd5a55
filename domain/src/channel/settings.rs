//! Making, changing and deleting a channel of a community.

use super::{
    Channel, ChannelChanged, ChannelCreated, ChannelDeleted, ChannelError, ChannelEvent, ChannelKind,
    ChannelName, ChannelOverwritten, ChannelTopic, GroupRenamed, Home, LiveChannel, MAX_CHANNELS, SlowMode,
    WantedOverwrite,
};
use crate::permission::{MAX_OVERWRITES, Overwrite, Overwrites, Target};
use crate::{ChannelId, CommunityId, Permissions, Standing};

/// A category to stand in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InCategory {
    pub id: ChannelId,
    pub state: Channel,
    /// The actor's standing there.
    pub by: Standing,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateChannel {
    pub id: ChannelId,
    /// In the community.
    pub by: Standing,
    pub name: ChannelName,
    pub kind: ChannelKind,
    pub topic: ChannelTopic,
    pub category: Option<InCategory>,
    /// `None`: as its category, or open to all.
    pub private: Option<bool>,
    /// `None`: those of its category, or none.
    pub overwrites: Option<Vec<WantedOverwrite>>,
    /// How many channels the community has.
    pub existing: usize,
}

/// What is to change; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChannelChange {
    pub name: Option<ChannelName>,
    pub topic: Option<ChannelTopic>,
    pub private: Option<bool>,
    pub slow_mode: Option<SlowMode>,
    pub archived: Option<bool>,
    /// `Some(None)`: into no category.
    pub category: Option<Option<InCategory>>,
}

impl ChannelChange {
    /// Whether there is something in it that only channels of communities have.
    fn is_for_community(&self) -> bool {
        let Self { name: _, topic, private, slow_mode, archived, category } = self;
        topic.is_some()
            || private.is_some()
            || slow_mode.is_some()
            || archived.is_some()
            || category.is_some()
    }
}

impl InCategory {
    /// Whether a channel of this kind may be put there; `community` is the channel's.
    fn takes(&self, kind: ChannelKind, community: Option<CommunityId>) -> Result<(), ChannelError> {
        if kind == ChannelKind::Category {
            return Err(ChannelError::CategoryInCategory);
        }
        let category = self.state.seen_by(&self.by).map_err(|_| ChannelError::CategoryNotFound)?;
        if category.kind != ChannelKind::Category || category.community_id() != community {
            return Err(ChannelError::CategoryNotFound);
        }
        if !self.by.may(Permissions::MANAGE_CHANNELS) {
            return Err(ChannelError::MayNotManage);
        }
        Ok(())
    }
}

/// The overwrite that keeps a channel in sight of who hides it from others.
fn let_in(overwrites: &Overwrites, by: &Standing) -> Option<(Target, Overwrite)> {
    let target = Target::Account(by.account);
    let Overwrite { allow, deny } = overwrites.get(target).unwrap_or_default();
    let own = Overwrite { allow: allow | Permissions::VIEW, deny: deny - Permissions::VIEW };
    (!by.is_owner() && !allow.contains(Permissions::VIEW)).then_some((target, own))
}

impl CreateChannel {
    pub(super) fn decide(self) -> Result<Vec<ChannelEvent>, ChannelError> {
        let community_id =
            self.by.community.filter(|_| self.by.is_member()).ok_or(ChannelError::UnknownCommunity)?;
        if !self.by.may(Permissions::MANAGE_CHANNELS) {
            return Err(ChannelError::MayNotManage);
        }
        if let Some(category) = &self.category {
            category.takes(self.kind, self.by.community)?;
        }
        if self.existing >= MAX_CHANNELS {
            return Err(ChannelError::TooMany);
        }
        let category = self.category.as_ref().and_then(|category| category.state.live());
        let private = self.private.or(category.map(|category| category.private)).unwrap_or(false);
        let by = self.category.as_ref().map_or(self.by, |category| category.by);
        let mut overwrites = match &self.overwrites {
            Some(wanted) => {
                let mut overwrites = Overwrites::default();
                for wanted in wanted {
                    wanted.check(&overwrites, &by)?;
                    overwrites.set(wanted.target, wanted.overwrite);
                }
                overwrites
            }
            None => category.map(|category| category.overwrites.clone()).unwrap_or_default(),
        };
        let hidden = overwrites.iter().any(|(_, overwrite)| overwrite.deny.contains(Permissions::VIEW));
        // What was copied with its category is seen as that is.
        let copied =
            self.overwrites.is_none() && category.is_some_and(|category| private == category.private);
        if (private || hidden)
            && !copied
            && let Some((target, own)) = let_in(&overwrites, &by)
        {
            overwrites.set(target, own);
        }
        if overwrites.len() > MAX_OVERWRITES {
            return Err(ChannelError::TooManyOverwrites);
        }
        let category_id = self.category.map(|category| category.id);
        let Self { id: channel_id, name, kind, topic, .. } = self;
        Ok(vec![
            ChannelCreated { channel_id, community_id, name, kind, topic, category_id, private, overwrites }
                .into(),
        ])
    }
}

impl Channel {
    pub(super) fn change(
        &self,
        by: &Standing,
        change: ChannelChange,
    ) -> Result<Vec<ChannelEvent>, ChannelError> {
        let channel = self.seen_by(by)?;
        match &channel.home {
            Home::Community(_) => self.change_settings(by, change),
            Home::Direct(_) => Err(ChannelError::OfConversation),
            Home::Group { .. } if change.is_for_community() => Err(ChannelError::OfConversation),
            Home::Group { .. } => {
                let name = change.name.filter(|name| channel.name.as_ref() != Some(name));
                let renamed =
                    |name| GroupRenamed { channel_id: channel.id, name: Some(name), by: by.account };
                Ok(name.map(|name| renamed(name).into()).into_iter().collect())
            }
        }
    }

    fn change_settings(
        &self,
        by: &Standing,
        change: ChannelChange,
    ) -> Result<Vec<ChannelEvent>, ChannelError> {
        let (channel, community_id) = self.managed_by(by)?;
        let ChannelChange { name, topic, private, slow_mode, archived, category } = change;
        let of_messages = slow_mode.is_some() || archived.is_some();
        if channel.kind == ChannelKind::Category && of_messages {
            return Err(ChannelError::NotForCategory);
        }
        if let Some(Some(category)) = &category {
            category.takes(channel.kind, channel.community_id())?;
        }
        let changed = ChannelChanged {
            name: name.filter(|name| channel.name.as_ref() != Some(name)),
            topic: topic.filter(|topic| *topic != channel.topic),
            private: private.filter(|private| *private != channel.private),
            slow_mode: slow_mode.filter(|slow_mode| *slow_mode != channel.slow_mode),
            archived: archived.filter(|archived| *archived != channel.archived),
            // Said even where it stands there: an order of all channels may have moved it since.
            category_id: category.map(|category| category.map(|category| category.id)),
            ..ChannelChanged::nothing(channel.id, community_id)
        };
        if changed == ChannelChanged::nothing(channel.id, community_id) {
            return Ok(vec![]);
        }
        let mut events = vec![];
        if changed.private == Some(true)
            && let Some((target, overwrite)) = let_in(&channel.overwrites, by)
        {
            let new = channel.overwrites.get(target).is_none();
            if new && channel.overwrites.len() >= MAX_OVERWRITES {
                return Err(ChannelError::TooManyOverwrites);
            }
            let channel_id = channel.id;
            let by = by.account;
            events.push(ChannelOverwritten { channel_id, community_id, target, overwrite, by }.into());
        }
        events.push(changed.into());
        Ok(events)
    }

    pub(super) fn delete(&self, by: &Standing) -> Result<Vec<ChannelEvent>, ChannelError> {
        if self.seen_by(by)?.community_id().is_none() {
            return Err(ChannelError::OfConversation);
        }
        let (channel, community_id) = self.managed_by(by)?;
        Ok(vec![ChannelDeleted { channel_id: channel.id, community_id, deleted_by: by.account }.into()])
    }

    /// The channel and its community, if `by` may change it.
    fn managed_by(&self, by: &Standing) -> Result<(&LiveChannel, CommunityId), ChannelError> {
        let channel = self.seen_by(by)?;
        let community = channel.community_id().ok_or(ChannelError::Unknown)?;
        if by.may(Permissions::MANAGE_CHANNELS) {
            Ok((channel, community))
        } else {
            Err(ChannelError::MayNotManage)
        }
    }
}
