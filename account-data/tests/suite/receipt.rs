//! Receipts: they only move on, and who keeps to themselves what they read neither shows it nor sees it.

use account_data::{Privacy, Reached, Receipt};
use domain::{AccountId, ChannelId, MessageId};
use uuid::Uuid;

use crate::{ANN, BOB, Fixture};

const CAL: AccountId = AccountId(Uuid::from_u128(0xc));
const GROUP: ChannelId = ChannelId(Uuid::from_u128(1));
const OTHER: ChannelId = ChannelId(Uuid::from_u128(2));

fn message(number: u64) -> MessageId {
    MessageId(Uuid::from_u128(u128::from(number)))
}

fn receipt(account: AccountId, delivered: u64, read: u64) -> Receipt {
    let message = |number| (number > 0).then(|| message(number));
    Receipt { account, delivered: message(delivered), read: message(read) }
}

async fn note(fixture: &Fixture, account: AccountId, number: u64, reached: Reached) -> bool {
    fixture.data.note_receipt(account, GROUP, (message(number), number), reached).await.unwrap()
}

async fn seen(fixture: &Fixture, by: AccountId) -> Vec<Receipt> {
    fixture.data.receipts(by, GROUP, &[CAL, ANN, BOB]).await.unwrap()
}

#[tokio::test]
async fn receipts_move_on_and_never_back() {
    let fixture = Fixture::new().await;
    assert_eq!(seen(&fixture, ANN).await, [receipt(CAL, 0, 0), receipt(ANN, 0, 0), receipt(BOB, 0, 0)]);
    assert!(note(&fixture, BOB, 5, Reached::Delivered).await);
    assert!(!note(&fixture, BOB, 5, Reached::Delivered).await);
    assert!(!note(&fixture, BOB, 4, Reached::Delivered).await);
    assert!(note(&fixture, BOB, 3, Reached::Read).await);
    assert_eq!(seen(&fixture, ANN).await[2], receipt(BOB, 5, 3), "what was read last was not delivered last");
    assert!(!note(&fixture, BOB, 2, Reached::Read).await);
    assert!(note(&fixture, BOB, 6, Reached::Read).await);
    assert_eq!(seen(&fixture, ANN).await[2], receipt(BOB, 6, 6), "what was read was delivered");
    assert!(note(&fixture, CAL, 1, Reached::Read).await);
    assert_eq!(seen(&fixture, BOB).await, [receipt(CAL, 1, 1), receipt(ANN, 0, 0), receipt(BOB, 6, 6)]);
    assert_eq!(fixture.data.receipts(ANN, OTHER, &[BOB]).await.unwrap(), [receipt(BOB, 0, 0)]);
    let elsewhere = fixture.another_node().await.receipts(ANN, GROUP, &[BOB]).await.unwrap();
    assert_eq!(elsewhere, [receipt(BOB, 6, 6)]);
}

#[tokio::test]
async fn who_keeps_their_reading_to_themselves_neither_shows_nor_sees_it() {
    let fixture = Fixture::new().await;
    for (account, number) in [(ANN, 1), (BOB, 2), (CAL, 3)] {
        note(&fixture, account, number, Reached::Read).await;
    }
    assert_eq!(fixture.data.privacy(BOB).await.unwrap(), Privacy { read_receipts: true });
    let off = Privacy { read_receipts: false };
    fixture.data.set_privacy(BOB, off).await.unwrap();
    assert_eq!(fixture.another_node().await.privacy(BOB).await.unwrap(), off);
    assert_eq!(seen(&fixture, ANN).await, [receipt(CAL, 3, 3), receipt(ANN, 1, 1), receipt(BOB, 2, 0)]);
    assert_eq!(seen(&fixture, BOB).await, [receipt(CAL, 3, 0), receipt(ANN, 1, 0), receipt(BOB, 2, 2)]);
    let mut sharing = fixture.data.sharing_read_receipts(&[CAL, BOB, ANN]).await.unwrap();
    sharing.sort();
    assert_eq!(sharing, [ANN, CAL]);

    fixture.data.set_privacy(BOB, Privacy { read_receipts: true }).await.unwrap();
    assert_eq!(seen(&fixture, BOB).await, [receipt(CAL, 3, 3), receipt(ANN, 1, 1), receipt(BOB, 2, 2)]);
}
