//! Register, change a profile, find the account behind a login.

use domain::account::{
    Account, AccountCommand, AccountError, DisplayName, Email, Handle, Identity, ProfileChange,
};
use domain::claim::{Claim, Claimed, Taken};
use domain::codec::EventSet as _;
use domain::{AccountId, PersonalPart, streams};
use event_store::{Guard, Unavailable};
use vault::CredentialError;

use crate::Commands;
use crate::caller::{Cause, Context, Done, Refusal};
use crate::claim::ClaimName;
use crate::intent::{Intent, Prepared, Sealing};
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

    fn sealing(&self) -> Option<Sealing> {
        Some(Sealing::With { key: self.id.0 })
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

    fn sealing(&self) -> Option<Sealing> {
        Some(Sealing::With { key: self.id.0 })
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
        let handle_claim = self
            .claim(&cause, Claimed::Handle, &handle.folded(), id, HANDLE)
            .await
            .map_err(|refusal| refusal.map(|Taken| AccountError::HandleTaken))?;
        let email_claim = self
            .claim(&cause, Claimed::Email, &email.folded(), id, EMAIL)
            .await
            .map_err(|refusal| refusal.map(|Taken| AccountError::EmailTaken))?;
        self.inner.vault.create_account_key(id.0).await?;
        self.inner
            .vault
            .set_password(id.0, &password, self.inner.clock.now())
            .await
            .map_err(password_refused)?;
        let identity = Identity { handle, display_name, email };
        let intent =
            RegisterAccount { id, identity, claims: vec![handle_claim.guard(), email_claim.guard()] };
        let outcome = self.execute(&cause, &intent).await?;
        self.settled(outcome, |_| Ok(id)).await
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
        let account = states.load::<Account>(streams::account(holder), Freshness::FromLog).await?;
        Ok((account.state != Account::Absent).then_some(holder))
    }

    /// Whether such an account exists is checked before anything is said of it.
    pub(crate) async fn known(
        &self,
        account: AccountId,
    ) -> Result<(), Refusal<domain::membership::MembershipError>> {
        let folded = self.inner.states.load::<Account>(streams::account(account), Freshness::FromLog).await?;
        match folded.state {
            Account::Registered { .. } => Ok(()),
            Account::Absent => Err(Refusal::Domain(domain::membership::MembershipError::UnknownMember)),
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

    async fn claim(
        &self,
        cause: &Cause,
        what: Claimed,
        folded: &str,
        account: AccountId,
        ordinal: u32,
    ) -> Result<Folded<Claim>, Refusal<Taken>> {
        let digest = self.digest(what, folded);
        let claim = self.execute(cause, &ClaimName { what, digest, account, ordinal }).await?.made;
        // An earlier try may have claimed it and lost it since.
        if claim.state.holder == Some(account) { Ok(claim) } else { Err(Refusal::Domain(Taken)) }
    }

    fn digest(&self, what: Claimed, folded: &str) -> String {
        let purpose = match what {
            Claimed::Handle => "handle",
            Claimed::Email => "email",
        };
        self.inner.vault.digest(purpose, folded).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn password_refused(error: CredentialError) -> Refusal<AccountError> {
    match error {
        CredentialError::Busy => Refusal::Busy,
        CredentialError::Unavailable(source) => source.into(),
    }
}
