//! Scheduled messages: kept, changed, leased by one sender at a time, settled.

use account_data::{Keyed, MAX_SCHEDULED, Outcome, Rescheduled, Scheduled, ScheduledMessage};
use domain::{AccountId, ChannelId, MessageId};
use jiff::SignedDuration;
use uuid::Uuid;

use crate::{ANN, BOB, Fixture, at};

const LEASE: SignedDuration = SignedDuration::from_secs(60);

fn message(id: u128, account: AccountId, seconds: i64) -> ScheduledMessage {
    ScheduledMessage {
        id: Uuid::from_u128(id),
        account,
        channel: ChannelId(Uuid::from_u128(1)),
        content: format!("message {id}"),
        reply_to: Some(MessageId(Uuid::from_u128(2))),
        send_at: at(seconds),
        created_at: at(0),
        failure: None,
    }
}

fn keyed(command: u128, request: u8) -> Option<Keyed> {
    Some(Keyed { command: Uuid::from_u128(command), request: [request; 32] })
}

impl Fixture {
    async fn scheduled(&self, message: &ScheduledMessage) {
        assert_eq!(self.data.schedule_message(message, None).await.unwrap(), Scheduled::Made);
    }

    async fn of(&self, account: AccountId) -> Vec<ScheduledMessage> {
        self.data.scheduled_messages(account).await.unwrap()
    }

    async fn due(&self, seconds: i64) -> Vec<Uuid> {
        let due = self.data.lease_due_messages(at(seconds), LEASE, 10).await.unwrap();
        due.into_iter().map(|message| message.id).collect()
    }

    async fn settle(&self, id: u128, outcome: Outcome) -> bool {
        self.data.settle_scheduled_message(Uuid::from_u128(id), &outcome).await.unwrap()
    }
}

#[tokio::test]
async fn scheduled_messages_are_listed_in_the_order_of_sending() {
    let fixture = Fixture::new().await;
    let [first, second, other] = [message(2, ANN, 10), message(1, ANN, 20), message(3, BOB, 5)];
    for one in [&second, &first, &other] {
        fixture.scheduled(one).await;
    }
    assert_eq!(fixture.of(ANN).await, [first, second]);
    assert_eq!(fixture.another_node().await.scheduled_messages(BOB).await.unwrap(), [other]);
}

