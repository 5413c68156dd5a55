//! Other people's text, made safe to show on a terminal.

use std::fmt::Write;

/// `text` without the power to move the cursor, change colours, set titles, ring, hide or reorder anything: control
/// characters become visible (`^[`), and so do marks that reorder text or have no width of their own. Line breaks stay.
pub(super) fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => shown.push('\n'),
            '\t' => shown.push_str("    "),
            '\u{0}'..='\u{1f}' => {
                shown.push('^');
                shown.push(char::from(character as u8 + 0x40));
            }
            '\u{7f}' => shown.push_str("^?"),
            character if is_deceptive(character) => {
                // Writing to a string cannot fail.
                let _written = write!(shown, "<U+{:04X}>", u32::from(character));
            }
            character => shown.push(character),
        }
    }
    shown
}

/// [`harmless`], on one line: for names, which must not look like the lines of others.
pub(super) fn harmless_line(text: &str) -> String {
    harmless(text).replace('\n', " ")
}

/// C1 controls, and format characters that change how what is around them looks. Joiners stay: scripts and emoji need
/// them.
fn is_deceptive(character: char) -> bool {
    matches!(character,
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'
        | '\u{200e}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escape_sequences_lose_their_power() {
        assert_eq!(harmless("a\u{1b}[2Jb\u{7}\r\u{8}\u{7f}"), "a^[[2Jb^G^M^H^?");
        assert_eq!(harmless("\u{9b}31m\u{90}q"), "<U+009B>31m<U+0090>q");
    }

    #[test]
    fn text_cannot_be_reordered_or_hidden() {
        assert_eq!(harmless("a\u{202e}b\u{2066}c\u{200f}"), "a<U+202E>b<U+2066>c<U+200F>");
        assert_eq!(harmless("\u{200b}\u{e0041}"), "<U+200B><U+E0041>");
    }

    #[test]
    fn text_of_all_scripts_stays() {
        for text in ["שלום", "می‌خواهم", "👩‍👧", "naïve\nline", "日本語"] {
            assert_eq!(harmless(text), text);
        }
        assert_eq!(harmless_line("a\nb"), "a b");
    }

    proptest! {
        #[test]
        fn nothing_shown_controls_a_terminal(text in any::<String>()) {
            prop_assert!(harmless(&text).chars().all(|shown| shown == '\n' || !shown.is_control()));
        }
    }
}
