//! Random histories: every type of event, in an order in which the domain could have decided them.

use std::collections::{BTreeSet, HashMap};

use domain::channel::{ChannelChanged, ChannelEvent, ChannelKind, ChannelName, ChannelTopic};
use domain::claim::{ClaimEvent, HandleClaimed};
use domain::community::{
    CommunityEvent, CommunityName, CommunityRenamed, OwnerChanged, RoleChanged, RoleCreated, RoleDeleted,
    RolesOrdered,
};
use domain::installation::{InstallationEvent, InstallationFounded};
use domain::membership::{MemberKicked, MemberTimeOutEnded, MembershipEvent};
use domain::mention::Mentions;
use domain::message::{Content, Forwarded, MessagePosted, MessageText};
use domain::report::ReportState;
use domain::role::{Colour, Definition, RoleName};
use domain::{AccountId, CommunityId, MessageId, Permissions, Personal, ReportId, Role};
use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

mod said;
mod talks;

use said::Said;
use talks::Talks;

use crate::world::{Place, World};

/// What happens next, and two numbers to choose with among what there is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    what: u8,
    first: usize,
    second: usize,
}

pub(crate) fn steps(length: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = (any::<u8>(), 0..1_000_usize, 0..1_000_usize);
    prop::collection::vec(step.prop_map(|(what, first, second)| Step { what, first, second }), 1..length)
}

/// What there is, as far as it decides what can happen.
#[derive(Default)]
struct Known {
    accounts: Vec<AccountId>,
    communities: Vec<(CommunityId, AccountId)>,
    members: BTreeSet<(CommunityId, AccountId)>,
    banned: BTreeSet<(CommunityId, AccountId)>,
    channels: Vec<Place>,
    messages: Vec<(Place, AccountId, MessageId)>,
    /// The messages that are in threads, and the first of those.
    threads: HashMap<MessageId, MessageId>,
    invites: Vec<(CommunityId, String)>,
    said: Said,
    roles: BTreeSet<(CommunityId, Role)>,
    talks: Talks,
    founded: bool,
    reports: Vec<(CommunityId, ReportId)>,
}

fn choose<T: Clone>(among: &[T], number: usize) -> Option<T> {
    (!among.is_empty()).then(|| among[number % among.len()].clone())
}

/// Tells the log what the steps come to; a step that is not possible is left out.
pub(crate) async fn tell(world: &World, steps: &[Step]) {
    let mut known = Known::default();
    for step in steps {
        let _ = happen(world, &mut known, *step).await;
    }
}

