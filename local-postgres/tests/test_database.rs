//! Template databases.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};

use local_postgres::TestDatabase;
use support::{client, eventually_some};

static PREPARED: AtomicUsize = AtomicUsize::new(0);

async fn prepare(url: String) -> Result<(), tokio_postgres::Error> {
    PREPARED.fetch_add(1, Ordering::SeqCst);
    client(&url).await.batch_execute("CREATE TABLE notes (n int)").await
}

async fn count(database: &TestDatabase) -> i64 {
    client(database.url()).await.query_one("SELECT count(*) FROM notes", &[]).await.expect("rows").get(0)
}

#[tokio::test]
async fn databases_of_one_template_are_isolated() {
    let name = format!("isolated_{}", std::process::id());
    let prepared = PREPARED.load(Ordering::SeqCst);
    let (one, two, three) = tokio::join!(
        TestDatabase::from_template(&name, prepare),
        TestDatabase::from_template(&name, prepare),
        TestDatabase::from_template(&name, prepare),
    );
    assert_eq!(PREPARED.load(Ordering::SeqCst), prepared + 1, "the template is filled once");
    client(one.url()).await.batch_execute("INSERT INTO notes VALUES (1), (2)").await.unwrap();
    assert_eq!((count(&one).await, count(&two).await, count(&three).await), (2, 0, 0));
}

#[tokio::test]
async fn a_dropped_database_is_removed_even_with_open_sessions() {
    let kept = TestDatabase::from_template("empty", |_| async { Ok::<_, ()>(()) }).await;
    let dropped = TestDatabase::from_template("empty", |_| async { Ok::<_, ()>(()) }).await;
    let session = client(dropped.url()).await;
    let name: String = session.query_one("SELECT current_database()::text", &[]).await.unwrap().get(0);
    drop(dropped);
    let witness = client(kept.url()).await;
    eventually_some("the database is gone", || async {
        let query = "SELECT 1 FROM pg_database WHERE datname = $1";
        witness.query_opt(query, &[&name]).await.unwrap().is_none().then_some(())
    })
    .await;
}

#[tokio::test]
#[should_panic(expected = "cannot be prepared")]
async fn a_template_that_cannot_be_prepared_fails_the_test() {
    let name = format!("broken_{}", std::process::id());
    TestDatabase::from_template(&name, |_| async { Err("no") }).await;
}
