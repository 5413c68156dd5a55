//! Slow mode: one moment for one command, on all nodes.

use account_data::{AccountData, PaceClaim, Paced};
use domain::{AccountId, ChannelId};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::{ANN, BOB, Fixture, at};

const INTERVAL: SignedDuration = SignedDuration::from_secs(10);

fn claim(account: AccountId, channel: u128, command: u128) -> PaceClaim {
    let (channel, command) = (ChannelId(Uuid::from_u128(channel)), Uuid::from_u128(command));
    PaceClaim { account, channel, command }
}

async fn claimed(data: &AccountData, command: u128, now: Timestamp) -> Paced {
    data.claim_pace(&claim(ANN, 1, command), now, INTERVAL).await.unwrap()
}

#[tokio::test]
async fn the_interval_lies_between_two_posts_to_the_microsecond() {
    let fixture = Fixture::new().await;
    let data = &fixture.data;
    assert_eq!(claimed(data, 1, at(0)).await, Paced::Now);
    let early = at(10).checked_sub(SignedDuration::from_micros(1)).unwrap();
    assert_eq!(claimed(data, 2, early).await, Paced::NotBefore(at(10)));
    assert_eq!(claimed(&fixture.another_node().await, 2, at(9)).await, Paced::NotBefore(at(10)));
    assert_eq!(claimed(data, 2, at(10)).await, Paced::Now);
    assert_eq!(claimed(data, 3, at(19)).await, Paced::NotBefore(at(20)));
}

#[tokio::test]
async fn each_account_has_its_own_pace_in_each_channel() {
    let fixture = Fixture::new().await;
    for claim in [claim(ANN, 1, 1), claim(ANN, 2, 2), claim(BOB, 1, 3)] {
        assert_eq!(fixture.data.claim_pace(&claim, at(0), INTERVAL).await.unwrap(), Paced::Now);
    }
}

#[tokio::test]
async fn a_repeat_of_the_command_waits_for_nothing_and_moves_nothing() {
    let fixture = Fixture::new().await;
    let data = &fixture.data;
    assert_eq!(claimed(data, 1, at(0)).await, Paced::Now);
    for second in [1, 11] {
        assert_eq!(claimed(data, 1, at(second)).await, Paced::Before);
    }
    assert_eq!(claimed(data, 2, at(10)).await, Paced::Now);
    assert_eq!(claimed(data, 1, at(11)).await, Paced::NotBefore(at(20)));
}

#[tokio::test]
async fn what_is_given_back_leaves_what_was_claimed_before() {
    let fixture = Fixture::new().await;
    let data = &fixture.data;
    assert_eq!(claimed(data, 1, at(0)).await, Paced::Now);
    data.give_pace_back(&claim(ANN, 1, 1)).await.unwrap();
    assert_eq!(claimed(data, 2, at(1)).await, Paced::Now);
    // A claim that is another's by now is not given back.
    data.give_pace_back(&claim(ANN, 1, 1)).await.unwrap();
    assert_eq!(claimed(data, 3, at(2)).await, Paced::NotBefore(at(11)));
    assert_eq!(claimed(data, 3, at(11)).await, Paced::Now);
    data.give_pace_back(&claim(ANN, 1, 3)).await.unwrap();
    let longer = SignedDuration::from_secs(60);
    let later = data.claim_pace(&claim(ANN, 1, 4), at(20), longer).await.unwrap();
    assert_eq!(later, Paced::NotBefore(at(61)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_once_one_gets_the_moment() {
    let fixture = Fixture::new().await;
    let other = fixture.another_node().await;
    for round in 0..20 {
        let now = at(round * 10);
        let tasks: Vec<_> = (1..=6)
            .map(|command| {
                let data = if command % 2 == 0 { fixture.data.clone() } else { other.clone() };
                tokio::spawn(async move {
                    claimed(&data, u128::from(round.unsigned_abs() * 100 + command), now).await
                })
            })
            .collect();
        let mut now_count = 0;
        for task in tasks {
            now_count += u32::from(task.await.unwrap() == Paced::Now);
        }
        assert_eq!(now_count, 1, "round {round}");
    }
}
