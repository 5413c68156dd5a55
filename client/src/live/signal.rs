//! What is told at once and kept nowhere: that somebody types.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::error::Error;
use crate::message::Message;
use crate::read_state::ReadState;

/// Something told. It has no cursor, is never repeated and may be lost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// Such as `typing`.
    #[serde(rename = "type")]
    pub kind: String,
    pub time: Timestamp,
    /// Whom it concerns, such as `channel:0198…`.
    pub topic: String,
    /// As sent; [`Signal::typing`] and [`Signal::read_marker`] have it typed.
    pub data: Value,
}

/// Somebody types in a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typing {
    pub channel_id: Uuid,
    pub account_id: Uuid,
    /// By the server's clock.
    pub expires_at: Timestamp,
}

impl Signal {
    /// Who types where; `None` if the signal says something else.
    ///
    /// # Errors
    /// [`Error::Decode`] if the data isn't what the contract says.
    pub fn typing(&self) -> Result<Option<Typing>, Error> {
        if self.kind != "typing" {
            return Ok(None);
        }
        let typing = Typing::deserialize(&self.data);
        typing.map(Some).map_err(|error| Error::Decode(format!("a typing signal: {error}")))
    }
}

impl Signal {
    /// How a channel stands now that the caller has read it on another device, or marked it unread; `None` if the signal
    /// says something else. Where two come in the wrong order, the one with the later `time` holds.
    ///
    /// # Errors
    /// [`Error::Decode`] if the data isn't what the contract says.
    pub fn read_marker(&self) -> Result<Option<ReadState>, Error> {
        if self.kind != "read_marker" {
            return Ok(None);
        }
        let state = ReadState::deserialize(&self.data);
        state.map(Some).map_err(|error| Error::Decode(format!("a read marker's signal: {error}")))
    }
}

/// No signal holds longer than this, whatever it says: what is told once may be the last that is heard.
const LONGEST: Duration = Duration::from_secs(30);

/// Who types where now, from the signals and messages that were heard. The time is passed in.
#[derive(Debug, Clone, Default)]
pub struct Typists {
    /// By channel and account.
    heard: HashMap<(Uuid, Uuid), Heard>,
}

#[derive(Debug, Clone, Copy)]
struct Heard {
    /// Forgotten then.
    until: Instant,
    /// The newest message, by the server's clock: typing from before it has led to it.
    posted: Option<Timestamp>,
    typing: bool,
}

impl Typists {
    /// Takes in a signal heard at `now`; others than typing change nothing.
    ///
    /// # Errors
    /// See [`Signal::typing`].
    pub fn signalled(&mut self, signal: &Signal, now: Instant) -> Result<(), Error> {
        let Some(typing) = signal.typing()? else { return Ok(()) };
        self.forget(now);
        // Counted from when it was heard: this computer's clock may be another than the server's.
        let holds = Duration::try_from(typing.expires_at.duration_since(signal.time)).unwrap_or_default();
        let key = (typing.channel_id, typing.account_id);
        let posted = self.heard.get(&key).and_then(|heard| heard.posted);
        if posted.is_none_or(|posted| posted < signal.time) {
            let until = now + holds.min(LONGEST);
            self.heard.insert(key, Heard { until, posted, typing: true });
        }
        Ok(())
    }

    /// Takes in a message heard at `now`: its author is done. A signal from before it may come later, and says nothing.
    pub fn posted(&mut self, message: &Message, now: Instant) {
        self.forget(now);
        let heard = Heard { until: now + LONGEST, posted: Some(message.created_at), typing: false };
        self.heard.insert((message.channel_id, message.author_id), heard);
    }

    /// The accounts that type in `channel`, in the order of their ids, and when the first of them ends.
    pub fn now_in(&self, channel: Uuid, now: Instant) -> (Vec<Uuid>, Option<Instant>) {
        let holds = |heard: &Heard| heard.typing && heard.until > now;
        let here = self.heard.iter().filter(|((place, _), heard)| *place == channel && holds(heard));
        let (mut accounts, mut first) = (Vec::new(), None::<Instant>);
        for ((_, account), heard) in here {
            accounts.push(*account);
            first = Some(first.map_or(heard.until, |first| first.min(heard.until)));
        }
        accounts.sort_unstable();
        (accounts, first)
    }

