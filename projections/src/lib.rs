//! The read model: what the log amounts to, in Postgres tables, and every query over them.
//!
//! [`Projector`] follows the log and writes the schema `read` under one checkpoint, saved in the transaction that
//! writes the rows; so each event is applied once, and every snapshot is the log at one position. [`ReadModel`] answers
//! queries. [`rebuild()`] makes the schema anew beside the old one and swaps them. Everything in `read` follows from the
//! log and the vault and may be thrown away; personal text is clear only here.
//!
//! Must not append events, decide anything, or see `commands`.
//!
//! # From the log to rows
//! `pages` reads and opens records ahead → `batch` turns a page into statements, each noun its own part, without
//! I/O → `session` runs them in one transaction. The projector and rebuilding share all three.
//!
//! # Adding a slice
//! 1. `sql/<noun>.sql`, one object a file, named in `schema`: fixed-width columns first, `{schema}` for the schema.
//!    A changed file changes the shape: servers that find another shape make the tables anew and replay the log.
//! 2. `src/<noun>.rs`: `project`, which turns an event into writes, and the queries with their rows. A query that takes
//!    a viewer answers nothing where the viewer may see nothing; `domain::permission` decides it, never SQL.
//! 3. A line in `batch`, where events go to their nouns.
//! 4. `tests/suite/<noun>.rs`: every query over a real Postgres. The properties in `tests/suite/laws.rs` learn the new
//!    events in `tests/suite/histories.rs`.

mod account;
mod audit_log;
mod batch;
mod block;
mod bootstrap;
mod channel;
mod checkpoint;
mod community;
mod conversation;
mod database;
mod explained;
mod installation;
mod invite;
mod live;
mod membership;
mod mention;
mod message;
mod opening;
mod pages;
mod poll;
mod projector;
mod reaction;
mod read_model;
mod read_state;
mod rebuild;
mod report;
mod role;
mod schema;
mod session;
mod surroundings;
mod thread;
mod viewing;
mod waiting;

pub use account::{AccountRow, OwnAccount};
pub use audit_log::{AUDITED, AuditEntryRow, AuditFilter, AuditPage, AuditTarget, Bound, is_audited};
pub use block::BlockRow;
pub use bootstrap::Bootstrap;
pub use channel::ChannelRow;
pub use community::{CommunityRow, CommunityView};
pub use conversation::ConversationRow;
pub use database::Unavailable;
pub use installation::Installation;
pub use invite::InviteRow;
pub use live::{Access, ChannelRules, Coming, CommunityAccess};
pub use membership::{BanRow, MemberKey, MemberPage, MemberRow};
pub use mention::MentionPage;
pub use message::{ForwardedRow, HistoryPage, MessagePlace, MessageRow, PinPage, PinRow, Range, VersionRow};
pub use opening::{Fault, OpenError, OpenedRecord, Poison, open};
pub use pages::PageError;
pub use poll::{PollOptionRow, PollRow};
pub use projector::Projector;
pub use reaction::{ParticipantPage, ParticipantRow, ReactionRow};
pub use read_model::{Health, PrepareError, ReadModel};
pub use read_state::{MOST_UNREAD, Mark, Named, ReadStart, Sight, UnreadRow};
pub use rebuild::{Contents, Difference, Progress, RebuildError, Report, Swap, rebuild, verify};
pub use report::{ReportPage, ReportRow};
pub use role::RoleRow;
pub use surroundings::Surroundings;
pub use thread::{FollowedPage, FollowedThread, ThreadRow};
