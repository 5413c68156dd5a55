//! HTTP in, JSON and events out: handlers, authentication, rate limits, live delivery.

pub mod cursor;
