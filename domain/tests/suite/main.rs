//! One file per noun, the same nouns as in `src`: given what happened, when a command comes, then this happens or is
//! refused. `fixtures.rs` holds what the log may contain, `histories.rs` what no history may lead to.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod account;
mod block;
mod channel;
mod channel_order;
mod claim;
mod codec;
mod community;
mod crowd;
mod emoji;
mod fixtures;
mod given;
mod histories;
mod installation;
mod invite;
mod membership;
mod mention;
mod message;
mod people;
mod permission;
mod poll;
mod presence;
mod reaction;
mod report;
mod role;
mod scheduled_message;
mod text;
mod thread;
