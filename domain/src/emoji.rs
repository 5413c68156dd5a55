//! Emoji: those of Unicode, each in one form.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A Unicode emoji in its fully qualified form (UTS #51): ❤️ is one emoji, with or without its variation selector.
///
/// What is stored was checked on its way in; decoding does not check again, so that another table of emoji never makes
/// the log unreadable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Emoji(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one emoji, or its shortcode such as :tada:")]
pub struct NotAnEmoji;

/// An emoji that can be chosen: in its default skin tone, with the others it comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub emoji: &'static str,
    /// In English, from the Unicode Common Locale Data Repository.
    pub name: &'static str,
    pub group: &'static str,
    /// Without their colons.
    pub shortcodes: Vec<&'static str>,
    /// From light to dark, without the default; empty where it comes in one only.
    pub skin_tones: Vec<&'static str>,
}

impl Emoji {
    /// Reads an emoji, qualified or not, or a shortcode between colons.
    ///
    /// # Errors
    /// The text is none of these.
    pub fn parse(text: &str) -> Result<Self, NotAnEmoji> {
        let known = match text.strip_prefix(':').and_then(|text| text.strip_suffix(':')) {
            Some(shortcode) => emojis::get_by_shortcode(shortcode),
            None => emojis::get(text),
        };
        known.map(|emoji| Self(emoji.as_str().to_owned())).ok_or(NotAnEmoji)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for Emoji {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Every emoji there is, in the order of Unicode.
pub fn all() -> impl Iterator<Item = Listed> {
    emojis::iter().map(|emoji| Listed {
        emoji: emoji.as_str(),
        name: emoji.name(),
        group: group(emoji.group()),
        shortcodes: emoji.shortcodes().collect(),
        skin_tones: emoji.skin_tones().into_iter().flatten().skip(1).map(emojis::Emoji::as_str).collect(),
    })
}

fn group(group: emojis::Group) -> &'static str {
    match group {
        emojis::Group::SmileysAndEmotion => "smileys_and_emotion",
        emojis::Group::PeopleAndBody => "people_and_body",
        emojis::Group::AnimalsAndNature => "animals_and_nature",
        emojis::Group::FoodAndDrink => "food_and_drink",
        emojis::Group::TravelAndPlaces => "travel_and_places",
        emojis::Group::Activities => "activities",
        emojis::Group::Objects => "objects",
        emojis::Group::Symbols => "symbols",
        emojis::Group::Flags => "flags",
    }
}
