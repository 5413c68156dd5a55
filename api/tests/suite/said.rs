//! What is said of messages, followed by frames as docs/API.md tells to.

use std::collections::BTreeMap;

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

/// Something that somebody says of a message, chosen by a number; refused ones count for nothing.
async fn say(server: &TestServer, people: &[&Account], ids: &[String], number: usize) -> Option<Answer> {
    let (who, id) = (people[number % 3], &ids[number / 3 % ids.len()]);
    let (owner, path) = (people[0], format!("/messages/{id}"));
    let emoji = ["🎉", "👍", "❤️"][number / 7 % 3];
    let reaction = format!("{path}/reactions/{emoji}");
    let call = match number / 11 % 16 {
        0..=5 => server.put(&reaction).by(who),
        6..=8 => server.delete(&reaction).by(who),
        9 => server.delete(&format!("{reaction}?everyone=true")).by(owner),
        10 if number.is_multiple_of(5) => server.delete(&format!("{path}/reactions")).by(owner),
        11 => server.put(&format!("{path}/pin")).by(owner),
        12 => server.delete(&format!("{path}/pin")).by(owner),
        13 => server.delete(&format!("{path}/poll/vote")).by(who),
        _ => {
            let options: Vec<usize> = (0..3).filter(|place| number >> place & 1 == 1).collect();
            server.put(&format!("{path}/poll/vote")).by(who).json(json!({"options": options}))
        }
    };
    Some(call.send().await).filter(|answer| answer.status.is_success())
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
    for poll in [Value::Null, poll_of_three.clone(), poll_of_three] {
        let body = json!({"content": "What?", "poll": poll});
        let answer = server.post(&path).by(&ada).json(body).send().await.is(201);
        ids.push(answer.text("/message/id"));
        start.insert(answer.text("/message/id"), answer.json["message"].clone());
        last = Some(answer);
    }
    let mut last = last.expect("three were posted");
    server.get(&path).by(&ada).after(&last).send().await.is(200);
    let begin = cursor(&server, &ada).await;

    let (mut number, mut snapshots) = (1_usize, vec![[start.clone(), start.clone(), start]]);
    for step in 0..120 {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        if let Some(answer) = say(&server, &people, &ids, number >> 33).await {
            last = answer;
        }
        if step % 30 == 15 {
            let mut views = [const { View::new() }; 3];
            for (view, by) in views.iter_mut().zip(people) {
                *view = shown(&server, by, &ids, &last).await;
            }
            snapshots.push(views);
        }
    }
    server.post(&format!("/messages/{}/poll/close", ids[1])).by(&ada).send().await.is(200);
    last = server.delete(&format!("/messages/{}", ids[2])).by(&ada).send().await.is(200);

    for (viewer, by) in people.into_iter().enumerate() {
        let (mut frames, mut after) = (Vec::new(), begin.clone());
        while frames.last().is_none_or(|frame: &Value| frame["id"] != last.json["position"]) {
            let answer = poll(&server, by, &after, "").await;
            frames.extend(answer["events"].as_array().cloned().unwrap_or_default());
            after = answer["next"].as_str().expect("a cursor").to_owned();
        }
        frames.retain(|frame| frame["id"].is_string());
        let kinds: std::collections::BTreeSet<_> = frames.iter().filter_map(|f| f["type"].as_str()).collect();
        assert_eq!(kinds.len(), 8, "every kind of frame came: {kinds:?}");
        let fresh = shown(&server, by, &ids, &last).await;
        for views in &snapshots {
            // Later snapshots hear again what they know already.
            let mut view = views[viewer].clone();
            for frame in &frames {
                apply(&mut view, by, frame);
            }
            assert_eq!(view, fresh, "{}", by.handle);
        }
    }
}
