//! A channel's exceptions from what roles grant.

use axum::Json;
use axum::extract::State;
use domain::permission::{MAX_OVERWRITES, Target};
use domain::{AccountId, ChannelId, Permissions, Role};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::ChannelAnswer;
use crate::error::ApiError;
use crate::extract::{Bare, Command, Fault, Fields, FromFields, Ids, parse};
use crate::state::AppState;

/// What a role or a member may do in a channel in spite of the roles. The highest role's counts most, the member's own more
/// than all.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Overwrite {
    /// `guest`, `member`, `moderator`, or the id of one of the community's own roles. Null for an account's.
    #[schema(value_type = Option<String>, example = "guest")]
    role: Option<Role>,
    /// Null for a role's.
    #[schema(value_type = Option<Uuid>)]
    account: Option<AccountId>,
    #[schema(example = json!(["view"]))]
    allow: Vec<String>,
    #[schema(example = json!(["post"]))]
    deny: Vec<String>,
}

impl From<(Target, domain::permission::Overwrite)> for Overwrite {
    fn from((target, overwrite): (Target, domain::permission::Overwrite)) -> Self {
        let (role, account) = match target {
            Target::Role(role) => (Some(role), None),
            Target::Account(account) => (None, Some(account)),
        };
        Self { role, account, allow: overwrite.allow.names(), deny: overwrite.deny.names() }
    }
}

/// What is allowed and denied; nothing of both: there is no overwrite any more.
#[derive(ToSchema)]
pub(crate) struct SetOverwrite {
    /// Names of permissions: `view`, `post`, `reply`, `react`, `attach`, `mention_everyone`, `manage_messages`,
    /// `manage_channels`, `speak`, `share_video`.
    #[schema(value_type = Option<Vec<String>>, max_items = 64, example = json!(["view"]))]
    allow: Permissions,
    #[schema(value_type = Option<Vec<String>>, max_items = 64, example = json!(["post"]))]
    deny: Permissions,
}

impl FromFields for SetOverwrite {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let allow = fields.optional("allow", permissions);
        let deny = fields.optional("deny", permissions);
        let none = Permissions::empty();
        Some(Self { allow: allow?.unwrap_or(none), deny: deny?.unwrap_or(none) })
    }
}

/// More names than there are permissions are nobody's list.
const MOST_NAMES: usize = 64;

fn permissions(value: Value) -> Result<Permissions, Fault> {
    let known = Permissions::all().names();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let one = |value| parse::name(Permissions::parse, &known)(value);
    let each = parse::at_most(MOST_NAMES, one)(value)?;
    Ok(each.into_iter().fold(Permissions::empty(), |sum, one| sum | one))
}

/// The overwrites of a channel to be, each as the contract shows it.
pub(super) fn list(value: Value) -> Result<Vec<(Target, domain::permission::Overwrite)>, Fault> {
    let given = parse::at_most(MAX_OVERWRITES, one)(value)?;
    let mut targets: Vec<Target> = given.iter().map(|(target, _)| *target).collect();
    targets.sort_unstable();
    targets.dedup();
    if targets.len() < given.len() {
        return Err(Fault::new("repeated", "must have one overwrite for each role or account at most"));
    }
    Ok(given)
}

fn one(value: Value) -> Result<(Target, domain::permission::Overwrite), Fault> {
    let Value::Object(mut sent) = value else {
        return Err(Fault::new("wrong_type", "must be an array of objects"));
    };
    let mut take = |name| sent.remove(name).filter(|value| !value.is_null());
    let (role, account) = (take("role"), take("account"));
    let (allow, deny) = (take("allow"), take("deny"));
    if let Some(name) = sent.keys().next() {
        return Err(Fault::new("unknown_field", format!("{name} is not known here")));
    }
    let roles = ["guest", "member", "moderator", "the id of a role"];
    let target = match (role, account) {
        (Some(role), None) => Target::Role(parse::name(Role::parse, &roles)(role)?),
        (None, Some(account)) => Target::Account(parse::id(account)?),
        _ => return Err(Fault::new("required", "each must have either a role or an account")),
    };
    let read = |value: Option<Value>| value.map_or(Ok(Permissions::empty()), permissions);
    Ok((target, domain::permission::Overwrite { allow: read(allow)?, deny: read(deny)? }))
}

