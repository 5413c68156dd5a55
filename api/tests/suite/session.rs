use serde_json::json;

use crate::harness::{PASSWORD, TestServer};

#[tokio::test]
async fn one_logs_in_by_handle_or_address_in_any_case() {
    let server = TestServer::start().await;
    server.account("ada").await;
    for login in ["ada", "ADA", "ada@example.org", "Ada@Example.org"] {
        let body = json!({"login": login, "password": PASSWORD, "device": "laptop"});
        let answer = server.post("/sessions").json(body).send().await.is(201);
        assert_eq!(answer.json["account"]["handle"], "ada");
        assert_eq!(answer.json["session"]["device"], "laptop");
        assert_eq!(answer.json["session"]["current"], true);
    }
}

#[tokio::test]
async fn a_wrong_login_and_a_wrong_password_look_alike() {
    let server = TestServer::start().await;
    server.account("ada").await;
    let mut told = Vec::new();
    for (login, password) in
        [("ada", "wrong horse"), ("nobody", PASSWORD), ("no body", PASSWORD), ("ada", "")]
    {
        let body = json!({"login": login, "password": password});
        let answer = server.post("/sessions").json(body).send().await.refused(401, "login_failed");
        told.push(answer.text("/detail"));
    }
    assert!(told.iter().all(|detail| *detail == told[0]));
}

#[tokio::test]
async fn ten_wrong_passwords_slow_down_even_without_rate_limits() {
    let server = TestServer::start().await;
    server.account("ada").await;
    let wrong = || server.post("/sessions").json(json!({"login": "ada", "password": "wrong horse"})).send();
    for _ in 0..10 {
        wrong().await.refused(401, "login_failed");
    }
    wrong().await.refused(429, "too_many_attempts");
    // The right one waits as well: else it would tell that it is right.
    let right = server.post("/sessions").json(json!({"login": "Ada ", "password": PASSWORD}));
    right.send().await.refused(429, "too_many_attempts");
}

#[tokio::test]
async fn sessions_are_listed_and_ended() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let bob = server.account("bob").await;
    let other = server.log_in("ada").await;
    let listed = server.get("/sessions").by(&ada).send().await.is(200);
    assert_eq!(listed.items().len(), 2);
    let (current, others): (Vec<_>, Vec<_>) = listed.items().iter().partition(|s| s["current"] == true);
    assert_eq!((current.len(), others.len()), (1, 1));
    let id = others[0]["id"].as_str().expect("an id");

    let end = format!("/sessions/{id}");
    server.delete(&end).by(&bob).send().await.refused(404, "session_not_found");
    server.delete(&end).by(&ada).send().await.is(204);
    server.get("/me").bearer(&other).send().await.refused(401, "session_invalid");
    server.delete(&end).by(&ada).send().await.refused(404, "session_not_found");
    server.delete("/sessions/current").by(&ada).send().await.is(204);
    server.get("/me").by(&ada).send().await.refused(401, "session_invalid");
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let other = server.log_in("ada").await;
    let change = |current: &str, new: &str| {
        server.put("/me/password").by(&ada).json(json!({"current": current, "new": new})).send()
    };
    change("wrong horse", "battery staple").await.refused(403, "password_wrong");
    change(PASSWORD, "short").await.invalid(&[("/new", "too_short")]);
    change(PASSWORD, "battery staple").await.is(204);
    server.get("/me").bearer(&other).send().await.refused(401, "session_invalid");
    server.get("/me").by(&ada).send().await.is(200);
    let old = server.post("/sessions").json(json!({"login": "ada", "password": PASSWORD}));
    old.send().await.refused(401, "login_failed");
    let new = server.post("/sessions").json(json!({"login": "ada", "password": "battery staple"}));
    new.send().await.is(201);
}

#[tokio::test]
async fn a_cookie_works_for_the_servers_own_pages_only() {
    let server = TestServer::start().await;
    server.account("ada").await;
    let body = json!({"login": "ada", "password": PASSWORD, "cookie": true});
    let evil = server.post("/sessions").json(body.clone()).header("origin", "https://evil.example");
    evil.send().await.refused(403, "cross_site");
    let answer = server.post("/sessions").json(body).send().await.is(201);
    assert!(answer.json["token"].is_null());
    let set = answer.header("set-cookie").expect("a cookie").to_owned();
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(set.contains(attribute), "{set}");
    }
    let cookie = set.split(';').next().expect("a pair");

    server.get("/me").header("cookie", cookie).send().await.is(200);
    let rename = || server.patch("/me").header("cookie", cookie).json(json!({"about": "x"}));
    rename().send().await.refused(403, "cross_site");
    rename().header("origin", "https://evil.example").send().await.refused(403, "cross_site");
    rename().header("sec-fetch-site", "cross-site").send().await.refused(403, "cross_site");
    rename().header("origin", &server.base).send().await.is(200);
    rename().header("sec-fetch-site", "same-origin").send().await.is(200);

    let out =
        server.delete("/sessions/current").header("cookie", cookie).header("sec-fetch-site", "same-origin");
    let out = out.send().await.is(204);
    assert!(out.header("set-cookie").is_some_and(|set| set.contains("Max-Age=0")));
    server.get("/me").header("cookie", cookie).send().await.refused(401, "session_invalid");
}

#[tokio::test]
async fn over_https_the_cookie_is_bound_to_its_host() {
    let url = Some("https://chat.example".to_owned());
    let server = TestServer::start_with(|config| config.network.public_url = url).await;
    server.account("ada").await;
    let body = json!({"login": "ada", "password": PASSWORD, "cookie": true});
    let answer = server.post("/sessions").json(body).send().await.is(201);
    let set = answer.header("set-cookie").expect("a cookie");
    assert!(set.starts_with("__Host-echoverse=ev_") && set.contains("Secure"), "{set}");
}

#[tokio::test]
async fn other_credentials_are_refused() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    server.get("/me").send().await.refused(401, "unauthenticated");
    for value in ["Basic YTpi", "Bearer", "Bearer nonsense", "ev_x"] {
        server.get("/me").header("authorization", value).send().await.refused(401, "session_invalid");
    }
    let changed = format!("{}A", &ada.token[..ada.token.len() - 1]);
    server.get("/me").bearer(&changed).send().await.refused(401, "session_invalid");
}
