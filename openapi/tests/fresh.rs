//! The committed document is that of the handlers.

#[test]
fn the_committed_document_is_fresh() {
    let committed = openapi::committed().expect("openapi.json is committed");
    let differences = openapi::differences(&committed, &api::document());
    assert!(differences.is_empty(), "run `cargo run -p openapi -- write`:\n{}", differences.join("\n"));
    let written = std::fs::read_to_string(openapi::path()).expect("it was read just now");
    assert_eq!(written, openapi::text(), "run `cargo run -p openapi -- write`");
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(value: &serde_json::Value, document: &serde_json::Value) {
        if let Some(reference) = value.get("$ref").and_then(|reference| reference.as_str()) {
            let pointer = reference.strip_prefix('#').expect("references stay in the document");
            assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
        }
        match value {
            serde_json::Value::Object(fields) => fields.values().for_each(|value| walk(value, document)),
            serde_json::Value::Array(items) => items.iter().for_each(|value| walk(value, document)),
            _ => {}
        }
    }
    let document = api::document();
    walk(&document, &document);
}
