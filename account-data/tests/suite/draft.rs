//! Drafts: one for each place, so many in all.

use account_data::{Draft, Kept, MAX_DRAFTS, Place};
use domain::{ChannelId, MessageId};
use uuid::Uuid;

use crate::{ANN, BOB, Fixture, at};

fn draft(channel: u128, content: &str, seconds: i64) -> Draft {
    let place = Place::channel(ChannelId(Uuid::from_u128(channel)));
    Draft { place, content: content.to_owned(), reply_to: None, updated_at: at(seconds) }
}

#[tokio::test]
async fn each_channel_and_thread_has_one_draft_the_newest_first() {
    let fixture = Fixture::new().await;
    let data = &fixture.data;
    let thread = Some(MessageId(Uuid::from_u128(9)));
    let in_thread = Draft {
        place: Place { thread, ..draft(1, "", 0).place },
        reply_to: Some(MessageId(Uuid::from_u128(10))),
        ..draft(1, "to the thread", 2)
    };
    for kept in [&draft(1, "first", 0), &draft(2, "second", 1), &in_thread, &draft(1, "first, changed", 3)] {
        assert_eq!(data.keep_draft(ANN, kept).await.unwrap(), Kept::Yes);
    }
    data.keep_draft(BOB, &draft(1, "mine", 0)).await.unwrap();
    let expected = [draft(1, "first, changed", 3), in_thread.clone(), draft(2, "second", 1)];
    assert_eq!(data.drafts(ANN).await.unwrap(), expected);
    assert_eq!(fixture.another_node().await.drafts(BOB).await.unwrap(), [draft(1, "mine", 0)]);

    assert!(data.drop_draft(ANN, draft(1, "", 0).place).await.unwrap());
    assert!(!data.drop_draft(ANN, draft(1, "", 0).place).await.unwrap());
    assert_eq!(data.drafts(ANN).await.unwrap(), [in_thread, draft(2, "second", 1)]);
    assert_eq!(data.drafts(BOB).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_number_of_drafts_has_an_exact_limit() {
    let fixture = Fixture::new().await;
    let sql = fixture.sql().await;
    const FILL: &str = "
        INSERT INTO account_data.drafts (account, channel, thread, updated_at, content)
        SELECT $1, gen_random_uuid(), $2, now(), 'x' FROM generate_series(1, $3)";
    sql.execute(FILL, &[&ANN.0, &Uuid::nil(), &i32::try_from(MAX_DRAFTS - 1).unwrap()]).await.unwrap();
    let keeping = (1..=10).map(|channel| {
        let data = fixture.data.clone();
        tokio::spawn(async move { data.keep_draft(ANN, &draft(channel, "x", 0)).await.unwrap() })
    });
    let mut kept = 0;
    for one in keeping.collect::<Vec<_>>() {
        kept += usize::from(one.await.unwrap() == Kept::Yes);
    }
    assert_eq!(kept, 1);
    let drafts = fixture.data.drafts(ANN).await.unwrap();
    assert_eq!(drafts.len(), usize::try_from(MAX_DRAFTS).unwrap());
    let changed = Draft { content: "changed".to_owned(), ..drafts[0].clone() };
    assert_eq!(fixture.data.keep_draft(ANN, &changed).await.unwrap(), Kept::Yes, "one that is there");
    assert_eq!(fixture.data.keep_draft(BOB, &draft(1, "x", 0)).await.unwrap(), Kept::Yes);
}
