//! The read model over a real Postgres and vault; the log is in memory.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod account;
mod audit_log;
mod block;
mod bootstrap;
mod channel;
mod community;
mod conversation;
mod followers;
mod histories;
mod history;
mod installation;
mod invite;
mod laws;
mod leaders;
mod live;
mod membership;
mod mention;
mod message;
mod pin;
mod poison;
mod poll;
mod prepare;
mod reaction;
mod read_state;
mod rebuild;
mod report;
mod surroundings;
mod swap;
mod tasks;
mod thread;
mod world;
