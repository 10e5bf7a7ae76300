//! The writer's session: how it is opened, and the lock that makes it the only one.

use super::encode::COMMIT_GROUP;
use super::error::is_locked;
use crate::store::{StoreError, StoreResult};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, PgPool, Row, SqlSafeStr};
use std::time::Duration;
use tokio::time::timeout;

pub(super) const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// Connections idle for longer are asked for a sign of life before they are used.
const IDLE: Duration = Duration::from_secs(1);
pub(super) const READERS: u32 = 4;
/// "mealplan" in ASCII. Advisory locks are told apart by database.
const LOCK: i64 = 0x6d65_616c_706c_616e;
const FUNCTIONS: [&str; 2] = [include_str!("write_changes.sql"), include_str!("commit_group.sql")];

/// Which session of the server is ours, so that we end no other.
#[derive(Clone, Debug)]
pub(super) struct Backend {
    pid: i32,
    /// As the server prints it.
    started: String,
}

/// Plans are kept; one made while a table was small must go by an index when it has grown.
const COMMON: [(&str, &str); 9] = [
    ("search_path", "store"),
    ("enable_seqscan", "off"),
    ("jit", "off"),
    ("client_min_messages", "warning"),
    ("lock_timeout", "5s"),
    ("idle_session_timeout", "0"),
    ("tcp_keepalives_idle", "30"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_keepalives_count", "3"),
];

fn named(options: &PgConnectOptions, role: &str) -> PgConnectOptions {
    options
        .clone()
        .application_name(&format!("meal-planner {role} of process {}", std::process::id()))
        .options(COMMON)
        .disable_statement_logging()
}

/// Every commit is on the server's disk when it returns, whatever the server's defaults are.
pub(super) async fn open_writer(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    let options = named(options, "writer").options([
        ("synchronous_commit", "on"),
        ("default_transaction_read_only", "off"),
        ("default_transaction_isolation", "read committed"),
        ("statement_timeout", "10s"),
    ]);
    answered(PgConnection::connect_with(&options)).await
}

pub(super) async fn open_readers(options: &PgConnectOptions) -> StoreResult<PgPool> {
    let options = named(options, "reader")
        .options([("default_transaction_read_only", "on"), ("statement_timeout", "20s")]);
    let pool = PgPoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(CONNECT_PATIENCE)
        .test_before_acquire(false)
        .before_acquire(|connection, idle| {
            Box::pin(async move {
                if idle.idle_for > IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        });
    Ok(pool.connect_with(options).await?)
}

/// A server that does not answer is as good as a connection that broke.
pub(super) async fn answered<T>(
    asked: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    match timeout(CONNECT_PATIENCE, asked).await {
        Ok(answer) => answer,
        Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())),
    }
}

/// Waits a moment for the lock: a session whose process has just died holds it until the server has noticed.
///
/// # Errors
/// When another session holds it, with the name that one has given itself.
pub(super) async fn take_lock(connection: &mut PgConnection) -> StoreResult<Backend> {
    connection.execute("SET lock_timeout = '2s'").await?;
    let locked = sqlx::query("SELECT pg_advisory_lock($1)").bind(LOCK).execute(&mut *connection).await;
    match locked {
        Ok(_) => {}
        Err(error) if is_locked(&error) => return Err(taken(connection).await?),
        Err(error) => return Err(error.into()),
    }
    connection.execute("SET lock_timeout = '5s'").await?;
    for function in FUNCTIONS {
        connection.execute(function).await?;
    }
    // So that the first group is one round trip like the others.
    (&mut *connection).prepare(COMMIT_GROUP.into_sql_str()).await?;
    let row =
        sqlx::query("SELECT pid, backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()")
            .fetch_one(connection)
            .await?;
    Ok(Backend { pid: row.try_get(0)?, started: row.try_get(1)? })
}

async fn taken(connection: &mut PgConnection) -> StoreResult<StoreError> {
    const OWNER: &str = "
        SELECT a.pid, a.application_name, coalesce(host(a.client_addr), 'the same machine')
        FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND (l.classid::bigint << 32 | l.objid::bigint) = $1";
    let owner = sqlx::query(OWNER).bind(LOCK).fetch_optional(connection).await?;
    let by = match owner {
        Some(row) => {
            let (pid, name, host) =
                (row.try_get::<i32, _>(0)?, row.try_get::<&str, _>(1)?, row.try_get::<&str, _>(2)?);
            format!("\"{name}\" on {host} (session {pid} of the server)")
        }
        None => "another process".to_owned(),
    };
    Ok(StoreError::Unusable {
        message: format!("the database is in use by {by}"),
        hint: "stop that server first, or give DATABASE_URL another database".to_owned(),
    })
}

/// Ends a session of ours whose connection was lost, should the server not have noticed: it holds the lock.
pub(super) async fn end(connection: &mut PgConnection, old: &Backend) -> Result<(), sqlx::Error> {
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND backend_start::text = $2",
    )
    .bind(old.pid)
    .bind(&old.started)
    .execute(connection)
    .await?;
    Ok(())
}
