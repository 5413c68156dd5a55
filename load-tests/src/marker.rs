//! Numbered contents: what a load test posts, and how it knows them again among the bytes of a stream.

/// How the JSON of a frame shows a numbered content. Serialisers put no space behind the colon.
const MARK: &[u8] = br#""content":"seq-"#;
/// Digits of every number, so that all contents have one length.
const DIGITS: usize = 12;
/// What follows the number: words, as people write, up to the length asked for.
const FILLER: &str = "the quick brown fox jumps over the lazy dog and nobody in the channel minds at all ";

/// A content of `length` characters (never fewer than its number needs) that carries `sequence`.
pub(crate) fn content(sequence: u64, length: usize) -> String {
    let mut content = format!("seq-{sequence:0DIGITS$} ");
    content.extend(FILLER.chars().cycle().take(length.saturating_sub(content.len())));
    content
}

/// The number of the first numbered content in `json`.
///
/// Horspool's search: it looks at about one byte in [`MARK`]'s length, because most bytes of a frame are not in the
/// mark at all.
pub(crate) fn sequence(json: &[u8]) -> Option<u64> {
    const LAST: usize = MARK.len() - 1;
    let mut at = 0;
    while let Some(&byte) = json.get(at + LAST) {
        if byte == MARK[LAST] && json[at..].starts_with(MARK) {
            return number(&json[at + MARK.len()..]);
        }
        at += usize::from(SKIP[usize::from(byte)]);
    }
    None
}

/// How far the window moves when its last byte is this one.
const SKIP: [u8; 256] = {
    assert!(MARK.len() < 256);
    let mut skip = [MARK.len() as u8; 256];
    let mut i = 0;
    while i < MARK.len() - 1 {
        skip[MARK[i] as usize] = (MARK.len() - 1 - i) as u8;
        i += 1;
    }
    skip
};

fn number(text: &[u8]) -> Option<u64> {
    text.get(..DIGITS)?
        .iter()
        .try_fold(0_u64, |number, &byte| byte.is_ascii_digit().then(|| number * 10 + u64::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(content: &str) -> Vec<u8> {
        format!(
            r#"{{"data":{{"author_id":"x","content":"{content}","pinned":false}},"type":"message.posted"}}"#
        )
        .into_bytes()
    }

    #[test]
    fn a_number_is_found_again_at_every_offset() {
        for sequence_ in [0, 1, 987_654_321, 999_999_999_999] {
            let frame = frame(&content(sequence_, 120));
            for padding in 0..2 * MARK.len() {
                let padded = [vec![b'"'; padding], frame.clone()].concat();
                assert_eq!(sequence(&padded), Some(sequence_), "after {padding} bytes");
            }
        }
    }

    #[test]
    fn contents_have_the_length_asked_for() {
        assert_eq!(content(7, 120).len(), 120);
        assert_eq!(content(7, 0), "seq-000000000007 ");
    }

    #[test]
    fn other_contents_have_no_number() {
        assert_eq!(sequence(b""), None);
        assert_eq!(sequence(&frame("seq-12 of twelve digits")), None);
        assert_eq!(sequence(&frame("hello")), None);
        assert_eq!(sequence(br#"{"content":"seq-00000000001"#), None, "cut short");
    }

    #[test]
    fn a_content_that_quotes_a_frame_has_no_number() {
        assert_eq!(sequence(&frame(r#"\"content\":\"seq-000000000001 "#)), None);
    }
}
