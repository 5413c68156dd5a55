//! What the log holds against what everyone was told.

use std::collections::{BTreeMap, HashMap, HashSet};

use client::{Cursor, Message, MessageQuery, Place};
use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::cast::Cast;
use crate::readers::Followed;
use crate::writers::Answered;

/// The types of event that are held against each other.
pub(crate) const POSTED: &str = "message.posted";
pub(crate) const EDITED: &str = "message.edited";
pub(crate) const REACTED: &str = "reaction.added";

/// What happened to a message: the event's type, and which message.
pub(crate) type Deed = (String, Uuid);

/// What happened to the messages of `channel`, by the position in the log.
pub(crate) async fn read_log(url: &str, channel: Uuid) -> Vec<Deed> {
    let (database, connection) = tokio_postgres::connect(url, NoTls).await.expect("the database answers");
    tokio::spawn(connection);
    let query = "
        SELECT kind, data FROM log.events
        WHERE kind = ANY ($2) AND topic = $1
        ORDER BY position";
    let kinds = [POSTED, EDITED, REACTED];
    let topic = format!("channel:{channel}");
    let rows = database.query(query, &[&topic, &&kinds[..]]).await.expect("the log can be read");
    let deed = |row: &tokio_postgres::Row| {
        let data: serde_json::Value = serde_json::from_slice(row.get("data")).expect("events are JSON");
        let id = data["message_id"].as_str().and_then(|id| id.parse().ok());
        (row.get("kind"), id.expect("each names its message"))
    };
    rows.iter().map(deed).collect()
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

/// Everything that is wrong, in words; nothing if each thing answered is in the log exactly once, no other is, every
/// reader shows exactly the log, in its order, and the history what it comes to.
pub(crate) fn faults(
    answered: &[Answered],
    log: &[Deed],
    history: &[Message],
    readers: &[Followed],
) -> Vec<String> {
    let mut faults = Vec::new();
    let contents: HashMap<Deed, &str> =
        answered.iter().map(|a| ((a.kind.to_owned(), a.id), a.content.as_str())).collect();
    if contents.len() != answered.len() {
        faults.push(format!("{} answers named {} deeds", answered.len(), contents.len()));
    }
    let mut count: HashMap<&Deed, usize> = HashMap::new();
    log.iter().for_each(|deed| *count.entry(deed).or_default() += 1);
    for (deed, content) in &contents {
        match count.get(deed).copied().unwrap_or_default() {
            1 => {}
            times => faults.push(format!("{content:?} ({deed:?}) is in the log {times} times")),
        }
    }
    for deed in count.keys().filter(|deed| !contents.contains_key(**deed)) {
        faults.push(format!("{deed:?} is in the log, and was never answered"));
    }
    let of = |kind: &str, id: Uuid| contents.get(&(kind.to_owned(), id)).copied();
    let shown: Vec<(Uuid, Option<&str>, bool)> =
        history.iter().map(|m| (m.id, m.content.as_deref(), !m.reactions.is_empty())).collect();
    let posts = log.iter().filter(|(kind, _)| kind == POSTED);
    let come_to: Vec<(Uuid, Option<&str>, bool)> =
        posts.map(|(_, id)| (*id, of(EDITED, *id).or(of(POSTED, *id)), of(REACTED, *id).is_some())).collect();
    faults.extend(difference("the history", &come_to, &shown));
    let expected: Vec<(&Deed, Option<&str>)> =
        log.iter().map(|deed| (deed, contents.get(deed).copied())).collect();
    let mut frames: BTreeMap<Deed, HashSet<&Cursor>> = BTreeMap::new();
    for (number, reader) in readers.iter().enumerate() {
        let deeds: Vec<Deed> = reader.seen.iter().map(|seen| (seen.kind.clone(), seen.message)).collect();
        let texts = reader.seen.iter().map(|seen| seen.content.as_deref());
        let seen: Vec<(&Deed, Option<&str>)> = deeds.iter().zip(texts).collect();
        faults.extend(difference(&format!("reader {number}"), &expected, &seen));
        for (deed, seen) in deeds.iter().zip(&reader.seen) {
            frames.entry(deed.clone()).or_default().insert(&seen.frame);
        }
    }
    let named_twice = frames.iter().filter(|(_, ids)| ids.len() > 1);
    faults.extend(named_twice.map(|(deed, ids)| format!("{deed:?} came in frames {ids:?}")));
    let ids: HashSet<&Cursor> = frames.values().flatten().copied().collect();
    if ids.len() < frames.len() {
        faults.push("two events came in frames with the same id".to_owned());
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
        ids.iter().map(|id| Answered { kind: POSTED, id: *id, content: id.to_string() }).collect()
    }

    fn log(ids: &[Uuid]) -> Vec<Deed> {
        ids.iter().map(|id| (POSTED.to_owned(), *id)).collect()
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
            kind: POSTED.to_owned(),
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
            faults(&answered(&[C, A, B]), &log(&all), &history(&all), &[reader(&all), reader(&all)])
                .is_empty()
        );
    }

    #[test]
    fn each_kind_of_fault_is_found() {
        let all = [A, B, C];
        let found = |answers: &[Uuid], told: &[Uuid], shown: &[Uuid], seen: &[Uuid]| {
            !faults(&answered(answers), &log(told), &history(shown), &[reader(&all), reader(seen)]).is_empty()
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
    fn what_became_of_a_message_is_held_against_the_history() {
        let edit = Answered { kind: EDITED, id: A, content: "other".to_owned() };
        let told = [log(&[A]), vec![(EDITED.to_owned(), A)]].concat();
        let answers = [answered(&[A]), vec![edit]].concat();
        let mut shown = history(&[A]);
        assert!(!faults(&answers, &told, &shown, &[]).is_empty(), "the old text is shown");
        shown[0].content = Some("other".to_owned());
        assert!(faults(&answers, &told, &shown, &[]).is_empty());
        assert!(!faults(&answers, &log(&[A]), &shown, &[]).is_empty(), "the edit is not in the log");
    }

    #[test]
    fn frames_of_one_message_have_one_id_and_those_of_two_have_two() {
        let all = [A, B];
        let mut other = reader(&all);
        other.seen[1].frame = Cursor::from("another");
        assert_eq!(faults(&answered(&all), &log(&all), &history(&all), &[reader(&all), other]).len(), 1);
        let mut same = reader(&all);
        same.seen[1].frame = same.seen[0].frame.clone();
        assert_eq!(faults(&answered(&all), &log(&all), &history(&all), &[same]).len(), 1);
    }
}
