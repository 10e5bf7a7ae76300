//! Which messages speak of a person, so that what is said of one can be sealed with their key and die with it.

use super::context::Context;
use super::envelope::{Envelope, Metadata};
use super::registry::Visitor;
use serde::Deserialize;
use std::collections::BTreeMap;
use uuid::Uuid;

/// What of a message is about people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Personal {
    Nothing,
    /// All of it, about this person.
    Whole(Uuid),
    /// It names people beside other things: an object with a `member` and a `name` says who is called how, and the
    /// same name may stand in any sentence.
    Names,
}

/// Contexts whose texts the program writes itself and in which it may name somebody.
pub const WRITTEN_BY_US: &[&str] = &["operations", "sagas", "planning", "notifications"];

type Tell = fn(&Envelope) -> Personal;

/// Which context to ask about a message.
#[derive(Clone, Debug, Default)]
pub struct People(BTreeMap<&'static str, Tell>);

impl People {
    /// Of all contexts of the program.
    #[must_use]
    pub fn known() -> Self {
        let mut people = Self::default();
        super::contexts(&mut people);
        people
    }

    #[must_use]
    pub fn of(&self, message: &Envelope) -> Personal {
        self.0.get(&*message.context).map_or(Personal::Nothing, |tell| tell(message))
    }
}

impl Visitor for People {
    fn context<C: Context>(&mut self) {
        self.0.insert(C::NAME, C::personal);
    }
}

/// A body with an `id` is about that person; one that adds somebody without an id, about the one it makes.
#[must_use]
pub fn by_id(message: &Envelope) -> Personal {
    #[derive(Deserialize)]
    struct Named {
        #[serde(default)]
        id: Option<Uuid>,
    }
    let id = serde_json::from_str::<Named>(&message.body).ok().and_then(|named| named.id);
    Personal::Whole(id.unwrap_or_else(|| Metadata::of(message).new_id(0)))
}

/// The key of the aggregate is the person's id.
#[must_use]
pub fn by_key(message: &Envelope) -> Personal {
    message.key.uuid().map_or(Personal::Nothing, Personal::Whole)
}
