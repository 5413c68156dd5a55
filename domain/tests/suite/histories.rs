//! Random histories of one community: whatever people try, in whatever order, nothing inconsistent comes of it.

use std::collections::BTreeSet;
use std::fmt::Debug;

use domain::channel::{
    Channel, ChannelChange, ChannelCommand, ChannelKind, ChannelName, ChannelTopic, CreateChannel, InCategory,
};
use domain::community::{Community, CommunityCommand, CommunityName, RoleChange};
use domain::emoji::Emoji;
use domain::invite::{CODE_LENGTH, Invite, InviteCode, InviteCommand, entry};
use domain::membership::{JoinedBy, Membership, MembershipCommand};
use domain::mention::Wanted;
use domain::message::{Content, Forward, Message, MessageCommand, PostMessage};
use domain::poll::{NewPoll, Poll, PollCommand, PollOption, PollOptions};
use domain::reaction::{MAX_KINDS, ReactionCommand, Reactions};
use domain::report::{Report, ReportCommand, ReportReason, ReportState};
use domain::role::{Definition, Roles};
use domain::thread::{Follow, Following};
use domain::{AccountId, Aggregate, ChannelId, CommunityId, MessageId, Permissions, Role, Standing};
use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

const PEOPLE: usize = 5;
const PLACES: usize = 2;
const HERE: CommunityId = CommunityId(Uuid::from_u128(0xc0));

/// When everything happens, but for redemptions.
const START: Timestamp = Timestamp::UNIX_EPOCH;

/// What somebody tries. Numbers name people, channels, messages and invites, modulo how many there are.
#[derive(Debug, Clone)]
enum Try {
    Rename,
    DeleteCommunity,
    Leave,
    Kick(usize),
    Ban(usize),
    Unban(usize),
    TimeOut(usize),
    EndTimeOut(usize),
    SetRoles(usize, BTreeSet<Role>),
    CreateRole(u128, Permissions),
    ChangeRole(Role, Permissions),
    DeleteRole(Role),
    OrderRoles(Vec<Role>),
    Transfer(usize),
    CreateChannel(usize, ChannelKind),
    ChangeChannel(usize),
    DeleteChannel(usize),
    Post(usize, usize, Option<usize>, Option<usize>),
    Forward(usize, usize, usize),
    Sweep(usize, usize),
    Follow(usize, bool),
    Edit(usize),
    DeleteMessage(usize),
    Pin(usize, bool),
    React(usize, usize),
    Unreact(usize, usize),
    ClearReactions(usize, Option<usize>),
    Vote(usize, BTreeSet<u8>, i64),
    ClosePoll(usize),
    CreateInvite(usize, Option<u32>, Option<i64>),
    Redeem(usize, i64),
    Revoke(usize),
    Report(usize),
    ChangeReport(usize, ReportState),
}

fn custom(number: u128) -> Role {
    Role::Custom(Uuid::from_u128(0xb0 + number))
}

fn all_roles() -> Vec<Role> {
    Role::BUILT_IN.into_iter().chain([custom(0), custom(1)]).collect()
}

fn role() -> impl Strategy<Value = Role> {
    proptest::sample::select(all_roles())
}

