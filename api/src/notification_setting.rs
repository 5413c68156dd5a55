//! Notification settings: what an account wants to be told of, by community and by channel.

use account_data::{Level, Mute, NotificationSetting as Setting, Scope};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::channel::ChannelError;
use domain::community::CommunityError;
use domain::{ChannelId, CommunityId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::Authenticated;
use crate::error::{ApiError, FieldError};
use crate::extract::{self, CaughtUp, Fault, Fields, FromFields, Ids, parse};
use crate::page::Page;
use crate::signal::{OwnSignal, Signal};
use crate::state::{App, AppState};

/// The furthest that the end of a mute may be away; for longer there is `muted`.
const MAX_MUTE_DAYS: i64 = 365;

const LEVELS: [&str; 4] = ["default", "all", "mentions", "nothing"];

/// What you want to be told of in a community or a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct NotificationSetting {
    /// Of a community, or null.
    #[schema(value_type = Option<Uuid>)]
    community_id: Option<CommunityId>,
    /// Of a channel, or null.
    #[schema(value_type = Option<Uuid>)]
    channel_id: Option<ChannelId>,
    /// `default`: in a channel as in its community, in a community `all`.
    #[schema(value_type = LevelName)]
    level: String,
    /// Whether you are told of nothing now, whatever the level.
    muted: bool,
    /// When that ends by itself.
    muted_until: Option<Timestamp>,
}

/// `default` or one of the levels.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes what is named by text")]
pub(crate) enum LevelName {
    Default,
    All,
    Mentions,
    Nothing,
}

/// A level that holds.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes what is named by text")]
pub(crate) enum EffectiveLevel {
    All,
    Mentions,
    Nothing,
}

impl NotificationSetting {
    /// As it is at `now`: a mute that has ended is none.
    fn of((scope, setting): (Scope, Setting), now: Timestamp) -> Self {
        let (community_id, channel_id) = match scope {
            Scope::Community(community) => (Some(community), None),
            Scope::Channel(channel) => (None, Some(channel)),
        };
        let (muted, muted_until) = match setting.mute {
            Some(Mute::Always) => (true, None),
            Some(Mute::Until(time)) if time > now => (true, Some(time)),
            Some(Mute::Until(_)) | None => (false, None),
        };
        let level = setting.level.map_or("default", Level::as_str).to_owned();
        Self { community_id, channel_id, level, muted, muted_until }
    }
}

/// A setting as it is now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NotificationSettingAnswer {
    notification_setting: NotificationSetting,
}

/// What holds in a channel, and why.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChannelNotifications {
    /// What you have set for the channel.
    channel: Option<NotificationSetting>,
    /// What you have set for its community, if it is in one.
    community: Option<NotificationSetting>,
    effective: EffectiveNotifications,
}

/// What to be told of: nothing while the channel or its community is muted; else the channel's level; else the
/// community's; else `all`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EffectiveNotifications {
    #[schema(value_type = EffectiveLevel)]
    level: &'static str,
    /// When a mute ends and this with it; null: it holds until a setting changes.
    until: Option<Timestamp>,
}

/// A setting to be; it replaces the one that there is.
#[derive(ToSchema)]
pub(crate) struct SetNotifications {
    /// `default`, if left out.
    #[schema(value_type = Option<LevelName>)]
    level: Option<Level>,
    /// `true`: be told of nothing until you say otherwise.
    #[schema(value_type = Option<bool>)]
    muted: bool,
    /// Be told of nothing until then: a time to come, at most 365 days from now. Not together with `muted`.
    muted_until: Option<Timestamp>,
}

impl FromFields for SetNotifications {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let level = fields.optional("level", parse::name(level, &LEVELS));
        let muted = fields.optional("muted", parse::boolean);
        let muted_until = fields.optional("muted_until", parse::time);
        if let (Some(Some(_)), Some(Some(_))) = (&muted, &muted_until) {
            fields.fault("muted_until", Fault::new("too_many", "give either muted or muted_until"));
        }
        Some(Self { level: level?.flatten(), muted: muted?.unwrap_or(false), muted_until: muted_until? })
    }
}

