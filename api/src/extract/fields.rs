//! Reading a body's or a query's fields into checked values, all faults at once.

use domain::text::TextError;
use serde_json::{Map, Value};

use super::parse::kind_of;
use crate::error::{ApiError, FieldError};

/// What can be read from a JSON object or a query.
pub(crate) trait FromFields: Sized {
    /// `None` when a fault was noted. Ask for every field before the first `?`, so that all faults are told together.
    fn from_fields(fields: &mut Fields) -> Option<Self>;
}

/// Why a value was refused: a stable code, and words.
pub(crate) struct Fault {
    pub(crate) code: &'static str,
    pub(crate) detail: String,
}

impl Fault {
    pub(crate) fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

impl From<TextError> for Fault {
    fn from(error: TextError) -> Self {
        let code = match error {
            TextError::Empty => "empty",
            TextError::TooShort { .. } => "too_short",
            TextError::TooLong { .. } => "too_long",
            TextError::Forbidden(_) => "forbidden_character",
            TextError::NotAHandle => "not_a_handle",
            TextError::NotAnEmail => "not_an_email",
        };
        Self::new(code, error.to_string())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Body,
    Query,
}

/// The fields that were sent and not yet asked for.
pub(crate) struct Fields {
    place: Place,
    sent: Map<String, Value>,
    errors: Vec<FieldError>,
    #[cfg(test)]
    pub(crate) asked: Vec<&'static str>,
}

impl Fields {
    /// Reads `T` from a JSON value.
    pub(crate) fn read_body<T: FromFields>(body: Value) -> Result<T, ApiError> {
        match body {
            Value::Object(sent) => Self::new(Place::Body, sent).read(),
            other => {
                let detail = format!("must be an object, is {}", kind_of(&other));
                Err(ApiError::invalid(vec![FieldError::pointer(String::new(), "wrong_type", detail)]))
            }
        }
    }

    /// Reads `T` from the pairs of a query.
    pub(crate) fn read_query<T: FromFields>(pairs: Vec<(String, String)>) -> Result<T, ApiError> {
        let mut fields = Self::new(Place::Query, Map::new());
        for (name, value) in pairs {
            if fields.sent.contains_key(&name) {
                fields.fault(&name, Fault::new("repeated", "may be given only once"));
            } else {
                fields.sent.insert(name, Value::String(value));
            }
        }
        fields.read()
    }

    fn new(place: Place, sent: Map<String, Value>) -> Self {
        Self {
            place,
            sent,
            errors: Vec::new(),
            #[cfg(test)]
            asked: Vec::new(),
        }
    }

    fn read<T: FromFields>(self) -> Result<T, ApiError> {
        self.read_all().map_err(ApiError::invalid)
    }

    /// The value, or what is wrong with its fields.
    fn read_all<T: FromFields>(mut self) -> Result<T, Vec<FieldError>> {
        let read = T::from_fields(&mut self);
        for name in std::mem::take(&mut self.sent).keys() {
            self.fault(name, Fault::new("unknown_field", "is not known here"));
        }
        match read {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(self.errors),
        }
    }

    /// A field that must be there.
    pub(crate) fn required<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(Value) -> Result<T, Fault>,
    ) -> Option<T> {
        match self.take(name) {
            None => {
                self.fault(name, Fault::new("required", "is required"));
                None
            }
            Some(value) => self.parse(name, value, parse),
        }
    }

    /// A field that may be absent or null: then the inner option is `None`.
    pub(crate) fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(Value) -> Result<T, Fault>,
    ) -> Option<Option<T>> {
        match self.take(name) {
            None | Some(Value::Null) => Some(None),
            Some(value) => self.parse(name, value, parse).map(Some),
        }
    }

    /// An object of a body with fields of its own, which may be absent or null: then the inner option is `None`.
    pub(crate) fn object<T: FromFields>(&mut self, name: &'static str) -> Option<Option<T>> {
        let sent = match self.take(name) {
            None | Some(Value::Null) => return Some(None),
            Some(Value::Object(sent)) => sent,
            Some(other) => {
                let detail = format!("must be an object, is {}", kind_of(&other));
                self.fault(name, Fault::new("wrong_type", detail));
                return None;
            }
        };
        match Self::new(self.place, sent).read_all() {
            Ok(value) => Some(Some(value)),
            Err(errors) => {
                let inside = |error: FieldError| {
                    let pointer = error.pointer.map(|pointer| format!("/{name}{pointer}"));
                    FieldError { pointer, ..error }
                };
                self.errors.extend(errors.into_iter().map(inside));
                None
            }
        }
    }

