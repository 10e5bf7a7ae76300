//! Keys: one of the data folder, and one a person, which is kept sealed with the first.

use crate::store::{StoreError, StoreResult};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, PoisonError, RwLock};
use uuid::Uuid;

const KEY_LEN: usize = 32;

/// One key, ready for use. ChaCha20-Poly1305 with a random nonce before what it seals.
pub(super) struct Key(LessSafeKey);

impl Key {
    fn new(bytes: &[u8; KEY_LEN]) -> StoreResult<Self> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, bytes);
        key.map(|key| Self(LessSafeKey::new(key))).map_err(|_| no_randomness())
    }

    /// `about`: what it belongs to, so that it cannot be put in another place.
    pub(super) fn seal(&self, about: &[u8], bytes: &[u8]) -> StoreResult<Vec<u8>> {
        let nonce: [u8; NONCE_LEN] = random()?;
        let mut sealed = bytes.to_vec();
        let nonce_used = Nonce::assume_unique_for_key(nonce);
        self.0
            .seal_in_place_append_tag(nonce_used, Aad::from(about), &mut sealed)
            .map_err(|_| no_randomness())?;
        sealed.splice(0..0, nonce);
        Ok(sealed)
    }

    /// `None`: it was not sealed with this key, or not for this place.
    pub(super) fn open(&self, about: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut bytes = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = self.0.open_in_place(nonce, Aad::from(about), &mut bytes).ok()?.len();
        bytes.truncate(length);
        Some(bytes)
    }
}

/// Of the data folder: without it nothing that is sealed can be read.
pub struct FolderKey([u8; KEY_LEN]);

impl FolderKey {
    /// # Errors
    /// When the system has no randomness.
    pub fn new() -> StoreResult<Self> {
        random().map(Self)
    }

    /// As it was written by [`FolderKey::to_hex`].
    #[must_use]
    pub fn of_hex(text: &str) -> Option<Self> {
        of_hex(text.trim())?.try_into().ok().map(Self)
    }

    #[must_use]
    pub fn to_hex(&self) -> String {
        to_hex(&self.0)
    }
}

/// A person's key as it is stored; `None`: the person was erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectKey {
    pub subject: Uuid,
    pub sealed: Option<Vec<u8>>,
}

#[derive(Clone)]
pub(super) enum Held {
    Key(Arc<Key>),
    Erased,
}

/// The keys of everybody.
pub(super) struct Keyring {
    folder: Key,
    held: RwLock<HashMap<Uuid, Held>>,
}

impl Keyring {
    /// # Errors
    /// When the folder's key is not the one that these were sealed with.
    pub(super) fn new(folder: &FolderKey, stored: Vec<SubjectKey>) -> StoreResult<Self> {
        let folder = Key::new(&folder.0)?;
        let mut held = HashMap::new();
        for SubjectKey { subject, sealed } in stored {
            let key = match sealed {
                None => Held::Erased,
                Some(sealed) => {
                    let bytes = folder.open(subject.as_bytes(), &sealed);
                    let bytes = bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(wrong_folder_key)?;
                    Held::Key(Arc::new(Key::new(&bytes)?))
                }
            };
            held.insert(subject, key);
        }
        Ok(Self { folder, held: RwLock::new(held) })
    }

    pub(super) fn get(&self, subject: Uuid) -> Option<Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).get(&subject).cloned()
    }

    /// A new key, and how it is to be stored before it is used.
    pub(super) fn new_key(&self, subject: Uuid) -> StoreResult<(Arc<Key>, Vec<u8>)> {
        let bytes: [u8; KEY_LEN] = random()?;
        Ok((Arc::new(Key::new(&bytes)?), self.folder.seal(subject.as_bytes(), &bytes)?))
    }

    pub(super) fn put(&self, subject: Uuid, held: Held) {
        self.held.write().unwrap_or_else(PoisonError::into_inner).insert(subject, held);
    }
}

fn random<const N: usize>() -> StoreResult<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| no_randomness())?;
    Ok(bytes)
}

fn no_randomness() -> StoreError {
    StoreError::Unavailable("the system has no randomness".to_owned())
}

fn wrong_folder_key() -> StoreError {
    StoreError::Unusable {
        message: "people.key is not the key that this store was written with".to_owned(),
        hint: "put the people.key of the folder that the store or backup came from into the data folder"
            .to_owned(),
    }
}

pub(super) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(super) fn of_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = digits.as_chunks::<2>();
    if !pairs.1.is_empty() {
        return None;
    }
    pairs.0.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_its_key_in_its_place_only() {
        let ring = Keyring::new(&FolderKey::new().unwrap(), Vec::new()).unwrap();
        let (key, _) = ring.new_key(Uuid::nil()).unwrap();
        let (other, _) = ring.new_key(Uuid::nil()).unwrap();
        let sealed = key.seal(b"here", b"secret").unwrap();
        assert!(!sealed.windows(6).any(|six| six == b"secret"));
        assert_eq!(key.open(b"here", &sealed).unwrap(), b"secret");
        assert_eq!(key.open(b"there", &sealed), None);
        assert_eq!(other.open(b"here", &sealed), None);
        let mut changed = sealed.clone();
        changed[20] ^= 1;
        assert_eq!(key.open(b"here", &changed), None);
        assert_ne!(key.seal(b"here", b"secret").unwrap(), sealed);
    }

    #[test]
    fn another_folders_key_is_noticed() {
        let folder = FolderKey::new().unwrap();
        let ring = Keyring::new(&folder, Vec::new()).unwrap();
        let (_, sealed) = ring.new_key(Uuid::nil()).unwrap();
        let stored = vec![SubjectKey { subject: Uuid::nil(), sealed: Some(sealed) }];
        let again = FolderKey::of_hex(&folder.to_hex()).unwrap();
        assert!(Keyring::new(&again, stored.clone()).is_ok());
        assert!(Keyring::new(&FolderKey::new().unwrap(), stored).is_err());
    }

    #[test]
    fn hex_goes_there_and_back() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(of_hex(&to_hex(&bytes)).unwrap(), bytes);
        assert_eq!(of_hex("0"), None);
        assert_eq!(of_hex("0g"), None);
    }
}
