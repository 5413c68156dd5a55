//! Personal text is in the log under seal only.

use commands::{NewBan, Register};
use domain::account::{About, DisplayName, Email, Handle, ProfileChange};
use domain::channel::ChannelKind;
use domain::membership::{Nickname, Reason};
use domain::streams;
use event_store::Record;
use vault::Opened;

use crate::scene::{Scene, a_channel, name};
use crate::world::{PASSWORD, anyone, by, content, keyed, refused};

/// Every part of a record that can be read without a key.
fn readable(record: &Record) -> Vec<(&'static str, &[u8])> {
    let mut parts = vec![
        ("data", &record.data[..]),
        ("meta", &record.meta),
        ("stream", record.stream.as_str().as_bytes()),
        ("topic", record.topic.as_str().as_bytes()),
        ("kind", record.kind.as_bytes()),
    ];
    if let Some(sealed) = &record.sealed {
        parts.extend([("ciphertext", &sealed.ciphertext[..]), ("nonce", &sealed.nonce)]);
    }
    parts
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle))
}

/// As it is, as JSON escapes it, and as it looks without its quotation marks.
fn spellings(text: &str) -> Vec<Vec<u8>> {
    let json = serde_json::to_string(text).unwrap();
    let ascii: String = text
        .encode_utf16()
        .map(|unit| if unit < 0x80 { char::from(unit as u8).to_string() } else { format!("\\u{unit:04x}") })
        .collect();
    vec![text.into(), json.trim_matches('"').into(), ascii.into()]
}

const NAMES: [&str; 3] = ["Zyx.Alpha", "Zyx-Beta", "zyx_gamma"];
const DISPLAYED: [&str; 3] = ["Ariadne Öztürk", "Βερενίκη", "👩‍🚀 Cosima"];
const ABOUT: &str = "Collects \"maps\"\nof Crete";
const RENAMED: &str = "Ariadne of Crete";
const SAID: [&str; 10] = [
    "The labyrinth has one door",
    "Лабиринт 迷宫 🐂",
    "Say \"thread\"\tagain",
    "A secret: swordfish-1",
    "Edited: swordfish-2",
    "A reply about Naxos",
    "Thread holder",
    "Too loud in the maze",
    "Loud again, out",
    "Fed the Minotaur",
];

fn address(index: usize) -> String {
    format!("{}@Knossos.example", NAMES[index])
}

