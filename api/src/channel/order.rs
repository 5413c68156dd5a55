//! The order of a community's channels.

use axum::Json;
use axum::extract::State;
use domain::CommunityId;
use domain::channel::MAX_CHANNELS;
use domain::channel_order::{ChannelOrderError, Placed};
use serde_json::Value;
use utoipa::ToSchema;

use super::{CATEGORY_IN_CATEGORY, CATEGORY_NOT_FOUND, MAY_NOT_MANAGE, REPEATED, TOO_MANY, UNKNOWN};
use crate::answer::Done;
use crate::error::ApiError;
use crate::extract::{Command, Fault, Fields, FromFields, Ids, parse};
use crate::state::AppState;

impl From<ChannelOrderError> for ApiError {
    fn from(error: ChannelOrderError) -> Self {
        let code = match error {
            ChannelOrderError::UnknownCommunity => crate::community::UNKNOWN,
            ChannelOrderError::MayNotManage => MAY_NOT_MANAGE,
            ChannelOrderError::TooMany => TOO_MANY,
            ChannelOrderError::UnknownChannel(_) => UNKNOWN,
            ChannelOrderError::Repeated(_) => REPEATED,
            ChannelOrderError::CategoryNotFound(_) => CATEGORY_NOT_FOUND,
            ChannelOrderError::CategoryInCategory => CATEGORY_IN_CATEGORY,
        };
        Self::told(code, error)
    }
}

/// Where a channel stands: behind the one before it in the list.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the domain's type")]
pub(crate) struct ChannelPlace {
    id: uuid::Uuid,
    /// The category that it stands in; null or left out: none.
    category_id: Option<uuid::Uuid>,
}

/// The whole layout.
#[derive(ToSchema)]
pub(crate) struct OrderChannels {
    /// Channels that are not named come after those that are, oldest first, and stay in their categories.
    #[schema(value_type = Vec<ChannelPlace>, max_items = 500)]
    channels: Vec<Placed>,
}

impl FromFields for OrderChannels {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        fields.required("channels", parse::at_most(MAX_CHANNELS, place)).map(|channels| Self { channels })
    }
}

fn place(value: Value) -> Result<Placed, Fault> {
    let Value::Object(mut sent) = value else {
        return Err(Fault::new("wrong_type", "must be an array of objects"));
    };
    let id = sent.remove("id").ok_or_else(|| Fault::new("required", "each must have an id"))?;
    let category = sent.remove("category_id").filter(|value| !value.is_null());
    if let Some(name) = sent.keys().next() {
        return Err(Fault::new("unknown_field", format!("{name} is not known here")));
    }
    Ok(Placed { id: parse::id(id)?, category_id: category.map(parse::id).transpose()? })
}

/// Put the channels of a community into an order and into categories, all at once.
#[utoipa::path(
    put, path = "/communities/{id}/channel-order", operation_id = "orderChannels", tag = "channel",
    params(("id" = Uuid, Path, description = "The community")),
    request_body = OrderChannels,
    responses(
        (status = 200, description = "Ordered", body = Done),
        (status = 403, description = "`channel_may_not_manage`"),
        (status = 404, description = "`community_not_found`, `channel_not_found`, `not_found`"),
        (status = 409, description = "`channel_category_not_found`, `channel_category_in_category`"),
        (status = 422, description = "`channel_repeated`"),
    ),
)]
pub(crate) async fn order_channels(
    State(app): State<AppState>,
    Ids(id): Ids<CommunityId>,
    Command { context, body, .. }: Command<OrderChannels>,
) -> Result<Json<Done>, ApiError> {
    let done = app.commands.order_channels(&context, id, body.channels).await?;
    Ok(Json(Done { position: app.cursors.seal(done.position) }))
}
