use domain::message::{Content, Message, MessageDeleted, MessageEvent, MessagePosted};
use domain::report::{
    Report, ReportChanged, ReportCommand, ReportError, ReportEvent, ReportOpened, ReportReason, ReportState,
    ReportText, Words,
};
use domain::{AccountId, Permissions, Personal, ReportId, Role, Standing};

use crate::given::{fold, given};
use crate::people::*;

fn text(text: &str) -> ReportText {
    ReportText::parse(text).unwrap()
}

fn words(said: Option<&str>) -> Personal<Words> {
    Personal::Clear(Words { text: said.map(text) })
}

fn posted() -> MessageEvent {
    MessagePosted {
        message_id: MESSAGE,
        channel_id: CHANNEL,
        community_id: Some(HERE),
        author_id: MEMBER,
        reply_to: None,
        poll: None,
        thread_id: None,
        forwarded: None,
        mentions: domain::mention::Mentions::default(),
        text: Personal::Clear(Content::parse("buy now").unwrap().into()),
    }
    .into()
}

fn deleted() -> MessageEvent {
    MessageDeleted {
        message_id: MESSAGE,
        channel_id: CHANNEL,
        community_id: Some(HERE),
        thread_id: None,
        deleted_by: MODERATOR,
    }
    .into()
}

fn message() -> Message {
    fold([posted()])
}

fn opened(by: AccountId, said: Option<&str>) -> ReportEvent {
    ReportOpened {
        report_id: ReportId::of(MESSAGE, by),
        community_id: HERE,
        channel_id: CHANNEL,
        message_id: MESSAGE,
        author_id: MEMBER,
        reporter_id: by,
        reason: ReportReason::Spam,
        words: words(said),
    }
    .into()
}

fn changed(state: ReportState, by: AccountId, note: Option<&str>) -> ReportEvent {
    let report_id = ReportId::of(MESSAGE, OTHER);
    ReportChanged { report_id, community_id: HERE, state, by, words: words(note) }.into()
}

fn open_with(by: Standing, message: Message, said: Option<&str>) -> ReportCommand {
    ReportCommand::Open { by, message, reason: ReportReason::Spam, text: said.map(text) }
}

fn open(by: Standing) -> ReportCommand {
    open_with(by, message(), None)
}

fn change(by: Standing, state: ReportState, note: Option<&str>) -> ReportCommand {
    ReportCommand::Change { by: Standing { channel: None, ..by }, state, note: note.map(text) }
}

#[test]
fn whoever_sees_a_message_reports_it() {
    for by in [owner(), moderator(), other(), guest(), without(guest(), Permissions::POST)] {
        let report = given::<Report>([]).when(open(by)).then([opened(by.account, None)]);
        assert_eq!(report.opened().map(|report| report.state), Some(ReportState::Open));
    }
    let said = Some("Three times today");
    given::<Report>([]).when(open_with(other(), message(), said)).then([opened(OTHER, said)]);
}

#[test]
fn a_message_that_one_cannot_see_is_unknown() {
    let elsewhere = standing(OTHER, ELSEWHERE, &[Role::Moderator]);
    for by in [stranger(), elsewhere, without(other(), Permissions::VIEW)] {
        given::<Report>([]).when(open(by)).then_refused(ReportError::UnknownMessage);
        // A report of one's own does not bring it back.
        given::<Report>([opened(OTHER, None)]).when(open(by)).then_refused(ReportError::UnknownMessage);
    }
    let never = open_with(other(), Message::Absent, None);
    given::<Report>([]).when(never).then_refused(ReportError::UnknownMessage);
}

#[test]
fn an_account_reports_a_message_once() {
    let again = open_with(other(), message(), Some("Again"));
    given::<Report>([opened(OTHER, None)]).when(again).then_nothing();
    let closed = [opened(OTHER, None), changed(ReportState::Resolved, MODERATOR, None)];
    given::<Report>(closed).when(open(other())).then_nothing();
    let gone = open_with(other(), fold([posted(), deleted()]), None);
    given::<Report>([opened(OTHER, None)]).when(gone).then_nothing();

    assert_eq!(ReportId::of(MESSAGE, OTHER), ReportId::of(MESSAGE, OTHER));
    let others = [ReportId::of(MESSAGE, MEMBER), ReportId::of(OTHER_MESSAGE, OTHER)];
    assert!(!others.contains(&ReportId::of(MESSAGE, OTHER)));
}

