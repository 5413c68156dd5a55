//! Text with limits.
//!
//! Lengths count Unicode scalar values, which is what a person typing and a script counting agree on most often. What
//! is stored was checked on its way in; decoding does not check again, so that a later, stricter limit never makes the
//! log unreadable.

/// Why a text was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    #[error("must not be empty")]
    Empty,
    #[error("must have at least {min} characters, has {actual}")]
    TooShort { min: usize, actual: usize },
    #[error("must have at most {max} characters, has {actual}")]
    TooLong { max: usize, actual: usize },
    #[error("must not contain the character U+{:04X}", u32::from(*.0))]
    Forbidden(char),
    #[error("may contain only letters a to z, digits, and single . _ - between them")]
    NotAHandle,
    #[error("is not an e-mail address")]
    NotAnEmail,
}

/// A name on one line: no control characters, no line or paragraph separators, no leading or trailing space.
pub(crate) fn line(text: &str, min: usize, max: usize) -> Result<&str, TextError> {
    let text = text.trim();
    if let Some(bad) = text.chars().find(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
        return Err(TextError::Forbidden(bad));
    }
    length(text, min, max)
}

/// Text kept byte for byte: anything but NUL, which no database text can hold, and other control characters that
/// aren't white space.
pub(crate) fn block(text: &str, min: usize, max: usize) -> Result<&str, TextError> {
    let forbidden = |c: &char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if let Some(bad) = text.chars().find(forbidden) {
        return Err(TextError::Forbidden(bad));
    }
    if min > 0 && text.trim().is_empty() {
        return Err(TextError::Empty);
    }
    length(text, min, max)
}

fn length(text: &str, min: usize, max: usize) -> Result<&str, TextError> {
    let actual = text.chars().count();
    match actual {
        0 if min > 0 => Err(TextError::Empty),
        _ if actual < min => Err(TextError::TooShort { min, actual }),
        _ if actual > max => Err(TextError::TooLong { max, actual }),
        _ => Ok(text),
    }
}

/// A newtype over checked text: `bounded!(ChannelName, line, 1..=100);`
macro_rules! bounded {
    ($(#[$doc:meta])* $name:ident, $check:ident, $min:literal..=$max:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Fewest and most characters.
            pub const MIN: usize = $min;
            pub const MAX: usize = $max;

            /// Checks a text from outside.
            ///
            /// # Errors
            /// The text is too short, too long or has a forbidden character.
            pub fn parse(text: &str) -> Result<Self, $crate::text::TextError> {
                $crate::text::$check(text, Self::MIN, Self::MAX).map(|text| Self(text.to_owned()))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }

            pub fn into_string(self) -> String {
                self.0
            }
        }
    };
}
pub(crate) use bounded;
