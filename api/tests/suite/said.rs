//! What is said of messages, followed by frames as docs/API.md tells to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::harness::{Account, Answer, TestServer};
use crate::live::{cursor, poll};

/// Messages by id, as one account sees them.
type View = BTreeMap<String, Value>;

/// What a frame does to the messages of `viewer`.
fn apply(view: &mut View, viewer: &Account, frame: &Value) {
    let (kind, data) = (frame["type"].as_str().expect("a type"), &frame["data"]);
    let id = data["message_id"].as_str().or(data["id"].as_str()).expect("a message");
    let message = view.get_mut(id).expect("one of the messages");
    let me = data["account_id"] == viewer.id.as_str();
    match kind {
        "reaction.added" | "reaction.removed" => {
            let (emoji, count) = (&data["emoji"], data["count"].as_u64().expect("a number"));
            let reactions = message["reactions"].as_array_mut().expect("a list");
            let known = reactions.iter().position(|reaction| reaction["emoji"] == *emoji);
            let was_me = known.is_some_and(|at| reactions[at]["me"] == true);
            let now = json!({
                "emoji": emoji, "count": count, "me": if me { kind == "reaction.added" } else { was_me },
            });
            match known {
                Some(at) if count == 0 => drop(reactions.remove(at)),
                Some(at) if kind == "reaction.added" && count == 1 => {
                    reactions.remove(at);
                    reactions.push(now);
                }
                Some(at) => reactions[at] = now,
                None if count > 0 => reactions.push(now),
                None => {}
            }
        }
        "reaction.cleared" => {
            let reactions = message["reactions"].as_array_mut().expect("a list");
            reactions.retain(|reaction| !data["emoji"].is_null() && reaction["emoji"] != data["emoji"]);
        }
        "poll.voted" => {
            let options = message["poll"]["options"].as_array_mut().expect("a list");
            for (place, option) in options.iter_mut().enumerate() {
                option["votes"] = data["votes"][place].clone();
                if me {
                    option["me"] = data["options"].as_array().expect("places").contains(&json!(place)).into();
                }
            }
        }
        "poll.closed" => message["poll"]["closed"] = true.into(),
        "message.pinned" => message["pinned"] = true.into(),
        "message.unpinned" => message["pinned"] = false.into(),
        "message.edited" => {
            message["content"] = data["content"].clone();
            message["edited_at"] = data["edited_at"].clone();
        }
        "message.deleted" => {
            message["content"] = Value::Null;
            message["deleted_at"] = data["deleted_at"].clone();
            message["reactions"] = json!([]);
            message["pinned"] = false.into();
            if let Some(options) = message["poll"]["options"].as_array_mut() {
                options.fill(json!({"text": null, "votes": 0, "me": false}));
                message["poll"]["closed"] = true.into();
            }
        }
        other => panic!("a frame that is not about this: {other}"),
    }
}

async fn shown(server: &TestServer, by: &Account, ids: &[String], last: &Answer) -> View {
    let mut view = View::new();
    for id in ids {
        let message = server.get(&format!("/messages/{id}")).by(by).after(last).send().await.is(200).json;
        view.insert(id.clone(), message);
    }
    view
}

/// Something that somebody says of a message, chosen by a number; it may be refused.
async fn say(server: &TestServer, people: &[&Account], ids: &[String], number: usize) {
    let mut number = number;
    let mut choose = |among: usize| {
        let chosen = number % among;
        number /= among;
        chosen
    };
    let (who, id, what) = (people[choose(3)], &ids[choose(ids.len())], choose(16));
    let (owner, path) = (people[0], format!("/messages/{id}"));
    let (emoji, number) = (["🎉", "👍"][choose(2)], choose(8));
    let reaction = format!("{path}/reactions/{emoji}");
    let call = match what {
        0..=4 => server.put(&reaction).by(who),
        5..=8 => server.delete(&reaction).by(who),
        9 => server.delete(&format!("{reaction}?everyone=true")).by(owner),
        10 if number == 0 => server.delete(&format!("{path}/reactions")).by(owner),
        11 => server.put(&format!("{path}/pin")).by(owner),
        12 => server.delete(&format!("{path}/pin")).by(owner),
        13 => server.delete(&format!("{path}/poll/vote")).by(who),
        _ => {
            let options: Vec<usize> = (0..3).filter(|place| number >> place & 1 == 1).collect();
            server.put(&format!("{path}/poll/vote")).by(who).json(json!({"options": options}))
        }
    };
    let status = call.send().await.status.as_u16();
    assert!([200, 404, 422].contains(&status), "{status}");
}

