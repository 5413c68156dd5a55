//! The parts of an OpenAPI 3.1 document that the contract test needs: finding calls, making sample values of a schema,
//! and holding a value against one.

use serde_json::{Map, Value, json};

pub(crate) struct Document(pub(crate) Value);

/// How much of a schema a sample shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sample {
    /// Every property, nothing null.
    Full,
    /// Required properties alone, null where allowed.
    Least,
}

/// One operation and the path it was found by.
pub(crate) struct Operation<'a> {
    pub(crate) path: &'a str,
    pub(crate) value: &'a Value,
}

impl Document {
    /// The operation that serves a request. Literal segments go before parameters.
    pub(crate) fn operation(&self, method: &str, path: &str) -> Option<Operation<'_>> {
        let wanted: Vec<_> = path.split('/').collect();
        let parameter = |segment: &str| segment.starts_with('{');
        let mut found: Vec<_> = self.0["paths"]
            .as_object()?
            .iter()
            .filter(|(template, _)| {
                let segments: Vec<_> = template.split('/').collect();
                segments.len() == wanted.len()
                    && segments.iter().zip(&wanted).all(|(have, want)| parameter(have) || have == want)
            })
            .filter_map(|(path, item)| Some((path, item.get(method.to_lowercase())?)))
            .collect();
        found.sort_by_key(|(path, _)| path.split('/').filter(|segment| parameter(segment)).count());
        found.first().map(|(path, value)| Operation { path, value })
    }

    /// Follows a reference.
    pub(crate) fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
            Some(pointer) => self.0.pointer(pointer).map_or(schema, |target| self.resolve(target)),
            None => schema,
        }
    }

    /// The success of an operation: its status and, unless it has no body, the body's schema.
    pub(crate) fn success<'a>(&'a self, operation: &'a Value) -> Option<(u16, Option<&'a Value>)> {
        let responses = operation["responses"].as_object()?;
        let (status, response) = responses.iter().find(|(status, _)| status.starts_with('2'))?;
        let content = self.resolve(response).get("content");
        let schema = content.and_then(|content| content.pointer("/application~1json/schema"));
        Some((status.parse().ok()?, schema))
    }

    pub(crate) fn request_body<'a>(&'a self, operation: &'a Value) -> Option<&'a Value> {
        self.resolve(operation.get("requestBody")?).pointer("/content/application~1json/schema")
    }

    /// The names of an operation's parameters of one place (`query`, `header`), those of its path included.
    pub(crate) fn parameters(&self, operation: &Operation<'_>, place: &str) -> Vec<String> {
        let shared = &self.0["paths"][operation.path]["parameters"];
        [shared, &operation.value["parameters"]]
            .into_iter()
            .filter_map(Value::as_array)
            .flatten()
            .map(|parameter| self.resolve(parameter))
            .filter(|parameter| parameter["in"] == place)
            .filter_map(|parameter| parameter["name"].as_str().map(str::to_owned))
            .collect()
    }

    /// The choices that a schema leaves, references followed and `null` left out, and whether `null` is one.
    fn choices<'a>(&'a self, schema: &'a Value) -> (Vec<&'a Value>, bool) {
        let schema = self.resolve(schema);
        let Some(list) = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array) else {
            let nullable = has_type(schema, "null");
            return (if schema["type"] == "null" { vec![] } else { vec![schema] }, nullable);
        };
        let mut nullable = false;
        let mut choices = Vec::new();
        for choice in list {
            let (more, null) = self.choices(choice);
            choices.extend(more);
            nullable |= null;
        }
        (choices, nullable)
    }

    /// The properties of an object schema and the names of the required ones, `allOf` merged.
    fn properties<'a>(&'a self, schema: &'a Value) -> (Map<String, Value>, Vec<&'a str>) {
        let schema = self.resolve(schema);
        let mut properties = schema["properties"].as_object().cloned().unwrap_or_default();
        let mut required: Vec<_> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for part in schema["allOf"].as_array().into_iter().flatten() {
            let (more, needed) = self.properties(part);
            properties.extend(more);
            required.extend(needed);
        }
        (properties, required)
    }

    pub(crate) fn sample(&self, schema: &Value, sample: Sample) -> Value {
        let (choices, nullable) = self.choices(schema);
        if nullable && sample == Sample::Least {
            return Value::Null;
        }
        let Some(schema) = choices.first() else { return Value::Null };
        if let Some(value) = schema.get("const").or_else(|| schema["enum"].get(0)) {
            return value.clone();
        }
        let (properties, required) = self.properties(schema);
        if !properties.is_empty() {
            let shown = |name: &str| sample == Sample::Full || required.contains(&name);
            let shown = properties.iter().filter(|(name, _)| shown(name));
            return shown.map(|(name, schema)| (name.clone(), self.sample(schema, sample))).collect();
        }
        if has_type(schema, "array") {
            let items = &schema["items"];
            return if sample == Sample::Full { json!([self.sample(items, sample)]) } else { json!([]) };
        }
        if has_type(schema, "string") {
            return match schema["format"].as_str() {
                Some("uuid") => json!("01981234-5678-7abc-8def-0123456789ab"),
                Some("date-time") => json!("2026-01-02T03:04:05.678901Z"),
                _ => json!("sample"),
            };
        }
        match schema["type"].as_str() {
            Some("integer") => json!(1),
            Some("number") => json!(1.5),
            Some("boolean") => json!(true),
            _ if has_type(schema, "integer") => json!(1),
            _ => json!({}),
        }
    }

    /// What is wrong with a value that the SDK sends or keeps, by JSON pointer.
    pub(crate) fn faults(&self, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
        let (choices, nullable) = self.choices(schema);
        if value.is_null() {
            if !nullable && !choices.is_empty() && !choices.iter().any(|choice| is_free(choice)) {
                faults.push(format!("{at}: null is not allowed"));
            }
            return;
        }
        let fits = |choice: &&&Value| {
            let mut found = Vec::new();
            self.faults_of_one(choice, value, at, &mut found);
            found.is_empty()
        };
        match choices.as_slice() {
            [schema] => self.faults_of_one(schema, value, at, faults),
            choices if choices.iter().find(fits).is_some() => {}
            _ => faults.push(format!("{at}: fits none of the choices")),
        }
    }

    fn faults_of_one(&self, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
        if is_free(schema) {
            return;
        }
        let kind = match value {
            Value::Object(_) => "object",
            Value::Array(_) => "array",
            Value::String(_) => "string",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "number",
            _ => "integer",
        };
        let typed = schema.get("type").is_some();
        if typed && !has_type(schema, kind) && !(kind == "integer" && has_type(schema, "number")) {
            return faults.push(format!("{at}: is a(n) {kind}, the contract has {}", schema["type"]));
        }
        if let Some(options) = schema["enum"].as_array()
            && !options.contains(value)
        {
            faults.push(format!("{at}: {value} is not one of {}", schema["enum"]));
        }
        let (properties, required) = self.properties(schema);
        match value {
            Value::Object(fields) if !properties.is_empty() => {
                for name in required.iter().filter(|name| !fields.contains_key(**name)) {
                    faults.push(format!("{at}/{name}: is required and missing"));
                }
                for (name, field) in fields {
                    match properties.get(name) {
                        Some(schema) => self.faults(schema, field, &format!("{at}/{name}"), faults),
                        None => faults.push(format!("{at}/{name}: is not in the contract")),
                    }
                }
            }
            Value::Array(items) => {
                for (n, item) in items.iter().enumerate() {
                    self.faults(&schema["items"], item, &format!("{at}/{n}"), faults);
                }
            }
            _ => {}
        }
    }
}

fn has_type(schema: &Value, name: &str) -> bool {
    match &schema["type"] {
        Value::Array(types) => types.iter().any(|one| one == name),
        one => one == name,
    }
}

/// Whether a schema says nothing.
fn is_free(schema: &Value) -> bool {
    ["type", "properties", "allOf", "enum", "const"].iter().all(|key| schema.get(key).is_none())
}
