//! The `data` of frames about messages and what is said of them.
//!
//! A frame is the same for all its readers: whether one reacts or votes oneself shows in `account_id`.

use domain::Personal;
use domain::message::{Content, MessageEvent, MessageText};
use domain::poll::{PollEvent, PollOptions, PollTerms};
use domain::reaction::ReactionEvent;
use domain::thread::ThreadEvent;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::message::{Forwarded, Mentions};

pub(super) fn message(event: &MessageEvent, at: Timestamp) -> Value {
    match event {
        MessageEvent::Posted(e) => {
            let text = e.text.clear();
            json!({
                "id": e.message_id, "channel_id": e.channel_id, "author_id": e.author_id,
                "content": text.map(|text| text.content.as_str()), "reply_to": e.reply_to, "created_at": at,
                "edited_at": null, "deleted_at": null, "reactions": [], "pinned": false,
                "poll": e.poll.as_ref().map(|terms| new_poll(terms, text)),
                "mentions": Mentions::from(e.mentions.clone()), "thread_id": e.thread_id, "thread": null,
                "forwarded": e.forwarded.map(|origin| forwarded(origin, text)),
            })
        }
        MessageEvent::Edited(e) => json!({
            "id": e.message_id, "channel_id": e.channel_id, "content": content(&e.content), "edited_at": at,
            "mentions": Mentions::from(e.mentions.clone()), "thread_id": e.thread_id,
        }),
        MessageEvent::Deleted(e) => json!({
            "id": e.message_id, "channel_id": e.channel_id, "deleted_at": at, "deleted_by": e.deleted_by,
            "thread_id": e.thread_id,
        }),
        MessageEvent::Pinned(e) => json!({
            "id": e.message_id, "channel_id": e.channel_id, "pinned_at": at, "pinned_by": e.by,
        }),
        MessageEvent::Unpinned(e) => json!({
            "id": e.message_id, "channel_id": e.channel_id, "unpinned_by": e.by,
        }),
    }
}

pub(super) fn reaction(event: &ReactionEvent) -> Value {
    match event {
        ReactionEvent::Added(e) => json!({
            "message_id": e.message_id, "channel_id": e.channel_id, "account_id": e.account_id,
            "emoji": e.emoji, "count": e.count,
        }),
        ReactionEvent::Removed(e) => json!({
            "message_id": e.message_id, "channel_id": e.channel_id, "account_id": e.account_id,
            "emoji": e.emoji, "count": e.count,
        }),
        ReactionEvent::Cleared(e) => json!({
            "message_id": e.message_id, "channel_id": e.channel_id, "emoji": e.emoji, "cleared_by": e.by,
        }),
    }
}

pub(super) fn poll(event: &PollEvent) -> Value {
    match event {
        PollEvent::Voted(e) => json!({
            "message_id": e.message_id, "channel_id": e.channel_id, "account_id": e.account_id,
            "options": e.options, "votes": e.votes,
        }),
        PollEvent::Closed(e) => json!({
            "message_id": e.message_id, "channel_id": e.channel_id, "closed_by": e.by,
        }),
    }
}

/// A poll as it is posted; the texts are null where they were deleted or erased.
fn new_poll(terms: &PollTerms, text: Option<&MessageText>) -> Value {
    let mut texts = text.and_then(|text| text.poll.as_ref()).into_iter().flat_map(PollOptions::iter);
    let option = |_| json!({"text": texts.next().map(|text| text.as_str()), "votes": 0, "me": false});
    let options: Vec<Value> = (0..terms.options).map(option).collect();
    json!({
        "options": options, "multiple": terms.multiple, "closes_at": terms.closes_at, "closed": false,
    })
}

/// To the account's own devices.
pub(super) fn thread(event: &ThreadEvent) -> Value {
    let (channel_id, following) = match event {
        ThreadEvent::Followed(e) => (e.channel_id, true),
        ThreadEvent::Unfollowed(e) => (e.channel_id, false),
    };
    json!({"message_id": event.subject().1, "channel_id": channel_id, "following": following})
}

fn forwarded(origin: domain::message::Forwarded, text: Option<&MessageText>) -> Forwarded {
    let copy = text.and_then(|text| text.forwarded.as_ref());
    Forwarded::new(origin, copy.map(|copy| copy.as_str().to_owned()))
}

/// The text, or null where it was deleted or erased.
fn content(content: &Personal<Content>) -> Option<&str> {
    content.clear().map(Content::as_str)
}
