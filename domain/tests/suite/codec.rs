//! Any event there can be, to bytes and back.

use domain::Personal::Clear;
use domain::account::{
    About, AccountEvent, AccountRegistered, DisplayName, Email, Handle, Identity, ProfileChange,
    ProfileChanged,
};
use domain::channel::{
    ChannelChanged, ChannelCreated, ChannelDeleted, ChannelEvent, ChannelKind, ChannelName, ChannelTopic,
    SlowMode,
};
use domain::claim::{ClaimEvent, EmailClaimed, HandleClaimed};
use domain::codec::EventSet as _;
use domain::community::{
    CommunityCreated, CommunityDeleted, CommunityEvent, CommunityName, CommunityRenamed, OwnerChanged,
    RoleChanged, RoleCreated, RoleDeleted, RolesOrdered,
};
use domain::emoji::Emoji;
use domain::installation::{InstallationEvent, InstallationFounded};
use domain::invite::{CODE_LENGTH, InviteCode, InviteCreated, InviteEvent, InviteRedeemed, InviteRevoked};
use domain::membership::{
    JoinedBy, MemberBanned, MemberJoined, MemberKicked, MemberLeft, MemberRolesChanged, MemberTimeOutEnded,
    MemberTimedOut, MemberUnbanned, MembershipEvent, Nickname, NicknameChanged, Reason,
};
use domain::mention::Mentions;
use domain::message::{
    Content, Forwarded, MessageDeleted, MessageEdited, MessageEvent, MessagePinned, MessagePosted,
    MessageText, MessageUnpinned,
};
use domain::permission::Overwrites;
use domain::poll::{PollClosed, PollEvent, PollOption, PollOptions, PollTerms, PollVoted};
use domain::reaction::{ReactionAdded, ReactionEvent, ReactionRemoved, ReactionsCleared};
use domain::report::{
    ReportChanged, ReportEvent, ReportOpened, ReportReason, ReportState, ReportText, Words,
};
use domain::role::{Colour, Definition, RoleName};
use domain::thread::{ThreadEvent, ThreadFollowed, ThreadUnfollowed};
use domain::{
    AccountId, ChannelId, CommunityId, Encoded, Event, MessageId, Permissions, PersonalPart, ReportId, Role,
};
use jiff::Timestamp;
use proptest::collection::{btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;

fn uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

fn time() -> impl Strategy<Value = Timestamp> {
    let seconds = Timestamp::MIN.as_second()..=Timestamp::MAX.as_second();
    (seconds, 0..1_000_000_000_i32).prop_filter_map("no such time", |(s, n)| Timestamp::new(s, n).ok())
}

fn account() -> impl Strategy<Value = AccountId> {
    uuid().prop_map(AccountId)
}

fn community() -> impl Strategy<Value = CommunityId> {
    uuid().prop_map(CommunityId)
}

fn channel() -> impl Strategy<Value = ChannelId> {
    uuid().prop_map(ChannelId)
}

fn message() -> impl Strategy<Value = MessageId> {
    uuid().prop_map(MessageId)
}

/// Texts as people write them: whatever one of the parsers lets through.
fn text<T: std::fmt::Debug>(
    pattern: &'static str,
    parse: impl Fn(&str) -> Option<T> + 'static,
) -> impl Strategy<Value = T> {
    pattern.prop_filter_map("not such a text", move |text| parse(&text))
}

fn block() -> &'static str {
    "[\\PC\n\r\t\u{2028}\"\\\\]{1,40}"
}

fn account_events() -> impl Strategy<Value = AccountEvent> {
    let display_name = || text("\\PC{1,64}", |text| DisplayName::parse(text).ok());
    let identity = (
        text("[A-Za-z0-9]{2,32}", |text| Handle::parse(text).ok()),
        display_name(),
        text("[^@\\s\\pC]{1,20}@[a-z]{1,9}\\.[a-zé]{2,5}", |text| Email::parse(text).ok()),
    )
        .prop_map(|(handle, display_name, email)| Identity { handle, display_name, email });
    let change = (of(display_name()), of(text(block(), |text| About::parse(text).ok())))
        .prop_map(|(display_name, about)| ProfileChange { display_name, about });
    prop_oneof![
        (account(), identity).prop_map(|(account_id, identity)| {
            AccountRegistered { account_id, identity: Clear(identity) }.into()
        }),
        (account(), change).prop_map(|(account_id, change)| ProfileChanged {
            account_id,
            change: Clear(change)
        }
        .into()),
    ]
}

