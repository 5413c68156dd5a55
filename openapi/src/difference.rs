//! What differs between two documents, call by call and schema by schema.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// One line for each call, schema or other part that was added, removed or changed.
pub fn differences(old: &Value, new: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let (old, new) = (parts(old), parts(new));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        match (old.get(name), new.get(name)) {
            (None, Some(_)) => lines.push(format!("+ {name}")),
            (Some(_), None) => lines.push(format!("- {name}")),
            (Some(before), Some(after)) if before != after => lines.push(format!("~ {name}")),
            _ => {}
        }
    }
    lines
}

/// The document by the parts that people speak of: calls, schemas, and the rest by its first name.
fn parts(document: &Value) -> Map<String, Value> {
    let mut parts = Map::new();
    let fields = |value: &Value| value.as_object().cloned().unwrap_or_default();
    for (name, value) in fields(document) {
        match name.as_str() {
            "paths" => {
                for (path, calls) in fields(&value) {
                    for (method, call) in fields(&calls) {
                        parts.insert(format!("{} {path}", method.to_uppercase()), call);
                    }
                }
            }
            "components" => {
                for (kind, components) in fields(&value) {
                    for (name, component) in fields(&components) {
                        parts.insert(format!("{kind} {name}"), component);
                    }
                }
            }
            _ => {
                parts.insert(name, value);
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_difference_names_the_call() {
        let old = json!({"paths": {"/a": {"get": 1, "put": 1}}, "info": 1});
        let new = json!({"paths": {"/a": {"get": 2}}, "components": {"schemas": {"A": 1}}, "info": 1});
        assert_eq!(differences(&old, &new), ["~ GET /a", "- PUT /a", "+ schemas A"]);
        assert!(differences(&new, &new).is_empty());
    }
}
