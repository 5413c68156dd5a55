use domain::channel::{
    Channel, ChannelCommand, ChannelCreated, ChannelError, ChannelEvent, ChannelKind, ChannelOverwritten,
    DirectOpened, WantedOverwrite,
};
use domain::permission::{MAX_OVERWRITES, Overwrite, Overwrites, Target};
use domain::{AccountId, Permissions, Rank, Role, Standing};
use uuid::Uuid;

use super::created_as;
use crate::given::{fold, given};
use crate::people::*;

const NONE: Permissions = Permissions::empty();
const POST: Permissions = Permissions::POST;

fn wanted(target: Target, rank: Rank, allow: Permissions, deny: Permissions) -> WantedOverwrite {
    WantedOverwrite { target, rank: Some(rank), overwrite: Overwrite { allow, deny } }
}

fn for_guests(allow: Permissions, deny: Permissions) -> WantedOverwrite {
    wanted(Target::Role(Role::Guest), guest().rank, allow, deny)
}

fn overwrite(by: Standing, wanted: WantedOverwrite) -> ChannelCommand {
    ChannelCommand::Overwrite { by, wanted }
}

fn overwritten(by: Standing, wanted: WantedOverwrite) -> ChannelEvent {
    let WantedOverwrite { target, overwrite, .. } = wanted;
    ChannelOverwritten { channel_id: CHANNEL, community_id: HERE, target, overwrite, by: by.account }.into()
}

fn channel() -> ChannelEvent {
    created_as(CHANNEL, HERE, ChannelKind::Text).into()
}

#[track_caller]
fn refused(by: Standing, wanted: WantedOverwrite, error: ChannelError) {
    given::<Channel>([channel()]).when(overwrite(by, wanted)).then_refused(error);
}

#[test]
fn an_overwrite_is_given_changed_and_taken_away() {
    let (denied, allowed, gone) = (for_guests(NONE, POST), for_guests(POST, NONE), for_guests(NONE, NONE));
    let by = moderator();
    let mut history = vec![channel()];
    for (wanted, left) in [(denied, 1), (allowed, 1), (gone, 0)] {
        let state =
            given::<Channel>(history.clone()).when(overwrite(by, wanted)).then([overwritten(by, wanted)]);
        assert_eq!(state.live().map(|channel| channel.overwrites.len()), Some(left));
        history.push(overwritten(by, wanted));
    }
}

#[test]
fn an_overwrite_that_is_so_already_changes_nothing() {
    let denied = for_guests(NONE, POST);
    let history = [channel(), overwritten(owner(), denied)];
    given::<Channel>(history).when(overwrite(moderator(), denied)).then_nothing();
    given::<Channel>([channel()]).when(overwrite(moderator(), for_guests(NONE, NONE))).then_nothing();
}

#[test]
fn managing_roles_in_the_channel_is_enough() {
    let by = without(moderator(), Permissions::MANAGE_CHANNELS);
    let denied = for_guests(NONE, POST);
    given::<Channel>([channel()]).when(overwrite(by, denied)).then([overwritten(by, denied)]);
}

#[test]
fn overwriting_without_the_permission_is_refused() {
    let neither = without(moderator(), Permissions::MANAGE_CHANNELS | Permissions::MANAGE_ROLES);
    for by in [member(), neither] {
        refused(by, for_guests(NONE, POST), ChannelError::MayNotManage);
    }
}

#[test]
fn the_overwrites_of_a_channel_that_one_cannot_see_are_unknown() {
    for by in [stranger(), without(moderator(), Permissions::VIEW)] {
        refused(by, for_guests(NONE, POST), ChannelError::Unknown);
    }
}

#[test]
fn a_conversation_has_no_overwrites() {
    let opened = DirectOpened { channel_id: CHANNEL, accounts: [MEMBER, OTHER], by: MEMBER };
    let state: Channel = fold([opened.clone().into()]);
    let live = state.live().unwrap();
    let by = Standing::in_channel(MEMBER, live, &Default::default(), &Default::default(), NOW);
    let command = overwrite(by, for_guests(NONE, POST));
    given::<Channel>([opened.into()]).when(command).then_refused(ChannelError::OfConversation);
}

