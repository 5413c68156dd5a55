//! Texts under keys.

use bytes::Bytes;
use uuid::Uuid;

use super::KeyError;
use super::find::Found;
use crate::sealed::{Binding, OpenRequest, Opened, SealedText};
use crate::{Unavailable, Vault};

impl Vault {
    /// Seals `plain` under the key of a message or an account, for the place `binding`.
    ///
    /// # Errors
    /// [`KeyError::KeyErased`] also where the key was never made; never [`KeyError::OwnerErased`].
    pub async fn seal(
        &self,
        key_id: Uuid,
        binding: Binding<'_>,
        plain: &[u8],
    ) -> Result<SealedText, KeyError> {
        let known = self.find_key(key_id).await?.ok_or(KeyError::KeyErased)?;
        let (nonce, ciphertext) = known.key.encrypt(&binding.aad(known.owner), plain);
        Ok(SealedText { key_id, nonce, ciphertext: Bytes::from(ciphertext) })
    }

    /// Opens `items`, answering in their order. All keys that aren't cached come from one query.
    ///
    /// A key erased by another node may still open texts for up to 60 s; one erased by this process doesn't.
    ///
    /// # Errors
    /// [`Unavailable`] when any key is in doubt: no item is then answered as erased.
    pub async fn open_many(&self, items: &[OpenRequest<'_>]) -> Result<Vec<Opened>, Unavailable> {
        let keys = self.find_keys(items.iter().map(|item| item.key_id)).await?;
        let opened = items.iter().map(|item| match keys.get(&item.key_id) {
            None => Opened::Erased,
            Some(Found::Corrupt) => Opened::Corrupt,
            Some(Found::Known(known)) => known
                .key
                .decrypt(item.nonce, &item.binding.aad(known.owner), item.ciphertext)
                .map_or(Opened::Corrupt, Opened::Text),
        });
        Ok(opened.collect())
    }
}
