use domain::Personal;
use domain::account::{
    About, Account, AccountCommand, AccountError, AccountEvent, AccountRegistered, DisplayName, Email,
    Handle, Identity, ProfileChange, ProfileChanged,
};
use domain::text::TextError;
use proptest::prelude::*;

use crate::given::given;
use crate::people::MEMBER;

fn identity() -> Identity {
    Identity {
        handle: Handle::parse("Ada.L").unwrap(),
        display_name: DisplayName::parse("Ada").unwrap(),
        email: Email::parse("ada@example.org").unwrap(),
    }
}

fn registered() -> AccountEvent {
    AccountRegistered { account_id: MEMBER, identity: Personal::Clear(identity()) }.into()
}

fn change() -> ProfileChange {
    ProfileChange { display_name: None, about: Some(About::parse("Engines").unwrap()) }
}

#[test]
fn registering_makes_the_account() {
    let command = AccountCommand::Register { id: MEMBER, identity: identity() };
    let state = given::<Account>([]).when(command).then([registered()]);
    assert_eq!(state, Account::Registered { id: MEMBER });
}

#[test]
fn registering_again_changes_nothing() {
    let command = AccountCommand::Register { id: MEMBER, identity: identity() };
    given::<Account>([registered()]).when(command).then_nothing();
}

#[test]
fn a_profile_change_says_only_what_changed() {
    let changed = ProfileChanged { account_id: MEMBER, change: Personal::Clear(change()) };
    let command = AccountCommand::ChangeProfile { change: change() };
    given::<Account>([registered()]).when(command.clone()).then([changed.clone().into()]);
    // Nobody can see here what the profile says already, so saying it again happens again.
    given::<Account>([registered(), changed.clone().into()]).when(command).then([changed.into()]);
}

#[test]
fn a_profile_change_without_a_field_changes_nothing() {
    let command = AccountCommand::ChangeProfile { change: ProfileChange::default() };
    given::<Account>([registered()]).when(command).then_nothing();
}

#[test]
fn changing_the_profile_of_an_account_that_never_was_is_refused() {
    let command = AccountCommand::ChangeProfile { change: change() };
    given::<Account>([]).when(command).then_refused(AccountError::Unknown);
}

#[test]
fn a_handle_has_two_to_thirty_two_letters_digits_and_single_separators() {
    for good in ["ab", "A1", "a.b_c-d", "x9", "0-0", &"a".repeat(32)] {
        assert_eq!(Handle::parse(good).unwrap().as_str(), good);
    }
    assert_eq!(Handle::parse(""), Err(TextError::TooShort { min: 2, actual: 0 }));
    assert_eq!(Handle::parse("a"), Err(TextError::TooShort { min: 2, actual: 1 }));
    assert_eq!(Handle::parse(&"a".repeat(33)), Err(TextError::TooLong { max: 32, actual: 33 }));
    for bad in [
        ".ab",
        "ab.",
        "a..b",
        "a.-b",
        "-ab",
        "ab_",
        "a b",
        " ab",
        "ab ",
        "a@b",
        "a/b",
        "жук",
        "aé",
        "a\u{0}b",
        "a\nb",
        "ab\u{200d}",
        "..",
        "ａｂ",
    ] {
        assert_eq!(Handle::parse(bad), Err(TextError::NotAHandle), "{bad:?}");
    }
}

#[test]
fn handles_that_differ_in_case_alone_are_the_same() {
    let folded = |text| Handle::parse(text).unwrap().folded();
    assert_eq!(folded("Ada.L"), folded("aDA.l"));
    assert_ne!(folded("ada.l"), folded("ada-l"));
    assert_ne!(folded("ada.l"), folded("adal"));
    assert_eq!(Handle::parse("Ada.L").unwrap().as_str(), "Ada.L", "as its holder writes it");
}

#[test]
fn an_address_is_something_at_a_domain_with_a_dot() {
    let label = "d".repeat(63);
    let good =
        ["a@b.c", "a.b+c@sub.example.org", "josé@müller.example", "\"quoted\"@x.y", &format!("a@{label}.c")];
    for good in good {
        assert_eq!(Email::parse(good).unwrap().as_str(), good);
    }
    assert_eq!(Email::parse("  ada@example.org\n").unwrap().as_str(), "ada@example.org");
    let bad = [
        "",
        "@",
        "a",
        "a@",
        "@b.c",
        "a@b",
        "a@.b",
        "a@b.",
        "a@b..c",
        "a b@c.d",
        "a@b c.d",
        "a@@b.c",
        "a@b@c.d",
        "a\u{0}@b.c",
        "a@b\u{7}.c",
        "a\u{2003}b@c.d",
        &format!("a@{label}d.c"),
    ];
    for bad in bad {
        assert_eq!(Email::parse(bad), Err(TextError::NotAnEmail), "{bad:?}");
    }
}

#[test]
fn an_address_has_at_most_254_bytes() {
    let address = |local: usize| format!("{}@example.org", "a".repeat(local));
    assert_eq!(Email::parse(&address(242)).unwrap().as_str().len(), 254);
    assert_eq!(Email::parse(&address(243)), Err(TextError::TooLong { max: 254, actual: 255 }));
}

#[test]
fn addresses_that_differ_in_case_or_compatible_form_alone_are_the_same() {
    let folded = |text| Email::parse(text).unwrap().folded();
    assert_eq!(folded("Ada@Example.ORG"), folded("ada@example.org"));
    assert_eq!(folded("jose\u{301}@x.y"), folded("josé@x.y"), "composed and decomposed");
    assert_eq!(folded("ａｄａ@x.y"), folded("ada@x.y"), "full width");
    assert_eq!(folded("J\u{30c}@x.y"), folded("\u{1f0}@x.y"), "composes in lower case only");
    assert_ne!(folded("ada@x.y"), folded("ad.a@x.y"), "providers' own rules aren't ours");
}

#[test]
fn folding_a_folded_address_changes_nothing() {
    // All but Han and Hangul, which have no case.
    let cased = ('\0'..='\u{33ff}').chain('\u{a000}'..='\u{abff}').chain('\u{f900}'..='\u{1ffff}');
    for c in cased {
        for text in [format!("{c}@x.y"), format!("a{c}@x.y"), format!("{c}\u{30c}@x.y")] {
            let Ok(address) = Email::parse(&text) else { continue };
            let once = address.folded();
            // Some characters unfold into a space and a mark: no address any more.
            let Some(again) = Email::parse(&once).ok().filter(|again| again.as_str() == once) else {
                continue;
            };
            assert_eq!(again.folded(), once, "{text:?}");
        }
    }
}

proptest! {
    #[test]
    fn whatever_is_a_handle_folds_to_a_handle(text in "[a-zA-Z0-9._-]{0,34}") {
        if let Ok(handle) = Handle::parse(&text) {
            let folded = Handle::parse(&handle.folded()).unwrap();
            prop_assert_eq!(folded.folded(), folded.as_str());
        }
    }

    #[test]
    fn parsing_names_never_panics(text in any::<String>()) {
        let _ = (Handle::parse(&text), Email::parse(&text).map(|address| address.folded()));
    }
}