/// A message, its channel and its community, if it has one.
fn place() -> impl Strategy<Value = (MessageId, ChannelId, Option<CommunityId>)> {
    (message(), channel(), of(community()))
}

fn poll_terms() -> impl Strategy<Value = PollTerms> {
    let closes_at = of((0..4_000_000_000_i64).prop_map(|second| Timestamp::from_second(second).unwrap()));
    (any::<u8>(), any::<bool>(), closes_at).prop_map(|(options, multiple, closes_at)| PollTerms {
        options,
        multiple,
        closes_at,
    })
}

fn poll_options() -> impl Strategy<Value = PollOptions> {
    let option = || text("\\PC{1,40}", |text| PollOption::parse(text).ok());
    proptest::collection::vec(option(), 2..=10)
        .prop_filter_map("two are alike", |options| PollOptions::new(options).ok())
}

fn mentions() -> impl Strategy<Value = Mentions> {
    let role = prop_oneof![select(Role::BUILT_IN.to_vec()), uuid().prop_map(Role::Custom)];
    (btree_set(account(), 0..3), btree_set(role, 0..3), any::<bool>(), any::<bool>())
        .prop_map(|(accounts, roles, everyone, here)| Mentions { accounts, roles, everyone, here })
}

fn forwarded() -> impl Strategy<Value = Forwarded> {
    (message(), channel(), account(), 0..4_000_000_000_i64).prop_map(
        |(message_id, channel_id, author_id, second)| {
            let created_at = Timestamp::from_second(second).unwrap();
            Forwarded { message_id, channel_id, author_id, created_at }
        },
    )
}

fn thread_events() -> impl Strategy<Value = ThreadEvent> {
    (any::<bool>(), place(), account()).prop_map(
        |(follows, (message_id, channel_id, community_id), account_id)| {
            if follows {
                ThreadFollowed { account_id, message_id, channel_id, community_id }.into()
            } else {
                ThreadUnfollowed { account_id, message_id, channel_id, community_id }.into()
            }
        },
    )
}

fn message_events() -> impl Strategy<Value = MessageEvent> {
    let content = || text(block(), |text| Content::parse(text).ok());
    let words = (content(), of(poll_options()), of(content()))
        .prop_map(|(content, poll, forwarded)| MessageText { content, poll, forwarded });
    let about = (account(), of(message()), of(poll_terms()), of(message()), of(forwarded()), mentions());
    prop_oneof![
        (place(), about, words.prop_map(Clear)).prop_map(|(place, about, text)| {
            let (message_id, channel_id, community_id) = place;
            let (author_id, reply_to, poll, thread_id, forwarded, mentions) = about;
            MessagePosted {
                message_id,
                channel_id,
                community_id,
                author_id,
                reply_to,
                poll,
                thread_id,
                forwarded,
                mentions,
                text,
            }
            .into()
        }),
        (place(), of(message()), mentions(), content().prop_map(Clear)).prop_map(
            |((message_id, channel_id, community_id), thread_id, mentions, content)| {
                MessageEdited { message_id, channel_id, community_id, thread_id, mentions, content }.into()
            }
        ),
        (0..3, place(), of(message()), account()).prop_map(|(which, place, thread_id, by)| {
            let (message_id, channel_id, community_id) = place;
            match which {
                0 => {
                    MessageDeleted { message_id, channel_id, community_id, thread_id, deleted_by: by }.into()
                }
                1 => MessagePinned { message_id, channel_id, community_id, by }.into(),
                _ => MessageUnpinned { message_id, channel_id, community_id, by }.into(),
            }
        }),
    ]
}

