//! A store that seals what speaks of a person with that person's key before it reaches the engine, and opens it when it
//! is read. Who is erased loses the key: what was said of them reads as [`crate::domain::envelope::ERASED`] from then on.

mod folder;
mod keys;
mod scrub;
mod store;
mod texts;

pub use folder::{ERASED_FILE, KEY_FILE, PeopleFolder};
pub use keys::{FolderKey, SubjectKey};

use super::{Change, Checkpoint, Store, StoreError, StoreResult, Timer, Unit};
use crate::clock;
use crate::domain::envelope::{ERASED, Envelope, NOBODY};
use crate::domain::person::{People, Personal};
use crate::fault;
use futures_util::future::BoxFuture;
use keys::{Held, Key, Keyring, of_hex, to_hex};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

pub(super) use scrub::{Hands, scrub};
use texts::{blot_out, escaped};

/// How the stored body of a sealed message begins.
const WHOLE: &str = r#"{"$sealed":"#;
/// And of one in which people are named.
const NAMED: &str = r#"{"$people":"#;

/// What an engine does for the sealing.
pub trait Vault: Store {
    fn subject_keys(&self) -> BoxFuture<'_, StoreResult<Vec<SubjectKey>>>;
    /// Durable on return. A key that is there is left as it is.
    fn put_subject_key(&self, subject: Uuid, sealed: Vec<u8>, made_us: i64)
    -> BoxFuture<'_, StoreResult<()>>;
    /// Id and stored body of every message whose body begins so.
    fn bodies(&self, beginning: String) -> BoxFuture<'_, StoreResult<Vec<(Uuid, String)>>>;
    /// Destroys a key and what is readable of its person outside of read models. Answers how many rows changed.
    fn scrub(&self, scrub: Scrub) -> BoxFuture<'_, StoreResult<u64>>;
}

/// Who goes, and by what they are found elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scrub {
    pub subject: Uuid,
    /// Names and what was written freely.
    pub words: Vec<String>,
    pub now_us: i64,
}

impl Scrub {
    /// How bodies begin that were sealed with the person's key.
    #[must_use]
    pub fn beginning(subject: Uuid) -> String {
        format!("{WHOLE}\"{subject}\"")
    }
}

#[derive(Serialize, Deserialize)]
struct Sealed<'a> {
    #[serde(rename = "$sealed")]
    subject: Uuid,
    text: &'a str,
}

#[derive(Serialize, Deserialize)]
struct Named {
    #[serde(rename = "$people")]
    people: BTreeMap<Uuid, String>,
    body: Box<RawValue>,
}

/// See the module.
pub struct SealedStore {
    inner: Arc<dyn Vault>,
    people: People,
    keys: Keyring,
    folder: PeopleFolder,
    /// By what those who are being erased are found, until they are gone.
    leaving: Mutex<HashMap<Uuid, Vec<String>>>,
}

impl SealedStore {
    /// With the keys of a data folder; carries on with erasures that were cut off there.
    ///
    /// # Errors
    /// When the keys cannot be read, or are not those of this folder.
    pub async fn over(inner: Arc<dyn Vault>, folder: &Path, people: People) -> StoreResult<Self> {
        let sealed = Self::for_reading(inner, folder, people).await?;
        sealed.carry_on().await?;
        Ok(sealed)
    }

    /// Only to look at a store, with the keys of a folder that is not its own.
    ///
    /// # Errors
    /// When the keys cannot be read, or are not those of that folder.
    pub async fn for_reading(inner: Arc<dyn Vault>, folder: &Path, people: People) -> StoreResult<Self> {
        let folder = PeopleFolder::new(folder);
        let stored = inner.subject_keys().await?;
        let is_new = stored.iter().all(|key| key.sealed.is_none());
        let keys = Keyring::new(&folder.key(is_new)?, stored)?;
        Ok(Self { inner, people, keys, folder, leaving: Mutex::default() })
    }

    /// Nothing runs yet, so read models are simply made anew. That the erasures have ended is for the runtime to say.
    async fn carry_on(&self) -> StoreResult<()> {
        let left = self.folder.erased()?.into_iter().filter(|(_, done)| !done);
        let left: Vec<Uuid> = left.map(|(person, _)| person).collect();
        if left.is_empty() {
            return Ok(());
        }
        for person in &left {
            tracing::warn!(%person, "carrying on with an erasure");
            self.leave(*person).await?;
            self.scrub(*person).await?;
        }
        // Let go of before the first is dropped: a source holds its tables.
        let mut source = self.inner.source().await?;
        let tables = source.read_models().await?;
        drop(source);
        for table in tables {
            let checkpoint = Some(Checkpoint { reader: table.clone(), position: 0 });
            let unit = Unit { checkpoint, changes: vec![Change::DropTable { table }], ..Unit::default() };
            self.inner.commit(Arc::new(vec![unit])).await?;
        }
        self.compact_files().await
    }

    async fn compact_files(&self) -> StoreResult<()> {
        self.inner.compact().await?;
        fault::point("erase.compacted");
        Ok(())
    }

    fn leaving(&self) -> MutexGuard<'_, HashMap<Uuid, Vec<String>>> {
        self.leaving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this person was erased.
    #[must_use]
    pub fn was_erased(&self, person: Uuid) -> bool {
        matches!(self.keys.get(person), Some(Held::Erased))
    }

    async fn begin(&self, person: Uuid) -> StoreResult<()> {
        self.folder.note_begun(person)?;
        fault::point("erase.begun");
        self.leave(person).await
    }

