//! What can be wrong, by name.

use axum::http::StatusCode;

/// A kind of problem. `name` is part of the contract and never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code {
    pub(crate) status: StatusCode,
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
}

/// The codes of one slice: `codes! { UNKNOWN = NOT_FOUND "message_not_found" "No such message"; }` makes a constant
/// of each and lists them in `CODES`, from where the catalogue takes them.
macro_rules! codes {
    ($($id:ident = $status:ident $name:literal $title:literal;)+) => {
        $(
            pub(crate) const $id: $crate::error::Code = $crate::error::Code {
                status: axum::http::StatusCode::$status,
                name: $name,
                title: $title,
            };
        )+
        pub(crate) const CODES: &[$crate::error::Code] = &[$($id),+];
    };
}
pub(crate) use codes;

/// Problems of no slice in particular.
pub(crate) mod general {
    super::codes! {
        MALFORMED_REQUEST = BAD_REQUEST "malformed_request" "Malformed request";
        MALFORMED_JSON = BAD_REQUEST "malformed_json" "Malformed JSON";
        UNAUTHENTICATED = UNAUTHORIZED "unauthenticated" "Not logged in";
        SESSION_INVALID = UNAUTHORIZED "session_invalid" "The session has ended";
        CROSS_SITE = FORBIDDEN "cross_site" "Request from another site";
        NOT_FOUND = NOT_FOUND "not_found" "Nothing here";
        METHOD_NOT_ALLOWED = METHOD_NOT_ALLOWED "method_not_allowed" "Method not allowed";
        REQUEST_TIMEOUT = REQUEST_TIMEOUT "request_timeout" "The request came too slowly";
        BODY_TOO_LARGE = PAYLOAD_TOO_LARGE "body_too_large" "Body too large";
        UNSUPPORTED_MEDIA_TYPE = UNSUPPORTED_MEDIA_TYPE "unsupported_media_type" "Unsupported media type";
        INVALID = UNPROCESSABLE_ENTITY "invalid" "Invalid request";
        IDEMPOTENCY_KEY_REUSED = UNPROCESSABLE_ENTITY "idempotency_key_reused" "Idempotency key used before";
        RATE_LIMITED = TOO_MANY_REQUESTS "too_many_requests" "Too many requests";
        INTERNAL = INTERNAL_SERVER_ERROR "internal" "Internal error";
        BUSY = SERVICE_UNAVAILABLE "busy" "Too busy";
        UNAVAILABLE = SERVICE_UNAVAILABLE "unavailable" "Temporarily unavailable";
        NOT_CAUGHT_UP = SERVICE_UNAVAILABLE "not_caught_up" "Not caught up yet";
    }
}

/// Every code that an answer can carry.
pub(crate) fn catalogue() -> impl Iterator<Item = &'static Code> {
    [
        general::CODES,
        crate::access::CODES,
        crate::account::CODES,
        crate::audit_log::CODES,
        crate::block::CODES,
        crate::channel::CODES,
        crate::community::CODES,
        crate::draft::CODES,
        crate::invite::CODES,
        crate::live::CODES,
        crate::membership::CODES,
        crate::message::CODES,
        crate::poll::CODES,
        crate::reaction::CODES,
        crate::report::CODES,
        crate::saved_message::CODES,
        crate::scheduled_message::CODES,
        crate::receipt::CODES,
        crate::role::CODES,
        crate::session::CODES,
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_name_is_given_once() {
        let names: BTreeSet<_> = catalogue().map(|code| code.name).collect();
        assert_eq!(names.len(), catalogue().count());
    }

    #[test]
    fn every_code_is_an_error() {
        for code in catalogue() {
            assert!(code.status.is_client_error() || code.status.is_server_error(), "{}", code.name);
        }
    }
}