fn tries() -> impl Strategy<Value = Try> {
    let some = 0..PEOPLE;
    let place = || 0..PLACES;
    let message = || 0..4_usize;
    let emoji = || 0..3_usize;
    let roles = proptest::collection::btree_set(role(), 0..=3);
    let permissions = || any::<u64>().prop_map(Permissions::from_bits_truncate);
    let kind = proptest::sample::select(ChannelKind::OF_COMMUNITY.to_vec());
    prop_oneof![
        1 => Just(Try::Rename),
        1 => proptest::bool::weighted(0.1).prop_map(|end| if end { Try::DeleteCommunity } else { Try::Rename }),
        2 => Just(Try::Leave),
        2 => some.clone().prop_map(Try::Kick),
        2 => some.clone().prop_map(Try::Ban),
        2 => some.clone().prop_map(Try::Unban),
        2 => some.clone().prop_map(Try::TimeOut),
        1 => some.clone().prop_map(Try::EndTimeOut),
        3 => (0..2_u128, permissions()).prop_map(|(number, grants)| Try::CreateRole(number, grants)),
        3 => (role(), permissions()).prop_map(|(role, grants)| Try::ChangeRole(role, grants)),
        1 => role().prop_map(Try::DeleteRole),
        2 => Just(all_roles()).prop_shuffle().prop_map(Try::OrderRoles),
        1 => some.clone().prop_map(Try::Transfer),
        8 => (some, roles).prop_map(|(who, roles)| Try::SetRoles(who, roles)),
        3 => (place(), kind).prop_map(|(which, kind)| Try::CreateChannel(which, kind)),
        1 => place().prop_map(Try::ChangeChannel),
        1 => place().prop_map(Try::DeleteChannel),
        9 => (message(), place(), proptest::option::of(message()), proptest::option::of(message()))
            .prop_map(|(id, at, to, thread)| Try::Post(id, at, to, thread)),
        4 => (message(), place(), message()).prop_map(|(id, at, source)| Try::Forward(id, at, source)),
        1 => (message(), place()).prop_map(|(which, at)| Try::Sweep(which, at)),
        2 => (message(), any::<bool>()).prop_map(|(which, follow)| Try::Follow(which, follow)),
        4 => message().prop_map(Try::Edit),
        3 => message().prop_map(Try::DeleteMessage),
        2 => (message(), any::<bool>()).prop_map(|(which, pinned)| Try::Pin(which, pinned)),
        4 => (message(), emoji()).prop_map(|(which, emoji)| Try::React(which, emoji)),
        2 => (message(), emoji()).prop_map(|(which, emoji)| Try::Unreact(which, emoji)),
        1 => (message(), proptest::option::of(emoji())).prop_map(|(id, emoji)| Try::ClearReactions(id, emoji)),
        4 => (message(), proptest::collection::btree_set(0..4_u8, 0..3), 0..20_i64)
            .prop_map(|(which, options, now)| Try::Vote(which, options, now)),
        1 => message().prop_map(Try::ClosePoll),
        4 => (place(), proptest::option::of(0..3_u32), proptest::option::of(0..20_i64))
            .prop_map(|(which, max, end)| Try::CreateInvite(which, max, end)),
        9 => (place(), 0..20_i64).prop_map(|(which, now)| Try::Redeem(which, now)),
        1 => place().prop_map(Try::Revoke),
        4 => message().prop_map(Try::Report),
        4 => (message(), proptest::sample::select(ReportState::ALL.to_vec()))
            .prop_map(|(about, state)| Try::ChangeReport(about, state)),
    ]
}

/// The folds of all streams of the history.
#[derive(Default)]
struct World {
    community: Community,
    memberships: [Membership; PEOPLE],
    channels: [Channel; PLACES],
    messages: [Message; 4],
    reactions: [Reactions; 4],
    follows: [[Following; 4]; PEOPLE],
    polls: [Poll; 4],
    invites: [Invite; PLACES],
    uses: [u32; PLACES],
    /// By whom, about which message.
    reports: [[Report; 4]; PEOPLE],
}

fn account(who: usize) -> AccountId {
    AccountId(Uuid::from_u128(0xa0 + who as u128))
}

fn message(which: usize) -> MessageId {
    MessageId(Uuid::from_u128(0xe0 + which as u128))
}

fn channel(which: usize) -> ChannelId {
    ChannelId(Uuid::from_u128(0xd0 + which as u128))
}

/// Decides, checks that the state takes what was decided, and that the same command again does nothing more; for
/// commands of which that is not so, `again` is false.
fn act<A>(state: &mut A, command: A::Command, again: bool) -> usize
where
    A: Aggregate + PartialEq + Debug,
    A::Command: Clone + Debug,
{
    let Ok(events) = state.decide(command.clone()) else { return 0 };
    let before = state.clone();
    for event in &events {
        state.evolve(event);
    }
    if events.is_empty() {
        assert_eq!(*state, before);
    }
    let repeated = state.decide(command.clone()).map_or(0, |events| events.len());
    assert_eq!(repeated > 0, again && !events.is_empty(), "{command:?} happened twice, or should have");
    events.len()
}

impl World {
    fn founded() -> Self {
        let mut world = Self::default();
        let name = CommunityName::parse("Here").unwrap();
        act(&mut world.community, CommunityCommand::Create { id: HERE, owner: account(0), name }, false);
        world.join(0, JoinedBy::Founding);
        world
    }