    /// Notes by what the person is found while their key is there, and takes it out of memory.
    async fn leave(&self, person: Uuid) -> StoreResult<()> {
        let mut words = Vec::new();
        for (id, body) in self.inner.bodies(Scrub::beginning(person)).await? {
            words.extend(texts::words_of(&self.open_text(id, body)));
        }
        words.extend(self.leaving().remove(&person).unwrap_or_default());
        words.sort();
        words.dedup();
        self.leaving().insert(person, words);
        // Whatever comes from now on is refused, so nothing new needs to be found.
        self.keys.put(person, Held::Erased);
        Ok(())
    }

    /// The key goes together with the words: without it nobody could find them later.
    async fn scrub(&self, person: Uuid) -> StoreResult<u64> {
        let words = self.leaving().get(&person).cloned().unwrap_or_default();
        let scrub = Scrub { subject: person, words, now_us: clock::now().timestamp_micros() };
        let rows = self.inner.scrub(scrub).await?;
        fault::point("erase.scrubbed");
        Ok(rows)
    }

    fn end(&self, person: Uuid) -> StoreResult<()> {
        self.folder.note_done(person)?;
        self.leaving().remove(&person);
        fault::point("erase.done");
        Ok(())
    }

    /// The key of a person, made when there is none.
    async fn key(&self, person: Uuid) -> StoreResult<Held> {
        if let Some(held) = self.keys.get(person) {
            return Ok(held);
        }
        let (key, sealed) = self.keys.new_key(person)?;
        self.inner.put_subject_key(person, sealed, clock::now().timestamp_micros()).await?;
        self.keys.put(person, Held::Key(key.clone()));
        Ok(Held::Key(key))
    }

    fn is_personal(&self, unit: &Unit) -> bool {
        let in_message = |message: &Envelope| self.people.of(message) != Personal::Nothing;
        unit.messages.iter().any(in_message)
            || unit.changes.iter().any(|change| {
                if let Change::SetTimer(timer) = change { in_message(&as_message(timer)) } else { false }
            })
    }

    async fn seal_unit(&self, unit: &mut Unit) -> StoreResult<()> {
        for message in &mut unit.messages {
            if let Some(body) = self.sealed(message).await? {
                message.body = body;
            }
        }
        for change in &mut unit.changes {
            if let Change::SetTimer(timer) = change
                && let Some(body) = self.sealed(&as_message(timer)).await?
            {
                timer.body = body;
            }
        }
        Ok(())
    }

    /// The body as it is stored, when that is not as it is.
    async fn sealed(&self, message: &Envelope) -> StoreResult<Option<String>> {
        match self.people.of(message) {
            Personal::Nothing => Ok(None),
            Personal::Whole(person) => match self.key(person).await? {
                Held::Erased => Err(StoreError::Refused(format!("the person {person} was erased"))),
                Held::Key(key) => {
                    let text = seal(&key, message.id, &message.body)?;
                    json(&Sealed { subject: person, text: &text }).map(Some)
                }
            },
            Personal::Names => self.without_names(message).await,
        }
    }

    async fn without_names(&self, message: &Envelope) -> StoreResult<Option<String>> {
        // What is no JSON names nobody that could be found.
        let Ok(mut body) = serde_json::from_str(&message.body) else { return Ok(None) };
        let names = texts::names(&body);
        if names.is_empty() {
            return Ok(None);
        }
        texts::take_out(&mut body, &names);
        let mut people = BTreeMap::new();
        for (person, name) in names {
            let sealed = match self.key(person).await? {
                Held::Erased => String::new(),
                Held::Key(key) => seal(&key, message.id, &name)?,
            };
            people.insert(person, sealed);
        }
        let body = RawValue::from_string(body.to_string()).map_err(refused)?;
        json(&Named { people, body }).map(Some)
    }

    fn open(&self, mut message: Envelope) -> Envelope {
        message.body = self.open_text(message.id, message.body);
        message
    }

    /// A body as it was before it was sealed. What does not open stays as it is, and will not decode.
    fn open_text(&self, id: Uuid, body: String) -> String {
        if body.starts_with(WHOLE) {
            let Ok(Sealed { subject, text }) = serde_json::from_str(&body) else { return body };
            return match self.keys.get(subject) {
                Some(Held::Key(key)) => unseal(&key, id, text).unwrap_or(body),
                Some(Held::Erased) | None => ERASED.to_owned(),
            };
        }
        if body.starts_with(NAMED) {
            let Ok(Named { people, body }) = serde_json::from_str(&body) else { return body };
            let names = people.into_iter().map(|(person, sealed)| {
                let name = match self.keys.get(person) {
                    Some(Held::Key(key)) => unseal(&key, id, &sealed),
                    Some(Held::Erased) | None => None,
                };
                (person, name.unwrap_or_else(|| NOBODY.to_owned()))
            });
            return texts::put_in(body.get(), names);
        }
        body
    }
}

/// A timer as the message that it becomes.
fn as_message(timer: &Timer) -> Envelope {
    let key = timer.to_key.clone().unwrap_or_else(|| timer.id.to_string().into());
    let to = crate::domain::envelope::Address { context: timer.to_context.clone(), key };
    Envelope::command(&to, &timer.type_name, timer.body.clone(), timer.id, clock::now())
}

fn seal(key: &Key, id: Uuid, text: &str) -> StoreResult<String> {
    Ok(to_hex(&key.seal(id.as_bytes(), text.as_bytes())?))
}

fn unseal(key: &Key, id: Uuid, hex: &str) -> Option<String> {
    String::from_utf8(key.open(id.as_bytes(), &of_hex(hex)?)?).ok()
}

fn json(value: &impl Serialize) -> StoreResult<String> {
    serde_json::to_string(value).map_err(refused)
}

fn refused(error: serde_json::Error) -> StoreError {
    StoreError::Refused(error.to_string())
}