#[tokio::test]
async fn who_follows_the_frames_sees_what_is_shown_wherever_they_begin() {
    let server = TestServer::start().await;
    let (ada, bob, eve) =
        (server.account("ada").await, server.account("bob").await, server.account("eve").await);
    let community = server.community(&ada).await;
    server.join(&community, &ada, &[&bob, &eve]).await;
    let people = [&ada, &bob, &eve];
    let path = format!("/channels/{}/messages", community.channel);
    let poll_of_three = json!({"options": ["a", "b", "c"], "multiple": true});
    let (mut ids, mut start, mut last) = (Vec::new(), View::new(), None);
    // Many of them: in the beginning each has a history of its own.
    for poll in [vec![Value::Null, poll_of_three.clone(), poll_of_three], vec![Value::Null; 9]].concat() {
        let body = json!({"content": "What?", "poll": poll});
        let answer = server.post(&path).by(&ada).json(body).send().await.is(201);
        ids.push(answer.text("/message/id"));
        start.insert(answer.text("/message/id"), answer.json["message"].clone());
        last = Some(answer);
    }
    let mut last = last.expect("some were posted");
    server.get(&path).by(&ada).after(&last).send().await.is(200);
    let begin = cursor(&server, &ada).await;

    let mut snapshots =
        vec![Snapshot { at: last.text("/position"), views: [start.clone(), start.clone(), start] }];
    // One kind comes back before another comes: who hears of it again must not mix up their order.
    let reaction = |emoji: &str| format!("/messages/{}/reactions/{emoji}", ids[3]);
    server.put(&reaction("🚀")).by(&bob).send().await.is(200);
    server.delete(&reaction("🚀")).by(&bob).send().await.is(200);
    server.put(&reaction("🚀")).by(&eve).send().await.is(200);
    server.put(&reaction("🎈")).by(&bob).send().await.is(200);
    let mut number = 1_usize;
    for step in 1..=STEPS {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        say(&server, &people, &ids, number >> 33).await;
        if step == STEPS {
            server.post(&format!("/messages/{}/poll/close", ids[1])).by(&ada).send().await.is(200);
            server.delete(&format!("/messages/{}", ids[2])).by(&ada).send().await.is(200);
        }
        if step % 20 == 0 {
            // An edit is always news: what is shown after it is the log up to it.
            let edit = server.patch(&format!("/messages/{}", ids[0])).by(&ada);
            last = edit.json(json!({"content": step.to_string()})).send().await.is(200);
            let mut views = [const { View::new() }; 3];
            for (view, by) in views.iter_mut().zip(people) {
                *view = shown(&server, by, &ids, &last).await;
            }
            snapshots.push(Snapshot { at: last.text("/position"), views });
        }
    }

    for (viewer, by) in people.into_iter().enumerate() {
        let frames = frames(&server, by, &begin, &last.text("/position")).await;
        let kinds: BTreeSet<_> = frames.iter().filter_map(|frame| frame["type"].as_str()).collect();
        assert_eq!(kinds.len(), 9, "every kind of frame came: {kinds:?}");
        let told = |at: &str| frames.iter().position(|frame| frame["id"] == *at).map_or(0, |place| place + 1);
        for (from, earlier) in snapshots.iter().enumerate() {
            for later in &snapshots[from..] {
                // From the beginning: the snapshot hears again what it knows already.
                let mut view = earlier.views[viewer].clone();
                for frame in &frames[..told(&later.at)] {
                    apply(&mut view, by, frame);
                }
                assert_eq!(view, later.views[viewer], "{}", by.handle);
            }
        }
    }
}

/// How much is said, before a poll is closed and a message deleted.
const STEPS: usize = 240;

/// What each of the three saw at a position.
struct Snapshot {
    at: String,
    views: [View; 3],
}

/// All frames up to one.
async fn frames(server: &TestServer, by: &Account, begin: &str, last: &str) -> Vec<Value> {
    let (mut frames, mut after) = (Vec::<Value>::new(), begin.to_owned());
    while frames.last().is_none_or(|frame| frame["id"] != *last) {
        let answer = poll(server, by, &after, "").await;
        let events = answer["events"].as_array().cloned().unwrap_or_default();
        frames.extend(events.into_iter().filter(|event| event["id"].is_string()));
        after = answer["next"].as_str().expect("a cursor").to_owned();
    }
    frames
}