async fn happen(world: &World, known: &mut Known, step: Step) -> Option<()> {
    let Step { what, first, second } = step;
    match what % 68 {
        0..=1 => known.accounts.push(world.account(["Ann", "Bob", "Eve"][first % 3]).await),
        2..=3 => {
            let owner = choose(&known.accounts, first)?;
            let community = world.community(owner, "Somewhere").await;
            known.communities.push((community, owner));
            known.members.insert((community, owner));
        }
        4..=5 => {
            let (community, _) = choose(&known.communities, first)?;
            let category = choose(&known.channels, second).filter(|(of, _)| *of == community);
            let kind = ChannelKind::OF_COMMUNITY[second % 4];
            let channel = world.channel_of(community, "channel", kind, category.map(|(_, id)| id)).await;
            known.channels.push((community, channel));
        }
        6..=15 => {
            let place = choose(&known.channels, first)?;
            let author = member(known, place.0, second)?;
            let message = match second % 5 {
                0 => known.said.ask(world, place, author).await,
                _ => world.post(place, author, &format!("text {second}")).await.0,
            };
            known.messages.push((place, author, message));
        }
        16..=19 => {
            let (place, _, message) = choose(&known.messages, first)?;
            world.edit(place, message, &format!("edit {second}")).await;
        }
        20..=21 => {
            let (place, author, message) = choose(&known.messages, first)?;
            known.messages.retain(|(_, _, id)| *id != message);
            // Now and then by another, of which the audit log tells.
            let by = choose(&known.accounts, second).filter(|_| second.is_multiple_of(2)).unwrap_or(author);
            world.delete(place, message, by).await;
        }
        22..=23 => membership_begins(world, known, first, second).await?,
        24..=25 => membership_ends(world, known, first, second).await?,
        26 => profile(world, known, first, second).await?,
        27 => invite(world, known, first, second).await?,
        28 => settings(world, known, first, second).await?,
        29 => {
            let place = choose(&known.channels, first)?;
            known.channels.retain(|(_, channel)| *channel != place.1);
            known.messages.retain(|(of, _, _)| *of != place);
            world.delete_channel(place, choose(&known.accounts, second)?).await;
        }
        44..=45 => rules(world, known, first, second).await?,
        46..=47 => moderation(world, known, first, second).await?,
        30 if second.is_multiple_of(4) => {
            let (community, owner) = choose(&known.communities, first)?;
            known.communities.retain(|(id, _)| *id != community);
            known.channels.retain(|(of, _)| *of != community);
            known.messages.retain(|((of, _), _, _)| *of != community);
            known.invites.retain(|(of, _)| *of != community);
            known.reports.retain(|(of, _)| *of != community);
            known.members.retain(|(of, _)| *of != community);
            known.banned.retain(|(of, _)| *of != community);
            known.roles.retain(|(of, _)| *of != community);
            world.delete_community(community, owner).await;
        }
        31 => report(world, known, first, second).await?,
        32..=43 => say(world, known, step).await?,
        48..=53 => {
            let accounts = known.accounts.clone();
            known.talks.happen(world, &accounts, what % 68 - 48, (first, second)).await?;
        }
        54..=55 => {
            let by = choose(&known.accounts, second)?;
            talks::set(world, &known.channels, by, (first, second)).await?;
        }
        56..=67 => converse(world, known, step).await?,
        _ => {
            let administrator = choose(&known.accounts, first)?;
            world.tell(ClaimEvent::from(HandleClaimed { account_id: administrator })).await;
            if !std::mem::replace(&mut known.founded, true) {
                let community_id = choose(&known.communities, second).map(|(id, _)| id);
                let founded = InstallationFounded { administrator, community_id };
                world.tell(InstallationEvent::from(founded)).await;
            }
        }
    }
    Some(())
}

/// Something about a message that is there, by a member.
async fn say(world: &World, known: &mut Known, Step { what, first, second }: Step) -> Option<()> {
    let (place, author, message) = choose(&known.messages, first)?;
    let account = member(known, place.0, second)?;
    match what % 68 {
        32..=37 => known.said.react(world, place, message, account, first + second).await,
        38 => drop(world.pin(place, message, account).await),
        39 => drop(world.unpin(place, message, account).await),
        40..=42 if known.said.is_poll(message) => {
            known.said.vote(world, place, message, account, first).await;
        }
        43 if known.said.is_poll(message) => drop(world.close(place, message, author).await),
        _ => {}
    }
    Some(())
}

/// Threads, mentions and what is passed on.
async fn converse(world: &World, known: &mut Known, Step { what, first, second }: Step) -> Option<()> {
    let (place, _, message) = choose(&known.messages, first)?;
    let account = member(known, place.0, second)?;
    let other = choose(&known.accounts, first + second)?;
    let mentions = Mentions {
        accounts: [other].into(),
        roles: second.is_multiple_of(3).then_some(Role::Member).into_iter().collect(),
        everyone: second.is_multiple_of(5),
        here: second.is_multiple_of(7),
    };
    match what % 68 {
        56..=60 => {
            let root = known.threads.get(&message).copied().unwrap_or(message);
            let change = |posted: &mut MessagePosted| {
                posted.thread_id = Some(root);
                if second.is_multiple_of(2) {
                    posted.mentions = mentions;
                }
            };
            let (id, _) = world.post_with(place, account, "in a thread", change).await;
            known.threads.insert(id, root);
            known.messages.push((place, account, id));
        }
        61..=62 => {
            let (id, _) = world.post_with(place, account, "you", |posted| posted.mentions = mentions).await;
            known.messages.push((place, account, id));
        }
        63..=64 => drop(world.edit_with(place, message, "you instead", mentions).await),
        65 => {
            let (message_id, channel_id) = (message, place.1);
            let created_at = "2026-03-01T12:00:00.000001Z".parse().unwrap();
            let forwarded = Forwarded { message_id, channel_id, author_id: other, created_at };
            let change = |posted: &mut MessagePosted| {
                let (content, copy) = (Content::parse("look"), Content::parse("news"));
                let text = MessageText { content: content.unwrap(), poll: None, forwarded: copy.ok() };
                (posted.forwarded, posted.text) = (Some(forwarded), Personal::Clear(text));
            };
            let (id, _) = world.post_with(place, account, "look", change).await;
            known.messages.push((place, account, id));
        }
        _ => {
            let root = known.threads.get(&message).copied().unwrap_or(message);
            world.follow_thread(place, root, account, second.is_multiple_of(2)).await;
        }
    }
    Some(())
}

