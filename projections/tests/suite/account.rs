use std::collections::HashSet;

use domain::AccountId;
use domain::installation::{InstallationEvent, InstallationFounded};

use crate::world::World;

#[tokio::test]
async fn an_account_is_what_it_registered_with_and_changed_since() {
    let (world, _running) = World::running().await;
    let ann = world.account("Ann").await;
    let bob = world.account("Bob").await;
    let founded = InstallationFounded { administrator: ann, community_id: None };
    world.tell(InstallationEvent::from(founded)).await;
    world.change_profile(ann, Some("Änne"), None).await;
    world.change_profile(ann, None, Some("Hello")).await;
    world.settle().await;

    let own = world.read.account(ann).await.unwrap().unwrap();
    assert_eq!(own.email.as_deref(), Some("ann@echo.example"));
    assert_eq!(own.account.handle.as_deref(), Some("ann"));
    assert_eq!(own.account.display_name.as_deref(), Some("Änne"));
    assert_eq!(own.account.about, "Hello");
    assert!(own.account.administrator);

    let nobody = AccountId(world.id());
    assert_eq!(world.read.account(nobody).await.unwrap(), None);
    let known = world.read.accounts(&[ann, bob, nobody]).await.unwrap();
    assert_eq!(known.keys().copied().collect::<HashSet<_>>(), HashSet::from([ann, bob]));
    assert_eq!(known[&ann], own.account);
    assert!(!known[&bob].administrator);
    assert_eq!(known[&bob].about, "");
}

#[tokio::test]
async fn others_see_an_account_only_while_they_share_a_community() {
    let (world, _running) = World::running().await;
    let (ann, bob, eve) =
        (world.account("Ann").await, world.account("Bob").await, world.account("Eve").await);
    let home = world.community(ann, "Home").await;
    let other = world.community(eve, "Other").await;
    world.join(home, bob).await;
    world.settle().await;
    let among = async |viewer| world.read.co_members_among(viewer, &[ann, bob, eve]).await.unwrap();
    assert_eq!(among(ann).await, HashSet::from([ann, bob]));
    assert_eq!(among(eve).await, HashSet::from([eve]));
    assert_eq!(world.read.visible_account(ann, bob).await.unwrap().unwrap().id, bob);
    assert_eq!(world.read.visible_account(eve, bob).await.unwrap(), None);
    assert_eq!(world.read.visible_account(eve, eve).await.unwrap().unwrap().id, eve);

    world.leave(home, bob).await;
    world.ban(other, bob, eve).await;
    world.settle().await;
    assert_eq!(world.read.visible_account(ann, bob).await.unwrap(), None);
    assert_eq!(world.read.visible_account(eve, bob).await.unwrap(), None);
    assert_eq!(world.read.visible_account(bob, bob).await.unwrap().unwrap().id, bob);
    assert_eq!(among(bob).await, HashSet::new());
}

#[tokio::test]
async fn an_erased_account_keeps_its_row_and_none_of_its_texts() {
    let world = World::new().await;
    let ann = world.account("Ann").await;
    let home = world.community(ann, "Home").await;
    world.change_profile(ann, Some("Anna"), Some("Hello")).await;
    assert!(world.vault.shred(ann.0).await.unwrap());
    let _running = world.run();
    world.settle().await;
    let own = world.read.account(ann).await.unwrap().unwrap();
    assert_eq!((own.email, own.account.handle, own.account.display_name), (None, None, None));
    assert_eq!(own.account.about, "");
    let members = world.read.members(ann, home, None, 10).await.unwrap().unwrap();
    assert_eq!(members.items.len(), 1);
}

#[tokio::test]
async fn a_text_erased_while_the_projector_runs_takes_the_earlier_ones_with_it() {
    let (world, running) = World::running().await;
    let ann = world.account("Ann").await;
    world.settle().await;
    running.stop().await;
    world.change_profile(ann, None, Some("Hello")).await;
    assert!(world.vault.shred(ann.0).await.unwrap());
    let _running = world.run();
    world.settle().await;
    assert_eq!(world.read.account(ann).await.unwrap().unwrap().account.display_name, None);
}