fn emoji() -> impl Strategy<Value = Emoji> {
    select(domain::emoji::all().map(|listed| Emoji::parse(listed.emoji).unwrap()).collect::<Vec<_>>())
}

fn reaction_events() -> impl Strategy<Value = ReactionEvent> {
    (0..3, place(), account(), emoji(), any::<u32>(), any::<bool>()).prop_map(
        |(which, (message_id, channel_id, community_id), account_id, emoji, count, one)| match which {
            0 => ReactionAdded { message_id, channel_id, community_id, account_id, emoji, count }.into(),
            1 => ReactionRemoved { message_id, channel_id, community_id, account_id, emoji, count }.into(),
            _ => {
                let emoji = one.then_some(emoji);
                ReactionsCleared { message_id, channel_id, community_id, emoji, by: account_id }.into()
            }
        },
    )
}

fn poll_events() -> impl Strategy<Value = PollEvent> {
    let votes = proptest::collection::vec(any::<u32>(), 0..=10);
    (any::<bool>(), place(), account(), btree_set(any::<u8>(), 0..=10), votes).prop_map(
        |(voted, (message_id, channel_id, community_id), account_id, options, votes)| {
            if voted {
                PollVoted { message_id, channel_id, community_id, account_id, options, votes }.into()
            } else {
                PollClosed { message_id, channel_id, community_id, by: account_id }.into()
            }
        },
    )
}

fn membership_events() -> impl Strategy<Value = MembershipEvent> {
    let ways = select(vec![JoinedBy::Founding, JoinedBy::Welcome, JoinedBy::Invite]);
    let roles = || btree_set(select(Role::BUILT_IN.to_vec()), 0..=3);
    let reason = of(text("\\PC{1,40}", |text| Reason::parse(text).ok()).prop_map(Clear));
    let nickname = text("\\PC{0,40}", |text| Nickname::parse(text).ok()).prop_map(Clear);
    let people = (community(), account(), account());
    (0..9, people, roles(), ways, of(account()), of(time()), reason, nickname).prop_map(
        |(which, (community_id, account_id, by), roles, joined_by, invited_by, until, reason, nickname)| {
            match which {
                0 => MemberJoined { community_id, account_id, roles, joined_by, invited_by }.into(),
                1 => MemberLeft { community_id, account_id }.into(),
                2 => MemberKicked { community_id, account_id, by, reason }.into(),
                3 => MemberBanned { community_id, account_id, by, until, reason }.into(),
                4 => MemberUnbanned { community_id, account_id, by }.into(),
                5 => MemberRolesChanged { community_id, account_id, roles, by }.into(),
                6 => {
                    let until = until.unwrap_or(Timestamp::UNIX_EPOCH);
                    MemberTimedOut { community_id, account_id, until, by, reason }.into()
                }
                7 => MemberTimeOutEnded { community_id, account_id, by }.into(),
                _ => NicknameChanged { community_id, account_id, by, nickname }.into(),
            }
        },
    )
}

fn channel_events() -> impl Strategy<Value = ChannelEvent> {
    let name = || text("\\PC{1,40}", |text| ChannelName::parse(text).ok());
    let topic = || text("\\PC{0,40}", |text| ChannelTopic::parse(text).ok());
    let kind = select(ChannelKind::ALL.to_vec());
    prop_oneof![
        (channel(), community(), name(), kind, topic(), of(channel())).prop_map(
            |(channel_id, community_id, name, kind, topic, category_id)| {
                ChannelCreated {
                    channel_id,
                    community_id,
                    name,
                    kind,
                    topic,
                    category_id,
                    private: false,
                    overwrites: Overwrites::default(),
                }
                .into()
            }
        ),
        (channel(), community(), of(name()), of(topic()), settings()).prop_map(
            |(channel_id, community_id, name, topic, (private, slow_mode, archived, category_id))| {
                let slow_mode = slow_mode.and_then(SlowMode::new);
                ChannelChanged {
                    channel_id,
                    community_id,
                    name,
                    topic,
                    private,
                    slow_mode,
                    archived,
                    category_id,
                }
                .into()
            }
        ),
        (channel(), community(), account()).prop_map(|(channel_id, community_id, deleted_by)| {
            ChannelDeleted { channel_id, community_id, deleted_by }.into()
        }),
    ]
}

