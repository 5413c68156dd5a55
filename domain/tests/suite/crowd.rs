use std::collections::BTreeMap;

use domain::AccountId;
use domain::crowd::Crowd;
use proptest::prelude::*;
use uuid::Uuid;

fn account(number: u8) -> AccountId {
    AccountId(Uuid::from_u128(u128::from(number)))
}

proptest! {
    /// Whatever is said and taken back, a crowd answers as a plain map does, and its copies don't change with it.
    #[test]
    fn a_crowd_is_a_map_of_which_copies_stay_as_they_are(
        said in proptest::collection::vec((0..40_u8, proptest::option::of(any::<u8>())), 0..200),
    ) {
        let (mut crowd, mut map) = (Crowd::default(), BTreeMap::new());
        let mut copies = Vec::new();
        for (who, what) in said {
            copies.push((crowd.clone(), map.clone()));
            let who = account(who);
            match what {
                Some(what) => prop_assert_eq!(crowd.insert(who, what), map.insert(who, what)),
                None => prop_assert_eq!(crowd.remove(who), map.remove(&who)),
            }
        }
        copies.push((crowd, map));
        for (crowd, map) in copies {
            prop_assert_eq!(crowd.len() as usize, map.len());
            prop_assert_eq!(crowd.is_empty(), map.is_empty());
            for who in (0..40).map(account) {
                prop_assert_eq!(crowd.get(who), map.get(&who));
            }
        }
    }
}
