//! The two engines, each in a place of its own that goes with it.

use meal_planner::clock;
use meal_planner::store::Store;
use meal_planner::store::postgres::PostgresStore;
use meal_planner::store::sqlite::SqliteStore;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// Where a store lives; opening it again finds what was left there.
pub struct Home {
    pub folder: TempDir,
    pub url: Option<String>,
}

impl Home {
    pub async fn new(server: Option<&Server>) -> anyhow::Result<Self> {
        let url = match server {
            Some(server) => Some(server.database().await?),
            None => None,
        };
        Ok(Self { folder: tempfile::tempdir()?, url })
    }

    pub async fn open(&self) -> anyhow::Result<Arc<dyn Store>> {
        let now_us = clock::now().timestamp_micros();
        Ok(match &self.url {
            Some(url) => Arc::new(PostgresStore::open(url, self.folder.path(), now_us).await?),
            None => Arc::new(SqliteStore::open(self.folder.path(), now_us).await?),
        })
    }
}

/// A PostgreSQL server that writes to the disk as it does by default, on loopback, gone when dropped.
pub struct Server {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
}

impl Server {
    /// `None` where PostgreSQL is not installed.
    pub fn start() -> anyhow::Result<Option<Self>> {
        let Some(programs) = programs() else { return Ok(None) };
        let folder = tempfile::tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let server = Self { folder, programs, port };
        if is_root()? {
            run(Command::new("chown").arg("postgres").arg(server.folder.path()))?;
        }
        run(server.program("initdb")?.args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C"]))?;
        let options = format!("-h 127.0.0.1 -p {port} -k '{}'", server.folder.path().display());
        let log = server.folder.path().join("log");
        run(server.program("pg_ctl")?.arg("-l").arg(log).args(["-w", "-o", &options, "start"]))?;
        Ok(Some(server))
    }

    /// Refuses to run as root, so it is run as its own user then.
    fn program(&self, name: &str) -> anyhow::Result<Command> {
        let path = self.programs.join(name);
        let mut command = if is_root()? {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.arg("-D").arg(self.folder.path().join("data"));
        Ok(command)
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    async fn database(&self) -> anyhow::Result<String> {
        use sqlx::Connection;
        let name = format!("bench_{}", uuid::Uuid::now_v7().simple());
        let mut connection = sqlx::PgConnection::connect(&self.url("postgres")).await?;
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut connection).await?;
        connection.close().await?;
        Ok(self.url(&name))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(mut stop) = self.program("pg_ctl") {
            let _ = run(stop.args(["-m", "immediate", "-w", "stop"]));
        }
    }
}

fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = debian.map(|version| version.path().join("bin"));
    std::env::split_paths(&path).chain(debian).find(|folder| folder.join("initdb").is_file())
}

fn is_root() -> anyhow::Result<bool> {
    let meta = std::fs::metadata("/proc/self");
    Ok(meta.is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0))
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.stdin(Stdio::null()).stdout(Stdio::null()).output()?;
    anyhow::ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// Bytes of all files below a folder.
pub fn size_of(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.metadata().ok())
        .filter(std::fs::Metadata::is_file)
        .map(|m| m.len())
        .sum()
}
