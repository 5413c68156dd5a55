use crate::harness::TestServer;

#[tokio::test]
async fn the_list_of_emoji_needs_no_login_and_is_sent_once() {
    let server = TestServer::start().await;
    let list = server.get("/emoji").send().await.is(200);
    let thumb = list.items().iter().find(|item| item["emoji"] == "👍").expect("it is an emoji");
    assert_eq!(thumb["name"], "thumbs up");
    assert_eq!(thumb["group"], "people_and_body");
    assert!(thumb["shortcodes"].as_array().expect("a list").contains(&"thumbsup".into()));
    assert_eq!(thumb["skin_tones"].as_array().map(Vec::len), Some(5));
    assert_eq!(list.header("cache-control"), Some("public, max-age=86400"));

    let tag = list.header("etag").expect("a tag").to_owned();
    let again = server.get("/emoji").header("if-none-match", &tag).send().await.is(304);
    assert!(again.json.is_null());
    assert_eq!(again.header("etag"), Some(&*tag));
    server.get("/emoji").header("if-none-match", "\"other\"").send().await.is(200);
}
