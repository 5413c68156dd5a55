//! Whom a text mentions, looked up before a decision. Nobody is found who could not be there to read it: a text does not
//! tell who exists elsewhere.

use domain::channel::{Home, LiveChannel};
use domain::claim::{Claim, Claimed};
use domain::community::Community;
use domain::membership::Membership;
use domain::mention::{Addressee, Named, Wanted};
use domain::message::Content;
use domain::{AccountId, Role, streams};
use event_store::Unavailable;
use futures_util::future::try_join_all;

use crate::Commands;
use crate::claim::ClaimName;
use crate::intent::Visitor;
use crate::states::{Freshness, States};

/// What a text names, with handles turned into the streams that say who holds them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lookup {
    accounts: Vec<Whom>,
    roles: Vec<Role>,
    everyone: bool,
    here: bool,
}

#[derive(Debug, Clone)]
enum Whom {
    Id(AccountId),
    Holder(String),
}

impl Commands {
    pub(crate) fn lookup(&self, text: &Content) -> Lookup {
        let Named { accounts, roles, everyone, here } = Named::in_text(text.as_str());
        let whom = |account| match account {
            Addressee::Id(id) => Whom::Id(id),
            Addressee::Handle(handle) => {
                Whom::Holder(ClaimName::stream_of(Claimed::Handle, &self.digest(Claimed::Handle, &handle)))
            }
        };
        Lookup { accounts: accounts.into_iter().map(whom).collect(), roles, everyone, here }
    }
}

impl Lookup {
    /// Those who are in the channel's community, or take part in the conversation; and the community's roles.
    ///
    /// From cached states, whatever the decision is made on: a mention grants nothing, so it may miss who came in this very
    /// moment.
    pub(crate) async fn find(&self, states: &States, visitor: &Visitor) -> Result<Wanted, Unavailable> {
        let Some(channel) = visitor.channel.state.live() else {
            return Ok(Wanted::default());
        };
        let found = try_join_all(self.accounts.iter().map(|whom| present(states, channel, whom))).await?;
        let mut wanted = Wanted {
            accounts: found.into_iter().flatten().collect(),
            everyone: self.everyone,
            here: self.here,
            ..Wanted::default()
        };
        if let Some(id) = channel.community_id().filter(|_| !self.roles.is_empty()) {
            let community = states.load::<Community>(streams::community(id), Freshness::Cached).await?;
            let known = community.state.live().map(|live| &live.roles);
            let open = |role: &Role| known?.get(*role).map(|definition| (*role, definition.mentionable));
            wanted.roles = self.roles.iter().filter_map(open).collect();
        }
        Ok(wanted)
    }
}

/// The account, if it is where the channel is.
async fn present(
    states: &States,
    channel: &LiveChannel,
    whom: &Whom,
) -> Result<Option<AccountId>, Unavailable> {
    let account = match whom {
        Whom::Id(id) => Some(*id),
        Whom::Holder(stream) => states.load::<Claim>(stream.clone(), Freshness::Cached).await?.state.holder,
    };
    let Some(account) = account else {
        return Ok(None);
    };
    let is_there = match &channel.home {
        Home::Community(community) => {
            let stream = streams::membership(*community, account);
            states.load::<Membership>(stream, Freshness::Cached).await?.state.member().is_some()
        }
        Home::Direct(accounts) => accounts.contains(&account),
        Home::Group { members, .. } => members.contains(&account),
    };
    Ok(is_there.then_some(account))
}
