mod conversation;
mod overwriting;
mod settings;

use domain::channel::{
    Channel, ChannelChange, ChannelChanged, ChannelCommand, ChannelCreated, ChannelDeleted, ChannelError,
    ChannelEvent, ChannelKind, ChannelName, ChannelTopic, CreateChannel, InCategory,
};
use domain::{ChannelId, CommunityId, Permissions, Role, Standing};

use crate::given::{fold, given};
use crate::people::*;

fn name(text: &str) -> ChannelName {
    ChannelName::parse(text).unwrap()
}

fn topic(text: &str) -> ChannelTopic {
    ChannelTopic::parse(text).unwrap()
}

fn created_as(id: ChannelId, community: CommunityId, kind: ChannelKind) -> ChannelCreated {
    ChannelCreated { kind, topic: topic("All things"), ..plain_channel(id, community) }
}

fn created() -> ChannelEvent {
    created_as(CHANNEL, HERE, ChannelKind::Text).into()
}

fn deleted() -> ChannelEvent {
    ChannelDeleted { channel_id: CHANNEL, community_id: HERE, deleted_by: MODERATOR }.into()
}

fn create(by: Standing, kind: ChannelKind, category: Option<Channel>) -> ChannelCommand {
    ChannelCommand::Create(creating(by, kind, category))
}

fn creating(by: Standing, kind: ChannelKind, category: Option<Channel>) -> CreateChannel {
    let in_it = Standing { channel: Some(CATEGORY), ..by };
    CreateChannel {
        id: CHANNEL,
        by,
        name: name("general"),
        kind,
        topic: topic("All things"),
        category: category.map(|state| InCategory { id: CATEGORY, state, by: in_it }),
        private: None,
        overwrites: None,
        existing: 0,
    }
}

fn change(by: Standing, name: Option<ChannelName>, topic: Option<ChannelTopic>) -> ChannelCommand {
    ChannelCommand::Change { by, change: ChannelChange { name, topic, ..ChannelChange::default() } }
}

#[test]
fn a_moderator_creates_a_channel_of_each_kind() {
    for kind in ChannelKind::OF_COMMUNITY {
        let expected = created_as(CHANNEL, HERE, kind);
        let state = given::<Channel>([]).when(create(moderator(), kind, None)).then([expected.into()]);
        assert_eq!(state.live().map(|channel| channel.kind), Some(kind));
    }
}

#[test]
fn kinds_are_known_by_their_names() {
    let names = ChannelKind::ALL.map(ChannelKind::as_str);
    assert_eq!(names, ["text", "audio", "video", "category", "direct", "group"]);
    for kind in ChannelKind::ALL {
        assert_eq!(ChannelKind::parse(kind.as_str()), Some(kind));
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
    }
    assert_eq!(ChannelKind::parse("Text"), None);
}

#[test]
fn a_channel_stands_in_a_category_of_its_community() {
    let category = fold([created_as(CATEGORY, HERE, ChannelKind::Category).into()]);
    let expected =
        ChannelCreated { category_id: Some(CATEGORY), ..created_as(CHANNEL, HERE, ChannelKind::Text) };
    let command = create(owner(), ChannelKind::Text, Some(category));
    given::<Channel>([]).when(command).then([expected.into()]);
}

#[test]
fn a_channel_is_created_once() {
    let command = || create(moderator(), ChannelKind::Audio, None);
    given::<Channel>([created()]).when(command()).then_nothing();
    given::<Channel>([created(), deleted()]).when(command()).then_nothing();
}

#[test]
fn creating_a_channel_in_a_community_one_is_not_in_is_refused() {
    let command = create(stranger(), ChannelKind::Text, None);
    given::<Channel>([]).when(command).then_refused(ChannelError::UnknownCommunity);
}

#[test]
fn creating_a_channel_without_the_permission_is_refused() {
    for by in [member(), guest(), without(moderator(), Permissions::MANAGE_CHANNELS)] {
        let command = create(by, ChannelKind::Text, None);
        given::<Channel>([]).when(command).then_refused(ChannelError::MayNotManage);
    }
}