    fn join(&mut self, who: usize, by: JoinedBy) {
        let command = MembershipCommand::Join {
            community: HERE,
            account: account(who),
            by,
            invited_by: None,
            now: START,
        };
        act(&mut self.memberships[who], command, false);
    }

    fn standing(&self, who: usize) -> Standing {
        Standing::of(account(who), HERE, &self.community, &self.memberships[who], START)
    }

    fn standing_in(&self, who: usize, which: usize) -> Standing {
        let Some(channel) = self.channels[which].live() else { return Standing::outside(account(who)) };
        let (community, membership) = (&self.community, &self.memberships[who]);
        Standing::in_channel(account(who), channel, community, membership, START)
    }

    fn standing_at(&self, who: usize, message: usize) -> Standing {
        let at = self.messages[message].facts().map(|facts| facts.channel_id);
        let which = at.and_then(|at| (0..PLACES).find(|which| channel(*which) == at));
        which.map_or(Standing::outside(account(who)), |which| self.standing_in(who, which))
    }

    fn attempt(&mut self, who: usize, attempt: Try) {
        let by = self.standing(who);
        match attempt {
            Try::Rename => {
                let name = CommunityName::parse("There").unwrap();
                act(&mut self.community, CommunityCommand::Rename { by, name }, false);
            }
            Try::DeleteCommunity => drop(act(&mut self.community, CommunityCommand::Delete { by }, false)),
            Try::Leave => drop(act(&mut self.memberships[who], MembershipCommand::Leave { by }, false)),
            Try::Kick(whom) => {
                self.moderate(whom, |target| MembershipCommand::Kick { by, target, reason: None })
            }
            Try::Ban(whom) => self.moderate(whom, |target| MembershipCommand::Ban {
                by,
                target,
                reason: None,
                until: None,
                now: START,
            }),
            Try::Unban(whom) => {
                self.moderate(whom, |target| MembershipCommand::Unban { by, account: target.account });
            }
            Try::SetRoles(whom, roles) => {
                let known = self.community.live().map(|live| live.roles.clone()).unwrap_or_default();
                self.moderate(whom, |target| MembershipCommand::SetRoles { by, target, roles, known });
            }
            Try::TimeOut(whom) => self.moderate(whom, |target| MembershipCommand::TimeOut {
                by,
                target,
                until: at(20),
                reason: None,
                now: START,
            }),
            Try::EndTimeOut(whom) => {
                self.moderate(whom, |target| MembershipCommand::EndTimeOut { by, target });
            }
            Try::CreateRole(number, permissions) => {
                let definition = Definition { name: None, colour: None, permissions, mentionable: false };
                self.manage(by, CommunityCommand::CreateRole { by, role: custom(number), definition });
            }
            Try::ChangeRole(role, permissions) => {
                let change = RoleChange { permissions: Some(permissions), ..RoleChange::default() };
                self.manage(by, CommunityCommand::ChangeRole { by, role, change });
            }
            Try::DeleteRole(role) => self.manage(by, CommunityCommand::DeleteRole { by, role }),
            Try::OrderRoles(wanted) => {
                let known = self.community.live().map(|live| live.roles.clone()).unwrap_or_default();
                let lowest = [Role::Guest, Role::Member];
                let rest =
                    wanted.into_iter().filter(|role| known.get(*role).is_some() && !lowest.contains(role));
                let order = lowest.into_iter().chain(rest).collect();
                self.manage(by, CommunityCommand::OrderRoles { by, order });
            }
            Try::Transfer(whom) => {
                let to = self.standing(whom);
                act(&mut self.community, CommunityCommand::TransferOwnership { by, to }, false);
            }
            Try::CreateChannel(which, kind) => self.create_channel(which, kind, by),
            Try::ChangeChannel(which) => {
                let by = self.standing_in(who, which);
                let name = Some(ChannelName::parse("news").unwrap());
                let change = ChannelChange { name, archived: Some(who == 1), ..ChannelChange::default() };
                act(&mut self.channels[which], ChannelCommand::Change { by, change }, false);
            }
            Try::DeleteChannel(which) => {
                let by = self.standing_in(who, which);
                act(&mut self.channels[which], ChannelCommand::Delete { by }, false);
            }
            Try::Post(which, place, to, thread) => self.post(who, which, place, to, thread),
            Try::Forward(which, place, source) => {
                let forward = Forward {
                    source: self.messages[source].clone(),
                    by: self.standing_at(who, source),
                    created_at: at(0),
                    text: Some(Content::parse("news").unwrap()),
                };
                let post =
                    PostMessage { forward: Some(forward), content: None, ..self.plain(who, which, place) };
                act(&mut self.messages[which], MessageCommand::Post(post), false);
            }
            Try::Sweep(which, place) => {
                let (by, channel) = (self.standing_in(who, place), self.channels[place].clone());
                act(&mut self.messages[which], MessageCommand::Sweep { by, channel }, false);
            }
            Try::Follow(which, follow) => {
                let (root, by) = (self.messages[which].clone(), self.standing_at(who, which));
                act(&mut self.follows[who][which], Follow { root, by, follow }, false);
            }
            Try::Edit(which) => {
                let by = self.standing_at(who, which);
                let content = Content::parse("again").unwrap();
                let wanted = Wanted { everyone: true, ..Wanted::default() };
                act(&mut self.messages[which], MessageCommand::Edit { by, content, wanted }, true);
            }
            Try::DeleteMessage(which) => {
                let by = self.standing_at(who, which);
                act(&mut self.messages[which], MessageCommand::Delete { by }, false);
            }
            Try::Pin(which, pinned) => {
                let by = self.standing_at(who, which);
                let command = if pinned { MessageCommand::Pin { by } } else { MessageCommand::Unpin { by } };
                act(&mut self.messages[which], command, false);
            }
            Try::React(which, number) => self.react(who, which, |message, by| ReactionCommand::Add {
                message,
                by,
                emoji: emoji(number),
            }),
            Try::Unreact(which, number) => self.react(who, which, |message, by| ReactionCommand::Remove {
                message,
                by,
                emoji: emoji(number),
            }),
            Try::ClearReactions(which, number) => self.react(who, which, |message, by| {
                ReactionCommand::Clear { message, by, emoji: number.map(emoji) }
            }),
            Try::Vote(which, options, now) => {
                let (message, by) = (self.messages[which].clone(), self.standing_at(who, which));
                let command = PollCommand::Vote { message, by, options, now: at(now) };
                act(&mut self.polls[which], command, false);
            }
            Try::ClosePoll(which) => {
                let (message, by) = (self.messages[which].clone(), self.standing_at(who, which));
                act(&mut self.polls[which], PollCommand::Close { message, by, now: at(0) }, false);
            }
            Try::CreateInvite(which, max_uses, end) => {
                let code = InviteCode::from_digits([which as u8; CODE_LENGTH]);
                let expires_at = end.map(at);
                let command = InviteCommand::Create { code, by, max_uses, expires_at };
                act(&mut self.invites[which], command, false);
            }
            Try::Redeem(which, now) => self.redeem(which, who, at(now)),
            Try::Revoke(which) => drop(act(&mut self.invites[which], InviteCommand::Revoke { by }, false)),
            Try::Report(about) => {
                let (by, message) = (self.standing_at(who, about), self.messages[about].clone());
                let command = ReportCommand::Open { by, message, reason: ReportReason::Other, text: None };
                act(&mut self.reports[who][about], command, false);
            }
            Try::ChangeReport(which, state) => {
                let opened = self.reports.iter_mut().flatten().filter(|report| **report != Report::Absent);
                let opened: Vec<&mut Report> = opened.collect();
                let which = which % opened.len().max(1);
                if let Some(report) = opened.into_iter().nth(which) {
                    act(report, ReportCommand::Change { by, state, note: None }, false);
                }
            }
        }
    }