/// Overwrite what a role may do in a channel.
///
/// A channel has at most 100 overwrites. What changes by it must be yours to do in the channel, and the role lower than
/// your own.
#[utoipa::path(
    put, path = "/channels/{id}/overwrites/roles/{role}", operation_id = "overwriteRole", tag = "channel",
    params(
        ("id" = Uuid, Path, description = "The channel"),
        ("role" = String, Path, description = "`guest`, `member`, `moderator` or the id of a role"),
    ),
    request_body = SetOverwrite,
    responses(
        (status = 200, description = "As it is now", body = ChannelAnswer),
        (
            status = 403,
            description = "`channel_may_not_manage`, `channel_overwrite_target_too_high`, `channel_overwrite_grants_more`",
        ),
        (status = 404, description = "`channel_not_found`, `channel_overwrite_target_not_found`, `not_found`"),
        (status = 409, description = "`channel_too_many_overwrites`, `channel_of_conversation`"),
        (status = 422, description = "`channel_overwrite_not_of_channel`, `channel_overwrite_contradicts`"),
    ),
)]
pub(crate) async fn overwrite_role(
    State(app): State<AppState>,
    Ids((id, role)): Ids<(ChannelId, Role)>,
    Command { context, caller, body: SetOverwrite { allow, deny } }: Command<SetOverwrite>,
) -> Result<Json<ChannelAnswer>, ApiError> {
    let overwrite = domain::permission::Overwrite { allow, deny };
    let done = app.commands.overwrite_channel(&context, id, Target::Role(role), overwrite).await?;
    ChannelAnswer::read(&app, caller.account, id, done.position).await.map(Json)
}

/// Take a role's overwrite away.
#[utoipa::path(
    delete, path = "/channels/{id}/overwrites/roles/{role}", operation_id = "resetRole", tag = "channel",
    params(
        ("id" = Uuid, Path, description = "The channel"),
        ("role" = String, Path, description = "`guest`, `member`, `moderator` or the id of a role"),
    ),
    responses(
        (status = 200, description = "As it is now", body = ChannelAnswer),
        (
            status = 403,
            description = "`channel_may_not_manage`, `channel_overwrite_target_too_high`, `channel_overwrite_grants_more`",
        ),
        (status = 404, description = "`channel_not_found`, `not_found`"),
        (status = 409, description = "`channel_of_conversation`"),
    ),
)]
pub(crate) async fn reset_role(
    State(app): State<AppState>,
    Ids((id, role)): Ids<(ChannelId, Role)>,
    Bare { context, caller }: Bare,
) -> Result<Json<ChannelAnswer>, ApiError> {
    let none = domain::permission::Overwrite::default();
    let done = app.commands.overwrite_channel(&context, id, Target::Role(role), none).await?;
    ChannelAnswer::read(&app, caller.account, id, done.position).await.map(Json)
}

/// Overwrite what a member may do in a channel.
///
/// A channel has at most 100 overwrites. What changes by it must be yours to do in the channel, and the member of a lower
/// rank than yours.
#[utoipa::path(
    put, path = "/channels/{id}/overwrites/accounts/{account}", operation_id = "overwriteAccount", tag = "channel",
    params(("id" = Uuid, Path, description = "The channel"), ("account" = Uuid, Path, description = "The member")),
    request_body = SetOverwrite,
    responses(
        (status = 200, description = "As it is now", body = ChannelAnswer),
        (
            status = 403,
            description = "`channel_may_not_manage`, `channel_overwrite_target_too_high`, `channel_overwrite_grants_more`",
        ),
        (status = 404, description = "`channel_not_found`, `channel_overwrite_target_not_found`, `not_found`"),
        (status = 409, description = "`channel_too_many_overwrites`, `channel_of_conversation`"),
        (status = 422, description = "`channel_overwrite_not_of_channel`, `channel_overwrite_contradicts`"),
    ),
)]
pub(crate) async fn overwrite_account(
    State(app): State<AppState>,
    Ids((id, account)): Ids<(ChannelId, AccountId)>,
    Command { context, caller, body: SetOverwrite { allow, deny } }: Command<SetOverwrite>,
) -> Result<Json<ChannelAnswer>, ApiError> {
    let overwrite = domain::permission::Overwrite { allow, deny };
    let done = app.commands.overwrite_channel(&context, id, Target::Account(account), overwrite).await?;
    ChannelAnswer::read(&app, caller.account, id, done.position).await.map(Json)
}

/// Take a member's overwrite away.
#[utoipa::path(
    delete, path = "/channels/{id}/overwrites/accounts/{account}", operation_id = "resetAccount", tag = "channel",
    params(("id" = Uuid, Path, description = "The channel"), ("account" = Uuid, Path, description = "The member")),
    responses(
        (status = 200, description = "As it is now", body = ChannelAnswer),
        (
            status = 403,
            description = "`channel_may_not_manage`, `channel_overwrite_target_too_high`, `channel_overwrite_grants_more`",
        ),
        (status = 404, description = "`channel_not_found`, `not_found`"),
        (status = 409, description = "`channel_of_conversation`"),
    ),
)]
pub(crate) async fn reset_account(
    State(app): State<AppState>,
    Ids((id, account)): Ids<(ChannelId, AccountId)>,
    Bare { context, caller }: Bare,
) -> Result<Json<ChannelAnswer>, ApiError> {
    let none = domain::permission::Overwrite::default();
    let done = app.commands.overwrite_channel(&context, id, Target::Account(account), none).await?;
    ChannelAnswer::read(&app, caller.account, id, done.position).await.map(Json)
}
