//! Query strings.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::fields::{Fields, FromFields};
use crate::error::{ApiError, general};

/// The parameters of a query, read into checked fields.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: FromFields, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|_| ApiError::new(general::MALFORMED_REQUEST, "The query string is malformed."))?;
        Fields::read_query(pairs.0).map(Self)
    }
}