#[test]
fn a_category_that_is_none_of_this_community_is_refused() {
    let gone = [
        created_as(CATEGORY, HERE, ChannelKind::Category).into(),
        ChannelDeleted { channel_id: CATEGORY, community_id: HERE, deleted_by: OWNER }.into(),
    ];
    let categories = [
        fold([]),
        fold([created_as(CATEGORY, HERE, ChannelKind::Text).into()]),
        fold([created_as(CATEGORY, ELSEWHERE, ChannelKind::Category).into()]),
        fold(gone),
    ];
    for category in categories {
        let command = create(owner(), ChannelKind::Text, Some(category));
        given::<Channel>([]).when(command).then_refused(ChannelError::CategoryNotFound);
    }
}

#[test]
fn a_category_in_a_category_is_refused() {
    let category = fold([created_as(CATEGORY, HERE, ChannelKind::Category).into()]);
    let command = create(owner(), ChannelKind::Category, Some(category));
    given::<Channel>([]).when(command).then_refused(ChannelError::CategoryInCategory);
}

#[test]
fn a_change_says_only_what_changed() {
    let unchanged = ChannelChanged::nothing(CHANNEL, HERE);
    let renamed = ChannelChanged { name: Some(name("news")), ..unchanged.clone() };
    let command = change(moderator(), Some(name("news")), Some(topic("All things")));
    let state = given::<Channel>([created()]).when(command).then([renamed.into()]);
    assert_eq!(
        state.live().and_then(|channel| channel.name.as_ref()).map(|name| name.as_str()),
        Some("news")
    );
    assert_eq!(state.live().map(|channel| channel.topic.as_str()), Some("All things"));

    let emptied = ChannelChanged { topic: Some(topic("")), ..unchanged };
    let command = change(moderator(), None, Some(topic("")));
    given::<Channel>([created()]).when(command).then([emptied.into()]);
}

#[test]
fn changing_to_what_is_so_already_changes_nothing() {
    let command = change(moderator(), Some(name("general")), Some(topic("All things")));
    given::<Channel>([created()]).when(command).then_nothing();
    given::<Channel>([created()]).when(change(moderator(), None, None)).then_nothing();
}

#[test]
fn changing_a_channel_without_the_permission_is_refused() {
    for by in [member(), guest()] {
        let command = change(by, Some(name("mine")), None);
        given::<Channel>([created()]).when(command).then_refused(ChannelError::MayNotManage);
        let delete = ChannelCommand::Delete { by };
        given::<Channel>([created()]).when(delete).then_refused(ChannelError::MayNotManage);
    }
}

#[test]
fn a_channel_that_one_cannot_see_is_unknown() {
    let elsewhere = standing(MODERATOR, ELSEWHERE, &[Role::Moderator]);
    for by in [stranger(), elsewhere, without(moderator(), Permissions::VIEW)] {
        let command = change(by, Some(name("mine")), None);
        given::<Channel>([created()]).when(command).then_refused(ChannelError::Unknown);
        let delete = ChannelCommand::Delete { by };
        given::<Channel>([created()]).when(delete).then_refused(ChannelError::Unknown);
    }
}

#[test]
fn a_moderator_deletes_a_channel_and_what_it_was_stays_known() {
    let command = ChannelCommand::Delete { by: moderator() };
    let state = given::<Channel>([created()]).when(command).then([deleted()]);
    assert_eq!(state.live(), None);
    assert_eq!(state.last().map(|channel| channel.id), Some(CHANNEL));
}

#[test]
fn a_channel_that_is_no_more_or_never_was_is_unknown() {
    for history in [vec![], vec![created(), deleted()]] {
        let command = change(owner(), Some(name("mine")), None);
        given::<Channel>(history.clone()).when(command).then_refused(ChannelError::Unknown);
        let delete = ChannelCommand::Delete { by: owner() };
        given::<Channel>(history).when(delete).then_refused(ChannelError::Unknown);
    }
}
