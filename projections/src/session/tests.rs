//! What the transaction around a page promises.

use local_postgres::TestDatabase;

use super::*;
use crate::batch::params;
use crate::read_model::create;

const LOG: LogId = LogId(Uuid::from_u128(1));

async fn sessions() -> (TestDatabase, [Session; 2]) {
    let database = TestDatabase::from_template("projections_empty", |_| async {
        Ok::<(), std::convert::Infallible>(())
    })
    .await;
    let mut first = Session::connect(database.url(), Schema::Next).await.unwrap();
    create(&*first.client(), Schema::Next, LOG).await.unwrap();
    let second = Session::connect(database.url(), Schema::Next).await.unwrap();
    (database, [first, second])
}

fn use_invite() -> Vec<Write> {
    let template = "UPDATE {schema}.invites SET uses = uses + 1 WHERE code = $1";
    vec![Write { template, params: params!["code"] }]
}

async fn insert_invite(session: &mut Session) {
    let insert =
        "INSERT INTO read_next.invites VALUES ('code', gen_random_uuid(), gen_random_uuid(), 1, now(),
        NULL, NULL, NULL, 0)";
    session.client().batch_execute(insert).await.unwrap();
}

async fn uses(session: &mut Session) -> i32 {
    session.client().query_one("SELECT uses FROM read_next.invites", &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn what_two_sessions_apply_at_once_is_applied_once() {
    let (_database, [mut first, mut second]) = sessions().await;
    insert_invite(&mut first).await;
    for position in 0..20 {
        let (from, to) = (Position(position), Position(position + 1));
        let applied = tokio::try_join!(
            first.apply(from, to, use_invite(), LOG),
            second.apply(from, to, use_invite(), LOG)
        );
        let (first, second) = applied.unwrap();
        assert_ne!(first, second, "one applies, the other is told that the checkpoint has moved");
    }
    assert_eq!(uses(&mut first).await, 20);
    assert_eq!(second.checkpoint().await.unwrap().position, Position(20));
}

#[tokio::test]
async fn a_refused_write_leaves_no_trace_and_the_session_usable() {
    let (_database, [mut session, _]) = sessions().await;
    insert_invite(&mut session).await;
    let template = "INSERT INTO {schema}.installation (administrator, default_community) VALUES (NULL, $1)";
    let mut writes = use_invite();
    writes.push(Write { template, params: params![None::<Uuid>] });
    writes.extend(use_invite());
    let refused = session.apply(Position(0), Position(1), writes, LOG).await.unwrap_err();
    assert_eq!(refused.code().unwrap().code(), "23502", "the first failure is the one to hear of");
    assert_eq!(uses(&mut session).await, 0);
    assert_eq!(session.checkpoint().await.unwrap().position, Position(0));
    assert!(session.apply(Position(0), Position(1), use_invite(), LOG).await.unwrap());
    assert_eq!(uses(&mut session).await, 1);
}

#[tokio::test]
async fn nothing_is_applied_for_another_log() {
    let (_database, [mut session, _]) = sessions().await;
    insert_invite(&mut session).await;
    let other = LogId(Uuid::from_u128(2));
    assert!(!session.apply(Position(0), Position(1), use_invite(), other).await.unwrap());
    assert_eq!(uses(&mut session).await, 0);
}
