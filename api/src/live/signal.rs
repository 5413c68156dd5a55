//! One signal as clients get it, encoded once for all of them.

use domain::presence::Sight;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::access::Audience;
use super::framed::Framed;
use crate::signal::{OwnSignal, Presence, Receipt, Signal, Typing};

/// The object of a signal, the same on both transports. It has no `id`: there is nothing to resume from.
#[derive(Serialize)]
struct SignalObject<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    time: Timestamp,
    topic: String,
    data: Value,
}

#[derive(Debug)]
pub(crate) struct SignalFrame {
    pub(crate) audience: Audience,
    /// `event:` and `data:` lines with the blank line behind them.
    sse: Framed,
    /// Where in `sse` the JSON object begins; it ends two bytes before the end.
    json_start: usize,
}

impl SignalFrame {
    pub(crate) fn of(signal: &Signal) -> Self {
        match signal {
            Signal::Typing(typing) => Self::typing(typing),
            Signal::ReadMarker(own) => Self::own("read_marker", own),
            Signal::ThreadReadMarker(own) => Self::own("thread_read_marker", own),
            Signal::Receipt(receipt) => Self::receipt(receipt),
            Signal::Privacy(own) => Self::own("privacy", own),
            Signal::NotificationSettings(own) => Self::own("notification_settings", own),
            Signal::Presence(presence) => Self::presence(presence.clone()),
            Signal::OwnPresence(own) => Self::own("own_presence", own),
            Signal::Draft(own) => Self::own("draft", own),
            Signal::SavedMessage(own) => Self::own("saved_message", own),
            Signal::ScheduledMessage(own) => Self::own("scheduled_message", own),
        }
    }

    /// What an account did on one device, for its others.
    fn own<T: Serialize>(kind: &str, OwnSignal { account_id, time, data }: &OwnSignal<T>) -> Self {
        let topic = domain::streams::topics::account(*account_id);
        let data = serde_json::to_value(data).expect("signals are plain structs: JSON cannot fail");
        let object = SignalObject { kind, time: *time, topic, data };
        Self::new(Audience::Account(*account_id), &object)
    }

    fn presence(presence: Presence) -> Self {
        let Presence { account_id, communities, conversations, sight, time } = presence;
        let Sight { status, text, emoji, expires_at } = sight;
        let object = SignalObject {
            kind: "presence",
            time,
            topic: domain::streams::topics::account(account_id),
            data: json!({
                "account_id": account_id, "status": status, "text": text, "emoji": emoji, "expires_at": expires_at,
            }),
        };
        Self::new(Audience::Near(account_id, communities, conversations), &object)
    }

    fn receipt(receipt: &Receipt) -> Self {
        let Receipt { channel_id, account_id, message_id, read, time, to } = *receipt;
        let (delivered, read) = if read { (message_id, Some(message_id)) } else { (message_id, None) };
        let object = SignalObject {
            kind: "receipt",
            time,
            topic: domain::streams::topics::channel(channel_id),
            data: json!({
                "channel_id": channel_id, "account_id": account_id, "delivered": delivered, "read": read,
            }),
        };
        Self::new(to.map_or(Audience::Conversation(channel_id), Audience::Account), &object)
    }

    fn typing(typing: &Typing) -> Self {
        let Typing { community_id, channel_id, account_id, time, expires_at } = *typing;
        let object = SignalObject {
            kind: "typing",
            time,
            topic: domain::streams::topics::channel(channel_id),
            data: json!({"channel_id": channel_id, "account_id": account_id, "expires_at": expires_at}),
        };
        Self::new(Audience::of_channel(community_id, channel_id), &object)
    }

    fn new(audience: Audience, object: &SignalObject<'_>) -> Self {
        let head = format!("event: {}\ndata: ", object.kind);
        let json = serde_json::to_vec(object).expect("signals are plain structs: JSON cannot fail");
        let sse = Framed::new([head.as_bytes(), &json, b"\n\n"].into_iter());
        Self { audience, sse, json_start: head.len() }
    }

    pub(crate) fn sse(&self) -> &Framed {
        &self.sse
    }

    pub(crate) fn json(&self) -> &[u8] {
        let sse = self.sse.plain();
        &sse[self.json_start..sse.len() - 2]
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::{AccountId, ChannelId, CommunityId};
    use event_store::Position;
    use uuid::Uuid;

    use super::super::item::Item;
    use super::super::outlet::{Outlet, Pushed, QUEUE, Taken};
    use super::*;

    fn frame() -> SignalFrame {
        let [community, channel, account] = [1, 2, 3].map(Uuid::from_u128);
        let typing = Typing::new(
            Some(CommunityId(community)),
            ChannelId(channel),
            AccountId(account),
            Timestamp::UNIX_EPOCH,
        );
        SignalFrame::of(&Signal::Typing(typing))
    }

    #[test]
    fn a_signal_is_an_event_without_an_id() {
        let frame = frame();
        let json: Value = serde_json::from_slice(frame.json()).expect("JSON");
        let expected = json!({
            "type": "typing", "time": "1970-01-01T00:00:00Z",
            "topic": "channel:00000000-0000-0000-0000-000000000002",
            "data": {
                "channel_id": "00000000-0000-0000-0000-000000000002",
                "account_id": "00000000-0000-0000-0000-000000000003",
                "expires_at": "1970-01-01T00:00:10Z",
            },
        });
        assert_eq!(json, expected);
        let text = std::str::from_utf8(frame.sse().plain()).expect("UTF-8");
        assert_eq!(text, format!("event: typing\ndata: {}\n\n", String::from_utf8_lossy(frame.json())));
    }

    #[test]
    fn who_is_behind_gets_no_signals_and_stays() {
        let (outlet, frame) = (Outlet::new(Position(7)), Arc::new(frame()));
        assert_eq!(outlet.push_signal(&frame), Pushed::First);
        let taken = (1..QUEUE).filter(|_| outlet.push_signal(&frame) == Pushed::Waits).count();
        assert!(taken < QUEUE / 2, "room is left for frames");
        assert_eq!(outlet.push_signal(&frame), Pushed::Refused);
        assert_eq!(outlet.ended(), None);
        let Taken::Items(items) = outlet.take() else { panic!("signals wait") };
        assert_eq!(items.len(), taken + 1);
        assert!(items.iter().all(|item| matches!(item, Item::Signal(_))));
        assert_eq!(outlet.position(), Position(7), "signals have no place in the log");
        assert_eq!(outlet.push_signal(&frame), Pushed::Waits, "there is room again");
    }
}
