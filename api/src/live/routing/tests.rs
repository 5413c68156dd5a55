use domain::Permissions;
use domain::channel::{ChannelDeleted, ChannelEvent, ChannelOverwritten};
use domain::community::{CommunityEvent, RoleChanged};
use domain::permission::{Overwrite, Target};
use domain::role::{Definition, Roles};

use super::*;
use crate::cursor::Cursors;
use crate::live::frame::Frame;
use crate::live::outlet::Taken;

const HOME: CommunityId = CommunityId(Uuid::from_u128(1));
const LOUNGE: ChannelId = ChannelId(Uuid::from_u128(2));
const GARDEN: ChannelId = ChannelId(Uuid::from_u128(3));
const OWNER: AccountId = AccountId(Uuid::from_u128(10));
const ANN: AccountId = AccountId(Uuid::from_u128(11));
const BOB: AccountId = AccountId(Uuid::from_u128(12));

fn snapshot(position: u64, held: &[Role]) -> projections::Access {
    let home = projections::CommunityAccess {
        id: HOME,
        owner_id: OWNER,
        held: held.iter().copied().collect(),
        roles: Roles::default(),
        restricted: vec![],
        channels: vec![LOUNGE, GARDEN],
    };
    let communities = if held.is_empty() { vec![] } else { vec![home] };
    projections::Access { position: Position(position), communities, conversations: vec![] }
}

fn reader(account: AccountId) -> Reader {
    Reader { account, session: Uuid::nil(), kind: Kind::Stream }
}

/// Accounts that subscribe from the same position on, and what they have got since.
struct Hub {
    routing: Routing,
    position: u64,
}

impl Hub {
    fn new() -> Self {
        Self { routing: Routing::new(Position(0), Arc::default()), position: 0 }
    }

    fn subscribe(&mut self, account: AccountId, held: &[Role]) -> Arc<Outlet> {
        let snapshot = snapshot(self.position, held);
        let subscribed = self.routing.subscribe(&reader(account), Position(self.position), Some(&snapshot));
        subscribed.expect("the snapshot is as new as the hub").outlet
    }

    fn deliver(&mut self, audience: Audience, change: Option<AccessChange>) {
        self.position += 1;
        let cursors = Cursors::new([1; 32], event_store::LogId(Uuid::nil()));
        let position = Position(self.position);
        let time = jiff::Timestamp::UNIX_EPOCH;
        let mut frame = Frame::new(position, &cursors.seal(position), "a.b", time, "topic", ());
        (frame.audience, frame.change) = (audience, change);
        for run in Run::cut(&[Arc::new(frame)]) {
            self.routing.deliver(&run, &mut Dirty::new());
        }
    }

    fn post(&mut self, channel: ChannelId) {
        self.deliver(Audience::Channel(HOME, channel), None);
    }

    fn overwrite(&mut self, channel: ChannelId, target: Target, allow: Permissions, deny: Permissions) {
        let event = ChannelEvent::from(ChannelOverwritten {
            channel_id: channel,
            community_id: HOME,
            target,
            overwrite: Overwrite { allow, deny },
            by: OWNER,
        });
        let change = AccessChange::of(&domain::Event::from(event));
        self.deliver(Audience::Channel(HOME, channel), change);
    }
}

/// The positions of what came, nothing of it twice.
fn came(outlet: &Outlet) -> Vec<u64> {
    let Taken::Items(items) = outlet.take() else { return vec![] };
    let frames = items.iter().flat_map(|item| match item {
        Item::Run(run) => run.frames.iter().map(|frame| frame.position.0).collect(),
        Item::Beat(_) | Item::Signal(_) => vec![],
    });
    frames.collect()
}

