//! Create, redeem, revoke an invite.

use std::sync::Arc;

use domain::codec::EventSet as _;
use domain::invite::{
    CODE_ALPHABET, CODE_LENGTH, Entry, Invite, InviteCode, InviteCommand, InviteError, InviteEvent,
    OpenInvite, entry,
};
use domain::membership::Membership;
use domain::{AccountId, CommunityId, PersonalPart, streams};
use event_store::{Position, Record, Unavailable};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::Commands;
use crate::caller::{Context, Done, Refusal};
use crate::intent::{Actor, Intent, Prepared};
use crate::source::IdSource;
use crate::states::{Folded, Freshness, States};

/// An invite as a command left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteState {
    pub invite: OpenInvite,
    pub created_at: Timestamp,
}

/// What redeeming an invite led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redemption {
    pub community_id: CommunityId,
    /// `false` for who was a member already.
    pub joined: bool,
}

struct Create {
    code: InviteCode,
    by: AccountId,
    community: CommunityId,
    max_uses: Option<u32>,
    expires_at: Option<Timestamp>,
}

impl Intent for Create {
    type Aggregate = Invite;

    fn stream(&self) -> String {
        streams::invite(self.code.as_str())
    }

    fn is_new(&self) -> bool {
        true
    }

    async fn prepare(&self, states: &States, freshness: Freshness) -> Result<Prepared<Invite>, Unavailable> {
        let actor = Actor::load(states, self.community, self.by, freshness).await?;
        let (code, by) = (self.code.clone(), actor.standing);
        let command =
            InviteCommand::Create { code, by, max_uses: self.max_uses, expires_at: self.expires_at };
        Ok(Prepared { guards: actor.guards(), command })
    }
}

struct Redeem {
    code: InviteCode,
    account: AccountId,
    now: Timestamp,
}

impl Intent for Redeem {
    type Aggregate = Invite;

    fn stream(&self) -> String {
        streams::invite(self.code.as_str())
    }

    async fn prepare(&self, states: &States, freshness: Freshness) -> Result<Prepared<Invite>, Unavailable> {
        let records = states.records(self.stream()).await?;
        let actor = actor_of_invite(states, &self.code, self.account, freshness).await?;
        let lives = actor.community.state.live().is_some();
        let mut entry = entry(lives, &actor.membership.state, self.now);
        // Who redeemed it already and is about to join uses it up no second time.
        if entry == Entry::Outside && entering(&records, self.account, &actor.membership).is_some() {
            entry = Entry::Member;
        }
        let command = InviteCommand::Redeem { account: self.account, entry, now: self.now };
        Ok(Prepared { guards: actor.guards(), command })
    }
}

/// The redemption among an invite's `records` from which the account's joining has not followed yet.
fn entering<'a>(
    records: &'a [Arc<Record>],
    account: AccountId,
    membership: &Folded<Membership>,
) -> Option<&'a Arc<Record>> {
    let newer = records.iter().rev().take_while(|record| record.position > membership.position);
    newer.into_iter().find(|record| {
        let event = InviteEvent::decode(&record.kind, record.schema, &record.data, PersonalPart::Sealed);
        matches!(event, Ok(Some(InviteEvent::Redeemed(redeemed))) if redeemed.account_id == account)
    })
}

struct Revoke {
    code: InviteCode,
    by: AccountId,
}

impl Intent for Revoke {
    type Aggregate = Invite;

    fn stream(&self) -> String {
        streams::invite(self.code.as_str())
    }

    async fn prepare(&self, states: &States, freshness: Freshness) -> Result<Prepared<Invite>, Unavailable> {
        let actor = actor_of_invite(states, &self.code, self.by, freshness).await?;
        Ok(Prepared { guards: actor.guards(), command: InviteCommand::Revoke { by: actor.standing } })
    }
}

