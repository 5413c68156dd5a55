//! When a message may be sent later. Until then it is no event: it is posted by its author, with what they may do then.

use jiff::{SignedDuration, Timestamp};

/// How far ahead a message may be scheduled.
pub const FARTHEST: SignedDuration = SignedDuration::from_hours(365 * 24);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendAtError {
    #[error("a message must be scheduled for the future")]
    InThePast,
    #[error("a message may be scheduled 365 days ahead at most")]
    TooFar,
}

/// Checks when somebody wants a message to be sent.
///
/// # Errors
/// See [`SendAtError`].
pub fn check_send_at(send_at: Timestamp, now: Timestamp) -> Result<Timestamp, SendAtError> {
    if send_at <= now {
        return Err(SendAtError::InThePast);
    }
    if send_at.duration_since(now) > FARTHEST {
        return Err(SendAtError::TooFar);
    }
    Ok(send_at)
}
