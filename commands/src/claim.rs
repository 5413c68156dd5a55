//! Holding a unique name for an account.

use std::sync::Arc;

use domain::account::Account;
use domain::claim::{Claim, Claimed, MakeClaim};
use domain::{AccountId, streams};
use event_store::Unavailable;

use crate::intent::{Intent, Prepared};
use crate::states::{Folded, Freshness, States};

pub(crate) struct ClaimName {
    pub(crate) what: Claimed,
    /// The keyed digest of the folded name, in hex.
    pub(crate) digest: String,
    pub(crate) account: AccountId,
    pub(crate) ordinal: u32,
}

impl ClaimName {
    pub(crate) fn stream_of(what: Claimed, digest: &str) -> String {
        match what {
            Claimed::Handle => streams::handle(digest),
            Claimed::Email => streams::email(digest),
        }
    }
}

impl Intent for ClaimName {
    type Aggregate = Claim;

    fn stream(&self) -> String {
        Self::stream_of(self.what, &self.digest)
    }

    fn first_ordinal(&self) -> u32 {
        self.ordinal
    }

    async fn prepare(&self, states: &States, freshness: Freshness) -> Result<Prepared<Claim>, Unavailable> {
        let claim = states.load::<Claim>(self.stream(), freshness).await?;
        let holder: Option<Arc<Folded<Account>>> = match claim.state.holder {
            Some(holder) => Some(states.load(streams::account(holder), freshness).await?),
            None => None,
        };
        let holder_registered = holder.as_ref().is_some_and(|folded| folded.state != Account::Absent);
        let command = MakeClaim { what: self.what, account: self.account, holder_registered };
        // A claim is taken over only while its holder has not registered.
        Ok(Prepared { command, guards: holder.iter().map(|folded| folded.guard()).collect() })
    }
}
