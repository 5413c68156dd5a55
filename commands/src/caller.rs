//! Who asks, and what they hear.

use std::sync::Arc;

use domain::AccountId;
use event_store::Position;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The circumstances of one command.
#[derive(Debug, Clone)]
pub struct Context {
    /// `None` only where one can act without an account: registering.
    pub actor: Option<AccountId>,
    /// The caller's idempotency key; without one each call is a command of its own.
    pub key: Option<String>,
    /// SHA-256 over what was asked: method, path, body and query.
    pub request_hash: [u8; 32],
    /// The request's id, for following it through logs.
    pub correlation: String,
}

/// A command that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done<T> {
    /// The log's position from which on the result is visible.
    pub position: Position,
    pub recorded_at: Timestamp,
    pub made: T,
    /// Whether this is the first result of an earlier call with the same key.
    pub repeated: bool,
}

impl<T> Done<T> {
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Done<U> {
        let Self { position, recorded_at, made, repeated } = self;
        Done { position, recorded_at, made: make(made), repeated }
    }
}

/// A command that was not carried out.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refusal<E> {
    #[error(transparent)]
    Domain(E),
    #[error("this idempotency key was used for another request")]
    KeyReused,
    /// Others kept changing the same thing; trying again is worthwhile.
    #[error("too many others are changing this")]
    Busy,
    /// The log or the vault cannot be reached. The command may have been carried out: repeat it with the same key.
    #[error("the server's storage cannot be reached")]
    Unavailable(#[source] Arc<dyn std::error::Error + Send + Sync>),
}

impl<E> Refusal<E> {
    pub(crate) fn unavailable(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Unavailable(Arc::new(source))
    }

    /// Says the domain's refusal in the words of another aggregate.
    pub fn map<F>(self, words: impl FnOnce(E) -> F) -> Refusal<F> {
        match self {
            Self::Domain(refusal) => Refusal::Domain(words(refusal)),
            Self::KeyReused => Refusal::KeyReused,
            Self::Busy => Refusal::Busy,
            Self::Unavailable(source) => Refusal::Unavailable(source),
        }
    }
}

impl<E> From<event_store::Unavailable> for Refusal<E> {
    fn from(source: event_store::Unavailable) -> Self {
        Self::unavailable(source)
    }
}

impl<E> From<vault::Unavailable> for Refusal<E> {
    fn from(source: vault::Unavailable) -> Self {
        Self::unavailable(source)
    }
}

/// What caused a set of events; stored as each event's `meta`. No address, no user agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cause {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) actor: Option<AccountId>,
    pub(crate) command: Uuid,
    pub(crate) correlation: String,
    /// A keyed digest of the request's hash, in hex: the hash itself would let whoever has the log guess what was
    /// asked, a short message or a password, for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) request: Option<String>,
}

pub(crate) fn hex(bytes: &[u8; 32]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
    let mut hex = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        hex.push(digit(byte >> 4));
        hex.push(digit(byte & 0xf));
    }
    hex
}

/// The namespace of command ids that are derived from idempotency keys.
const COMMANDS: Uuid = Uuid::from_u128(0x6b1f_0a54_3b0e_5d0a_9f0b_7d0c_55a1_c0de);

impl Cause {
    /// Keys of different callers never meet; those without an account share one space.
    pub(crate) fn of(
        context: &Context,
        digest: impl FnOnce(&str) -> [u8; 32],
        fresh: impl FnOnce() -> Uuid,
    ) -> Self {
        let command = match &context.key {
            Some(key) => {
                let caller = context.actor.map_or(Uuid::nil(), |account| account.0);
                Uuid::new_v5(&COMMANDS, &[caller.as_bytes(), key.as_bytes()].concat())
            }
            None => fresh(),
        };
        Self {
            actor: context.actor,
            command,
            correlation: context.correlation.clone(),
            request: Some(hex(&digest(&hex(&context.request_hash)))),
        }
    }

    /// The cause of what the server does by itself because of `event`.
    pub(crate) fn following(event: Uuid, what: &str) -> Self {
        let command = Uuid::new_v5(&event, what.as_bytes());
        Self { actor: None, command, correlation: event.to_string(), request: None }
    }

    /// The id of this command's event number `ordinal`.
    pub(crate) fn event_id(&self, ordinal: u32) -> Uuid {
        Uuid::new_v5(&self.command, &ordinal.to_be_bytes())
    }

    /// Whether `meta` was written by this very request.
    pub(crate) fn wrote(&self, meta: &[u8]) -> bool {
        serde_json::from_slice::<Self>(meta)
            .is_ok_and(|first| first.command == self.command && first.request == self.request)
    }
}
