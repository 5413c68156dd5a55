//! Several nodes on one Postgres are one server: what is done at one holds, and is heard, at all of them.
//!
//! Each test runs two nodes, as processes of the program itself, on a database of its own.

mod access;
mod cast;
#[path = "../crash/chance.rs"]
mod chance;
mod cluster;
mod delivery;
mod failover;
mod kills;
mod node;
mod presence;
mod read_state;
mod readers;
mod signals;
mod start;
#[path = "../crash/verdict.rs"]
mod verdict;
mod writers;
