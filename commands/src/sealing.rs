//! Encoded events, sealed and ready to append.

use bytes::Bytes;
use domain::codec::EventSet as _;
use domain::{Encoded, Event};
use event_store::{NewEvent, Sealed, StreamName, Topic};
use vault::{Binding, KeyError, Vault};

use crate::caller::Cause;
use crate::intent::Sealing;

/// Makes the key that `sealing` asks for; afterwards it is durable, so before any event that needs it.
pub(crate) async fn make_key(vault: &Vault, sealing: Option<Sealing>) -> Result<(), KeyError> {
    match sealing {
        Some(Sealing::New { key, owner }) => vault.create_message_key(key, owner.0).await,
        Some(Sealing::With { .. }) | None => Ok(()),
    }
}

/// Encodes `event` for `stream`, its personal text sealed.
///
/// # Panics
/// When an event has personal text and its intent names no key: a mistake in the intent.
pub(crate) async fn seal(
    vault: &Vault,
    sealing: Option<Sealing>,
    stream: &StreamName,
    event: &Event,
    id: uuid::Uuid,
    cause: &Cause,
) -> Result<NewEvent, KeyError> {
    let Encoded { kind, schema, data, personal } = event.encode();
    let sealed = match personal {
        None => None,
        Some(plain) => {
            let key = match sealing.expect("an intent with personal text names its key") {
                Sealing::With { key } | Sealing::New { key, .. } => key,
            };
            let sealed = vault.seal(key, Binding { kind, stream: stream.as_str() }, &plain).await?;
            Some(Sealed { key_id: sealed.key_id, nonce: sealed.nonce, ciphertext: sealed.ciphertext })
        }
    };
    let meta = serde_json::to_vec(cause).expect("a cause is plain JSON");
    let (data, meta) = (Bytes::from(data), Bytes::from(meta));
    Ok(NewEvent { id, kind, schema, topic: Topic::new(event.topic()), data, sealed, meta })
}
