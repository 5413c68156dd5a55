//! What the log holds against what everyone was told.

use std::collections::{BTreeMap, HashMap, HashSet};

use client::{Cursor, Message, MessageQuery, Place};
use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::cast::Cast;
use crate::readers::Followed;
use crate::writers::Answered;

/// The messages posted in `channel`, by their position in the log.
pub(crate) async fn read_log(url: &str, channel: Uuid) -> Vec<Uuid> {
    let (database, connection) = tokio_postgres::connect(url, NoTls).await.expect("the database answers");
    tokio::spawn(connection);
    let query = "
        SELECT data FROM log.events
        WHERE kind = 'message.posted' AND topic = $1
        ORDER BY position";
    let rows = database.query(query, &[&format!("channel:{channel}")]).await.expect("the log can be read");
    let posted = |row: &tokio_postgres::Row| {
        let data: serde_json::Value = serde_json::from_slice(row.get("data")).expect("events are JSON");
        data["message_id"].as_str().and_then(|id| id.parse().ok()).expect("a post names its message")
    };
    rows.iter().map(posted).collect()
}

/// The channel's history over REST, page by page, oldest first.
pub(crate) async fn read_history(cast: &Cast, end: &Cursor) -> Vec<Message> {
    let client = &cast.players[0].client;
    let mut messages = Vec::new();
    let mut before = None;
    loop {
        let query = MessageQuery { before, limit: Some(100), ..MessageQuery::default() };
        let page = loop {
            match client.messages(cast.channel, &query).min_position(end).await {
                // The read model has a backlog to work off after a kill.
                Err(error) if error.code() == Some("not_caught_up") => {}
                answer => break answer.expect("a page of history"),
            }
        };
        messages.extend(page.items);
        match page.next {
            Some(next) => before = Some(Place::Page(next)),
            None => break,
        }
    }
    messages.reverse();
    messages
}

/// Everything that is wrong, in words; nothing if each answered message is in the log exactly once, no other is, and
/// the history and every reader show exactly the log, in its order.
pub(crate) fn faults(
    answered: &[Answered],
    log: &[Uuid],
    history: &[Message],
    readers: &[Followed],
) -> Vec<String> {
    let mut faults = Vec::new();
    let contents: HashMap<Uuid, &str> = answered.iter().map(|a| (a.id, a.content.as_str())).collect();
    if contents.len() != answered.len() {
        faults.push(format!("{} answers named {} messages", answered.len(), contents.len()));
    }
    let mut count: HashMap<Uuid, usize> = HashMap::new();
    log.iter().for_each(|id| *count.entry(*id).or_default() += 1);
    for (id, content) in &contents {
        match count.get(id).copied().unwrap_or_default() {
            1 => {}
            times => faults.push(format!("{content:?} ({id}) is in the log {times} times")),
        }
    }
    for id in count.keys().filter(|id| !contents.contains_key(id)) {
        faults.push(format!("{id} is in the log, and was never answered"));
    }
    let shown: Vec<(Uuid, Option<&str>)> = history.iter().map(|m| (m.id, m.content.as_deref())).collect();
    let expected: Vec<(Uuid, Option<&str>)> = log.iter().map(|id| (*id, contents.get(id).copied())).collect();
    faults.extend(difference("the history", &expected, &shown));
    let mut frames: BTreeMap<Uuid, HashSet<&Cursor>> = BTreeMap::new();
    for (number, reader) in readers.iter().enumerate() {
        let seen: Vec<(Uuid, Option<&str>)> =
            reader.seen.iter().map(|seen| (seen.message, seen.content.as_deref())).collect();
        faults.extend(difference(&format!("reader {number}"), &expected, &seen));
        reader.seen.iter().for_each(|seen| {
            frames.entry(seen.message).or_default().insert(&seen.frame);
        });
    }
    let named_twice = frames.iter().filter(|(_, ids)| ids.len() > 1);
    faults.extend(named_twice.map(|(id, ids)| format!("{id} came in frames {ids:?}")));
    let ids: HashSet<&Cursor> = frames.values().flatten().copied().collect();
    if ids.len() < frames.len() {
        faults.push("two messages came in frames with the same id".to_owned());
    }
    faults
}

