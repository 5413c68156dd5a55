//! Records with their personal part opened and their event decoded.

use std::sync::Arc;

use domain::account::AccountEvent;
use domain::codec::EventSet as _;
use domain::membership::MembershipEvent;
use domain::message::MessageEvent;
use domain::{DecodeError, Event, PersonalPart};
use event_store::{Position, Record, StreamName};
use vault::{Binding, OpenRequest, Opened, Vault};

#[derive(Debug, Clone)]
pub struct OpenedRecord {
    pub record: Arc<Record>,
    /// `None`: a type unknown to this program.
    pub event: Option<Event>,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// This program cannot read the record, and whoever needs it must not go past it.
    #[error(transparent)]
    Poison(#[from] Poison),
    /// Trying again later may succeed.
    #[error(transparent)]
    Unavailable(#[from] vault::Unavailable),
}

/// A record that cannot be read or applied.
#[derive(Debug, thiserror::Error)]
#[error("the event at position {position}, {kind} of {stream}, cannot be handled")]
pub struct Poison {
    pub position: Position,
    pub stream: StreamName,
    pub kind: String,
    pub source: Fault,
}

/// What is wrong with a record, in words that may be logged: the errors of the decoder and of the database quote what
/// they were given, which may be personal text, so they are not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("{0}")]
    Undecodable(String),
    #[error("its personal part is there, but its key does not open it")]
    Corrupt,
    #[error("its personal part is missing")]
    Missing,
    #[error("the database refuses what it says: {0}")]
    Refused(String),
}

impl From<DecodeError> for Fault {
    fn from(error: DecodeError) -> Self {
        Self::Undecodable(match &error {
            DecodeError::NewerSchema { .. } => error.to_string(),
            DecodeError::Malformed { source, .. } => {
                format!(
                    "{error}: {:?} error in line {}, column {}",
                    source.classify(),
                    source.line(),
                    source.column()
                )
            }
        })
    }
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        let said = error.as_db_error().map(|error| format!("{} ({})", error.message(), error.code().code()));
        Self::Refused(said.unwrap_or_else(|| "it cannot be sent".to_owned()))
    }
}

impl Poison {
    pub(crate) fn new(record: &Record, source: impl Into<Fault>) -> Self {
        let Record { position, stream, kind, .. } = record;
        Self { position: *position, stream: stream.clone(), kind: kind.clone(), source: source.into() }
    }

    /// The whole of it on one line.
    pub(crate) fn describe(&self) -> String {
        format!("{self}: {}", self.source)
    }
}

/// Opens and decodes `records`, with one call of the vault for all.
///
/// # Errors
/// [`Poison`] names the first record that cannot be read; those before it can.
pub async fn open(vault: &Vault, records: &[Arc<Record>]) -> Result<Vec<OpenedRecord>, OpenError> {
    let requests: Vec<OpenRequest<'_>> = records
        .iter()
        .filter_map(|record| {
            let sealed = record.sealed.as_ref()?;
            Some(OpenRequest {
                key_id: sealed.key_id,
                nonce: &sealed.nonce,
                ciphertext: &sealed.ciphertext,
                binding: Binding { kind: &record.kind, stream: record.stream.as_str() },
            })
        })
        .collect();
    let opened = if requests.is_empty() { vec![] } else { vault.open_many(&requests).await? };
    let mut texts = opened.into_iter();
    let decoded = records.iter().map(|record| {
        let text = record.sealed.as_ref().and_then(|_| texts.next());
        let event = decode(record, text).map_err(|fault| Poison::new(record, fault))?;
        Ok(OpenedRecord { record: record.clone(), event })
    });
    decoded.collect()
}

fn decode(record: &Record, text: Option<Opened>) -> Result<Option<Event>, Fault> {
    let part = match &text {
        Some(Opened::Text(bytes)) => PersonalPart::Clear(bytes),
        Some(Opened::Erased) => PersonalPart::Erased,
        Some(Opened::Corrupt) | None => PersonalPart::Sealed,
    };
    let event = Event::decode(&record.kind, record.schema, &record.data, part)?;
    match (&event, text) {
        (None, _) => Ok(None),
        (Some(_), Some(Opened::Corrupt)) => Err(Fault::Corrupt),
        (Some(told), None) if has_text(told) => Err(Fault::Missing),
        (Some(_), _) => Ok(event),
    }
}

/// Whether events of this type are never without a personal part.
fn has_text(event: &Event) -> bool {
    match event {
        Event::Message(MessageEvent::Posted(_) | MessageEvent::Edited(_))
        | Event::Account(AccountEvent::Registered(_) | AccountEvent::ProfileChanged(_))
        | Event::Membership(MembershipEvent::NicknameChanged(_))
        | Event::Report(_) => true,
        Event::Message(MessageEvent::Deleted(_) | MessageEvent::Pinned(_) | MessageEvent::Unpinned(_))
        | Event::Reaction(_)
        | Event::Poll(_)
        | Event::Thread(_)
        | Event::Membership(_)
        | Event::Channel(_)
        | Event::ChannelOrder(_)
        | Event::Block(_)
        | Event::Community(_)
        | Event::Invite(_)
        | Event::Claim(_)
        | Event::Installation(_) => false,
    }
}