/// The account's standing in the community that the invite leads to; an unknown code leads nowhere.
async fn actor_of_invite(
    states: &States,
    code: &InviteCode,
    account: AccountId,
    freshness: Freshness,
) -> Result<Actor, Unavailable> {
    let invite = states.load::<Invite>(streams::invite(code.as_str()), freshness).await?;
    let community = invite.state.last().map_or(CommunityId(Uuid::nil()), |invite| invite.community_id);
    Actor::load(states, community, account, freshness).await
}

impl Commands {
    /// Makes an invite to `community`, for ever and for all where no limit is given.
    ///
    /// # Errors
    /// See [`InviteError`].
    pub async fn create_invite(
        &self,
        context: &Context,
        community: CommunityId,
        max_uses: Option<u32>,
        expires_in: Option<SignedDuration>,
    ) -> Result<Done<InviteState>, Refusal<InviteError>> {
        let by = actor(context)?;
        let code = new_code(&*self.inner.ids);
        let now = self.inner.clock.now();
        let expires_at = expires_in.map(|life| now.checked_add(life).unwrap_or(Timestamp::MAX));
        let intent = Create { code, by, community, max_uses, expires_at };
        let outcome = self.execute(&self.cause(context), &intent).await?;
        let created_at = outcome.made.created_at;
        let invite = outcome.made.state.last().cloned().ok_or(Refusal::Domain(InviteError::Unknown))?;
        Ok(outcome.map(|_| InviteState { invite, created_at }))
    }

    /// Joins the community that `code` leads to.
    ///
    /// # Errors
    /// See [`InviteError`].
    pub async fn redeem_invite(
        &self,
        context: &Context,
        code: InviteCode,
    ) -> Result<Done<Redemption>, Refusal<InviteError>> {
        let account = actor(context)?;
        let cause = self.cause(context);
        let redeem = Redeem { code, account, now: self.inner.clock.now() };
        let mut outcome = self.execute(&cause, &redeem).await?;
        let joined = outcome.repeated || self.inner.store.find(cause.event_id(0)).await?.is_some();
        if !joined {
            let entered = self.entered(&redeem).await?;
            outcome.position = outcome.position.max(entered);
        }
        self.settled(outcome, |folded| {
            let invite = folded.state.last().ok_or(Refusal::Domain(InviteError::Unknown))?;
            Ok(Redemption { community_id: invite.community_id, joined })
        })
        .await
    }

    /// Joins whom another call of theirs has let in but not joined yet; the position of their membership.
    async fn entered(&self, redeem: &Redeem) -> Result<Position, Refusal<InviteError>> {
        let states = &self.inner.states;
        let actor = actor_of_invite(states, &redeem.code, redeem.account, Freshness::FromLog).await?;
        let records = states.records(redeem.stream()).await?;
        if let Some(record) = entering(&records, redeem.account, &actor.membership)
            && let Some(settled) = self.inner.settle(record).await.map_err(Refusal::unavailable)?
        {
            return Ok(settled.position);
        }
        Ok(actor.membership.position)
    }

    /// Ends an invite.
    ///
    /// # Errors
    /// See [`InviteError`].
    pub async fn revoke_invite(
        &self,
        context: &Context,
        code: InviteCode,
    ) -> Result<Done<()>, Refusal<InviteError>> {
        let by = actor(context)?;
        Ok(self.execute(&self.cause(context), &Revoke { code, by }).await?.map(drop))
    }
}

fn actor(context: &Context) -> Result<AccountId, Refusal<InviteError>> {
    context.actor.ok_or(Refusal::Domain(InviteError::UnknownCommunity))
}

/// Draws each letter evenly: numbers past the last whole run of the alphabet are drawn again.
fn new_code(ids: &dyn IdSource) -> InviteCode {
    let letters = CODE_ALPHABET.len() as u8;
    let fair = u8::MAX - u8::MAX % letters;
    let mut digits = [0; CODE_LENGTH];
    for digit in &mut digits {
        let mut byte = [0];
        loop {
            ids.fill(&mut byte);
            if byte[0] < fair {
                break;
            }
        }
        *digit = byte[0] % letters;
    }
    InviteCode::from_digits(digits)
}
