//! Polls: posting one with a message, voting, closing, and who votes for what.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::MessageId;
use domain::message::MessageError;
use domain::poll::{self, MAX_OPTIONS, PollError, PollOption, PollOptions, PollOptionsError};
use jiff::Timestamp;
use projections::{PollOptionRow, PollRow};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::answer::Done;
use crate::auth::Authenticated;
use crate::error::{ApiError, codes};
use crate::extract::{Bare, CaughtUp, Command, Fault, Fields, FromFields, Ids, Query, parse};
use crate::message;
use crate::page;
use crate::reaction::{Participant, ParticipantsQuery};
use crate::state::AppState;

codes! {
    NONE = NOT_FOUND "poll_not_found" "No such poll";
    UNKNOWN_OPTION = NOT_FOUND "poll_option_not_found" "No such option";
    MAY_NOT_VOTE = FORBIDDEN "poll_may_not_vote" "Not allowed";
    MAY_NOT_CLOSE = FORBIDDEN "poll_may_not_close" "Not allowed";
    CLOSED = CONFLICT "poll_closed" "The poll is closed";
    ONE_OPTION = CONFLICT "poll_one_option" "One option only";
}

impl From<PollError> for ApiError {
    fn from(error: PollError) -> Self {
        let code = match error {
            PollError::UnknownMessage => message::UNKNOWN,
            PollError::MessageDeleted => message::DELETED,
            PollError::TimedOut => message::TIMED_OUT,
            PollError::Archived => crate::channel::ARCHIVED,
            PollError::Blocked => crate::block::BLOCKED,
            PollError::None => NONE,
            PollError::UnknownOption => UNKNOWN_OPTION,
            PollError::MayNotVote => MAY_NOT_VOTE,
            PollError::MayNotClose => MAY_NOT_CLOSE,
            PollError::Closed => CLOSED,
            PollError::OneOption => ONE_OPTION,
        };
        Self::told(code, error)
    }
}

/// The poll of a message; the message's text is its question.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Poll {
    /// Votes name them by their place, from 0.
    #[schema(min_items = 2, max_items = 10)]
    options: Vec<Choice>,
    /// Whether one may vote for several.
    multiple: bool,
    /// When it closes by itself; null: never.
    closes_at: Option<Timestamp>,
    /// Whether it is closed: somebody closed it, or its time is over.
    closed: bool,
}

/// An option of a poll.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Choice {
    /// Null when it was deleted or erased.
    #[schema(example = "Tuesday")]
    text: Option<String>,
    /// Nought in a deleted message.
    votes: u32,
    /// Whether you vote for it.
    me: bool,
}

impl Poll {
    /// The poll of a deleted message is over.
    pub(crate) fn of_row(row: PollRow, deleted: bool, now: Timestamp) -> Self {
        let PollRow { options, multiple, closes_at, closed_at } = row;
        let choice = |PollOptionRow { text, votes, me }| Choice { text, votes, me };
        let closed = deleted || closed_at.is_some() || closes_at.is_some_and(|end| end <= now);
        Self { options: options.into_iter().map(choice).collect(), multiple, closes_at, closed }
    }

    /// One that was just posted.
    pub(crate) fn new(poll: &poll::NewPoll) -> Self {
        let choice =
            |option: &PollOption| Choice { text: Some(option.as_str().to_owned()), votes: 0, me: false };
        let options = poll.options.iter().map(choice).collect();
        Self { options, multiple: poll.multiple, closes_at: poll.closes_at, closed: false }
    }

    /// What is left of one when its message was deleted.
    pub(crate) fn deleted(terms: poll::PollTerms) -> Self {
        let choice = |_| Choice { text: None, votes: 0, me: false };
        let options = (0..terms.options).map(choice).collect();
        Self { options, multiple: terms.multiple, closes_at: terms.closes_at, closed: true }
    }
}

/// A poll to be posted with a message, whose text is its question.
#[derive(ToSchema)]
pub(crate) struct NewPoll {
    /// No two alike.
    #[schema(value_type = Vec<OptionText>, min_items = 2, max_items = 10, example = json!(["Tuesday", "Friday"]))]
    options: PollOptions,
    /// Whether one may vote for several; not, if left out.
    #[schema(value_type = Option<bool>)]
    multiple: bool,
    /// When it closes by itself, at most 30 days from now; never, if left out.
    closes_at: Option<Timestamp>,
}

/// What one can vote for, on one line.
#[derive(ToSchema)]
#[schema(min_length = 1, max_length = 100, example = "Tuesday")]
#[expect(dead_code, reason = "describes the domain's type")]
pub(crate) struct OptionText(String);

impl FromFields for NewPoll {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let options = fields.required("options", options);
        let multiple = fields.optional("multiple", parse::boolean);
        let closes_at = fields.optional("closes_at", parse::time);
        Some(Self { options: options?, multiple: multiple?.unwrap_or_default(), closes_at: closes_at? })
    }
}

impl From<NewPoll> for poll::NewPoll {
    fn from(NewPoll { options, multiple, closes_at }: NewPoll) -> Self {
        Self { options, multiple, closes_at }
    }
}

