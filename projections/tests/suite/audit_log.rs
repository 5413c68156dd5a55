//! The table below has one row for every act; `every_act_makes_its_entry` holds it against the list of what is audited.

use std::collections::BTreeSet;

use domain::channel::{ChannelChanged, ChannelEvent, ChannelName, ChannelOverwritten};
use domain::channel_order::{ChannelOrderEvent, ChannelsOrdered, Placed};
use domain::community::{
    CommunityEvent, CommunityName, CommunityRenamed, OwnerChanged, RoleChanged, RoleCreated, RoleDeleted,
    RolesOrdered,
};
use domain::membership::{
    JoinedBy, MemberBanned, MemberJoined, MemberKicked, MemberTimeOutEnded, MemberTimedOut, MembershipEvent,
    Nickname, NicknameChanged, Reason,
};
use domain::permission::{Overwrite, Target};
use domain::report::ReportState;
use domain::role::{Colour, Definition, RoleName};
use domain::{AccountId, ChannelId, CommunityId, Permissions, Personal, Role};
use event_store::Position;
use jiff::Timestamp;
use projections::{AUDITED, AuditEntryRow, AuditFilter, AuditTarget, Bound};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{Place, World};

/// Everybody and everything in the table.
struct Scene {
    world: World,
    owner: AccountId,
    moderator: AccountId,
    member: AccountId,
    place: Place,
}

const ROLE: Role = Role::Custom(Uuid::from_u128(0xb0));

impl Scene {
    async fn set() -> Self {
        let world = World::new().await;
        let owner = world.account("Owner").await;
        let (moderator, member) = (world.account("Moderator").await, world.account("Member").await);
        let community = world.community(owner, "Home").await;
        let channel = world.channel(community, "general").await;
        world.join(community, moderator).await;
        Self { world, owner, moderator, member, place: (community, channel) }
    }

    /// The entries that are there now, newest first.
    async fn entries(&self) -> Vec<AuditEntryRow> {
        self.world.settle().await;
        self.found(&AuditFilter::default()).await
    }

    async fn found(&self, filter: &AuditFilter) -> Vec<AuditEntryRow> {
        self.world.read.audit_log(self.place.0, filter, 100).await.unwrap().items
    }

    /// The newest entry is this one.
    async fn tells(&self, action: &str, actor: AccountId, target: AuditTarget, changes: Value) {
        let entry = self.entries().await.remove(0);
        assert_eq!((entry.action.as_str(), entry.actor), (action, Some(actor)));
        assert_eq!(entry.target, target, "{action}");
        assert_eq!(Value::Object(entry.changes), changes, "{action}");
        assert_eq!(entry.position, self.world.head().await, "{action}");
    }
}

fn account(id: AccountId) -> AuditTarget {
    AuditTarget { account: Some(id), ..AuditTarget::default() }
}

fn channel(id: ChannelId) -> AuditTarget {
    AuditTarget { channel: Some(id), ..AuditTarget::default() }
}

fn role() -> AuditTarget {
    AuditTarget { role: Some(ROLE), ..AuditTarget::default() }
}

fn set(to: impl Into<Value>) -> Value {
    json!({"from": null, "to": to.into()})
}

fn definition(name: &str, permissions: Permissions) -> Definition {
    let name = Some(RoleName::parse(name).unwrap());
    Definition { name, colour: Some(Colour(0x00_80_ff)), permissions, mentionable: true }
}

