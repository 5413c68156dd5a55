//! Reactions: adding, taking back, taking away, and who reacts.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use commands::ReactionState;
use domain::MessageId;
use domain::emoji::Emoji;
use domain::reaction::ReactionError;
use event_store::Position;
use jiff::Timestamp;
use projections::{ParticipantPage, ParticipantRow, ReactionRow};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::account::Account;
use crate::answer::Done;
use crate::auth::Authenticated;
use crate::cursor::Cursor;
use crate::error::{ApiError, FieldError, codes};
use crate::extract::{Bare, CaughtUp, Fields, FromFields, Ids, Query, parse};
use crate::message;
use crate::page::{self, Linked, Page};
use crate::state::{App, AppState};

codes! {
    MAY_NOT_REACT = FORBIDDEN "reaction_may_not_react" "Not allowed";
    TOO_MANY_KINDS = CONFLICT "reaction_too_many_kinds" "Too many kinds of reactions";
    MAY_NOT_CLEAR = FORBIDDEN "reaction_may_not_clear" "Not allowed";
}

impl From<ReactionError> for ApiError {
    fn from(error: ReactionError) -> Self {
        let code = match error {
            ReactionError::UnknownMessage => message::UNKNOWN,
            ReactionError::MessageDeleted => message::DELETED,
            ReactionError::MayNotReact => MAY_NOT_REACT,
            ReactionError::TimedOut => message::TIMED_OUT,
            ReactionError::Archived => crate::channel::ARCHIVED,
            ReactionError::Blocked => crate::block::BLOCKED,
            ReactionError::TooManyKinds => TOO_MANY_KINDS,
            ReactionError::MayNotClear => MAY_NOT_CLEAR,
        };
        Self::told(code, error)
    }
}

/// One kind of reaction on a message.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Reaction {
    /// In its fully qualified form.
    #[schema(example = "🎉")]
    emoji: String,
    /// How many react with it.
    count: u32,
    /// Whether you are among them.
    me: bool,
}

impl From<ReactionRow> for Reaction {
    fn from(ReactionRow { emoji, count, me }: ReactionRow) -> Self {
        Self { emoji, count, me }
    }
}

impl From<ReactionState> for Reaction {
    fn from(ReactionState { emoji, count, me }: ReactionState) -> Self {
        Self { emoji: emoji.into_string(), count, me }
    }
}

/// A kind of reaction and the position from which on it is as shown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReactionAnswer {
    reaction: Reaction,
    position: Cursor,
}

/// Somebody who reacts, or votes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Participant {
    account: Account,
    /// Since when.
    created_at: Timestamp,
}

impl From<ParticipantRow> for Participant {
    fn from(row: ParticipantRow) -> Self {
        Self { account: row.account.into(), created_at: row.created_at }
    }
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ParticipantsQuery {
    /// The `next` of a page.
    after: Option<String>,
    /// Most accounts in the answer.
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: u64,
}

impl FromFields for ParticipantsQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let after = fields.optional("after", parse::string);
        let limit = page::limit(fields);
        Some(Self { after: after?, limit: limit? })
    }
}

impl ParticipantsQuery {
    /// Where to go on, and how far.
    pub(crate) fn place(&self, app: &App) -> Result<(Option<Position>, usize), ApiError> {
        Ok((page::place(app, "after", self.after.as_deref())?, self.limit as usize))
    }

    pub(crate) fn answer(&self, app: &App, path: String, found: ParticipantPage) -> Response {
        let items = found.items.into_iter().map(Participant::from).collect();
        let next = found.next.map(|position| app.cursors.seal(position).0);
        let page = Page { items, next, prev: None };
        let linked =
            Linked { page, path, limit: self.limit, next_parameter: "after", prev_parameter: "before" };
        linked.into_response()
    }
}

/// Whose reactions to take away.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RemoveQuery {
    /// Everyone's, not just yours: if you manage messages.
    #[param(value_type = Option<bool>, default = false)]
    everyone: bool,
}

impl FromFields for RemoveQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let everyone = fields.optional("everyone", parse::flag);
        Some(Self { everyone: everyone?.unwrap_or_default() })
    }
}

/// The emoji in a path: itself, or its shortcode between colons.
fn emoji(text: &str) -> Result<Emoji, ApiError> {
    Emoji::parse(text).map_err(|error| {
        ApiError::invalid(vec![FieldError::parameter("emoji", "not_an_emoji", error.to_string())])
    })
}

