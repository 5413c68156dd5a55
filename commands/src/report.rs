//! Report a message; handle a report.

use domain::message::Message;
use domain::report::{Report, ReportCommand, ReportError, ReportReason, ReportState, ReportText};
use domain::{AccountId, CommunityId, MessageId, ReportId, streams};
use event_store::Unavailable;
use uuid::Uuid;

use crate::Commands;
use crate::caller::{Context, Done, Refusal};
use crate::intent::{Actor, Intent, Prepared, Visitor};
use crate::states::{Freshness, States};

struct Open {
    message: MessageId,
    by: AccountId,
    reason: ReportReason,
    text: Option<ReportText>,
}

impl Intent for Open {
    type Aggregate = Report;

    fn stream(&self) -> String {
        streams::report(ReportId::of(self.message, self.by))
    }

    /// The reporter's own: what they wrote goes when they are erased.
    fn key(&self) -> Option<Uuid> {
        Some(self.by.0)
    }

    async fn prepare(&self, states: &States, freshness: Freshness) -> Result<Prepared<Report>, Unavailable> {
        let message = states.load::<Message>(streams::message(self.message), freshness).await?;
        // A message that never was is in no channel.
        let channel = message.state.facts().map(|facts| facts.channel_id);
        let channel = channel.unwrap_or(domain::ChannelId(Uuid::nil()));
        let visitor = Visitor::load(states, channel, self.by, freshness).await?;
        let mut guards = visitor.guards();
        guards.push(message.guard());
        let (by, message) = (visitor.standing, message.state.clone());
        let command = ReportCommand::Open { by, message, reason: self.reason, text: self.text.clone() };
        Ok(Prepared { command, guards })
    }
}

struct Change {
    id: ReportId,
    by: AccountId,
    state: ReportState,
    note: Option<ReportText>,
}

impl Intent for Change {
    type Aggregate = Report;

    fn stream(&self) -> String {
        streams::report(self.id)
    }

    /// Of who writes the note.
    fn key(&self) -> Option<Uuid> {
        Some(self.by.0)
    }

    async fn prepare(&self, states: &States, freshness: Freshness) -> Result<Prepared<Report>, Unavailable> {
        let report = states.load::<Report>(self.stream(), freshness).await?;
        let community = report.state.opened().map_or(CommunityId(Uuid::nil()), |report| report.community_id);
        let actor = Actor::load(states, community, self.by, freshness).await?;
        let (by, state, note) = (actor.standing, self.state, self.note.clone());
        Ok(Prepared { command: ReportCommand::Change { by, state, note }, guards: actor.guards() })
    }
}

impl Commands {
    /// Tells a community's moderators about a message. An account reports a message once: another call changes nothing.
    ///
    /// # Errors
    /// See [`ReportError`].
    pub async fn report_message(
        &self,
        context: &Context,
        message: MessageId,
        reason: ReportReason,
        text: Option<ReportText>,
    ) -> Result<Done<ReportId>, Refusal<ReportError>> {
        let by = actor(context, ReportError::UnknownMessage)?;
        let outcome = self.execute(&self.cause(context), &Open { message, by, reason, text }).await?;
        Ok(outcome.map(|_| ReportId::of(message, by)))
    }

    /// Brings a report into another state, or adds a note to the one it has.
    ///
    /// # Errors
    /// See [`ReportError`].
    pub async fn change_report(
        &self,
        context: &Context,
        id: ReportId,
        state: ReportState,
        note: Option<ReportText>,
    ) -> Result<Done<ReportId>, Refusal<ReportError>> {
        let by = actor(context, ReportError::Unknown)?;
        let outcome = self.execute(&self.cause(context), &Change { id, by, state, note }).await?;
        Ok(outcome.map(|_| id))
    }
}

/// The account that acts. The api lets nobody else through.
fn actor(context: &Context, otherwise: ReportError) -> Result<AccountId, Refusal<ReportError>> {
    context.actor.ok_or(Refusal::Domain(otherwise))
}
