//! Typing: that somebody writes something, for who looks on.

use axum::extract::State;
use axum::http::StatusCode;
use domain::ChannelId;

use crate::auth::Authenticated;
use crate::error::ApiError;
use crate::extract::Ids;
use crate::signal::Typing;
use crate::state::AppState;

/// Say that you are typing in a channel.
///
/// Those who may view the channel get the signal `typing`. It holds for 10 s or until your next message there, so say it
/// again every 3 to 5 s while you type; what is said more often is not told on. It is kept nowhere, and may be lost.
#[utoipa::path(
    post, path = "/channels/{id}/typing", operation_id = "signalTyping", tag = "presence",
    params(("id" = Uuid, Path, description = "The channel")),
    responses(
        (status = 204, description = "Told, or told within the last 3 s"),
        (status = 403, description = "`message_may_not_post`"),
        (status = 404, description = "`channel_not_found`, `not_found`"),
        (status = 409, description = "`message_channel_holds_none`"),
    ),
)]
pub(crate) async fn signal_typing(
    State(app): State<AppState>,
    caller: Authenticated,
    Ids(channel): Ids<ChannelId>,
) -> Result<StatusCode, ApiError> {
    let community = app.commands.may_type(caller.account, channel).await?;
    app.signals.typing(Typing::new(community, channel, caller.account, app.clock.now()));
    Ok(StatusCode::NO_CONTENT)
}