fn member(known: &Known, community: CommunityId, number: usize) -> Option<AccountId> {
    let members: Vec<_> = known.members.iter().filter(|(of, _)| *of == community).collect();
    choose(&members, number).map(|(_, account)| *account)
}

async fn membership_begins(world: &World, known: &mut Known, first: usize, second: usize) -> Option<()> {
    let (community, owner) = choose(&known.communities, first)?;
    let account = choose(&known.accounts, second)?;
    let membership = (community, account);
    if known.banned.remove(&membership) {
        world.unban(community, account, owner).await;
    } else if known.members.insert(membership) {
        world.join(community, account).await;
    } else {
        let roles: Vec<_> = Role::BUILT_IN.into_iter().skip(second % 3).collect();
        world.give(community, account, &roles).await;
    }
    Some(())
}

async fn membership_ends(world: &World, known: &mut Known, first: usize, second: usize) -> Option<()> {
    let (community_id, by) = choose(&known.communities, first)?;
    let account_id = choose(&known.accounts, second).filter(|account| *account != by)?;
    let membership = (community_id, account_id);
    let was_member = known.members.remove(&membership);
    match first % 3 {
        0 if was_member => drop(world.leave(community_id, account_id).await),
        1 if was_member => {
            world
                .tell(MembershipEvent::from(MemberKicked { community_id, account_id, by, reason: None }))
                .await;
        }
        _ if known.banned.insert(membership) => drop(world.ban(community_id, account_id, by).await),
        _ => {}
    }
    Some(())
}

/// Roles and the owner.
async fn rules(world: &World, known: &mut Known, first: usize, second: usize) -> Option<()> {
    let (community_id, by) = choose(&known.communities, first)?;
    let number = second % 3;
    let role = Role::Custom(Uuid::from_u128(number as u128));
    let definition = Definition {
        name: Some(RoleName::parse(&format!("Role {second}")).unwrap()),
        colour: second.is_multiple_of(2).then_some(Colour(second as u32)),
        permissions: Permissions::from_bits_truncate(second as u64),
        mentionable: second.is_multiple_of(2),
    };
    let there: Vec<_> =
        known.roles.iter().filter(|(of, _)| *of == community_id).map(|(_, role)| *role).collect();
    let event: CommunityEvent = match (first / 8) % 5 {
        0 | 1 if known.roles.insert((community_id, role)) => {
            RoleCreated { community_id, role, definition, by }.into()
        }
        2 if known.roles.remove(&(community_id, role)) => RoleDeleted { community_id, role, by }.into(),
        3 => {
            let rest = there.into_iter().chain([Role::Moderator]).rev();
            let order = [Role::Guest, Role::Member].into_iter().chain(rest).collect();
            RolesOrdered { community_id, order, by }.into()
        }
        4 => {
            let owner_id = member(known, community_id, second)?;
            known.communities.iter_mut().filter(|(id, _)| *id == community_id).for_each(|c| c.1 = owner_id);
            OwnerChanged { community_id, owner_id, previous_owner_id: by }.into()
        }
        _ => {
            let built_in = Role::BUILT_IN.into_iter().chain(there).collect::<Vec<_>>();
            let role = choose(&built_in, second)?;
            let name = definition.name.filter(|_| matches!(role, Role::Custom(_)));
            RoleChanged { community_id, role, definition: Definition { name, ..definition }, by }.into()
        }
    };
    world.tell(event).await;
    Some(())
}