async fn of_community(scene: &Scene) {
    let Scene { world, owner, moderator, place: (community_id, _), .. } = scene;
    let (community_id, owner, moderator) = (*community_id, *owner, *moderator);
    let name = CommunityName::parse("Elsewhere").unwrap();
    world.tell_for(Some(moderator), CommunityEvent::from(CommunityRenamed { community_id, name })).await;
    let renamed = json!({"name": {"from": "Home", "to": "Elsewhere"}});
    scene.tells("community.renamed", moderator, AuditTarget::default(), renamed).await;

    let by = owner;
    let created = RoleCreated {
        community_id,
        role: ROLE,
        definition: definition("Helpers", Permissions::VIEW | Permissions::KICK),
        by,
    };
    world.tell(CommunityEvent::from(created)).await;
    let defined = json!({
        "name": set("Helpers"), "colour": set("#0080ff"), "permissions": set(vec!["view", "kick"]),
        "mentionable": set(true),
    });
    scene.tells("role.created", by, role(), defined).await;
    let definition = definition("Aides", Permissions::VIEW);
    world.tell(CommunityEvent::from(RoleChanged { community_id, role: ROLE, definition, by })).await;
    let entry = scene.entries().await.remove(0);
    assert_eq!(entry.changes["permissions"], json!({"from": ["view", "kick"], "to": ["view"]}));
    assert_eq!(entry.changes["name"], json!({"from": "Helpers", "to": "Aides"}));
    assert_eq!(entry.changes["colour"], json!({"from": "#0080ff", "to": "#0080ff"}));
    assert_eq!((entry.action.as_str(), entry.target), ("role.changed", role()));
    let order = vec![Role::Guest, Role::Member, Role::Moderator, ROLE];
    world.tell(CommunityEvent::from(RolesOrdered { community_id, order, by })).await;
    let before = ["guest", "member", &ROLE.to_string(), "moderator"];
    let after = ["guest", "member", "moderator", &ROLE.to_string()];
    let ordered = json!({"order": {"from": before, "to": after}});
    scene.tells("role.ordered", by, AuditTarget::default(), ordered).await;
    world.tell(CommunityEvent::from(RoleDeleted { community_id, role: ROLE, by })).await;
    let entry = scene.entries().await.remove(0);
    assert_eq!((entry.action.as_str(), entry.target, entry.actor), ("role.deleted", role(), Some(by)));
    let gone = json!({"name": {"from": "Aides", "to": null}, "permissions": {"from": ["view"], "to": null}});
    assert_eq!(Value::Object(entry.changes), gone);

    let (owner_id, previous_owner_id) = (moderator, owner);
    let changed = OwnerChanged { community_id, owner_id, previous_owner_id };
    world.tell(CommunityEvent::from(changed)).await;
    let handed = json!({"owner_id": {"from": owner, "to": moderator}});
    scene.tells("community.owner_changed", owner, account(moderator), handed).await;
}

async fn of_memberships(scene: &Scene) {
    let Scene { world, owner, moderator: by, member, place: (community_id, _) } = scene;
    let (community_id, owner, by, account_id) = (*community_id, *owner, *by, *member);
    let joined = MemberJoined {
        community_id,
        account_id,
        roles: [Role::Member].into(),
        joined_by: JoinedBy::Invite,
        invited_by: Some(owner),
    };
    world.tell(MembershipEvent::from(joined)).await;
    let by_invite = json!({"roles": set(vec!["member"]), "joined_by": set("invite"), "invited_by": set(owner.to_string())});
    scene.tells("membership.joined", account_id, account(account_id), by_invite).await;
    let roles = BTreeSet::from([Role::Guest, Role::Moderator]);
    let changed = domain::membership::MemberRolesChanged { community_id, account_id, roles, by };
    world.tell(MembershipEvent::from(changed)).await;
    let roles = json!({"roles": {"from": ["member"], "to": ["guest", "moderator"]}});
    scene.tells("membership.roles_changed", by, account(account_id), roles).await;
    world.leave(community_id, account_id).await;
    scene.tells("membership.left", account_id, account(account_id), json!({})).await;
    world.join(community_id, account_id).await;
    of_silence(scene).await;
    let because = |text: &str| Some(Personal::Clear(Reason::parse(text).unwrap()));
    let reason = because("Once too often");
    world.tell(MembershipEvent::from(MemberKicked { community_id, account_id, by, reason })).await;
    scene.tells("membership.kicked", by, account(account_id), json!({})).await;
    assert_eq!(scene.entries().await[0].reason.as_deref(), Some("Once too often"));
    let (until, reason) = ("2027-01-01T00:00:00Z".parse::<Timestamp>().unwrap(), because("Spam"));
    let banned = MemberBanned { community_id, account_id, by, until: Some(until), reason };
    world.tell(MembershipEvent::from(banned)).await;
    scene
        .tells("membership.banned", by, account(account_id), json!({"until": set("2027-01-01T00:00:00Z")}))
        .await;
    assert_eq!(scene.entries().await[0].reason.as_deref(), Some("Spam"));
    world.unban(community_id, account_id, owner).await;
    scene.tells("membership.unbanned", owner, account(account_id), json!({})).await;
}

