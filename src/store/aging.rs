//! What is forgotten with age: the same statements for every engine.

use super::Aged;

/// The end of each: `$2` rows for the owner of the store, whose epoch is `$3`, and none for whoever was it before. Asked
/// in the statement that deletes, so that nobody can take over in between.
macro_rules! forget {
    ($sql:literal) => {
        concat!(
            $sql,
            " LIMIT (SELECT CASE WHEN max(p.epoch) = $3 THEN $2 ELSE 0 END FROM process_epoch AS p))"
        )
    };
}

/// Deletes at most `$2` rows that are older than `$1`, while `$3` is the epoch.
pub(in crate::store) fn forget_sql(what: Aged) -> &'static str {
    match what {
        Aged::Attempts => forget!("DELETE FROM attempts WHERE (position, attempt) IN (
                 SELECT a.position, a.attempt FROM attempts AS a
                 WHERE a.at_us < $1 AND NOT EXISTS (SELECT 1 FROM inbox AS i WHERE i.position = a.position)
                   AND NOT EXISTS (SELECT 1 FROM dead_letters AS d WHERE d.position = a.position AND d.state = 0)"),
        Aged::Effects => forget!("DELETE FROM effects WHERE id IN (
                 SELECT e.id FROM effects AS e WHERE e.state IN (2, 3) AND e.ended_us < $1
                   AND NOT EXISTS (SELECT 1 FROM inbox AS i WHERE i.position = e.position)
                   AND NOT EXISTS (
                       SELECT 1 FROM dead_letters AS d WHERE d.position = e.position AND d.state = 0)
                   AND NOT EXISTS (
                       SELECT 1 FROM dead_letters AS d JOIN events AS m ON m.id = d.settled_as
                       JOIN inbox AS i ON i.position = m.position WHERE d.position = e.position)"),
        Aged::Outcomes => forget!("DELETE FROM outcomes WHERE position IN (
                 SELECT o.position FROM outcomes AS o WHERE o.at_us < $1 AND o.status <> 2
                   AND NOT EXISTS (SELECT 1 FROM idempotency AS k JOIN events AS e ON e.id = k.message_id
                                   WHERE e.position = o.position)"),
        Aged::Idempotency => forget!("DELETE FROM idempotency WHERE digest IN (
                 SELECT digest FROM idempotency WHERE at_us < $1 ORDER BY at_us"),
        Aged::DeadLetters => forget!("DELETE FROM dead_letters WHERE (position, reader) IN (
                 SELECT position, reader FROM dead_letters WHERE state <> 0 AND settled_us < $1"),
        Aged::Sessions => forget!("DELETE FROM sessions WHERE digest IN (SELECT digest FROM sessions WHERE expires_us < $1"),
    }
}
