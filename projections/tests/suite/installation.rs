use domain::installation::{InstallationEvent, InstallationFounded};

use crate::world::World;

#[tokio::test]
async fn the_installation_names_its_administrator_and_default_community() {
    let (world, _running) = World::running().await;
    let ann = world.account("Ann").await;
    world.settle().await;
    assert_eq!(world.read.installation().await.unwrap(), None);

    let home = world.community(ann, "Home").await;
    let founded = InstallationFounded { administrator: ann, community_id: Some(home) };
    world.tell(InstallationEvent::from(founded)).await;
    world.settle().await;
    let installation = world.read.installation().await.unwrap().unwrap();
    assert_eq!((installation.administrator, installation.default_community), (ann, Some(home)));

    world.delete_community(home, ann).await;
    world.settle().await;
    assert_eq!(world.read.installation().await.unwrap().unwrap().default_community, None);
}
