//! Membership events as rows: the state that `domain::membership::Membership` folds to, with its times.

use std::collections::BTreeSet;

use domain::membership::MembershipEvent;
use domain::{AccountId, CommunityId, Role};

use crate::batch::{At, Batch, params};

pub(crate) fn project(batch: &mut Batch, event: MembershipEvent, at: At) {
    let (community, account) = event.subject();
    match event {
        MembershipEvent::Joined(event) => member(batch, (community, account), &event.roles, at),
        MembershipEvent::RolesChanged(event) => member(batch, (community, account), &event.roles, at),
        MembershipEvent::Left(_) | MembershipEvent::Kicked(_) | MembershipEvent::Unbanned(_) => {
            outside(batch, (community, account), at);
        }
        MembershipEvent::Banned(event) => banned(batch, (community, account), event.by, at),
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
            banned_by = NULL";
    let roles: Vec<String> = roles.iter().map(Role::to_string).collect();
    batch.write(SQL, params![community.0, account.0, at.bigint(), at.time, roles]);
}

fn outside(batch: &mut Batch, (community, account): (CommunityId, AccountId), at: At) {
    const SQL: &str = "
        UPDATE {schema}.memberships
        SET position = $3, joined_at = NULL, state = 'outside', roles = '{}', banned_at = NULL, banned_by = NULL
        WHERE community_id = $1 AND account_id = $2";
    batch.write(SQL, params![community.0, account.0, at.bigint()]);
}

fn banned(batch: &mut Batch, (community, account): (CommunityId, AccountId), by: AccountId, at: At) {
    const SQL: &str = "
        INSERT INTO {schema}.memberships
            (community_id, account_id, position, banned_at, banned_by, state, roles, sort_name)
        VALUES (
            $1, $2, $3, $4, $5, 'banned', '{}',
            coalesce((SELECT sort_name FROM {schema}.accounts WHERE id = $2), '')
        )
        ON CONFLICT ON CONSTRAINT memberships_pkey DO UPDATE
        SET position = excluded.position,
            joined_at = NULL,
            banned_at = excluded.banned_at,
            banned_by = excluded.banned_by,
            state = 'banned',
            roles = '{}'";
    batch.write(SQL, params![community.0, account.0, at.bigint(), at.time, by.0]);
}
