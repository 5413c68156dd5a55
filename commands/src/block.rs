//! Block, unblock.

use domain::block::{Block, BlockCommand, BlockError};
use domain::{AccountId, streams};
use event_store::{Guard, Unavailable};

use crate::Commands;
use crate::caller::{Context, Done, Refusal};
use crate::intent::{Intent, Prepared};
use crate::states::{Freshness, States};

struct Change {
    by: AccountId,
    account: AccountId,
    block: bool,
}

impl Intent for Change {
    type Aggregate = Block;

    fn stream(&self) -> String {
        streams::block(self.by, self.account)
    }

    async fn prepare(&self, _: &States, _: Freshness) -> Result<Prepared<Block>, Unavailable> {
        let Self { by, account, block } = *self;
        let command =
            if block { BlockCommand::Block { by, account } } else { BlockCommand::Unblock { by, account } };
        Ok(Prepared { command, guards: vec![] })
    }
}

/// Whether one of the two has blocked the other, and the guard that it stays so.
pub(crate) async fn between(
    states: &States,
    one: AccountId,
    other: AccountId,
    freshness: Freshness,
) -> Result<(Block, Guard), Unavailable> {
    let block = states.load::<Block>(streams::block(one, other), freshness).await?;
    Ok((block.state.clone(), block.guard()))
}

impl Commands {
    /// From now on neither of the two opens a direct channel with the other, posts in theirs, or adds the other to a
    /// group. Whether the account may be seen is the caller's question.
    ///
    /// # Errors
    /// See [`BlockError`].
    pub async fn block_account(
        &self,
        context: &Context,
        account: AccountId,
    ) -> Result<Done<()>, Refusal<BlockError>> {
        self.change_block(context, account, true).await
    }

    /// Takes one's own block back.
    ///
    /// # Errors
    /// See [`BlockError`].
    pub async fn unblock_account(
        &self,
        context: &Context,
        account: AccountId,
    ) -> Result<Done<()>, Refusal<BlockError>> {
        self.change_block(context, account, false).await
    }

    async fn change_block(
        &self,
        context: &Context,
        account: AccountId,
        block: bool,
    ) -> Result<Done<()>, Refusal<BlockError>> {
        let by = context.actor.ok_or(Refusal::Domain(BlockError::UnknownAccount))?;
        Ok(self.execute(&self.cause(context), &Change { by, account, block }).await?.map(drop))
    }
}
