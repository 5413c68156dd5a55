//! The pages of a channel's history.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use domain::message::MessageError;
use domain::{ChannelId, MessageId};
use event_store::Position;
use jiff::Timestamp;
use projections::{HistoryPage, Range};
use utoipa::IntoParams;

use super::Message;
use crate::auth::Authenticated;
use crate::cursor::CursorError;
use crate::error::{ApiError, FieldError};
use crate::extract::{CaughtUp, Fault, Fields, FromFields, Ids, Query, parse};
use crate::page::{self, Linked, Page};
use crate::state::{App, AppState};

/// Which page: at most one of `before`, `after`, `around` and `at`; without any, the newest.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryQuery {
    /// The newest messages before this one: a message's id, or the `next` of a page.
    #[param(value_type = Option<String>)]
    before: Option<Anchor>,
    /// The oldest messages after this one: a message's id, or the `prev` of a page.
    #[param(value_type = Option<String>)]
    after: Option<Anchor>,
    /// This message among its neighbours.
    #[param(value_type = Option<String>)]
    around: Option<Anchor>,
    /// The newest messages that were there at this time.
    #[param(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
    /// Most messages in the answer.
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: u64,
}

/// A place in a channel.
enum Anchor {
    Message(MessageId),
    Cursor(String),
}

impl FromFields for HistoryQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let before = fields.optional("before", anchor);
        let after = fields.optional("after", anchor);
        let around = fields.optional("around", anchor);
        let at = fields.optional("at", parse::time);
        let limit = page::limit(fields);
        let given = |anchor: &Option<Option<Anchor>>| matches!(anchor, Some(Some(_)));
        let places = [given(&before), given(&after), given(&around), matches!(at, Some(Some(_)))];
        if places.into_iter().filter(|given| *given).count() > 1 {
            fields
                .fault("before", Fault::new("too_many", "give at most one of before, after, around and at"));
        }
        Some(Self { before: before?, after: after?, around: around?, at: at?, limit: limit? })
    }
}

fn anchor(value: serde_json::Value) -> Result<Anchor, Fault> {
    let text = parse::string(value)?;
    Ok(text.parse::<MessageId>().map_or(Anchor::Cursor(text), Anchor::Message))
}

/// List a channel's messages, newest first, deleted ones included, those of threads not.
#[utoipa::path(
    get, path = "/channels/{id}/messages", operation_id = "listMessages", tag = "message",
    params(("id" = Uuid, Path, description = "The channel"), HistoryQuery),
    responses(
        (status = 200, description = "A page; `next` leads to older messages", body = Page<Message>),
        (status = 404, description = "`channel_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn list_messages(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids(id): Ids<ChannelId>,
    Query(query): Query<HistoryQuery>,
) -> Result<Response, ApiError> {
    let limit = query.limit;
    let range = query.range(&Place { app: &app, caller: &caller, channel: id, thread: None }).await?;
    let history = app.read.history(caller.account, id, range, limit as usize).await?;
    let history = history.ok_or(MessageError::UnknownChannel)?;
    Ok(listed(&app, history, format!("/v1/channels/{id}/messages"), limit))
}

/// A page of a history.
pub(super) fn listed(app: &App, history: HistoryPage, path: String, limit: u64) -> Response {
    let cursor = |position: Option<Position>| position.map(|position| app.cursors.seal(position).0);
    let now = app.clock.now();
    let page = Page {
        items: history.items.into_iter().map(|row| Message::of_row(row, now)).collect(),
        next: cursor(history.older),
        prev: cursor(history.newer),
    };
    Linked { page, path, limit, next_parameter: "before", prev_parameter: "after" }.into_response()
}

impl HistoryQuery {
    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    /// Which page of the history at `place`.
    pub(super) async fn range(self, place: &Place<'_>) -> Result<Range, ApiError> {
        let Self { before, after, around, at, limit: _ } = self;
        Ok(match (before, after, around, at) {
            (Some(anchor), ..) => Range::Before(place.of("before", anchor).await?),
            (_, Some(anchor), ..) => Range::After(place.of("after", anchor).await?),
            (_, _, Some(anchor), _) => Range::Around(place.of("around", anchor).await?),
            (.., Some(time)) => Range::At(time),
            (None, None, None, None) => Range::Newest,
        })
    }
}

/// A history: a channel's, or that of one of its threads.
pub(super) struct Place<'a> {
    pub(super) app: &'a App,
    pub(super) caller: &'a Authenticated,
    pub(super) channel: ChannelId,
    pub(super) thread: Option<MessageId>,
}

impl Place<'_> {
    /// Where `anchor` is in the log.
    async fn of(&self, parameter: &str, anchor: Anchor) -> Result<Position, ApiError> {
        match anchor {
            Anchor::Cursor(text) => self.app.cursors.open(&text).map_err(|error| {
                let detail = match error {
                    CursorError::Invalid => "is neither a message's id nor a cursor of this server",
                    CursorError::ForeignLog => "is a cursor of another log: fetch the newest page",
                };
                ApiError::invalid(vec![FieldError::parameter(parameter, "not_a_cursor", detail)])
            }),
            Anchor::Message(message) => {
                let found = self.app.read.message_place(self.caller.account, message).await?;
                match found {
                    Some(found) if (found.channel_id, found.thread_id) == (self.channel, self.thread) => {
                        Ok(found.position)
                    }
                    _ => {
                        // Who may not see the channel learns no more than that.
                        if self.app.read.channel(self.caller.account, self.channel).await?.is_none() {
                            return Err(MessageError::UnknownChannel.into());
                        }
                        let detail = match self.thread {
                            Some(_) => "is no message of this thread",
                            None => "is no message of this channel's own history",
                        };
                        Err(ApiError::invalid(vec![FieldError::parameter(parameter, "not_found", detail)]))
                    }
                }
            }
        }
    }
}
