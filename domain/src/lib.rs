//! What may happen and what happened: events, aggregates, value types, permissions, and the event codec.
//!
//! Pure: no async, no I/O, no clock, no randomness. Time, ids and the actor's standing come in as parameters.
//!
//! # An aggregate
//! folds its stream with `evolve` and answers a command with `decide(&self, command) -> Result<Vec<Event>, Error>`.
//! No events means that what was asked is so already. An error is a refusal that a person could hear.
//!
//! # Adding a slice
//! 1. `src/<noun>.rs`: ids and value types, the events (`events!` in [`codec`]), the aggregate, its commands and errors.
//! 2. A variant in [`Event`] and the stream's name in [`streams`].
//! 3. `tests/suite/<noun>.rs`: given/when/then for each command and one test for each refusal, and a frozen fixture
//!    per (type, schema) in `tests/fixtures`.
//! 4. The same noun in `commands`, `projections` and `api`.

pub mod account;
pub mod block;
pub mod channel;
pub mod channel_order;
pub mod claim;
pub mod codec;
pub mod community;
pub mod crowd;
pub mod emoji;
mod event;
mod id;
pub mod installation;
pub mod invite;
pub mod membership;
pub mod mention;
pub mod message;
pub mod permission;
mod personal;
pub mod poll;
pub mod presence;
pub mod reaction;
pub mod report;
pub mod role;
pub mod scheduled_message;
pub mod standing;
pub mod streams;
pub mod text;
pub mod thread;
pub mod upcast;

pub use codec::{DecodeError, Encoded, PersonalPart};
pub use event::Event;
pub use id::{AccountId, ChannelId, CommunityId, MessageId, ReportId};
pub use permission::Permissions;
pub use personal::Personal;
pub use role::{Rank, Role};
pub use standing::Standing;

/// A consistency boundary: the fold of one stream.
pub trait Aggregate: Default + Clone + Send + Sync + 'static {
    type Event: codec::EventSet + Into<Event>;
    type Command;
    type Error;

    /// The state after `event`. Total: whatever the log holds can be folded.
    fn evolve(&mut self, event: &Self::Event);

    /// What happens on `command`, or why it is refused.
    ///
    /// # Errors
    /// A refusal, in words of the domain.
    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error>;
}
