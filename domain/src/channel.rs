//! `channel-{id}`: a place to talk in, of a community or of two or more accounts.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::permission::Overwrites;
use crate::text::bounded;
use crate::{AccountId, Aggregate, ChannelId, CommunityId, Standing};

mod conversation;
mod error;
mod event;
mod overwriting;
mod settings;

pub use conversation::MAX_GROUP_MEMBERS;
pub use error::ChannelError;
pub use event::{
    ChannelChanged, ChannelCreated, ChannelDeleted, ChannelEvent, ChannelOverwritten, DirectOpened,
    GroupCreated, GroupHandedOver, GroupMemberAdded, GroupMemberRemoved, GroupRenamed,
};
pub use overwriting::WantedOverwrite;
pub use settings::{ChannelChange, CreateChannel, InCategory};

/// Most channels that one community has, its categories among them.
pub const MAX_CHANNELS: usize = 500;

/// The namespace of the ids of direct channels.
const DIRECT_CHANNELS: Uuid = Uuid::from_u128(0x2d1f_7c0e_94b3_5a6e_8d27_51c4_e0b9_a36f);

/// The two in the order in which they stand in the log.
pub fn pair(one: AccountId, other: AccountId) -> [AccountId; 2] {
    if one <= other { [one, other] } else { [other, one] }
}

/// The id of the one direct channel of two accounts: it follows from theirs, so there are never two.
pub fn direct_id(one: AccountId, other: AccountId) -> ChannelId {
    let [first, second] = pair(one, other);
    let name = [first.0.into_bytes(), second.0.into_bytes()].concat();
    ChannelId(Uuid::new_v5(&DIRECT_CHANNELS, &name))
}

/// How many seconds an account waits between two posts of its own in a channel; 0: it need not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SlowMode(u32);

impl SlowMode {
    /// Six hours.
    pub const MAX: u32 = 21_600;

    pub fn new(seconds: u32) -> Option<Self> {
        (seconds <= Self::MAX).then_some(Self(seconds))
    }

    pub fn seconds(self) -> u32 {
        self.0
    }

    pub fn is_off(self) -> bool {
        self.0 == 0
    }
}

bounded!(ChannelName, line, 1..=100);
bounded!(
    /// What a channel is for. Empty: none.
    ChannelTopic, line, 0..=1_024
);

impl ChannelTopic {
    pub fn none() -> Self {
        Self::parse("").expect("an empty topic fits")
    }
}

/// What a channel carries. Every kind but a category holds messages too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    Text,
    Audio,
    Video,
    /// Groups other channels.
    Category,
    /// Of two accounts, outside communities.
    Direct,
    /// Of some accounts, outside communities.
    Group,
}

impl ChannelKind {
    pub const ALL: [Self; 6] =
        [Self::Text, Self::Audio, Self::Video, Self::Category, Self::Direct, Self::Group];
    /// Those that a community has.
    pub const OF_COMMUNITY: [Self; 4] = [Self::Text, Self::Audio, Self::Video, Self::Category];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Category => "category",
            Self::Direct => "direct",
            Self::Group => "group",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// The fold of a channel's stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Channel {
    #[default]
    Absent,
    Live(LiveChannel),
    /// Or, of a group, left by its last member.
    Deleted(LiveChannel),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveChannel {
    pub id: ChannelId,
    pub home: Home,
    /// `None`: a direct channel, or a group that goes by its members' names.
    pub name: Option<ChannelName>,
    pub kind: ChannelKind,
    pub topic: ChannelTopic,
    /// As said of this channel alone: an order of all channels may have moved it since, or its category is gone.
    pub category_id: Option<ChannelId>,
    pub private: bool,
    pub overwrites: Overwrites,
    pub slow_mode: SlowMode,
    /// Readable, but nobody adds anything to it.
    pub archived: bool,
}

/// Whose channel it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Home {
    Community(CommunityId),
    /// A direct channel, of these two.
    Direct([AccountId; 2]),
    /// A group channel. The owner is one of the members, who stand in the order in which they came.
    Group {
        owner: AccountId,
        members: Vec<AccountId>,
    },
}

impl LiveChannel {
    fn conversation(id: ChannelId, kind: ChannelKind, home: Home) -> Self {
        Self {
            id,
            home,
            name: None,
            kind,
            topic: ChannelTopic::none(),
            category_id: None,
            private: false,
            overwrites: Overwrites::default(),
            slow_mode: SlowMode::default(),
            archived: false,
        }
    }

    /// `None` for a direct or group channel.
    pub fn community_id(&self) -> Option<CommunityId> {
        match self.home {
            Home::Community(id) => Some(id),
            Home::Direct(_) | Home::Group { .. } => None,
        }
    }
}

impl Channel {
    pub fn live(&self) -> Option<&LiveChannel> {
        match self {
            Self::Live(channel) => Some(channel),
            Self::Absent | Self::Deleted(_) => None,
        }
    }

    fn group(&mut self) -> Option<(&mut AccountId, &mut Vec<AccountId>)> {
        match self {
            Self::Live(LiveChannel { home: Home::Group { owner, members }, .. }) => Some((owner, members)),
            Self::Live(_) | Self::Absent | Self::Deleted(_) => None,
        }
    }

    fn end(&mut self) {
        *self = match std::mem::take(self) {
            Self::Live(channel) => Self::Deleted(channel),
            ended => ended,
        };
    }