/// Time-outs and nicknames.
async fn of_silence(scene: &Scene) {
    let Scene { world, moderator: by, member, place: (community_id, _), .. } = scene;
    let (community_id, by, account_id) = (*community_id, *by, *member);
    let until = "2027-01-01T00:00:00Z".parse::<Timestamp>().unwrap();
    let reason = Some(Personal::Clear(Reason::parse("Cool down").unwrap()));
    world.tell(MembershipEvent::from(MemberTimedOut { community_id, account_id, until, by, reason })).await;
    let ends = json!({"until": set("2027-01-01T00:00:00Z")});
    scene.tells("membership.timed_out", by, account(account_id), ends).await;
    assert_eq!(scene.entries().await[0].reason.as_deref(), Some("Cool down"));
    world.tell(MembershipEvent::from(MemberTimeOutEnded { community_id, account_id, by })).await;
    scene.tells("membership.time_out_ended", by, account(account_id), json!({})).await;

    let before = scene.entries().await.len();
    world.nickname(community_id, account_id, "Own choice").await;
    assert_eq!(scene.entries().await.len(), before, "what one calls oneself is nobody's business");
    let nickname = Personal::Clear(Nickname::parse("Somebody else's choice").unwrap());
    world.tell(MembershipEvent::from(NicknameChanged { community_id, account_id, by, nickname })).await;
    scene.tells("membership.nickname_changed", by, account(account_id), json!({})).await;
}

async fn of_channels(scene: &Scene) {
    let Scene { world, owner, moderator, member, place: (community_id, channel_id) } = scene;
    let (community_id, channel_id, by) = (*community_id, *channel_id, *moderator);
    let changed = ChannelChanged {
        name: Some(ChannelName::parse("news").unwrap()),
        private: Some(true),
        slow_mode: domain::channel::SlowMode::new(30),
        ..ChannelChanged::nothing(channel_id, community_id)
    };
    world.tell_for(Some(by), ChannelEvent::from(changed)).await;
    let entry = scene.entries().await.remove(0);
    assert_eq!((entry.action.as_str(), entry.actor), ("channel.changed", Some(by)));
    assert_eq!(entry.changes["name"], json!({"from": "general", "to": "news"}));
    assert_eq!(entry.changes["private"], json!({"from": false, "to": true}));
    assert_eq!(entry.changes["slow_mode"], json!({"from": 0, "to": 30}));
    assert_eq!(entry.changes.get("topic"), None, "it did not change");

    let overwrite = async |target, allow, deny| {
        let overwrite = Overwrite { allow, deny };
        let event = ChannelOverwritten { channel_id, community_id, target, overwrite, by };
        world.tell(ChannelEvent::from(event)).await;
        scene.entries().await.remove(0)
    };
    let (view, post) = (Permissions::VIEW, Permissions::POST);
    let for_member = overwrite(Target::Account(*member), view, Permissions::empty()).await;
    assert_eq!(for_member.target, AuditTarget { account: Some(*member), ..channel(channel_id) });
    assert_eq!(for_member.changes["allow"], set(vec!["view"]));
    overwrite(Target::Role(Role::Guest), post, view).await;
    let for_guests = overwrite(Target::Role(Role::Guest), view, post).await;
    assert_eq!(for_guests.target, AuditTarget { role: Some(Role::Guest), ..channel(channel_id) });
    let turned =
        json!({"allow": {"from": ["post"], "to": ["view"]}, "deny": {"from": ["view"], "to": ["post"]}});
    assert_eq!(Value::Object(for_guests.changes), turned);
    assert_eq!((for_guests.action.as_str(), for_guests.actor), ("channel.overwritten", Some(by)));

    let channels = vec![Placed { id: channel_id, category_id: None }];
    world.tell(ChannelOrderEvent::from(ChannelsOrdered { community_id, channels, by })).await;
    scene.tells("channels.ordered", by, AuditTarget::default(), json!({})).await;
    world.delete_channel((community_id, channel_id), *owner).await;
    let entry = scene.entries().await.remove(0);
    assert_eq!((entry.action.as_str(), entry.actor), ("channel.deleted", Some(*owner)));
    assert_eq!(
        (entry.target, &entry.changes["name"]),
        (channel(channel_id), &json!({"from": "news", "to": null}))
    );
}

async fn of_invites(scene: &Scene) {
    let Scene { world, owner, moderator, place: (community_id, _), .. } = scene;
    let code = world.invite(*community_id, *moderator, Some(3)).await;
    let invite = AuditTarget { invite: Some(code.clone()), ..AuditTarget::default() };
    let limits = json!({"max_uses": set(3), "expires_at": set(Value::Null)});
    scene.tells("invite.created", *moderator, invite.clone(), limits).await;
    world.revoke(*community_id, &code, *owner).await;
    scene.tells("invite.revoked", *owner, invite, json!({})).await;
}

