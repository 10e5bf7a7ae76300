//! What is read of a store, written once for every engine: the statements, and what is made of their rows.
//!
//! An engine says how a statement is put to it, how a column is read, and the few texts that only it understands.

mod desk;
mod envelope;
mod messages;
mod people;
mod rows;

pub(super) use desk::{attempts, dead_letters, effects, held_keys, timers};
pub(super) use envelope::{columns, damaged};
pub(super) use messages::{
    checkpoint, command_ends, idempotency, last_position, message, messages_after, range, session_expiry,
    stream_after, streams, waiting, waiting_counts,
};
pub(super) use people::{bodies, subject_keys};
pub(super) use rows::{by_key, page};

use super::copy::Source;
use super::{StoreError, StoreResult};
use futures_util::future::BoxFuture;
use sqlx::{SqlSafeStr, SqlStr};
use std::borrow::Cow;
use uuid::Uuid;

/// Where an engine is read: statements with values in, rows out.
pub trait Reader: Send + Sync + 'static {
    type Row: Columns + Send + Sync + 'static;
    /// Its name in logs and benchmarks.
    const NAME: &'static str;
    const TEXTS: Texts;

    /// How a statement names the table of a read model.
    fn table(name: &str) -> String;
    /// What is made of each row, while the ones after it are still on their way.
    fn fetch_as<T: Send + 'static>(
        &self,
        sql: SqlStr,
        values: Vec<Value>,
        read: fn(Self::Row) -> StoreResult<T>,
    ) -> BoxFuture<'_, StoreResult<Vec<T>>>;
    fn fetch(&self, sql: SqlStr, values: Vec<Value>) -> BoxFuture<'_, StoreResult<Vec<Self::Row>>> {
        self.fetch_as(sql, values, Ok)
    }
    /// Everything at this moment.
    fn source(&self) -> BoxFuture<'_, StoreResult<Box<dyn Source>>> {
        Box::pin(async { Err(StoreError::Unavailable("this engine cannot be copied".to_owned())) })
    }
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// Statements that engines write differently.
pub struct Texts {
    /// `$1` after, `$2` to, `$3` kind, `$4` contexts, `$5` type, `$6` key, `$7` correlation, `$8` trace, `$9` limit.
    pub messages_after: &'static str,
    /// `$1` context, `$2` keys, `$3` state version, `$4` code hash: index of the key, stream version, body.
    pub snapshots: &'static str,
    /// `$1` context, `$2` keys, each with a stream version: the later events, with the index of the key last.
    pub events_of: &'static str,
    /// `$1` keys of the given table: key and body.
    pub rows_by_key: fn(table: &str) -> String,
    /// `$1` sort and `$2` key of the row before, `$3` words, `$4` limit: sort, key and body.
    pub page_of_rows: fn(table: &str) -> String,
}

/// One value of a statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Integer(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
    Texts(Option<Vec<String>>),
    /// Texts, each with a number; the last value of its statement.
    Pairs(Vec<(String, i64)>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(Some(value))
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Integer(Some(value.into()))
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Integer(value)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}

impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}

impl From<Option<Uuid>> for Value {
    fn from(id: Option<Uuid>) -> Self {
        Self::Bytes(id.map(|id| id.as_bytes().to_vec()))
    }
}

impl From<[u8; 32]> for Value {
    fn from(digest: [u8; 32]) -> Self {
        Self::Bytes(Some(digest.to_vec()))
    }
}

/// A row of an engine, column by column. An error is one of the row: it does not hold what belongs there.
pub trait Columns {
    /// # Errors
    /// When the column holds something else.
    fn maybe_integer(&self, column: usize) -> StoreResult<Option<i64>>;
    /// # Errors
    /// When the column holds something else.
    fn maybe_text(&self, column: usize) -> StoreResult<Option<Cow<'_, str>>>;
    /// # Errors
    /// When the column holds something else.
    fn maybe_bytes(&self, column: usize) -> StoreResult<Option<&[u8]>>;
    /// What stands in a column of text, whether it is text or not.
    fn as_it_stands(&self, column: usize) -> Vec<u8>;

    /// # Errors
    /// When the column holds something else, or nothing.
    fn integer(&self, column: usize) -> StoreResult<i64> {
        self.maybe_integer(column)?.ok_or_else(|| damaged("a number is missing"))
    }

    /// # Errors
    /// When the column holds something else, or nothing.
    fn text(&self, column: usize) -> StoreResult<Cow<'_, str>> {
        self.maybe_text(column)?.ok_or_else(|| damaged("a text is missing"))
    }

    /// # Errors
    /// When the column holds something else.
    fn maybe_string(&self, column: usize) -> StoreResult<Option<String>> {
        Ok(self.maybe_text(column)?.map(Cow::into_owned))
    }

    /// # Errors
    /// When the column holds something else, or nothing.
    fn string(&self, column: usize) -> StoreResult<String> {
        Ok(self.text(column)?.into_owned())
    }

    /// # Errors
    /// When the column holds something else.
    fn maybe_uuid(&self, column: usize) -> StoreResult<Option<Uuid>> {
        self.maybe_bytes(column)?.map(|bytes| Uuid::from_slice(bytes).map_err(damaged)).transpose()
    }

    /// # Errors
    /// When the column holds something else, or nothing.
    fn uuid(&self, column: usize) -> StoreResult<Uuid> {
        self.maybe_uuid(column)?.ok_or_else(|| damaged("an id is missing"))
    }

    /// A count, which is never negative.
    ///
    /// # Errors
    /// When the column holds something else, or nothing.
    fn count(&self, column: usize) -> StoreResult<u32> {
        self.integer(column).map(count)
    }
}

fn count(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// A statement that is the same for every engine.
async fn fetch<R: Reader>(reader: &R, sql: &'static str, values: Vec<Value>) -> StoreResult<Vec<R::Row>> {
    reader.fetch(sql.into_sql_str(), values).await
}
