//! What an account lets others know of it.

use account_data::Privacy as Kept;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::Authenticated;
use crate::error::ApiError;
use crate::extract::{self, CaughtUp, Fields, FromFields, parse};
use crate::signal::{OwnSignal, Signal};
use crate::state::AppState;

/// What you let others know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Privacy {
    /// Whether participants of direct and group channels are told what you have read, and you what they have. That a
    /// message was delivered is told anyway.
    read_receipts: bool,
}

impl From<Kept> for Privacy {
    fn from(Kept { read_receipts }: Kept) -> Self {
        Self { read_receipts }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PrivacyAnswer {
    privacy: Privacy,
}

/// What changes about it; what is left out or null stays.
#[derive(ToSchema)]
pub(crate) struct ChangePrivacy {
    read_receipts: Option<bool>,
}

impl FromFields for ChangePrivacy {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        fields.optional("read_receipts", parse::boolean).map(|read_receipts| Self { read_receipts })
    }
}

/// Show what you let others know.
#[utoipa::path(
    get, path = "/me/privacy", operation_id = "showPrivacy", tag = "account-data",
    responses((status = 200, description = "The switches", body = Privacy)),
)]
pub(crate) async fn show_privacy(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
) -> Result<Json<Privacy>, ApiError> {
    Ok(Json(app.account_data.privacy(caller.account).await?.into()))
}

/// Change what you let others know.
///
/// With read receipts off, what you have read is not told to anyone, and what others have read is not told to you: not by
/// signals, not in lists. What you read meanwhile is not told later either. Your other connections get the signal
/// `privacy`.
#[utoipa::path(
    patch, path = "/me/privacy", operation_id = "changePrivacy", tag = "account-data",
    request_body = ChangePrivacy,
    responses((status = 200, description = "As it is now", body = PrivacyAnswer)),
)]
pub(crate) async fn change_privacy(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    extract::Json(body): extract::Json<ChangePrivacy>,
) -> Result<Json<PrivacyAnswer>, ApiError> {
    let before = app.account_data.privacy(caller.account).await?;
    let after = Kept { read_receipts: body.read_receipts.unwrap_or(before.read_receipts) };
    if after != before {
        app.account_data.set_privacy(caller.account, after).await?;
        let (account_id, time) = (caller.account, app.clock.now());
        app.signals.tell(Signal::Privacy(OwnSignal { account_id, time, data: after.into() }));
    }
    Ok(Json(PrivacyAnswer { privacy: after.into() }))
}
