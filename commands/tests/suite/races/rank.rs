//! Who ranks where while it changes: promoting against banning, leaving against handing over.

use std::collections::BTreeSet;

use commands::{NewBan, Refusal};
use domain::community::{CommunityError, CommunityEvent};
use domain::membership::{MembershipError, MembershipEvent};
use domain::role::{Definition, RoleName};
use domain::{AccountId, Event, Permissions, Role};

use super::ROUNDS;
use crate::scene::Scene;
use crate::world::{by, decoded};

/// One after the other, the other way round, and at once.
async fn race<A: Send + 'static, B: Send + 'static>(
    round: u128,
    a: impl Future<Output = A> + Send + 'static,
    b: impl Future<Output = B> + Send + 'static,
) -> (A, B) {
    match round % 4 {
        0 => (a.await, b.await),
        1 => {
            let b = b.await;
            (a.await, b)
        }
        _ => {
            let (a, b) = tokio::join!(tokio::spawn(a), tokio::spawn(b));
            (a.unwrap(), b.unwrap())
        }
    }
}

impl Scene {
    /// A role just above `moderator` that may do what a moderator may, and who holds it: the outsider, let in.
    async fn chief(&self) -> AccountId {
        let permissions = domain::role::Roles::default().permissions(Role::Moderator);
        let name = Some(RoleName::parse("Chief").unwrap());
        let definition = Definition { name, colour: None, permissions, mentionable: false };
        let owner = by(self.owner);
        let chief = self.commands.create_role(&owner, self.community, definition).await.unwrap().made;
        let order = vec![Role::Guest, Role::Member, Role::Moderator, chief];
        self.commands.order_roles(&owner, self.community, order).await.unwrap();
        self.let_in(self.outsider).await;
        self.grant(self.outsider, &[chief]).await;
        self.outsider
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_moderators_who_ban_and_promote_a_member_one_is_refused() {
    let scene = Scene::set().await;
    let chief = scene.chief().await;
    scene.store.jitter();
    let (mut banned, mut promoted) = (0, 0);
    for round in 0..ROUNDS {
        let (here, member, moderator) = (scene.community, scene.member, scene.moderator);
        let (one, other) = (scene.another_node(), scene.another_node());
        let promote =
            async move { other.set_roles(&by(chief), here, member, [Role::Moderator].into()).await };
        let ban = async move { one.ban_account(&by(moderator), here, member, NewBan::default()).await };
        match race(round, promote, ban).await {
            // A moderator by then, and so of the same rank.
            (Ok(_), Err(Refusal::Domain(MembershipError::RankTooLow))) => {
                promoted += 1;
                assert_eq!(last(&scene).await, "membership.roles_changed", "round {round}");
                scene.grant(member, &[Role::Member]).await;
            }
            (Err(Refusal::Domain(MembershipError::UnknownMember)), Ok(_)) => {
                banned += 1;
                assert_eq!(last(&scene).await, "membership.banned", "round {round}");
                scene.commands.unban_account(&by(scene.owner), here, member).await.unwrap();
                scene.let_in(member).await;
            }
            other => panic!("round {round}: {other:?}"),
        }
    }
    assert!(banned >= ROUNDS / 4 && promoted >= ROUNDS / 4, "{banned} {promoted}");
}

/// The type of the newest event of the member's stream.
async fn last(scene: &Scene) -> String {
    scene.kinds(scene.membership(scene.member)).await.pop().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_who_leaves_while_handing_over_leaves_no_community_without_an_owner() {
    let scene = Scene::set().await;
    scene.store.jitter();
    let (mut left, mut stayed) = (0, 0);
    for round in 0..ROUNDS {
        let (here, owner, member) = (scene.community, scene.owner, scene.member);
        let (one, other) = (scene.another_node(), scene.another_node());
        let transfer = async move { one.transfer_ownership(&by(owner), here, member).await };
        let leave = async move { other.leave_community(&by(owner), here).await };
        let (transferred, leaving) = race(round, transfer, leave).await;
        transferred.unwrap();
        match leaving {
            Ok(_) => left += 1,
            Err(Refusal::Domain(MembershipError::OwnerCannotLeave)) => stayed += 1,
            Err(other) => panic!("round {round}: {other:?}"),
        }
        if scene.commands.leave_community(&by(owner), here).await.is_ok() {
            assert_eq!(stayed + left, round + 1);
        }
        // Back to how it was.
        let code =
            scene.commands.create_invite(&by(member), here, None, None).await.unwrap().made.invite.code;
        scene.commands.redeem_invite(&by(owner), code).await.unwrap();
        scene.commands.transfer_ownership(&by(member), here, owner).await.unwrap();
    }
    assert!(left >= ROUNDS / 4 && stayed >= ROUNDS / 4, "{left} {stayed}");
    the_owner_was_always_a_member(&scene).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_owner_who_leaves_meanwhile_becomes_none() {
    let scene = Scene::set().await;
    scene.store.jitter();
    let (mut left, mut stayed) = (0, 0);
    for round in 0..ROUNDS {
        let (here, owner, member) = (scene.community, scene.owner, scene.member);
        let (one, other) = (scene.another_node(), scene.another_node());
        let transfer = async move { one.transfer_ownership(&by(owner), here, member).await };
        let leave = async move { other.leave_community(&by(member), here).await };
        match race(round, transfer, leave).await {
            (Ok(_), Err(Refusal::Domain(MembershipError::OwnerCannotLeave))) => {
                stayed += 1;
                scene.commands.transfer_ownership(&by(member), here, owner).await.unwrap();
            }
            (Err(Refusal::Domain(CommunityError::NewOwnerNotMember)), Ok(_)) => {
                left += 1;
                scene.let_in(member).await;
            }
            other => panic!("round {round}: {other:?}"),
        }
    }
    assert!(left >= ROUNDS / 4 && stayed >= ROUNDS / 4, "{left} {stayed}");
    the_owner_was_always_a_member(&scene).await;
}

/// At every place in the log, from the founding on.
async fn the_owner_was_always_a_member(scene: &Scene) {
    let mut owner = None;
    let mut members = BTreeSet::new();
    for record in scene.log().await {
        match decoded(&record) {
            Event::Community(CommunityEvent::OwnerChanged(changed)) => owner = Some(changed.owner_id),
            Event::Membership(MembershipEvent::Joined(joined)) => {
                members.insert(joined.account_id);
                owner = owner.or(Some(joined.account_id));
            }
            Event::Membership(MembershipEvent::Left(left)) => drop(members.remove(&left.account_id)),
            _ => {}
        }
        assert!(owner.is_none_or(|owner| members.contains(&owner)), "at {}", record.position);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_grants_through_a_role_what_was_taken_from_them_meanwhile() {
    // A moderator gives a role what their own is losing.
    let scene = Scene::set().await;
    let owner = by(scene.owner);
    let name = Some(RoleName::parse("Helper").unwrap());
    let plain = Definition { name, colour: None, permissions: Permissions::empty(), mentionable: false };
    let helper = scene.commands.create_role(&owner, scene.community, plain).await.unwrap().made;
    let moderators = domain::role::Roles::default().permissions(Role::Moderator);
    scene.store.jitter();
    let to =
        |permissions| domain::community::RoleChange { permissions: Some(permissions), ..Default::default() };
    let (mut granted, mut refused) = (0, 0);
    for round in 0..ROUNDS {
        let (here, context) = (scene.community, by(scene.moderator));
        let (one, other) = (scene.another_node(), scene.another_node());
        let (taken, given) = (to(moderators - Permissions::BAN), to(Permissions::BAN));
        let owner_takes = owner.clone();
        let take = async move { one.change_role(&owner_takes, here, Role::Moderator, taken).await };
        let give = async move { other.change_role(&context, here, helper, given).await };
        let (took, gave) = race(round, take, give).await;
        let took = took.unwrap().position;
        match gave {
            Ok(done) => {
                granted += 1;
                assert!(done.position < took, "round {round}: granted what was lost by then");
            }
            Err(Refusal::Domain(CommunityError::BeyondOwn)) => refused += 1,
            Err(other) => panic!("round {round}: {other:?}"),
        }
        for (role, permissions) in [(Role::Moderator, moderators), (helper, Permissions::empty())] {
            scene.commands.change_role(&owner, here, role, to(permissions)).await.unwrap();
        }
    }
    assert!(granted >= ROUNDS / 4 && refused >= ROUNDS / 4, "{granted} {refused}");
}