/// Time-outs, nicknames, and bans that change.
async fn moderation(world: &World, known: &Known, first: usize, second: usize) -> Option<()> {
    let (community_id, by) = choose(&known.communities, first)?;
    let account_id = member(known, community_id, second)?;
    let until = Timestamp::from_second(second as i64).unwrap();
    match (first / 8) % 4 {
        0 => world.time_out(community_id, account_id, until, by).await,
        1 => {
            let ended = MemberTimeOutEnded { community_id, account_id, by };
            world.tell(MembershipEvent::from(ended)).await
        }
        2 => {
            let name = if second.is_multiple_of(3) { String::new() } else { format!("Nick {second}") };
            world.nickname(community_id, account_id, &name).await
        }
        _ => {
            let banned: Vec<_> = known.banned.iter().filter(|(of, _)| *of == community_id).collect();
            let (_, account) = choose(&banned, second)?;
            let (until, reason) = (second.is_multiple_of(2).then_some(until), format!("reason {second}"));
            let reason = (!second.is_multiple_of(3)).then_some(reason.as_str());
            world.ban_until(community_id, *account, by, until, reason).await
        }
    };
    Some(())
}

async fn profile(world: &World, known: &Known, first: usize, second: usize) -> Option<()> {
    let account = choose(&known.accounts, first)?;
    let (name, about) = (format!("Name {second}"), format!("about {second}"));
    let (name, about) = ((!second.is_multiple_of(3)).then_some(&*name), (second % 3 != 1).then_some(&*about));
    world.change_profile(account, name, about).await;
    Some(())
}

async fn invite(world: &World, known: &mut Known, first: usize, second: usize) -> Option<()> {
    if let Some((community, code)) = choose(&known.invites, first).filter(|_| !second.is_multiple_of(3)) {
        let account = choose(&known.accounts, second)?;
        match second % 3 {
            1 => world.redeem(community, &code, account).await,
            _ => world.revoke(community, &code, account).await,
        };
    } else {
        let (community, owner) = choose(&known.communities, first)?;
        known.invites.push((community, world.invite(community, owner, None).await));
    }
    Some(())
}

/// Reports outlive their messages, so any that was opened can be changed.
async fn report(world: &World, known: &mut Known, first: usize, second: usize) -> Option<()> {
    if let Some((community, id)) = choose(&known.reports, first).filter(|_| second.is_multiple_of(2)) {
        let state = ReportState::ALL[second % 3];
        let note = second.is_multiple_of(4).then_some("looked into");
        world.change_report(community, id, choose(&known.accounts, second)?, state, note).await;
    } else {
        let (place, author, message) = choose(&known.messages, first)?;
        let reporter = choose(&known.accounts, second)?;
        let id = ReportId::of(message, reporter);
        if !known.reports.contains(&(place.0, id)) {
            known.reports.push((place.0, id));
            world.report(place, (message, author), reporter, Some("look at this")).await;
        }
    }
    Some(())
}

async fn settings(world: &World, known: &Known, first: usize, second: usize) -> Option<()> {
    if let Some((community_id, channel_id)) =
        choose(&known.channels, first).filter(|_| second.is_multiple_of(2))
    {
        let name = second.is_multiple_of(4).then(|| ChannelName::parse("renamed").unwrap());
        let topic = Some(ChannelTopic::parse(&format!("topic {second}")).unwrap());
        world
            .tell(ChannelEvent::from(ChannelChanged {
                name,
                topic,
                ..ChannelChanged::nothing(channel_id, community_id)
            }))
            .await;
    } else {
        let (community_id, _) = choose(&known.communities, first)?;
        let name = CommunityName::parse(&format!("Renamed {second}")).unwrap();
        world.tell(CommunityEvent::from(CommunityRenamed { community_id, name })).await;
    }
    Some(())
}
