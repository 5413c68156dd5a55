use domain::channel::{ChannelChanged, ChannelEvent};
use domain::report::{ReportReason, ReportState};
use domain::{ReportId, Role};
use event_store::Position;

use crate::world::World;

#[tokio::test]
async fn a_report_shows_what_was_said_and_the_message_as_it_is_now() {
    let (world, _running) = World::running().await;
    let (owner, place) = world.place().await;
    let (bob, eve) = (world.account("Bob").await, world.account("Eve").await);
    for account in [bob, eve] {
        world.join(place.0, account).await;
    }
    let (message, _) = world.post(place, bob, "Buy now").await;
    let id = world.report(place, (message, bob), eve, Some("Three times")).await;
    world.settle().await;
    let report = world.read.report(owner, id).await.unwrap().unwrap();
    assert_eq!((report.id, report.community_id, report.channel_id), (id, place.0, place.1));
    assert_eq!((report.message_id, report.author_id, report.reporter_id), (message, bob, eve));
    assert_eq!((report.reason, report.state, report.changed), (ReportReason::Spam, ReportState::Open, None));
    assert_eq!((report.text.as_deref(), report.note.as_deref()), (Some("Three times"), None));
    assert_eq!(report.content.as_deref(), Some("Buy now"));
    assert_eq!(world.read.report(eve, id).await.unwrap(), Some(report), "the reporter sees the same");
    assert_eq!(world.read.report(bob, id).await.unwrap(), None, "the author sees nothing");
    assert_eq!(world.read.report(owner, ReportId(world.id())).await.unwrap(), None);

    world.edit(place, message, "Buy later").await;
    world.change_report(place.0, id, owner, ReportState::Resolved, Some("Warned")).await;
    world.settle().await;
    let report = world.read.report(owner, id).await.unwrap().unwrap();
    assert_eq!((report.state, report.changed.map(|(by, _)| by)), (ReportState::Resolved, Some(owner)));
    assert_eq!((report.note.as_deref(), report.content.as_deref()), (Some("Warned"), Some("Buy later")));

    world.delete(place, message, bob).await;
    world.change_report(place.0, id, owner, ReportState::Open, None).await;
    world.settle().await;
    let report = world.read.report(owner, id).await.unwrap().unwrap();
    assert_eq!((report.content, report.note, report.state), (None, None, ReportState::Open));
    assert_eq!(report.text.as_deref(), Some("Three times"));

    // It outlives its channel, not its community.
    world.delete_channel(place, owner).await;
    world.settle().await;
    assert!(world.read.report(owner, id).await.unwrap().is_some());
    world.delete_community(place.0, owner).await;
    world.settle().await;
    assert_eq!(world.read.report(owner, id).await.unwrap(), None);
}

#[tokio::test]
async fn a_report_is_for_those_who_manage_messages_and_its_reporter_while_they_are_members() {
    let (world, _running) = World::running().await;
    let (owner, place) = world.place().await;
    let (bob, eve) = (world.account("Bob").await, world.account("Eve").await);
    for account in [bob, eve] {
        world.join(place.0, account).await;
    }
    let (message, _) = world.post(place, owner, "Buy now").await;
    let id = world.report(place, (message, owner), eve, None).await;
    let sees = async |who| world.read.report(who, id).await.unwrap().is_some();
    world.settle().await;
    assert!(!sees(bob).await);
    world.give(place.0, bob, &[Role::Moderator]).await;
    world.settle().await;
    assert!(sees(bob).await);

    // A private channel's text does not come out by a report.
    let (community_id, channel_id) = place;
    let changed = ChannelChanged { private: Some(true), ..unchanged(community_id, channel_id) };
    world.tell(ChannelEvent::from(changed)).await;
    world.settle().await;
    assert_eq!(world.read.report(bob, id).await.unwrap().unwrap().content, None);
    assert!(world.read.report(owner, id).await.unwrap().unwrap().content.is_some());

    world.give(place.0, bob, &[Role::Member]).await;
    world.leave(place.0, eve).await;
    world.settle().await;
    assert!(!sees(bob).await && !sees(eve).await);
}

#[tokio::test]
async fn reports_are_paged_newest_first_in_any_state_or_one() {
    let (world, _running) = World::running().await;
    let (owner, place) = world.place().await;
    let elsewhere = world.place().await;
    let mut ids = Vec::new();
    for number in 0..7 {
        let (message, _) = world.post(place, owner, &format!("text {number}")).await;
        ids.push(world.report(place, (message, owner), owner, None).await);
        let (message, _) = world.post(elsewhere.1, elsewhere.0, "elsewhere").await;
        world.report(elsewhere.1, (message, elsewhere.0), elsewhere.0, None).await;
    }
    for id in [ids[1], ids[4]] {
        world.change_report(place.0, id, owner, ReportState::Dismissed, None).await;
    }
    world.settle().await;
    let all = async |state, limit| {
        let (mut found, mut before) = (vec![], None::<Position>);
        loop {
            let page = world.read.reports(owner, place.0, state, before, limit).await.unwrap();
            assert!(page.items.len() <= limit);
            found.extend(page.items.iter().map(|report| report.id));
            before = page.older;
            if before.is_none() {
                return found;
            }
        }
    };
    ids.reverse();
    for limit in 1..=8 {
        assert_eq!(all(None, limit).await, ids, "in pages of {limit}");
        assert_eq!(all(Some(ReportState::Dismissed), limit).await, [ids[2], ids[5]]);
        assert_eq!(all(Some(ReportState::Open), limit).await.len(), 5);
        assert_eq!(all(Some(ReportState::Resolved), limit).await, []);
    }
}

fn unchanged(community_id: domain::CommunityId, channel_id: domain::ChannelId) -> ChannelChanged {
    ChannelChanged::nothing(channel_id, community_id)
}
