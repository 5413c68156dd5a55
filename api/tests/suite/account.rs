use serde_json::json;

use crate::harness::{PASSWORD, TestServer};

#[tokio::test]
async fn the_first_account_administers_and_lands_in_the_welcome_channel() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let bob = server.account("Bob").await;
    let me = server.get("/me").by(&ada).send().await.is(200);
    assert_eq!(me.json["administrator"], true);
    assert_eq!(me.json["email"], "ada@example.org");
    assert_eq!(me.json["display_name"], "ada", "the handle, if none was given");
    let me = server.get("/me").by(&bob).send().await.is(200);
    assert_eq!(me.json["administrator"], false);

    let listed = server.get("/communities").by(&bob).send().await.is(200);
    assert_eq!(listed.items().len(), 1);
    assert_eq!(listed.json["items"][0]["name"], "Lobby");
    let channel = listed.text("/items/0/channels/0/id");
    server.message(&channel, &bob, "hello, all").await;
}

#[tokio::test]
async fn without_a_default_community_accounts_land_nowhere() {
    let server = TestServer::start_with(|config| config.community.default_community.0 = None).await;
    let ada = server.account("ada").await;
    assert!(server.get("/communities").by(&ada).send().await.is(200).items().is_empty());
}

#[tokio::test]
async fn a_taken_handle_and_a_taken_address_are_refused() {
    let server = TestServer::start().await;
    server.account("ada").await;
    let new = |handle: &str, email: &str| json!({"handle": handle, "email": email, "password": PASSWORD});
    let register = |body| server.post("/accounts").json(body).send();
    register(new("ADA", "other@example.org")).await.refused(409, "handle_taken");
    register(new("ada2", "ADA@example.org")).await.refused(409, "email_taken");
    // What was refused left nothing behind.
    register(new("ada2", "ada2@example.org")).await.is(201);
}

#[tokio::test]
async fn all_faults_of_a_registration_are_told_at_once() {
    let server = TestServer::start().await;
    let body = json!({"handle": "a b", "email": "x", "password": "short", "display_name": "", "nick": 1});
    server.post("/accounts").json(body).send().await.invalid(&[
        ("/handle", "not_a_handle"),
        ("/email", "not_an_email"),
        ("/password", "too_short"),
        ("/display_name", "empty"),
        ("/nick", "unknown_field"),
    ]);
    let missing = [("/handle", "required"), ("/email", "required"), ("/password", "required")];
    server.post("/accounts").json(json!({})).send().await.invalid(&missing);
}

#[tokio::test]
async fn a_profile_changes_in_the_fields_that_are_given() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let change = |body| server.patch("/me").by(&ada).json(body).send();
    let answer = change(json!({"display_name": "Ada L.", "about": "I count."})).await.is(200);
    assert_eq!(answer.json["account"]["display_name"], "Ada L.");
    let answer = change(json!({"about": ""})).await.is(200);
    assert_eq!(answer.json["account"]["about"], "");
    assert_eq!(answer.json["account"]["display_name"], "Ada L.");
    change(json!({})).await.is(200);
    change(json!({"handle": "other"})).await.invalid(&[("/handle", "unknown_field")]);
}

#[tokio::test]
async fn accounts_are_seen_by_those_who_share_a_community() {
    let server = TestServer::start_with(|config| config.community.default_community.0 = None).await;
    let (ada, bob) = (server.account("ada").await, server.account("bob").await);
    let show = || server.get(&format!("/accounts/{}", ada.id)).by(&bob).send();
    show().await.refused(404, "account_not_found");
    let community = server.community(&ada).await;
    server.join(&community, &ada, &[&bob]).await;
    let shown = show().await.is(200);
    assert_eq!(shown.json["handle"], "ada");
    assert_eq!(shown.json.get("email"), None, "an address is its holder's business");
    server.get("/accounts/not-an-id").by(&bob).send().await.refused(404, "not_found");
}
