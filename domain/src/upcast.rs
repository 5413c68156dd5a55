//! Old shapes of events, brought to the current one step at a time.

use serde_json::Value;

/// One breaking step: the type, the schema it starts from, and the change to the next schema.
type Step = (&'static str, u16, fn(Value) -> Value);

/// Every step there has been. A step is never edited: what it reads is in somebody's log for ever.
const STEPS: &[Step] = &[];

/// Brings `data` of `kind` from schema `from` to schema `to`.
///
/// A missing step leaves the value as it is; the decoder then says what does not fit.
pub fn upcast(kind: &str, from: u16, to: u16, data: Value) -> Value {
    upcast_by(STEPS, kind, from, to, data)
}

fn upcast_by(steps: &[Step], kind: &str, from: u16, to: u16, data: Value) -> Value {
    (from..to).fold(data, |value, schema| {
        match steps.iter().find(|(step_kind, step_from, _)| *step_kind == kind && *step_from == schema) {
            Some((_, _, step)) => step(value),
            None => value,
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn steps_of_a_type_run_in_order_from_the_stored_schema_on() {
        fn mark(mut value: Value, step: &str) -> Value {
            value[step] = json!(true);
            value
        }
        const STEPS: &[Step] = &[
            ("a.b", 2, |value| mark(value, "two")),
            ("a.b", 1, |value| mark(value, "one")),
            ("x.y", 2, |value| mark(value, "other")),
        ];
        assert_eq!(upcast_by(STEPS, "a.b", 1, 3, json!({})), json!({"one": true, "two": true}));
        assert_eq!(upcast_by(STEPS, "a.b", 2, 3, json!({})), json!({"two": true}));
        assert_eq!(upcast_by(STEPS, "a.b", 3, 3, json!({})), json!({}));
    }
}
