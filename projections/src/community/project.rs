//! Community events as rows, its roles' among them.

use domain::community::CommunityEvent;
use domain::role::{Definition, Roles};
use domain::{CommunityId, Role};

use crate::batch::{At, Batch, params};
use crate::message;

pub(crate) fn project(batch: &mut Batch, event: CommunityEvent, at: At) {
    const INSERT: &str = "
        INSERT INTO {schema}.communities (id, owner_id, created_at, name, role_order, role_permissions)
        VALUES ($1, $2, $3, $4, $5, $6)";
    const RENAME: &str = "UPDATE {schema}.communities SET name = $2 WHERE id = $1";
    match event {
        CommunityEvent::Created(event) => {
            let (id, owner) = (event.community_id.0, event.owner_id.0);
            let roles = Roles::default();
            let order: Vec<String> = roles.order().iter().map(Role::to_string).collect();
            let permissions: Vec<i64> =
                roles.iter().map(|(_, role)| role.permissions.bits().cast_signed()).collect();
            let name = event.name.into_string();
            batch.write(INSERT, params![id, owner, at.time, name, order, permissions]);
            for (role, definition) in roles.iter() {
                described(batch, event.community_id, role, definition.clone());
            }
        }
        CommunityEvent::Renamed(event) => {
            batch.write(RENAME, params![event.community_id.0, event.name.into_string()]);
        }
        CommunityEvent::Deleted(event) => deleted(batch, event.community_id, at),
        CommunityEvent::OwnerChanged(event) => {
            const SQL: &str = "UPDATE {schema}.communities SET owner_id = $2 WHERE id = $1";
            batch.write(SQL, params![event.community_id.0, event.owner_id.0]);
        }
        CommunityEvent::RoleCreated(event) => {
            // As `Roles::set` puts a new one: just above `guest` and `member`.
            const SQL: &str = "
                UPDATE {schema}.communities
                SET role_order = role_order[:2] || $2::text || role_order[3:],
                    role_permissions = role_permissions[:2] || $3::bigint || role_permissions[3:]
                WHERE id = $1";
            let bits = event.definition.permissions.bits().cast_signed();
            batch.write(SQL, params![event.community_id.0, event.role.to_string(), bits]);
            described(batch, event.community_id, event.role, event.definition);
        }
        CommunityEvent::RoleChanged(event) => {
            const SQL: &str = "
                UPDATE {schema}.communities
                SET role_permissions[array_position(role_order, $2::text)] = $3
                WHERE id = $1 AND role_order @> ARRAY[$2::text]";
            let bits = event.definition.permissions.bits().cast_signed();
            batch.write(SQL, params![event.community_id.0, event.role.to_string(), bits]);
            described(batch, event.community_id, event.role, event.definition);
        }
        CommunityEvent::RoleDeleted(event) => {
            const SQL: &str = "
                UPDATE {schema}.communities
                SET role_order = role_order[:place - 1] || role_order[place + 1:],
                    role_permissions = role_permissions[:place - 1] || role_permissions[place + 1:]
                FROM (
                    SELECT array_position(role_order, $2::text) AS place FROM {schema}.communities WHERE id = $1
                ) AS role
                WHERE id = $1 AND place IS NOT NULL";
            const DESCRIPTION: &str = "DELETE FROM {schema}.roles WHERE community_id = $1 AND role = $2";
            for template in [SQL, DESCRIPTION] {
                batch.write(template, params![event.community_id.0, event.role.to_string()]);
            }
        }
        CommunityEvent::RolesOrdered(event) => {
            const SQL: &str = "
                UPDATE {schema}.communities
                SET role_order = $2::text[],
                    role_permissions = (
                        SELECT array_agg(role_permissions[array_position(role_order, role)] ORDER BY place)
                        FROM unnest($2::text[]) WITH ORDINALITY AS wanted (role, place)
                    )
                WHERE id = $1";
            let order: Vec<String> = event.order.iter().map(Role::to_string).collect();
            batch.write(SQL, params![event.community_id.0, order]);
        }
    }
}

/// What a role is beside what it grants.
fn described(batch: &mut Batch, community: CommunityId, role: Role, definition: Definition) {
    const SQL: &str = "
        INSERT INTO {schema}.roles (community_id, role, name, colour, mentionable)
        SELECT $1::uuid, $2::text, $3::text, $4::integer, $5::boolean
        WHERE EXISTS (SELECT FROM {schema}.communities WHERE id = $1::uuid AND role_order @> ARRAY[$2::text])
        ON CONFLICT ON CONSTRAINT roles_pkey DO UPDATE
        SET name = excluded.name, colour = excluded.colour, mentionable = excluded.mentionable";
    let name = definition.name.map(domain::role::RoleName::into_string);
    let colour = definition.colour.map(|colour| colour.0.cast_signed());
    batch.write(SQL, params![community.0, role.to_string(), name, colour, definition.mentionable]);
}

/// Bans end with their community too, but without a position: nobody lost anything by that.
fn deleted(batch: &mut Batch, id: CommunityId, at: At) {
    const CHANNELS: &str = "DELETE FROM {schema}.channels WHERE community_id = $1";
    const INVITES: &str = "DELETE FROM {schema}.invites WHERE community_id = $1";
    const ROLES: &str = "DELETE FROM {schema}.roles WHERE community_id = $1";
    const REPORTS: &str = "DELETE FROM {schema}.reports WHERE community_id = $1";
    const MEMBERSHIPS: &str = "
        UPDATE {schema}.memberships
        SET position = CASE state WHEN 'member' THEN $2 ELSE position END,
            state = 'outside', roles = '{}', joined_at = NULL, timed_out_until = NULL, nickname = NULL,
            banned_at = NULL, banned_by = NULL, banned_until = NULL, ban_reason = NULL
        WHERE community_id = $1 AND state <> 'outside'";
    const COMMUNITY: &str = "DELETE FROM {schema}.communities WHERE id = $1";
    for template in message::DELETE_IN_COMMUNITY.into_iter().chain([CHANNELS, INVITES, ROLES, REPORTS]) {
        batch.write(template, params![id.0]);
    }
    batch.write(MEMBERSHIPS, params![id.0, at.bigint()]);
    batch.write(COMMUNITY, params![id.0]);
}
