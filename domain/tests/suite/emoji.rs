use domain::emoji::{Emoji, NotAnEmoji, all};

fn parsed(text: &str) -> Result<String, NotAnEmoji> {
    Emoji::parse(text).map(Emoji::into_string)
}

#[test]
fn an_emoji_has_one_form_however_it_is_written() {
    assert_eq!(parsed("\u{2764}"), Ok("\u{2764}\u{fe0f}".to_owned()), "with its variation selector");
    assert_eq!(parsed("\u{2764}\u{fe0f}"), Ok("\u{2764}\u{fe0f}".to_owned()));
    let couple = "\u{1f469}\u{200d}\u{2764}\u{200d}\u{1f468}";
    assert_eq!(parsed(couple), Ok("\u{1f469}\u{200d}\u{2764}\u{fe0f}\u{200d}\u{1f468}".to_owned()));
    assert_eq!(parsed("👍🏽"), Ok("👍🏽".to_owned()), "a skin tone is an emoji of its own");
    assert_eq!(parsed("🇩🇪"), Ok("🇩🇪".to_owned()));
}

#[test]
fn a_shortcode_between_colons_is_its_emoji() {
    assert_eq!(parsed(":thumbsup:"), Ok("👍".to_owned()));
    assert_eq!(parsed(":+1:"), Ok("👍".to_owned()));
    assert_eq!(parsed(":tada:"), parsed("🎉"));
}

#[test]
fn anything_else_is_no_emoji() {
    let long = "🎉".repeat(1_000);
    for text in
        ["", "a", ":", "::", ":nothing_of_that_name:", "thumbsup", ":tada", " 🎉", "🎉🎉", &long, "\u{fe0f}"]
    {
        assert_eq!(parsed(text), Err(NotAnEmoji), "{text:?}");
    }
}

#[test]
fn every_emoji_of_the_list_is_one_and_so_are_its_names_and_skin_tones() {
    let mut shortcodes = 0;
    for listed in all() {
        let itself = Ok(listed.emoji.to_owned());
        assert_eq!(parsed(listed.emoji), itself);
        for shortcode in &listed.shortcodes {
            assert_eq!(parsed(&format!(":{shortcode}:")), itself, "{shortcode}");
            shortcodes += 1;
        }
        for tone in &listed.skin_tones {
            assert_eq!(parsed(tone), Ok((*tone).to_owned()));
            assert_ne!(*tone, listed.emoji);
        }
        assert!(!listed.name.is_empty() && !listed.group.is_empty());
    }
    assert!(shortcodes > 1_500, "{shortcodes}");
    let thumb = all().find(|listed| listed.emoji == "👍").unwrap();
    assert_eq!(thumb.skin_tones, ["👍🏻", "👍🏼", "👍🏽", "👍🏾", "👍🏿"]);
}
