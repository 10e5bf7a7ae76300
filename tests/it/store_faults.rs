//! A disk that fails under the real program: what is accepted is kept, nobody restarts, readiness tells and clears;
//! and files that cannot be used are refused with a way out.

use crate::crash::case::{Case, Template};
use crate::crash::engine::Engine;
use crate::crash::load::Server;
use crate::crash::victim::{Victim, by_shell, serve};
use crate::support::world::raw;
use crate::support::{skipped, until};
use serde_json::Value;
use sqlx::{Connection, Row};
use std::fs::OpenOptions;
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const DATABASE: &str = "meal-planner.db";

/// Uses the server, takes its disk away, gives it back, and looks whether anything came of it.
async fn survives_an_outage(
    mut case: Case,
    command: Command,
    begin: impl AsyncFnOnce(u32),
    end: impl AsyncFnOnce(u32),
) {
    let mut victim = Victim::spawn(command);
    let url = victim.serving().await.unwrap_or_else(|| panic!("it does not start:\n{}", victim.tail()));
    let server = Server::of(url, case.data());
    assert!(case.load.go_on(&server, 5).await.unwrap());
    begin(victim.id()).await;
    while case.load.go_on(&server, 50).await.unwrap() {}
    let (status, ready) = server.look("/health/ready").await.expect("an answer");
    assert_eq!(status, 503, "{ready}");
    assert!(
        ready["reasons"][0].as_str().is_some_and(|reason| reason.contains("cannot be written")),
        "{ready}"
    );
    end(victim.id()).await;
    until("it is ready though nobody writes", || server.is_ready()).await;
    while !case.load.go_on(&server, 5).await.unwrap() {}
    until("all is handled", async || server.is_quiet().await && server.is_idle_but(0).await).await;
    let actors = server.get("/admin/actors").await.expect("an answer");
    let restarted = |actor: &&Value| actor["restarts"] != 0;
    let restarted: Vec<_> = actors["items"].as_array().unwrap().iter().filter(restarted).collect();
    assert!(restarted.is_empty(), "{restarted:#?}\n{}", victim.tail());
    victim.terminate();
    assert!(victim.ended().await.success(), "{}", victim.tail());
    assert_eq!(case.audit().await, [""; 0]);
    // Some calls are refused by the remote, whatever is the matter here.
    let ours = "SELECT count(*) FROM attempts WHERE error NOT LIKE '%503%'";
    assert_eq!(number(case.data(), ours).await, 0, "the outage cost attempts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_another_program_has_locked_costs_nothing() {
    let case = Template::new(&Engine::Sqlite).await.case("locked").await;
    let folder = case.data().to_owned();
    let mut other = raw(&folder).await;
    let (locked, unlocked) = tokio::sync::oneshot::channel();
    let command = serve(&Engine::Sqlite, &folder);
    let lock = async |_| {
        sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
        locked.send(other).unwrap();
    };
    let unlock = async |_| {
        sqlx::query("ROLLBACK").execute(&mut unlocked.await.unwrap()).await.map(drop).unwrap();
    };
    survives_an_outage(case, command, lock, unlock).await;
}

/// Bounds the files of a running process, or frees them again.
fn limit_files(process: u32, bytes: &str) {
    let limit = format!("--fsize={bytes}:unlimited");
    let status = Command::new("prlimit").args(["--pid", &process.to_string(), &limit]).status();
    assert!(status.expect("prlimit runs").success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_cannot_grow_cost_nothing() {
    if Command::new("prlimit").arg("--version").output().is_err() {
        return skipped("files_that_cannot_grow_cost_nothing", "there is no prlimit");
    }
    let case = Template::new(&Engine::Sqlite).await.case("bounded files").await;
    let log = case.data().join(format!("{DATABASE}-wal"));
    // Without the signal a write past the limit is an error like that of a full disk.
    let command = by_shell(&serve(&Engine::Sqlite, case.data()), "trap '' XFSZ; exec \"$0\" \"$@\"");
    let bound = async |process| {
        let length = std::fs::metadata(log).unwrap().len();
        // Not one more page fits.
        limit_files(process, &(length + 100).to_string());
    };
    survives_an_outage(case, command, bound, async |process| limit_files(process, "unlimited")).await;
}

/// A small disk of its own, where the system lets us have one.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=24m", "none"]).arg(folder.path()).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self(folder))
    }

    fn ballast(&self) -> PathBuf {
        self.0.path().join("ballast")
    }

    fn fill(&self) {
        let mut file = std::fs::File::create(self.ballast()).unwrap();
        while file.write_all(&[1; 4096]).is_ok() {}
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(self.0.path()).output());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_costs_nothing() {
    let Some(disk) = SmallDisk::new() else {
        return skipped("a_full_disk_costs_nothing", "no small disk can be mounted here");
    };
    let template = Template::new(&Engine::Sqlite).await;
    let folder = tempfile::tempdir_in(disk.0.path()).unwrap();
    let case = template.case_in(folder, "full disk").await;
    let command = serve(&Engine::Sqlite, case.data());
    survives_an_outage(
        case,
        command,
        async |_| disk.fill(),
        async |_| std::fs::remove_file(disk.ballast()).unwrap(),
    )
    .await;
}

/// The server does not start, says why and what to do, and has its own exit code.
async fn is_refused(command: Command, why: &str, way_out: &str) {
    let mut victim = Victim::spawn(command);
    assert_eq!(victim.serving().await, None, "it serves, though {why}");
    let (code, said) = (victim.ended().await.code(), victim.everything());
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains(why), "{said}");
    let hint = said.lines().find(|line| line.starts_with("hint: ")).unwrap_or_default();
    assert!(hint.contains(way_out), "{said}");
}

/// Bytes in the middle of a file become others.
fn overwrite(file: &Path, at: u64, length: usize) {
    let mut file = OpenOptions::new().write(true).open(file).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&vec![0xa5; length]).unwrap();
}

