//! What holds for every call: parameters, problems, headers, security.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::error::catalogue;

/// Completes every operation, and closes every body to unknown fields.
pub(super) fn complete(document: &mut Value) {
    name_optional_bodies(document);
    for body in bodies(document) {
        document["components"]["schemas"][body]["additionalProperties"] = false.into();
    }
    let Some(paths) = document["paths"].as_object_mut() else {
        return;
    };
    for operations in paths.values_mut().filter_map(Value::as_object_mut) {
        for (method, operation) in operations.iter_mut() {
            if let Some(operation) = operation.as_object_mut() {
                complete_operation(method, operation);
            }
        }
    }
}

/// A body that may be left out is no null: it has its own schema and is not required.
fn name_optional_bodies(document: &mut Value) {
    let items = document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut);
    let operations = items.filter_map(Value::as_object_mut).flat_map(Map::values_mut);
    for body in operations.filter_map(|operation| operation.get_mut("requestBody")) {
        let schema = &body["content"]["application/json"]["schema"];
        let named =
            schema["oneOf"].as_array().and_then(|either| either.iter().find(|one| one.get("$ref").is_some()));
        if let Some(named) = named.cloned() {
            body["content"]["application/json"]["schema"] = named;
            body["required"] = false.into();
        }
    }
}

/// The names of the schemas that requests have, and of the objects inside these.
fn bodies(document: &Value) -> BTreeSet<String> {
    let mut bodies = outer_bodies(document);
    let schema = |name: &str| &document["components"]["schemas"][name];
    let inside: Vec<String> = bodies
        .iter()
        .filter_map(|name| schema(name)["properties"].as_object())
        .flat_map(Map::values)
        .flat_map(|field| std::iter::once(field).chain(field["oneOf"].as_array().into_iter().flatten()))
        .filter_map(|field| field["$ref"].as_str()?.strip_prefix(SCHEMAS))
        .filter(|name| schema(name)["properties"].is_object())
        .map(str::to_owned)
        .collect();
    bodies.extend(inside);
    bodies
}

const SCHEMAS: &str = "#/components/schemas/";

fn outer_bodies(document: &Value) -> BTreeSet<String> {
    let items = document["paths"].as_object().into_iter().flat_map(Map::values);
    items
        .filter_map(Value::as_object)
        .flat_map(Map::values)
        .filter_map(|operation| {
            operation.pointer("/requestBody/content/application~1json/schema/$ref")?.as_str()
        })
        .filter_map(|reference| reference.strip_prefix(SCHEMAS))
        .map(str::to_owned)
        .collect()
}

fn complete_operation(method: &str, operation: &mut Map<String, Value>) {
    // `security(())` says that nobody need be logged in.
    let public = operation.get("security").is_some();
    if public {
        operation.insert("security".to_owned(), json!([]));
    } else {
        operation.insert("security".to_owned(), json!([{"bearer": []}, {"cookie": []}]));
    }
    let (read, live) = (method == "get", operation["tags"] == json!(["live"]));
    let sessions = operation["tags"] == json!(["session"]);
    let signals = operation["tags"] == json!(["presence"]);
    // What an account keeps for itself is set to what the request says: a repeat changes nothing.
    let kept = operation["tags"] == json!(["account-data"]);
    let follows = live && operation["operationId"] != "showBootstrap";
    let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
    if let Some(parameters) = parameters.as_array_mut() {
        if (read && !follows && !sessions) || kept {
            parameters.push(min_position());
        }
        // Ending a session twice is ending it once: only logging in takes a key. A signal is kept nowhere.
        if !read && !signals && !kept && (!sessions || public) {
            parameters.push(idempotency_key());
        }
    }
    if operation.get("parameters").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        operation.remove("parameters");
    }
    let mut problems: Vec<(&str, &[&str])> = vec![
        ("429", &["too_many_requests"]),
        ("500", &["internal"]),
        ("503", &["unavailable", "busy", "not_caught_up"]),
    ];
    if !public {
        problems.push(("401", &["unauthenticated", "session_invalid"]));
        if !read {
            problems.push(("403", &["cross_site"]));
        }
    }
    let invalid: &[&str] = if kept { &["invalid"] } else { &["invalid", "idempotency_key_reused"] };
    if operation.contains_key("requestBody") {
        problems.push(("400", &["malformed_json", "malformed_request"]));
        problems.push(("408", &["request_timeout"]));
        problems.push(("413", &["body_too_large"]));
        problems.push(("415", &["unsupported_media_type"]));
        problems.push(("422", invalid));
    } else if !read {
        problems.push(("422", invalid));
    } else {
        problems.push(("400", &["malformed_request"]));
        problems.push(("422", &["invalid"]));
    }
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
        return;
    };
    for (status, codes) in problems {
        add_codes(responses, status, codes);
    }
    for (status, response) in responses.iter_mut() {
        if status.starts_with(['4', '5']) {
            describe_problem(status, response);
        }
        add_headers(status, response);
    }
}

