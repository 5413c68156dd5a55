//! When a message may be sent later.

use domain::scheduled_message::{FARTHEST, SendAtError, check_send_at};
use jiff::{SignedDuration, Timestamp};

const NOW: Timestamp = Timestamp::constant(1_750_000_000, 0);
const MOMENT: SignedDuration = SignedDuration::from_micros(1);

fn after(duration: SignedDuration) -> Timestamp {
    NOW.checked_add(duration).unwrap()
}

#[test]
fn a_message_may_be_sent_from_the_next_moment_on_for_a_year() {
    for send_at in [after(MOMENT), after(FARTHEST)] {
        assert_eq!(check_send_at(send_at, NOW), Ok(send_at));
    }
}

#[test]
fn sending_in_the_past_is_refused() {
    assert_eq!(check_send_at(NOW, NOW), Err(SendAtError::InThePast));
}

#[test]
fn sending_in_more_than_a_year_is_refused() {
    assert_eq!(check_send_at(after(FARTHEST + MOMENT), NOW), Err(SendAtError::TooFar));
}
