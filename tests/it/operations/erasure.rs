//! A person who is erased is in no file and no table any more, and everybody else's life goes on.

use crate::process::{Server, answer, program};
use crate::support::postgres as server_of_ours;
use crate::support::world::{DATABASE, fresh_folder, raw, worlds_over_both_engines};
use meal_planner::store::backup::restore;
use meal_planner::store::sealed::{ERASED_FILE, KEY_FILE};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection, Row, SqliteConnection};
use std::fs;
use std::path::Path;

pub const ZAPHOD: &str = "00000000-0000-7000-8000-00000000002a";
const ANN: &str = "00000000-0000-7000-8000-00000000000a";
/// Needs escaping in JSON, and has letters beyond ASCII.
pub const NAME: &str = "Zäphod \"Quux\" Bleeblefox";
pub const OLD_NAME: &str = "Zarniwoop Vannharl";

/// Every form in which a name may stand in a file.
pub fn forms(name: &str) -> Vec<String> {
    let json = |text: &str| json!(text).to_string().trim_matches('"').to_owned();
    let ascii: String = name
        .chars()
        .map(|c| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) })
        .collect();
    let hex: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
    let lower = name.to_lowercase();
    vec![
        name.to_owned(),
        json(name),
        json(&json(name)),
        ascii,
        hex.to_uppercase(),
        hex,
        lower.clone(),
        json(&lower),
    ]
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Where a name can be read below a folder.
pub fn readable(folder: &Path, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for path in files(folder) {
        // A connection that was just dropped may take its log away meanwhile.
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => panic!("{}: {error}", path.display()),
        };
        for form in forms(name) {
            if bytes.windows(form.len()).any(|window| window == form.as_bytes()) {
                found.push(format!("{}: {form}", path.display()));
            }
        }
    }
    found
}

pub async fn set_up(server: &Server) {
    let household = json!({"name": "Home", "time_zone": "Europe/Vienna"});
    assert_eq!(server.ask("PUT", "/api/household", household).await.0, 200);
    let ann = json!({"id": ANN, "person": {"name": "Ann", "diet": "vegetarian"}});
    assert_eq!(server.ask("POST", "/api/household/members", ann).await.0, 200);
    assert_eq!(
        server
            .request("POST", "/api/household/members")
            .header("Idempotency-Key", "zaphod")
            .header("Prefer", "wait=30")
            .json(&zaphod(OLD_NAME))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    let path = format!("/api/household/members/{ZAPHOD}");
    assert_eq!(server.ask("PUT", &path, json!({"person": {"name": NAME}})).await.0, 200);
    for id in [ZAPHOD, ANN] {
        let goals = json!({"goals": {"kcal": {"low": 1900, "high": 2100}}});
        assert_eq!(server.ask("PUT", &format!("/api/nutrition/goals/{id}"), goals).await.0, 200);
    }
    // The answer to somebody else names the person.
    let (status, refused) =
        server.ask("POST", "/api/household/members", json!({"person": {"name": NAME}})).await;
    assert_eq!(status, 409);
    assert!(refused.to_string().contains("Bleeblefox"), "{refused}");
    for name in ["Leek soup", "Bleeblefoxish stew"] {
        let recipe =
            json!({"name": name, "servings": 2, "ingredients": ["400 g leeks"], "total_minutes": 20});
        assert_eq!(server.ask("POST", "/api/recipes", recipe).await.0, 201);
    }
}

fn zaphod(name: &str) -> Value {
    json!({"id": ZAPHOD, "person": {"name": name, "diet": "vegan", "allergens": ["nuts"]}})
}

pub async fn plan(server: &Server) -> Value {
    let body = json!({"days": 2, "moves": 1000});
    let (status, started) = server.ask("POST", "/api/triggers/meal_plan_generation", body).await;
    assert_eq!(status, 201, "{started}");
    let path = format!("/api/sagas/{}", started["key"].as_str().unwrap());
    server.until_is(&path, "status", "completed").await;
    let saga = server.get(&path).await.1;
    server.get(&format!("/api/meal-plans/{}", saga["plan"].as_str().unwrap())).await.1
}

/// A second pair of hands on the database of a folder, whichever engine it is.
enum Hands {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Hands {
    async fn on(folder: &Path) -> Self {
        let Ok(url) = fs::read_to_string(folder.join(DATABASE)) else {
            return Self::Sqlite(raw(folder).await);
        };
        let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
        Self::Postgres(options.options([("search_path", "store")]).connect().await.unwrap())
    }

    /// Names of the tables, quoted, and of the columns.
    fn columns(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => {
                "SELECT '\"' || m.name || '\"', c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c
                 WHERE m.type = 'table'"
            }
            Self::Postgres(_) => {
                "SELECT table_schema || '.\"' || table_name || '\"', column_name::TEXT FROM information_schema.columns
                 WHERE table_schema NOT IN ('pg_catalog', 'information_schema')"
            }
        }
    }

    async fn execute(&mut self, sql: &'static str, text: &str) {
        match self {
            Self::Sqlite(hands) => drop(sqlx::query(sql).bind(text).execute(hands).await.unwrap()),
            Self::Postgres(hands) => drop(sqlx::query(sql).bind(text).execute(hands).await.unwrap()),
        }
    }

    /// Rows of two texts; what is no text reads as nothing.
    async fn pairs(&mut self, sql: &str) -> Vec<(String, String)> {
        let query = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(hands) => {
                let rows = sqlx::query(query).fetch_all(hands).await.unwrap();
                rows.iter().map(|row| (row.get(0), row.try_get(1).unwrap_or_default())).collect()
            }
            Self::Postgres(hands) => {
                let rows = sqlx::query(query).fetch_all(hands).await.unwrap();
                rows.iter().map(|row| (row.get(0), row.try_get(1).unwrap_or_default())).collect()
            }
        }
    }
}

