use crate::harness::TestServer;

#[tokio::test]
async fn the_server_says_how_it_is() {
    let server = TestServer::start().await;
    server.get("//livez").send().await.is(200);
    let ready = server.get("//readyz").send().await.is(200);
    for part in ["/status", "/log", "/vault", "/read_model/status"] {
        assert_eq!(ready.text(part), "up", "{part}");
    }
}

#[tokio::test]
async fn the_contract_and_its_pages_are_served_without_the_internet() {
    let server = TestServer::start().await;
    let document = server.get("//openapi.json").send().await.is(200);
    assert_eq!(document.json, api::document());
    assert_eq!(document.json["openapi"], "3.1.0");
    let page = server.get("//docs/").open().await;
    assert_eq!(page.status(), 200);
    let policy = page.headers()["content-security-policy"].to_str().expect("text").to_owned();
    assert!(policy.contains("default-src 'none'"), "{policy}");
    let html = page.text().await.expect("a page");
    assert!(!html.contains("https://") && !html.contains("<script>"), "only its own files: {html}");
    for script in ["swagger-initializer.js", "swagger-ui-bundle.js", "swagger-ui.css"] {
        let file = server.get(&format!("//docs/{script}")).open().await;
        assert_eq!(file.status(), 200, "{script}");
    }
    let config = server.get("//docs/swagger-initializer.js").open().await.text().await.expect("a script");
    assert!(config.contains("\"validatorUrl\": \"none\""), "{config}");
    server.get("//docs/nothing.js").send().await.refused(404, "not_found");
    assert_eq!(server.get("//").open().await.headers()["location"], "/docs/");
}

#[tokio::test]
async fn a_problems_type_leads_to_its_page() {
    let server = TestServer::start().await;
    let refused = server.get("/me").send().await.refused(401, "unauthenticated");
    let kind = refused.text("/type");
    let path = kind.strip_prefix(&server.base).expect("on this server");
    assert_eq!(server.get(&format!("/{path}")).open().await.status(), 200);
}

#[tokio::test]
async fn every_answer_has_the_security_headers_and_an_id() {
    let server = TestServer::start().await;
    for path in ["/me", "//livez", "//docs/", "//nothing"] {
        let headers = server.get(path).open().await.headers().clone();
        for name in ["x-request-id", "x-content-type-options", "content-security-policy", "referrer-policy"] {
            assert!(headers.contains_key(name), "{path} lacks {name}");
        }
    }
}