type Settings = (Option<bool>, Option<u32>, Option<bool>, Option<Option<domain::ChannelId>>);

fn settings() -> impl Strategy<Value = Settings> {
    (of(any::<bool>()), of(0..=SlowMode::MAX), of(any::<bool>()), of(of(channel())))
}

fn community_events() -> impl Strategy<Value = CommunityEvent> {
    let name = text("\\PC{1,100}", |text| CommunityName::parse(text).ok());
    let role = || prop_oneof![select(Role::BUILT_IN.to_vec()), uuid().prop_map(Role::Custom)];
    let role_name = of(text("\\PC{1,64}", |text| RoleName::parse(text).ok()));
    let colour = of((0..0x100_0000_u32).prop_map(Colour));
    let definition =
        (role_name, colour, any::<u64>(), any::<bool>()).prop_map(|(name, colour, bits, mentionable)| {
            let permissions = Permissions::from_bits_retain(bits);
            Definition { name, colour, permissions, mentionable }
        });
    let order = vec(role(), 0..6);
    (0..8, community(), name, (account(), account()), role(), definition, order).prop_map(
        |(which, community_id, name, (account, by), role, definition, order)| match which {
            0 => CommunityCreated { community_id, name, owner_id: account }.into(),
            1 => CommunityRenamed { community_id, name }.into(),
            2 => CommunityDeleted { community_id, deleted_by: account }.into(),
            3 => OwnerChanged { community_id, owner_id: account, previous_owner_id: by }.into(),
            4 => RoleCreated { community_id, role, definition, by }.into(),
            5 => RoleChanged { community_id, role, definition, by }.into(),
            6 => RoleDeleted { community_id, role, by }.into(),
            _ => RolesOrdered { community_id, order, by }.into(),
        },
    )
}

fn invite_events() -> impl Strategy<Value = InviteEvent> {
    let code = proptest::array::uniform12(0..57_u8).prop_map(InviteCode::from_digits);
    const { assert!(CODE_LENGTH == 12) };
    (0..3, code, community(), (account(), account()), of(any::<u32>()), of(time())).prop_map(
        |(which, code, community_id, (a, b), max_uses, expires_at)| match which {
            0 => InviteCreated { code, community_id, created_by: a, max_uses, expires_at }.into(),
            1 => InviteRedeemed { code, community_id, account_id: a, invited_by: b }.into(),
            _ => InviteRevoked { code, community_id, revoked_by: a }.into(),
        },
    )
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        account_events().prop_map(Event::from),
        message_events().prop_map(Event::from),
        thread_events().prop_map(Event::from),
        reaction_events().prop_map(Event::from),
        poll_events().prop_map(Event::from),
        membership_events().prop_map(Event::from),
        channel_events().prop_map(Event::from),
        community_events().prop_map(Event::from),
        invite_events().prop_map(Event::from),
        report_events().prop_map(Event::from),
        account().prop_map(|account_id| ClaimEvent::from(HandleClaimed { account_id }).into()),
        account().prop_map(|account_id| ClaimEvent::from(EmailClaimed { account_id }).into()),
        (account(), of(community())).prop_map(|(administrator, community_id)| {
            InstallationEvent::from(InstallationFounded { administrator, community_id }).into()
        }),
    ]
}

fn report_events() -> impl Strategy<Value = ReportEvent> {
    let ids = (uuid().prop_map(ReportId), community(), account());
    let words = of(text(block(), |text| ReportText::parse(text).ok())).prop_map(|text| Clear(Words { text }));
    let about = (message(), channel(), account(), select(&ReportReason::ALL[..]));
    (ids, words, about, select(&ReportState::ALL[..]), any::<bool>()).prop_map(
        |(
            (report_id, community_id, by),
            words,
            (message_id, channel_id, author_id, reason),
            state,
            opened,
        )| {
            if opened {
                let reporter_id = by;
                let opened = ReportOpened {
                    report_id,
                    community_id,
                    channel_id,
                    message_id,
                    author_id,
                    reporter_id,
                    reason,
                    words,
                };
                opened.into()
            } else {
                ReportChanged { report_id, community_id, state, by, words }.into()
            }
        },
    )
}

