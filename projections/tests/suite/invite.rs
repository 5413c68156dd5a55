use crate::world::World;

#[tokio::test]
async fn an_invite_counts_its_uses_until_it_is_revoked() {
    let (world, _running) = World::running().await;
    let (ann, bob) = (world.account("Ann").await, world.account("Bob").await);
    let home = world.community(ann, "Home").await;
    let code = world.invite(home, ann, Some(2)).await;
    world.redeem(home, &code, bob).await;
    world.settle().await;
    let invite = world.read.invite(&code).await.unwrap().unwrap();
    assert_eq!((invite.community_id, invite.created_by), (home, ann));
    assert_eq!((invite.max_uses, invite.uses, invite.expires_at), (Some(2), 1, None));
    assert!(invite.usable_at(invite.created_at));

    world.redeem(home, &code, bob).await;
    world.settle().await;
    let used_up = world.read.invite(&code).await.unwrap().unwrap();
    assert!(!used_up.usable_at(used_up.created_at));
    world.revoke(home, &code, ann).await;
    world.settle().await;
    let invite = world.read.invite(&code).await.unwrap().unwrap();
    assert_eq!(invite.uses, 2);
    assert!(invite.revoked_at.is_some());
    assert_eq!(world.read.invite("nosuchinvite").await.unwrap(), None);
}

#[tokio::test]
async fn invites_are_listed_newest_first_of_everyone_or_of_one() {
    let (world, _running) = World::running().await;
    let (ann, bob) = (world.account("Ann").await, world.account("Bob").await);
    let home = world.community(ann, "Home").await;
    let other = world.community(ann, "Other").await;
    let first = world.invite(home, ann, None).await;
    let second = world.invite(home, bob, None).await;
    world.invite(other, ann, None).await;
    world.settle().await;
    let codes = async |by| {
        let invites = world.read.invites(home, by).await.unwrap();
        invites.into_iter().map(|invite| invite.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(None).await, [second.clone(), first.clone()]);
    assert_eq!(codes(Some(bob)).await, [second]);
    assert_eq!(codes(Some(ann)).await, [first]);
}