async fn of_messages(scene: &Scene) {
    let Scene { world, owner, moderator, member, place } = scene;
    world.join(place.0, *member).await;
    let (own, _) = world.post(*place, *member, "mine").await;
    let (message, _) = world.post(*place, *member, "Buy now").await;
    world.delete(*place, own, *member).await;
    let before = scene.entries().await.len();
    world.delete(*place, message, *moderator).await;
    let about = AuditTarget { account: Some(*member), message: Some(message), ..channel(place.1) };
    scene.tells("message.deleted", *moderator, about.clone(), json!({})).await;
    assert_eq!(scene.entries().await.len(), before + 1, "what one deletes oneself is nobody's business");

    let (message, _) = world.post(*place, *member, "Buy now").await;
    let about_it = AuditTarget { message: Some(message), ..channel(place.1) };
    world.pin(*place, message, *moderator).await;
    scene.tells("message.pinned", *moderator, about_it.clone(), json!({})).await;
    world.unpin(*place, message, *owner).await;
    scene.tells("message.unpinned", *owner, about_it.clone(), json!({})).await;
    world.clear_reactions(*place, message, *moderator, Some("🎉")).await;
    scene.tells("reaction.cleared", *moderator, about_it.clone(), json!({"emoji": set("🎉")})).await;
    world.clear_reactions(*place, message, *moderator, None).await;
    scene.tells("reaction.cleared", *moderator, about_it, json!({})).await;
    let report = world.report(*place, (message, *member), *owner, Some("secret words")).await;
    let about = AuditTarget { message: Some(message), report: Some(report), ..about };
    scene.tells("report.opened", *owner, about, json!({"reason": set("spam")})).await;
    world.change_report(place.0, report, *moderator, ReportState::Resolved, Some("secret note")).await;
    let about = AuditTarget { report: Some(report), ..AuditTarget::default() };
    let resolved = json!({"state": {"from": "open", "to": "resolved"}});
    scene.tells("report.changed", *moderator, about, resolved).await;
}

#[tokio::test]
async fn every_act_makes_its_entry() {
    let scene = Scene::set().await;
    let running = scene.world.run();
    let founded = scene.entries().await;
    let founded: Vec<_> = founded.iter().rev().map(|entry| entry.action.as_str()).collect();
    assert_eq!(founded, ["community.created", "membership.joined", "channel.created", "membership.joined"]);
    of_memberships(&scene).await;
    of_messages(&scene).await;
    of_invites(&scene).await;
    of_channels(&scene).await;
    of_community(&scene).await;
    scene.world.delete_community(scene.place.0, scene.moderator).await;
    let gone = json!({"name": {"from": "Elsewhere", "to": null}});
    scene.tells("community.deleted", scene.moderator, AuditTarget::default(), gone).await;

    let told: BTreeSet<_> = scene.entries().await.into_iter().map(|entry| entry.action).collect();
    assert_eq!(
        told,
        AUDITED.iter().map(|action| (*action).to_owned()).collect(),
        "all of them, and no others"
    );
    running.stop().await;
    scene.world.assert_rebuilt_equals_live().await;
}

/// However the log is cut into pages: a page that ends between a post and its deletion, and one that holds the end of
/// the channel too.
#[tokio::test]
async fn a_deletion_is_told_whatever_became_of_the_channel_in_the_same_page() {
    let scene = Scene::set().await;
    let (world, place) = (&scene.world, scene.place);
    let (message, _) = world.post(place, scene.owner, "Buy now").await;
    let deleted = world.delete(place, message, scene.moderator).await;
    world.delete_channel(place, scene.owner).await;
    for page_size in [1, 2, 3, 1_000] {
        let (read, projector) = world.start_over().await;
        let running = crate::world::run(projector.page_size(page_size));
        assert!(read.wait_for(world.head().await, crate::world::PATIENCE).await);
        let deletions = AuditFilter { action: Some("message".into()), ..AuditFilter::default() };
        let found = read.audit_log(place.0, &deletions, 10).await.unwrap().items;
        let [entry] = &found[..] else { panic!("in pages of {page_size}: {found:?}") };
        assert_eq!((entry.position, entry.target.account), (deleted, Some(scene.owner)));
        running.stop().await;
    }
}

