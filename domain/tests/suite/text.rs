//! The limits of every text at their edges.

use domain::account::{About, DisplayName};
use domain::channel::{ChannelName, ChannelTopic};
use domain::community::CommunityName;
use domain::message::Content;
use domain::text::TextError;
use proptest::prelude::*;

/// Text on one line that people call something by.
struct Line {
    name: &'static str,
    min: usize,
    max: usize,
    parse: fn(&str) -> Result<String, TextError>,
}

macro_rules! texts {
    ($($text:ident: $min:literal..=$max:literal),+ $(,)?) => {
        [$(Line {
            name: stringify!($text),
            min: $min,
            max: $max,
            parse: |text| {
                assert_eq!(($text::MIN, $text::MAX), ($min, $max));
                $text::parse(text).map($text::into_string)
            },
        }),+]
    };
}

fn lines() -> [Line; 4] {
    texts!(DisplayName: 1..=64, CommunityName: 1..=100, ChannelName: 1..=100, ChannelTopic: 0..=1_024)
}

fn blocks() -> [Line; 2] {
    texts!(About: 0..=500, Content: 1..=4_000)
}

/// Many scripts, emoji joined into one, flags, marks on letters, right to left: all kept byte for byte.
const WRITTEN: [&str; 16] = [
    "Ada Lovelace",
    "Ада Лавлейс",
    "Άντα",
    "עדה לאבלייס",
    "آدا لوفليس",
    "एडा लवलेस",
    "エイダ・ラブレス",
    "艾达",
    "에이다",
    "เอดา",
    "👩‍👩‍👧‍👦",
    "🏳️‍🌈 🇺🇦 👍🏽",
    "e\u{301} vs é",
    "Z\u{351}\u{36b}a\u{34a}lgo",
    "ﬁ ﷽ \u{1d11e}",
    "'; DROP TABLE--<b>&amp;\\u0041",
];

#[test]
fn the_longest_text_fits_and_one_more_character_does_not() {
    for Line { name, min, max, parse } in lines().into_iter().chain(blocks()) {
        for letter in ["a", "é", "語", "👍"] {
            let longest = letter.repeat(max);
            assert_eq!(parse(&longest), Ok(longest.clone()), "{name}");
            let longer = letter.repeat(max + 1);
            assert_eq!(parse(&longer), Err(TextError::TooLong { max, actual: max + 1 }), "{name}");
        }
        let shortest = "x".repeat(min);
        assert_eq!(parse(&shortest), Ok(shortest.clone()), "{name}");
        if min == 1 {
            assert_eq!(parse(""), Err(TextError::Empty), "{name}");
        }
    }
}

#[test]
fn every_script_is_kept_byte_for_byte() {
    for Line { name, parse, .. } in lines().into_iter().chain(blocks()) {
        for written in WRITTEN {
            assert_eq!(parse(written).as_deref(), Ok(written), "{name}");
        }
    }
}

#[test]
fn a_mark_and_a_joiner_count_as_characters() {
    let family = "👩‍👩‍👧‍👦";
    assert_eq!(family.chars().count(), 7);
    let name = |text: &str| DisplayName::parse(text).is_ok();
    assert!(name(&family.repeat(9)) && !name(&family.repeat(10)));
    assert!(name(&"e\u{301}".repeat(32)) && !name(&format!("{}!", "e\u{301}".repeat(32))));
}

#[test]
fn a_line_loses_the_space_around_it_and_nothing_else() {
    for Line { name, parse, max, .. } in lines() {
        assert_eq!(parse(" \t\u{3000}two  words\r\n").as_deref(), Ok("two  words"), "{name}");
        let padded = format!("  {}  ", "a".repeat(max));
        assert_eq!(parse(&padded), Ok("a".repeat(max)), "{name}: trimmed before it is measured");
    }
}

#[test]
fn a_blank_text_is_empty() {
    for blank in [" ", "\t", "\n\n", "\u{a0}\u{3000}", "\u{2028}"] {
        for Line { name, parse, min, .. } in lines() {
            let expected = if min == 0 { Ok(String::new()) } else { Err(TextError::Empty) };
            assert_eq!(parse(blank), expected, "{name} {blank:?}");
        }
        assert_eq!(Content::parse(blank), Err(TextError::Empty), "{blank:?}");
        assert_eq!(About::parse(blank).unwrap().as_str(), blank);
    }
}

#[test]
fn a_line_has_no_control_character_and_no_line_break() {
    let forbidden = ('\0'..='\u{9f}').filter(|c| c.is_control()).chain(['\u{2028}', '\u{2029}']);
    for c in forbidden {
        for Line { name, parse, .. } in lines() {
            assert_eq!(parse(&format!("a{c}b")), Err(TextError::Forbidden(c)), "{name}");
        }
    }
}

#[test]
fn a_block_has_no_control_character_but_white_space() {
    for c in ('\0'..='\u{9f}').filter(|c| c.is_control()) {
        for Line { name, parse, .. } in blocks() {
            let text = format!("a{c}b");
            let kept = matches!(c, '\n' | '\r' | '\t');
            let expected = if kept { Ok(text.clone()) } else { Err(TextError::Forbidden(c)) };
            assert_eq!(parse(&text), expected, "{name}");
        }
    }
}

#[test]
fn a_block_keeps_the_space_around_it() {
    let written = "  \n\tfn main() {}\r\n\u{2028}  ";
    assert_eq!(Content::parse(written).unwrap().as_str(), written);
    assert_eq!(About::parse(written).unwrap().as_str(), written);
    let spaces = format!("{}x", " ".repeat(Content::MAX));
    let too_long = TextError::TooLong { max: 4_000, actual: 4_001 };
    assert_eq!(Content::parse(&spaces), Err(too_long), "space is measured");
}

#[test]
fn what_was_stored_under_older_limits_stays_readable() {
    let long = "x".repeat(5_000);
    let stored = serde_json::to_vec(&long).unwrap();
    assert_eq!(serde_json::from_slice::<Content>(&stored).unwrap().as_str(), long);
}

#[test]
fn a_refusal_names_the_character_and_the_numbers() {
    let said = |error: TextError| error.to_string();
    assert_eq!(said(TextError::Forbidden('\0')), "must not contain the character U+0000");
    let too_long = TextError::TooLong { max: 64, actual: 65 };
    assert_eq!(said(too_long), "must have at most 64 characters, has 65");
}

proptest! {
    #[test]
    fn what_passed_once_passes_unchanged(text in any::<String>()) {
        for Line { parse, .. } in lines().into_iter().chain(blocks()) {
            if let Ok(kept) = parse(&text) {
                prop_assert_eq!(parse(&kept), Ok(kept.clone()));
                prop_assert!(!kept.contains('\0'));
            }
        }
    }

    #[test]
    fn a_block_is_kept_whole_or_refused(text in any::<String>()) {
        if let Ok(content) = Content::parse(&text) {
            prop_assert_eq!(content.as_str(), text);
        }
    }
}