fn level(name: &str) -> Option<Option<Level>> {
    let levels = [Level::All, Level::Mentions, Level::Nothing];
    match name {
        "default" => Some(None),
        name => levels.into_iter().find(|level| level.as_str() == name).map(Some),
    }
}

impl SetNotifications {
    fn setting(self, now: Timestamp) -> Result<Setting, ApiError> {
        let furthest = now.saturating_add(SignedDuration::from_hours(24 * MAX_MUTE_DAYS));
        let furthest = furthest.expect("days can be added to any time");
        let mute = match self.muted_until {
            Some(time) if time <= now || time > furthest => {
                let detail = format!(
                    "must be in the future and at most {MAX_MUTE_DAYS} days from now; for longer, say muted"
                );
                let error = FieldError::pointer("/muted_until".to_owned(), "out_of_range", detail);
                return Err(ApiError::invalid(vec![error]));
            }
            Some(time) => Some(Mute::Until(time)),
            None => self.muted.then_some(Mute::Always),
        };
        Ok(Setting { level: self.level, mute })
    }
}

/// The settings of an account as they are at `now`, those left out that are about what it may not see any more.
pub(crate) fn seen(
    settings: Vec<(Scope, Setting)>,
    sees: impl Fn(Scope) -> bool,
    now: Timestamp,
) -> Vec<NotificationSetting> {
    let seen = settings.into_iter().filter(|(scope, _)| sees(*scope));
    seen.map(|setting| NotificationSetting::of(setting, now)).collect()
}

/// List what you have set for communities and channels that you may see.
#[utoipa::path(
    get, path = "/me/notification-settings", operation_id = "listNotificationSettings", tag = "account-data",
    responses((status = 200, description = "All of them, on one page", body = Page<NotificationSetting>)),
)]
pub(crate) async fn list_notification_settings(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
) -> Result<Json<Page<NotificationSetting>>, ApiError> {
    let sight = app.read.sight(caller.account).await?;
    let sees = |scope| match scope {
        Scope::Community(id) => sight.communities.contains(&id),
        Scope::Channel(id) => sight.channels.contains(&id),
    };
    let settings = app.account_data.notification_settings(caller.account).await?;
    Ok(Json(Page::whole(seen(settings, sees, app.clock.now()))))
}

