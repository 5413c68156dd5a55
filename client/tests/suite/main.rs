//! The SDK against a server that misbehaves on purpose ([`server`], [`log`], [`house`]), and against the committed
//! contract.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by a panic")]

mod calls;
mod chat;
mod contract;
mod house;
mod live;
mod log;
mod parser;
mod schema;
mod server;
