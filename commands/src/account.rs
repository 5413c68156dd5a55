//! Register, change a profile, find the account behind a login.

use domain::account::{
    Account, AccountCommand, AccountError, DisplayName, Email, Handle, Identity, ProfileChange,
};
use domain::claim::{Claim, Claimed, Taken};
use domain::codec::EventSet as _;
use domain::{AccountId, PersonalPart, streams};
use event_store::{Guard, Unavailable};
use uuid::Uuid;
use vault::CredentialError;

use crate::Commands;
use crate::caller::{Cause, Context, Done, Refusal, hex};
use crate::claim::ClaimName;
use crate::intent::{Intent, Prepared};
use crate::states::{Folded, Freshness, States};

/// A new account. The password was checked for its length.
#[derive(Clone)]
pub struct Register {
    pub handle: Handle,
    pub display_name: DisplayName,
    pub email: Email,
    pub password: String,
}

struct RegisterAccount {
    id: AccountId,
    identity: Identity,
    /// That both claims are still this account's.
    claims: Vec<Guard>,
}

/// Ordinals of a registration's events.
const HANDLE: u32 = 0;
const EMAIL: u32 = 1;
const REGISTERED: u32 = 2;

impl Intent for RegisterAccount {
    type Aggregate = Account;

    fn stream(&self) -> String {
        streams::account(self.id)
    }

    fn first_ordinal(&self) -> u32 {
        REGISTERED
    }

    fn key(&self) -> Option<Uuid> {
        Some(self.id.0)
    }

    async fn prepare(&self, _: &States, _: Freshness) -> Result<Prepared<Account>, Unavailable> {
        let command = AccountCommand::Register { id: self.id, identity: self.identity.clone() };
        Ok(Prepared { command, guards: self.claims.clone() })
    }
}

struct ChangeProfile {
    id: AccountId,
    change: ProfileChange,
}

impl Intent for ChangeProfile {
    type Aggregate = Account;

    fn stream(&self) -> String {
        streams::account(self.id)
    }

    fn key(&self) -> Option<Uuid> {
        Some(self.id.0)
    }

    async fn prepare(&self, _: &States, _: Freshness) -> Result<Prepared<Account>, Unavailable> {
        let command = AccountCommand::ChangeProfile { change: self.change.clone() };
        Ok(Prepared { command, guards: vec![] })
    }
}

