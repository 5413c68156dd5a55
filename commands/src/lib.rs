//! What people and programs ask for: one handler per intent.
//!
//! A handler authorises, decides (in `domain`), seals personal text (in `vault`) and appends (to `event-store`). It
//! must not speak SQL, nor read projections: it decides from the log, through folded states that are cached, kept
//! current by the tail and made exact by guards inside the append ([`execute`](Commands)).
//!
//! # Exactness
//! - What is accepted was decided on the very versions that the append checks; otherwise it is decided again.
//! - What is refused was decided on states read from the log for this command, never on a cached one.
//! - A command that was carried out before (same caller, same idempotency key) answers its first result, even where it
//!   would be refused now.
//!
//! # Adding a slice
//! `src/<noun>.rs`: a struct for each intent, its [`Intent`](intent::Intent), and a method of [`Commands`]. Work that one
//! intent sets off on another stream goes to `settle.rs`, where a crash between the two appends is made good.

mod account;
mod block;
mod caller;
mod channel;
mod channel_order;
mod claim;
mod community;
mod conversation;
mod execute;
mod intent;
mod invite;
mod membership;
mod mention;
mod message;
mod pace;
mod poll;
mod reaction;
mod report;
mod role;
mod sealing;
mod settle;
mod source;
mod stages;
mod states;
mod thread;
mod turns;
mod typing;

use std::sync::Arc;

use event_store::EventStore;
use vault::Vault;

pub use account::Register;
pub use caller::{Context, Done, Refusal};
pub use channel::{ChangedChannel, ChannelState, NewChannel};
pub use invite::{InviteState, Redemption};
pub use membership::NewBan;
pub use message::{Forwarding, MessageState, NewMessage, Swept};
pub use pace::{Claim, Claimed, Pace};
pub use reaction::ReactionState;
pub use settle::{Checkpoint, Settler};
pub use source::{Clock, IdSource, SystemClock, SystemIds};

/// What an installation decides about itself.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name of the community where new accounts land; `None`: they land nowhere.
    pub default_community: Option<domain::community::CommunityName>,
}

/// The write side. Cheap to clone.
#[derive(Clone)]
pub struct Commands {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn EventStore>,
    vault: Vault,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    pace: Arc<dyn Pace>,
    settings: Settings,
    states: states::States,
    turns: turns::Turns,
}

impl Commands {
    pub fn new(
        store: Arc<dyn EventStore>,
        vault: Vault,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        pace: Arc<dyn Pace>,
        settings: Settings,
    ) -> Self {
        let states = states::States::new(Arc::clone(&store), Arc::clone(&clock));
        Self {
            inner: Arc::new(Inner {
                store,
                vault,
                clock,
                ids,
                pace,
                settings,
                states,
                turns: turns::Turns::new(),
            }),
        }
    }
}