#[tokio::test]
async fn a_repeated_command_makes_one_also_after_that_was_sent_or_cancelled() {
    let fixture = Fixture::new().await;
    let schedule =
        async |id, account, key| fixture.data.schedule_message(&message(id, account, 10), key).await.unwrap();
    let first = |id| Scheduled::Repeated { id: Uuid::from_u128(id), created_at: at(0) };
    assert_eq!(schedule(1, ANN, keyed(7, 0)).await, Scheduled::Made);
    assert_eq!(schedule(2, ANN, keyed(7, 0)).await, first(1));
    let before = async |key: Option<Keyed>| fixture.data.scheduled_before(ANN, key.unwrap()).await.unwrap();
    assert_eq!(before(keyed(7, 0)).await, Some(first(1)));
    assert_eq!(before(keyed(7, 1)).await, Some(Scheduled::KeyReused));
    assert_eq!(before(keyed(8, 0)).await, None);
    assert_eq!(schedule(3, ANN, keyed(7, 1)).await, Scheduled::KeyReused);
    assert_eq!(schedule(4, BOB, keyed(7, 1)).await, Scheduled::Made, "keys of different accounts never meet");
    assert!(fixture.settle(1, Outcome::Sent).await);
    assert_eq!(schedule(5, ANN, keyed(7, 0)).await, first(1));
    let cancelled = fixture.data.cancel_scheduled_message(BOB, Uuid::from_u128(4), at(0)).await.unwrap();
    assert_eq!(cancelled, Rescheduled::Done(message(4, BOB, 10)));
    assert_eq!(schedule(6, BOB, keyed(7, 1)).await, first(4));
    assert_eq!((fixture.of(ANN).await, fixture.of(BOB).await), (vec![], vec![]));
    let kept: i64 = fixture
        .sql()
        .await
        .query_one("SELECT count(content) FROM account_data.scheduled_messages", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(kept, 0, "no text stays");
}

#[tokio::test]
async fn text_and_time_can_be_changed() {
    let fixture = Fixture::new().await;
    fixture.scheduled(&message(1, ANN, 10)).await;
    let change = async |account, content, send_at| {
        let id = Uuid::from_u128(1);
        fixture.data.reschedule_message(account, id, content, send_at, at(0)).await.unwrap()
    };
    let texted = ScheduledMessage { content: "better".to_owned(), ..message(1, ANN, 10) };
    assert_eq!(change(ANN, Some("better"), None).await, Rescheduled::Done(texted.clone()));
    let timed = ScheduledMessage { send_at: at(99), ..texted };
    assert_eq!(change(ANN, None, Some(at(99))).await, Rescheduled::Done(timed.clone()));
    assert_eq!(change(BOB, Some("worse"), None).await, Rescheduled::Unknown);
    assert_eq!(fixture.of(ANN).await, [timed]);
}

#[tokio::test]
async fn what_is_due_is_leased_to_one_sender_and_again_only_when_that_is_gone() {
    let fixture = Fixture::new().await;
    for (id, seconds) in [(1, 20), (2, 10), (3, 30)] {
        fixture.scheduled(&message(id, ANN, seconds)).await;
    }
    assert_eq!(fixture.due(9).await, [] as [Uuid; 0]);
    assert_eq!(fixture.due(20).await, [2, 1].map(Uuid::from_u128));
    assert_eq!(fixture.due(29).await, [] as [Uuid; 0]);
    assert_eq!(fixture.due(30).await, [3].map(Uuid::from_u128));
    assert_eq!(fixture.due(79).await, [] as [Uuid; 0]);
    assert_eq!(fixture.due(80).await, [2, 1].map(Uuid::from_u128), "their sender did not come back");
    let id = Uuid::from_u128(1);
    let change = fixture.data.reschedule_message(ANN, id, Some("late"), None, at(139)).await.unwrap();
    assert_eq!(change, Rescheduled::BeingSent);
    let cancel = fixture.data.cancel_scheduled_message(ANN, id, at(139)).await.unwrap();
    assert_eq!(cancel, Rescheduled::BeingSent);
    assert!(fixture.settle(1, Outcome::Sent).await);
    assert!(!fixture.settle(1, Outcome::Sent).await, "said again, it is no news");
    let cancel = fixture.data.cancel_scheduled_message(ANN, id, at(140)).await.unwrap();
    assert_eq!(cancel, Rescheduled::Unknown);
}

#[tokio::test]
async fn several_senders_get_each_message_once() {
    let fixture = Fixture::new().await;
    for id in 1..=40 {
        fixture.scheduled(&message(id, ANN, 10)).await;
    }
    let senders = (0..8).map(|_| {
        let data = fixture.data.clone();
        tokio::spawn(async move { data.lease_due_messages(at(10), LEASE, 10).await.unwrap() })
    });
    let mut leased = Vec::new();
    for sender in senders.collect::<Vec<_>>() {
        leased.extend(sender.await.unwrap().into_iter().map(|message| message.id));
    }
    // Who met others' locks got fewer: what is left is for the next turn.
    loop {
        let more = fixture.due(10).await;
        if more.is_empty() {
            break;
        }
        leased.extend(more);
    }
    leased.sort();
    assert_eq!(leased, (1..=40).map(Uuid::from_u128).collect::<Vec<_>>());
}

#[tokio::test]
async fn one_that_failed_stays_to_be_seen_and_is_tried_again_at_a_new_time() {
    let fixture = Fixture::new().await;
    fixture.scheduled(&message(1, ANN, 10)).await;
    fixture.due(10).await;
    assert!(fixture.settle(1, Outcome::Failed("message_may_not_post")).await);
    let failed = ScheduledMessage { failure: Some("message_may_not_post".to_owned()), ..message(1, ANN, 10) };
    assert_eq!(fixture.of(ANN).await, [failed]);
    assert_eq!(fixture.due(1_000).await, [] as [Uuid; 0]);
    let id = Uuid::from_u128(1);
    fixture.data.reschedule_message(ANN, id, Some("message 1"), None, at(11)).await.unwrap();
    assert_eq!(fixture.due(1_000).await, [] as [Uuid; 0], "a new text alone sends nothing");
    let again = fixture.data.reschedule_message(ANN, id, None, Some(at(50)), at(11)).await.unwrap();
    assert_eq!(again, Rescheduled::Done(message(1, ANN, 50)));
    assert_eq!(fixture.due(50).await, [id]);
}

#[tokio::test]
async fn one_of_which_nothing_is_known_is_due_again_later() {
    let fixture = Fixture::new().await;
    fixture.scheduled(&message(1, ANN, 10)).await;
    fixture.due(10).await;
    assert!(!fixture.settle(1, Outcome::Unsure(at(25))).await);
    assert_eq!(fixture.due(24).await, [] as [Uuid; 0]);
    assert_eq!(fixture.due(25).await, [Uuid::from_u128(1)]);
}

#[tokio::test]
async fn the_number_of_scheduled_messages_has_an_exact_limit() {
    let fixture = Fixture::new().await;
    let limit = u128::try_from(MAX_SCHEDULED).unwrap();
    for id in 1..limit {
        fixture.scheduled(&message(id, ANN, 10)).await;
    }
    let making = (limit..limit + 10).map(|id| {
        let data = fixture.data.clone();
        tokio::spawn(async move { data.schedule_message(&message(id, ANN, 10), None).await.unwrap() })
    });
    let mut made = 0;
    for one in making.collect::<Vec<_>>() {
        made += usize::from(one.await.unwrap() == Scheduled::Made);
    }
    assert_eq!(made, 1);
    fixture.settle(1, Outcome::Failed("message_may_not_post")).await;
    let more = |id| message(id, ANN, 10);
    assert_eq!(fixture.data.schedule_message(&more(1_000), None).await.unwrap(), Scheduled::TooMany);
    fixture.settle(2, Outcome::Sent).await;
    fixture.scheduled(&more(1_000)).await;
}
