//! How a store is brought up to date, the same way for every engine.

use super::StoreError;
use sqlx::SqlSafeStr;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};

/// Version, name and text of one migration.
pub(super) type Listed = (i64, &'static str, &'static str);

/// Takes no lock of its own: whoever migrates owns the store.
pub(super) fn migrator(listed: &[Listed]) -> Migrator {
    let migrations = listed.iter().map(|(version, name, sql)| {
        Migration::new(*version, (*name).into(), MigrationType::Simple, (*sql).into_sql_str(), false)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    migrator.set_locking(false);
    migrator
}

/// Why migrations did not run: the database's own trouble, or a history that is not ours.
pub(super) fn not_migrated(error: MigrateError) -> StoreError {
    let history = error.to_string();
    if let MigrateError::VersionMissing(version) = error {
        return StoreError::Unusable {
            message: format!(
                "a newer meal-planner has written this store (its schema has version {version})"
            ),
            hint: "run that version or a later one; nothing was changed".to_owned(),
        };
    }
    if let MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) = error
        && let trouble @ (StoreError::Unavailable(_) | StoreError::Unusable { .. }) = error.into()
    {
        return trouble;
    }
    StoreError::Unusable {
        message: format!("the database cannot be brought up to date: {history}"),
        hint: "if another program or version has written it, use that one; else restore a backup: \
               meal-planner restore"
            .to_owned(),
    }
}

/// Whether a copy has begun to fill it and not ended.
pub(super) const UNFINISHED_SQL: &str = "SELECT EXISTS (SELECT 1 FROM copying)";

/// What a copy has begun to fill is no store before the copy has ended.
pub(super) fn unfinished() -> StoreError {
    StoreError::Unusable {
        message: "this store is the unfinished target of a copy".to_owned(),
        hint: "delete its meal-planner.db (of PostgreSQL: drop the database and make it anew) and copy again; what was \
               copied from is as it was"
            .to_owned(),
    }
}
