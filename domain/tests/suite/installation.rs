use domain::installation::{Found, Installation, InstallationFounded};

use crate::given::given;
use crate::people::{HERE, MEMBER, OWNER};

#[test]
fn the_first_account_becomes_the_administrator() {
    for community in [Some(HERE), None] {
        let founded = InstallationFounded { administrator: OWNER, community_id: community };
        let command = Found { administrator: OWNER, community };
        let state = given::<Installation>([]).when(command).then([founded.into()]);
        assert_eq!(state, Installation { administrator: Some(OWNER), default_community: community });
    }
}

#[test]
fn later_accounts_change_nothing() {
    for community in [Some(HERE), None] {
        let founded = InstallationFounded { administrator: OWNER, community_id: None };
        let command = Found { administrator: MEMBER, community };
        given::<Installation>([founded.into()]).when(command).then_nothing();
    }
}