#[test]
fn reporting_a_deleted_message_is_refused() {
    let gone = open_with(other(), fold([posted(), deleted()]), None);
    given::<Report>([]).when(gone).then_refused(ReportError::MessageDeleted);
}

#[test]
fn reporting_outside_communities_is_refused() {
    let MessageEvent::Posted(posted) = posted() else { panic!("it is a post") };
    let between_two: Message = fold([MessagePosted { community_id: None, ..posted }.into()]);
    let participant = Standing {
        channel: Some(CHANNEL),
        permissions: Permissions::IN_CONVERSATION,
        ..Standing::outside(OTHER)
    };
    let command = open_with(participant, between_two, None);
    given::<Report>([]).when(command).then_refused(ReportError::NotInCommunity);
}

#[test]
fn whoever_manages_messages_changes_a_report_and_reopens_it() {
    for by in [moderator(), owner()] {
        for state in [ReportState::Resolved, ReportState::Dismissed] {
            let done = changed(state, by.account, Some("Warned"));
            let report = given::<Report>([opened(OTHER, None)])
                .when(change(by, state, Some("Warned")))
                .then([done.clone()]);
            assert_eq!(report.opened().map(|report| report.state), Some(state));
            given::<Report>([opened(OTHER, None), done])
                .when(change(by, ReportState::Open, None))
                .then([changed(ReportState::Open, by.account, None)]);
        }
    }
}

#[test]
fn the_state_that_a_report_has_needs_a_note_to_be_worth_saying() {
    let history = || [opened(OTHER, None), changed(ReportState::Resolved, OWNER, None)];
    given::<Report>(history()).when(change(moderator(), ReportState::Resolved, None)).then_nothing();
    given::<Report>(history())
        .when(change(moderator(), ReportState::Resolved, Some("And banned")))
        .then([changed(ReportState::Resolved, MODERATOR, Some("And banned"))]);
    given::<Report>([opened(OTHER, None)]).when(change(owner(), ReportState::Open, None)).then_nothing();
}

#[test]
fn ones_own_report_is_not_ones_own_to_handle() {
    let by = change(other(), ReportState::Dismissed, None);
    given::<Report>([opened(OTHER, None)]).when(by).then_refused(ReportError::MayNotHandle);
}

#[test]
fn to_whom_it_is_not_shown_a_report_is_unknown() {
    let elsewhere = standing(MODERATOR, ELSEWHERE, &[Role::Moderator]);
    let demoted = without(moderator(), Permissions::MANAGE_MESSAGES);
    for by in [member(), guest(), stranger(), elsewhere, demoted] {
        given::<Report>([opened(OTHER, None)])
            .when(change(by, ReportState::Resolved, None))
            .then_refused(ReportError::Unknown);
    }
    // Not even to the reporter, once outside.
    given::<Report>([opened(STRANGER, None)])
        .when(change(stranger(), ReportState::Resolved, None))
        .then_refused(ReportError::Unknown);
    let never = change(owner(), ReportState::Resolved, None);
    given::<Report>([]).when(never).then_refused(ReportError::Unknown);
}

#[test]
fn names_are_read_as_they_are_written() {
    assert!(ReportReason::ALL.into_iter().all(|reason| ReportReason::parse(reason.as_str()) == Some(reason)));
    assert!(ReportState::ALL.into_iter().all(|state| ReportState::parse(state.as_str()) == Some(state)));
    assert_eq!((ReportReason::parse("Spam"), ReportState::parse("closed")), (None, None));
}

#[test]
fn a_text_has_up_to_a_thousand_characters() {
    assert!(ReportText::parse(&"é".repeat(1_000)).is_ok());
    assert!(ReportText::parse(&"é".repeat(1_001)).is_err());
    assert!(ReportText::parse("").is_err());
}
