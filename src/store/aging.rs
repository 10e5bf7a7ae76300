//! What is forgotten with age: the same statements for every engine.

use super::Aged;

/// Deletes at most `$2` rows that are older than `$1`.
pub(in crate::store) fn forget_sql(what: Aged) -> &'static str {
    match what {
        Aged::Attempts => {
            "DELETE FROM attempts WHERE (position, attempt) IN (
                 SELECT a.position, a.attempt FROM attempts AS a
                 WHERE a.at_us < $1 AND NOT EXISTS (SELECT 1 FROM inbox AS i WHERE i.position = a.position)
                   AND NOT EXISTS (SELECT 1 FROM dead_letters AS d WHERE d.position = a.position AND d.state = 0)
                 LIMIT $2)"
        }
        Aged::Effects => {
            "DELETE FROM effects WHERE id IN (
                 SELECT e.id FROM effects AS e WHERE e.state IN (2, 3) AND e.ended_us < $1
                   AND NOT EXISTS (SELECT 1 FROM inbox AS i WHERE i.position = e.position)
                   AND NOT EXISTS (
                       SELECT 1 FROM dead_letters AS d WHERE d.position = e.position AND d.state = 0)
                   AND NOT EXISTS (
                       SELECT 1 FROM dead_letters AS d JOIN events AS m ON m.id = d.settled_as
                       JOIN inbox AS i ON i.position = m.position WHERE d.position = e.position)
                 LIMIT $2)"
        }
        Aged::Outcomes => {
            "DELETE FROM outcomes WHERE position IN (
                 SELECT o.position FROM outcomes AS o WHERE o.at_us < $1 AND o.status <> 2
                   AND NOT EXISTS (SELECT 1 FROM idempotency AS k JOIN events AS e ON e.id = k.message_id
                                   WHERE e.position = o.position) LIMIT $2)"
        }
        Aged::Idempotency => {
            "DELETE FROM idempotency WHERE digest IN (
                 SELECT digest FROM idempotency WHERE at_us < $1 ORDER BY at_us LIMIT $2)"
        }
        Aged::DeadLetters => {
            "DELETE FROM dead_letters WHERE (position, reader) IN (
                 SELECT position, reader FROM dead_letters WHERE state <> 0 AND settled_us < $1 LIMIT $2)"
        }
        Aged::Sessions => {
            "DELETE FROM sessions WHERE digest IN (SELECT digest FROM sessions WHERE expires_us < $1 LIMIT $2)"
        }
    }
}
