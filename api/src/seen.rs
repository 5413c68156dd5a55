//! What a caller may see, asked before something is kept about it.
//!
//! What is not found is looked for once more when the read model is as far as the log is now: a client may keep a draft
//! for a channel, or save a message, that was made a moment ago.

use std::time::Duration;

use domain::channel::ChannelError;
use domain::message::MessageError;
use domain::{AccountId, ChannelId, MessageId};
use projections::{ChannelRow, MessageRow};

use crate::error::ApiError;
use crate::state::App;

/// The longest that the read model is waited for.
const PATIENCE: Duration = Duration::from_millis(500);

/// # Errors
/// The channel does not exist, or is nothing that `viewer` may see.
pub(crate) async fn channel(app: &App, viewer: AccountId, id: ChannelId) -> Result<ChannelRow, ApiError> {
    if let Some(found) = app.read.channel(viewer, id).await? {
        return Ok(found);
    }
    catch_up(app).await?;
    Ok(app.read.channel(viewer, id).await?.ok_or(ChannelError::Unknown)?)
}

/// # Errors
/// The message does not exist, or is nothing that `viewer` may see.
pub(crate) async fn message(app: &App, viewer: AccountId, id: MessageId) -> Result<MessageRow, ApiError> {
    if let Some(found) = app.read.message(viewer, id).await? {
        return Ok(found);
    }
    catch_up(app).await?;
    Ok(app.read.message(viewer, id).await?.ok_or(MessageError::Unknown)?)
}

/// Whether a message can be answered in `channel`.
///
/// # Errors
/// It is no message of the channel, or nothing that `viewer` may see.
pub(crate) async fn answered(
    app: &App,
    viewer: AccountId,
    channel: ChannelId,
    reply_to: MessageId,
) -> Result<(), ApiError> {
    let mut found = app.read.message(viewer, reply_to).await?;
    if found.is_none() {
        catch_up(app).await?;
        found = app.read.message(viewer, reply_to).await?;
    }
    let there = found.filter(|message| message.channel_id == channel);
    Ok(there.map(drop).ok_or(MessageError::ReplyNotFound)?)
}

async fn catch_up(app: &App) -> Result<(), ApiError> {
    let head = app.store.head().await?;
    if app.read.wait_for(head, PATIENCE).await { Ok(()) } else { Err(ApiError::not_caught_up()) }
}
