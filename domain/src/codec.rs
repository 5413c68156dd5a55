//! Events as bytes, and back.
//!
//! Type names are written by hand and never renamed. A new optional field keeps the schema number (`#[serde(default)]`);
//! a breaking change takes the next number and one step in [`crate::upcast`]. Fields unknown to this program are
//! ignored when decoding, so that an older program reads what a newer one added.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Personal;
use crate::upcast::upcast;

/// An event ready for the log; the personal part is still clear and must be sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    pub kind: &'static str,
    pub schema: u16,
    /// JSON: ids and facts.
    pub data: Vec<u8>,
    /// JSON: personal text.
    pub personal: Option<Vec<u8>>,
}

/// The personal part handed to a decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonalPart<'a> {
    /// Sealed and not opened, or absent.
    Sealed,
    Erased,
    Clear(&'a [u8]),
}

#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("{kind} has schema {schema}, newer than this program knows")]
    NewerSchema { kind: String, schema: u16 },
    #[error("{kind} schema {schema} does not decode")]
    Malformed { kind: String, schema: u16, source: serde_json::Error },
}

/// One type of event. `Text` is its personal part, `()` where there is none.
pub trait Payload: Serialize + DeserializeOwned {
    const KIND: &'static str;
    const SCHEMA: u16;
    type Text: Serialize + DeserializeOwned;

    fn text(&self) -> Option<&Personal<Self::Text>> {
        None
    }

    fn set_text(&mut self, _text: Personal<Self::Text>) {}
}

/// The events of one kind of stream.
pub trait EventSet: Sized + Clone + Send + Sync + 'static {
    /// The types of the set, each with its current schema.
    fn kinds() -> Vec<(&'static str, u16)>;

    fn encode(&self) -> Encoded;

    /// `None` for a type that is not of this set.
    ///
    /// # Errors
    /// The type is of this set, but its bytes cannot be read.
    fn decode(
        kind: &str,
        schema: u16,
        data: &[u8],
        personal: PersonalPart<'_>,
    ) -> Result<Option<Self>, DecodeError>;
}

/// Encodes one payload.
///
/// # Panics
/// When the personal text is not clear: only a fresh decision is encoded, and it always is.
pub fn encode<P: Payload>(payload: &P) -> Encoded {
    let json = "payloads are plain structs: JSON cannot fail";
    Encoded {
        kind: P::KIND,
        schema: P::SCHEMA,
        data: serde_json::to_vec(payload).expect(json),
        personal: payload.text().map(|text| {
            let clear = text.clear().expect("a decision carries its personal text");
            serde_json::to_vec(clear).expect(json)
        }),
    }
}

/// Decodes the payload of a record whose type is `P::KIND`.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode<P: Payload>(schema: u16, data: &[u8], personal: PersonalPart<'_>) -> Result<P, DecodeError> {
    let malformed = |source| DecodeError::Malformed { kind: P::KIND.to_owned(), schema, source };
    let mut payload: P = if schema == P::SCHEMA {
        serde_json::from_slice(data).map_err(malformed)?
    } else if schema > P::SCHEMA {
        return Err(DecodeError::NewerSchema { kind: P::KIND.to_owned(), schema });
    } else {
        let old = serde_json::from_slice(data).map_err(malformed)?;
        serde_json::from_value(upcast(P::KIND, schema, P::SCHEMA, old)).map_err(malformed)?
    };
    match personal {
        PersonalPart::Sealed => {}
        PersonalPart::Erased => payload.set_text(Personal::Erased),
        PersonalPart::Clear(bytes) => {
            payload.set_text(Personal::Clear(serde_json::from_slice(bytes).map_err(malformed)?));
        }
    }
    Ok(payload)
}

/// A payload without personal text: `fact!(ChannelDeleted = "channel.deleted", 1);`
macro_rules! fact {
    ($payload:ident = $kind:literal, $schema:literal) => {
        impl $crate::codec::Payload for $payload {
            const KIND: &'static str = $kind;
            const SCHEMA: u16 = $schema;
            type Text = ();
        }
    };
}

/// A payload with personal text in one `Personal` field: `told!(MessagePosted.content: Content = "message.posted", 1);`
macro_rules! told {
    ($payload:ident.$field:ident: $text:ty = $kind:literal, $schema:literal) => {
        impl $crate::codec::Payload for $payload {
            const KIND: &'static str = $kind;
            const SCHEMA: u16 = $schema;
            type Text = $text;

            fn text(&self) -> Option<&$crate::Personal<$text>> {
                Some(&self.$field)
            }

            fn set_text(&mut self, text: $crate::Personal<$text>) {
                self.$field = text;
            }
        }
    };
}

/// A payload that may have personal text, in one `Option<Personal>` field: without any, nothing is sealed. A fold, which
/// opens nothing, cannot tell whether there is some. `may_tell!(MemberKicked.reason: Reason = "membership.kicked", 1);`
macro_rules! may_tell {
    ($payload:ident.$field:ident: $text:ty = $kind:literal, $schema:literal) => {
        impl $crate::codec::Payload for $payload {
            const KIND: &'static str = $kind;
            const SCHEMA: u16 = $schema;
            type Text = $text;

            fn text(&self) -> Option<&$crate::Personal<$text>> {
                self.$field.as_ref()
            }

            fn set_text(&mut self, text: $crate::Personal<$text>) {
                self.$field = Some(text);
            }
        }
    };
}

/// The enum of a stream's events, each variant around its payload.
macro_rules! events {
    ($(#[$doc:meta])* pub enum $name:ident { $($variant:ident($payload:ident)),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name {
            $($variant($payload)),+
        }

        impl $crate::codec::EventSet for $name {
            fn kinds() -> Vec<(&'static str, u16)> {
                use $crate::codec::Payload;
                vec![$((<$payload as Payload>::KIND, <$payload as Payload>::SCHEMA)),+]
            }

            fn encode(&self) -> $crate::codec::Encoded {
                match self {
                    $(Self::$variant(payload) => $crate::codec::encode(payload)),+
                }
            }

            fn decode(
                kind: &str,
                schema: u16,
                data: &[u8],
                personal: $crate::codec::PersonalPart<'_>,
            ) -> Result<Option<Self>, $crate::codec::DecodeError> {
                $(if kind == <$payload as $crate::codec::Payload>::KIND {
                    return $crate::codec::decode(schema, data, personal).map(|p| Some(Self::$variant(p)));
                })+
                Ok(None)
            }
        }

        $(impl From<$payload> for $name {
            fn from(payload: $payload) -> Self {
                Self::$variant(payload)
            }
        })+
    };
}

pub(crate) use {events, fact, may_tell, told};

/// Serialises as an empty object: an event that says nothing beyond its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Nothing {}
