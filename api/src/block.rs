//! Blocks: whom an account wants nothing to do with.

use axum::Json;
use axum::extract::State;
use domain::AccountId;
use domain::block::BlockError;
use jiff::Timestamp;
use projections::BlockRow;
use serde::Serialize;
use utoipa::ToSchema;

use crate::account::Account;
use crate::answer::Done;
use crate::auth::Authenticated;
use crate::error::{ApiError, codes};
use crate::extract::{Bare, CaughtUp, Ids};
use crate::page::Page;
use crate::state::AppState;

codes! {
    BLOCKED = FORBIDDEN "blocked" "Blocked";
    ONESELF = UNPROCESSABLE_ENTITY "block_oneself" "Oneself";
}

impl From<BlockError> for ApiError {
    fn from(error: BlockError) -> Self {
        let code = match error {
            BlockError::UnknownAccount => crate::account::UNKNOWN,
            BlockError::Oneself => ONESELF,
        };
        Self::told(code, error)
    }
}

/// An account that you have blocked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Block {
    account: Account,
    created_at: Timestamp,
}

impl From<BlockRow> for Block {
    fn from(row: BlockRow) -> Self {
        Self { account: row.account.into(), created_at: row.created_at }
    }
}

/// List whom you have blocked, the newest first.
#[utoipa::path(
    get, path = "/me/blocks", operation_id = "listBlocks", tag = "account",
    responses((status = 200, description = "All of them", body = Page<Block>)),
)]
pub(crate) async fn list_blocks(
    State(app): State<AppState>,
    caller: Authenticated,
    _: CaughtUp,
) -> Result<Json<Page<Block>>, ApiError> {
    let blocks = app.read.blocks(caller.account).await?;
    Ok(Json(Page::whole(blocks.into_iter().map(Block::from).collect())))
}

/// Block an account.
///
/// While one of two blocks the other, neither opens a direct channel with the other, posts in theirs, or adds the other to
/// a group. The blocked account is not told; what was said stays readable.
#[utoipa::path(
    put, path = "/me/blocks/{account}", operation_id = "blockAccount", tag = "account",
    params(("account" = Uuid, Path, description = "Somebody in a community or a conversation with you")),
    responses(
        (status = 200, description = "Blocked", body = Done),
        (status = 404, description = "`account_not_found`, `not_found`"),
        (status = 422, description = "`block_oneself`"),
    ),
)]
pub(crate) async fn block_account(
    State(app): State<AppState>,
    Ids(account): Ids<AccountId>,
    Bare { context, caller }: Bare,
) -> Result<Json<Done>, ApiError> {
    if app.read.visible_account(caller.account, account).await?.is_none() {
        return Err(BlockError::UnknownAccount.into());
    }
    let done = app.commands.block_account(&context, account).await?;
    Ok(Json(Done { position: app.cursors.seal(done.position) }))
}

/// Take your block of an account back.
#[utoipa::path(
    delete, path = "/me/blocks/{account}", operation_id = "unblockAccount", tag = "account",
    params(("account" = Uuid, Path, description = "The account")),
    responses(
        (status = 200, description = "Not blocked by you", body = Done),
        (status = 404, description = "`not_found`"),
    ),
)]
pub(crate) async fn unblock_account(
    State(app): State<AppState>,
    Ids(account): Ids<AccountId>,
    Bare { context, .. }: Bare,
) -> Result<Json<Done>, ApiError> {
    let done = app.commands.unblock_account(&context, account).await?;
    Ok(Json(Done { position: app.cursors.seal(done.position) }))
}
