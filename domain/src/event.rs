//! Any event of the log, for readers of the whole of it.

use crate::account::AccountEvent;
use crate::block::BlockEvent;
use crate::channel::ChannelEvent;
use crate::channel_order::ChannelOrderEvent;
use crate::claim::ClaimEvent;
use crate::codec::{DecodeError, Encoded, EventSet, PersonalPart};
use crate::community::CommunityEvent;
use crate::installation::InstallationEvent;
use crate::invite::InviteEvent;
use crate::membership::MembershipEvent;
use crate::message::MessageEvent;
use crate::poll::PollEvent;
use crate::reaction::ReactionEvent;
use crate::report::ReportEvent;
use crate::streams::topics;
use crate::thread::ThreadEvent;

macro_rules! every_set {
    ($($variant:ident($set:ty)),+ $(,)?) => {
        /// One event of any stream.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[expect(clippy::large_enum_variant, reason = "the largest, a message, is the usual one")]
        pub enum Event {
            $($variant($set)),+
        }

        impl EventSet for Event {
            fn kinds() -> Vec<(&'static str, u16)> {
                [$(<$set>::kinds()),+].concat()
            }

            fn encode(&self) -> Encoded {
                match self {
                    $(Self::$variant(event) => event.encode()),+
                }
            }

            fn decode(
                kind: &str,
                schema: u16,
                data: &[u8],
                personal: PersonalPart<'_>,
            ) -> Result<Option<Self>, DecodeError> {
                $(if let Some(event) = <$set>::decode(kind, schema, data, personal)? {
                    return Ok(Some(Self::$variant(event)));
                })+
                Ok(None)
            }
        }

        $(impl From<$set> for Event {
            fn from(event: $set) -> Self {
                Self::$variant(event)
            }
        })+
    };
}

impl Event {
    /// Whom the event concerns.
    pub fn topic(&self) -> String {
        match self {
            Self::Message(event) => topics::channel(event.subject().1),
            Self::Reaction(event) => topics::channel(event.subject().1),
            Self::Poll(event) => topics::channel(event.subject().1),
            Self::Thread(event) => topics::account(event.subject().0),
            Self::Membership(event) => topics::community(event.subject().0),
            // A deleted channel's end must reach those who can no longer see the channel itself.
            Self::Channel(ChannelEvent::Created(e)) => topics::community(e.community_id),
            Self::Channel(ChannelEvent::Changed(e)) => topics::community(e.community_id),
            Self::Channel(ChannelEvent::Deleted(e)) => topics::community(e.community_id),
            Self::Channel(ChannelEvent::Overwritten(e)) => topics::community(e.community_id),
            Self::Channel(ChannelEvent::DirectOpened(e)) => topics::channel(e.channel_id),
            Self::Channel(ChannelEvent::GroupCreated(e)) => topics::channel(e.channel_id),
            Self::Channel(ChannelEvent::GroupRenamed(e)) => topics::channel(e.channel_id),
            Self::Channel(ChannelEvent::GroupMemberAdded(e)) => topics::channel(e.channel_id),
            Self::Channel(ChannelEvent::GroupMemberRemoved(e)) => topics::channel(e.channel_id),
            Self::Channel(ChannelEvent::GroupHandedOver(e)) => topics::channel(e.channel_id),
            Self::ChannelOrder(ChannelOrderEvent::Ordered(e)) => topics::community(e.community_id),
            // Only who blocks is told.
            Self::Block(BlockEvent::Blocked(e)) => topics::account(e.by),
            Self::Block(BlockEvent::Unblocked(e)) => topics::account(e.by),
            Self::Community(CommunityEvent::Created(e)) => topics::community(e.community_id),
            Self::Community(CommunityEvent::Renamed(e)) => topics::community(e.community_id),
            Self::Community(CommunityEvent::Deleted(e)) => topics::community(e.community_id),
            Self::Community(CommunityEvent::OwnerChanged(e)) => topics::community(e.community_id),
            Self::Community(CommunityEvent::RoleCreated(e)) => topics::community(e.community_id),
            Self::Community(CommunityEvent::RoleChanged(e)) => topics::community(e.community_id),
            Self::Community(CommunityEvent::RoleDeleted(e)) => topics::community(e.community_id),
            Self::Community(CommunityEvent::RolesOrdered(e)) => topics::community(e.community_id),
            Self::Account(_) => topics::PROFILES.to_owned(),
            Self::Invite(InviteEvent::Created(e)) => topics::community(e.community_id),
            Self::Invite(InviteEvent::Redeemed(e)) => topics::community(e.community_id),
            Self::Invite(InviteEvent::Revoked(e)) => topics::community(e.community_id),
            Self::Report(ReportEvent::Opened(e)) => topics::community(e.community_id),
            Self::Report(ReportEvent::Changed(e)) => topics::community(e.community_id),
            Self::Claim(ClaimEvent::Handle(e)) => topics::account(e.account_id),
            Self::Claim(ClaimEvent::Email(e)) => topics::account(e.account_id),
            Self::Installation(_) => topics::INSTALLATION.to_owned(),
        }
    }
}

// Messages first: most records are theirs.
every_set! {
    Message(MessageEvent),
    Reaction(ReactionEvent),
    Poll(PollEvent),
    Membership(MembershipEvent),
    Channel(ChannelEvent),
    ChannelOrder(ChannelOrderEvent),
    Block(BlockEvent),
    Community(CommunityEvent),
    Account(AccountEvent),
    Invite(InviteEvent),
    Report(ReportEvent),
    Thread(ThreadEvent),
    Claim(ClaimEvent),
    Installation(InstallationEvent),
}
