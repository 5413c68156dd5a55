//! Pass a message on.

use domain::codec::EventSet as _;
use domain::message::{Content, MessageError, MessageEvent, MessageText};
use domain::{ChannelId, MessageId, PersonalPart, streams};
use event_store::Record;
use vault::{Binding, OpenRequest, Opened};

use super::{MessageState, Post};
use crate::Commands;
use crate::caller::{Context, Done, Refusal};
use crate::mention::Lookup;

/// A message that passes another on, as a command left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forwarding {
    pub state: MessageState,
    /// What was passed on. `None`: it is gone already.
    pub text: Option<Content>,
}

/// What is to be passed on.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) id: MessageId,
    /// Read before the decision; an edit in between counts as one that came later.
    pub(super) text: Option<Content>,
}

/// The text of a record is there, and cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the personal part of the event at {0} cannot be read")]
struct Unreadable(event_store::Position);

impl Commands {
    /// Posts a copy of the text of message `source` in `channel`, under `content` if there is something to say about it.
    ///
    /// # Errors
    /// See [`MessageError`].
    pub async fn forward_message(
        &self,
        context: &Context,
        source: MessageId,
        channel: ChannelId,
        content: Option<Content>,
    ) -> Result<Done<Forwarding>, Refusal<MessageError>> {
        let source = Source { id: source, text: self.passed_on(source).await? };
        let lookup = content.as_ref().map_or_else(Lookup::default, |content| self.lookup(content));
        let done = self
            .post_any(context, channel, |id, by, pacing| Post {
                pacing,
                id,
                by,
                channel,
                content,
                lookup,
                reply_to: None,
                thread: None,
                poll: None,
                forward: Some(source),
            })
            .await?;
        // A repeated call brings the text that the first one copied, whatever became of its source.
        let text = self.passed_on(done.made.facts.id).await?;
        Ok(done.map(|state| Forwarding { state, text }))
    }

    /// What passing the message on passes on: the text that it brought from elsewhere, or else its own as it is now.
    async fn passed_on(&self, id: MessageId) -> Result<Option<Content>, Refusal<MessageError>> {
        let mut found = None;
        for record in self.inner.states.records(streams::message(id)).await? {
            match decoded(&record, PersonalPart::Sealed)? {
                Some(MessageEvent::Posted(posted)) => {
                    if posted.forwarded.is_some() {
                        let text = self.text(&record).await?;
                        return Ok(text.and_then(|text| text.forwarded));
                    }
                    found = Some(record);
                }
                Some(MessageEvent::Edited(_)) => found = Some(record),
                Some(MessageEvent::Deleted(_)) => return Ok(None),
                Some(MessageEvent::Pinned(_) | MessageEvent::Unpinned(_)) | None => {}
            }
        }
        match found {
            Some(record) => Ok(self.text(&record).await?.map(|text| text.content)),
            None => Ok(None),
        }
    }

    /// The personal text of a post or an edit; `None` where it is gone.
    async fn text(&self, record: &Record) -> Result<Option<MessageText>, Refusal<MessageError>> {
        let unreadable = || Refusal::unavailable(Unreadable(record.position));
        let sealed = record.sealed.as_ref().ok_or_else(unreadable)?;
        let request = OpenRequest {
            key_id: sealed.key_id,
            nonce: &sealed.nonce,
            ciphertext: &sealed.ciphertext,
            binding: Binding { kind: &record.kind, stream: record.stream.as_str() },
        };
        let bytes = match self.inner.vault.open_many(&[request]).await?.pop() {
            Some(Opened::Text(bytes)) => bytes,
            Some(Opened::Erased) => return Ok(None),
            Some(Opened::Corrupt) | None => return Err(unreadable()),
        };
        Ok(match decoded(record, PersonalPart::Clear(&bytes))? {
            Some(MessageEvent::Posted(posted)) => posted.text.clear().cloned(),
            Some(MessageEvent::Edited(edited)) => edited.content.clear().cloned().map(MessageText::from),
            _ => None,
        })
    }
}

fn decoded(record: &Record, part: PersonalPart<'_>) -> Result<Option<MessageEvent>, Refusal<MessageError>> {
    MessageEvent::decode(&record.kind, record.schema, &record.data, part).map_err(Refusal::unavailable)
}
