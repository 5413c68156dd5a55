//! Access explained: what an account may do in a channel, and which rule decided each.

use axum::Json;
use axum::extract::State;
use domain::channel::ChannelError;
use domain::permission::{Decided, Rule, Target};
use domain::{AccountId, ChannelId, Permissions, Role};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Authenticated;
use crate::error::{ApiError, codes};
use crate::extract::{CaughtUp, Ids};
use crate::state::AppState;

codes! {
    MAY_NOT_ASK = FORBIDDEN "access_may_not_ask" "Not allowed";
}

/// What an account may do in a channel now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Access {
    #[schema(value_type = Uuid)]
    channel_id: ChannelId,
    #[schema(value_type = Uuid)]
    account_id: AccountId,
    /// Every permission there is.
    permissions: Vec<Judged>,
}

/// One permission, with the rule that decided it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Judged {
    #[schema(example = "post")]
    permission: String,
    allowed: bool,
    rule: DecidingRule,
}

/// A rule. `role` and `account` say whose, where it is somebody's.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecidingRule {
    /// `owner`: owns the community · `participant`: takes part in the direct or group channel, or does not · `outsider`: is no
    /// member · `role`: the highest role held that grants it · `not_granted`: no role held does · `private`: the channel is, and
    /// no overwrite lets the account view it · `overwrite`: one allows or denies it · `timed_out` · `no_view`: what may not be
    /// viewed may not be used.
    kind: RuleKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "member")]
    role: Option<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    account: Option<AccountId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RuleKind {
    Owner,
    Participant,
    Outsider,
    Role,
    NotGranted,
    Private,
    Overwrite,
    TimedOut,
    NoView,
    /// To an archived channel nobody adds anything.
    Archived,
}

impl From<Rule> for DecidingRule {
    fn from(rule: Rule) -> Self {
        let plain = |kind| Self { kind, role: None, account: None };
        match rule {
            Rule::Owner => plain(RuleKind::Owner),
            Rule::Participant => plain(RuleKind::Participant),
            Rule::Outsider => plain(RuleKind::Outsider),
            Rule::Role(role) => Self { role: Some(role), ..plain(RuleKind::Role) },
            Rule::NotGranted => plain(RuleKind::NotGranted),
            Rule::Private => plain(RuleKind::Private),
            Rule::Overwrite(Target::Role(role)) => Self { role: Some(role), ..plain(RuleKind::Overwrite) },
            Rule::Overwrite(Target::Account(account)) => {
                Self { account: Some(account), ..plain(RuleKind::Overwrite) }
            }
            Rule::TimedOut => plain(RuleKind::TimedOut),
            Rule::NoView => plain(RuleKind::NoView),
            Rule::Archived => plain(RuleKind::Archived),
        }
    }
}

impl From<Decided> for Judged {
    fn from(decided: Decided) -> Self {
        let Decided { permission, allowed, rule } = decided;
        let name = permission.names().pop().expect("one permission has one name");
        Self { permission: name, allowed, rule: rule.into() }
    }
}

/// Explain what an account may do in a channel that you see: yourself, or with `manage_roles` or `manage_channels` there
/// anybody. Of who is no member, and of an account that does not exist, it says the same.
#[utoipa::path(
    get, path = "/channels/{id}/access/{account}", operation_id = "explainAccess", tag = "role",
    params(("id" = Uuid, Path, description = "The channel"), ("account" = Uuid, Path, description = "The account")),
    responses(
        (status = 200, description = "Each permission, in the order of their bits", body = Access),
        (status = 403, description = "`access_may_not_ask`"),
        (status = 404, description = "`channel_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn explain_access(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids((channel_id, account_id)): Ids<(ChannelId, AccountId)>,
) -> Result<Json<Access>, ApiError> {
    let own = app.read.permissions_in(caller.account, channel_id).await?;
    if !own.contains(Permissions::VIEW) {
        return Err(ChannelError::Unknown.into());
    }
    let may_ask = own.intersects(Permissions::MANAGE_ROLES | Permissions::MANAGE_CHANNELS);
    if account_id != caller.account && !may_ask {
        let detail = "You may ask only about yourself in this channel.";
        return Err(ApiError::new(MAY_NOT_ASK, detail));
    }
    let decided = app.read.access_explained(account_id, channel_id, app.clock.now()).await?;
    let permissions = decided.into_iter().map(Judged::from).collect();
    Ok(Json(Access { channel_id, account_id, permissions }))
}
