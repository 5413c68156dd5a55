//! What may be shown, and what others see of it.

use domain::presence::{LONGEST, Presence, PresenceError, Shown, Sight, Status, StatusText};
use jiff::{SignedDuration, Timestamp};

const NOW: Timestamp = Timestamp::constant(1_750_000_000, 0);

fn after(duration: SignedDuration) -> Timestamp {
    NOW.checked_add(duration).unwrap()
}

fn presence(status: Status) -> Presence {
    Presence { status, text: Some("tea".to_owned()), emoji: Some("🍵".to_owned()), expires_at: None }
}

fn until(expires_at: Timestamp) -> Presence {
    Presence { expires_at: Some(expires_at), ..presence(Status::Dnd) }
}

#[test]
fn names_are_read_as_they_are_written() {
    for status in Status::ALL {
        assert_eq!(Status::parse(status.as_str()), Some(status));
    }
    assert_eq!(Status::parse("offline"), None, "nobody chooses to be offline: that is invisible");
}

#[test]
fn others_see_what_was_chosen_while_the_account_is_connected() {
    for (status, shown) in
        [(Status::Online, Shown::Online), (Status::Away, Shown::Away), (Status::Dnd, Shown::Dnd)]
    {
        let Presence { text, emoji, .. } = presence(status);
        let expected = Sight { status: shown, text, emoji, expires_at: None };
        assert_eq!(presence(status).seen(true, NOW), expected);
    }
}

#[test]
fn offline_and_invisible_look_alike_whatever_was_written() {
    for status in Status::ALL {
        assert_eq!(presence(status).seen(false, NOW), Sight::OFFLINE, "{status:?}");
    }
    assert_eq!(presence(Status::Invisible).seen(true, NOW), Sight::OFFLINE);
}

#[test]
fn text_and_emoji_end_and_the_status_stays() {
    let end = after(SignedDuration::from_secs(10));
    let before = after(SignedDuration::from_millis(9_999));
    assert_eq!(until(end).at(before), until(end));
    assert_eq!(until(end).at(end), Presence { status: Status::Dnd, ..Presence::default() });
    assert_eq!(until(end).seen(true, before).text.as_deref(), Some("tea"));
    let bare = Sight { status: Shown::Dnd, ..Sight::OFFLINE };
    assert_eq!(until(end).seen(true, end), bare);
}

#[test]
fn a_status_without_end_is_fine() {
    for status in Status::ALL {
        assert_eq!(presence(status).check(NOW), Ok(presence(status)));
    }
}

#[test]
fn an_end_of_nothing_is_refused() {
    let nothing = Presence { expires_at: Some(after(LONGEST)), ..Presence::default() };
    assert_eq!(nothing.check(NOW), Err(PresenceError::NothingExpires));
    let emoji = Presence { text: None, ..until(after(LONGEST)) };
    assert_eq!(emoji.clone().check(NOW), Ok(emoji));
}

#[test]
fn an_end_in_the_past_is_refused() {
    let soon = after(SignedDuration::from_micros(1));
    assert_eq!(until(soon).check(NOW), Ok(until(soon)));
    assert_eq!(until(NOW).check(NOW), Err(PresenceError::ExpiryInThePast));
}

#[test]
fn an_end_after_more_than_a_year_is_refused() {
    let last = after(LONGEST);
    assert_eq!(until(last).check(NOW), Ok(until(last)));
    let later = last.checked_add(SignedDuration::from_micros(1)).unwrap();
    assert_eq!(until(later).check(NOW), Err(PresenceError::ExpiryTooFar));
}

#[test]
fn a_text_is_one_line_of_128_characters_at_most() {
    assert!(StatusText::parse(&"é".repeat(128)).is_ok());
    assert!(StatusText::parse(&"é".repeat(129)).is_err());
    assert!(StatusText::parse("two\nlines").is_err());
    assert!(StatusText::parse("  ").is_err());
}
