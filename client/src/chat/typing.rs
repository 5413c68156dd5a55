//! Who types where: the others for the prompt, and oneself for the server. No I/O.

use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::room::Room;
use crate::error::Error;
use crate::live::{Signal, Typists};
use crate::message::Message;

/// What is told holds for 10 s; it is told again in time.
const TELL_AGAIN: Duration = Duration::from_secs(4);
/// More than this many are not named.
const NAMED: usize = 3;

#[derive(Debug, Default)]
pub(super) struct TypingHere {
    typists: Typists,
    /// Where the server was told last that this person types.
    told: Option<(Uuid, Instant)>,
}

impl TypingHere {
    pub(super) fn signalled(&mut self, signal: &Signal, now: Instant) -> Result<(), Error> {
        self.typists.signalled(signal, now.into_std())
    }

    pub(super) fn posted(&mut self, message: &Message, now: Instant) {
        self.typists.posted(message, now.into_std());
    }

    /// A key was pressed over what may become a message in `channel`; whether to tell the server.
    pub(super) fn pressed(&mut self, channel: Uuid, now: Instant) -> bool {
        let told = self.told.is_some_and(|(there, at)| there == channel && now < at + TELL_AGAIN);
        if !told {
            self.told = Some((channel, now));
        }
        !told
    }

    /// The line was sent: what comes is another.
    pub(super) fn entered(&mut self) {
        self.told = None;
    }

    /// The others who type in the channel on the screen.
    pub(super) fn others(&self, room: &Room, now: Instant) -> Vec<Uuid> {
        let Some(channel) = room.channel else { return Vec::new() };
        let (accounts, _) = self.typists.now_in(channel, now.into_std());
        accounts.into_iter().filter(|account| *account != room.me).collect()
    }

    /// What the prompt says of them, and when that changes by itself.
    pub(super) fn shown(&self, room: &Room, now: Instant) -> (String, Option<Instant>) {
        let others = self.others(room, now);
        let until = room.channel.and_then(|channel| self.typists.now_in(channel, now.into_std()).1);
        let text = match others.as_slice() {
            [] => return (String::new(), until.map(Instant::from_std)),
            [one] => format!(" · {} types", room.name_of(*one)),
            others if others.len() <= NAMED => {
                let names: Vec<String> = others.iter().map(|other| room.name_of(*other)).collect();
                format!(" · {} type", names.join(", "))
            }
            others => format!(" · {} people type", others.len()),
        };
        (text, until.map(Instant::from_std))
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use serde_json::json;

    use super::*;

    const HERE: Uuid = Uuid::from_u128(1);
    const ME: Uuid = Uuid::from_u128(2);

    fn room() -> Room {
        let account = json!({"id": ME, "handle": "me", "display_name": "Me", "about": "", "administrator": false,
            "created_at": "2026-01-01T00:00:00Z"});
        let snapshot = json!({"account": account, "communities": [], "read_states": [], "cursor": "c"});
        let mut room = Room::new(serde_json::from_value(snapshot).unwrap(), TimeZone::UTC);
        room.channel = Some(HERE);
        room
    }

    fn typing(account: u128) -> Signal {
        let data = json!({"channel_id": HERE, "account_id": Uuid::from_u128(account),
            "expires_at": "2026-01-01T00:00:10Z"});
        let json =
            json!({"type": "typing", "time": "2026-01-01T00:00:00Z", "topic": "channel:1", "data": data});
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn the_prompt_names_a_few_counts_many_and_leaves_oneself_out() {
        let (mut typing_here, mut room, now) = (TypingHere::default(), room(), Instant::now());
        (10..15).for_each(|n| room.name(Uuid::from_u128(n), &format!("P{n}")));
        let mut shown = |account| {
            typing_here.signalled(&typing(account), now).unwrap();
            typing_here.shown(&room, now).0
        };
        assert_eq!(shown(2), "");
        assert_eq!(shown(10), " · P10 types");
        assert_eq!(shown(11), " · P10, P11 type");
        assert_eq!(shown(12), " · P10, P11, P12 type");
        assert_eq!(shown(13), " · 4 people type");
        let (_, until) = typing_here.shown(&room, now);
        assert_eq!(until, Some(now + Duration::from_secs(10)));
        assert_eq!(typing_here.shown(&room, now + Duration::from_secs(10)), (String::new(), None));
    }

    #[test]
    fn the_server_is_told_now_and_then_and_anew_for_another_channel_or_line() {
        let (mut typing_here, now) = (TypingHere::default(), Instant::now());
        assert!(typing_here.pressed(HERE, now));
        assert!(!typing_here.pressed(HERE, now + TELL_AGAIN - Duration::from_millis(1)));
        assert!(typing_here.pressed(HERE, now + TELL_AGAIN));
        assert!(typing_here.pressed(ME, now + TELL_AGAIN));
        assert!(!typing_here.pressed(ME, now + TELL_AGAIN));
        typing_here.entered();
        assert!(typing_here.pressed(ME, now + TELL_AGAIN));
    }
}
