//! How permissions come about. One function decides; the other says which rule did.
//!
//! In a community:
//! 1. The owner has every permission, everywhere.
//! 2. A member has the union of what their roles grant.
//! 3. During a time-out only [`Permissions::TIMED_OUT`] is left of it.
//!
//! In one of its channels, from there on:
//! 4. In a private channel no role grants `view`: only an overwrite does.
//! 5. Each role's overwrite is laid over the result, lowest role first, so that the highest role's word counts.
//! 6. The member's own overwrite comes last.
//! 7. Overwrites give nothing back that a time-out took.
//! 8. Who may not view a channel may do nothing in it.
//! 9. To an archived channel nobody adds anything, its owner included: [`Permissions::CONTRIBUTE`] is gone.

use std::collections::BTreeSet;

use super::{Overwrites, Permissions, Target};
use crate::role::Roles;
use crate::{AccountId, Role};

/// Whose permissions.
#[derive(Debug, Clone, Copy)]
pub struct Who<'a> {
    pub account: AccountId,
    pub owner: bool,
    /// Those that the member holds; empty outside.
    pub roles: &'a BTreeSet<Role>,
    pub timed_out: bool,
}

/// What of a channel counts.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub private: bool,
    pub archived: bool,
    pub overwrites: &'a Overwrites,
}

/// What `who` may do in the community, or in one channel of it.
pub fn resolve(who: Who<'_>, roles: &Roles, channel: Option<Place<'_>>) -> Permissions {
    let permissions = unarchived(who, roles, channel);
    let archived = channel.is_some_and(|channel| channel.archived);
    if archived { permissions - Permissions::CONTRIBUTE } else { permissions }
}

fn unarchived(who: Who<'_>, roles: &Roles, channel: Option<Place<'_>>) -> Permissions {
    if who.owner {
        return Permissions::all();
    }
    let mut permissions = roles.granted(who.roles);
    let Some(Place { private, overwrites, .. }) = channel else {
        return if who.timed_out { permissions & Permissions::TIMED_OUT } else { permissions };
    };
    if private {
        permissions -= Permissions::VIEW;
    }
    if !overwrites.is_empty() && !who.roles.is_empty() {
        for role in roles.order() {
            if who.roles.contains(role)
                && let Some(overwrite) = overwrites.get(Target::Role(*role))
            {
                permissions = overwrite.over(permissions);
            }
        }
        if let Some(overwrite) = overwrites.get(Target::Account(who.account)) {
            permissions = overwrite.over(permissions);
        }
    }
    if who.timed_out {
        permissions &= Permissions::TIMED_OUT;
    }
    if permissions.contains(Permissions::VIEW) { permissions } else { Permissions::empty() }
}

/// The rule that decided one permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Owns the community.
    Owner,
    /// Takes part in the direct or group channel, or does not.
    Participant,
    /// Not a member.
    Outsider,
    /// The highest of the roles held that grants it.
    Role(Role),
    /// No role held grants it.
    NotGranted,
    /// The channel is private, and no overwrite allows viewing it.
    Private,
    /// An overwrite allowed or denied it.
    Overwrite(Target),
    TimedOut,
    /// What may not be viewed, may not be used.
    NoView,
    /// Nothing is added to an archived channel.
    Archived,
}

/// Whether a permission is held, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decided {
    pub permission: Permissions,
    pub allowed: bool,
    pub rule: Rule,
}

/// Each permission with the rule that decided it, in the order of the bits; as [`resolve`] decides.
pub fn explain(who: Who<'_>, roles: &Roles, channel: Option<Place<'_>>) -> Vec<Decided> {
    let mut decided = explain_unarchived(who, roles, channel);
    if channel.is_some_and(|channel| channel.archived) {
        let added = |one: &&mut Decided| one.allowed && Permissions::CONTRIBUTE.contains(one.permission);
        decided.iter_mut().filter(added).for_each(|one| (one.allowed, one.rule) = (false, Rule::Archived));
    }
    decided
}

fn explain_unarchived(who: Who<'_>, roles: &Roles, channel: Option<Place<'_>>) -> Vec<Decided> {
    let each = Permissions::all().iter();
    if who.owner {
        return each.map(|permission| Decided { permission, allowed: true, rule: Rule::Owner }).collect();
    }
    if who.roles.is_empty() {
        return each.map(|permission| Decided { permission, allowed: false, rule: Rule::Outsider }).collect();
    }
    let mut decided: Vec<Decided> = each.map(|one| alone(one, who, roles, channel)).collect();
    let sees = decided.iter().any(|one| one.permission == Permissions::VIEW && one.allowed);
    if channel.is_some() && !sees {
        for one in decided.iter_mut().filter(|one| one.allowed) {
            (one.allowed, one.rule) = (false, Rule::NoView);
        }
    }
    decided
}

/// What decides one permission, `view` aside.
fn alone(permission: Permissions, who: Who<'_>, roles: &Roles, channel: Option<Place<'_>>) -> Decided {
    let grants = |role: &&Role| who.roles.contains(*role) && roles.permissions(**role).contains(permission);
    let granted = roles.order().iter().rev().find(grants);
    let mut rule = granted.map_or(Rule::NotGranted, |role| Rule::Role(*role));
    let mut allowed = granted.is_some();
    if let Some(Place { private, overwrites, .. }) = channel {
        if private && permission == Permissions::VIEW {
            (allowed, rule) = (false, Rule::Private);
        }
        let held =
            roles.order().iter().filter(|role| who.roles.contains(role)).map(|role| Target::Role(*role));
        for target in held.chain([Target::Account(who.account)]) {
            let overwrite = overwrites.get(target).unwrap_or_default();
            if overwrite.allow.contains(permission) {
                (allowed, rule) = (true, Rule::Overwrite(target));
            } else if overwrite.deny.contains(permission) {
                (allowed, rule) = (false, Rule::Overwrite(target));
            }
        }
    }
    if allowed && who.timed_out && !Permissions::TIMED_OUT.contains(permission) {
        (allowed, rule) = (false, Rule::TimedOut);
    }
    Decided { permission, allowed, rule }
}
