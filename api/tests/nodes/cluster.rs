//! Two nodes on one database.

use local_postgres::TestDatabase;
use tempfile::TempDir;

use crate::node::{self, Node, Place};

pub(crate) struct Cluster {
    pub(crate) a: Node,
    pub(crate) b: Node,
    // Dropped after the nodes: they write into both.
    directory: TempDir,
    database: TestDatabase,
}

async fn migrate(url: String) -> Result<(), String> {
    vault::migrate(&url).await.map_err(|error| error.to_string())?;
    account_data::migrate(&url).await.map_err(|error| error.to_string())?;
    event_store::postgres::migrate(&url).await.map(drop).map_err(|error| error.to_string())
}

impl Cluster {
    /// Both are ready.
    pub(crate) async fn start() -> Self {
        Self::on(TestDatabase::from_template("api", migrate).await).await
    }

    /// Starts both nodes at once on a database that nobody has prepared.
    pub(crate) async fn start_on_nothing() -> Self {
        Self::on(TestDatabase::from_template("empty", async |_| Ok::<_, String>(())).await).await
    }

    async fn on(database: TestDatabase) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let place = |name| place(&directory, &database, name);
        let mut cluster =
            Self { a: Node::start(place("a")), b: Node::start(place("b")), directory, database };
        cluster.ready().await;
        cluster
    }

    pub(crate) async fn ready(&mut self) {
        tokio::join!(self.a.ready(), self.b.ready());
    }

    pub(crate) fn database_url(&self) -> &str {
        self.database.url()
    }

    /// The place of one more process.
    pub(crate) fn place(&self, name: &'static str) -> Place {
        place(&self.directory, &self.database, name)
    }

    /// A connection of the test's own.
    pub(crate) async fn database(&self) -> tokio_postgres::Client {
        let connected = tokio_postgres::connect(self.database_url(), tokio_postgres::NoTls).await;
        let (client, connection) = connected.expect("the database answers");
        tokio::spawn(connection);
        client
    }
}

fn place(directory: &TempDir, database: &TestDatabase, name: &'static str) -> Place {
    Place {
        name,
        database_url: database.url().to_owned(),
        key_file: directory.path().join("master.key"),
        data: node::data(directory.path(), name),
    }
}
