//! A server inside the test, on a database of its own, which can be ended and started again.

use std::convert::Infallible;

use api::RateLimits;
use api::server::{RunningServer, Server};
use api::settings::ServerConfig;
use local_postgres::TestDatabase;
use tempfile::TempDir;

pub(crate) struct Node {
    config: ServerConfig,
    running: Option<RunningServer>,
    database: TestDatabase,
    _keys: TempDir,
}

impl Node {
    pub(crate) async fn start(lobby: bool) -> Self {
        let empty = async |_| Ok::<(), Infallible>(());
        let database = TestDatabase::from_template("empty", empty).await;
        let keys = tempfile::tempdir().expect("a temporary directory");
        let mut config = ServerConfig::default();
        config.storage.data = keys.path().to_owned();
        config.storage.database_url = Some(database.url().to_owned());
        config.storage.database_connections = 8;
        config.limits.rate_limits = RateLimits::Off;
        if !lobby {
            config.community.default_community.0 = None;
        }
        let mut node = Self { config, running: None, database, _keys: keys };
        node.run().await;
        node
    }

    /// Keeps its address, so that clients find it again.
    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        self.run().await;
    }

    async fn run(&mut self) {
        let running = Server::start(self.config.clone()).await.expect("the server starts");
        self.config.network.listen = running.addr;
        self.running = Some(running);
    }

    pub(crate) async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.shutdown().await.expect("the server ends");
        }
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.config.network.listen)
    }

    pub(crate) fn database_url(&self) -> &str {
        self.database.url()
    }
}
