//! What is in somebody's log for ever: one frozen file per type and schema, with the bytes as they were stored.
//!
//! A file is never edited. A new schema adds `<type>.<schema>.json` beside the old one, and both must decode to an
//! event that this program understands.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use domain::Personal::Clear;
use domain::account::{
    About, AccountEvent, AccountRegistered, DisplayName, Email, Handle, Identity, ProfileChange,
    ProfileChanged,
};
use domain::block::{AccountBlocked, AccountUnblocked, BlockEvent};
use domain::channel::{
    ChannelChanged, ChannelCreated, ChannelDeleted, ChannelEvent, ChannelKind, ChannelName,
    ChannelOverwritten, ChannelTopic, DirectOpened, GroupCreated, GroupHandedOver, GroupMemberAdded,
    GroupMemberRemoved, GroupRenamed, SlowMode,
};
use domain::channel_order::{ChannelOrderEvent, ChannelsOrdered, Placed};
use domain::claim::{ClaimEvent, EmailClaimed, HandleClaimed};
use domain::codec::EventSet as _;
use domain::community::{
    CommunityCreated, CommunityDeleted, CommunityEvent, CommunityName, CommunityRenamed, OwnerChanged,
    RoleChanged, RoleCreated, RoleDeleted, RolesOrdered,
};
use domain::emoji::Emoji;
use domain::installation::{InstallationEvent, InstallationFounded};
use domain::invite::{InviteCode, InviteCreated, InviteEvent, InviteRedeemed, InviteRevoked};
use domain::membership::{
    JoinedBy, MemberBanned, MemberJoined, MemberKicked, MemberLeft, MemberRolesChanged, MemberTimeOutEnded,
    MemberTimedOut, MemberUnbanned, MembershipEvent, Nickname, NicknameChanged, Reason,
};
use domain::mention::Mentions;
use domain::message::{
    Content, Forwarded, MessageDeleted, MessageEdited, MessageEvent, MessagePinned, MessagePosted,
    MessageText, MessageUnpinned,
};
use domain::permission::{Overwrite, Overwrites, Target};
use domain::poll::{PollClosed, PollEvent, PollOption, PollOptions, PollTerms, PollVoted};
use domain::reaction::{ReactionAdded, ReactionEvent, ReactionRemoved, ReactionsCleared};
use domain::report::{
    ReportChanged, ReportEvent, ReportOpened, ReportReason, ReportState, ReportText, Words,
};
use domain::role::{Colour, Definition, RoleName};
use domain::thread::{ThreadEvent, ThreadFollowed, ThreadUnfollowed};
use domain::{AccountId, DecodeError, Event, MessageId, Permissions, PersonalPart, ReportId, Role};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use uuid::Uuid;

use crate::people::{
    CATEGORY, CHANNEL as CH, HERE as CO, MEMBER as B, MESSAGE as M, MODERATOR as A, OTHER_MESSAGE,
};

/// A second shape of `message.posted`.
const WITH_A_POLL: &str = "message.posted.1.poll.json";

/// The file of a second shape of an event.
fn more(kind: &str) -> String {
    format!("{kind}.1.more.json")
}

const REPLY_TO: Option<MessageId> = Some(OTHER_MESSAGE);

#[derive(Deserialize)]
struct Fixture {
    data: Box<RawValue>,
    personal: Option<Box<RawValue>>,
}

impl Fixture {
    fn load(kind: &str, schema: u16) -> Self {
        Self::read(&format!("{kind}.{schema}.json"))
    }

    fn read(name: &str) -> Self {
        let path = folder().join(name);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_str(&text).unwrap()
    }

    fn personal(&self) -> PersonalPart<'_> {
        self.personal.as_ref().map_or(PersonalPart::Sealed, |text| PersonalPart::Clear(text.get().as_bytes()))
    }

    fn data(&self) -> Value {
        serde_json::from_str(self.data.get()).unwrap()
    }
}

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "fixtures"].iter().collect()
}

fn decode(kind: &str, schema: u16, data: &Value, personal: PersonalPart<'_>) -> Option<Event> {
    Event::decode(kind, schema, data.to_string().as_bytes(), personal).unwrap()
}

