//! One file per noun, the same nouns as in `src`: every intent, happy and refused. Then what holds for all of them:
//! repeated calls, stale caches, crashes between two appends, races, and that no personal text is in the log.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod account;
mod channel;
mod community;
mod conversation;
mod forgetting;
mod idempotency;
mod invite;
mod membership;
mod message;
mod moderation;
mod pace;
mod poll;
mod races;
mod reaction;
mod registration;
mod report;
mod role;
mod scene;
mod settling;
mod stale;
mod store;
mod thread;
mod typing;
mod world;
