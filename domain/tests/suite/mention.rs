use std::collections::BTreeMap;

use domain::mention::{Addressee, MAX_ACCOUNTS, MAX_ROLES, Mentions, Named, Wanted};
use domain::{AccountId, Permissions, Role};
use proptest::prelude::*;
use uuid::Uuid;

use crate::people::*;

fn handles(source: &str) -> Vec<String> {
    let accounts = Named::in_text(source).accounts.into_iter();
    let handle = |account| match account {
        Addressee::Handle(handle) => Some(handle),
        Addressee::Id(_) => None,
    };
    accounts.filter_map(handle).collect()
}

#[test]
fn a_handle_is_mentioned_wherever_it_stands_alone() {
    for source in [
        "@ada",
        "Hello @ada!",
        "(@ada)",
        "cc:@ada,",
        "**@ada**",
        "@ada.",
        "@ada...",
        "@ada's",
        "one\n@ada\ntwo",
        "> @ada",
        "- @ada",
        "@ADA",
        "ünd @ada",
        "`code` @ada",
        "a ` b @ada",
        "``` x ``` @ada",
        "\\\\@ada",
        "\\a @ada",
    ] {
        assert_eq!(handles(source), ["ada"], "{source:?}");
    }
    assert_eq!(handles("@a.b-c_d e @xy"), ["a.b-c_d", "xy"]);
    assert_eq!(handles("@ada @Ada @bob @ada"), ["ada", "bob"], "each once, in order");
}

#[test]
fn what_is_no_mention_stays_text() {
    for source in [
        "ada@example.org",
        "ada.@example.org",
        "mail <ada@example.org>",
        "https://example.org/@ada",
        "https://example.org/?who=@ada",
        "@ada@example.org",
        "\\@ada",
        "`@ada`",
        "`` ` @ada ``",
        "`one\n@ada`",
        "```\n@ada\n```",
        "```rust\n@ada",
        "~~~\n@ada\n```\n@ada\n~~~",
        "   ```\n@ada\n   ```",
        "```\r\n@ada\r\n```",
        "@",
        "@a",
        "@@ada",
        "@adaß",
        "@a..da",
        "@-ada",
        "@thishandleiswaytoolongtobeanyones",
    ] {
        assert!(Named::in_text(source).is_empty(), "{source:?}: {:?}", Named::in_text(source));
    }
}

#[test]
fn a_code_span_ends_with_its_paragraph() {
    assert_eq!(handles("`one\n\n@ada`"), ["ada"]);
    assert_eq!(handles("`one\n```\n@bob\n```\n@ada`"), ["ada"]);
}

#[test]
fn accounts_and_roles_are_mentioned_by_id() {
    let named = Named::in_text(&format!("<@{MEMBER}>x<@&moderator><@&{}> <@{MEMBER}>", HERE.0));
    assert_eq!(named.accounts, [Addressee::Id(MEMBER)]);
    assert_eq!(named.roles, [Role::Moderator, Role::Custom(HERE.0)]);
    for source in [
        format!("\\<@{MEMBER}>"),
        format!("`<@{MEMBER}>`"),
        format!("<@{MEMBER}"),
        format!("< @{MEMBER}>"),
        "<@&admin> <@&> <@>".to_owned(),
    ] {
        assert!(Named::in_text(&source).is_empty(), "{source}");
    }
}

#[test]
fn everyone_and_here_are_words_of_their_own() {
    let named = Named::in_text("@everyone and @here!");
    assert!(named.everyone && named.here && named.accounts.is_empty());
    let named = Named::in_text("@everyone1 @heres");
    assert!(!named.everyone && !named.here && named.accounts.len() == 2);
}

#[test]
fn fifty_accounts_and_ten_roles_count_and_no_more() {
    let accounts = |count: usize| (0..count).map(|n| format!("@user{n} ")).collect::<String>();
    assert_eq!(handles(&accounts(MAX_ACCOUNTS)).len(), MAX_ACCOUNTS);
    let more = handles(&(accounts(MAX_ACCOUNTS + 1) + "@user3"));
    assert_eq!((more.len(), more.last().unwrap().as_str()), (MAX_ACCOUNTS, "user49"));
    let roles = |count: u128| (0..count).map(|n| format!("<@&{}>", Uuid::from_u128(n))).collect::<String>();
    for count in [MAX_ROLES, MAX_ROLES + 1] {
        assert_eq!(Named::in_text(&roles(count as u128)).roles.len(), MAX_ROLES);
    }
}

