//! Encoded events, sealed and ready to append.

use bytes::Bytes;
use domain::codec::EventSet as _;
use domain::{Encoded, Event};
use event_store::{NewEvent, Sealed, StreamName, Topic};
use uuid::Uuid;
use vault::{Binding, KeyError, Vault};

use crate::caller::Cause;

/// Encodes `event` for `stream`, its personal text sealed.
///
/// # Panics
/// When an event has personal text and its intent names no key: a mistake in the intent.
pub(crate) async fn seal(
    vault: &Vault,
    key: Option<Uuid>,
    stream: &StreamName,
    event: &Event,
    id: Uuid,
    cause: &Cause,
) -> Result<NewEvent, KeyError> {
    let Encoded { kind, schema, data, personal } = event.encode();
    let sealed = match personal {
        None => None,
        Some(plain) => {
            let key = key.expect("an intent with personal text names its key");
            let sealed = vault.seal(key, Binding { kind, stream: stream.as_str() }, &plain).await?;
            Some(Sealed { key_id: sealed.key_id, nonce: sealed.nonce, ciphertext: sealed.ciphertext })
        }
    };
    let meta = serde_json::to_vec(cause).expect("a cause is plain JSON");
    let (data, meta) = (Bytes::from(data), Bytes::from(meta));
    Ok(NewEvent { id, kind, schema, topic: Topic::new(event.topic()), data, sealed, meta })
}
