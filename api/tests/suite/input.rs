//! Bad input, and input at the edge of what is good.

use serde_json::{Value, json};

use crate::harness::{PASSWORD, TestServer};

#[tokio::test]
async fn what_is_not_json_is_told_with_its_place() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let post = |body: Vec<u8>| server.post("/communities").by(&ada).raw("application/json", body).send();
    for body in
        [&b""[..], b"{", b"{\"name\": \"a\",}", b"{\"name\": \"\xff\"}", b"{\"name\": \"a\"} x", b"nul"]
    {
        let answer = post(body.to_vec()).await.refused(400, "malformed_json");
        assert!(answer.text("/detail").contains("line 1, column"), "{}", answer.json);
    }
    let deep = [b"{\"name\":".to_vec(), vec![b'['; 10_000]].concat();
    post(deep).await.refused(400, "malformed_json");
    for body in ["[]", "null", "\"name\"", "1"] {
        post(body.into()).await.invalid(&[("", "wrong_type")]);
    }
}

#[tokio::test]
async fn other_media_types_are_refused() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let post = |kind: &str| server.post("/communities").by(&ada).raw(kind, "{\"name\": \"a\"}").send();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        post(kind).await.refused(415, "unsupported_media_type");
    }
    for kind in ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"] {
        post(kind).await.is(201);
    }
}

#[tokio::test]
async fn a_large_body_is_refused_whether_it_says_so_or_not() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let large = vec![b' '; 10 * 1024 * 1024];
    let call = server.post("/communities").by(&ada).raw("application/json", large);
    call.send().await.refused(413, "body_too_large");
    let chunks = futures_util::stream::iter((0..70).map(|_| Ok::<_, std::io::Error>(vec![b' '; 1024])));
    let streamed = reqwest::Body::wrap_stream(chunks);
    let call = server.post("/communities").by(&ada).raw("application/json", streamed);
    call.send().await.refused(413, "body_too_large");
}

#[tokio::test]
async fn wrong_types_are_named() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    for wrong in [json!(1), json!(true), json!([]), json!({})] {
        let call = server.post("/communities").by(&ada).json(json!({"name": wrong}));
        call.send().await.invalid(&[("/name", "wrong_type")]);
    }
    let login = json!({"login": "ada", "password": PASSWORD, "cookie": "yes"});
    server.post("/sessions").json(login).send().await.invalid(&[("/cookie", "wrong_type")]);
}

/// One text field: where it is sent, and what is sent beside it.
struct Field {
    method: &'static str,
    path: String,
    name: &'static str,
    beside: Value,
    max: usize,
}

#[tokio::test]
async fn texts_fit_up_to_their_limit_and_not_beyond() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let community = server.community(&ada).await;
    let message = server.message(&community.channel, &ada, "x").await;
    let (communities, channels) =
        (format!("/communities/{}", community.id), format!("/channels/{}", community.channel));
    let field = |method, path: String, name, max| Field { method, path, name, beside: json!({}), max };
    let fields = [
        field("POST", "/communities".into(), "name", 100),
        field("PATCH", communities.clone(), "name", 100),
        field("POST", format!("{communities}/channels"), "name", 100),
        Field {
            beside: json!({"name": "x"}),
            ..field("POST", format!("{communities}/channels"), "topic", 1_024)
        },
        field("PATCH", channels.clone(), "name", 100),
        field("PATCH", channels.clone(), "topic", 1_024),
        field("POST", format!("{channels}/messages"), "content", 4_000),
        field("PATCH", format!("/messages/{message}"), "content", 4_000),
        field("PATCH", "/me".into(), "display_name", 64),
        field("PATCH", "/me".into(), "about", 500),
    ];
    for Field { method, path, name, beside, max } in fields {
        // A letter of four bytes: limits count characters.
        let send = |length: usize| {
            let mut body = beside.clone();
            body[name] = "𝄞".repeat(length).into();
            let call = match method {
                "POST" => server.post(&path),
                _ => server.patch(&path),
            };
            call.by(&ada).json(body).send()
        };
        let fits = send(max).await;
        assert!(fits.status.is_success(), "{method} {path} {name}: {}", fits.json);
        send(max + 1).await.invalid(&[(&format!("/{name}"), "too_long")]);
    }
}

