//! What a page of the log becomes: statements for one transaction.

use domain::channel::ChannelEvent;
use domain::community::CommunityEvent;
use domain::{Event, MessageId};
use event_store::Position;
use jiff::Timestamp;
use tokio_postgres::types::ToSql;

use crate::database::to_bigint;
use crate::opening::OpenedRecord;
use crate::{
    account, audit_log, block, channel, community, installation, invite, membership, message, poll, reaction,
    report, thread,
};

pub(crate) type Param = Box<dyn ToSql + Send + Sync>;

/// One statement. Its text is a constant, so that it is prepared once per connection.
pub(crate) struct Write {
    pub(crate) template: &'static str,
    pub(crate) params: Vec<Param>,
}

/// The parameters of a write, each owned.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        vec![$(Box::new($value) as $crate::batch::Param),*]
    };
}
pub(crate) use params;

/// Where and when an event stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    pub(crate) position: Position,
    pub(crate) time: Timestamp,
}

impl At {
    pub(crate) fn bigint(self) -> i64 {
        to_bigint(self.position)
    }
}

/// Statements in the order of the log, but for messages and reactions: those are gathered, so that a long run of them is
/// a few statements, and written later than their turn. That comes to the same: a message is written only where its
/// channel is, and a reaction only where its message is, so what would have been deleted with it is not written after it.
#[derive(Default)]
pub(crate) struct Batch {
    writes: Vec<Write>,
    messages: message::Gathered,
    reactions: reaction::Gathered,
    deletions: audit_log::Deletions,
}

impl Batch {
    pub(crate) fn of(records: Vec<OpenedRecord>) -> Vec<Write> {
        let mut batch = Self::default();
        for OpenedRecord { record, event } in records {
            let at = At { position: record.position, time: record.recorded_at };
            if let Some(event) = event {
                audit_log::project(&mut batch, &event, &record, at);
                batch.add(event, at);
            }
        }
        batch.write_reactions();
        batch.writes
    }

    fn add(&mut self, event: Event, at: At) {
        // Entries of deletions need the messages, which go with their channel.
        if matches!(
            &event,
            Event::Channel(ChannelEvent::Deleted(_)) | Event::Community(CommunityEvent::Deleted(_))
        ) {
            self.write_messages();
        }
        match event {
            Event::Message(event) => message::project(self, event, at),
            Event::Reaction(event) => reaction::project(self, event, at),
            Event::Poll(event) => poll::project(self, event, at),
            Event::Thread(event) => thread::project(self, &event, at),
            Event::Membership(event) => membership::project(self, event, at),
            Event::Channel(event) => channel::project(self, event, at),
            Event::ChannelOrder(event) => channel::ordered(self, &event),
            Event::Block(event) => block::project(self, event, at),
            Event::Community(event) => community::project(self, event, at),
            Event::Account(event) => account::project(self, event, at),
            Event::Invite(event) => invite::project(self, event, at),
            Event::Report(event) => report::project(self, event, at),
            Event::Installation(event) => installation::project(self, event),
            // Who holds a name is a matter of the log alone.
            Event::Claim(_) => {}
        }
    }

    pub(crate) fn write(&mut self, template: &'static str, params: Vec<Param>) {
        self.writes.push(Write { template, params });
    }

    pub(crate) fn messages(&mut self) -> &mut message::Gathered {
        &mut self.messages
    }

    pub(crate) fn reactions(&mut self) -> &mut reaction::Gathered {
        &mut self.reactions
    }

    /// Writes what is gathered of a message, for what happens next to need its row.
    pub(crate) fn write_message(&mut self, id: MessageId) {
        if self.messages.has(id) {
            self.write_messages();
        }
    }

    /// Writes all reactions that are gathered, and the messages, without which they are nothing.
    pub(crate) fn write_reactions(&mut self) {
        self.write_messages();
        self.writes.extend(std::mem::take(&mut self.reactions).into_writes());
    }

    pub(crate) fn deletions(&mut self) -> &mut audit_log::Deletions {
        &mut self.deletions
    }

    /// Writes what is gathered, for messages that must be written again.
    pub(crate) fn write_messages(&mut self) {
        self.writes.extend(std::mem::take(&mut self.messages).into_writes());
        self.writes.extend(std::mem::take(&mut self.deletions).into_write());
    }
}
