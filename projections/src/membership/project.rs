//! Membership events as rows: the state that `domain::membership::Membership` folds to, with its times and texts.

use std::collections::BTreeSet;

use domain::membership::{MemberBanned, MemberTimedOut, MembershipEvent, Nickname, NicknameChanged, Reason};
use domain::{AccountId, CommunityId, Personal, Role};

use crate::batch::{At, Batch, params};

pub(crate) fn project(batch: &mut Batch, event: MembershipEvent, at: At) {
    let (community, account) = event.subject();
    match event {
        MembershipEvent::Joined(event) => member(batch, (community, account), &event.roles, at),
        MembershipEvent::RolesChanged(event) => member(batch, (community, account), &event.roles, at),
        MembershipEvent::Left(_) | MembershipEvent::Kicked(_) | MembershipEvent::Unbanned(_) => {
            outside(batch, (community, account), at);
        }
        MembershipEvent::Banned(event) => banned(batch, event, at),
        MembershipEvent::TimedOut(event) => timed_out(batch, &event),
        MembershipEvent::TimeOutEnded(_) => {
            const SQL: &str = "
                UPDATE {schema}.memberships SET timed_out_until = NULL
                WHERE community_id = $1 AND account_id = $2 AND state = 'member'";
            batch.write(SQL, params![community.0, account.0]);
        }
        MembershipEvent::NicknameChanged(event) => nickname_changed(batch, event),
    }
}

/// New roles keep the time of joining.
fn member(batch: &mut Batch, (community, account): (CommunityId, AccountId), roles: &BTreeSet<Role>, at: At) {
    const SQL: &str = "
        INSERT INTO {schema}.memberships (community_id, account_id, position, joined_at, state, roles, sort_name)
        VALUES (
            $1, $2, $3, $4, 'member', $5,
            coalesce((SELECT sort_name FROM {schema}.accounts WHERE id = $2), '')
        )
        ON CONFLICT ON CONSTRAINT memberships_pkey DO UPDATE
        SET position = excluded.position,
            joined_at = coalesce(memberships.joined_at, excluded.joined_at),
            state = 'member',
            roles = excluded.roles,
            banned_at = NULL,
            banned_by = NULL,
            banned_until = NULL,
            ban_reason = NULL";
    let roles: Vec<String> = roles.iter().map(Role::to_string).collect();
    batch.write(SQL, params![community.0, account.0, at.bigint(), at.time, roles]);
}

fn outside(batch: &mut Batch, (community, account): (CommunityId, AccountId), at: At) {
    const SQL: &str = "
        UPDATE {schema}.memberships
        SET position = $3, joined_at = NULL, state = 'outside', roles = '{}', nickname = NULL,
            sort_name = coalesce((SELECT sort_name FROM {schema}.accounts WHERE id = $2), ''),
            banned_at = NULL, banned_by = NULL, banned_until = NULL, ban_reason = NULL
        WHERE community_id = $1 AND account_id = $2";
    batch.write(SQL, params![community.0, account.0, at.bigint()]);
}

fn banned(batch: &mut Batch, event: MemberBanned, at: At) {
    const SQL: &str = "
        INSERT INTO {schema}.memberships (
            community_id, account_id, position, banned_at, banned_by, banned_until, ban_reason, state, roles, sort_name
        )
        VALUES (
            $1, $2, $3, $4, $5, $6, $7, 'banned', '{}',
            coalesce((SELECT sort_name FROM {schema}.accounts WHERE id = $2), '')
        )
        ON CONFLICT ON CONSTRAINT memberships_pkey DO UPDATE
        SET position = excluded.position,
            joined_at = NULL,
            timed_out_until = NULL,
            banned_at = excluded.banned_at,
            banned_by = excluded.banned_by,
            banned_until = excluded.banned_until,
            ban_reason = excluded.ban_reason,
            state = 'banned',
            roles = '{}',
            nickname = NULL,
            sort_name = excluded.sort_name";
    let MemberBanned { community_id, account_id, by, until, reason } = event;
    let reason = reason.as_ref().and_then(Personal::clear).map(|reason: &Reason| reason.as_str().to_owned());
    batch.write(SQL, params![community_id.0, account_id.0, at.bigint(), at.time, by.0, until, reason]);
}

fn timed_out(batch: &mut Batch, event: &MemberTimedOut) {
    const SQL: &str = "
        UPDATE {schema}.memberships SET timed_out_until = $3
        WHERE community_id = $1 AND account_id = $2 AND state = 'member'";
    batch.write(SQL, params![event.community_id.0, event.account_id.0, event.until]);
}

/// An empty one, and one that was erased, leave the name of the account.
fn nickname_changed(batch: &mut Batch, event: NicknameChanged) {
    const SQL: &str = "
        UPDATE {schema}.memberships
        SET nickname = $3,
            sort_name = coalesce($4, (SELECT sort_name FROM {schema}.accounts WHERE id = $2), '')
        WHERE community_id = $1 AND account_id = $2 AND state = 'member'";
    let NicknameChanged { community_id, account_id, nickname, .. } = event;
    let nickname = nickname.clear().map(Nickname::as_str).filter(|name| !name.is_empty()).map(str::to_owned);
    let sort_name = nickname.as_deref().map(crate::account::sort_name);
    batch.write(SQL, params![community_id.0, account_id.0, nickname, sort_name]);
}