    /// What is known of the channel, deleted or not.
    pub fn last(&self) -> Option<&LiveChannel> {
        match self {
            Self::Live(channel) | Self::Deleted(channel) => Some(channel),
            Self::Absent => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelCommand {
    Create(CreateChannel),
    /// A community's channel, or the name of a group.
    Change {
        by: Standing,
        change: ChannelChange,
    },
    Delete {
        by: Standing,
    },
    /// An empty overwrite takes the target's away.
    Overwrite {
        by: Standing,
        wanted: WantedOverwrite,
    },
    /// `blocked`: one of the two has blocked the other.
    OpenDirect {
        by: AccountId,
        with: AccountId,
        blocked: bool,
    },
    /// `blocked`: one of `others` and who creates it have a block between them.
    CreateGroup {
        id: ChannelId,
        by: AccountId,
        name: Option<ChannelName>,
        others: BTreeSet<AccountId>,
        blocked: bool,
    },
    AddMember {
        by: Standing,
        account: AccountId,
        blocked: bool,
    },
    /// Oneself: to leave.
    RemoveMember {
        by: Standing,
        account: AccountId,
    },
    HandOver {
        by: Standing,
        account: AccountId,
    },
}

impl Aggregate for Channel {
    type Event = ChannelEvent;
    type Command = ChannelCommand;
    type Error = ChannelError;

    fn evolve(&mut self, event: &ChannelEvent) {
        match event {
            ChannelEvent::Created(created) => {
                *self = Self::Live(LiveChannel {
                    id: created.channel_id,
                    home: Home::Community(created.community_id),
                    name: Some(created.name.clone()),
                    kind: created.kind,
                    topic: created.topic.clone(),
                    category_id: created.category_id,
                    private: created.private,
                    overwrites: created.overwrites.clone(),
                    slow_mode: SlowMode::default(),
                    archived: false,
                });
            }
            ChannelEvent::Changed(changed) => {
                if let Self::Live(channel) = self {
                    if let Some(name) = &changed.name {
                        channel.name = Some(name.clone());
                    }
                    if let Some(topic) = &changed.topic {
                        channel.topic = topic.clone();
                    }
                    channel.private = changed.private.unwrap_or(channel.private);
                    channel.slow_mode = changed.slow_mode.unwrap_or(channel.slow_mode);
                    channel.archived = changed.archived.unwrap_or(channel.archived);
                    channel.category_id = changed.category_id.unwrap_or(channel.category_id);
                }
            }
            ChannelEvent::Deleted(_) => self.end(),
            ChannelEvent::Overwritten(overwritten) => {
                if let Self::Live(channel) = self {
                    channel.overwrites.set(overwritten.target, overwritten.overwrite);
                }
            }
            ChannelEvent::DirectOpened(opened) => {
                let home = Home::Direct(opened.accounts);
                *self = Self::Live(LiveChannel::conversation(opened.channel_id, ChannelKind::Direct, home));
            }
            ChannelEvent::GroupCreated(created) => {
                let home = Home::Group {
                    owner: created.owner_id,
                    members: created.members.iter().copied().collect(),
                };
                let group = LiveChannel::conversation(created.channel_id, ChannelKind::Group, home);
                *self = Self::Live(LiveChannel { name: created.name.clone(), ..group });
            }
            ChannelEvent::GroupRenamed(renamed) => {
                if let Self::Live(channel) = self {
                    channel.name.clone_from(&renamed.name);
                }
            }
            ChannelEvent::GroupMemberAdded(added) => {
                if let Some((_, members)) = self.group()
                    && !members.contains(&added.account_id)
                {
                    members.push(added.account_id);
                }
            }
            ChannelEvent::GroupMemberRemoved(removed) => {
                if let Some((_, members)) = self.group() {
                    members.retain(|member| *member != removed.account_id);
                    if removed.ended {
                        self.end();
                    }
                }
            }
            ChannelEvent::GroupHandedOver(handed) => {
                if let Some((owner, _)) = self.group() {
                    *owner = handed.owner_id;
                }
            }
        }
    }

    fn decide(&self, command: ChannelCommand) -> Result<Vec<ChannelEvent>, ChannelError> {
        match command {
            ChannelCommand::Create(_) | ChannelCommand::CreateGroup { .. } if *self != Self::Absent => {
                Ok(vec![])
            }
            ChannelCommand::Create(create) => create.decide(),
            ChannelCommand::Change { by, change } => self.change(&by, change),
            ChannelCommand::Delete { by } => self.delete(&by),
            ChannelCommand::Overwrite { by, wanted } => self.overwrite(&by, &wanted),
            ChannelCommand::OpenDirect { by, with, blocked } => self.open_direct(by, with, blocked),
            ChannelCommand::CreateGroup { id, by, name, others, blocked } => {
                conversation::create_group(id, by, name, others, blocked)
            }
            ChannelCommand::AddMember { by, account, blocked } => self.add_member(&by, account, blocked),
            ChannelCommand::RemoveMember { by, account } => self.remove_member(&by, account),
            ChannelCommand::HandOver { by, account } => self.hand_over(&by, account),
        }
    }
}

impl Channel {
    /// The channel, if `by` may know of it.
    fn seen_by(&self, by: &Standing) -> Result<&LiveChannel, ChannelError> {
        let seen = |channel: &&LiveChannel| by.sees(channel.id, channel.community_id());
        self.live().filter(seen).ok_or(ChannelError::Unknown)
    }
}
