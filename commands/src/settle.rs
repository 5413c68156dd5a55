//! What the server does by itself because something happened: the second append of a command that needs two.
//!
//! | after | follows |
//! |---|---|
//! | `account.registered` | the installation is founded, if it is not; the account joins the default community |
//! | `installation.founded` | the default community is created |
//! | `community.created` | its first channel is created; its owner joins |
//! | `invite.redeemed` | the account joins |
//! | `message.deleted` | the message's key is shredded |
//!
//! The handler settles at once; [`Settler`] follows the log and settles what a crash left. The ids of what follows derive
//! from the event that it follows, so it happens once however often it is tried, and never again after somebody undid
//! it: who was invited, joined and left is not joined anew.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::account::AccountEvent;
use domain::channel::{Channel, ChannelCommand, ChannelKind, ChannelName, ChannelTopic, CreateChannel};
use domain::codec::EventSet as _;
use domain::community::{Community, CommunityEvent};
use domain::installation::{Found, Installation, InstallationEvent};
use domain::invite::InviteEvent;
use domain::membership::JoinedBy;
use domain::message::MessageEvent;
use domain::{AccountId, Aggregate, ChannelId, CommunityId, Event, PersonalPart, streams};
use event_store::{Position, Record, StreamName, Tail, Unavailable};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::caller::{Cause, Done, Refusal};
use crate::community;
use crate::execute::Outcome;
use crate::intent::{Actor, Intent, Prepared};
use crate::membership::Join;
use crate::states::{Folded, Freshness, Kept, States};
use crate::{Commands, Inner};

/// The last of the events that followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settled {
    pub position: Position,
    pub recorded_at: Timestamp,
}

struct FoundInstallation(Found);

impl Intent for FoundInstallation {
    type Aggregate = Installation;

    fn stream(&self) -> String {
        streams::INSTALLATION.to_owned()
    }

    async fn prepare(&self, _: &States, _: Freshness) -> Result<Prepared<Installation>, Unavailable> {
        Ok(Prepared { command: self.0.clone(), guards: vec![] })
    }
}

/// The channel that a new community starts with; made in its owner's name before the owner joins.
struct FirstChannel {
    community: CommunityId,
    owner: AccountId,
    name: &'static str,
}

impl FirstChannel {
    fn id_in(community: CommunityId) -> ChannelId {
        ChannelId(Uuid::new_v5(&community.0, b"first channel"))
    }

    fn stream_in(community: CommunityId) -> String {
        streams::channel(Self::id_in(community))
    }
}

impl Intent for FirstChannel {
    type Aggregate = Channel;

    fn stream(&self) -> String {
        Self::stream_in(self.community)
    }

    async fn prepare(&self, states: &States, freshness: Freshness) -> Result<Prepared<Channel>, Unavailable> {
        let by = Actor::load(states, self.community, self.owner, freshness).await?.standing;
        let text = "short names fit";
        let create = CreateChannel {
            id: Self::id_in(self.community),
            by,
            name: ChannelName::parse(self.name).expect(text),
            kind: ChannelKind::Text,
            topic: ChannelTopic::parse("").expect(text),
            category: None,
            private: None,
            overwrites: None,
            existing: 0,
        };
        Ok(Prepared { command: ChannelCommand::Create(create), guards: vec![] })
    }
}

impl Commands {
    /// Ends a command: what follows from the last event of its stream happens now, and its position is answered.
    pub(crate) async fn settled<A: Kept, T, E>(
        &self,
        outcome: Outcome<A>,
        make: impl FnOnce(Folded<A>) -> Result<T, Refusal<E>>,
    ) -> Result<Done<T>, Refusal<E>> {
        let Done { mut position, mut recorded_at, made: folded, repeated } = outcome;
        let before = folded.version.saturating_sub(1);
        let records = self.inner.store.read_stream(&folded.stream, before).await?;
        let newest = records.iter().find(|record| record.version == folded.version);
        if let Some(record) = newest
            && let Some(settled) = self.inner.settle(record).await.map_err(Refusal::unavailable)?
            && settled.position > position
        {
            (position, recorded_at) = (settled.position, settled.recorded_at);
        }
        Ok(Done { position, recorded_at, made: make(folded)?, repeated })
    }
}