#[test]
fn who_loses_a_channel_hears_of_that_and_of_nothing_after_it() {
    let mut hub = Hub::new();
    let (owner, ann) = (hub.subscribe(OWNER, &[Role::Member]), hub.subscribe(ANN, &[Role::Member]));
    let bob = hub.subscribe(BOB, &[Role::Guest]);
    let (none, view) = (Permissions::empty(), Permissions::VIEW);
    hub.post(LOUNGE);
    hub.overwrite(LOUNGE, Target::Role(Role::Member), none, view);
    hub.post(LOUNGE);
    hub.post(GARDEN);
    hub.overwrite(LOUNGE, Target::Account(ANN), view, none);
    hub.post(LOUNGE);
    assert_eq!(came(&owner), [1, 2, 3, 4, 5, 6]);
    assert_eq!(came(&ann), [1, 2, 4, 5, 6]);
    assert_eq!(came(&bob), [1, 2, 3, 4, 5, 6], "a guest is not a member");
}

#[test]
fn a_role_that_grants_no_view_any_more_hides_every_channel_but_not_the_community() {
    let mut hub = Hub::new();
    let (owner, ann) = (hub.subscribe(OWNER, &[Role::Member]), hub.subscribe(ANN, &[Role::Member]));
    let view = Permissions::VIEW;
    hub.overwrite(GARDEN, Target::Role(Role::Member), view, Permissions::empty());
    let definition =
        Definition { name: None, colour: None, permissions: Permissions::POST, mentionable: false };
    let changed = RoleChanged { community_id: HOME, role: Role::Member, definition, by: OWNER };
    let change = AccessChange::of(&domain::Event::from(CommunityEvent::from(changed)));
    hub.deliver(Audience::Community(HOME), change);
    hub.post(LOUNGE);
    hub.post(GARDEN);
    hub.deliver(Audience::Community(HOME), None);
    assert_eq!(came(&ann), [1, 2, 4, 5], "an overwrite lets her into the garden still");
    assert_eq!(came(&owner), [1, 2, 3, 4, 5]);
}

#[test]
fn a_channels_end_comes_to_who_saw_it_and_to_nobody_else() {
    let mut hub = Hub::new();
    let (ann, bob) = (hub.subscribe(ANN, &[Role::Member]), hub.subscribe(BOB, &[Role::Member]));
    hub.overwrite(LOUNGE, Target::Account(BOB), Permissions::empty(), Permissions::VIEW);
    let deleted = ChannelDeleted { channel_id: LOUNGE, community_id: HOME, deleted_by: OWNER };
    let change = AccessChange::of(&domain::Event::from(ChannelEvent::from(deleted)));
    hub.deliver(Audience::Channel(HOME, LOUNGE), change.clone());
    assert_eq!((came(&ann), came(&bob)), (vec![1, 2], vec![1]));
}

#[test]
fn a_conversation_is_for_its_participants() {
    let mut hub = Hub::new();
    let (ann, bob) = (hub.subscribe(ANN, &[Role::Member]), hub.subscribe(BOB, &[]));
    let (talk, all) = (Audience::Conversation(GARDEN), vec![ANN, BOB]);
    hub.deliver(talk.clone(), Some(AccessChange::Enters { channel: GARDEN, accounts: all }));
    hub.deliver(talk.clone(), None);
    hub.deliver(talk.clone(), Some(AccessChange::Exits { channel: GARDEN, account: BOB }));
    hub.deliver(talk, None);
    assert_eq!((came(&ann), came(&bob)), (vec![1, 2, 3, 4], vec![1, 2, 3]));
}

#[test]
fn the_first_member_here_comes_again_with_the_rules() {
    let mut hub = Hub::new();
    let ann = hub.subscribe(ANN, &[]);
    let held: BTreeSet<Role> = [Role::Member].into();
    let holds = AccessChange::Holds { community: HOME, account: ANN, roles: held };
    hub.deliver(Audience::Community(HOME), Some(holds));
    assert_eq!(ann.ended(), Some(End::Lagged));
    let old = snapshot(0, &[]);
    let again = hub.routing.subscribe(&reader(ANN), Position(0), Some(&old));
    assert_eq!(again.unwrap_err(), NotYet::NeedsAccess { need: Position(1) });
    let ann = hub.subscribe(ANN, &[Role::Member]);
    hub.post(LOUNGE);
    assert_eq!(came(&ann), [2]);
}