    fn moderate(&mut self, whom: usize, command: impl FnOnce(Standing) -> MembershipCommand) {
        let target = self.standing(whom);
        act(&mut self.memberships[whom], command(target), false);
    }

    /// Whoever manages roles, the owner aside, has afterwards what they had before and ranks as they did, and nothing above
    /// them has changed.
    fn manage(&mut self, by: Standing, command: CommunityCommand) {
        let Some(before) = self.community.live().map(|live| live.roles.clone()) else { return };
        act(&mut self.community, command, false);
        let after = &self.community.live().unwrap().roles;
        if by.is_owner() {
            return;
        }
        let above = |roles: &Roles| {
            let rank = roles.rank(&self.held(by.account));
            let touching = roles.iter().filter(|(role, _)| roles.rank_of(*role) >= rank);
            touching.map(|(role, definition)| (role, definition.clone())).collect::<Vec<_>>()
        };
        assert_eq!(above(&before), above(after));
        let granted = |roles: &Roles| {
            let each = roles.iter().map(|(_, definition)| definition.permissions);
            each.fold(Permissions::empty(), |sum, permissions| sum | permissions)
        };
        let new = granted(after) - granted(&before);
        assert!(by.permissions.contains(new), "{new:?} was granted by who lacks it");
    }

    fn held(&self, account_id: AccountId) -> BTreeSet<Role> {
        let who = (0..PEOPLE).find(|who| account(*who) == account_id);
        who.and_then(|who| self.memberships[who].roles().cloned()).unwrap_or_default()
    }