/// Something could not be settled now.
#[derive(Debug, thiserror::Error)]
#[error("what follows from an event could not be done")]
pub(crate) struct Unsettled(#[source] Arc<dyn std::error::Error + Send + Sync>);

impl Inner {
    /// Does what follows from `record`, if anything does.
    pub(crate) async fn settle(&self, record: &Record) -> Result<Option<Settled>, Unsettled> {
        if !FOLLOWED.contains(&record.kind.as_str()) {
            return Ok(None);
        }
        let event = Event::decode(&record.kind, record.schema, &record.data, PersonalPart::Sealed)
            .map_err(|error| Unsettled(Arc::new(error)))?;
        match event {
            Some(Event::Account(AccountEvent::Registered(e))) => self.welcome(record, e.account_id).await,
            Some(Event::Installation(InstallationEvent::Founded(e))) => {
                self.default_community(record, e.community_id, e.administrator).await
            }
            Some(Event::Community(CommunityEvent::Created(e))) => {
                self.furnish(record, e.community_id, e.owner_id).await
            }
            Some(Event::Invite(InviteEvent::Redeemed(e))) => {
                let by = JoinedBy::Invite;
                let (community, account, invited_by) = (e.community_id, e.account_id, Some(e.invited_by));
                self.follow_up(record, "join", &Join { community, account, by, invited_by }).await
            }
            Some(Event::Message(MessageEvent::Deleted(e))) => {
                self.vault.shred(e.message_id.0).await.map_err(|error| Unsettled(Arc::new(error)))?;
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    async fn welcome(&self, record: &Record, account: AccountId) -> Result<Option<Settled>, Unsettled> {
        let wanted = self.settings.default_community.as_ref();
        let wanted = wanted.map(|_| CommunityId(Uuid::new_v5(&self.store.log_id().0, b"default community")));
        let mut settled = None;
        let mut installation = self.installation().await?;
        if installation.administrator.is_none_or(|administrator| administrator == account) {
            let founding = FoundInstallation(Found { administrator: account, community: wanted });
            settled = self.follow_up(record, "found", &founding).await?;
            installation = self.installation().await?;
        }
        let founder = installation.administrator == Some(account);
        settled = settled.filter(|_| founder);
        let Some(community) = installation.default_community.filter(|_| wanted.is_some()) else {
            return Ok(settled);
        };
        // What this or an earlier account founded is complete before anybody joins.
        if founder || !self.furnished(community).await? {
            for record in self.records(streams::INSTALLATION.to_owned()).await? {
                let made = Box::pin(self.settle(&record)).await?;
                settled = later(settled, made.filter(|_| founder));
            }
        }
        if self.community(community).await?.live().is_none() {
            return Ok(settled);
        }
        let join = Join { community, account, by: JoinedBy::Welcome, invited_by: None };
        Ok(later(settled, self.follow_up(record, "welcome", &join).await?))
    }

    async fn default_community(
        &self,
        record: &Record,
        community: Option<CommunityId>,
        owner: AccountId,
    ) -> Result<Option<Settled>, Unsettled> {
        let (Some(id), Some(name)) = (community, self.settings.default_community.clone()) else {
            return Ok(None);
        };
        let created = self.follow_up(record, "community", &community::Create { id, owner, name }).await?;
        match self.records(streams::community(id)).await?.first() {
            Some(first) => Box::pin(self.settle(first)).await,
            None => Ok(created),
        }
    }

    async fn furnish(
        &self,
        record: &Record,
        community: CommunityId,
        owner: AccountId,
    ) -> Result<Option<Settled>, Unsettled> {
        let default = self.installation().await?.default_community == Some(community);
        let name = if default { "welcome" } else { "general" };
        let join = Join { community, account: owner, by: JoinedBy::Founding, invited_by: None };
        let joined = self.follow_up(record, "join", &join).await?;
        let channel = FirstChannel { community, owner, name };
        Ok(later(joined, self.follow_up(record, "channel", &channel).await?))
    }

    /// Whether a community has got all it starts with, even if some of it was deleted since.
    async fn furnished(&self, community: CommunityId) -> Result<bool, Unsettled> {
        let stream = FirstChannel::stream_in(community);
        let folded = self.states.load::<Channel>(stream, Freshness::Cached).await;
        Ok(folded.map_err(unsettled)?.state != Channel::Absent)
    }

    async fn installation(&self) -> Result<Installation, Unsettled> {
        let stream = streams::INSTALLATION.to_owned();
        let folded = self.states.load::<Installation>(stream, Freshness::FromLog).await;
        Ok(folded.map_err(unsettled)?.state.clone())
    }

    async fn community(&self, id: CommunityId) -> Result<Community, Unsettled> {
        let folded = self.states.load::<Community>(streams::community(id), Freshness::Cached).await;
        Ok(folded.map_err(unsettled)?.state.clone())
    }

    async fn records(&self, stream: String) -> Result<Vec<Arc<Record>>, Unsettled> {
        self.store.read_stream(&StreamName::new(stream), 0).await.map_err(unsettled)
    }

    /// Carries out what follows from `record` once. A refusal means that it no longer makes sense: it is let be.
    async fn follow_up<I>(
        &self,
        record: &Record,
        what: &str,
        intent: &I,
    ) -> Result<Option<Settled>, Unsettled>
    where
        I: Intent,
        <I::Aggregate as Aggregate>::Error: std::fmt::Display,
    {
        match self.carry_out(&Cause::following(record.id, what), intent).await {
            Ok(Done { position, recorded_at, .. }) => Ok(Some(Settled { position, recorded_at })),
            Err(Refusal::Domain(refusal)) => {
                tracing::debug!(event = %record.id, what, %refusal, "does not follow any more");
                Ok(None)
            }
            Err(Refusal::KeyReused) => Ok(None),
            Err(Refusal::Busy) => Err(Unsettled(Arc::new(std::io::Error::other("too many others")))),
            Err(Refusal::Unavailable(source)) => Err(Unsettled(source)),
        }
    }
}

/// Both were done; the later one covers the other.
fn later(a: Option<Settled>, b: Option<Settled>) -> Option<Settled> {
    a.into_iter().chain(b).max_by_key(|settled| settled.position)
}

fn unsettled(error: Unavailable) -> Unsettled {
    Unsettled(Arc::new(error))
}

/// The types of event that something follows from.
const FOLLOWED: [&str; 5] =
    ["account.registered", "installation.founded", "community.created", "invite.redeemed", "message.deleted"];

/// Where the settler keeps how far it has come.
#[async_trait]
pub trait Checkpoint: Send + Sync + 'static {
    async fn load(&self) -> Result<Position, Unavailable>;
    async fn save(&self, position: Position) -> Result<(), Unavailable>;
}

/// Follows the log: keeps the folded states current and settles what a crash left.
pub struct Settler {
    commands: Commands,
    checkpoint: Arc<dyn Checkpoint>,
}

/// The wait after the log or the vault could not be reached.
const RETRY: Duration = Duration::from_secs(1);

impl Settler {
    pub fn new(commands: Commands, checkpoint: Arc<dyn Checkpoint>) -> Self {
        Self { commands, checkpoint }
    }

    /// Runs until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        let settling = async {
            loop {
                let Err(unsettled) = self.follow().await;
                tracing::warn!(error = &unsettled as &dyn std::error::Error, "settling waits");
                tokio::time::sleep(RETRY).await;
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = settling => {}
        }
    }

    async fn follow(&self) -> Result<std::convert::Infallible, Unsettled> {
        let inner = &self.commands.inner;
        let after = self.checkpoint.load().await.map_err(unsettled)?;
        let mut tail: Tail = Arc::clone(&inner.store).tail(after);
        loop {
            let records = tail.next().await.map_err(unsettled)?;
            let mut settled_any = false;
            for record in &records {
                inner.states.follow(record);
                settled_any |= FOLLOWED.contains(&record.kind.as_str());
                inner.settle(record).await?;
            }
            // Without a consequence in it a page may as well be read again.
            if settled_any {
                self.checkpoint.save(tail.position()).await.map_err(unsettled)?;
            }
        }
    }
}