impl Commands {
    /// Registers an account: claims its names, keeps its password, and lets it into the default community.
    ///
    /// # Errors
    /// See [`AccountError`].
    pub async fn register(
        &self,
        context: &Context,
        new: Register,
    ) -> Result<Done<AccountId>, Refusal<AccountError>> {
        let cause = self.cause(context);
        let id = match self.begun(&cause).await? {
            Some(begun) => begun,
            None => AccountId(self.inner.ids.id()),
        };
        let Register { handle, display_name, email, password } = new;
        let (id, handle_claim) = self
            .claim(&cause, Claimed::Handle, &handle.folded(), id, HANDLE)
            .await
            .map_err(|refusal| refusal.map(|Taken| AccountError::HandleTaken))?;
        let (id, email_claim) = self
            .claim(&cause, Claimed::Email, &email.folded(), id, EMAIL)
            .await
            .map_err(|refusal| refusal.map(|Taken| AccountError::EmailTaken))?;
        // A repeated call must bring back neither a password that was changed since nor the key of who was erased.
        if !self.registered(id).await? {
            self.inner.vault.create_account_key(id.0).await?;
            let now = self.inner.clock.now();
            self.inner.vault.set_password(id.0, &password, now).await.map_err(password_refused)?;
        }
        let identity = Identity { handle, display_name, email };
        let claims = vec![handle_claim.guard(), email_claim.guard()];
        match self.execute(&cause, &RegisterAccount { id, identity, claims }).await {
            Ok(outcome) => self.settled(outcome, |_| Ok(id)).await,
            Err(Refusal::Busy) if self.lost(&handle_claim).await? => {
                Err(Refusal::Domain(AccountError::HandleTaken))
            }
            Err(Refusal::Busy) if self.lost(&email_claim).await? => {
                Err(Refusal::Domain(AccountError::EmailTaken))
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// Changes the fields of a profile that are given.
    ///
    /// # Errors
    /// See [`AccountError`].
    pub async fn change_profile(
        &self,
        context: &Context,
        change: ProfileChange,
    ) -> Result<Done<AccountId>, Refusal<AccountError>> {
        let id = context.actor.ok_or(Refusal::Domain(AccountError::Unknown))?;
        let outcome = self.execute(&self.cause(context), &ChangeProfile { id, change }).await?;
        Ok(outcome.map(|_| id))
    }

    /// The account that logs in as `login`, a handle or an e-mail address.
    ///
    /// # Errors
    /// The log cannot be reached.
    pub async fn account_by_login(&self, login: &str) -> Result<Option<AccountId>, Unavailable> {
        let stream = match (Email::parse(login), Handle::parse(login)) {
            (Ok(email), _) => {
                ClaimName::stream_of(Claimed::Email, &self.digest(Claimed::Email, &email.folded()))
            }
            (_, Ok(handle)) => {
                ClaimName::stream_of(Claimed::Handle, &self.digest(Claimed::Handle, &handle.folded()))
            }
            _ => return Ok(None),
        };
        let states = &self.inner.states;
        let Some(holder) = states.load::<Claim>(stream, Freshness::FromLog).await?.state.holder else {
            return Ok(None);
        };
        Ok(self.registered(holder).await?.then_some(holder))
    }

    async fn registered(&self, account: AccountId) -> Result<bool, Unavailable> {
        let folded = self.inner.states.load::<Account>(streams::account(account), Freshness::FromLog).await?;
        Ok(folded.state != Account::Absent)
    }

    /// Whether such an account exists is checked before anything is said of it.
    pub(crate) async fn known(
        &self,
        account: AccountId,
    ) -> Result<(), Refusal<domain::membership::MembershipError>> {
        if self.registered(account).await? {
            Ok(())
        } else {
            Err(Refusal::Domain(domain::membership::MembershipError::UnknownMember))
        }
    }

    /// The account that an earlier call of this registration began to make.
    async fn begun(&self, cause: &Cause) -> Result<Option<AccountId>, Refusal<AccountError>> {
        let Some(record) = self.inner.store.find(cause.event_id(HANDLE)).await? else {
            return Ok(None);
        };
        if !cause.wrote(&record.meta) {
            return Err(Refusal::KeyReused);
        }
        let mut claim = Claim::default();
        let event = domain::claim::ClaimEvent::decode(
            &record.kind,
            record.schema,
            &record.data,
            PersonalPart::Sealed,
        )
        .map_err(Refusal::unavailable)?;
        if let Some(event) = event {
            domain::Aggregate::evolve(&mut claim, &event);
        }
        Ok(claim.holder)
    }

    /// The claim, and whom this command made it for: another call of the same command may have come first.
    async fn claim(
        &self,
        cause: &Cause,
        what: Claimed,
        folded: &str,
        account: AccountId,
        ordinal: u32,
    ) -> Result<(AccountId, Folded<Claim>), Refusal<Taken>> {
        let digest = self.digest(what, folded);
        let claim = self.execute(cause, &ClaimName { what, digest, account, ordinal }).await?.made;
        // An earlier try may have claimed it and lost it since.
        match claim.state.holder {
            Some(holder) if !self.lost(&claim).await? => Ok((holder, claim)),
            _ => Err(Refusal::Domain(Taken)),
        }
    }

    /// Whether somebody else took the name over.
    async fn lost(&self, claim: &Folded<Claim>) -> Result<bool, Unavailable> {
        let stream = claim.stream.as_str().to_owned();
        let newest = self.inner.states.load::<Claim>(stream, Freshness::FromLog).await?;
        Ok(newest.state.holder != claim.state.holder)
    }

    pub(crate) fn digest(&self, what: Claimed, folded: &str) -> String {
        let purpose = match what {
            Claimed::Handle => "handle",
            Claimed::Email => "email",
        };
        hex(&self.inner.vault.digest(purpose, folded))
    }
}

fn password_refused(error: CredentialError) -> Refusal<AccountError> {
    match error {
        CredentialError::Busy => Refusal::Busy,
        CredentialError::Unavailable(source) => source.into(),
    }
}
