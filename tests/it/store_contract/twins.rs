//! The engines' migrations are twins: the same files, tables, columns in the same order, nullability, keys and indexes.

use crate::support::place::{self, Engine as _, PostgresDatabase, SqliteFolder};
use crate::support::postgres;
use sqlx::Row;
use std::collections::BTreeMap;

/// Name, type, whether nothing may stand in it, and its place in the primary key.
type Column = (String, String, bool, i64);

/// Columns of each table, and each index with its columns.
#[derive(Debug, Default, PartialEq)]
struct Schema {
    tables: BTreeMap<String, Vec<Column>>,
    indexes: BTreeMap<String, (bool, String)>,
}

async fn of_sqlite(folder: &SqliteFolder) -> Schema {
    const TABLES: &str = "
        SELECT m.name, c.name, c.type, c.\"notnull\" OR c.pk > 0, c.pk
        FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE '%sqlx%' ORDER BY m.name, c.cid";
    const INDEXES: &str = "
        SELECT l.name, l.\"unique\", (SELECT group_concat(name) FROM (SELECT name FROM pragma_index_info(l.name) ORDER BY seqno))
        FROM sqlite_schema AS m JOIN pragma_index_list(m.name) AS l WHERE l.origin = 'c'";
    let mut hands = folder.hands().await;
    let mut schema = Schema::default();
    for row in sqlx::query(TABLES).fetch_all(&mut hands).await.unwrap() {
        let column = (row.get(1), row.get(2), row.get(3), row.get(4));
        schema.tables.entry(row.get(0)).or_default().push(column);
    }
    for row in sqlx::query(INDEXES).fetch_all(&mut hands).await.unwrap() {
        schema.indexes.insert(row.get(0), (row.get(1), row.get(2)));
    }
    schema
}

async fn of_postgres(database: &PostgresDatabase) -> Schema {
    const TABLES: &str = "
        SELECT c.table_name::text, c.column_name::text,
               CASE c.data_type WHEN 'bigint' THEN 'INTEGER' WHEN 'text' THEN 'TEXT' WHEN 'bytea' THEN 'BLOB'
                                ELSE c.data_type END,
               c.is_nullable = 'NO',
               coalesce(array_position(i.indkey::smallint[], c.ordinal_position::smallint) + 1, 0)::bigint
        FROM information_schema.columns AS c
        JOIN pg_class AS t ON t.relname = c.table_name AND t.relnamespace = 'store'::regnamespace
        LEFT JOIN pg_index AS i ON i.indrelid = t.oid AND i.indisprimary
        WHERE c.table_schema = 'store' AND c.table_name NOT LIKE '%sqlx%'
        ORDER BY c.table_name, c.ordinal_position";
    const INDEXES: &str = "
        SELECT n.relname::text, i.indisunique,
               (SELECT string_agg(a.attname, ',' ORDER BY a.attnum) FROM pg_attribute AS a WHERE a.attrelid = n.oid)
        FROM pg_index AS i JOIN pg_class AS n ON n.oid = i.indexrelid
        WHERE n.relnamespace = 'store'::regnamespace
          AND NOT EXISTS (SELECT 1 FROM pg_constraint AS k WHERE k.conindid = n.oid)";
    let mut hands = database.hands().await;
    let mut schema = Schema::default();
    for row in sqlx::query(TABLES).fetch_all(&mut hands).await.unwrap() {
        let column = (row.get(1), row.get(2), row.get(3), row.get(4));
        schema.tables.entry(row.get(0)).or_default().push(column);
    }
    for row in sqlx::query(INDEXES).fetch_all(&mut hands).await.unwrap() {
        schema.indexes.insert(row.get(0), (row.get(1), row.get(2)));
    }
    schema
}

#[tokio::test]
async fn both_engines_have_the_same_tables() {
    use place::Place as _;
    if !place::Postgres::is_there("both_engines_have_the_same_tables") {
        return;
    }
    let folder = SqliteFolder(tempfile::tempdir().unwrap());
    folder.open().await.unwrap().close().await.unwrap();
    let database = postgres::fresh_database().await;
    database.open().await.unwrap().close().await.unwrap();
    let (sqlite, postgres) = (of_sqlite(&folder).await, of_postgres(&database).await);
    assert!(sqlite.tables.len() > 10 && sqlite.indexes.len() > 4, "{sqlite:?}");
    assert_eq!(sqlite, postgres);
}

#[test]
fn both_engines_have_the_same_migrations() {
    let names = |engine: &str| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(engine);
        let mut names: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names("sqlite"), names("postgres"));
}
