//! `account-{id}`: a person or a bot.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::codec::{events, told};
use crate::text::{TextError, bounded};
use crate::{AccountId, Aggregate, Personal};

bounded!(DisplayName, line, 1..=64);
bounded!(
    /// A few words about oneself. Empty: none.
    About, block, 0..=500
);

/// A unique name, as its holder writes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Handle(String);

impl Handle {
    pub const MIN: usize = 2;
    pub const MAX: usize = 32;

    /// Checks a handle from outside: letters a to z, digits, and single `.` `_` `-` between them.
    ///
    /// # Errors
    /// The text is no handle.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let actual = text.chars().count();
        if actual < Self::MIN {
            return Err(TextError::TooShort { min: Self::MIN, actual });
        }
        if actual > Self::MAX {
            return Err(TextError::TooLong { max: Self::MAX, actual });
        }
        let parts = text.split(['.', '_', '-']);
        let fits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
        if parts.into_iter().all(fits) { Ok(Self(text.to_owned())) } else { Err(TextError::NotAHandle) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which two handles are the same.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

/// An e-mail address, as its holder writes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    /// RFC 5321's limit for a path, without its brackets.
    pub const MAX: usize = 254;

    /// Checks an address from outside: something, one `@`, and a domain with a dot; whether it works, only mail tells.
    ///
    /// # Errors
    /// The text is no address.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let text = text.trim();
        if text.len() > Self::MAX {
            return Err(TextError::TooLong { max: Self::MAX, actual: text.len() });
        }
        let (local, domain) = text.rsplit_once('@').ok_or(TextError::NotAnEmail)?;
        let blank = |c: char| c.is_whitespace() || c.is_control() || c == '@';
        let labels = domain.split('.').all(|label| !label.is_empty() && label.len() <= 63);
        if local.is_empty()
            || local.contains(blank)
            || domain.contains(blank)
            || !labels
            || !domain.contains('.')
        {
            return Err(TextError::NotAnEmail);
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which two addresses are the same: compatibility-composed, lower case.
    pub fn folded(&self) -> String {
        // Composed once more, because some letters with marks compose only in lower case.
        self.0.nfkc().collect::<String>().to_lowercase().nfkc().collect()
    }
}

/// The personal text of a new account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub handle: Handle,
    pub display_name: DisplayName,
    pub email: Email,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRegistered {
    pub account_id: AccountId,
    #[serde(skip)]
    pub identity: Personal<Identity>,
}
told!(AccountRegistered.identity: Identity = "account.registered", 1);

/// The fields of a profile that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct ProfileChange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<DisplayName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<About>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileChanged {
    pub account_id: AccountId,
    #[serde(skip)]
    pub change: Personal<ProfileChange>,
}
told!(ProfileChanged.change: ProfileChange = "account.profile_changed", 1);

events! {
    pub enum AccountEvent {
        Registered(AccountRegistered),
        ProfileChanged(ProfileChanged),
    }
}

/// The fold of an account's stream: no personal text is needed to decide.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Account {
    #[default]
    Absent,
    Registered {
        id: AccountId,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountCommand {
    /// Both names are claimed already.
    Register {
        id: AccountId,
        identity: Identity,
    },
    ChangeProfile {
        change: ProfileChange,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    #[error("there is no such account")]
    Unknown,
    #[error("this handle is taken")]
    HandleTaken,
    #[error("there is an account with this e-mail address already")]
    EmailTaken,
}

impl Aggregate for Account {
    type Event = AccountEvent;
    type Command = AccountCommand;
    type Error = AccountError;

    fn evolve(&mut self, event: &AccountEvent) {
        match event {
            AccountEvent::Registered(registered) => *self = Self::Registered { id: registered.account_id },
            AccountEvent::ProfileChanged(_) => {}
        }
    }

    fn decide(&self, command: AccountCommand) -> Result<Vec<AccountEvent>, AccountError> {
        match (self, command) {
            (Self::Absent, AccountCommand::Register { id, identity }) => {
                Ok(vec![AccountRegistered { account_id: id, identity: Personal::Clear(identity) }.into()])
            }
            (Self::Registered { .. }, AccountCommand::Register { .. }) => Ok(vec![]),
            (Self::Absent, AccountCommand::ChangeProfile { .. }) => Err(AccountError::Unknown),
            (Self::Registered { .. }, AccountCommand::ChangeProfile { change })
                if change == ProfileChange::default() =>
            {
                Ok(vec![])
            }
            (Self::Registered { id }, AccountCommand::ChangeProfile { change }) => {
                Ok(vec![ProfileChanged { account_id: *id, change: Personal::Clear(change) }.into()])
            }
        }
    }
}
