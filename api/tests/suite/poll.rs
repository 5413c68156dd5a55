use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::harness::{Account, Community, TestServer};
use crate::live::{Stream, cursor};

struct Scene {
    server: TestServer,
    ada: Account,
    bob: Account,
    eve: Account,
    community: Community,
}

/// Ada owns the community, Bob is a member, Eve is not.
async fn scene() -> Scene {
    let server = TestServer::start().await;
    let (ada, bob, eve) =
        (server.account("ada").await, server.account("bob").await, server.account("eve").await);
    let community = server.community(&ada).await;
    server.join(&community, &ada, &[&bob]).await;
    Scene { server, ada, bob, eve, community }
}

impl Scene {
    /// Bob asks; answers what was posted.
    async fn ask(&self, poll: Value) -> Value {
        let body = json!({"content": "When?", "poll": poll});
        let path = format!("/channels/{}/messages", self.community.channel);
        self.server.post(&path).by(&self.bob).json(body).send().await.is(201).json["message"].clone()
    }

    async fn ask_plainly(&self) -> String {
        let message = self.ask(json!({"options": ["Tuesday", "Friday"]})).await;
        message["id"].as_str().expect("an id").to_owned()
    }
}

fn option(text: &str, votes: u32, me: bool) -> Value {
    json!({"text": text, "votes": votes, "me": me})
}

#[tokio::test]
async fn a_poll_is_posted_voted_on_and_closed() {
    let scene = scene().await;
    let Scene { server, ada, bob, .. } = &scene;
    let posted = scene.ask(json!({"options": ["Tuesday", "Friday"], "multiple": true})).await;
    let options = [option("Tuesday", 0, false), option("Friday", 0, false)];
    let expected = json!({"options": options, "multiple": true, "closes_at": null, "closed": false});
    assert_eq!(posted["poll"], expected);
    let id = posted["id"].as_str().expect("an id");
    let path = format!("/messages/{id}");
    let vote = |by, options: Value| {
        server.put(&format!("{path}/poll/vote")).by(by).json(json!({"options": options})).send()
    };
    vote(ada, json!([0, 1])).await.is(200);
    vote(bob, json!([1])).await.is(200);
    let last = vote(ada, json!([1])).await.is(200);
    let shown = server.get(&path).by(ada).after(&last).send().await.is(200);
    assert_eq!(
        shown.json["poll"]["options"],
        json!([option("Tuesday", 0, false), option("Friday", 2, true)])
    );
    let edited = server.patch(&path).by(bob).json(json!({"content": "When, then?"})).send().await.is(200);
    assert_eq!(edited.json["message"]["poll"]["options"][1], option("Friday", 2, true));

    let voters = server.get(&format!("{path}/poll/votes/1?limit=1")).by(ada).send().await.is(200);
    assert_eq!(voters.items()[0]["account"]["id"], bob.id, "the first first");
    let next = voters.text("/next");
    let rest = server.get(&format!("{path}/poll/votes/1?after={next}")).by(ada).send().await.is(200);
    assert_eq!((rest.items().len(), &rest.items()[0]["account"]["id"]), (1, &json!(ada.id)));

    server.delete(&format!("{path}/poll/vote")).by(ada).send().await.is(200);
    let closed = server.post(&format!("{path}/poll/close")).by(bob).send().await.is(200);
    let shown = server.get(&path).by(ada).after(&closed).send().await.is(200);
    assert_eq!(shown.json["poll"]["closed"], true);
    assert_eq!(shown.json["poll"]["options"][1], option("Friday", 1, false));
    vote(ada, json!([0])).await.refused(409, "poll_closed");
    server.delete(&format!("{path}/poll/vote")).by(bob).send().await.refused(409, "poll_closed");
    server.post(&format!("{path}/poll/close")).by(ada).send().await.is(200);
}

#[tokio::test]
async fn what_is_no_poll_is_refused_field_by_field() {
    let scene = scene().await;
    let Scene { server, bob, community, .. } = &scene;
    let path = format!("/channels/{}/messages", community.channel);
    let post =
        |poll: Value| server.post(&path).by(bob).json(json!({"content": "When?", "poll": poll})).send();
    let options = |count: usize| (0..count).map(|n| n.to_string()).collect::<Vec<_>>();
    for count in [0, 1, 11] {
        post(json!({"options": options(count)})).await.invalid(&[("/poll/options", "out_of_range")]);
    }
    for count in [2, 10] {
        post(json!({"options": options(count)})).await.is(201);
    }
    post(json!({"options": ["a", " a"]})).await.invalid(&[("/poll/options", "repeated")]);
    post(json!({"options": ["a", "x".repeat(100)]})).await.is(201);
    post(json!({"options": ["a", "x".repeat(101)]})).await.invalid(&[("/poll/options", "too_long")]);
    post(json!({"options": ["a", ""]})).await.invalid(&[("/poll/options", "empty")]);
    post(json!({"options": "a"})).await.invalid(&[("/poll/options", "wrong_type")]);
    post(json!({"multiple": 1, "more": 1})).await.invalid(&[
        ("/poll/options", "required"),
        ("/poll/multiple", "wrong_type"),
        ("/poll/more", "unknown_field"),
    ]);
    post(json!([])).await.invalid(&[("/poll", "wrong_type")]);
    let no_question = server.post(&path).by(bob).json(json!({"poll": {"options": ["a", "b"]}}));
    no_question.send().await.invalid(&[("/content", "required")]);
}