fn min_position() -> Value {
    json!({
        "name": "Min-Position", "in": "header", "required": false,
        "description": "The `position` of a command: the read waits up to 500 ms until it can be seen.",
        "schema": {"$ref": "#/components/schemas/Cursor"},
    })
}

fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key", "in": "header", "required": false,
        "description": "The same key and body by the same caller have one effect and one answer, across restarts.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"},
    })
}

/// Adds codes to those that an operation names itself.
fn add_codes(responses: &mut Map<String, Value>, status: &str, codes: &[&str]) {
    let response = responses.entry(status).or_insert_with(|| json!({"description": ""}));
    let mut text = response["description"].as_str().unwrap_or_default().to_owned();
    for code in codes {
        let name = format!("`{code}`");
        if !text.contains(&name) {
            if !text.is_empty() {
                text.push_str(", ");
            }
            text.push_str(&name);
        }
    }
    response["description"] = text.into();
}

/// The names between backticks.
fn named(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Gives a problem its schema, and an example for each of its codes.
fn describe_problem(status: &str, response: &mut Value) {
    let text = response["description"].as_str().unwrap_or_default().to_owned();
    let examples: Map<String, Value> = catalogue()
        .filter(|code| code.status.as_str() == status && named(&text).contains(code.name))
        .map(|code| {
            let value = json!({
                "type": format!("https://echoverse.example/problems/{}", code.name),
                "title": code.title,
                "status": code.status.as_u16(),
                "code": code.name,
                "detail": format!("{}.", code.title),
                "request_id": "019a93c4b7f17cc3a0b1f1d2c3e4f506",
            });
            (code.name.to_owned(), json!({"value": value}))
        })
        .collect();
    let mut content = json!({"schema": {"$ref": "#/components/schemas/Problem"}});
    if !examples.is_empty() {
        content["examples"] = examples.into();
    }
    response["content"] = json!({"application/problem+json": content});
}

fn add_headers(status: &str, response: &mut Value) {
    let text = |description: &str| json!({"description": description, "schema": {"type": "string"}});
    let seconds = json!({"description": "Seconds to wait", "schema": {"type": "integer", "minimum": 1}});
    let headers = &mut response["headers"];
    headers["X-Request-Id"] = text("Names this request in the server's log");
    if matches!(status, "200" | "201" | "204" | "429") {
        headers["RateLimit"] = text("What is left of each quota (draft-ietf-httpapi-ratelimit-headers)");
        headers["RateLimit-Policy"] = text("The quotas that this call counts in");
    }
    if matches!(status, "429" | "503") {
        headers["Retry-After"] = seconds;
    }
    if status == "401" {
        headers["WWW-Authenticate"] = text("How to authenticate");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operations(document: &Value) -> impl Iterator<Item = (String, &Value)> {
        let paths = document["paths"].as_object().into_iter().flatten();
        paths.flat_map(|(path, item)| {
            let methods = item.as_object().into_iter().flatten();
            methods.map(move |(method, operation)| (format!("{method} {path}"), operation))
        })
    }

    #[test]
    fn every_operation_is_complete() {
        let document = crate::document();
        assert!(operations(&document).count() > 30);
        for (call, operation) in operations(&document) {
            for field in ["summary", "operationId", "security"] {
                assert!(operation.get(field).is_some(), "{call} lacks {field}");
            }
            assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{call}");
            for status in ["429", "500", "503"] {
                assert!(operation["responses"].get(status).is_some(), "{call} lacks {status}");
            }
        }
    }

    #[test]
    fn every_problem_that_is_named_exists_with_that_status() {
        let document = crate::document();
        for (call, operation) in operations(&document) {
            for (status, response) in operation["responses"].as_object().into_iter().flatten() {
                if status.starts_with(['4', '5']) {
                    for name in named(response["description"].as_str().unwrap_or_default()) {
                        let code = catalogue().find(|code| code.name == name);
                        let fits = code.is_some_and(|code| code.status.as_str() == status);
                        assert!(fits, "{call}: {status} {name}");
                    }
                }
            }
        }
    }
}
