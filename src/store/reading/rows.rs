//! Rows of read models.

use super::{Columns, Reader, Value};
use crate::store::{RowCursor, RowPage, RowQuery, StoreResult};
use sqlx::{AssertSqlSafe, SqlSafeStr};

pub(in crate::store) async fn by_key<R: Reader>(
    reader: &R,
    table: String,
    keys: Vec<String>,
) -> StoreResult<Vec<(String, String)>> {
    let sql = (R::TEXTS.rows_by_key)(&R::table(&table));
    let rows = reader.fetch(AssertSqlSafe(sql).into_sql_str(), vec![Value::Texts(Some(keys))]).await?;
    rows.iter().map(|row| Ok((row.string(0)?, row.string(1)?))).collect()
}

pub(in crate::store) async fn page<R: Reader>(
    reader: &R,
    table: String,
    query: RowQuery,
) -> StoreResult<RowPage> {
    let sql = (R::TEXTS.page_of_rows)(&R::table(&table));
    let words: Vec<String> = query.words.iter().map(|word| word.to_lowercase()).collect();
    let (sort, key) = query.after.map(|after| (after.sort, after.key)).unzip();
    let values =
        vec![sort.into(), key.into(), Value::Texts(Some(words)), (i64::from(query.limit) + 1).into()];
    let rows = reader.fetch(AssertSqlSafe(sql).into_sql_str(), values).await?;
    let mut page = RowPage::default();
    let limit = query.limit as usize;
    for row in rows.iter().take(limit) {
        page.rows.push((row.string(1)?, row.string(2)?));
    }
    if rows.len() > limit
        && let Some(last) = rows.get(limit.wrapping_sub(1))
    {
        page.next = Some(RowCursor { sort: last.string(0)?, key: last.string(1)? });
    }
    Ok(page)
}
