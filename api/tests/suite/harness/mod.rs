//! A server of a test's own, and calls to it. Every answer is held against the contract: a status that the document does
//! not list for its call fails the test, whatever the test is about.

mod call;
mod contract;
mod makers;

use api::RateLimits;
use api::server::{RunningServer, Server};
use api::settings::{Limits, ServerConfig};
use local_postgres::TestDatabase;
use tempfile::TempDir;

pub(crate) use call::{Answer, Call};
pub(crate) use makers::{Account, Community, PASSWORD};

/// A server with an empty database and no rate limits.
pub(crate) struct TestServer {
    pub(crate) base: String,
    pub(crate) http: reqwest::Client,
    running: RunningServer,
    config: ServerConfig,
    _data: TempDir,
    database: TestDatabase,
}

async fn migrate(url: String) -> Result<(), String> {
    vault::migrate(&url).await.map_err(|error| error.to_string())?;
    account_data::migrate(&url).await.map_err(|error| error.to_string())?;
    event_store::postgres::migrate(&url).await.map(drop).map_err(|error| error.to_string())
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut ServerConfig)) -> Self {
        let database = TestDatabase::from_template("api", migrate).await;
        let data = tempfile::tempdir().expect("a temporary directory");
        let mut config =
            ServerConfig { limits: Limits { rate_limits: RateLimits::Off }, ..Default::default() };
        config.storage.data = data.path().to_owned();
        config.storage.database_url = Some(database.url().to_owned());
        change(&mut config);
        let running = Server::start(config.clone()).await.expect("the server starts");
        let base = format!("http://{}", running.addr);
        Self { base, http: client(), running, config, _data: data, database }
    }

    /// Ends the server in good order and starts another on the same data.
    pub(crate) async fn restart(self) -> Self {
        let Self { running, config, _data, database, .. } = self;
        running.shutdown().await.expect("the server ends");
        let running = Server::start(config.clone()).await.expect("the server starts again");
        let base = format!("http://{}", running.addr);
        Self { base, http: client(), running, config, _data, database }
    }

    pub(crate) async fn shutdown(self) {
        self.running.shutdown().await.expect("the server ends");
    }

    pub(crate) fn addr(&self) -> std::net::SocketAddr {
        self.running.addr
    }

    /// A connection to the database, for what takes a server too long to bring about.
    pub(crate) async fn database(&self) -> tokio_postgres::Client {
        let connected = tokio_postgres::connect(self.database.url(), tokio_postgres::NoTls).await;
        let (client, connection) = connected.expect("the database answers");
        tokio::spawn(connection);
        client
    }

    pub(crate) fn get(&self, path: &str) -> Call<'_> {
        Call::new(self, reqwest::Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> Call<'_> {
        Call::new(self, reqwest::Method::POST, path)
    }

    pub(crate) fn put(&self, path: &str) -> Call<'_> {
        Call::new(self, reqwest::Method::PUT, path)
    }

    pub(crate) fn patch(&self, path: &str) -> Call<'_> {
        Call::new(self, reqwest::Method::PATCH, path)
    }

    pub(crate) fn delete(&self, path: &str) -> Call<'_> {
        Call::new(self, reqwest::Method::DELETE, path)
    }
}

/// The servers of tests go by the computer's clock, and so does what is asked of them.
#[expect(clippy::disallowed_methods, reason = "there is no other clock to go by here")]
pub(crate) fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

fn client() -> reqwest::Client {
    let redirects = reqwest::redirect::Policy::none();
    reqwest::Client::builder().redirect(redirects).no_proxy().build().expect("a client")
}

/// A time that far ahead of the server's clock, or behind it.
#[expect(clippy::disallowed_methods, reason = "the server that is tested runs by the clock")]
pub(crate) fn in_hours(hours: i64) -> String {
    (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours)).to_string()
}
