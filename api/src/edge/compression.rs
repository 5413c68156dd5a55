//! Compression of larger JSON answers. A stream is never compressed: a compressor holds events back.

use axum::http::header;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{And, Predicate, SizeAbove};

/// Smaller answers gain nothing.
const WORTHWHILE: u64 = 1_024;

#[derive(Debug, Clone, Copy)]
pub(super) struct IsJson;

impl Predicate for IsJson {
    fn should_compress<B>(&self, response: &axum::http::Response<B>) -> bool
    where
        B: axum::body::HttpBody,
    {
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        kind.is_some_and(|kind| kind.starts_with("application/json"))
    }
}

pub(super) fn json() -> CompressionLayer<And<SizeAbove, IsJson>> {
    CompressionLayer::new().compress_when(SizeAbove::new(WORTHWHILE).and(IsJson))
}
