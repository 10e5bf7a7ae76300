//! The replay hash: one number for everything that a store would tell again, the same on every engine.

use super::StoreResult;
use super::copy::{Cell, PAGE, Source};
use super::tables::{TABLES, Table};
use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// SHA-256 over rows in the order they are added; each value with its kind and length, so that no two lists of rows
/// read the same.
pub struct RowHash {
    context: Context,
    rows: u64,
}

impl Default for RowHash {
    fn default() -> Self {
        Self { context: Context::new(&SHA256), rows: 0 }
    }
}

impl RowHash {
    pub fn add(&mut self, row: &[Cell]) {
        self.rows += 1;
        self.context.update(&(row.len() as u64).to_be_bytes());
        for cell in row {
            match cell {
                Cell::Null => self.value(0, &[]),
                Cell::Integer(number) => self.value(1, &number.to_be_bytes()),
                Cell::Text(text) => self.value(2, text.as_bytes()),
                Cell::Bytes(bytes) => self.value(3, bytes),
            }
        }
    }

    fn value(&mut self, kind: u8, bytes: &[u8]) {
        self.context.update(&[kind]);
        self.context.update(&(bytes.len() as u64).to_be_bytes());
        self.context.update(bytes);
    }

    /// Rows so far and their hash in hex.
    #[must_use]
    pub fn finish(self) -> (u64, String) {
        (self.rows, hex(self.context.finish().as_ref()))
    }
}

/// The rows of one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableHash {
    pub table: String,
    pub rows: u64,
    pub sha256: String,
}

/// What a store would tell again: its hash, and that of each table for finding out where two differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayHash {
    pub sha256: String,
    pub tables: Vec<TableHash>,
}

impl ReplayHash {
    /// Of tables in any order.
    #[must_use]
    pub fn of(mut tables: Vec<TableHash>) -> Self {
        tables.sort_by(|a, b| a.table.cmp(&b.table));
        let mut all = RowHash::default();
        for table in &tables {
            let rows = i64::try_from(table.rows).unwrap_or(i64::MAX);
            all.add(&[
                Cell::Text(table.table.clone()),
                Cell::Integer(rows),
                Cell::Text(table.sha256.clone()),
            ]);
        }
        Self { sha256: all.finish().1, tables }
    }

    /// A line for each table that is not the same in both.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let find =
            |hash: &Self, name: &str| hash.tables.iter().find(|table| table.table == name).map(|t| t.rows);
        let mut names: Vec<&str> = self.tables.iter().chain(&other.tables).map(|t| &*t.table).collect();
        names.sort_unstable();
        names.dedup();
        let same = |name: &&str| {
            other.tables.iter().any(|t| t.table == **name && self.tables.iter().any(|s| s == t))
        };
        names.retain(|name| !same(name));
        let rows = |found: Option<u64>| found.map_or("no table".to_owned(), |rows| format!("{rows} rows"));
        let line =
            |name: &&str| format!("{name}: {} against {}", rows(find(self, name)), rows(find(other, name)));
        names.iter().map(line).collect()
    }
}

/// Hashes everything that is replayed. The source must not change meanwhile.
///
/// # Errors
/// When it cannot be read.
pub async fn replay_hash(source: &mut dyn Source) -> StoreResult<ReplayHash> {
    let mut tables: Vec<Table> = TABLES.iter().filter(|table| table.replayed).cloned().collect();
    tables.extend(source.read_models().await?.iter().map(|name| Table::read_model(name)));
    let mut hashes = Vec::with_capacity(tables.len());
    for table in tables {
        hashes.push(table_hash(source, &table).await?);
    }
    Ok(ReplayHash::of(hashes))
}

async fn table_hash(source: &mut dyn Source, table: &Table) -> StoreResult<TableHash> {
    let mut hash = RowHash::default();
    let mut after: Option<Vec<Cell>> = None;
    loop {
        let rows = source.page(table, after.as_deref(), PAGE).await?;
        for row in &rows {
            hash.add(row);
        }
        let Some(last) = rows.last() else { break };
        after = Some(last.iter().take(table.keys).cloned().collect());
    }
    let (rows, sha256) = hash.finish();
    Ok(TableHash { table: table.name.to_string(), rows, sha256 })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(rows: &[Vec<Cell>]) -> String {
        let mut hash = RowHash::default();
        rows.iter().for_each(|row| hash.add(row));
        hash.finish().1
    }

    #[test]
    fn no_two_lists_of_rows_read_the_same() {
        let text = |text: &str| Cell::Text(text.to_owned());
        let different = [
            hash(&[vec![text("ab"), text("c")]]),
            hash(&[vec![text("a"), text("bc")]]),
            hash(&[vec![text("ab")], vec![text("c")]]),
            hash(&[vec![Cell::Bytes(b"ab".to_vec()), text("c")]]),
            hash(&[vec![text("ab"), text("c"), Cell::Null]]),
            hash(&[vec![text(""), text("c")]]),
            hash(&[vec![Cell::Null, text("c")]]),
            hash(&[vec![Cell::Integer(1)]]),
            hash(&[]),
        ];
        let distinct: std::collections::BTreeSet<_> = different.iter().collect();
        assert_eq!(distinct.len(), different.len());
        assert_eq!(hash(&[]), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn differences_name_the_tables() {
        let table = |name: &str, rows, sum: &str| TableHash { table: name.into(), rows, sha256: sum.into() };
        let one = ReplayHash::of(vec![table("a", 1, "x"), table("b", 2, "y"), table("c", 3, "z")]);
        let other = ReplayHash::of(vec![table("c", 3, "z"), table("b", 2, "q")]);
        assert_ne!(one.sha256, other.sha256);
        assert_eq!(one.differences(&other), ["a: 1 rows against no table", "b: 2 rows against 2 rows"]);
        let shuffled = ReplayHash::of(vec![table("c", 3, "z"), table("a", 1, "x"), table("b", 2, "y")]);
        assert_eq!(one, shuffled);
    }
}
