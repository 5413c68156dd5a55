//! What mentions the caller.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use utoipa::IntoParams;

use super::Message;
use crate::auth::Authenticated;
use crate::error::ApiError;
use crate::extract::{CaughtUp, Fields, FromFields, Query, parse};
use crate::page::{self, Linked, Page};
use crate::state::AppState;

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct NewestQuery {
    /// The `next` of a page.
    pub(super) before: Option<String>,
    /// Most items in the answer.
    #[param(minimum = 1, maximum = 100, default = 10)]
    pub(super) limit: u64,
}

impl FromFields for NewestQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let before = fields.optional("before", parse::string);
        let limit = page::limit(fields);
        Some(Self { before: before?, limit: limit? })
    }
}

/// List the messages of others that mention you: by name, by a role that you hold, or with everybody. The newest come
/// first, from all channels that you may see now.
#[utoipa::path(
    get, path = "/me/mentions", operation_id = "listMentions", tag = "message",
    params(NewestQuery),
    responses((status = 200, description = "A page; `next` leads to older ones", body = Page<Message>)),
)]
pub(crate) async fn list_mentions(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Query(NewestQuery { before, limit }): Query<NewestQuery>,
) -> Result<Response, ApiError> {
    let before = page::place(&app, "before", before.as_deref())?;
    let found = app.read.mentions(caller.account, before, limit as usize).await?;
    let now = app.clock.now();
    let items = found.items.into_iter().map(|row| Message::of_row(row, now)).collect();
    let page = Page { items, next: found.next.map(|position| app.cursors.seal(position).0), prev: None };
    let path = "/v1/me/mentions".to_owned();
    Ok(Linked { page, path, limit, next_parameter: "before", prev_parameter: "after" }.into_response())
}
