//! Parsers of single values.

use std::str::FromStr;

use domain::emoji::Emoji;
use domain::text::TextError;
use jiff::Timestamp;
use serde_json::Value;

use super::fields::Fault;

fn wrong(expected: &str, value: &Value) -> Fault {
    Fault::new("wrong_type", format!("must be {expected}, is {}", kind_of(value)))
}

pub(crate) fn string(value: Value) -> Result<String, Fault> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(wrong("a string", &other)),
    }
}

pub(crate) fn boolean(value: Value) -> Result<bool, Fault> {
    value.as_bool().ok_or_else(|| wrong("a boolean", &value))
}

pub(crate) fn list(value: Value) -> Result<Vec<Value>, Fault> {
    match value {
        Value::Array(items) => Ok(items),
        other => Err(wrong("an array", &other)),
    }
}

/// `true` or `false`, as a query has them.
pub(crate) fn flag(value: Value) -> Result<bool, Fault> {
    match string(value)?.as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Fault::new("unknown_value", "must be true or false")),
    }
}

/// Text with the domain's limits: `text(Content::parse)`.
pub(crate) fn text<T>(
    check: impl FnOnce(&str) -> Result<T, TextError>,
) -> impl FnOnce(Value) -> Result<T, Fault> {
    |value| Ok(check(&string(value)?)?)
}

/// One of the names that `known` lists and `check` knows.
pub(crate) fn name<T>(
    check: impl FnOnce(&str) -> Option<T>,
    known: &[&str],
) -> impl FnOnce(Value) -> Result<T, Fault> {
    move |value| {
        let text = string(value)?;
        check(&text)
            .ok_or_else(|| Fault::new("unknown_value", format!("must be one of {}", known.join(", "))))
    }
}

/// An emoji or its shortcode, as the emoji.
pub(crate) fn emoji(value: Value) -> Result<String, Fault> {
    let emoji = Emoji::parse(&string(value)?);
    emoji.map(Emoji::into_string).map_err(|error| Fault::new("not_an_emoji", error.to_string()))
}

pub(crate) fn id<T: FromStr>(value: Value) -> Result<T, Fault> {
    string(value)?.parse().map_err(|_| Fault::new("not_an_id", "must be a UUID"))
}

pub(crate) fn time(value: Value) -> Result<Timestamp, Fault> {
    let wrong = |_| Fault::new("not_a_time", "must be a time such as 2026-01-31T12:00:00Z (RFC 3339)");
    let time: Timestamp = string(value)?.parse().map_err(wrong)?;
    // In whole microseconds, as it is stored.
    Ok(Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time))
}

/// A list of at most `most`, each read by `parse`.
pub(crate) fn at_most<T>(
    most: usize,
    parse: impl Fn(Value) -> Result<T, Fault>,
) -> impl FnOnce(Value) -> Result<Vec<T>, Fault> {
    move |value| match value {
        Value::Array(items) if items.len() > most => {
            Err(Fault::new("too_many", format!("must have at most {most} items, has {}", items.len())))
        }
        Value::Array(items) => items.into_iter().map(parse).collect(),
        other => Err(wrong("an array", &other)),
    }
}

/// A whole number from `min` to `max`.
pub(crate) fn integer(min: u64, max: u64) -> impl FnOnce(Value) -> Result<u64, Fault> {
    move |value| match &value {
        Value::Number(number) => within(number.as_u64(), min, max),
        other => Err(wrong("a whole number", other)),
    }
}

/// The digits of a whole number from `min` to `max`, as a query has them.
pub(crate) fn digits(min: u64, max: u64) -> impl FnOnce(Value) -> Result<u64, Fault> {
    move |value| {
        let text = string(value)?;
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        within(plain.then(|| text.parse().ok()).flatten(), min, max)
    }
}

fn within(number: Option<u64>, min: u64, max: u64) -> Result<u64, Fault> {
    number
        .filter(|number| (min..=max).contains(number))
        .ok_or_else(|| Fault::new("out_of_range", format!("must be a whole number from {min} to {max}")))
}

/// How JSON calls what this is.
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
