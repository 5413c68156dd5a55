//! When an account was a member of a community, as the log tells it.

use std::ops::RangeInclusive;
use std::sync::Arc;

use domain::codec::EventSet as _;
use domain::community::CommunityEvent;
use domain::membership::{Membership, MembershipEvent};
use domain::{AccountId, Aggregate as _, CommunityId, DecodeError, Event, PersonalPart, streams};
use event_store::{EventStore, Position, Record, StreamName, Unavailable};

#[derive(Debug, thiserror::Error)]
pub(crate) enum PastError {
    #[error("the log cannot be reached")]
    Log(#[from] Unavailable),
    #[error("a membership's event does not decode")]
    Decode(#[from] DecodeError),
}

/// The memberships of one account in one community, one after the other, up to a position.
#[derive(Debug, Default)]
pub(crate) struct Past {
    /// From each joining to what ended it, both included; the last one is open if nothing has.
    spans: Vec<RangeInclusive<Position>>,
    /// What ended the last one.
    pub(crate) end: Option<Arc<Record>>,
}

impl Past {
    pub(crate) async fn read(
        store: &dyn EventStore,
        account: AccountId,
        community: CommunityId,
        until: Position,
    ) -> Result<Self, PastError> {
        let mut past = Self::default();
        let mut state = Membership::default();
        let mut since = None;
        for record in stream(store, streams::membership(community, account), until).await? {
            let event =
                MembershipEvent::decode(&record.kind, record.schema, &record.data, PersonalPart::Sealed)?;
            let Some(event) = event else { continue };
            state.evolve(&event);
            match (since, state.roles().is_some()) {
                (None, true) => since = Some(record.position),
                (Some(from), false) => {
                    past.close(from, record);
                    since = None;
                }
                (None, false) | (Some(_), true) => {}
            }
        }
        let Some(from) = since else { return Ok(past) };
        for record in stream(store, streams::community(community), until).await? {
            let event = Event::decode(&record.kind, record.schema, &record.data, PersonalPart::Sealed)?;
            if matches!(event, Some(Event::Community(CommunityEvent::Deleted(_)))) {
                past.close(from, record);
                return Ok(past);
            }
        }
        past.spans.push(from..=Position(u64::MAX));
        past.end = None;
        Ok(past)
    }

    fn close(&mut self, from: Position, record: Arc<Record>) {
        self.spans.push(from..=record.position);
        self.end = Some(record);
    }

    pub(crate) fn includes(&self, position: Position) -> bool {
        self.spans.iter().any(|span| span.contains(&position))
    }
}

async fn stream(
    store: &dyn EventStore,
    name: String,
    until: Position,
) -> Result<impl Iterator<Item = Arc<Record>>, Unavailable> {
    let records = store.read_stream(&StreamName::new(name), 0).await?;
    Ok(records.into_iter().take_while(move |record| record.position <= until))
}
