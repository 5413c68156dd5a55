//! The contract, call by call, over a real server and a real database. Files mirror the routes.

mod account;
mod authorisation;
mod bootstrap;
mod channel;
mod community;
mod connection;
mod draft;
mod harness;
mod health;
mod idempotency;
mod input;
mod invite;
mod limits;
mod live;
mod membership;
mod message;
mod notification_setting;
mod presence;
mod program;
mod read_state;
mod receipt;
mod saved_message;
mod scheduled_message;
mod session;
mod typing;
