//! Rate limits and what they say.

use api::RateLimits;
use serde_json::json;

use crate::harness::TestServer;

#[tokio::test]
async fn what_is_left_of_a_quota_is_told_and_the_end_of_it_too() {
    let server = TestServer::start_with(|config| config.limits.rate_limits = RateLimits::Factor(1.0)).await;
    let ada = server.account("ada").await;
    let community = server.community(&ada).await;
    let path = format!("/channels/{}/messages", community.channel);
    let post = |by| server.post(&path).by(by).json(json!({"content": "x"})).send();
    let first = post(&ada).await.is(201);
    let policy = first.header("ratelimit-policy").expect("a policy").to_owned();
    assert!(policy.starts_with("\"post\";q=30;w=3"), "{policy}");
    let left = first.header("ratelimit").expect("a state").to_owned();
    assert!(left.starts_with("\"post\";r=29;t="), "{left}");

    let calls = (0..60).map(|_| post(&ada));
    let answers = futures_util::future::join_all(calls).await;
    let refused: Vec<_> = answers.into_iter().filter(|answer| answer.status == 429).collect();
    assert!(refused.len() > 10, "{} were refused", refused.len());
    let refused = refused[0].clone().refused(429, "too_many_requests");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert!(refused.header("ratelimit").is_some_and(|left| left.starts_with("\"post\";r=0;")));
    // Other classes have buckets of their own.
    server.get("/me").by(&ada).send().await.is(200);
}

#[tokio::test]
async fn registrations_are_limited_by_address_also_behind_a_proxy() {
    let server = TestServer::start_with(|config| config.limits.rate_limits = RateLimits::Factor(0.1)).await;
    let register =
        |from: &str| server.post("/accounts").header("x-forwarded-for", from).json(json!({})).send();
    // A tenth of the quota is one call at once.
    register("192.0.2.1").await.refused(422, "invalid");
    let refused = register("192.0.2.1").await.refused(429, "too_many_requests");
    assert!(
        refused
            .header("ratelimit-policy")
            .is_some_and(|policy| policy.starts_with("\"register-address\";q=1;"))
    );
    register("192.0.2.2").await.refused(422, "invalid");
    // What a client writes before the proxy's own entry is not believed.
    register("192.0.2.9, 192.0.2.1").await.refused(429, "too_many_requests");
}

#[tokio::test]
async fn forwarded_addresses_count_for_nothing_without_a_trusted_proxy() {
    let server = TestServer::start_with(|config| {
        config.limits.rate_limits = RateLimits::Factor(0.1);
        config.network.trusted_proxies = "none".parse().expect("none");
    })
    .await;
    let register =
        |from: &str| server.post("/accounts").header("x-forwarded-for", from).json(json!({})).send();
    register("192.0.2.1").await.refused(422, "invalid");
    register("192.0.2.2").await.refused(429, "too_many_requests");
}

#[tokio::test]
async fn guessing_tokens_is_limited_by_address() {
    let server = TestServer::start_with(|config| config.limits.rate_limits = RateLimits::Factor(0.01)).await;
    let token = format!("ev_{}", "A".repeat(43));
    let mut limited = false;
    for _ in 0..20 {
        let answer = server.get("/me").bearer(&token).send().await;
        limited |= answer.status == 429;
    }
    assert!(limited);
}

#[tokio::test]
async fn switched_off_there_is_no_limit_and_no_header() {
    let server = TestServer::start().await;
    let ada = server.account("ada").await;
    let calls = (0..200).map(|_| server.get("/me").by(&ada).send());
    for answer in futures_util::future::join_all(calls).await {
        assert!(answer.is(200).header("ratelimit").is_none());
    }
}
