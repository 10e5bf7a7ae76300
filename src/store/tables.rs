//! What a store consists of, engine by engine the same: each table with its columns, and what of it is replayed.

use std::borrow::Cow;

/// How the name of a read model's table ends while it is built beside the live one, which is neither copied nor hashed.
pub(super) const BEING_BUILT: &str = "__rebuild";

/// What stands in a column, on every engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Integer,
    Text,
    Bytes,
}

/// A table as it is copied and hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub name: Cow<'static, str>,
    pub columns: &'static [(&'static str, Kind)],
    /// So many of the first columns are its primary key, in whose order it is read.
    pub keys: usize,
    /// Part of the replay hash: what the program would do again the same.
    pub replayed: bool,
}

impl Table {
    const fn fixed(
        name: &'static str,
        columns: &'static [(&'static str, Kind)],
        keys: usize,
        replayed: bool,
    ) -> Self {
        Self { name: Cow::Borrowed(name), columns, keys, replayed }
    }

    /// The table of a read model.
    #[must_use]
    pub fn read_model(name: &str) -> Self {
        let columns = &[("key", Text), ("sort", Text), ("search", Text), ("body", Text)];
        Self { name: Cow::Owned(name.to_owned()), columns, keys: 1, replayed: true }
    }
}

use Kind::{Bytes, Integer, Text};

/// Every table but those of read models, the sessions (a copy lets nobody in) and the epoch (its owner's own).
pub const TABLES: &[Table] = &[
    Table::fixed(
        "events",
        &[
            ("position", Integer),
            ("id", Bytes),
            ("kind", Integer),
            ("context", Text),
            ("key", Text),
            ("stream_version", Integer),
            ("type", Text),
            ("schema_version", Integer),
            ("body", Text),
            ("time_us", Integer),
            ("causation_id", Bytes),
            ("correlation_id", Bytes),
            ("trace", Text),
            ("extra", Text),
            ("epoch", Integer),
        ],
        1,
        true,
    ),
    Table::fixed(
        "inbox",
        &[
            ("position", Integer),
            ("context", Text),
            ("attempts", Integer),
            ("available_at_us", Integer),
            ("deadline_us", Integer),
            ("started_generation", Integer),
            ("started_epoch", Integer),
            ("last_error", Text),
            ("crashes", Integer),
        ],
        1,
        true,
    ),
    Table::fixed(
        "outcomes",
        &[
            ("position", Integer),
            ("status", Integer),
            ("first_position", Integer),
            ("last_position", Integer),
            ("answer", Text),
            ("at_us", Integer),
            ("epoch", Integer),
        ],
        1,
        true,
    ),
    Table::fixed(
        "idempotency",
        &[("digest", Bytes), ("body_digest", Bytes), ("message_id", Bytes), ("at_us", Integer)],
        1,
        false,
    ),
    Table::fixed(
        "attempts",
        &[
            ("position", Integer),
            ("attempt", Integer),
            ("cause", Text),
            ("error", Text),
            ("generation", Integer),
            ("epoch", Integer),
            ("at_us", Integer),
        ],
        2,
        false,
    ),
    Table::fixed(
        "dead_letters",
        &[
            ("position", Integer),
            ("reader", Text),
            ("context", Text),
            ("key", Text),
            ("type", Text),
            ("attempts", Integer),
            ("reason", Text),
            ("at_us", Integer),
            ("seen_position", Integer),
            ("holds", Integer),
            ("state", Integer),
            ("body", Text),
            ("raw", Bytes),
            ("settled_us", Integer),
            ("settled_as", Bytes),
            ("note", Text),
        ],
        2,
        true,
    ),
    Table::fixed(
        "timers",
        &[
            ("context", Text),
            ("key", Text),
            ("name", Text),
            ("id", Bytes),
            ("due_us", Integer),
            ("to_context", Text),
            ("to_key", Text),
            ("type", Text),
            ("schema_version", Integer),
            ("body", Text),
            ("causation_id", Bytes),
            ("correlation_id", Bytes),
            ("trace", Text),
            ("extra", Text),
            ("schedule", Text),
        ],
        3,
        true,
    ),
    Table::fixed(
        "effects",
        &[
            ("id", Bytes),
            ("position", Integer),
            ("context", Text),
            ("key", Text),
            ("service", Text),
            ("operation", Text),
            ("request", Text),
            ("recovery", Integer),
            ("state", Integer),
            ("attempt", Integer),
            ("epoch", Integer),
            ("response", Text),
            ("error", Text),
            ("late", Text),
            ("staged_us", Integer),
            ("sent_us", Integer),
            ("ended_us", Integer),
        ],
        1,
        true,
    ),
    Table::fixed(
        "snapshots",
        &[
            ("context", Text),
            ("key", Text),
            ("stream_version", Integer),
            ("state_version", Integer),
            ("body", Text),
            ("code_hash", Integer),
        ],
        2,
        false,
    ),
    Table::fixed(
        "subject_keys",
        &[("subject", Text), ("sealed", Bytes), ("made_us", Integer), ("erased_us", Integer)],
        1,
        false,
    ),
    Table::fixed("checkpoints", &[("reader", Text), ("position", Integer), ("epoch", Integer)], 1, false),
];