fn wanted() -> Wanted {
    let roles = BTreeMap::from([(Role::Member, false), (Role::Custom(HERE.0), true)]);
    Wanted { accounts: [OTHER].into(), roles, everyone: true, here: true }
}

#[test]
fn who_may_mention_everyone_mentions_all_that_they_name() {
    let roles = [Role::Member, Role::Custom(HERE.0)].into();
    let all = Mentions { accounts: [OTHER].into(), roles, everyone: true, here: true };
    assert_eq!(wanted().granted(&moderator()), all);
}

#[test]
fn others_mention_accounts_and_roles_that_are_open_to_it() {
    let open =
        Mentions { accounts: [OTHER].into(), roles: [Role::Custom(HERE.0)].into(), ..Mentions::default() };
    assert_eq!(wanted().granted(&member()), open);
    assert_eq!(wanted().granted(&without(moderator(), Permissions::MENTION_EVERYONE)), open);
}

/// A piece of a text and the handle that it mentions.
fn piece() -> impl Strategy<Value = (String, Option<String>)> {
    let handle = || "[a-z]{2,6}".prop_filter("words of their own", |name| name != "here");
    prop_oneof![
        handle().prop_map(|name| (format!("@{name}"), Some(name))),
        handle().prop_map(|name| (format!("(@{name}), or so."), Some(name))),
        handle().prop_map(|name| (format!("\\@{name}"), None)),
        handle().prop_map(|name| (format!("`code @{name}`"), None)),
        handle().prop_map(|name| (format!("``a ` @{name}``"), None)),
        handle().prop_map(|name| (format!("\n```\n@{name}\n```\n"), None)),
        handle().prop_map(|name| (format!("\n~~~~ text\n@{name}\n~~~\n@{name}\n~~~~\n"), None)),
        handle().prop_map(|name| (format!("x@{name}.org"), None)),
        handle().prop_map(|name| (format!("http://x.org/@{name}"), None)),
        "[a-zäöü ,.!*_]{0,10}".prop_map(|words| (format!("{words} "), None)),
    ]
}

proptest! {
    #[test]
    fn what_is_found_is_what_was_put_there(pieces in proptest::collection::vec(piece(), 0..30), lines in any::<bool>()) {
        let texts: Vec<&str> = pieces.iter().map(|(text, _)| text.as_str()).collect();
        let source = texts.join(if lines { "\n" } else { " " });
        let mut expected: Vec<&String> = vec![];
        for (_, handle) in &pieces {
            expected.extend(handle.iter().filter(|handle| !expected.contains(handle)).collect::<Vec<_>>());
        }
        let found = handles(&source);
        prop_assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{}", source);
    }

    #[test]
    fn whatever_the_text_nothing_is_found_that_it_does_not_say(source in "[@<>&`~\\\\. a-c\n\r0-9é-]{0,60}|\\PC{0,60}") {
        let Named { accounts, roles, everyone, here } = Named::in_text(&source);
        let folded = source.to_ascii_lowercase();
        for account in accounts {
            let said = match account {
                Addressee::Id(id) => source.contains(&format!("<@{id}>")),
                Addressee::Handle(handle) => folded.contains(&format!("@{handle}")),
            };
            prop_assert!(said);
        }
        let said = roles.iter().all(|role| source.contains(&format!("<@&{role}>")));
        prop_assert!(said);
        prop_assert!(!everyone || source.contains("@everyone"));
        prop_assert!(!here || source.contains("@here"));
    }

    #[test]
    fn an_id_is_found_in_any_surroundings_without_code_or_escape(
        id in any::<u128>(), before in "[^`~\\\\<]{0,20}", behind in "[^`~\\\\]{0,20}",
    ) {
        let id = AccountId(Uuid::from_u128(id));
        let named = Named::in_text(&format!("{before}<@{id}>{behind}"));
        prop_assert!(named.accounts.contains(&Addressee::Id(id)));
    }
}