fn personal(bytes: Option<&[u8]>) -> PersonalPart<'_> {
    bytes.map_or(PersonalPart::Sealed, PersonalPart::Clear)
}

fn kind() -> impl Strategy<Value = String> {
    let known: Vec<String> = Event::kinds().into_iter().map(|(kind, _)| kind.to_owned()).collect();
    prop_oneof![9 => select(known), 1 => any::<String>()]
}

proptest! {
    #[test]
    fn an_encoded_event_decodes_to_itself(event in events()) {
        let encoded = event.encode();
        let part = personal(encoded.personal.as_deref());
        let decoded = Event::decode(encoded.kind, encoded.schema, &encoded.data, part).unwrap();
        prop_assert_eq!(decoded, Some(event));
    }

    /// No word of it may reach the part of a record that stays readable.
    #[test]
    fn the_facts_of_an_event_do_not_depend_on_its_personal_text(a in message_events(), b in message_events()) {
        use MessageEvent::{Edited, Posted};
        let mut mixed = a.clone();
        match (&mut mixed, b) {
            (Posted(to), Posted(from)) => to.text = from.text,
            (Edited(to), Edited(from)) => to.content = from.content,
            _ => {}
        }
        prop_assert_eq!(mixed.encode().data, a.encode().data);
    }

    #[test]
    fn decoding_never_panics(
        kind in kind(),
        schema in prop_oneof![0..3_u16, any::<u16>()],
        data in any::<Vec<u8>>(),
        text in of(any::<Vec<u8>>()),
    ) {
        let _ = Event::decode(&kind, schema, &data, personal(text.as_deref()));
        let _ = Event::decode(&kind, schema, &data, PersonalPart::Erased);
    }

    #[test]
    fn decoding_a_damaged_record_never_panics(
        event in events(),
        schema in 0..3_u16,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let encoded = event.encode();
        let spoilt = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            for (at, byte) in &damage {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            bytes
        };
        let (data, text) = (spoilt(&encoded.data), encoded.personal.as_deref().map(spoilt));
        let _ = Event::decode(encoded.kind, schema, &data, personal(text.as_deref()));
        let short = &encoded.data[..cut.index(encoded.data.len())];
        let _ = Event::decode(encoded.kind, schema, short, personal(encoded.personal.as_deref()));
    }
}

#[test]
fn a_reason_is_sealed_and_an_end_is_not() {
    let reason = || Some(Clear(Reason::parse("Spam, again").unwrap()));
    let (community_id, account_id, by) =
        (CommunityId(Uuid::nil()), AccountId(Uuid::nil()), AccountId(Uuid::nil()));
    let until = Some("2026-03-01T12:00:00Z".parse().unwrap());
    let told: [MembershipEvent; 2] = [
        MemberKicked { community_id, account_id, by, reason: reason() }.into(),
        MemberBanned { community_id, account_id, by, until, reason: reason() }.into(),
    ];
    for event in told {
        let Encoded { kind, schema, data, personal } = event.encode();
        assert_eq!(personal.as_deref(), Some(&br#""Spam, again""#[..]), "{kind}");
        assert!(!String::from_utf8(data.clone()).unwrap().contains("Spam"), "{kind}");
        let decoded = |part| MembershipEvent::decode(kind, schema, &data, part).unwrap().unwrap();
        assert_eq!(decoded(PersonalPart::Clear(br#""Spam, again""#)), event);
        assert_ne!(decoded(PersonalPart::Erased), decoded(PersonalPart::Sealed));
    }
    let ends = MemberBanned { community_id, account_id, by, until, reason: None };
    let encoded = MembershipEvent::from(ends).encode();
    assert!(encoded.personal.is_none(), "without a reason nothing is sealed");
    assert!(String::from_utf8(encoded.data).unwrap().ends_with(r#","until":"2026-03-01T12:00:00Z"}"#));
}