fn options(value: Value) -> Result<PollOptions, Fault> {
    let texts = parse::list(value)?;
    let options =
        texts.into_iter().map(|text| parse::text(PollOption::parse)(text)).collect::<Result<_, _>>()?;
    PollOptions::new(options).map_err(|error| {
        let code = match error {
            PollOptionsError::Count(_) => "out_of_range",
            PollOptionsError::Repeated => "repeated",
        };
        Fault::new(code, error.to_string())
    })
}

/// All that you vote for.
#[derive(ToSchema)]
pub(crate) struct Vote {
    /// Places of options, from 0. One, unless the poll is for several.
    #[schema(value_type = Vec<u8>, min_items = 1, max_items = 10, example = json!([1]))]
    options: BTreeSet<u8>,
}

impl FromFields for Vote {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        fields.required("options", places).map(|options| Self { options })
    }
}

fn places(value: Value) -> Result<BTreeSet<u8>, Fault> {
    let last = MAX_OPTIONS as u64 - 1;
    let place = |value| parse::integer(0, last)(value).map(|place| place as u8);
    let options = parse::list(value)?.into_iter().map(place).collect::<Result<BTreeSet<_>, _>>()?;
    // An empty vote is no vote: that is the other call.
    if options.is_empty() { Err(Fault::new("empty", "must name an option")) } else { Ok(options) }
}

/// Vote on the poll of a message, in place of an earlier vote.
#[utoipa::path(
    put, path = "/messages/{id}/poll/vote", operation_id = "vote", tag = "poll",
    params(("id" = Uuid, Path, description = "The message")),
    request_body = Vote,
    responses(
        (status = 200, description = "Voted", body = Done),
        (status = 403, description = "`poll_may_not_vote`, `message_timed_out`"),
        (status = 404, description = "`message_not_found`, `poll_not_found`, `poll_option_not_found`, `not_found`"),
        (status = 409, description = "`poll_closed`, `poll_one_option`, `message_deleted`"),
    ),
)]
pub(crate) async fn vote(
    State(app): State<AppState>,
    Ids(id): Ids<MessageId>,
    Command { context, body, .. }: Command<Vote>,
) -> Result<Json<Done>, ApiError> {
    let done = app.commands.vote(&context, id, body.options).await?;
    Ok(Json(Done { position: app.cursors.seal(done.position) }))
}

/// Withdraw your vote.
#[utoipa::path(
    delete, path = "/messages/{id}/poll/vote", operation_id = "withdrawVote", tag = "poll",
    params(("id" = Uuid, Path, description = "The message")),
    responses(
        (status = 200, description = "Withdrawn", body = Done),
        (status = 404, description = "`message_not_found`, `poll_not_found`, `not_found`"),
        (status = 409, description = "`poll_closed`, `message_deleted`"),
    ),
)]
pub(crate) async fn withdraw_vote(
    State(app): State<AppState>,
    Ids(id): Ids<MessageId>,
    Bare { context, .. }: Bare,
) -> Result<Json<Done>, ApiError> {
    let done = app.commands.vote(&context, id, BTreeSet::new()).await?;
    Ok(Json(Done { position: app.cursors.seal(done.position) }))
}

/// Close the poll of your message, or of any if you manage messages. It stays closed.
#[utoipa::path(
    post, path = "/messages/{id}/poll/close", operation_id = "closePoll", tag = "poll",
    params(("id" = Uuid, Path, description = "The message")),
    responses(
        (status = 200, description = "Closed", body = Done),
        (status = 403, description = "`poll_may_not_close`"),
        (status = 404, description = "`message_not_found`, `poll_not_found`, `not_found`"),
        (status = 409, description = "`message_deleted`"),
    ),
)]
pub(crate) async fn close_poll(
    State(app): State<AppState>,
    Ids(id): Ids<MessageId>,
    Bare { context, .. }: Bare,
) -> Result<Json<Done>, ApiError> {
    let done = app.commands.close_poll(&context, id).await?;
    Ok(Json(Done { position: app.cursors.seal(done.position) }))
}

/// List who votes for an option, the first first.
#[utoipa::path(
    get, path = "/messages/{id}/poll/votes/{option}", operation_id = "listVoters", tag = "poll",
    params(
        ("id" = Uuid, Path, description = "The message"),
        ("option" = u8, Path, description = "The option's place, from 0", maximum = 9),
        ParticipantsQuery,
    ),
    responses(
        (status = 200, description = "A page of them", body = page::Page<Participant>),
        (status = 404, description = "`message_not_found`, `poll_not_found`, `poll_option_not_found`, `not_found`"),
    ),
)]
pub(crate) async fn list_voters(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
    Ids((id, option)): Ids<(MessageId, u8)>,
    Query(query): Query<ParticipantsQuery>,
) -> Result<Response, ApiError> {
    let (after, limit) = query.place(&app)?;
    let message = app.read.message(caller.account, id).await?.ok_or(MessageError::Unknown)?;
    let poll = message.poll.ok_or(PollError::None)?;
    if usize::from(option) >= poll.options.len() {
        return Err(PollError::UnknownOption.into());
    }
    let found = app.read.voters(caller.account, id, option, after, limit).await?;
    let found = found.ok_or(MessageError::Unknown)?;
    Ok(query.answer(&app, format!("/v1/messages/{id}/poll/votes/{option}"), found))
}
