//! Numbered contents: what a load test posts, and how it knows them again among the bytes of a stream.

use std::sync::LazyLock;

use memchr::memmem::Finder;

/// How the JSON of a frame shows a numbered content. Serialisers put no space behind the colon.
const MARK: &[u8] = br#""content":"seq-"#;
/// Digits of every number, so that all contents have one length.
pub(crate) const DIGITS: usize = 12;
/// Stands for the number in a content that is yet to be numbered.
pub(crate) const PLACEHOLDER: &str = "NNNNNNNNNNNN";
/// What follows the number: words, as people write, up to the length asked for.
const FILLER: &str = "the quick brown fox jumps over the lazy dog and nobody in the channel minds at all ";

/// A content of `length` characters (never fewer than its number needs) that carries `number`, of [`DIGITS`] digits
/// or the placeholder for them.
pub(crate) fn content(number: &str, length: usize) -> String {
    let mut content = format!("seq-{number} ");
    content.extend(FILLER.chars().cycle().take(length.saturating_sub(content.len())));
    content
}

/// Fills `place` with the last decimal digits of `number`.
pub(crate) fn write_digits(place: &mut [u8], mut number: u64) {
    for byte in place.iter_mut().rev() {
        *byte = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(MARK));

/// The number of the first numbered content in `json`.
pub(crate) fn sequence(json: &[u8]) -> Option<u64> {
    number(&json[FINDER.find(json)? + MARK.len()..])
}

/// The numbers of all numbered contents in `json`.
pub(crate) fn sequences(json: &[u8]) -> impl Iterator<Item = u64> {
    FINDER.find_iter(json).filter_map(|at| number(&json[at + MARK.len()..]))
}

fn number(text: &[u8]) -> Option<u64> {
    text.get(..DIGITS)?
        .iter()
        .try_fold(0_u64, |number, &byte| byte.is_ascii_digit().then(|| number * 10 + u64::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(sequence: u64, length: usize) -> String {
        let mut digits = PLACEHOLDER.as_bytes().to_vec();
        write_digits(&mut digits, sequence);
        content(str::from_utf8(&digits).unwrap(), length)
    }

    fn frame(content: &str) -> Vec<u8> {
        format!(
            r#"{{"data":{{"author_id":"x","content":"{content}","pinned":false}},"type":"message.posted"}}"#
        )
        .into_bytes()
    }

    #[test]
    fn a_number_is_found_again_at_every_offset() {
        for sequence_ in [0, 1, 987_654_321, 999_999_999_999] {
            let frame = frame(&numbered(sequence_, 120));
            for padding in 0..2 * MARK.len() {
                let padded = [vec![b'"'; padding], frame.clone()].concat();
                assert_eq!(sequence(&padded), Some(sequence_), "after {padding} bytes");
            }
        }
    }

    #[test]
    fn all_numbers_are_found_in_their_order() {
        let frames: Vec<u8> = [7, 3, 5].into_iter().flat_map(|n| frame(&numbered(n, 40))).collect();
        assert_eq!(sequences(&frames).collect::<Vec<_>>(), [7, 3, 5]);
    }

    #[test]
    fn contents_have_the_length_asked_for() {
        assert_eq!(numbered(7, 120).len(), 120);
        assert_eq!(numbered(7, 0), "seq-000000000007 ");
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
