//! Presence: what others see, while accounts come and go at several nodes.

use std::collections::HashMap;

use account_data::{Attended, SightChange};
use domain::AccountId;
use domain::presence::{Presence, Shown, Sight, Status};
use uuid::Uuid;

use crate::{ANN, BOB, Fixture, at};

const HERE: Uuid = Uuid::from_u128(0x1);
const THERE: Uuid = Uuid::from_u128(0x2);

fn shown(status: Shown) -> Sight {
    Sight { status, ..Sight::OFFLINE }
}

fn chosen(status: Status) -> Presence {
    Presence { status, ..Presence::default() }
}

fn told(changes: Vec<SightChange>) -> Vec<(AccountId, Sight)> {
    changes.into_iter().map(|change| (change.account, change.sight)).collect()
}

impl Fixture {
    async fn attend(&self, node: Uuid, came: &[AccountId], went: &[AccountId]) -> Vec<(AccountId, Sight)> {
        told(self.data.attend(node, came, went, at(0)).await.unwrap().changes)
    }

    async fn set(&self, account: AccountId, presence: &Presence) -> Option<Sight> {
        self.data.set_presence(account, presence, at(0)).await.unwrap().map(|change| change.sight)
    }

    async fn sights(&self) -> HashMap<AccountId, Sight> {
        self.data.sights(&[ANN, BOB], at(0)).await.unwrap()
    }

