//! The head of an answer whose body we write ourselves (RFC 9112).

use axum::http::response::Parts;
use axum::http::{HeaderName, Version, header};
use bytes::Bytes;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

use crate::live::Framing;

/// What says how the body is framed is for the connection to say.
const OURS: [HeaderName; 4] =
    [header::CONNECTION, header::CONTENT_LENGTH, header::DATE, header::TRANSFER_ENCODING];

/// How a body of unknown length goes to a client that asked in `version`.
pub(super) fn framing(version: Version) -> Framing {
    if version == Version::HTTP_11 { Framing::Chunked } else { Framing::UntilClose }
}

/// The head of an answer that ends with its connection. The version is ours, whatever the client's.
pub(super) fn write(parts: &Parts, framing: Framing, now: Timestamp) -> Bytes {
    let status = parts.status;
    let mut head =
        format!("HTTP/1.1 {} {}\r\n", status.as_str(), status.canonical_reason().unwrap_or_default())
            .into_bytes();
    for (name, value) in parts.headers.iter().filter(|(name, _)| !OURS.contains(name)) {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    if framing == Framing::Chunked {
        head.extend_from_slice(b"transfer-encoding: chunked\r\n");
    }
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&now).unwrap_or_default();
    head.extend_from_slice(format!("connection: close\r\ndate: {date}\r\n\r\n").as_bytes());
    head.into()
}

#[cfg(test)]
mod tests {
    use axum::http::{Response, StatusCode};

    use super::*;

    fn written(version: Version) -> String {
        let response = Response::builder()
            .status(StatusCode::OK)
            .header("content-type", "text/event-stream")
            .header("content-length", "7")
            .header("x-request-id", "1")
            .body(())
            .expect("these are valid headers");
        let head = write(&response.into_parts().0, framing(version), Timestamp::UNIX_EPOCH);
        String::from_utf8(head.to_vec()).expect("heads are plain text")
    }

    #[test]
    fn the_answer_to_http_1_1_is_chunked() {
        assert_eq!(
            written(Version::HTTP_11),
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-request-id: 1\r\n\
             transfer-encoding: chunked\r\nconnection: close\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n"
        );
    }

    #[test]
    fn the_answer_to_http_1_0_ends_with_the_connection() {
        assert!(!written(Version::HTTP_10).contains("transfer-encoding"));
        assert!(written(Version::HTTP_10).contains("connection: close\r\n"));
    }
}