    fn forget(&mut self, now: Instant) {
        self.heard.retain(|_, heard| heard.until > now);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CHANNEL: Uuid = Uuid::from_u128(1);
    const ADA: Uuid = Uuid::from_u128(2);
    const BOB: Uuid = Uuid::from_u128(3);
    const SECOND: Duration = Duration::from_secs(1);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn typing(account: Uuid, second: i64) -> Signal {
        let data = json!({"channel_id": CHANNEL, "account_id": account, "expires_at": at(second + 10)});
        Signal { kind: "typing".to_owned(), time: at(second), topic: format!("channel:{CHANNEL}"), data }
    }

    fn message(author: Uuid, second: i64) -> Message {
        let json = json!({"id": author, "channel_id": CHANNEL, "author_id": author, "content": "x",
            "created_at": at(second)});
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn typing_ends_by_itself_counted_from_when_it_was_heard() {
        let (mut typists, start) = (Typists::default(), Instant::now());
        typists.signalled(&typing(ADA, 100), start).unwrap();
        typists.signalled(&typing(BOB, 104), start + 4 * SECOND).unwrap();
        assert_eq!(typists.now_in(CHANNEL, start + 9 * SECOND), (vec![ADA, BOB], Some(start + 10 * SECOND)));
        assert_eq!(typists.now_in(CHANNEL, start + 10 * SECOND), (vec![BOB], Some(start + 14 * SECOND)));
        typists.signalled(&typing(ADA, 113), start + 13 * SECOND).unwrap();
        assert_eq!(typists.now_in(CHANNEL, start + 20 * SECOND).0, [ADA]);
        assert_eq!(typists.now_in(CHANNEL, start + 23 * SECOND), (vec![], None));
        assert_eq!(typists.now_in(Uuid::nil(), start), (vec![], None), "elsewhere nobody types");
    }

    #[test]
    fn a_message_ends_its_authors_typing_also_where_the_signal_comes_late() {
        let (mut typists, start) = (Typists::default(), Instant::now());
        typists.signalled(&typing(ADA, 100), start).unwrap();
        typists.signalled(&typing(BOB, 100), start).unwrap();
        typists.posted(&message(ADA, 101), start + SECOND);
        assert_eq!(typists.now_in(CHANNEL, start + SECOND).0, [BOB]);
        typists.signalled(&typing(ADA, 100), start + SECOND).unwrap();
        assert_eq!(typists.now_in(CHANNEL, start + SECOND).0, [BOB]);
        typists.signalled(&typing(ADA, 102), start + 2 * SECOND).unwrap();
        assert_eq!(typists.now_in(CHANNEL, start + 2 * SECOND).0, [ADA, BOB]);
    }

    #[test]
    fn what_is_over_is_forgotten_and_nothing_holds_for_ever() {
        let (mut typists, start) = (Typists::default(), Instant::now());
        for account in 0..1_000 {
            typists.signalled(&typing(Uuid::from_u128(account), 100), start).unwrap();
        }
        let mut endless = typing(ADA, 100);
        endless.data["expires_at"] = json!("9999-01-01T00:00:00Z");
        typists.signalled(&endless, start + 10 * SECOND).unwrap();
        assert_eq!(typists.heard.len(), 1);
        assert_eq!(typists.now_in(CHANNEL, start + 40 * SECOND), (vec![], None));
    }

    #[test]
    fn other_signals_are_no_typing_and_broken_ones_are_told() {
        let mut typists = Typists::default();
        let other = Signal { kind: "waving".to_owned(), ..typing(ADA, 1) };
        typists.signalled(&other, Instant::now()).unwrap();
        assert!(typists.heard.is_empty());
        let broken = Signal { data: json!({}), ..typing(ADA, 1) };
        assert!(matches!(typists.signalled(&broken, Instant::now()), Err(Error::Decode(_))));
    }
}