    /// Time passes for a node that does not renew its lease.
    async fn let_lease_run_out(&self, node: Uuid) {
        const SQL: &str = "UPDATE account_data.nodes SET expires_at = now() WHERE node = $1";
        assert_eq!(self.sql().await.execute(SQL, &[&node]).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn what_was_chosen_is_kept_and_takes_the_place_of_what_was_before() {
    let fixture = Fixture::new().await;
    assert_eq!(fixture.data.presence(ANN).await.unwrap(), Presence::default());
    let full = Presence {
        status: Status::Dnd,
        text: Some("in a meeting".to_owned()),
        emoji: Some("📅".to_owned()),
        expires_at: Some(at(60)),
    };
    fixture.set(ANN, &full).await;
    assert_eq!(fixture.another_node().await.presence(ANN).await.unwrap(), full);
    assert_eq!(fixture.data.presence(BOB).await.unwrap(), Presence::default());
    for status in Status::ALL {
        fixture.set(ANN, &chosen(status)).await;
        assert_eq!(fixture.data.presence(ANN).await.unwrap(), chosen(status));
    }
}

#[tokio::test]
async fn who_comes_is_online_until_they_are_gone_from_every_node() {
    let fixture = Fixture::new().await;
    assert_eq!(fixture.attend(HERE, &[ANN], &[]).await, [(ANN, shown(Shown::Online))]);
    assert_eq!(fixture.attend(HERE, &[ANN], &[]).await, [], "said again");
    assert_eq!(fixture.attend(THERE, &[ANN], &[]).await, [], "others see no difference");
    assert_eq!(fixture.sights().await, HashMap::from([(ANN, shown(Shown::Online))]));
    assert_eq!(fixture.attend(HERE, &[], &[ANN]).await, []);
    assert_eq!(fixture.sights().await, HashMap::from([(ANN, shown(Shown::Online))]));
    assert_eq!(fixture.attend(THERE, &[BOB], &[ANN]).await.len(), 2);
    assert_eq!(fixture.sights().await, HashMap::from([(BOB, shown(Shown::Online))]));
    assert_eq!(fixture.attend(THERE, &[], &[ANN]).await, [], "said again");
}

#[tokio::test]
async fn a_change_of_what_was_chosen_is_told_when_others_see_it() {
    let fixture = Fixture::new().await;
    assert_eq!(fixture.set(ANN, &chosen(Status::Away)).await, None, "nobody sees it yet");
    assert_eq!(fixture.attend(HERE, &[ANN], &[]).await, [(ANN, shown(Shown::Away))]);
    assert_eq!(fixture.set(ANN, &chosen(Status::Away)).await, None, "it is so already");
    assert_eq!(fixture.set(ANN, &chosen(Status::Dnd)).await, Some(shown(Shown::Dnd)));
    assert_eq!(fixture.set(ANN, &chosen(Status::Invisible)).await, Some(Sight::OFFLINE));
    assert_eq!(fixture.sights().await, HashMap::new());
    let hidden = Presence { text: Some("here in secret".to_owned()), ..chosen(Status::Invisible) };
    assert_eq!(fixture.set(ANN, &hidden).await, None);
    assert_eq!(fixture.attend(HERE, &[], &[ANN]).await, [], "who was invisible goes unseen");
    assert_eq!(fixture.attend(HERE, &[ANN], &[]).await, [], "and comes unseen");
    let text = Presence { text: Some("tea".to_owned()), ..Presence::default() };
    let sight = Sight { text: text.text.clone(), ..shown(Shown::Online) };
    assert_eq!(fixture.set(ANN, &text).await, Some(sight));
}

#[tokio::test]
async fn what_has_expired_is_not_shown() {
    let fixture = Fixture::new().await;
    let tea = Presence { text: Some("tea".to_owned()), expires_at: Some(at(10)), ..Presence::default() };
    fixture.set(ANN, &tea).await;
    fixture.attend(HERE, &[ANN], &[]).await;
    let text = async |seconds| {
        let sights = fixture.data.sights(&[ANN], at(seconds)).await.unwrap();
        sights[&ANN].text.clone()
    };
    assert_eq!(text(9).await.as_deref(), Some("tea"));
    assert_eq!(text(10).await, None);
}

#[tokio::test]
async fn a_node_that_is_gone_takes_its_accounts_with_it_and_one_hears_of_that() {
    let fixture = Fixture::new().await;
    fixture.attend(HERE, &[ANN, BOB], &[]).await;
    fixture.attend(THERE, &[BOB], &[]).await;
    assert_eq!(fixture.data.sweep_nodes(at(0)).await.unwrap(), []);
    fixture.let_lease_run_out(HERE).await;
    assert_eq!(fixture.sights().await, HashMap::from([(BOB, shown(Shown::Online))]), "at once");
    let sweeps = [fixture.data.clone(), fixture.another_node().await].map(|data| {
        let sweep = async move { data.sweep_nodes(at(0)).await.unwrap() };
        tokio::spawn(sweep)
    });
    let mut changes = Vec::new();
    for sweep in sweeps {
        changes.extend(told(sweep.await.unwrap()));
    }
    assert_eq!(changes, [(ANN, Sight::OFFLINE)]);
    assert_eq!(fixture.data.sweep_nodes(at(0)).await.unwrap(), []);
}

#[tokio::test]
async fn who_comes_back_before_the_lease_of_an_ended_node_runs_out_was_never_away() {
    let fixture = Fixture::new().await;
    fixture.attend(HERE, &[ANN], &[]).await;
    assert_eq!(fixture.attend(THERE, &[ANN], &[]).await, []);
    fixture.let_lease_run_out(HERE).await;
    assert_eq!(fixture.data.sweep_nodes(at(0)).await.unwrap(), []);
    assert_eq!(fixture.sights().await.len(), 1);
}

#[tokio::test]
async fn a_node_that_lost_its_lease_is_told_so() {
    let fixture = Fixture::new().await;
    let attend = async || fixture.data.attend(HERE, &[], &[], at(0)).await.unwrap();
    assert_eq!(attend().await, Attended { changes: vec![], fresh: true });
    assert_eq!(attend().await, Attended { changes: vec![], fresh: false });
    fixture.attend(HERE, &[ANN], &[]).await;
    fixture.let_lease_run_out(HERE).await;
    fixture.data.sweep_nodes(at(0)).await.unwrap();
    let again = fixture.data.attend(HERE, &[ANN], &[], at(0)).await.unwrap();
    assert!(again.fresh);
    assert_eq!(told(again.changes), [(ANN, shown(Shown::Online))]);
}

#[tokio::test]
async fn of_changes_at_many_nodes_the_last_that_is_told_is_what_is_so() {
    let fixture = Fixture::new().await;
    let turns = (1..=8_u128).map(|node| {
        let data = fixture.data.clone();
        tokio::spawn(async move {
            let mut told = Vec::new();
            for turn in 0..6 {
                let (came, went): (&[_], &[_]) = if turn % 2 == 0 { (&[ANN], &[]) } else { (&[], &[ANN]) };
                told.extend(data.attend(Uuid::from_u128(node), came, went, at(0)).await.unwrap().changes);
            }
            told
        })
    });
    let mut told = Vec::new();
    for turn in turns.collect::<Vec<_>>() {
        told.extend(turn.await.unwrap());
    }
    told.sort_by_key(|change| change.time);
    let shown: Vec<bool> = told.iter().map(|change| !change.sight.is_offline()).collect();
    let expected: Vec<bool> = (0..shown.len()).map(|nth| nth % 2 == 0).collect();
    assert_eq!(shown, expected, "online and offline take turns");
    assert_eq!(shown.last(), Some(&false));
    assert_eq!(fixture.sights().await, HashMap::new());
}
