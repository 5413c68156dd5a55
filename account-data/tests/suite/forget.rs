//! What is forgotten with an account.

use account_data::{
    Draft, Move, NotificationSetting, PaceClaim, Place, Privacy, Reached, ReadMarker, ScheduledMessage,
    Scope, Start,
};
use domain::presence::Presence;
use domain::{AccountId, ChannelId, MessageId};
use jiff::SignedDuration;
use uuid::Uuid;

use crate::{ANN, BOB, Fixture, at};

/// A row of each kind.
async fn keep_something(fixture: &Fixture, account: AccountId) {
    let (channel, message) = (ChannelId(Uuid::from_u128(1)), MessageId(Uuid::from_u128(2)));
    let place = Place::channel(channel);
    let marker = ReadMarker { place, message: Some(message), position: 5, moved_at: at(0) };
    let start = Start { position: 0, since: at(0) };
    let data = &fixture.data;
    data.move_read_marker(account, &marker, Move::Forward, start).await.unwrap();
    data.note_receipt(account, channel, (message, 5), Reached::Read).await.unwrap();
    data.set_privacy(account, Privacy { read_receipts: false }).await.unwrap();
    let setting = NotificationSetting { level: None, mute: None };
    data.set_notification_setting(account, Scope::Channel(channel), setting).await.unwrap();
    let draft = Draft { place, content: "dear".to_owned(), reply_to: None, updated_at: at(0) };
    data.keep_draft(account, &draft).await.unwrap();
    data.save_message(account, message, at(0)).await.unwrap();
    let scheduled = ScheduledMessage {
        id: Uuid::new_v5(&account.0, b"scheduled"),
        account,
        channel: place.channel,
        content: "good morning".to_owned(),
        reply_to: None,
        send_at: at(60),
        created_at: at(0),
        failure: None,
    };
    data.schedule_message(&scheduled, None).await.unwrap();
    data.set_presence(account, &Presence::default(), at(0)).await.unwrap();
    let claim = PaceClaim { account, channel, command: Uuid::from_u128(4) };
    data.claim_pace(&claim, at(0), SignedDuration::from_secs(1)).await.unwrap();
    data.attend(Uuid::from_u128(3), &[account], &[], at(0)).await.unwrap();
}

/// The tables of the schema that say whose their rows are, with how many rows of `account` each has.
async fn rows_of(fixture: &Fixture, account: AccountId) -> Vec<(String, i64)> {
    const TABLES: &str = "
        SELECT table_name::text FROM information_schema.columns
        WHERE table_schema = 'account_data' AND column_name = 'account' ORDER BY table_name";
    let client = fixture.sql().await;
    let mut counts = Vec::new();
    for row in client.query(TABLES, &[]).await.unwrap() {
        let table: String = row.get(0);
        let count = format!("SELECT count(*) FROM account_data.{table} WHERE account = $1");
        counts.push((table, client.query_one(&count, &[&account.0]).await.unwrap().get(0)));
    }
    counts
}

#[tokio::test]
async fn an_account_is_forgotten_whole_and_alone() {
    let fixture = Fixture::new().await;
    keep_something(&fixture, ANN).await;
    keep_something(&fixture, BOB).await;
    let before = rows_of(&fixture, ANN).await;
    assert!(before.iter().all(|(_, rows)| *rows > 0), "`keep_something` leaves a table out: {before:?}");
    let of_bob = rows_of(&fixture, BOB).await;

    fixture.data.forget(ANN).await.unwrap();
    let after = rows_of(&fixture, ANN).await;
    assert!(after.iter().all(|(_, rows)| *rows == 0), "`forget` leaves a table out: {after:?}");
    assert_eq!(rows_of(&fixture, BOB).await, of_bob);
    fixture.data.forget(ANN).await.unwrap();
}