/// Say what you want to be told of in a community.
///
/// It replaces what was set. Your other connections get the signal `notification_settings`.
#[utoipa::path(
    put, path = "/communities/{id}/notification-settings", operation_id = "setCommunityNotifications",
    tag = "account-data",
    params(("id" = Uuid, Path, description = "The community")),
    request_body = SetNotifications,
    responses(
        (status = 200, description = "Set", body = NotificationSettingAnswer),
        (status = 404, description = "`community_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn set_community_notifications(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<CommunityId>,
    extract::Json(body): extract::Json<SetNotifications>,
) -> Result<Json<NotificationSettingAnswer>, ApiError> {
    may_see_community(&app, &caller, id).await?;
    set(&app, &caller, Scope::Community(id), body).await
}

/// Forget what you have set for a community.
#[utoipa::path(
    delete, path = "/communities/{id}/notification-settings", operation_id = "resetCommunityNotifications",
    tag = "account-data",
    params(("id" = Uuid, Path, description = "The community")),
    responses(
        (status = 204, description = "Nothing is set"),
        (status = 404, description = "`community_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn reset_community_notifications(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<CommunityId>,
) -> Result<StatusCode, ApiError> {
    may_see_community(&app, &caller, id).await?;
    reset(&app, &caller, Scope::Community(id)).await
}

/// Show what you want to be told of in a channel, and what holds there.
#[utoipa::path(
    get, path = "/channels/{id}/notification-settings", operation_id = "showChannelNotifications",
    tag = "account-data",
    params(("id" = Uuid, Path, description = "The channel")),
    responses(
        (status = 200, description = "The settings and what they amount to", body = ChannelNotifications),
        (status = 404, description = "`channel_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn show_channel_notifications(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<ChannelId>,
) -> Result<Json<ChannelNotifications>, ApiError> {
    let channel = app.read.channel(caller.account, id).await?.ok_or(ChannelError::Unknown)?;
    let now = app.clock.now();
    let in_channel = app.account_data.notification_setting(caller.account, Scope::Channel(id)).await?;
    let of_community = channel.community_id.map(Scope::Community);
    let in_community = match of_community {
        Some(community) => app.account_data.notification_setting(caller.account, community).await?,
        None => None,
    };
    let effective = account_data::effective(in_channel, in_community, now);
    let shown = |setting| NotificationSetting::of(setting, now);
    Ok(Json(ChannelNotifications {
        channel: in_channel.map(|setting| shown((Scope::Channel(id), setting))),
        community: of_community.zip(in_community).map(shown),
        effective: EffectiveNotifications { level: effective.level.as_str(), until: effective.until },
    }))
}

/// Say what you want to be told of in a channel.
///
/// It replaces what was set. Your other connections get the signal `notification_settings`.
#[utoipa::path(
    put, path = "/channels/{id}/notification-settings", operation_id = "setChannelNotifications",
    tag = "account-data",
    params(("id" = Uuid, Path, description = "The channel")),
    request_body = SetNotifications,
    responses(
        (status = 200, description = "Set", body = NotificationSettingAnswer),
        (status = 404, description = "`channel_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn set_channel_notifications(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<ChannelId>,
    extract::Json(body): extract::Json<SetNotifications>,
) -> Result<Json<NotificationSettingAnswer>, ApiError> {
    may_see_channel(&app, &caller, id).await?;
    set(&app, &caller, Scope::Channel(id), body).await
}

/// Forget what you have set for a channel.
#[utoipa::path(
    delete, path = "/channels/{id}/notification-settings", operation_id = "resetChannelNotifications",
    tag = "account-data",
    params(("id" = Uuid, Path, description = "The channel")),
    responses(
        (status = 204, description = "Nothing is set"),
        (status = 404, description = "`channel_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn reset_channel_notifications(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<ChannelId>,
) -> Result<StatusCode, ApiError> {
    may_see_channel(&app, &caller, id).await?;
    reset(&app, &caller, Scope::Channel(id)).await
}

async fn may_see_community(app: &App, caller: &Authenticated, id: CommunityId) -> Result<(), ApiError> {
    let standing = app.read.standing(caller.account, id).await?;
    standing.map(drop).ok_or_else(|| CommunityError::Unknown.into())
}

async fn may_see_channel(app: &App, caller: &Authenticated, id: ChannelId) -> Result<(), ApiError> {
    let channel = app.read.channel(caller.account, id).await?;
    channel.map(drop).ok_or_else(|| ChannelError::Unknown.into())
}

async fn set(
    app: &App,
    caller: &Authenticated,
    scope: Scope,
    body: SetNotifications,
) -> Result<Json<NotificationSettingAnswer>, ApiError> {
    let setting = body.setting(app.clock.now())?;
    app.account_data.set_notification_setting(caller.account, scope, setting).await?;
    let notification_setting = tell(app, caller, (scope, setting));
    Ok(Json(NotificationSettingAnswer { notification_setting }))
}

async fn reset(app: &App, caller: &Authenticated, scope: Scope) -> Result<StatusCode, ApiError> {
    if app.account_data.reset_notification_setting(caller.account, scope).await? {
        tell(app, caller, (scope, Setting { level: None, mute: None }));
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Tells the account's other connections.
fn tell(app: &App, caller: &Authenticated, setting: (Scope, Setting)) -> NotificationSetting {
    let time = app.clock.now();
    let data = NotificationSetting::of(setting, time);
    let said = OwnSignal { account_id: caller.account, time, data: data.clone() };
    app.signals.tell(Signal::NotificationSettings(said));
    data
}
