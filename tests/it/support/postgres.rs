//! A PostgreSQL server of our own: one for the whole test binary, or one for a test that kills it.
//!
//! Behind each server stands a process that waits for the end of this one and then stops and removes the server: it
//! reads from a pipe of which we hold the other end, so any death of ours is seen.

use super::place::PostgresDatabase;
use super::{skipped, soon};
use sqlx::{Connection, PgConnection};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

/// Whether this machine has PostgreSQL's programs. Says which test is skipped when it has not.
pub fn is_there(test: &str) -> bool {
    let found = programs().is_some();
    if !found {
        skipped(test, "this machine has no PostgreSQL programs (initdb, pg_ctl)");
    }
    found
}

/// The folder of `initdb` and `pg_ctl`: on the PATH, or the newest of those that Debian keeps off it.
fn programs() -> Option<&'static Path> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let find = || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let mut versions: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
        versions.sort_by_key(|path| {
            let version =
                path.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
            std::cmp::Reverse(version.and_then(|version| version.parse::<u32>().ok()))
        });
        std::env::split_paths(&path).chain(versions).find(|path| path.join("initdb").is_file())
    };
    FOUND.get_or_init(find).as_deref()
}

/// Ports that are tried when one that was free is taken by the time the server wants it.
const PORTS_TRIED: u32 = 5;

/// A server, stopped and removed when it is dropped or this process ends.
#[derive(Debug)]
pub struct Server {
    folder: PathBuf,
    port: u16,
    guard: Child,
}

/// The one that tests share, each with a database of its own.
pub fn shared() -> Arc<Server> {
    static SHARED: OnceLock<Arc<Server>> = OnceLock::new();
    SHARED.get_or_init(|| Arc::new(Server::start())).clone()
}

/// A database of its own on the shared server.
pub async fn fresh_database() -> PostgresDatabase {
    let server = tokio::task::spawn_blocking(shared).await.unwrap();
    server.database().await
}

/// The server refuses to run as root.
fn as_postgres(program: &str) -> Command {
    let program = programs().expect("the programs are there").join(program);
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program);
    command
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id runs");
    id.stdout.trim_ascii() == b"0"
}

fn run(command: &mut Command) {
    if let Err(what) = try_to_run(command) {
        panic!("{what}");
    }
}

fn try_to_run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().expect("the program runs");
    if output.status.success() {
        return Ok(());
    }
    let (errors, text) = (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    Err(format!("{command:?}: {errors} {text}"))
}

const STOP_AND_REMOVE: &str = r#"trap "" INT TERM HUP; read -r nothing
if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$0/pg_ctl" -D "$1/data" -m immediate -w stop
else "$0/pg_ctl" -D "$1/data" -m immediate -w stop; fi; rm -rf "$1""#;

impl Server {
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("meal-planner-pg-").tempdir().unwrap().keep();
        let guard = Command::new("sh")
            .args(["-c", STOP_AND_REMOVE])
            .arg(programs().expect("the programs are there"))
            .arg(&folder)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh runs");
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(&folder));
        }
        let data = folder.join("data");
        run(as_postgres("initdb")
            .args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync", "-D"])
            .arg(data));
        let mut server = Self { folder, port: free_port(), guard };
        for _ in 1..PORTS_TRIED {
            match server.try_to_go() {
                Ok(()) => return server,
                Err(_) if server.log().contains("Address already in use") => server.port = free_port(),
                Err(what) => panic!("{what}\n{}", server.log()),
            }
        }
        server.go();
        server
    }

    /// Starts it (again). A crash of the server loses nothing without `fsync`; only one of the machine would.
    pub fn go(&self) {
        if let Err(what) = self.try_to_go() {
            panic!("{what}\n{}", self.log());
        }
    }

    fn try_to_go(&self) -> Result<(), String> {
        let options = format!(
            "-h 127.0.0.1 -p {} -k '{}' -c fsync=off -c max_connections=200 -c shared_buffers=32MB -c wal_writer_delay=10s",
            self.port,
            self.folder.display()
        );
        try_to_run(
            as_postgres("pg_ctl")
                .arg("-D")
                .arg(self.data())
                .arg("-l")
                .arg(self.folder.join("log"))
                .args(["-w", "-o", &options, "start"]),
        )
    }

    /// What it has said.
    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// As a power cut would: nothing is finished, nobody is told.
    pub fn kill(&self) {
        run(as_postgres("pg_ctl").arg("-D").arg(self.data()).args(["-m", "immediate", "-w", "stop"]));
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// A fresh database.
    pub async fn database(&self) -> PostgresDatabase {
        let name = self.create("template1").await;
        PostgresDatabase { url: self.url(&name), folder: tempfile::tempdir().unwrap() }
    }

    /// The name of a new database that holds what that one holds, which nobody may be using.
    pub async fn create(&self, template: &str) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.order(format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        name
    }

    /// With whoever is still in it.
    pub async fn drop_database(&self, name: &str) {
        self.order(format!("DROP DATABASE {name} WITH (FORCE)")).await;
    }

    async fn order(&self, sql: String) {
        let connection = PgConnection::connect(&self.url("postgres"));
        let mut connection = soon("a connection", connection).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// Below the ports that connections to elsewhere and binds to port 0 get, so that nobody takes that of a server which is
/// killed before it is started again. Processes at the same time look in different places.
fn free_port() -> u16 {
    const LOWEST: u32 = 10_000;
    const APART: u32 = 41;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let ports = first_ephemeral_port().saturating_sub(LOWEST).max(1000);
    let first = std::process::id().wrapping_mul(APART);
    for _ in 0..ports {
        let next = first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(LOWEST + next % ports).expect("a port");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("there is no free port from {LOWEST} on");
}

fn first_ephemeral_port() -> u32 {
    const RANGE: &str = "/proc/sys/net/ipv4/ip_local_port_range";
    let range = std::fs::read_to_string(RANGE).unwrap_or_default();
    range.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or(32_768)
}
