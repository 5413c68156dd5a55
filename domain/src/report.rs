//! `report-{id}`: somebody's word to the moderators about a message, and what they make of it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::codec::{events, told};
use crate::message::Message;
use crate::text::bounded;
use crate::{
    AccountId, Aggregate, ChannelId, CommunityId, MessageId, Permissions, Personal, ReportId, Standing,
};

bounded!(
    /// What a reporter adds to the reason, or a moderator to the outcome.
    ReportText, block, 1..=1_000
);

/// The namespace of reports' ids.
const REPORTS: Uuid = Uuid::from_u128(0x52c1_7a0e_9d7c_5b55_8d0e_3f6a_a0e4_0b1e);

impl ReportId {
    /// An account reports a message once: the id follows from both.
    pub fn of(message: MessageId, reporter: AccountId) -> Self {
        let pair = [message.0.as_bytes().as_slice(), reporter.0.as_bytes()].concat();
        Self(Uuid::new_v5(&REPORTS, &pair))
    }
}

/// What is wrong with the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportReason {
    Spam,
    Harassment,
    Illegal,
    Other,
}

impl ReportReason {
    pub const ALL: [Self; 4] = [Self::Spam, Self::Harassment, Self::Illegal, Self::Other];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spam => "spam",
            Self::Harassment => "harassment",
            Self::Illegal => "illegal",
            Self::Other => "other",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}

/// How far the moderators have come with a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportState {
    Open,
    /// Something was done about it.
    Resolved,
    /// There was nothing to do.
    Dismissed,
}

impl ReportState {
    pub const ALL: [Self; 3] = [Self::Open, Self::Resolved, Self::Dismissed];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Resolved => "resolved",
            Self::Dismissed => "dismissed",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// What a person wrote into an event of a report, sealed even where it is nothing: whether somebody wrote is theirs too.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Words {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<ReportText>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportOpened {
    pub report_id: ReportId,
    pub community_id: CommunityId,
    pub channel_id: ChannelId,
    pub message_id: MessageId,
    /// Of the message.
    pub author_id: AccountId,
    pub reporter_id: AccountId,
    pub reason: ReportReason,
    /// The reporter's.
    #[serde(skip)]
    pub words: Personal<Words>,
}
told!(ReportOpened.words: Words = "report.opened", 1);

/// What the report's state is from then on, perhaps the one that it was: then there is only a note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportChanged {
    pub report_id: ReportId,
    pub community_id: CommunityId,
    pub state: ReportState,
    pub by: AccountId,
    /// Of `by`.
    #[serde(skip)]
    pub words: Personal<Words>,
}
told!(ReportChanged.words: Words = "report.changed", 1);

events! {
    pub enum ReportEvent {
        Opened(ReportOpened),
        Changed(ReportChanged),
    }
}

/// The fold of a report's stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Report {
    #[default]
    Absent,
    Opened(OpenedReport),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenedReport {
    pub id: ReportId,
    pub community_id: CommunityId,
    pub reporter_id: AccountId,
    pub state: ReportState,
}

impl Report {
    pub fn opened(&self) -> Option<&OpenedReport> {
        match self {
            Self::Absent => None,
            Self::Opened(report) => Some(report),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "commands are decided on, and never kept")]
pub enum ReportCommand {
    /// `by` stands in the channel of the message.
    Open { by: Standing, message: Message, reason: ReportReason, text: Option<ReportText> },
    /// `by` stands in the community as a whole: who moderates it handles what is reported anywhere in it.
    Change { by: Standing, state: ReportState, note: Option<ReportText> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    #[error("there is no such community")]
    UnknownCommunity,
    #[error("there is no such message")]
    UnknownMessage,
    #[error("there is no such report")]
    Unknown,
    #[error("only messages of a community have moderators to report them to")]
    NotInCommunity,
    #[error("the message has been deleted")]
    MessageDeleted,
    #[error("you may not handle the reports of this community")]
    MayNotHandle,
}

impl Aggregate for Report {
    type Event = ReportEvent;
    type Command = ReportCommand;
    type Error = ReportError;

    fn evolve(&mut self, event: &ReportEvent) {
        match event {
            ReportEvent::Opened(opened) => {
                *self = Self::Opened(OpenedReport {
                    id: opened.report_id,
                    community_id: opened.community_id,
                    reporter_id: opened.reporter_id,
                    state: ReportState::Open,
                });
            }
            ReportEvent::Changed(changed) => {
                if let Self::Opened(report) = self {
                    report.state = changed.state;
                }
            }
        }
    }

    fn decide(&self, command: ReportCommand) -> Result<Vec<ReportEvent>, ReportError> {
        match command {
            ReportCommand::Open { by, message, reason, text } => self.open(&by, &message, reason, text),
            ReportCommand::Change { by, state, note } => self.change(&by, state, note),
        }
    }
}

impl Report {
    fn open(
        &self,
        by: &Standing,
        message: &Message,
        reason: ReportReason,
        text: Option<ReportText>,
    ) -> Result<Vec<ReportEvent>, ReportError> {
        let seen = message.facts().filter(|facts| by.sees(facts.channel_id, facts.community_id));
        let facts = seen.ok_or(ReportError::UnknownMessage)?;
        if self.opened().is_some() {
            return Ok(vec![]);
        }
        let community_id = facts.community_id.ok_or(ReportError::NotInCommunity)?;
        if matches!(message, Message::Deleted(_)) {
            return Err(ReportError::MessageDeleted);
        }
        Ok(vec![
            ReportOpened {
                report_id: ReportId::of(facts.id, by.account),
                community_id,
                channel_id: facts.channel_id,
                message_id: facts.id,
                author_id: facts.author_id,
                reporter_id: by.account,
                reason,
                words: Personal::Clear(Words { text }),
            }
            .into(),
        ])
    }

    /// Who does not handle reports knows of their own alone.
    fn change(
        &self,
        by: &Standing,
        state: ReportState,
        note: Option<ReportText>,
    ) -> Result<Vec<ReportEvent>, ReportError> {
        let here = |report: &&OpenedReport| by.is_member() && by.community == Some(report.community_id);
        let report = self.opened().filter(here).ok_or(ReportError::Unknown)?;
        if !by.may(Permissions::MANAGE_MESSAGES) {
            let own = by.account == report.reporter_id;
            return Err(if own { ReportError::MayNotHandle } else { ReportError::Unknown });
        }
        if report.state == state && note.is_none() {
            return Ok(vec![]);
        }
        Ok(vec![
            ReportChanged {
                report_id: report.id,
                community_id: report.community_id,
                state,
                by: by.account,
                words: Personal::Clear(Words { text: note }),
            }
            .into(),
        ])
    }
}