#[test]
fn a_permission_that_no_channel_has_is_refused() {
    for permission in [Permissions::KICK, Permissions::MANAGE_ROLES, Permissions::all()] {
        refused(owner(), for_guests(permission, NONE), ChannelError::NotOfChannel);
        refused(owner(), for_guests(NONE, permission), ChannelError::NotOfChannel);
    }
}

#[test]
fn what_is_allowed_and_denied_at_once_is_refused() {
    refused(owner(), for_guests(POST, POST | Permissions::REACT), ChannelError::AllowedAndDenied);
}

#[test]
fn a_role_or_member_that_the_community_does_not_have_is_refused() {
    for target in [Target::Role(Role::Custom(Uuid::from_u128(9))), Target::Account(STRANGER)] {
        let nobody = WantedOverwrite { target, rank: None, ..for_guests(NONE, POST) };
        refused(owner(), nobody, ChannelError::UnknownTarget);
    }
}

#[test]
fn what_is_left_of_who_went_can_be_taken_away() {
    let left = wanted(Target::Account(STRANGER), Rank::OUTSIDER, NONE, POST);
    let history = || [channel(), overwritten(owner(), left)];
    let gone = WantedOverwrite { rank: None, overwrite: Overwrite::default(), ..left };
    given::<Channel>(history()).when(overwrite(moderator(), gone)).then([overwritten(moderator(), gone)]);
    let changed = WantedOverwrite { rank: None, overwrite: Overwrite { allow: POST, deny: NONE }, ..left };
    given::<Channel>(history()).when(overwrite(owner(), changed)).then_refused(ChannelError::UnknownTarget);
}

#[test]
fn nobody_overwrites_for_their_own_rank_or_above() {
    for (target, rank) in [
        (Target::Role(Role::Moderator), moderator().rank),
        (Target::Account(MODERATOR), moderator().rank),
        (Target::Account(OWNER), Rank::OWNER),
    ] {
        refused(moderator(), wanted(target, rank, NONE, POST), ChannelError::TargetTooHigh);
        let allowed = wanted(target, rank, NONE, POST);
        given::<Channel>([channel()]).when(overwrite(owner(), allowed)).then([overwritten(owner(), allowed)]);
    }
}

#[test]
fn nobody_gives_or_takes_what_they_lack() {
    let by = without(moderator(), POST);
    refused(by, for_guests(POST, NONE), ChannelError::GrantsMore);
    refused(by, for_guests(NONE, POST), ChannelError::GrantsMore);
    // Taking a denial away gives it, too.
    let history = || [channel(), overwritten(owner(), for_guests(NONE, POST))];
    let command = overwrite(by, for_guests(NONE, NONE));
    given::<Channel>(history()).when(command).then_refused(ChannelError::GrantsMore);
    // What stays as it is counts for nothing.
    let more = for_guests(NONE, POST | Permissions::REACT);
    given::<Channel>(history()).when(overwrite(by, more)).then([overwritten(by, more)]);
}

#[test]
fn a_channel_has_at_most_100_overwrites() {
    let account = |id: usize| Target::Account(AccountId(Uuid::from_u128(0xf000 + id as u128)));
    let denied = Overwrite { allow: NONE, deny: POST };
    let with = |count: usize| {
        let overwrites: Overwrites = (0..count).map(|id| (account(id), denied)).collect();
        ChannelEvent::from(ChannelCreated { overwrites, ..created_as(CHANNEL, HERE, ChannelKind::Text) })
    };
    let new = for_guests(NONE, POST);
    given::<Channel>([with(MAX_OVERWRITES - 1)])
        .when(overwrite(owner(), new))
        .then([overwritten(owner(), new)]);
    let full = || [with(MAX_OVERWRITES)];
    given::<Channel>(full()).when(overwrite(owner(), new)).then_refused(ChannelError::TooManyOverwrites);
    let changed = wanted(account(0), member().rank, POST, NONE);
    given::<Channel>(full()).when(overwrite(owner(), changed)).then([overwritten(owner(), changed)]);
    assert_eq!(MAX_OVERWRITES, 100);
}