#[test]
fn a_snapshot_ahead_of_the_hub_is_not_believed_yet() {
    let mut hub = Hub::new();
    let ahead = snapshot(5, &[Role::Member]);
    let early = hub.routing.subscribe(&reader(ANN), Position(5), Some(&ahead));
    assert_eq!(early.unwrap_err(), NotYet::NeedsAccess { need: Position(0) });
}

#[test]
fn a_snapshot_from_before_a_change_is_brought_up_to_date() {
    let mut hub = Hub::new();
    let owner = hub.subscribe(OWNER, &[Role::Member]);
    hub.overwrite(LOUNGE, Target::Role(Role::Member), Permissions::empty(), Permissions::VIEW);
    // The hub forgets the community with its last member here, and remembers what changed.
    drop(owner);
    hub.routing.end_all(End::Rotate);
    let later = Instant::now() + LINGER * 2;
    hub.routing.forget_idle(later);
    let old = snapshot(0, &[Role::Member]);
    let ann = hub.routing.subscribe(&reader(ANN), Position(1), Some(&old)).expect("it joins on").outlet;
    hub.post(LOUNGE);
    hub.post(GARDEN);
    assert_eq!(came(&ann), [3]);
}

/// A signal that goes to those near `account`, and which of `outlets` get it.
fn near(hub: &Hub, account: AccountId, outlets: &[&Arc<Outlet>]) -> Vec<bool> {
    let sight = domain::presence::Sight::OFFLINE;
    let (communities, conversations, time) = (vec![HOME], vec![], jiff::Timestamp::UNIX_EPOCH);
    let told = crate::signal::Presence { account_id: account, communities, conversations, sight, time };
    let signal = Arc::new(SignalFrame::of(&crate::signal::Signal::Presence(told)));
    hub.routing.tell(&signal, &mut Dirty::new());
    outlets.iter().map(|outlet| matches!(outlet.take(), Taken::Items(items) if items.len() == 1)).collect()
}

#[test]
fn that_somebody_comes_or_goes_is_told_to_those_near_and_not_to_themselves() {
    let mut hub = Hub::new();
    let ann = hub.subscribe(ANN, &[Role::Member]);
    let (bob, stranger) = (hub.subscribe(BOB, &[Role::Guest]), hub.subscribe(OWNER, &[]));
    assert_eq!(near(&hub, ANN, &[&ann, &bob, &stranger]), [false, true, false]);
}

#[test]
fn in_a_crowd_nobody_is_told_who_comes_and_goes() {
    let mut hub = Hub::new();
    let ann = hub.subscribe(ANN, &[Role::Member]);
    for number in 1..CROWD as u128 {
        hub.subscribe(AccountId(Uuid::from_u128(1_000 + number)), &[Role::Member]);
    }
    assert_eq!(near(&hub, BOB, &[&ann]), [true]);
    hub.subscribe(BOB, &[Role::Member]);
    assert_eq!(near(&hub, BOB, &[&ann]), [false]);
}

#[test]
fn who_is_connected_is_noted_from_the_first_subscription_to_the_last() {
    let mut hub = Hub::new();
    let noted = |hub: &Hub, now| {
        let round = hub.routing.attendance.take(now, 10);
        (round.came, round.went.into_iter().map(|(account, _)| account).collect::<Vec<_>>())
    };
    let begin = Instant::now();
    let [first, second] = [0, 1].map(|_| {
        hub.routing.subscribe(&reader(ANN), Position(0), Some(&snapshot(0, &[]))).expect("room").key
    });
    assert_eq!(noted(&hub, begin), (vec![ANN], vec![]));
    hub.routing.end(first, End::Lagged);
    assert_eq!(noted(&hub, begin + Duration::from_secs(60)), (vec![], vec![]), "another is left");
    hub.routing.end(second, End::Lagged);
    assert_eq!(noted(&hub, begin + Duration::from_secs(60)), (vec![], vec![ANN]));
}