/// React to a message. A message has at most 20 kinds of reactions; one that is there can always be joined.
#[utoipa::path(
    put, path = "/messages/{id}/reactions/{emoji}", operation_id = "addReaction", tag = "reaction",
    params(
        ("id" = Uuid, Path, description = "The message"),
        ("emoji" = String, Path, description = "An emoji, percent-encoded, or its shortcode such as `:tada:`"),
    ),
    responses(
        (status = 200, description = "You react with it", body = ReactionAnswer),
        (status = 403, description = "`reaction_may_not_react`, `message_timed_out`"),
        (status = 404, description = "`message_not_found`, `not_found`"),
        (status = 409, description = "`reaction_too_many_kinds`, `message_deleted`"),
    ),
)]
pub(crate) async fn add_reaction(
    State(app): State<AppState>,
    Ids((id, text)): Ids<(MessageId, String)>,
    Bare { context, .. }: Bare,
) -> Result<Json<ReactionAnswer>, ApiError> {
    let done = app.commands.add_reaction(&context, id, emoji(&text)?).await?;
    Ok(Json(ReactionAnswer { reaction: done.made.into(), position: app.cursors.seal(done.position) }))
}

/// Take back your reaction; or everyone's of this kind, if you manage messages.
#[utoipa::path(
    delete, path = "/messages/{id}/reactions/{emoji}", operation_id = "removeReaction", tag = "reaction",
    params(
        ("id" = Uuid, Path, description = "The message"),
        ("emoji" = String, Path, description = "An emoji, percent-encoded, or its shortcode such as `:tada:`"),
        RemoveQuery,
    ),
    responses(
        (status = 200, description = "Taken away", body = Done),
        (status = 403, description = "`reaction_may_not_clear`"),
        (status = 404, description = "`message_not_found`, `not_found`"),
        (status = 409, description = "`message_deleted`"),
    ),
)]
pub(crate) async fn remove_reaction(
    State(app): State<AppState>,
    Ids((id, text)): Ids<(MessageId, String)>,
    Query(RemoveQuery { everyone }): Query<RemoveQuery>,
    Bare { context, .. }: Bare,
) -> Result<Json<Done>, ApiError> {
    let emoji = emoji(&text)?;
    let position = if everyone {
        app.commands.clear_reactions(&context, id, Some(emoji)).await?.position
    } else {
        app.commands.remove_reaction(&context, id, emoji).await?.position
    };
    Ok(Json(Done { position: app.cursors.seal(position) }))
}

/// Take away all reactions to a message, if you manage messages.
#[utoipa::path(
    delete, path = "/messages/{id}/reactions", operation_id = "clearReactions", tag = "reaction",
    params(("id" = Uuid, Path, description = "The message")),
    responses(
        (status = 200, description = "Taken away", body = Done),
        (status = 403, description = "`reaction_may_not_clear`"),
        (status = 404, description = "`message_not_found`, `not_found`"),
        (status = 409, description = "`message_deleted`"),
    ),
)]
pub(crate) async fn clear_reactions(
    State(app): State<AppState>,
    Ids(id): Ids<MessageId>,
    Bare { context, .. }: Bare,
) -> Result<Json<Done>, ApiError> {
    let done = app.commands.clear_reactions(&context, id, None).await?;
    Ok(Json(Done { position: app.cursors.seal(done.position) }))
}

/// List who reacts to a message with an emoji, the first first.
#[utoipa::path(
    get, path = "/messages/{id}/reactions/{emoji}", operation_id = "listReactors", tag = "reaction",
    params(
        ("id" = Uuid, Path, description = "The message"),
        ("emoji" = String, Path, description = "An emoji, percent-encoded, or its shortcode such as `:tada:`"),
        ParticipantsQuery,
    ),
    responses(
        (status = 200, description = "A page of them", body = Page<Participant>),
        (status = 404, description = "`message_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn list_reactors(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids((id, text)): Ids<(MessageId, String)>,
    Query(query): Query<ParticipantsQuery>,
) -> Result<Response, ApiError> {
    let emoji = emoji(&text)?;
    let (after, limit) = query.place(&app)?;
    let found = app.read.reactors(caller.account, id, &emoji, after, limit).await?;
    let found = found.ok_or(ReactionError::UnknownMessage)?;
    Ok(query.answer(&app, format!("/v1/messages/{id}/reactions/{}", page::segment(&text)), found))
}
