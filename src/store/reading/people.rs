//! What the sealing of people's messages reads.

use super::{Columns, Reader, damaged, fetch};
use crate::store::StoreResult;
use crate::store::sealed::SubjectKey;
use uuid::Uuid;

pub(in crate::store) async fn subject_keys<R: Reader>(reader: &R) -> StoreResult<Vec<SubjectKey>> {
    const SQL: &str = "SELECT subject, sealed FROM subject_keys ORDER BY subject";
    let rows = fetch(reader, SQL, Vec::new()).await?;
    rows.iter()
        .map(|row| {
            let subject = Uuid::parse_str(&row.text(0)?).map_err(damaged)?;
            Ok(SubjectKey { subject, sealed: row.maybe_bytes(1)?.map(<[u8]>::to_vec) })
        })
        .collect()
}

/// Id and body of every message whose body begins so.
pub(in crate::store) async fn bodies<R: Reader>(
    reader: &R,
    beginning: String,
) -> StoreResult<Vec<(Uuid, String)>> {
    const SQL: &str = "SELECT id, body FROM events WHERE substr(body, 1, length($1)) = $1 ORDER BY position";
    let rows = fetch(reader, SQL, vec![beginning.into()]).await?;
    rows.iter().map(|row| Ok((row.uuid(0)?, row.string(1)?))).collect()
}
