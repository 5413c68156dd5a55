//! Typing: told by whoever may post, and not kept. Nothing is appended.

use domain::message::{MessageError, may_post};
use domain::{AccountId, ChannelId, CommunityId};
use event_store::Unavailable;

use crate::Commands;
use crate::caller::Refusal;
use crate::intent::Visitor;
use crate::states::Freshness;

impl Commands {
    /// The community of `channel`, if it has one and `account` may say that it types there.
    ///
    /// No append makes this exact: for the moment in which a cached state is behind, a member who was just banned may
    /// be seen typing. A refusal was decided on states read from the log, as everywhere.
    ///
    /// # Errors
    /// Those of posting there.
    pub async fn may_type(
        &self,
        account: AccountId,
        channel: ChannelId,
    ) -> Result<Option<CommunityId>, Refusal<MessageError>> {
        match self.typing_in(account, channel, Freshness::Cached).await? {
            Ok(community) => Ok(community),
            Err(_) => self.typing_in(account, channel, Freshness::FromLog).await?.map_err(Refusal::Domain),
        }
    }

    async fn typing_in(
        &self,
        account: AccountId,
        channel: ChannelId,
        freshness: Freshness,
    ) -> Result<Result<Option<CommunityId>, MessageError>, Unavailable> {
        let visitor = Visitor::load(&self.inner.states, channel, account, freshness).await?;
        Ok(may_post(&visitor.channel.state, &visitor.standing).map(|channel| channel.community_id()))
    }
}
