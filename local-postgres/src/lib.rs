//! A private Postgres for a machine that has no `DATABASE_URL`, and template databases for tests.
//!
//! [`LocalPostgres`] finds the server's programs, makes a cluster on first use, and runs it reachable by a Unix
//! socket only. Four promises shape the code:
//!
//! - **The server never outlives us.** A small `sh` supervisor (`supervisor.sh`) reads a pipe whose only writer is
//!   this process; when the pipe closes, by a stop, a crash or `SIGKILL`, it shuts Postgres down.
//! - **One owner per data directory.** `<data>/lock` is locked by the process ([`Error::AlreadyRunning`] names it);
//!   `<data>/postgres/supervisor.lock` by the supervisor and every server process, so holding it proves that
//!   nothing of an earlier run is left.
//! - **Never as root.** Started as root, the server runs as the owner of an existing cluster, else as `postgres`,
//!   else as `nobody`.
//! - **A killed server comes back.** While the pipe is open the supervisor starts Postgres again.
//!
//! ```text
//! <data>/lock                      our pid, locked
//! <data>/postgres/                 0700, owned by the user that runs the server
//!     cluster/                     the cluster (PGDATA)
//!     socket/                      the Unix socket, unless its path would be too long
//!     log, log.old                 what the server and its supervisor say
//!     supervisor.lock, started     the supervisor's state
//! ```
//!
//! [`TestDatabase`] clones databases from a template that is filled once per cluster. The cluster is the one named
//! by `ECHOVERSE_TEST_POSTGRES` (`local-postgres exec -- cargo test` sets it), or one of the test process's own.
//!
//! A configured deployment (one with `DATABASE_URL`) must not run any of this.

mod binaries;
mod cluster;
mod error;
mod identity;
mod leftover;
mod lock;
mod server;
mod socket;
mod supervisor;
mod test_database;
mod throwaway;

pub use error::Error;
pub use server::{Durability, LocalPostgres};
pub use test_database::TestDatabase;
pub use throwaway::{TEST_CLUSTER_VARIABLE, ThrowawayCluster};