    fn create_channel(&mut self, which: usize, kind: ChannelKind, by: Standing) {
        let other = (which + 1) % PLACES;
        let category =
            (kind != ChannelKind::Category).then(|| (channel(other), self.channels[other].clone()));
        let category = category.filter(|(_, state)| state.live().is_some());
        let (name, topic) = (ChannelName::parse("general").unwrap(), ChannelTopic::parse("").unwrap());
        let category = category.map(|(id, state)| {
            let by = Standing { channel: Some(id), ..by };
            InCategory { id, state, by }
        });
        let (private, overwrites, existing) = (None, None, 0);
        let id = channel(which);
        let create = CreateChannel { id, by, name, kind, topic, category, private, overwrites, existing };
        let command = ChannelCommand::Create(create);
        act(&mut self.channels[which], command, false);
    }

    fn react(
        &mut self,
        who: usize,
        which: usize,
        command: impl FnOnce(Message, Standing) -> ReactionCommand,
    ) {
        let command = command(self.messages[which].clone(), self.standing_at(who, which));
        act(&mut self.reactions[which], command, false);
    }

    fn post(&mut self, who: usize, which: usize, place: usize, to: Option<usize>, thread: Option<usize>) {
        let message = |which: usize| (message(which), self.messages[which].clone());
        let post = PostMessage {
            reply_to: to.map(message),
            thread: thread.map(message),
            // Every other message has a poll.
            poll: (which.is_multiple_of(2)).then(|| poll(which)),
            ..self.plain(who, which, place)
        };
        act(&mut self.messages[which], MessageCommand::Post(post), false);
    }

    fn plain(&self, who: usize, which: usize, place: usize) -> PostMessage {
        PostMessage {
            id: message(which),
            channel_id: channel(place),
            channel: self.channels[place].clone(),
            by: self.standing_in(who, place),
            content: Some(Content::parse("hello").unwrap()),
            wanted: Wanted { everyone: true, accounts: [account(who)].into(), ..Wanted::default() },
            reply_to: None,
            thread: None,
            forward: None,
            poll: None,
            now: at(0),
            wait: None,
        }
    }

    /// As the product does it: a redemption is followed by joining.
    fn redeem(&mut self, which: usize, who: usize, now: Timestamp) {
        let entry = entry(self.community.live().is_some(), &self.memberships[who], START);
        let command = InviteCommand::Redeem { account: account(who), entry, now };
        let Ok(events) = self.invites[which].decide(command) else { return };
        if events.is_empty() {
            return;
        }
        self.uses[which] += 1;
        events.iter().for_each(|event| self.invites[which].evolve(event));
        self.join(who, JoinedBy::Invite);
        // Now inside, the same person uses up nothing more.
        let entry = domain::invite::entry(true, &self.memberships[who], START);
        let again = InviteCommand::Redeem { account: account(who), entry, now };
        assert_eq!(self.invites[which].decide(again), Ok(vec![]));
    }

