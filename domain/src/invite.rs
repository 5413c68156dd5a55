//! `invite-{code}`: a way into a community.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::codec::{events, fact};
use crate::membership::Membership;
use crate::{AccountId, Aggregate, CommunityId, Permissions, Standing};

/// The letters of a code: no 0 O 1 I l, so that it survives being read aloud. 12 of 57 make 70 bits.
pub const CODE_ALPHABET: &[u8; 57] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
pub const CODE_LENGTH: usize = 12;
/// Most uses one invite can allow, and the longest life in seconds (30 days) short of for ever.
pub const MAX_USES: u32 = 10_000;
pub const MAX_LIFETIME_SECONDS: u64 = 30 * 24 * 60 * 60;

/// A code that nobody guesses.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InviteCode(String);

impl InviteCode {
    /// From random bytes below 57 each, the caller's randomness.
    ///
    /// # Panics
    /// When a number is not below 57.
    pub fn from_digits(digits: [u8; CODE_LENGTH]) -> Self {
        Self(digits.iter().map(|digit| char::from(CODE_ALPHABET[usize::from(*digit)])).collect())
    }

    /// A code from outside; `None` when it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() == CODE_LENGTH && text.bytes().all(|b| CODE_ALPHABET.contains(&b));
        fits.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteCreated {
    pub code: InviteCode,
    pub community_id: CommunityId,
    pub created_by: AccountId,
    /// `None`: as many as come.
    pub max_uses: Option<u32>,
    /// `None`: never.
    pub expires_at: Option<Timestamp>,
}
fact!(InviteCreated = "invite.created", 1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteRedeemed {
    pub code: InviteCode,
    pub community_id: CommunityId,
    pub account_id: AccountId,
    pub invited_by: AccountId,
}
fact!(InviteRedeemed = "invite.redeemed", 1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteRevoked {
    pub code: InviteCode,
    pub community_id: CommunityId,
    pub revoked_by: AccountId,
}
fact!(InviteRevoked = "invite.revoked", 1);

events! {
    pub enum InviteEvent {
        Created(InviteCreated),
        Redeemed(InviteRedeemed),
        Revoked(InviteRevoked),
    }
}

/// The fold of an invite's stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Invite {
    #[default]
    Absent,
    Open(OpenInvite),
    Revoked(OpenInvite),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenInvite {
    pub code: InviteCode,
    pub community_id: CommunityId,
    pub created_by: AccountId,
    pub max_uses: Option<u32>,
    pub expires_at: Option<Timestamp>,
    pub uses: u32,
}

impl OpenInvite {
    pub fn usable_at(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|at| now < at) && self.max_uses.is_none_or(|max| self.uses < max)
    }
}

impl Invite {
    /// What is known of the invite, revoked or not.
    pub fn last(&self) -> Option<&OpenInvite> {
        match self {
            Self::Open(invite) | Self::Revoked(invite) => Some(invite),
            Self::Absent => None,
        }
    }

    /// The invite if it can be redeemed at `now`.
    pub fn usable(&self, now: Timestamp) -> Option<&OpenInvite> {
        match self {
            Self::Open(invite) if invite.usable_at(now) => Some(invite),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InviteCommand {
    Create { code: InviteCode, by: Standing, max_uses: Option<u32>, expires_at: Option<Timestamp> },
    Redeem { account: AccountId, entry: Entry, now: Timestamp },
    Revoke { by: Standing },
}

/// How the redeemer stands to the community.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// May come in.
    Outside,
    Member,
    Banned,
    /// The community is no more.
    Gone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InviteError {
    #[error("there is no such community")]
    UnknownCommunity,
    /// Expired, used up, revoked and never made look alike.
    #[error("this invite does not exist or is no longer valid")]
    Unknown,
    #[error("you may not create invites to this community")]
    MayNotInvite,
    #[error("only its creator or whoever manages invites may revoke one")]
    MayNotRevoke,
    #[error("you are banned from this community")]
    Banned,
}

impl Aggregate for Invite {
    type Event = InviteEvent;
    type Command = InviteCommand;
    type Error = InviteError;

    fn evolve(&mut self, event: &InviteEvent) {
        match event {
            InviteEvent::Created(created) => {
                *self = Self::Open(OpenInvite {
                    code: created.code.clone(),
                    community_id: created.community_id,
                    created_by: created.created_by,
                    max_uses: created.max_uses,
                    expires_at: created.expires_at,
                    uses: 0,
                });
            }
            InviteEvent::Redeemed(_) => {
                if let Self::Open(invite) | Self::Revoked(invite) = self {
                    invite.uses += 1;
                }
            }
            InviteEvent::Revoked(_) => {
                if let Self::Open(invite) = std::mem::take(self) {
                    *self = Self::Revoked(invite);
                }
            }
        }
    }

    fn decide(&self, command: InviteCommand) -> Result<Vec<InviteEvent>, InviteError> {
        match command {
            InviteCommand::Create { .. } if *self != Self::Absent => Ok(vec![]),
            InviteCommand::Create { code, by, max_uses, expires_at } => {
                if !by.is_member() {
                    return Err(InviteError::UnknownCommunity);
                }
                if !by.may(Permissions::CREATE_INVITES) {
                    return Err(InviteError::MayNotInvite);
                }
                let community_id = by.community.ok_or(InviteError::UnknownCommunity)?;
                let created_by = by.account;
                Ok(vec![InviteCreated { code, community_id, created_by, max_uses, expires_at }.into()])
            }
            InviteCommand::Redeem { account, entry, now } => {
                let invite = self.usable(now).ok_or(InviteError::Unknown);
                match entry {
                    // Who is in already uses nothing up, however the invite stands.
                    Entry::Member => Ok(vec![]),
                    Entry::Gone => Err(InviteError::Unknown),
                    Entry::Banned => invite.and(Err(InviteError::Banned)),
                    Entry::Outside => invite.map(|invite| {
                        vec![
                            InviteRedeemed {
                                code: invite.code.clone(),
                                community_id: invite.community_id,
                                account_id: account,
                                invited_by: invite.created_by,
                            }
                            .into(),
                        ]
                    }),
                }
            }
            InviteCommand::Revoke { by } => {
                let known =
                    |invite: &&OpenInvite| by.community == Some(invite.community_id) && by.is_member();
                let invite = self.last().filter(known).ok_or(InviteError::Unknown)?;
                if invite.created_by != by.account && !by.may(Permissions::MANAGE_INVITES) {
                    return Err(InviteError::MayNotRevoke);
                }
                if matches!(self, Self::Revoked(_)) {
                    return Ok(vec![]);
                }
                let (code, community_id) = (invite.code.clone(), invite.community_id);
                Ok(vec![InviteRevoked { code, community_id, revoked_by: by.account }.into()])
            }
        }
    }
}

/// The entry, at `now`, of an account with this membership to a community that lives or not.
pub fn entry(community_lives: bool, membership: &Membership, now: Timestamp) -> Entry {
    match membership {
        _ if !community_lives => Entry::Gone,
        Membership::Member(_) => Entry::Member,
        banned if banned.is_banned(now) => Entry::Banned,
        Membership::Outside { .. } | Membership::Banned { .. } => Entry::Outside,
    }
}

// Kept sorted so that a reviewer sees that nothing is listed twice.
const _: () = {
    let mut i = 1;
    while i < CODE_ALPHABET.len() {
        assert!(CODE_ALPHABET[i - 1] < CODE_ALPHABET[i]);
        i += 1;
    }
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_have_no_letters_that_look_alike() {
        let letters: BTreeSet<u8> = CODE_ALPHABET.iter().copied().collect();
        assert!(b"01OIl".iter().all(|letter| !letters.contains(letter)));
        assert_eq!(letters.len(), 57);
    }
}
