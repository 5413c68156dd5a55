//! A cluster in a temporary directory, which vanishes with the process that started it.

use std::os::unix::fs::PermissionsExt as _;

use crate::cluster::Home;
use crate::error::{Attempt as _, Error};
use crate::server::{Durability, Server};
use crate::supervisor::Shutdown;

/// Names the maintenance database of the cluster in which tests make their databases.
pub const TEST_CLUSTER_VARIABLE: &str = "ECHOVERSE_TEST_POSTGRES";

/// A server for tests. Its files are removed when it is dropped, or when this process dies.
#[derive(Debug)]
pub struct ThrowawayCluster {
    server: Server,
}

impl ThrowawayCluster {
    /// Makes a new cluster in the system's temporary directory and starts it.
    ///
    /// # Errors
    /// As [`crate::LocalPostgres::start`], but no other process can be in the way.
    pub async fn start(durability: Durability) -> Result<ThrowawayCluster, Error> {
        let directory = tempfile::Builder::new()
            .prefix("echoverse-")
            .permissions(std::fs::Permissions::from_mode(0o700))
            .tempdir()
            .attempt(|| "create a temporary directory".to_owned())?;
        let path = std::fs::canonicalize(directory.path())
            .attempt(|| format!("find {}", directory.path().display()))?;
        // The supervisor removes the directory at the end, so it belongs to the server's user as a whole.
        let home = Home::prepare(path.clone()).await?;
        let server = Server::start(home, durability, Shutdown::Immediate, Some(&path)).await?;
        let _ = directory.keep();
        Ok(ThrowawayCluster { server })
    }

    /// The connection string of the maintenance database `postgres`.
    pub fn url(&self) -> String {
        self.server.url("postgres")
    }

    /// Ends the server and removes its files.
    ///
    /// # Errors
    /// [`Error::DidNotStop`] after a minute.
    pub async fn stop(self) -> Result<(), Error> {
        self.server.stop().await
    }
}
