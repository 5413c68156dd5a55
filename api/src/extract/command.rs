//! Commands: who asks, under which key, and for what.

use std::time::Instant;

use axum::extract::{FromRequest, FromRequestParts, OriginalUri, Request};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use commands::Context;
use domain::AccountId;
use sha2::{Digest as _, Sha256};

use super::body;
use super::fields::FromFields;
use crate::auth::Authenticated;
use crate::edge::Arrival;
use crate::error::{ApiError, FieldError};

const KEY: &str = "idempotency-key";
/// The longest idempotency key.
const MAX_KEY: usize = 128;

/// A command with a JSON body, by an account.
pub(crate) struct Command<T> {
    pub(crate) context: Context,
    pub(crate) caller: Authenticated,
    pub(crate) body: T,
}

/// A command that says everything by its method and path, by an account. A body is ignored.
pub(crate) struct Bare {
    pub(crate) context: Context,
    pub(crate) caller: Authenticated,
}

/// A command whose JSON body may be left out, by an account: then it is as if it were `{}`.
pub(crate) struct Brief<T> {
    pub(crate) context: Context,
    pub(crate) body: T,
}

/// A command with a JSON body by somebody who has no session yet.
pub(crate) struct Opening<T> {
    pub(crate) context: Context,
    pub(crate) body: T,
}

impl<T: FromFields, S: Send + Sync> FromRequest<S> for Command<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let begun = Instant::now();
        if let Some(arrival) = parts.extensions.get::<Arrival>() {
            metrics::histogram!("echoverse_command_stage_seconds", "stage" => "arrive")
                .record(begun - arrival.at);
        }
        let caller = Authenticated::from_request_parts(&mut parts, state).await?;
        let bytes = body::read(&parts.headers, body).await?;
        let context = context(&parts, Some(caller.account), &bytes)?;
        let body = body::parse(&parts.headers, &bytes)?;
        metrics::histogram!("echoverse_command_stage_seconds", "stage" => "body").record(begun.elapsed());
        Ok(Self { context, caller, body })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Bare {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let caller = Authenticated::from_request_parts(parts, state).await?;
        let context = context(parts, Some(caller.account), &[])?;
        Ok(Self { context, caller })
    }
}

impl<T: FromFields, S: Send + Sync> FromRequest<S> for Brief<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let caller = Authenticated::from_request_parts(&mut parts, state).await?;
        let bytes = body::read(&parts.headers, body).await?;
        let context = context(&parts, Some(caller.account), &bytes)?;
        Ok(Self { context, body: body::parse_if_any(&parts.headers, &bytes)? })
    }
}

impl<T: FromFields, S: Send + Sync> FromRequest<S> for Opening<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let bytes = body::read(&parts.headers, body).await?;
        let context = context(&parts, None, &bytes)?;
        Ok(Self { context, body: body::parse(&parts.headers, &bytes)? })
    }
}

fn context(parts: &Parts, actor: Option<AccountId>, body: &[u8]) -> Result<Context, ApiError> {
    let key = key(&parts.headers)?;
    // The path as the client wrote it: routers below a prefix see a shorter one.
    let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
    let mut hash = Sha256::new();
    let query = uri.query().map(str::as_bytes);
    let said = [parts.method.as_str().as_bytes(), uri.path().as_bytes(), body];
    for part in said.into_iter().chain(query) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let arrival = parts.extensions.get::<Arrival>();
    let correlation = arrival.map(|arrival| arrival.id.simple().to_string()).unwrap_or_default();
    Ok(Context { actor, key, request_hash: hash.finalize().into(), correlation })
}

fn key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut keys = headers.get_all(KEY).iter();
    let Some(key) = keys.next() else {
        return Ok(None);
    };
    let bytes = key.as_bytes();
    let fits = (1..=MAX_KEY).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
    match key.to_str() {
        Ok(text) if fits && keys.next().is_none() => Ok(Some(text.to_owned())),
        _ => {
            let detail = format!("must be given once, with 1 to {MAX_KEY} visible ASCII characters");
            Err(ApiError::invalid(vec![FieldError::parameter("Idempotency-Key", "malformed", detail)]))
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn keyed(value: &[u8]) -> Result<Option<String>, ApiError> {
        let mut headers = HeaderMap::new();
        headers.insert(KEY, HeaderValue::from_bytes(value).unwrap());
        key(&headers)
    }

    #[test]
    fn a_key_has_visible_ascii_only() {
        assert_eq!(keyed(b"a-1").unwrap().as_deref(), Some("a-1"));
        assert!(keyed(&[b'k'; MAX_KEY]).is_ok());
        assert!(key(&HeaderMap::new()).unwrap().is_none());
        for bad in [&b""[..], b"a b", b"\xc3\xa9", &[b'k'; MAX_KEY + 1]] {
            assert!(keyed(bad).is_err());
        }
    }
}
