//! `handle-{digest}` and `email-{digest}`: at most one account holds a name.
//!
//! Claiming comes before registering, and a crash may come between. Then nobody holds the account that the claim
//! names, and the next who wants the name takes the claim over. Both sides append under guards (the taker: that the
//! account still does not exist; the registrar: that its claim is still its own), so exactly one of them wins.

use serde::{Deserialize, Serialize};

use crate::codec::{events, fact};
use crate::{AccountId, Aggregate};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandleClaimed {
    pub account_id: AccountId,
}
fact!(HandleClaimed = "handle.claimed", 1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailClaimed {
    pub account_id: AccountId,
}
fact!(EmailClaimed = "email.claimed", 1);

events! {
    pub enum ClaimEvent {
        Handle(HandleClaimed),
        Email(EmailClaimed),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    Handle,
    Email,
}

/// The fold of a claim's stream: who holds the name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Claim {
    pub holder: Option<AccountId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MakeClaim {
    pub what: Claimed,
    pub account: AccountId,
    /// Whether the present holder's account exists.
    pub holder_registered: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another account has it")]
pub struct Taken;

impl Aggregate for Claim {
    type Event = ClaimEvent;
    type Command = MakeClaim;
    type Error = Taken;

    fn evolve(&mut self, event: &ClaimEvent) {
        self.holder = Some(match event {
            ClaimEvent::Handle(claimed) => claimed.account_id,
            ClaimEvent::Email(claimed) => claimed.account_id,
        });
    }

    fn decide(&self, claim: MakeClaim) -> Result<Vec<ClaimEvent>, Taken> {
        match self.holder {
            Some(holder) if holder == claim.account => return Ok(vec![]),
            Some(_) if claim.holder_registered => return Err(Taken),
            Some(_) | None => {}
        }
        let account_id = claim.account;
        Ok(vec![match claim.what {
            Claimed::Handle => HandleClaimed { account_id }.into(),
            Claimed::Email => EmailClaimed { account_id }.into(),
        }])
    }
}