/// What errors, calls and operators may leave behind.
pub async fn plant(folder: &Path) {
    let mut hands = Hands::on(folder).await;
    let error = format!("panic: {NAME} is no number");
    let request =
        json!({ "note": format!("for {NAME}"), "nested": json!({"who": NAME}).to_string() }).to_string();
    for (sql, text) in [
        ("INSERT INTO attempts SELECT position, 1, 'panic', $1, 1, epoch, 0 FROM events WHERE kind = 0 LIMIT 3", &error),
        (
            "INSERT INTO dead_letters (position, reader, context, key, type, attempts, reason, at_us, seen_position, holds,
                                       state, body, note)
             SELECT position, 'x' || position, context, key, type, 1, $1, 0, 1, 0, 0, $1, $1 FROM events WHERE kind = 0 LIMIT 5",
            &error,
        ),
        (
            "INSERT INTO effects (id, position, context, key, service, operation, request, recovery, state, attempt, epoch,
                                  response, error, late, staged_us, ended_us)
             SELECT id, 1, 'x', 'x', 'x', 'x', $1, 0, 2, 1, 1, $1, $1, $1, 0, 0 FROM events LIMIT 1",
            &request,
        ),
        ("INSERT INTO snapshots (context, key, stream_version, state_version, code_hash, body)
             VALUES ('household', 'other', 1, 99, 0, $1)", &error),
    ] {
        hands.execute(sql, text).await;
    }
}

/// Every text of every table, with where it stands.
pub async fn texts(folder: &Path) -> Vec<(String, String)> {
    let mut hands = Hands::on(folder).await;
    let mut all = Vec::new();
    let columns = hands.columns();
    for (table, column) in hands.pairs(columns).await {
        let sql =
            format!("SELECT '{column}', CAST({column} AS TEXT) FROM {table} WHERE {column} IS NOT NULL");
        let name = table.rsplit('.').next().unwrap_or_default().replace('"', "");
        all.extend(
            hands.pairs(&sql).await.into_iter().map(|(column, text)| (format!("{name}.{column}"), text)),
        );
    }
    assert!(all.len() > 100, "else nothing was looked at");
    all
}

worlds_over_both_engines!(nothing_readable_is_left_of_somebody_who_was_erased_and_the_others_go_on);

