//! Presence: how an account shows itself, and what others see of that. Not an event: it is in no log.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::text::bounded;

bounded!(
    /// What somebody says about being there, such as "in a meeting".
    StatusText, line, 1..=128
);

/// What an account chose to show while it is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    #[default]
    Online,
    Away,
    /// Do not disturb.
    Dnd,
    /// Shown to others as if it were not connected.
    Invisible,
}

impl Status {
    pub const ALL: [Self; 4] = [Self::Online, Self::Away, Self::Dnd, Self::Invisible];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Away => "away",
            Self::Dnd => "dnd",
            Self::Invisible => "invisible",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// What others see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    Online,
    Away,
    Dnd,
    Offline,
}

/// What an account chose, whether it is connected or not. The default is what holds for who never chose.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Presence {
    pub status: Status,
    pub text: Option<String>,
    /// One emoji of Unicode.
    pub emoji: Option<String>,
    /// From then on there is neither text nor emoji. The status stays: who is invisible does not turn up by itself.
    pub expires_at: Option<Timestamp>,
}

/// What others see of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sight {
    pub status: Shown,
    pub text: Option<String>,
    pub emoji: Option<String>,
    pub expires_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PresenceError {
    #[error("there is neither text nor emoji that could expire")]
    NothingExpires,
    #[error("a status must expire in the future")]
    ExpiryInThePast,
    #[error("a status may hold for 365 days at most")]
    ExpiryTooFar,
}

/// The longest that text and emoji may be set to hold.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(365 * 24);

impl Presence {
    /// Checks what somebody wants to show from `now` on.
    ///
    /// # Errors
    /// See [`PresenceError`].
    pub fn check(self, now: Timestamp) -> Result<Self, PresenceError> {
        let Some(expires_at) = self.expires_at else { return Ok(self) };
        if self.text.is_none() && self.emoji.is_none() {
            return Err(PresenceError::NothingExpires);
        }
        if expires_at <= now {
            return Err(PresenceError::ExpiryInThePast);
        }
        if expires_at.duration_since(now) > LONGEST {
            return Err(PresenceError::ExpiryTooFar);
        }
        Ok(self)
    }

    /// What holds of it at `now`.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        if self.expires_at.is_some_and(|expires_at| expires_at <= now) {
            return Self { status: self.status, ..Self::default() };
        }
        self
    }

    /// What others see at `now`. Who is offline and who is invisible look alike: no text tells them apart.
    #[must_use]
    pub fn seen(self, connected: bool, now: Timestamp) -> Sight {
        let status = match self.status {
            _ if !connected => Shown::Offline,
            Status::Online => Shown::Online,
            Status::Away => Shown::Away,
            Status::Dnd => Shown::Dnd,
            Status::Invisible => Shown::Offline,
        };
        if status == Shown::Offline {
            return Sight::OFFLINE;
        }
        let Self { text, emoji, expires_at, .. } = self.at(now);
        Sight { status, text, emoji, expires_at }
    }
}

impl Sight {
    pub const OFFLINE: Self = Self { status: Shown::Offline, text: None, emoji: None, expires_at: None };

    pub fn is_offline(&self) -> bool {
        self.status == Shown::Offline
    }
}
