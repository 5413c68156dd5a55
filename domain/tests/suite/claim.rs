use domain::claim::{Claim, ClaimEvent, Claimed, EmailClaimed, HandleClaimed, MakeClaim, Taken};

use crate::given::given;
use crate::people::{MEMBER, OTHER};

fn claim(what: Claimed, holder_registered: bool) -> MakeClaim {
    MakeClaim { what, account: MEMBER, holder_registered }
}

fn held_by_another() -> ClaimEvent {
    HandleClaimed { account_id: OTHER }.into()
}

#[test]
fn a_free_name_is_claimed() {
    let handle = HandleClaimed { account_id: MEMBER };
    let state = given::<Claim>([]).when(claim(Claimed::Handle, false)).then([handle.into()]);
    assert_eq!(state.holder, Some(MEMBER));
    let email = EmailClaimed { account_id: MEMBER };
    given::<Claim>([]).when(claim(Claimed::Email, false)).then([email.into()]);
}

#[test]
fn claiming_ones_own_name_again_changes_nothing() {
    let held = || [HandleClaimed { account_id: MEMBER }.into()];
    given::<Claim>(held()).when(claim(Claimed::Handle, false)).then_nothing();
    given::<Claim>(held()).when(claim(Claimed::Handle, true)).then_nothing();
}

#[test]
fn claiming_the_name_of_a_registered_account_is_refused() {
    given::<Claim>([held_by_another()]).when(claim(Claimed::Handle, true)).then_refused(Taken);
    given::<Claim>([held_by_another()]).when(claim(Claimed::Email, true)).then_refused(Taken);
}

#[test]
fn a_name_whose_claimant_never_registered_is_taken_over() {
    let taken_over = HandleClaimed { account_id: MEMBER };
    let state =
        given::<Claim>([held_by_another()]).when(claim(Claimed::Handle, false)).then([taken_over.into()]);
    assert_eq!(state.holder, Some(MEMBER), "the newest claim counts");
}