async fn nothing_readable_is_left_of_somebody_who_was_erased_and_the_others_go_on() {
    let data = fresh_folder().await;
    let server = Server::start(data.path()).await;
    set_up(&server).await;
    let before = plan(&server).await;
    assert!(before.to_string().contains("Bleeblefox") && before.to_string().contains("Ann"), "{before}");
    assert_eq!(server.terminate(), Some(0));
    let sealed: Vec<_> = texts(data.path()).await.into_iter().filter(|(at, _)| at == "events.body").collect();
    assert!(
        !sealed.iter().any(|(_, text)| text.contains("Quux") || text.contains(OLD_NAME)),
        "sealed at rest"
    );
    plant(data.path()).await;
    let planted = texts(data.path()).await;
    assert!(planted.iter().any(|(_, text)| text.contains(NAME)), "else there is nothing to erase");

    let server = Server::start(data.path()).await;
    let made = server.ask("POST", "/admin/backups", json!({"why": "before"})).await;
    assert_eq!(made.0, 200, "{}", made.1);
    // Somebody carries a backup of before away.
    let away = tempfile::tempdir().unwrap();
    let old = away.path().join("old.backup");
    fs::copy(made.1["path"].as_str().unwrap(), &old).unwrap();
    let why = json!({"why": format!("{NAME} wishes it")});
    let (status, erased) = server.ask("POST", &format!("/admin/people/{ZAPHOD}/erase"), why).await;
    assert_eq!(status, 200, "{erased}");
    gone(&server).await;
    let after = server.get(&format!("/api/meal-plans/{}", before["id"].as_str().unwrap())).await.1;
    let told = |plan: &Value| plan.to_string().replace(&json!(NAME).to_string(), "\"(erased)\"");
    assert_eq!(after["meals"].as_array().unwrap().len(), before["meals"].as_array().unwrap().len());
    assert!(told(&after).contains("(erased)") && after.to_string().contains("Ann"), "{after}");
    assert!(!after.to_string().contains("Bleeblefox\\\""), "{after}");
    let drill = server.ask("POST", "/admin/drills", json!({})).await;
    assert_eq!((drill.0, &drill.1["ok"]), (200, &json!(true)), "{}", drill.1);
    assert_eq!(server.terminate(), Some(0));

    assert_eq!(readable(data.path(), NAME), [""; 0]);
    assert_eq!(readable(data.path(), OLD_NAME), [""; 0]);
    for (at, text) in texts(data.path()).await {
        let named = forms(NAME).into_iter().chain(forms(OLD_NAME)).any(|form| text.contains(&form));
        assert!(!named, "{at}: {text}");
    }

    comes_back_erased(&old, data.path()).await;
    let server = Server::start(data.path()).await;
    gone(&server).await;
    let recipes = server.get("/api/recipes").await.1;
    assert!(recipes.to_string().contains("Bleeblefoxish stew"), "a recipe is nobody's name: {recipes}");
    assert!(plan(&server).await.to_string().contains("Ann"));
    assert_eq!(readable(data.path(), NAME), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_fills_a_database_from_the_command_line() {
    if !server_of_ours::is_there("a_backup_fills_a_database_from_the_command_line") {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path()).await;
    set_up(&server).await;
    let made = server.ask("POST", "/admin/backups", json!({"why": "to move"})).await.1;
    assert_eq!(server.terminate(), Some(0));

    let database = server_of_ours::fresh_database().await;
    fs::write(database.folder.path().join(DATABASE), &database.url).unwrap();
    fs::copy(data.path().join(KEY_FILE), database.folder.path().join(KEY_FILE)).unwrap();
    let restore = |more: &[&str]| {
        let file = made["path"].as_str().unwrap();
        program(database.folder.path()).args(["restore", file]).args(more).output().unwrap()
    };
    let refused = restore(&["--replace"]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    let restored = restore(&[]);
    assert!(restored.status.success(), "{restored:?}");
    let again = restore(&[]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("not empty"), "{again:?}");
    let server = Server::start(database.folder.path()).await;
    let household = server.get("/api/household").await.1;
    assert_eq!(household["members"].as_array().unwrap().len(), 2, "{household}");
    assert_eq!(server.get("/api/recipes").await.1["items"].as_array().unwrap().len(), 2);
    let counts = server.get("/admin/statistics?q=memberadded").await.1;
    assert_eq!(counts["items"][0]["count"], 2, "{counts}");
}

/// The backup of before, restored elsewhere with the list of the backups and the folder's key.
async fn comes_back_erased(old: &Path, data: &Path) {
    assert!(!fs::read(old).unwrap().is_empty());
    assert_eq!(readable(old.parent().unwrap(), OLD_NAME), [""; 0], "sealed in the backup");
    fs::copy(data.join("backups").join(ERASED_FILE), old.with_file_name(ERASED_FILE)).unwrap();
    let again = tempfile::tempdir().unwrap();
    restore(old, again.path()).await.unwrap();
    fs::copy(data.join(KEY_FILE), again.path().join(KEY_FILE)).unwrap();
    let server = Server::start(again.path()).await;
    gone(&server).await;
    assert_eq!(server.terminate(), Some(0));
    assert_eq!(readable(again.path(), OLD_NAME), [""; 0]);
    assert_eq!(readable(again.path(), NAME), [""; 0]);
}

/// As everybody sees it who is still there.
pub async fn gone(server: &Server) {
    let household = server.get("/api/household").await.1;
    let names: Vec<_> =
        household["members"].as_array().unwrap().iter().map(|member| member["name"].clone()).collect();
    assert_eq!(names, ["Ann"], "{household}");
    assert_eq!(server.get(&format!("/api/nutrition/goals/{ZAPHOD}")).await.0, 404);
    assert_eq!(server.get(&format!("/api/nutrition/goals/{ANN}")).await.0, 200);
    // The repeat of the very first request gets the very first answer, which says nothing.
    let again = server.request("POST", "/api/household/members").header("Idempotency-Key", "zaphod");
    let (status, body) = answer(again.header("Prefer", "wait=30").json(&zaphod(OLD_NAME))).await.unwrap();
    assert_eq!(status, 200, "{body}");
    assert!(!body.to_string().contains("Vannharl"), "{body}");
    // Nobody comes back under that id.
    assert_eq!(server.ask("POST", "/api/household/members", zaphod("Zed")).await.0, 410);
    let events = server.get("/api/events?context=household&limit=500").await.1;
    let of_zaphod =
        events["items"].as_array().unwrap().iter().filter(|event| event["detail"]["erased"] == true);
    assert_eq!(of_zaphod.count(), 4, "two commands and two events: {events}");
}