#[tokio::test]
async fn a_poll_closes_within_thirty_days() {
    let scene = scene().await;
    let Scene { server, bob, community, .. } = &scene;
    let path = format!("/channels/{}/messages", community.channel);
    let posted = server.post(&path).by(bob).json(json!({"content": "x"})).send().await.is(201);
    let now: Timestamp = posted.text("/message/created_at").parse().expect("a time");
    let post = |closes_at: Timestamp| {
        let poll = json!({"options": ["a", "b"], "closes_at": closes_at});
        server.post(&path).by(bob).json(json!({"content": "When?", "poll": poll})).send()
    };
    let days = |days: i64| now + SignedDuration::from_hours(24 * days);
    post(now).await.refused(422, "message_poll_time");
    post(days(31)).await.refused(422, "message_poll_time");
    let latest = post(days(30)).await.is(201);
    assert_eq!(latest.text("/message/poll/closes_at").parse::<Timestamp>().ok(), Some(days(30)));
}

#[tokio::test]
async fn votes_that_do_not_fit_are_refused() {
    let scene = scene().await;
    let Scene { server, ada, bob, eve, community } = &scene;
    let id = scene.ask_plainly().await;
    let plain = server.message(&community.channel, bob, "no poll").await;
    let vote = |by, id: &str, options: Value| {
        server.put(&format!("/messages/{id}/poll/vote")).by(by).json(json!({"options": options})).send()
    };
    vote(ada, &id, json!([2])).await.refused(404, "poll_option_not_found");
    vote(ada, &id, json!([0, 1])).await.refused(409, "poll_one_option");
    vote(ada, &plain, json!([0])).await.refused(404, "poll_not_found");
    vote(eve, &id, json!([0])).await.refused(404, "message_not_found");
    vote(ada, &id, json!([])).await.invalid(&[("/options", "empty")]);
    vote(ada, &id, json!([10])).await.invalid(&[("/options", "out_of_range")]);
    vote(ada, &id, json!(["a"])).await.invalid(&[("/options", "wrong_type")]);
    server.post(&format!("/messages/{id}/poll/close")).by(eve).send().await.refused(404, "message_not_found");
    server.join(community, ada, &[eve]).await;
    server
        .post(&format!("/messages/{id}/poll/close"))
        .by(eve)
        .send()
        .await
        .refused(403, "poll_may_not_close");
    let votes = |id: &str, option: u8| {
        let path = format!("/messages/{id}/poll/votes/{option}");
        server.get(&path).by(ada).send()
    };
    let shown = server.put(&format!("/messages/{id}/poll/vote")).by(ada).json(json!({"options": [0]}));
    let last = shown.send().await.is(200);
    let after = server.get(&format!("/messages/{id}/poll/votes/0")).by(ada).after(&last).send().await.is(200);
    assert_eq!(after.items().len(), 1);
    votes(&id, 2).await.refused(404, "poll_option_not_found");
    votes(&plain, 0).await.refused(404, "poll_not_found");
    let outsider = server.account("zoe").await;
    let path = format!("/messages/{id}/poll/votes/0");
    server.get(&path).by(&outsider).send().await.refused(404, "message_not_found");
}

#[tokio::test]
async fn a_deleted_poll_keeps_its_terms_and_nothing_else() {
    let scene = scene().await;
    let Scene { server, ada, bob, .. } = &scene;
    let id = scene.ask_plainly().await;
    let path = format!("/messages/{id}");
    let vote = || server.put(&format!("{path}/poll/vote")).by(ada).json(json!({"options": [0]})).send();
    vote().await.is(200);
    let deleted = server.delete(&path).by(bob).send().await.is(200);
    let nothing = json!({"text": null, "votes": 0, "me": false});
    let expected =
        json!({"options": [nothing, nothing], "multiple": false, "closes_at": null, "closed": true});
    assert_eq!(deleted.json["message"]["poll"], expected);
    let shown = server.get(&path).by(ada).after(&deleted).send().await.is(200);
    assert_eq!(shown.json, deleted.json["message"]);
    vote().await.refused(409, "message_deleted");
}

#[tokio::test]
async fn polls_come_live() {
    let scene = scene().await;
    let Scene { server, ada, bob, community, .. } = &scene;
    let start = cursor(server, ada).await;
    let mut stream = Stream::open(server, ada, Some(&start)).await;
    let posted = scene.ask(json!({"options": ["Tuesday", "Friday"]})).await;
    let id = posted["id"].as_str().expect("an id");
    let vote = server.put(&format!("/messages/{id}/poll/vote")).by(ada).json(json!({"options": [1]}));
    vote.send().await.is(200);
    server.post(&format!("/messages/{id}/poll/close")).by(bob).send().await.is(200);
    let mut next = async || stream.next_frame().await.expect("a frame").data["data"].clone();
    assert_eq!(next().await, posted, "the frame of a post is the message");
    let of = json!({"message_id": id, "channel_id": community.channel});
    let with = |more: Value| {
        let mut data = of.clone();
        data.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        data
    };
    assert_eq!(next().await, with(json!({"account_id": ada.id, "options": [1], "votes": [0, 1]})));
    assert_eq!(next().await, with(json!({"closed_by": bob.id})));
}
