//! The names of streams and topics. They are in the log for ever.

use crate::{AccountId, ChannelId, CommunityId, MessageId, ReportId};

pub const INSTALLATION: &str = "installation";

pub fn account(id: AccountId) -> String {
    format!("account-{id}")
}

/// Claims a unique name. `digest` is a keyed digest of the folded name, in hex: a name is personal text.
pub fn handle(digest: &str) -> String {
    format!("handle-{digest}")
}

/// Claims an e-mail address, likewise by its digest.
pub fn email(digest: &str) -> String {
    format!("email-{digest}")
}

pub fn community(id: CommunityId) -> String {
    format!("community-{id}")
}

pub fn membership(community: CommunityId, account: AccountId) -> String {
    format!("membership-{community}-{account}")
}

pub fn channel(id: ChannelId) -> String {
    format!("channel-{id}")
}

/// The order of a community's channels: beside their own streams, so that reordering hinders nobody who posts.
pub fn channel_order(community: CommunityId) -> String {
    format!("channels-{community}")
}

/// Who of two accounts has blocked the other; whoever of them comes first.
pub fn block(one: AccountId, other: AccountId) -> String {
    format!("block-{}", crate::channel::direct_id(one, other))
}

pub fn message(id: MessageId) -> String {
    format!("message-{id}")
}

/// What people react with to a message.
pub fn reaction(message: MessageId) -> String {
    format!("reaction-{message}")
}

/// The votes on the poll of a message.
pub fn poll(message: MessageId) -> String {
    format!("poll-{message}")
}

pub fn invite(code: &str) -> String {
    format!("invite-{code}")
}

pub fn report(id: ReportId) -> String {
    format!("report-{id}")
}

/// What an account says of following a thread.
pub fn follow(account: AccountId, root: MessageId) -> String {
    format!("follow-{account}-{root}")
}

/// The id in a stream's name, such as the message's in `message-{id}`.
pub fn id_in(stream: &str) -> Option<uuid::Uuid> {
    let (_, id) = stream.split_once('-')?;
    uuid::Uuid::parse_str(id).ok()
}

/// Topics: whom an event concerns.
pub mod topics {
    use super::{AccountId, ChannelId, CommunityId};

    pub const INSTALLATION: &str = "installation";
    /// Public facts about accounts, of interest to everyone who shares a community with one.
    pub const PROFILES: &str = "profiles";

    pub fn account(id: AccountId) -> String {
        format!("account:{id}")
    }

    pub fn community(id: CommunityId) -> String {
        format!("community:{id}")
    }

    pub fn channel(id: ChannelId) -> String {
        format!("channel:{id}")
    }
}
