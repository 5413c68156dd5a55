//! Saved messages: in the order of saving, so many in all.

use account_data::{Kept, MAX_SAVED, SavedMessage};
use domain::MessageId;
use uuid::Uuid;

use crate::{ANN, BOB, Fixture, at};

fn saved(message: u128, seconds: i64) -> SavedMessage {
    SavedMessage { saved_at: at(seconds), message: MessageId(Uuid::from_u128(message)) }
}

impl Fixture {
    async fn save(
        &self,
        account: domain::AccountId,
        SavedMessage { saved_at, message }: SavedMessage,
    ) -> Kept {
        self.data.save_message(account, message, saved_at).await.unwrap()
    }
}

#[tokio::test]
async fn saved_messages_come_newest_first_page_by_page() {
    let fixture = Fixture::new().await;
    // Two at one time, too: none is left out between pages.
    let all = [saved(5, 3), saved(4, 2), saved(3, 2), saved(2, 1), saved(1, 0)];
    for one in all.iter().rev() {
        assert_eq!(fixture.save(ANN, *one).await, Kept::Yes);
    }
    fixture.save(BOB, saved(7, 9)).await;
    let page = async |before| fixture.data.saved_messages(ANN, before, 2).await.unwrap();
    assert_eq!(page(None).await, all[..2]);
    assert_eq!(page(Some(all[1])).await, all[2..4]);
    assert_eq!(page(Some(all[3])).await, all[4..]);
    assert_eq!(page(Some(all[4])).await, []);
    assert_eq!(fixture.another_node().await.saved_messages(ANN, None, 100).await.unwrap(), all);
}

#[tokio::test]
async fn a_message_that_is_saved_again_keeps_its_place() {
    let fixture = Fixture::new().await;
    fixture.save(ANN, saved(1, 0)).await;
    assert_eq!(fixture.save(ANN, saved(1, 5)).await, Kept::Yes);
    assert_eq!(fixture.data.saved_messages(ANN, None, 10).await.unwrap(), [saved(1, 0)]);
    assert!(fixture.data.unsave_message(ANN, saved(1, 0).message).await.unwrap());
    assert!(!fixture.data.unsave_message(ANN, saved(1, 0).message).await.unwrap());
    assert_eq!(fixture.data.saved_messages(ANN, None, 10).await.unwrap(), []);
}

#[tokio::test]
async fn the_number_of_saved_messages_has_an_exact_limit() {
    let fixture = Fixture::new().await;
    const FILL: &str = "
        INSERT INTO account_data.saved_messages (account, message, saved_at)
        SELECT $1, gen_random_uuid(), now() FROM generate_series(1, $2)";
    let count = i32::try_from(MAX_SAVED - 1).unwrap();
    fixture.sql().await.execute(FILL, &[&ANN.0, &count]).await.unwrap();
    let saving = (1..=10).map(|message| {
        let data = fixture.data.clone();
        let SavedMessage { saved_at, message } = saved(message, 0);
        tokio::spawn(async move { data.save_message(ANN, message, saved_at).await.unwrap() })
    });
    let mut kept = 0;
    for one in saving.collect::<Vec<_>>() {
        kept += usize::from(one.await.unwrap() == Kept::Yes);
    }
    assert_eq!(kept, 1);
    let all = fixture.data.saved_messages(ANN, None, 2_000).await.unwrap();
    assert_eq!(all.len(), usize::try_from(MAX_SAVED).unwrap());
    assert_eq!(fixture.save(ANN, all[500]).await, Kept::Yes, "one that is there");
    assert_eq!(fixture.save(BOB, saved(1, 0)).await, Kept::Yes);
}
