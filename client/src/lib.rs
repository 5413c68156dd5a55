//! The Rust SDK of EchoVerse: typed calls of the REST API, one live stream that resumes and falls back by itself, and
//! the terminal client built on both.
//!
//! It knows the server by its contract alone (`docs/API.md`, `/openapi.json`) and depends on no crate of ours, so that
//! what it can do, any program can.
//!
//! ```no_run
//! # async fn example(channel: uuid::Uuid) -> Result<(), client::Error> {
//! use client::{Client, LiveEvent, NewMessage, NewSession};
//!
//! let anonymous = Client::new("https://chat.example")?;
//! let log_in = anonymous.log_in(&NewSession::new("ada", "correct horse")).await?;
//! let client = anonymous.with_token(log_in.token.unwrap_or_default());
//! let snapshot = client.bootstrap().await?;
//! client.post_message(channel, &NewMessage::text("hello")).await?;
//! let mut live = client.live(Some(snapshot.cursor));
//! while let LiveEvent::Frame(frame) = live.next().await? {
//!     println!("{} {:?}", frame.kind, frame.event());
//! }
//! # Ok(()) }
//! ```
//!
//! # A call
//! is a [`Command`] or a [`Read`]: built by a method of [`Client`], sent when awaited. Commands carry an idempotency key
//! (one per call unless given), so that every repeat is safe; both are repeated on connection errors, 502, 503, 504 and
//! 429 within [`Options::tries`] and [`Options::total_timeout`].
//!
//! # Adding a noun
//! One file with its shapes and its `impl Client`; a `mod` and a `pub use` here; one row per call in
//! `tests/suite/contract.rs`, which holds the shapes and calls against the committed OpenAPI document.

mod account;
mod audit_log;
mod chance;
mod channel;
pub mod chat;
mod client;
mod community;
mod conversation;
mod cursor;
mod error;
mod invite;
pub mod live;
mod membership;
mod message;
mod options;
mod read_state;
mod report;
mod request;
mod retry;
mod role;
mod secret;
mod session;
mod thread;

pub use account::{Account, AccountAnswer, Me, NewAccount, ProfileChange};
pub use audit_log::{AuditBound, AuditChange, AuditEntry, AuditQuery, AuditTarget};
pub use channel::{
    Channel, ChannelAnswer, ChannelChange, ChannelKind, ChannelPlace, NewChannel, Overwrite, OverwriteTarget,
};
pub use client::Client;
pub use community::{Community, CommunityAnswer};
pub use conversation::{Block, Conversation, ConversationAnswer};
pub use cursor::{Cursor, Done, Page, Paging};
pub use error::{Error, FieldError, Problem};
pub use invite::{Invite, InviteAnswer, InvitePreview, InvitedCommunity, NewInvite};
pub use live::{
    Bootstrap, Event, Frame, Live, LiveEvent, LiveOptions, PollAnswer, Signal, TransportState, Typing,
    Typists,
};
pub use membership::{Ban, Member, MemberAnswer, NewBan};
pub use message::{
    Forwarded, Mentions, Message, MessageAnswer, MessageQuery, NewMessage, Place, ThreadSummary, Version,
    Versions,
};
pub use options::Options;
pub use read_state::{ReadState, ReadStateAnswer};
pub use report::{NewReport, Report, ReportAnswer, ReportChange, ReportQuery};
pub use request::{Command, Read};
pub use role::{Access, Judged, NewRole, Role, RoleAnswer, RoleChange, RolesAnswer, Rule};
pub use secret::Secret;
pub use session::{LogIn, NewSession, Session};
pub use thread::{DeletedMessages, FollowedThread, Forward, ThreadReadState, ThreadReadStateAnswer};
