//! Read markers: where they move, and where they stay.

use account_data::{Marked, Move, Place, ReadMarker, Start};
use domain::{ChannelId, MessageId};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{ANN, BOB, Fixture, at};

const HOME: Place = Place { channel: ChannelId(Uuid::from_u128(1)), thread: None };
const OTHER: Place = Place { channel: ChannelId(Uuid::from_u128(2)), thread: None };
/// Who came at the beginning of time, when there was nothing.
const FIRST: Start = Start { position: 0, since: Timestamp::UNIX_EPOCH };

fn to(place: Place, position: u64, seconds: i64) -> ReadMarker {
    let message = Some(MessageId(Uuid::from_u128(u128::from(position))));
    ReadMarker { place, message, position, moved_at: at(seconds) }
}

fn moved(marker: ReadMarker) -> Marked {
    Marked { marker: Some(marker), moved: true }
}

fn stayed(marker: ReadMarker) -> Marked {
    Marked { marker: Some(marker), moved: false }
}

#[tokio::test]
async fn reading_moves_a_marker_forward_only() {
    let fixture = Fixture::new().await;
    let read = async |position, seconds| {
        let marker = to(HOME, position, seconds);
        fixture.data.move_read_marker(ANN, &marker, Move::Forward, FIRST).await.unwrap()
    };
    assert_eq!(fixture.data.read_marker(ANN, HOME).await.unwrap(), None);
    assert_eq!(read(10, 0).await, moved(to(HOME, 10, 0)));
    assert_eq!(read(9, 1).await, stayed(to(HOME, 10, 0)));
    assert_eq!(read(10, 2).await, stayed(to(HOME, 10, 0)));
    assert_eq!(read(11, 3).await, moved(to(HOME, 11, 3)));
    let kept = fixture.another_node().await.read_marker(ANN, HOME).await.unwrap();
    assert_eq!(kept, Some(to(HOME, 11, 3)), "another node, or this one after a restart, knows it");
}

#[tokio::test]
async fn marking_unread_moves_a_marker_back_only() {
    let fixture = Fixture::new().await;
    let data = &fixture.data;
    data.move_read_marker(ANN, &to(HOME, 10, 0), Move::Forward, FIRST).await.unwrap();
    let back =
        async |marker: &ReadMarker| data.move_read_marker(ANN, marker, Move::Back, FIRST).await.unwrap();
    assert_eq!(back(&to(HOME, 11, 1)).await, stayed(to(HOME, 10, 0)));
    assert_eq!(back(&to(HOME, 10, 2)).await, stayed(to(HOME, 10, 0)));
    assert_eq!(back(&to(HOME, 4, 3)).await, moved(to(HOME, 4, 3)));
    let nothing = ReadMarker { message: None, ..to(HOME, 1, 4) };
    assert_eq!(back(&nothing).await, moved(nothing.clone()), "the first message of all is unread again");
    let forward = data.move_read_marker(ANN, &to(HOME, 9, 5), Move::Forward, FIRST).await.unwrap();
    assert_eq!(forward, moved(to(HOME, 9, 5)));
}

#[tokio::test]
async fn what_was_there_before_one_came_counts_as_read() {
    let fixture = Fixture::new().await;
    let data = &fixture.data;
    let start = Start { position: 50, since: at(50) };
    let old = data.move_read_marker(ANN, &to(HOME, 30, 60), Move::Forward, start).await.unwrap();
    assert_eq!(old, Marked { marker: None, moved: false }, "to read old messages makes no newer ones unread");
    let later = data.move_read_marker(ANN, &to(HOME, 60, 60), Move::Back, start).await.unwrap();
    assert_eq!(later, Marked { marker: None, moved: false }, "it is unread already");
    let back = data.move_read_marker(ANN, &to(HOME, 30, 61), Move::Back, start).await.unwrap();
    assert_eq!(back, moved(to(HOME, 30, 61)), "but old messages can be marked unread");

    // Gone, and back later: what was said meanwhile is no news.
    let again = Start { position: 90, since: at(90) };
    let old = data.move_read_marker(ANN, &to(HOME, 80, 91), Move::Forward, again).await.unwrap();
    assert_eq!(old, stayed(to(HOME, 30, 61)));
    let back = data.move_read_marker(ANN, &to(HOME, 85, 92), Move::Back, again).await.unwrap();
    assert_eq!(back, moved(to(HOME, 85, 92)));
}

#[tokio::test]
async fn accounts_channels_and_threads_have_markers_of_their_own() {
    let fixture = Fixture::new().await;
    let data = &fixture.data;
    let thread = Place { thread: Some(MessageId(Uuid::from_u128(7))), ..HOME };
    for (account, marker) in
        [(ANN, to(HOME, 1, 0)), (ANN, to(OTHER, 2, 0)), (ANN, to(thread, 3, 0)), (BOB, to(HOME, 4, 0))]
    {
        data.move_read_marker(account, &marker, Move::Forward, FIRST).await.unwrap();
    }
    let mut of_ann = data.read_markers(ANN, false).await.unwrap();
    of_ann.sort_by_key(|marker| marker.position);
    assert_eq!(of_ann, [to(HOME, 1, 0), to(OTHER, 2, 0)]);
    assert_eq!(data.read_markers(ANN, true).await.unwrap(), [to(thread, 3, 0)]);
    assert_eq!(data.read_markers(BOB, false).await.unwrap(), [to(HOME, 4, 0)]);
    assert_eq!(data.read_marker(ANN, thread).await.unwrap(), Some(to(thread, 3, 0)));
}

#[tokio::test]
async fn of_moves_at_the_same_time_the_furthest_wins() {
    let fixture = Fixture::new().await;
    let moves = (1..=40).map(|position| {
        let data = fixture.data.clone();
        tokio::spawn(async move {
            let marker = to(HOME, position, 0);
            data.move_read_marker(ANN, &marker, Move::Forward, FIRST).await.unwrap();
        })
    });
    for one in moves.collect::<Vec<_>>() {
        one.await.unwrap();
    }
    assert_eq!(fixture.data.read_marker(ANN, HOME).await.unwrap(), Some(to(HOME, 40, 0)));
}