#[tokio::test]
async fn names_and_passwords_of_a_registration_fit_up_to_their_limits() {
    let server = TestServer::start().await;
    let host = format!("@{}.{}.{}.example.org", "a".repeat(63), "b".repeat(63), "c".repeat(40));
    let mut new = json!({
        "handle": "h".repeat(32), "email": format!("{}{host}", "e".repeat(254 - host.len())),
        "password": "p".repeat(256), "display_name": "d".repeat(64),
    });
    server.post("/accounts").json(new.clone()).send().await.is(201);
    for name in ["handle", "email", "password", "display_name"] {
        new[name] = format!("x{}", new[name].as_str().unwrap_or_default()).into();
    }
    let codes = ["/handle", "/email", "/password", "/display_name"].map(|pointer| (pointer, "too_long"));
    server.post("/accounts").json(new).send().await.invalid(&codes);
}

#[tokio::test]
async fn control_characters_are_refused_where_they_do_harm() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let community = server.community(&ada).await;
    for bad in ["a\u{0}b", "a\u{1b}[2Jb", "line\nline", "a\u{2028}b"] {
        let call = server.post("/communities").by(&ada).json(json!({"name": bad}));
        call.send().await.invalid(&[("/name", "forbidden_character")]);
    }
    let path = format!("/channels/{}/messages", community.channel);
    let post = |content: &str| server.post(&path).by(&ada).json(json!({"content": content})).send();
    post("a\u{0}b").await.invalid(&[("/content", "forbidden_character")]);
    post(" \n\t ").await.invalid(&[("/content", "empty")]);
    assert_eq!(post(" a\n\tb ").await.is(201).text("/message/content"), " a\n\tb ", "kept as it was written");
}

#[tokio::test]
async fn absurd_limits_are_refused() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let community = server.community(&ada).await;
    let path = format!("/channels/{}/messages", community.channel);
    let page = |limit: &str| server.get(&format!("{path}?limit={limit}")).by(&ada).send();
    for fine in ["1", "100", "010"] {
        page(fine).await.is(200);
    }
    for bad in ["0", "101", "-1", "1e2", "%2B5", "", "ten", "18446744073709551616"] {
        page(bad).await.invalid(&[("limit", "out_of_range")]);
    }
    page("1&limit=2").await.invalid(&[("limit", "repeated")]);
    page("1&page=2").await.invalid(&[("page", "unknown_field")]);
}

#[tokio::test]
async fn forged_truncated_and_foreign_cursors_are_refused() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let community = server.community(&ada).await;
    let cursor = server.get("/bootstrap").by(&ada).send().await.is(200).text("/cursor");
    let other = TestServer::start().await;
    let eve = other.account("eve").await;
    let foreign = other.get("/bootstrap").by(&eve).send().await.is(200).text("/cursor");
    let path = format!("/channels/{}/messages", community.channel);
    for bad in
        ["0", "1234", &cursor[1..], &format!("{cursor}A"), &cursor.to_uppercase(), &foreign, "%00", "'--"]
    {
        let page = server.get(&format!("{path}?before={bad}")).by(&ada).send().await;
        page.invalid(&[("before", "not_a_cursor")]);
    }
    for bad in ["0", &cursor[1..], &foreign] {
        let read = server.get("/me").by(&ada).header("min-position", bad).send().await;
        read.invalid(&[("Min-Position", "not_a_cursor")]);
    }
    server.get(&format!("{path}?before={cursor}")).by(&ada).send().await.is(200);
}

#[tokio::test]
async fn unknown_addresses_and_methods_are_problems() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    server.get("/nothing").send().await.refused(404, "not_found");
    server.get("//v2/me").send().await.refused(404, "not_found");
    server.get("/channels/%FF").by(&ada).send().await.refused(404, "not_found");
    let refused = server.put("/communities").by(&ada).send().await.refused(405, "method_not_allowed");
    let allow = refused.header("allow").expect("allow").to_owned();
    assert!(allow.contains("GET") && allow.contains("POST"), "{allow}");
}
