use serde_json::{Value, json};

use crate::harness::{Account, TestServer, in_hours};

/// What the answer says of one permission.
fn of<'a>(access: &'a Value, permission: &str) -> (bool, &'a Value) {
    let each = access["permissions"].as_array().expect("permissions");
    let judged = each.iter().find(|judged| judged["permission"] == permission).expect("that permission");
    (judged["allowed"].as_bool().expect("a boolean"), &judged["rule"])
}

#[tokio::test]
async fn each_permission_comes_with_the_rule_that_decided_it() {
    let server = TestServer::start().await;
    let (ada, bob, eve) =
        (server.account("ada").await, server.account("bob").await, server.account("eve").await);
    let community = server.community(&ada).await;
    server.join(&community, &ada, &[&bob, &eve]).await;
    server.set_roles(&community, &ada, &bob, &["moderator"]).await;
    let path = |account: &Account| format!("/channels/{}/access/{}", community.channel, account.id);
    let ask = async |by: &Account, about: &Account| server.get(&path(about)).by(by).send().await;

    let own = ask(&eve, &eve).await.is(200);
    assert_eq!(own.json["permissions"].as_array().map(Vec::len), Some(20));
    assert_eq!(
        (&own.json["channel_id"], &own.json["account_id"]),
        (&json!(community.channel), &json!(eve.id))
    );
    assert_eq!(of(&own.json, "post"), (true, &json!({"kind": "role", "role": "member"})));
    assert_eq!(of(&own.json, "kick"), (false, &json!({"kind": "not_granted"})));
    let owner = ask(&bob, &ada).await.is(200);
    assert_eq!(of(&owner.json, "manage_community"), (true, &json!({"kind": "owner"})));
    ask(&eve, &bob).await.refused(403, "access_may_not_ask");

    let time_out = format!("/communities/{}/members/{}/time-out", community.id, eve.id);
    let body = json!({"until": in_hours(1)});
    let timed_out = server.put(&time_out).by(&bob).json(body).send().await.is(200);
    let silent = server.get(&path(&eve)).by(&bob).after(&timed_out).send().await.is(200);
    assert_eq!(of(&silent.json, "post"), (false, &json!({"kind": "timed_out"})));
    assert_eq!(of(&silent.json, "view"), (true, &json!({"kind": "role", "role": "member"})));

    // Whoever is outside, and an account that is none, look alike; they themselves see no channel.
    let mallory = server.account("mallory").await;
    let outside = ask(&bob, &mallory).await.is(200);
    assert_eq!(of(&outside.json, "view"), (false, &json!({"kind": "outsider"})));
    let nobody = format!("/channels/{}/access/00000000-0000-7000-8000-000000000000", community.channel);
    let nobody = server.get(&nobody).by(&bob).send().await.is(200);
    assert_eq!(nobody.json["permissions"], outside.json["permissions"]);
    ask(&mallory, &mallory).await.refused(404, "channel_not_found");
    ask(&mallory, &bob).await.refused(404, "channel_not_found");
    let gone = format!("/channels/00000000-0000-7000-8000-000000000000/access/{}", ada.id);
    server.get(&gone).by(&ada).send().await.refused(404, "channel_not_found");
}