#[tokio::test]
async fn entries_are_found_by_action_group_actor_target_and_report() {
    let scene = Scene::set().await;
    let _running = scene.world.run();
    of_memberships(&scene).await;
    of_messages(&scene).await;
    let all = scene.entries().await;
    let elsewhere = scene.world.community(scene.owner, "Another").await;
    scene.world.settle().await;
    let filter = AuditFilter::default;
    let wanted = |action: &str| AuditFilter { action: Some(action.into()), ..filter() };
    let some = |fits: &dyn Fn(&AuditEntryRow) -> bool| -> Vec<_> {
        let found: Vec<_> = all.iter().filter(|entry| fits(entry)).cloned().collect();
        assert!(!found.is_empty() && found.len() < all.len(), "the filter says something");
        found
    };
    let kicked = some(&|entry| entry.action == "membership.kicked");
    assert_eq!(scene.found(&wanted("membership.kicked")).await, kicked);
    let memberships = some(&|entry| entry.action.starts_with("membership."));
    assert_eq!(scene.found(&wanted("membership")).await, memberships);
    let by = some(&|entry| entry.actor == Some(scene.moderator));
    assert_eq!(scene.found(&AuditFilter { actor: Some(scene.moderator), ..filter() }).await, by);
    let to = some(&|entry| entry.target.account == Some(scene.member));
    assert_eq!(scene.found(&AuditFilter { target: Some(scene.member), ..filter() }).await, to);
    let both = some(&|entry| entry.action == "membership.left" && entry.actor == Some(scene.member));
    let filters = AuditFilter { actor: Some(scene.member), ..wanted("membership.left") };
    assert_eq!(scene.found(&filters).await, both);
    let silent = some(&|entry| !entry.action.starts_with("report."));
    assert_eq!(scene.found(&AuditFilter { without_reports: true, ..filter() }).await, silent);
    assert_eq!(scene.found(&AuditFilter { without_reports: true, ..wanted("report") }).await, []);
    let nobody = AuditFilter { actor: Some(AccountId(scene.world.id())), ..filter() };
    assert_eq!(scene.found(&nobody).await, []);

    let another = scene.world.read.audit_log(elsewhere, &filter(), 100).await.unwrap().items;
    assert_eq!(another.len(), 2, "a community's log is its own");
    let nowhere = CommunityId(scene.world.id());
    assert_eq!(scene.world.read.audit_log(nowhere, &filter(), 100).await.unwrap().items, []);
}

#[tokio::test]
async fn a_range_begins_with_its_first_moment_and_ends_before_its_last() {
    let scene = Scene::set().await;
    let _running = scene.world.run();
    of_memberships(&scene).await;
    let all = scene.entries().await;
    let range = |since, until| AuditFilter { since, until, ..AuditFilter::default() };
    let at = |time: Timestamp| Some(Bound::Time(time));
    for edge in &all {
        let since = scene.found(&range(at(edge.created_at), None)).await;
        let until = scene.found(&range(None, at(edge.created_at))).await;
        assert!(since.iter().all(|entry| entry.created_at >= edge.created_at) && since.contains(edge));
        assert_eq!(since.len() + until.len(), all.len());
        let newer = scene.found(&range(Some(Bound::Entry(edge.position)), None)).await;
        let older = scene.found(&range(None, Some(Bound::Entry(edge.position)))).await;
        assert_eq!([newer, vec![edge.clone()], older].concat(), all);
    }
    let (newest, oldest) = (all[0].created_at, all[all.len() - 1].created_at);
    assert_eq!(scene.found(&range(at(newest), at(oldest))).await, []);
}

#[tokio::test]
async fn pages_have_no_gap_and_no_double_while_more_is_told() {
    let scene = Scene::set().await;
    let _running = scene.world.run();
    of_memberships(&scene).await;
    let all = scene.entries().await;
    for limit in 1..=all.len() + 1 {
        let (mut paged, mut until) = (vec![], None::<Position>);
        loop {
            let filter = AuditFilter { until: until.map(Bound::Entry), ..AuditFilter::default() };
            let page = scene.world.read.audit_log(scene.place.0, &filter, limit).await.unwrap();
            assert!(page.items.len() <= limit);
            paged.extend(page.items);
            until = page.older;
            // Something new comes in between any two pages.
            scene.world.invite(scene.place.0, scene.owner, None).await;
            scene.world.settle().await;
            if until.is_none() {
                break;
            }
        }
        let expected: Vec<_> =
            paged.iter().filter(|entry| entry.position <= all[0].position).cloned().collect();
        assert_eq!(expected, all, "in pages of {limit}");
        assert!(paged.windows(2).all(|pair| pair[0].position > pair[1].position));
    }
}
