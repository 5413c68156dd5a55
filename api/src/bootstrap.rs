//! What a client starts from.

use account_data::Scope;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::account::OwnAccount;
use crate::auth::Authenticated;
use crate::community::Community;
use crate::conversation::Conversation;
use crate::cursor::Cursor;
use crate::error::ApiError;
use crate::extract::CaughtUp;
use crate::notification_setting::{self, NotificationSetting};
use crate::presence::OwnPresence;
use crate::privacy::Privacy;
use crate::read_state::{ReadState, marks, read_states};
use crate::state::AppState;

/// Everything at one position.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Bootstrap {
    account: OwnAccount,
    communities: Vec<Community>,
    /// Your direct and group channels: the one where somebody posted last comes first.
    conversations: Vec<Conversation>,
    /// What you chose to show while you are connected.
    presence: OwnPresence,
    /// Of the channels in which you have a read marker or something unread.
    read_states: Vec<ReadState>,
    privacy: Privacy,
    /// What you have set for communities and channels.
    notification_settings: Vec<NotificationSetting>,
    /// Where to go on with live delivery: what is shown is the log up to here, no more and no less.
    cursor: Cursor,
}

/// Show your account, your communities and the cursor to follow on from, as one consistent snapshot.
#[utoipa::path(
    get, path = "/bootstrap", operation_id = "showBootstrap", tag = "live",
    responses((status = 200, description = "The snapshot", body = Bootstrap)),
)]
pub(crate) async fn show_bootstrap(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
) -> Result<Json<Bootstrap>, ApiError> {
    let (markers, settings, privacy, presence) = tokio::try_join!(
        app.account_data.read_markers(caller.account, false),
        app.account_data.notification_settings(caller.account),
        app.account_data.privacy(caller.account),
        app.account_data.presence(caller.account)
    )?;
    let bootstrap = app.read.bootstrap(caller.account, &marks(&markers)).await?;
    let sees = |scope| match scope {
        Scope::Community(id) => bootstrap.communities.iter().any(|view| view.community.id == id),
        // There is a row of each channel that is seen.
        Scope::Channel(id) => bootstrap.unread.iter().any(|row| row.channel_id == id),
    };
    let notification_settings = notification_setting::seen(settings, sees, app.clock.now());
    Ok(Json(Bootstrap {
        presence: presence.at(app.clock.now()).into(),
        account: bootstrap.account.ok_or_else(ApiError::not_caught_up)?.into(),
        read_states: read_states(&markers, bootstrap.unread),
        privacy: privacy.into(),
        notification_settings,
        conversations: bootstrap.conversations.into_iter().map(Conversation::from).collect(),
        communities: bootstrap.communities.into_iter().map(Community::from).collect(),
        cursor: app.cursors.seal(bootstrap.position),
    }))
}
