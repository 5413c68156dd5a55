//! Notification settings: what is kept, and what holds in the end.

use account_data::{DEFAULT, Effective, Level, Mute, NotificationSetting, Scope, effective};
use domain::{ChannelId, CommunityId};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{ANN, BOB, Fixture, at};

const COMMUNITY: Scope = Scope::Community(CommunityId(Uuid::from_u128(1)));
/// The same number, so that only the scope tells them apart.
const CHANNEL: Scope = Scope::Channel(ChannelId(Uuid::from_u128(1)));

fn setting(level: impl Into<Option<Level>>, mute: impl Into<Option<Mute>>) -> NotificationSetting {
    NotificationSetting { level: level.into(), mute: mute.into() }
}

fn holds(level: Level, until: Option<Timestamp>) -> Effective {
    Effective { level, until }
}

#[test]
fn the_channel_says_before_the_community_and_the_community_before_the_default() {
    let of = |channel, community| effective(channel, community, at(0));
    let (all, mentions, nothing) =
        (setting(Level::All, None), setting(Level::Mentions, None), setting(Level::Nothing, None));
    assert_eq!(of(None, None), holds(DEFAULT, None));
    assert_eq!(of(None, Some(mentions)), holds(Level::Mentions, None));
    assert_eq!(of(Some(nothing), Some(mentions)), holds(Level::Nothing, None));
    assert_eq!(of(Some(all), Some(nothing)), holds(Level::All, None));
    assert_eq!(of(Some(setting(None, None)), Some(mentions)), holds(Level::Mentions, None));
    assert_eq!(of(Some(setting(None, None)), Some(setting(None, None))), holds(DEFAULT, None));
}

#[test]
fn a_mute_silences_all_levels_until_it_ends() {
    let loud = Some(setting(Level::All, None));
    let until = |seconds| Some(setting(Level::All, Mute::Until(at(seconds))));
    let always = Some(setting(Level::All, Mute::Always));
    assert_eq!(effective(until(10), loud, at(9)), holds(Level::Nothing, Some(at(10))));
    assert_eq!(effective(until(10), loud, at(10)), holds(Level::All, None), "it ends at that very time");
    assert_eq!(effective(loud, until(10), at(9)), holds(Level::Nothing, Some(at(10))));
    assert_eq!(effective(until(10), until(20), at(9)), holds(Level::Nothing, Some(at(20))));
    assert_eq!(effective(until(20), until(10), at(15)), holds(Level::Nothing, Some(at(20))));
    assert_eq!(effective(always, until(10), at(0)), holds(Level::Nothing, None));
    assert_eq!(effective(until(10), always, at(0)), holds(Level::Nothing, None));
}

#[tokio::test]
async fn settings_are_kept_until_they_are_reset() {
    let fixture = Fixture::new().await;
    let data = &fixture.data;
    let kinds = [
        setting(None, None),
        setting(Level::All, None),
        setting(Level::Mentions, Mute::Always),
        setting(Level::Nothing, Mute::Until(at(5))),
    ];
    for kind in kinds {
        data.set_notification_setting(ANN, COMMUNITY, kind).await.unwrap();
        assert_eq!(data.notification_setting(ANN, COMMUNITY).await.unwrap(), Some(kind));
    }
    assert_eq!(data.notification_setting(ANN, CHANNEL).await.unwrap(), None);
    data.set_notification_setting(ANN, CHANNEL, kinds[1]).await.unwrap();
    data.set_notification_setting(BOB, CHANNEL, kinds[2]).await.unwrap();
    let all = fixture.another_node().await.notification_settings(ANN).await.unwrap();
    assert_eq!(all, [(CHANNEL, kinds[1]), (COMMUNITY, kinds[3])]);

    assert!(data.reset_notification_setting(ANN, CHANNEL).await.unwrap());
    assert!(!data.reset_notification_setting(ANN, CHANNEL).await.unwrap());
    assert_eq!(data.notification_settings(ANN).await.unwrap(), [(COMMUNITY, kinds[3])]);
    assert_eq!(data.notification_settings(BOB).await.unwrap(), [(CHANNEL, kinds[2])]);
}
