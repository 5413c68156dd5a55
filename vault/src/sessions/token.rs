//! Session tokens: 256 random bits that the bearer shows. The vault stores only their SHA-256.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Lets secret scanners and people recognise a leaked token.
const PREFIX: &str = "ev_";

/// A session token. `Debug` hides it.
#[derive(Clone)]
pub struct SessionToken(Zeroizing<String>);

impl SessionToken {
    pub(crate) fn from_bytes(bytes: [u8; 32]) -> SessionToken {
        let encoded = Zeroizing::new(URL_SAFE_NO_PAD.encode(*Zeroizing::new(bytes)));
        SessionToken(Zeroizing::new(format!("{PREFIX}{}", *encoded)))
    }

    /// `None` unless `text` has the form of a token: `ev_`, then 43 characters of base64url without padding.
    pub fn parse(text: &str) -> Option<SessionToken> {
        let encoded = text.strip_prefix(PREFIX).filter(|encoded| encoded.len() == 43)?;
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(encoded).ok()?);
        (bytes.len() == 32).then(|| SessionToken(Zeroizing::new(text.to_owned())))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Of the text, which has one form only: the decoder refuses stray bits in the last character.
    pub(crate) fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl std::fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_parsed_from_its_own_text_only() {
        let token = SessionToken::from_bytes([0xfb; 32]);
        let text = token.as_str();
        assert_eq!(text, format!("ev_{}s", "-_v7".repeat(10) + "-_"));
        assert_eq!(SessionToken::parse(text).unwrap().digest(), token.digest());
        for wrong in [
            "",
            "ev_",
            &text[3..],
            &text[..45],
            &format!("{text}="),
            &format!(" {text}"),
            &text.replace("ev_", "EV_"),
            &text.replace('-', "+"),
            // The same 32 bytes with a stray bit in the last character.
            &format!("{}t", &text[..45]),
            &format!("ev_{}", "é".repeat(22)),
        ] {
            assert!(SessionToken::parse(wrong).is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn debug_shows_nothing_of_the_token() {
        assert_eq!(format!("{:?}", SessionToken::from_bytes([1; 32])), "SessionToken(…)");
    }
}
