//! Rows of read models, over the read-only pool.

use crate::store::{RowCursor, RowPage, RowQuery, StoreResult};
use sqlx::{AssertSqlSafe, Row, SqlitePool};

pub(super) async fn by_key(
    pool: &SqlitePool,
    table: String,
    keys: Vec<String>,
) -> StoreResult<Vec<(String, String)>> {
    let sql = format!(
        "SELECT t.key, t.body FROM json_each(?1) AS k JOIN \"{table}\" AS t ON t.key = k.value ORDER BY k.key"
    );
    let asked = serde_json::json!(keys).to_string();
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(asked).fetch_all(pool).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

pub(super) async fn page(pool: &SqlitePool, table: String, query: RowQuery) -> StoreResult<RowPage> {
    let sql = format!(
        "SELECT sort, key, body FROM \"{table}\"
         WHERE (?1 IS NULL OR (sort, key) > (?1, ?2))
           AND NOT EXISTS (SELECT 1 FROM json_each(?3) AS w WHERE instr(search, w.value) = 0)
         ORDER BY sort, key LIMIT ?4"
    );
    let words: Vec<String> = query.words.iter().map(|word| word.to_lowercase()).collect();
    let (sort, key) = query.after.map_or((None, None), |after| (Some(after.sort), Some(after.key)));
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(sort)
        .bind(key)
        .bind(serde_json::json!(words).to_string())
        .bind(i64::from(query.limit) + 1)
        .fetch_all(pool)
        .await?;
    let mut page = RowPage::default();
    let limit = query.limit as usize;
    for row in rows.iter().take(limit) {
        page.rows.push((row.try_get(1)?, row.try_get(2)?));
    }
    if rows.len() > limit
        && let Some(last) = rows.get(limit.wrapping_sub(1))
    {
        page.next = Some(RowCursor { sort: last.try_get(0)?, key: last.try_get(1)? });
    }
    Ok(page)
}
