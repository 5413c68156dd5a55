//! Receipts: in direct and group channels, which message reached each participant last and which one they have read.

use account_data::Reached;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::channel::ChannelError;
use domain::{AccountId, ChannelId, MessageId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Authenticated;
use crate::error::{ApiError, codes};
use crate::extract::{self, CaughtUp, Fields, FromFields, Ids, parse};
use crate::page::Page;
use crate::read_state::place_of;
use crate::signal::{Receipt as Told, Signal};
use crate::state::{App, AppState};

codes! {
    HAS_NONE = CONFLICT "channel_has_no_receipts" "No receipts in this kind of channel";
}

fn has_none() -> ApiError {
    ApiError::new(HAS_NONE, "Only direct and group channels have receipts.")
}

/// How far the messages of a channel have come with a participant.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Receipt {
    #[schema(value_type = Uuid)]
    account_id: AccountId,
    /// The newest message that reached one of their devices.
    #[schema(value_type = Option<Uuid>)]
    delivered: Option<MessageId>,
    /// The newest that they have read; null, too, where you or they have switched read receipts off.
    #[schema(value_type = Option<Uuid>)]
    read: Option<MessageId>,
}

/// Which message was delivered.
#[derive(ToSchema)]
pub(crate) struct MoveDeliveryMarker {
    /// A message of the channel, of no thread: it and all before it have reached this device.
    #[schema(value_type = Uuid)]
    message: MessageId,
}

impl FromFields for MoveDeliveryMarker {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        fields.required("message", parse::id).map(|message| Self { message })
    }
}

/// List the receipts of a direct or group channel: one for each participant, who came first standing first.
#[utoipa::path(
    get, path = "/channels/{id}/receipts", operation_id = "listReceipts", tag = "account-data",
    params(("id" = Uuid, Path, description = "The channel")),
    responses(
        (status = 200, description = "All of them, on one page", body = Page<Receipt>),
        (status = 404, description = "`channel_not_found`, `not_found`"),
        (status = 409, description = "`channel_has_no_receipts`"),
    ),
)]
pub(crate) async fn list_receipts(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<ChannelId>,
) -> Result<Json<Page<Receipt>>, ApiError> {
    let Some(participants) = app.read.participants(caller.account, id).await? else {
        let seen = app.read.channel(caller.account, id).await?;
        return Err(seen.map_or_else(|| ChannelError::Unknown.into(), |_| has_none()));
    };
    let receipts = app.account_data.receipts(caller.account, id, &participants).await?;
    let receipt =
        |account_data::Receipt { account, delivered, read }| Receipt { account_id: account, delivered, read };
    Ok(Json(Page::whole(receipts.into_iter().map(receipt).collect())))
}

/// Say up to where the messages of a direct or group channel have reached this device.
///
/// It moves forward only. The participants get the signal `receipt`.
#[utoipa::path(
    put, path = "/channels/{id}/delivery-marker", operation_id = "moveDeliveryMarker", tag = "account-data",
    params(("id" = Uuid, Path, description = "The channel")),
    request_body = MoveDeliveryMarker,
    responses(
        (status = 204, description = "Noted"),
        (status = 404, description = "`channel_not_found`, `not_found`"),
        (status = 409, description = "`channel_has_no_receipts`"),
    ),
)]
pub(crate) async fn move_delivery_marker(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<ChannelId>,
    extract::Json(body): extract::Json<MoveDeliveryMarker>,
) -> Result<StatusCode, ApiError> {
    let (start, position) = place_of(&app, &caller, id, body.message).await?;
    if !start.in_conversation {
        return Err(has_none());
    }
    let message = (body.message, position.0);
    let news = app.account_data.note_receipt(caller.account, id, message, Reached::Delivered).await?;
    if news {
        tell(&app, &caller, (id, body.message), Reached::Delivered, None);
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The caller has read a message of a direct or group channel, and lets others know unless it was asked not to. Who keeps
/// to themselves what they read is told only that the message was delivered.
pub(crate) async fn note_read(
    app: &App,
    caller: &Authenticated,
    channel: ChannelId,
    (message, position): (MessageId, u64),
) -> Result<(), ApiError> {
    let Some(participants) = app.read.participants(caller.account, channel).await? else {
        return Ok(());
    };
    let sharing = app.account_data.sharing_read_receipts(&participants).await?;
    if !sharing.contains(&caller.account) {
        return Ok(());
    }
    let news =
        app.account_data.note_receipt(caller.account, channel, (message, position), Reached::Read).await?;
    if !news {
        return Ok(());
    }
    if sharing.len() == participants.len() {
        tell(app, caller, (channel, message), Reached::Read, None);
        return Ok(());
    }
    for account in participants {
        let reached = if sharing.contains(&account) { Reached::Read } else { Reached::Delivered };
        tell(app, caller, (channel, message), reached, Some(account));
    }
    Ok(())
}

fn tell(
    app: &App,
    caller: &Authenticated,
    (channel_id, message_id): (ChannelId, MessageId),
    reached: Reached,
    to: Option<AccountId>,
) {
    let (account_id, time) = (caller.account, app.clock.now());
    let read = reached == Reached::Read;
    app.signals.tell(Signal::Receipt(Told { channel_id, account_id, message_id, read, time, to }));
}