    fn check(&self, before: &Self) {
        if let Some(live) = self.community.live() {
            let owners: Vec<_> = (0..PEOPLE).filter(|who| self.standing(*who).is_owner()).collect();
            let [owner] = owners[..] else { panic!("owned by {owners:?}") };
            assert_eq!(account(owner), live.owner_id, "the owner lost the community");
            assert_eq!(self.standing(owner).permissions, Permissions::all());
            assert_eq!(&live.roles.order()[..2], [Role::Guest, Role::Member]);
        }
        for facts in self.messages.iter().filter_map(Message::facts) {
            let Some(root) = facts.thread_id else { continue };
            let root = self.messages.iter().filter_map(Message::facts).find(|facts| facts.id == root);
            let root = root.expect("a thread begins with a message");
            assert!(
                root.thread_id.is_none() && root.channel_id == facts.channel_id,
                "{facts:?} below {root:?}"
            );
        }
        for (now, before) in self.messages.iter().zip(&before.messages) {
            let gone = matches!(before, Message::Deleted(_));
            assert!(!gone || now == before, "a deleted message changed: {now:?}");
            assert!(before.facts().is_none_or(|facts| now.facts() == Some(facts)), "a message changed hands");
        }
        let things = self.messages.iter().zip(&self.reactions).zip(&self.polls);
        let earlier = before.messages.iter().zip(&before.reactions).zip(&before.polls);
        for (((message, reactions), poll), ((then, reacted), voted)) in things.zip(earlier) {
            let over = then.is_deleted();
            assert!(!over || (reactions, poll) == (reacted, voted), "said of a deleted message: {message:?}");
            assert!(reactions.kinds().count() <= MAX_KINDS);
            for (emoji, count) in reactions.kinds() {
                let people = (0..PEOPLE).filter(|who| reactions.has(account(*who), emoji)).count();
                assert!(count > 0 && count as usize == people, "{emoji}: {count} of {people}");
            }
            for option in 0..3 {
                let their_votes = (0..PEOPLE).filter_map(|who| poll.vote_of(account(who)));
                let votes = their_votes.filter(|vote| vote.contains(&option)).count();
                assert_eq!(poll.votes(option) as usize, votes, "option {option}");
            }
        }
        for (now, before) in self.channels.iter().zip(&before.channels) {
            assert!(!matches!(before, Channel::Deleted(_)) || now == before, "a deleted channel changed");
        }
        for (now, before) in self.reports.iter().flatten().zip(before.reports.iter().flatten()) {
            let handled = |report: &Report| report.opened().map(|report| report.state);
            let ended = self.community.live().is_none();
            assert!(!ended || handled(now) == handled(before), "a report outlived its community: {now:?}");
        }
        assert!(before.community != Community::Deleted || self.community == Community::Deleted);
        for (invite, uses) in self.invites.iter().zip(self.uses) {
            let Some(known) = invite.last() else { continue };
            assert_eq!(known.uses, uses, "every use counts once");
            assert!(known.max_uses.is_none_or(|max| known.uses <= max), "used too often: {known:?}");
        }
        for membership in &self.memberships {
            assert!(membership.roles().is_none_or(|roles| !roles.is_empty()), "a member without a role");
        }
    }

    fn snapshot(&self) -> Self {
        Self {
            community: self.community.clone(),
            memberships: self.memberships.clone(),
            channels: self.channels.clone(),
            messages: self.messages.clone(),
            reactions: self.reactions.clone(),
            follows: self.follows,
            polls: self.polls.clone(),
            invites: self.invites.clone(),
            uses: self.uses,
            reports: self.reports.clone(),
        }
    }
}

fn emoji(number: usize) -> Emoji {
    Emoji::parse(["🎉", "👍", ":heart:"][number]).unwrap()
}

