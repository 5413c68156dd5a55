//! Why something about a channel is refused.

use super::{MAX_CHANNELS, MAX_GROUP_MEMBERS};
use crate::permission::MAX_OVERWRITES;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    #[error("there is no such community")]
    UnknownCommunity,
    #[error("there is no such channel")]
    Unknown,
    #[error("you may not manage the channels of this community")]
    MayNotManage,
    #[error("a community has at most {MAX_CHANNELS} channels")]
    TooMany,
    #[error("the category is not one of this community")]
    CategoryNotFound,
    #[error("a category cannot stand in a category")]
    CategoryInCategory,
    #[error("a category holds no messages: there is nothing to slow down or to archive")]
    NotForCategory,
    #[error("a direct channel has no settings, and a group only its name")]
    OfConversation,
    #[error("the community has no such role or member")]
    UnknownTarget,
    #[error("you may overwrite only for roles and members of a lower rank than yours")]
    TargetTooHigh,
    #[error("this permission is not one of a channel")]
    NotOfChannel,
    #[error("a permission cannot be allowed and denied at once")]
    AllowedAndDenied,
    #[error("you may not allow or deny what you may not do yourself")]
    GrantsMore,
    #[error("a channel has at most {MAX_OVERWRITES} overwrites")]
    TooManyOverwrites,
    #[error("there is no such account")]
    UnknownAccount,
    #[error("this takes somebody else")]
    WithOneself,
    #[error("one of you has blocked the other")]
    Blocked,
    #[error("this is not a group channel")]
    NotGroup,
    #[error("only the owner of a group may do this")]
    NotGroupOwner,
    #[error("there is no such member in the group")]
    UnknownMember,
    #[error("a group has at most {MAX_GROUP_MEMBERS} members")]
    TooManyMembers,
}