#[tokio::test]
async fn no_personal_text_is_in_the_log() {
    let scene = Scene::set().await;
    let mut people = Vec::new();
    for index in 0..3 {
        let new = Register {
            handle: Handle::parse(NAMES[index]).unwrap(),
            display_name: DisplayName::parse(DISPLAYED[index]).unwrap(),
            email: Email::parse(&address(index)).unwrap(),
            password: format!("{PASSWORD} {index}"),
        };
        let context = keyed(anyone(), &format!("register {index}"), "request");
        let account = scene.commands.register(&context, new.clone()).await.unwrap().made;
        scene.commands.register(&context, new.clone()).await.unwrap();
        refused(scene.commands.register(&anyone(), new).await);
        scene.let_in(account).await;
        people.push(account);
    }
    let [ada, grace, cosima] = people[..] else { panic!() };
    let change = ProfileChange {
        display_name: Some(DisplayName::parse(RENAMED).unwrap()),
        about: Some(About::parse(ABOUT).unwrap()),
    };
    scene.commands.change_profile(&by(ada), change).await.unwrap();

    let first = scene.post(ada, SAID[0]).await;
    scene.post(grace, SAID[1]).await;
    scene.post(grace, SAID[2]).await;
    let secret = scene.post(cosima, SAID[3]).await;
    scene.commands.edit_message(&by(cosima), secret, content(SAID[4])).await.unwrap();
    scene.commands.post_message(&by(ada), scene.channel, content(SAID[5]), Some(first)).await.unwrap();
    refused(scene.commands.edit_message(&by(ada), secret, content(SAID[0])).await);
    scene.commands.delete_message(&by(cosima), secret).await.unwrap();
    scene
        .commands
        .create_channel(&by(scene.owner), scene.community, a_channel(ChannelKind::Text))
        .await
        .unwrap();
    scene.commands.rename_community(&by(scene.owner), scene.community, name("Crete")).await.unwrap();
    let (moderator, here) = (by(scene.moderator), scene.community);
    scene.commands.change_nickname(&by(ada), here, ada, Nickname::parse(SAID[6]).unwrap()).await.unwrap();
    let reason = |text| Some(Reason::parse(text).unwrap());
    let until = "2026-03-02T12:00:00Z".parse().unwrap();
    scene.commands.time_out_member(&moderator, here, ada, until, reason(SAID[7])).await.unwrap();
    scene.commands.kick_member(&moderator, here, ada, reason(SAID[8])).await.unwrap();
    let ban = NewBan { reason: reason(SAID[9]), until: None };
    scene.commands.ban_account(&moderator, here, grace, ban).await.unwrap();

    let mut personal: Vec<String> = [NAMES.as_slice(), &DISPLAYED, &SAID, &[ABOUT, RENAMED, PASSWORD]]
        .concat()
        .into_iter()
        .map(str::to_owned)
        .collect();
    personal.extend((0..3).map(address));
    personal.extend(["Knossos", "owner@example.org", "swordfish"].map(str::to_owned));

    let log = scene.log().await;
    for record in &log {
        for (part, bytes) in readable(record) {
            for text in &personal {
                let found = spellings(text).iter().any(|spelling| contains(bytes, spelling));
                assert!(!found, "{text:?} is in the {part} of {record:?}");
            }
        }
    }

    // The search finds what is there: facts are readable, and the texts are where they belong.
    assert!(log.iter().any(|record| contains(&record.data, b"Crete")));
    let mut opened = Vec::new();
    for record in log.iter().filter(|record| record.sealed.is_some()) {
        if let Opened::Text(text) = scene.opened(record).await {
            opened.push(text);
        }
    }
    let sealed =
        |text: &str| opened.iter().any(|o| spellings(text).iter().any(|spelling| contains(o, spelling)));
    assert!(SAID[..3].iter().chain(&SAID[6..]).chain(&NAMES).chain(&DISPLAYED).all(|text| sealed(text)));
    assert!(sealed(ABOUT) && sealed("zyx.alpha@knossos.example"));
    assert!(!sealed(SAID[3]) && !sealed(SAID[4]), "a deleted message is nowhere");
}

#[tokio::test]
async fn what_was_asked_cannot_be_guessed_from_the_log() {
    let scene = Scene::set().await;
    let context = keyed(by(scene.member), "key", "POST yes");
    let posted = scene.commands.post_message(&context, scene.channel, content("yes"), None).await.unwrap();
    let record = scene.stream(streams::message(posted.made.facts.id)).await.remove(0);
    let hash = context.request_hash.map(|byte| format!("{byte:02x}")).concat();
    assert!(!contains(&record.meta, hash.as_bytes()), "the hash of a short text tells the text");
    assert!(!contains(&record.meta, b"\"key\""), "nor is the caller's key of use to anybody");
}

#[tokio::test]
async fn the_claims_of_two_names_have_nothing_in_common_but_their_form() {
    let scene = Scene::set().await;
    let (a, b) = (scene.claim_of("handle", "owner"), scene.claim_of("email", "owner@example.org"));
    assert_eq!(scene.kinds(a.clone()).await, ["handle.claimed"]);
    assert_eq!(scene.kinds(b.clone()).await, ["email.claimed"]);
    assert_ne!(scene.vault.digest("handle", "x"), scene.vault.digest("email", "x"));
    assert_eq!((a.len(), b.len()), ("handle-".len() + 64, "email-".len() + 64));
}

#[tokio::test]
async fn erasing_an_account_leaves_its_events_and_takes_its_text() {
    let scene = Scene::set().await;
    let id = scene.post(scene.member, "Remember me").await;
    let before = scene.log().await;
    assert!(scene.vault.shred(scene.member.0).await.unwrap());
    assert_eq!(scene.log().await, before);
    for stream in [streams::account(scene.member), streams::message(id)] {
        let record = scene.stream(stream).await.remove(0);
        assert_eq!(scene.opened(&record).await, Opened::Erased);
    }
    let others = scene.stream(streams::account(scene.owner)).await.remove(0);
    assert!(matches!(scene.opened(&others).await, Opened::Text(_)));
}