/// Any event's type, schema and topic, and what its fixture says.
type Row = (&'static str, u16, String, Event);

fn table() -> Vec<Row> {
    let channel = || format!("channel:{CH}");
    let community = || format!("community:{CO}");
    let account = || format!("account:{A}");
    let profiles = || "profiles".to_owned();
    let mut rows: Vec<Row> = Vec::new();
    let mut row = |kind, schema, topic, event| rows.push((kind, schema, topic, event));

    for (kind, event) in messages() {
        row(kind, 1, channel(), event.into());
    }
    for (kind, event) in reactions() {
        row(kind, 1, channel(), event.into());
    }
    for (kind, event) in polls() {
        row(kind, 1, channel(), event.into());
    }
    for (kind, event) in threads() {
        row(kind, 1, account(), event.into());
    }
    for (kind, event) in memberships() {
        row(kind, 1, community(), event.into());
    }
    for (kind, event) in channels() {
        row(kind, 1, community(), event.into());
    }
    for (kind, event) in conversations() {
        row(kind, 1, channel(), event.into());
    }
    for (kind, event) in blocks() {
        row(kind, 1, account(), event.into());
    }
    let ordered = ChannelOrderEvent::from(ChannelsOrdered {
        community_id: CO,
        channels: vec![
            Placed { id: CATEGORY, category_id: None },
            Placed { id: CH, category_id: Some(CATEGORY) },
        ],
        by: A,
    });
    row("channels.ordered", 1, community(), ordered.into());
    for (kind, event) in communities() {
        row(kind, 1, community(), event.into());
    }
    for (kind, event) in invites() {
        row(kind, 1, community(), event.into());
    }
    for (kind, event) in reports() {
        row(kind, 1, community(), event.into());
    }
    for (kind, event) in accounts() {
        row(kind, 1, profiles(), event.into());
    }
    let handle = ClaimEvent::from(HandleClaimed { account_id: A });
    row("handle.claimed", 1, account(), handle.into());
    let email = ClaimEvent::from(EmailClaimed { account_id: A });
    row("email.claimed", 1, account(), email.into());
    let founded = InstallationEvent::from(InstallationFounded { administrator: A, community_id: Some(CO) });
    row("installation.founded", 1, "installation".to_owned(), founded.into());
    rows
}

fn accounts() -> [(&'static str, AccountEvent); 2] {
    let display_name = |text| DisplayName::parse(text).unwrap();
    let identity = Identity {
        handle: Handle::parse("Ada.L").unwrap(),
        display_name: display_name("Ada 👩‍👩‍👧‍👦"),
        email: Email::parse("Ada@Example.org").unwrap(),
    };
    let change = ProfileChange {
        display_name: Some(display_name("Ада")),
        about: Some(About::parse("Line one\nline \"two\"").unwrap()),
    };
    [
        ("account.registered", AccountRegistered { account_id: A, identity: Clear(identity) }.into()),
        ("account.profile_changed", ProfileChanged { account_id: A, change: Clear(change) }.into()),
    ]
}

fn messages() -> [(&'static str, MessageEvent); 5] {
    let posted = MessagePosted {
        message_id: M,
        channel_id: CH,
        community_id: Some(CO),
        author_id: A,
        reply_to: REPLY_TO,
        poll: None,
        thread_id: None,
        forwarded: None,
        mentions: Mentions::default(),
        text: Clear(Content::parse("Hello, **wörld** 👍🏽\n\te\u{301}").unwrap().into()),
    };
    let content = Clear(Content::parse("Hello again").unwrap());
    let edited = MessageEdited {
        message_id: M,
        channel_id: CH,
        community_id: Some(CO),
        thread_id: None,
        mentions: Mentions::default(),
        content,
    };
    let deleted = MessageDeleted {
        message_id: M,
        channel_id: CH,
        community_id: Some(CO),
        thread_id: None,
        deleted_by: B,
    };
    let pinned = MessagePinned { message_id: M, channel_id: CH, community_id: Some(CO), by: B };
    let unpinned = MessageUnpinned { message_id: M, channel_id: CH, community_id: Some(CO), by: B };
    [
        ("message.posted", posted.into()),
        ("message.edited", edited.into()),
        ("message.deleted", deleted.into()),
        ("message.pinned", pinned.into()),
        ("message.unpinned", unpinned.into()),
    ]
}

/// What `message.posted` says besides when the message has a poll.
fn posted_with_a_poll() -> Event {
    let options = ["Tuesday", "Freitag \"früh\""].map(|text| PollOption::parse(text).unwrap());
    let (content, poll) = (Content::parse("When?").unwrap(), PollOptions::new(options.to_vec()).unwrap());
    let closes_at = Some("2026-03-01T12:00:00.000001Z".parse().unwrap());
    let posted = MessagePosted {
        message_id: M,
        channel_id: CH,
        community_id: Some(CO),
        author_id: A,
        reply_to: None,
        poll: Some(PollTerms { options: 2, multiple: true, closes_at }),
        thread_id: None,
        forwarded: None,
        mentions: Mentions::default(),
        text: Clear(MessageText { content, poll: Some(poll), forwarded: None }),
    };
    MessageEvent::from(posted).into()
}

/// What the events of messages say besides where there are threads, mentions and forwards.
fn with_more() -> [(&'static str, Event); 3] {
    let (channel_id, community_id, thread_id) = (CH, Some(CO), Some(OTHER_MESSAGE));
    let content = || Content::parse("Look, @ada").unwrap();
    let mentions = Mentions {
        accounts: [A, B].into(),
        roles: [Role::Moderator, Role::Custom(CO.0)].into(),
        everyone: true,
        here: true,
    };
    let created_at = "2026-03-01T12:00:00.000001Z".parse().unwrap();
    let forwarded = Forwarded { message_id: OTHER_MESSAGE, channel_id: CATEGORY, author_id: B, created_at };
    let copy = Some(Content::parse("News").unwrap());
    let posted = MessagePosted {
        message_id: M,
        channel_id,
        community_id,
        author_id: A,
        reply_to: None,
        poll: None,
        thread_id,
        forwarded: Some(forwarded),
        mentions: mentions.clone(),
        text: Clear(MessageText { content: content(), poll: None, forwarded: copy }),
    };
    let content = Clear(content());
    let edited = MessageEdited { message_id: M, channel_id, community_id, thread_id, mentions, content };
    let deleted = MessageDeleted { message_id: M, channel_id, community_id, thread_id, deleted_by: B };
    [
        ("message.posted", MessageEvent::from(posted).into()),
        ("message.edited", MessageEvent::from(edited).into()),
        ("message.deleted", MessageEvent::from(deleted).into()),
    ]
}

fn threads() -> [(&'static str, ThreadEvent); 2] {
    let (account_id, message_id, channel_id, community_id) = (A, M, CH, Some(CO));
    [
        ("thread.followed", ThreadFollowed { account_id, message_id, channel_id, community_id }.into()),
        ("thread.unfollowed", ThreadUnfollowed { account_id, message_id, channel_id, community_id }.into()),
    ]
}

fn reactions() -> [(&'static str, ReactionEvent); 3] {
    let (message_id, channel_id, community_id) = (M, CH, Some(CO));
    let emoji = || Emoji::parse("❤️").unwrap();
    let (account_id, emoji_cleared) = (A, Some(emoji()));
    let added = ReactionAdded { message_id, channel_id, community_id, account_id, emoji: emoji(), count: 2 };
    let removed =
        ReactionRemoved { message_id, channel_id, community_id, account_id, emoji: emoji(), count: 1 };
    let cleared = ReactionsCleared { message_id, channel_id, community_id, emoji: emoji_cleared, by: B };
    [
        ("reaction.added", added.into()),
        ("reaction.removed", removed.into()),
        ("reaction.cleared", cleared.into()),
    ]
}

fn polls() -> [(&'static str, PollEvent); 2] {
    let (message_id, channel_id, community_id) = (M, CH, Some(CO));
    let (options, votes) = ([0, 2].into(), vec![1, 0, 12]);
    let voted = PollVoted { message_id, channel_id, community_id, account_id: A, options, votes };
    let closed = PollClosed { message_id, channel_id, community_id, by: B };
    [("poll.voted", voted.into()), ("poll.closed", closed.into())]
}

fn memberships() -> [(&'static str, MembershipEvent); 9] {
    let (community_id, account_id, by): (_, AccountId, AccountId) = (CO, A, B);
    let roles = [Role::Guest, Role::Member, Role::Moderator].into();
    let joined_by = JoinedBy::Invite;
    let joined = MemberJoined { community_id, account_id, roles, joined_by, invited_by: Some(B) };
    let roles = [Role::Member, Role::Moderator].into();
    let until = "2026-03-01T12:00:00.000001Z".parse().unwrap();
    let reason = Some(Clear(Reason::parse("Spam, «again»").unwrap()));
    let timed_out = MemberTimedOut { community_id, account_id, until, by, reason };
    let nickname = Clear(Nickname::parse("Адочка").unwrap());
    [
        ("membership.joined", joined.into()),
        ("membership.left", MemberLeft { community_id, account_id }.into()),
        ("membership.kicked", MemberKicked { community_id, account_id, by, reason: None }.into()),
        (
            "membership.banned",
            MemberBanned { community_id, account_id, by, until: None, reason: None }.into(),
        ),
        ("membership.unbanned", MemberUnbanned { community_id, account_id, by }.into()),
        ("membership.roles_changed", MemberRolesChanged { community_id, account_id, roles, by }.into()),
        ("membership.timed_out", timed_out.into()),
        ("membership.time_out_ended", MemberTimeOutEnded { community_id, account_id, by }.into()),
        ("membership.nickname_changed", NicknameChanged { community_id, account_id, by, nickname }.into()),
    ]
}

fn channels() -> [(&'static str, ChannelEvent); 4] {
    let (name, topic) = (|text| ChannelName::parse(text).unwrap(), |text| ChannelTopic::parse(text).unwrap());
    let created = ChannelCreated {
        channel_id: CH,
        community_id: CO,
        name: name("general"),
        kind: ChannelKind::Text,
        topic: topic("All things"),
        category_id: Some(CATEGORY),
        private: false,
        overwrites: Overwrites::default(),
    };
    let changed = ChannelChanged {
        name: Some(name("news")),
        topic: Some(topic("")),
        ..ChannelChanged::nothing(CH, CO)
    };
    let overwrite = Overwrite { allow: Permissions::VIEW, deny: Permissions::POST | Permissions::REACT };
    let overwritten = ChannelOverwritten {
        channel_id: CH,
        community_id: CO,
        target: Target::Role(Role::Guest),
        overwrite,
        by: B,
    };
    let deleted = ChannelDeleted { channel_id: CH, community_id: CO, deleted_by: B };
    [
        ("channel.created", created.into()),
        ("channel.changed", changed.into()),
        ("channel.deleted", deleted.into()),
        ("channel.overwritten", overwritten.into()),
    ]
}

fn conversations() -> [(&'static str, ChannelEvent); 6] {
    let (channel_id, account_id, by) = (CH, B, A);
    let name = || Some(ChannelName::parse("Café").unwrap());
    let opened = DirectOpened { channel_id, accounts: [A, B], by };
    let created = GroupCreated { channel_id, name: name(), owner_id: A, members: [A, B].into() };
    [
        ("direct.opened", opened.into()),
        ("group.created", created.into()),
        ("group.renamed", GroupRenamed { channel_id, name: name(), by }.into()),
        ("group.member_added", GroupMemberAdded { channel_id, account_id, by }.into()),
        ("group.member_removed", GroupMemberRemoved { channel_id, account_id, by, ended: true }.into()),
        ("group.handed_over", GroupHandedOver { channel_id, owner_id: B, by }.into()),
    ]
}

fn blocks() -> [(&'static str, BlockEvent); 2] {
    [
        ("account.blocked", AccountBlocked { account_id: B, by: A }.into()),
        ("account.unblocked", AccountUnblocked { account_id: B, by: A }.into()),
    ]
}

/// What later fields of an old type look like in the log; those that a channel was made with are optional, too.
#[test]
fn settings_of_a_channel_are_stored_as_said() {
    let changed = ChannelChanged {
        private: Some(true),
        slow_mode: SlowMode::new(30),
        archived: Some(false),
        category_id: Some(None),
        ..ChannelChanged::nothing(CH, CO)
    };
    let moved = ChannelChanged { category_id: Some(Some(CATEGORY)), ..ChannelChanged::nothing(CH, CO) };
    for (event, stored) in [
        (changed, json!({"private": true, "slow_mode": 30, "archived": false, "category_id": null})),
        (moved, json!({"category_id": CATEGORY})),
    ] {
        let event = Event::from(ChannelEvent::from(event));
        let mut data: Value = serde_json::from_slice(&event.encode().data).unwrap();
        assert_eq!(decode("channel.changed", 1, &data, PersonalPart::Sealed), Some(event));
        let fields = data.as_object_mut().unwrap();
        fields.retain(|name, _| !["channel_id", "community_id"].contains(&name.as_str()));
        assert_eq!(data, stored);
    }
    let overwrite = Overwrite { allow: Permissions::VIEW, deny: Permissions::empty() };
    let overwrites: Overwrites = [(Target::Account(A), overwrite)].into_iter().collect();
    let (_, created) = channels().into_iter().next().unwrap();
    let ChannelEvent::Created(created) = created else { panic!("it is the first") };
    let created = Event::from(ChannelEvent::from(ChannelCreated { private: true, overwrites, ..created }));
    let data: Value = serde_json::from_slice(&created.encode().data).unwrap();
    assert_eq!(data["overwrites"], json!([{"account": A, "allow": 1, "deny": 0}]));
    assert_eq!(decode("channel.created", 1, &data, PersonalPart::Sealed), Some(created));
}

fn communities() -> [(&'static str, CommunityEvent); 8] {
    let name = |text| CommunityName::parse(text).unwrap();
    let created = CommunityCreated { community_id: CO, name: name("Здесь"), owner_id: A };
    let renamed = CommunityRenamed { community_id: CO, name: name("There") };
    let deleted = CommunityDeleted { community_id: CO, deleted_by: A };
    let owner_changed = OwnerChanged { community_id: CO, owner_id: B, previous_owner_id: A };
    let (community_id, role) = (CO, Role::Custom(Uuid::from_u128(0xb0)));
    let named = Definition {
        name: Some(RoleName::parse("Инженеры").unwrap()),
        colour: Some(Colour(0x1f_8b4c)),
        permissions: Permissions::VIEW | Permissions::KICK,
        mentionable: true,
    };
    let plain =
        Definition { name: None, colour: None, permissions: Permissions::empty(), mentionable: false };
    let order = vec![Role::Guest, Role::Member, Role::Moderator, role];
    [
        ("community.created", created.into()),
        ("community.renamed", renamed.into()),
        ("community.deleted", deleted.into()),
        ("community.owner_changed", owner_changed.into()),
        ("role.created", RoleCreated { community_id, role, definition: named, by: A }.into()),
        ("role.changed", RoleChanged { community_id, role: Role::Guest, definition: plain, by: A }.into()),
        ("role.deleted", RoleDeleted { community_id, role, by: A }.into()),
        ("role.ordered", RolesOrdered { community_id, order, by: A }.into()),
    ]
}

fn invites() -> [(&'static str, InviteEvent); 3] {
    let code = || InviteCode::parse("23456789ABCD").unwrap();
    let created = InviteCreated {
        code: code(),
        community_id: CO,
        created_by: B,
        max_uses: Some(3),
        expires_at: Some("2026-03-01T12:00:00.000001Z".parse().unwrap()),
    };
    let redeemed = InviteRedeemed { code: code(), community_id: CO, account_id: A, invited_by: B };
    let revoked = InviteRevoked { code: code(), community_id: CO, revoked_by: B };
    [
        ("invite.created", created.into()),
        ("invite.redeemed", redeemed.into()),
        ("invite.revoked", revoked.into()),
    ]
}

fn reports() -> [(&'static str, ReportEvent); 2] {
    let report_id = ReportId::of(M, B);
    let words = |text: Option<&str>| Clear(Words { text: text.map(|text| ReportText::parse(text).unwrap()) });
    let opened = ReportOpened {
        report_id,
        community_id: CO,
        channel_id: CH,
        message_id: M,
        author_id: A,
        reporter_id: B,
        reason: ReportReason::Harassment,
        words: words(Some("Wörds that \"hurt\"")),
    };
    let (state, words) = (ReportState::Dismissed, words(None));
    let changed = ReportChanged { report_id, community_id: CO, state, by: A, words };
    [("report.opened", opened.into()), ("report.changed", changed.into())]
}

#[test]
fn every_type_and_schema_has_its_fixture_and_no_other_file_is_there() {
    let needed: BTreeSet<String> = Event::kinds()
        .into_iter()
        .flat_map(|(kind, current)| (1..=current).map(move |schema| format!("{kind}.{schema}.json")))
        .chain([WITH_A_POLL.to_owned()])
        .chain(with_more().map(|(kind, _)| more(kind)))
        .collect();
    let there: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(there, needed);
}

#[test]
fn every_type_has_its_name_its_schema_and_its_topic() {
    let mut listed = BTreeSet::new();
    for (kind, schema, topic, event) in table() {
        let encoded = event.encode();
        assert_eq!((encoded.kind, encoded.schema), (kind, schema));
        assert_eq!(event.topic(), topic, "{kind}");
        assert!(listed.insert((kind, schema)), "{kind} is listed twice");
    }
    assert_eq!(listed, Event::kinds().into_iter().collect(), "every type is listed");
    assert_eq!(Event::kinds().len(), listed.len(), "no two streams share a type");
}

#[test]
fn every_fixture_decodes_to_the_event_that_it_was() {
    for (kind, schema, _, event) in table() {
        let fixture = Fixture::load(kind, schema);
        let data = fixture.data.get().as_bytes();
        let decoded = Event::decode(kind, schema, data, fixture.personal());
        assert_eq!(decoded.unwrap(), Some(event), "{kind}");
    }
}

#[test]
fn what_is_written_today_is_what_the_fixture_holds_byte_for_byte() {
    for (kind, schema, _, event) in table() {
        let (fixture, encoded) = (Fixture::load(kind, schema), event.encode());
        assert_eq!(std::str::from_utf8(&encoded.data), Ok(fixture.data.get()), "{kind}");
        let personal = encoded.personal.as_deref().map(|text| std::str::from_utf8(text).unwrap());
        assert_eq!(personal, fixture.personal.as_ref().map(|text| text.get()), "{kind}");
    }
}

#[test]
fn what_a_message_may_have_besides_is_stored_as_its_fixtures_hold() {
    let with_more = with_more().map(|(kind, event)| (kind, more(kind), event));
    let all = [("message.posted", WITH_A_POLL.to_owned(), posted_with_a_poll())].into_iter().chain(with_more);
    for (kind, file, event) in all {
        let fixture = Fixture::read(&file);
        let data = fixture.data.get().as_bytes();
        assert_eq!(Event::decode(kind, 1, data, fixture.personal()).unwrap(), Some(event.clone()));
        let encoded = event.encode();
        assert_eq!(std::str::from_utf8(&encoded.data), Ok(fixture.data.get()));
        let personal = encoded.personal.map(|text| String::from_utf8(text).unwrap());
        assert_eq!(personal.as_deref(), fixture.personal.as_ref().map(|text| text.get()));
    }
}

#[test]
fn without_its_personal_text_an_event_still_says_the_facts() {
    for (kind, schema, topic, event) in table() {
        let fixture = Fixture::load(kind, schema);
        let sealed = decode(kind, schema, &fixture.data(), PersonalPart::Sealed).unwrap();
        assert_eq!(sealed.topic(), topic);
        assert_eq!(sealed == event, fixture.personal.is_none(), "{kind}");
        // What was never sealed is never erased.
        if fixture.personal.is_some() {
            let erased = decode(kind, schema, &fixture.data(), PersonalPart::Erased).unwrap();
            assert_eq!(erased.topic(), topic);
            assert_ne!(erased, event, "{kind}");
            assert_ne!(erased, sealed, "{kind}: erased is not sealed");
        }
    }
}

#[test]
fn fields_that_a_newer_program_added_are_ignored() {
    for (kind, schema, _, event) in table() {
        let fixture = Fixture::load(kind, schema);
        let mut data = fixture.data();
        data["a_field_of_tomorrow"] = json!({"deep": [1, null, "x"]});
        let mut personal: Option<Value> =
            fixture.personal.as_ref().map(|text| serde_json::from_str(text.get()).unwrap());
        if let Some(Value::Object(fields)) = &mut personal {
            fields.insert("a_field_of_tomorrow".to_owned(), json!(true));
        }
        let personal = personal.map(|value| value.to_string());
        let part =
            personal.as_ref().map_or(PersonalPart::Sealed, |text| PersonalPart::Clear(text.as_bytes()));
        assert_eq!(decode(kind, schema, &data, part), Some(event), "{kind}");
    }
}

#[test]
fn what_may_be_missing_may_be_missing() {
    let optional = [
        ("message.posted", "reply_to"),
        ("message.posted", "community_id"),
        ("message.edited", "community_id"),
        ("message.deleted", "community_id"),
        ("message.pinned", "community_id"),
        ("message.unpinned", "community_id"),
        ("reaction.added", "community_id"),
        ("reaction.removed", "community_id"),
        ("reaction.cleared", "community_id"),
        ("reaction.cleared", "emoji"),
        ("poll.voted", "community_id"),
        ("poll.closed", "community_id"),
        ("thread.followed", "community_id"),
        ("thread.unfollowed", "community_id"),
        ("membership.joined", "invited_by"),
        ("channel.created", "category_id"),
        ("channel.changed", "name"),
        ("channel.changed", "topic"),
        ("group.created", "name"),
        ("group.renamed", "name"),
        ("group.member_removed", "ended"),
        ("invite.created", "max_uses"),
        ("invite.created", "expires_at"),
        ("installation.founded", "community_id"),
        ("role.created", "name"),
        ("role.created", "colour"),
    ];
    for (kind, schema, ..) in table() {
        let fixture = Fixture::load(kind, schema);
        let fields: Vec<String> = fixture.data().as_object().unwrap().keys().cloned().collect();
        for field in fields {
            let mut data = fixture.data();
            data.as_object_mut().unwrap().remove(&field);
            let data = data.to_string();
            let decoded = Event::decode(kind, schema, data.as_bytes(), PersonalPart::Sealed);
            let expected = optional.contains(&(kind, field.as_str()));
            assert_eq!(decoded.is_ok(), expected, "{kind} without {field}");
            assert!(expected || matches!(decoded, Err(DecodeError::Malformed { .. })));
        }
    }
}

#[test]
fn a_schema_of_a_newer_program_is_told_apart_from_a_broken_record() {
    for (kind, current) in Event::kinds() {
        for newer in [current + 1, u16::MAX] {
            let refused = Event::decode(kind, newer, b"not even JSON", PersonalPart::Sealed).unwrap_err();
            let DecodeError::NewerSchema { kind: named, schema } = refused else { panic!("{refused:?}") };
            assert_eq!((named.as_str(), schema), (kind, newer));
        }
        let broken = Event::decode(kind, current, b"not even JSON", PersonalPart::Sealed).unwrap_err();
        assert!(matches!(broken, DecodeError::Malformed { schema, .. } if schema == current));
    }
}

#[test]
fn a_type_that_nobody_knows_is_none_even_where_its_bytes_are_broken() {
    for kind in ["message.exploded", "", "message.posted ", "Message.Posted", "message"] {
        assert_eq!(Event::decode(kind, 1, b"\xff", PersonalPart::Sealed).unwrap(), None, "{kind:?}");
    }
    let other_set = MessageEvent::decode("channel.created", 1, b"\xff", PersonalPart::Sealed);
    assert_eq!(other_set.unwrap(), None, "another stream's type is not of this set");
}