    /// A field that may be absent, or null to take away what there is: then it is `Some(None)` within.
    pub(crate) fn nullable<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(Value) -> Result<T, Fault>,
    ) -> Option<Option<Option<T>>> {
        match self.take(name) {
            None => Some(None),
            Some(Value::Null) => Some(Some(None)),
            Some(value) => self.parse(name, value, parse).map(|value| Some(Some(value))),
        }
    }

    /// Notes a fault of `name`.
    pub(crate) fn fault(&mut self, name: &str, fault: Fault) {
        let Fault { code, detail } = fault;
        self.errors.push(match self.place {
            Place::Body => {
                let escaped = name.replace('~', "~0").replace('/', "~1");
                FieldError::pointer(format!("/{escaped}"), code, detail)
            }
            Place::Query => FieldError::parameter(name, code, detail),
        });
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        #[cfg(test)]
        self.asked.push(name);
        self.sent.remove(name)
    }

    fn parse<T>(
        &mut self,
        name: &str,
        value: Value,
        parse: impl FnOnce(Value) -> Result<T, Fault>,
    ) -> Option<T> {
        parse(value).map_err(|fault| self.fault(name, fault)).ok()
    }
}

/// The names that `T` asks for.
#[cfg(test)]
pub(crate) fn asked<T: FromFields>() -> Vec<&'static str> {
    let mut fields = Fields::new(Place::Body, Map::new());
    let _ = T::from_fields(&mut fields);
    fields.asked
}

#[cfg(test)]
mod tests {
    use domain::channel::ChannelName;
    use serde_json::json;

    use super::super::parse;
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Sample {
        name: String,
        count: Option<u64>,
    }

    impl FromFields for Sample {
        fn from_fields(fields: &mut Fields) -> Option<Self> {
            let name = fields.required("name", parse::text(ChannelName::parse));
            let count = fields.optional("count", parse::integer(1, 9));
            Some(Self { name: name?.into_string(), count: count? })
        }
    }

    fn faults(body: Value) -> Vec<(String, String)> {
        let error = Fields::read_body::<Sample>(body).unwrap_err();
        let problem = error.problem("", "");
        problem.errors.into_iter().map(|e| (e.pointer.unwrap_or_default(), e.code.into_owned())).collect()
    }

    #[test]
    fn what_fits_is_read() {
        let sample = Fields::read_body::<Sample>(json!({"name": "a", "count": null})).unwrap();
        assert_eq!(sample, Sample { name: "a".into(), count: None });
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let told = faults(json!({"name": 5, "count": 10, "x/y": 1}));
        let expected = [("/name", "wrong_type"), ("/count", "out_of_range"), ("/x~1y", "unknown_field")];
        assert_eq!(told, expected.map(|(pointer, code)| (pointer.to_owned(), code.to_owned())));
        assert_eq!(faults(json!({})), [("/name".to_owned(), "required".to_owned())]);
        assert_eq!(faults(json!([])), [(String::new(), "wrong_type".to_owned())]);
    }

    #[derive(Debug)]
    struct Outer;

    impl FromFields for Outer {
        fn from_fields(fields: &mut Fields) -> Option<Self> {
            fields.object::<Sample>("sample")?.map(|_| Self)
        }
    }

    #[test]
    fn the_faults_of_an_object_inside_are_told_by_their_place() {
        let told = |body: Value| {
            let error = Fields::read_body::<Outer>(body).unwrap_err();
            let errors = error.problem("", "").errors.into_iter();
            errors.map(|e| (e.pointer.unwrap_or_default(), e.code.into_owned())).collect::<Vec<_>>()
        };
        assert!(Fields::read_body::<Outer>(json!({"sample": {"name": "a"}})).is_ok());
        let faults = told(json!({"sample": {"name": 5, "more": 1}, "other": 1}));
        let expected =
            [("/sample/name", "wrong_type"), ("/sample/more", "unknown_field"), ("/other", "unknown_field")];
        assert_eq!(faults, expected.map(|(pointer, code)| (pointer.to_owned(), code.to_owned())));
        let wrong = [("/sample".to_owned(), "wrong_type".to_owned())];
        assert_eq!(told(json!({"sample": []})), wrong);
    }

    #[derive(Debug)]
    struct Limit(u64);

    impl FromFields for Limit {
        fn from_fields(fields: &mut Fields) -> Option<Self> {
            fields.required("limit", parse::digits(1, 9)).map(Self)
        }
    }

    #[test]
    fn a_query_names_its_parameters() {
        let pair = |value: &str| ("limit".to_owned(), value.to_owned());
        let read = |pairs| Fields::read_query::<Limit>(pairs);
        assert_eq!(read(vec![pair("9")]).unwrap().0, 9);
        for bad in ["0", "10", "-1", "+5", "1e0", "", "99999999999999999999"] {
            let error = read(vec![pair(bad)]).unwrap_err();
            assert_eq!(error.problem("", "").errors[0].parameter.as_deref(), Some("limit"), "{bad}");
        }
        assert!(read(vec![pair("1"), pair("1")]).is_err());
    }
}