async fn execute(folder: &Path, sql: &'static str) {
    let mut connection = raw(folder).await;
    sqlx::query(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn number(folder: &Path, sql: &'static str) -> u64 {
    let mut connection = raw(folder).await;
    let row = sqlx::query(sql).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    row.get::<i64, _>(0).cast_unsigned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_not_ours_or_not_whole_is_refused_and_left_alone() {
    let template = Template::new(&Engine::Sqlite).await;
    for (damage, why, way_out) in [
        ("no database", "is damaged", "meal-planner restore"),
        ("cut in half", "is damaged", "meal-planner restore"),
        ("root of events", "is damaged", "meal-planner restore"),
        ("foreign", "another program", "--data another folder"),
        ("newer", "a newer meal-planner", "run that version"),
        ("edited history", "cannot be brought up to date", "meal-planner restore"),
    ] {
        let case = template.case(damage).await;
        let file = case.data().join(DATABASE);
        let length = std::fs::metadata(&file).unwrap().len();
        match damage {
            "no database" => std::fs::write(&file, "dear diary ".repeat(1000)).unwrap(),
            "cut in half" => OpenOptions::new().write(true).open(&file).unwrap().set_len(length / 2).unwrap(),
            "root of events" => {
                let page =
                    number(case.data(), "SELECT rootpage FROM sqlite_schema WHERE name = 'events'").await;
                overwrite(&file, (page - 1) * 4096, 512);
            }
            "foreign" => {
                std::fs::remove_file(&file).unwrap();
                execute(case.data(), "CREATE TABLE invoices (id INTEGER PRIMARY KEY)").await;
            }
            "newer" => {
                execute(
                    case.data(),
                    "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                     VALUES (9999, 'later', 1, x'00', 0)",
                )
                .await;
            }
            _ => execute(case.data(), "UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 1").await,
        }
        let before = std::fs::read(&file).unwrap();
        is_refused(serve(&Engine::Sqlite, case.data()), why, way_out).await;
        assert!(std::fs::read(&file).unwrap() == before, "{damage}: the file was changed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_pages_are_found_at_the_start_after_a_crash() {
    let template = Template::new(&Engine::Sqlite).await;
    let case = template.case("damaged pages").await;
    let mut victim = case.start(&[]);
    victim.serving().await.expect("it serves");
    victim.kill();
    let file = case.data().join(DATABASE);
    let page = number(case.data(), "SELECT rootpage FROM sqlite_schema WHERE name = 'outcomes'").await;
    overwrite(&file, (page - 1) * 4096, 512);
    is_refused(serve(&Engine::Sqlite, case.data()), "is damaged", "meal-planner restore").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_page_that_is_met_later_is_told_with_a_way_out() {
    let template = Template::new(&Engine::Sqlite).await;
    let case = template.case("a damaged page").await;
    let page = number(case.data(), "SELECT rootpage FROM sqlite_schema WHERE name = 'outcomes'").await;
    overwrite(&case.data().join(DATABASE), (page - 1) * 4096, 512);
    let mut victim = case.start(&[]);
    if let Some(url) = victim.serving().await {
        let server = Server::of(url, case.data());
        let id = case.load.answered[0][0];
        let (status, problem) = server.look(&format!("/api/events/{id}")).await.expect("an answer");
        assert_eq!(status, 500, "{problem}");
        assert!(
            problem["hint"].as_str().is_some_and(|hint| hint.contains("meal-planner restore")),
            "{problem}"
        );
    } else {
        assert!(victim.everything().contains("meal-planner restore"), "{}", victim.tail());
    }
}

/// The command as a user who may not write what root has made.
fn unprivileged(command: &Command) -> Option<Command> {
    const AS_NOBODY: &str = "exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$0\" \"$@\"";
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0\n"));
    if !is_root {
        return Some(by_shell(command, "exec \"$0\" \"$@\""));
    }
    let mut probe = Command::new(command.get_program());
    probe.arg("--version");
    let can = by_shell(&probe, AS_NOBODY).output().is_ok_and(|output| output.status.success());
    can.then(|| by_shell(command, AS_NOBODY))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_folder_is_refused() {
    let template = Template::new(&Engine::Sqlite).await;
    let case = template.case("read-only").await;
    let empty = tempfile::tempdir().unwrap();
    for folder in [case.data(), empty.path()] {
        for entry in std::fs::read_dir(folder).unwrap() {
            std::fs::set_permissions(entry.unwrap().path(), PermissionsExt::from_mode(0o444)).unwrap();
        }
        std::fs::set_permissions(folder, PermissionsExt::from_mode(0o555)).unwrap();
        let Some(command) = unprivileged(&serve(&Engine::Sqlite, folder)) else {
            let why = "no other user can run the program from where it is";
            return skipped("a_read_only_folder_is_refused", why);
        };
        is_refused(command, "cannot be written", "a folder that this user may write").await;
        std::fs::set_permissions(folder, PermissionsExt::from_mode(0o755)).unwrap();
    }
}
