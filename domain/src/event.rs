//! Any event of the log, for readers of the whole of it.

use crate::account::AccountEvent;
use crate::channel::ChannelEvent;
use crate::claim::ClaimEvent;
use crate::codec::{DecodeError, Encoded, EventSet, PersonalPart};
use crate::community::CommunityEvent;
use crate::installation::InstallationEvent;
use crate::invite::InviteEvent;
use crate::membership::MembershipEvent;
use crate::message::MessageEvent;

macro_rules! every_set {
    ($($variant:ident($set:ty)),+ $(,)?) => {
        /// One event of any stream.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Event {
            $($variant($set)),+
        }

        impl EventSet for Event {
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

// Messages first: most records are theirs.
every_set! {
    Message(MessageEvent),
    Membership(MembershipEvent),
    Channel(ChannelEvent),
    Community(CommunityEvent),
    Account(AccountEvent),
    Invite(InviteEvent),
    Claim(ClaimEvent),
    Installation(InstallationEvent),
}