fn poll(which: usize) -> NewPoll {
    let options = ["a", "b", "c"].map(|text| PollOption::parse(text).unwrap()).to_vec();
    let closes_at = (which == 0).then(|| at(15));
    NewPoll { options: PollOptions::new(options).unwrap(), multiple: which == 0, closes_at }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Which things a history brought about; a generator that reaches none of them would prove nothing.
#[derive(Debug, Default, Clone, Copy)]
struct Reached {
    banned: bool,
    deleted: bool,
    used_up: bool,
    moderators: bool,
    handed_over: bool,
    owner_left: bool,
    own_roles: bool,
    managers: bool,
    silent: bool,
    ended: bool,
    pinned: bool,
    reacted: bool,
    voted: bool,
    handled: bool,
    threaded: bool,
    forwarded: bool,
    everyone: bool,
    following: bool,
}

impl Reached {
    fn flags(&mut self) -> [&mut bool; 18] {
        let Self {
            banned,
            deleted,
            used_up,
            moderators,
            handed_over,
            owner_left,
            own_roles,
            managers,
            silent,
            ended,
            pinned,
            reacted,
            voted,
            handled,
            threaded,
            forwarded,
            everyone,
            following,
        } = self;
        [
            banned,
            deleted,
            used_up,
            moderators,
            handed_over,
            owner_left,
            own_roles,
            managers,
            silent,
            ended,
            pinned,
            reacted,
            voted,
            handled,
            threaded,
            forwarded,
            everyone,
            following,
        ]
    }

    fn add(&mut self, mut other: Self) {
        self.flags().into_iter().zip(other.flags()).for_each(|(flag, more)| *flag |= *more);
    }

    fn is_everything(&mut self) -> bool {
        self.flags().into_iter().all(|flag| *flag)
    }
}

fn live_through(history: Vec<(usize, Try)>) -> Reached {
    let mut world = World::founded();
    let mut reached = Reached::default();
    for (who, attempt) in history {
        let before = world.snapshot();
        world.attempt(who, attempt);
        world.check(&before);
        reached.banned |= world.memberships.iter().any(|membership| membership.is_banned(START));
        reached.deleted |= world.messages.iter().any(|message| matches!(message, Message::Deleted(_)));
        let used_up =
            |invite: &Invite| invite.last().is_some_and(|i| i.uses > 0 && i.max_uses == Some(i.uses));
        reached.used_up |= world.invites.iter().any(used_up);
        let moderates = |roles: &BTreeSet<Role>| roles.contains(&Role::Moderator);
        reached.moderators |= world.memberships.iter().any(|m| m.roles().is_some_and(moderates));
        reached.pinned |= world.messages.iter().any(Message::is_pinned);
        reached.reacted |= world.reactions.iter().any(|reactions| reactions.kinds().count() > 1);
        reached.voted |= world.polls.iter().any(|poll| (0..3).any(|option| poll.votes(option) > 0));
        let owns = world.community.live().map(|live| live.owner_id);
        reached.handed_over |= owns.is_some_and(|owner| owner != account(0));
        reached.owner_left |= reached.handed_over && world.memberships[0].roles().is_none();
        let holds = |roles: &BTreeSet<Role>| roles.contains(&custom(0)) || roles.contains(&custom(1));
        reached.own_roles |= world.memberships.iter().any(|m| m.roles().is_some_and(holds));
        let managed_by_others = (0..PEOPLE).any(|who| {
            let by = world.standing(who);
            !by.is_owner() && by.may(Permissions::MANAGE_ROLES) && by.rank.number() > 3
        });
        reached.managers |= managed_by_others;
        reached.silent |= (0..PEOPLE).any(|who| world.standing(who).timed_out.is_some());
        let facts = || world.messages.iter().filter_map(Message::facts);
        reached.threaded |= facts().any(|facts| facts.thread_id.is_some());
        reached.forwarded |= facts().any(|facts| facts.forwarded.is_some());
        reached.everyone |= world.messages.iter().any(|m| m.mentions().is_some_and(|m| m.everyone));
        reached.following |= world.follows.as_flattened().iter().any(|follow| follow.said == Some(true));
        reached.ended |= world.community == Community::Deleted;
        let handled = |report: &Report| report.opened().is_some_and(|r| r.state == ReportState::Resolved);
        reached.handled |= world.reports.iter().flatten().any(handled);
    }
    reached
}

fn histories() -> impl Strategy<Value = Vec<(usize, Try)>> {
    // The owner acts most often: without them nothing gets under way.
    let who = prop_oneof![2 => Just(0_usize), 3 => 0..PEOPLE];
    proptest::collection::vec((who, tries()), 1..160)
}

proptest! {
    #[test]
    fn no_history_leads_to_an_inconsistent_state(history in histories()) {
        live_through(history);
    }
}

#[test]
fn the_histories_reach_what_they_are_about() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut all = Reached::default();
    for _ in 0..3_000 {
        let history = histories().new_tree(&mut runner).unwrap().current();
        all.add(live_through(history));
        if all.is_everything() {
            return;
        }
    }
    panic!("{all:?}");
}