/// Where two sequences part.
fn difference<T: PartialEq + std::fmt::Debug>(who: &str, expected: &[T], seen: &[T]) -> Option<String> {
    let at = expected.iter().zip(seen).position(|(expected, seen)| expected != seen);
    let at = at.or_else(|| (expected.len() != seen.len()).then(|| expected.len().min(seen.len())))?;
    let (expected_here, seen_here) = (expected.get(at), seen.get(at));
    let elsewhere = expected_here.and_then(|wanted| seen.iter().position(|seen| seen == wanted));
    let (all, shown) = (expected.len(), seen.len());
    Some(format!(
        "{who} shows {shown} of {all} messages; at {at} it has {seen_here:?} instead of {expected_here:?}, which it has at {elsewhere:?}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readers::Seen;

    const A: Uuid = Uuid::from_u128(0xa);
    const B: Uuid = Uuid::from_u128(0xb);
    const C: Uuid = Uuid::from_u128(0xc);

    fn answered(ids: &[Uuid]) -> Vec<Answered> {
        ids.iter().map(|id| Answered { id: *id, content: id.to_string() }).collect()
    }

    fn history(ids: &[Uuid]) -> Vec<Message> {
        let message = |id: &Uuid| {
            let json = serde_json::json!({
                "id": id, "channel_id": A, "author_id": A, "content": id.to_string(),
                "created_at": "2030-01-01T00:00:00Z",
            });
            serde_json::from_value(json).expect("a message")
        };
        ids.iter().map(message).collect()
    }

    fn reader(ids: &[Uuid]) -> Followed {
        let seen = |id: &Uuid| Seen {
            message: *id,
            content: Some(id.to_string()),
            frame: Cursor::from(id.to_string()),
        };
        Followed { seen: ids.iter().map(seen).collect(), interruptions: 0 }
    }

    #[test]
    fn agreement_has_no_faults() {
        let all = [A, B, C];
        assert!(
            faults(&answered(&[C, A, B]), &all, &history(&all), &[reader(&all), reader(&all)]).is_empty()
        );
    }

    #[test]
    fn each_kind_of_fault_is_found() {
        let all = [A, B, C];
        let found = |answers: &[Uuid], log: &[Uuid], shown: &[Uuid], seen: &[Uuid]| {
            !faults(&answered(answers), log, &history(shown), &[reader(&all), reader(seen)]).is_empty()
        };
        assert!(found(&all, &[A, B], &[A, B], &[A, B]), "lost");
        assert!(found(&all, &[A, B, B, C], &[A, B, B, C], &[A, B, B, C]), "doubled in the log");
        assert!(found(&[A, B], &all, &all, &all), "written by nobody");
        assert!(found(&[A, B, B, C], &all, &all, &all), "two answers, one message");
        assert!(found(&all, &all, &[A, C], &all), "missing in the history");
        assert!(found(&all, &all, &[B, A, C], &all), "the history in another order");
        assert!(found(&all, &all, &all, &[A, C]), "missed by a reader");
        assert!(found(&all, &all, &all, &[A, B]), "a reader ends too soon");
        assert!(found(&all, &all, &all, &[A, B, B, C]), "seen twice");
        assert!(found(&all, &all, &all, &[A, C, B]), "seen out of order");
    }

    #[test]
    fn frames_of_one_message_have_one_id_and_those_of_two_have_two() {
        let all = [A, B];
        let mut other = reader(&all);
        other.seen[1].frame = Cursor::from("another");
        assert_eq!(faults(&answered(&all), &all, &history(&all), &[reader(&all), other]).len(), 1);
        let mut same = reader(&all);
        same.seen[1].frame = same.seen[0].frame.clone();
        assert_eq!(faults(&answered(&all), &all, &history(&all), &[same]).len(), 1);
    }
}
