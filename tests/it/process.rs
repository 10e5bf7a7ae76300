//! The real program in a folder of its own, spoken to over HTTP.

use crate::support::world::DATABASE;
use crate::support::{PATIENCE, between_looks};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Instant;

const BINARY: &str = env!("CARGO_BIN_EXE_meal-planner");

/// A server that is killed when dropped.
pub struct Server {
    child: Child,
    pub url: String,
    token: String,
    client: reqwest::Client,
}

impl Server {
    /// Starts on a free port and waits until it is ready.
    pub async fn start(data: &Path) -> Self {
        Self::start_with(data, &[]).await
    }

    pub async fn start_with(data: &Path, more: &[&str]) -> Self {
        let mut child = program(data)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut lines = lines.map_while(Result::ok);
        let url = lines.by_ref().find_map(|line| address(&line)).expect("it prints its address");
        // What it prints later must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let token = std::fs::read_to_string(data.join("admin.token")).expect("a token").trim().to_owned();
        let server = Self { child, url, token, client: client() };
        server.until("it is ready", async || server.get("/health/ready").await.0 == 200).await;
        server
    }

    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().expect("a method");
        self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token)
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        answer(self.request("GET", path)).await.expect("an answer")
    }

    /// Sends a command and waits for its outcome.
    pub async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        answer(self.request(method, path).header("Prefer", "wait=30").json(&body)).await.expect("an answer")
    }

    /// Asks until the condition holds; fails loudly when it never does.
    pub async fn until(&self, what: &str, condition: impl AsyncFn() -> bool) {
        let (began, mut looks) = (Instant::now(), 0);
        while !condition().await {
            assert!(began.elapsed() < PATIENCE, "never: {what}");
            between_looks(&mut looks).await;
        }
    }

    /// Waits until a field of what stands at a path has the value; says what it was instead.
    pub async fn until_is(&self, path: &str, field: &str, value: &str) {
        let (began, mut looks) = (Instant::now(), 0);
        loop {
            let (status, found) = self.get(path).await;
            if found[field] == value {
                return;
            }
            let actors =
                if began.elapsed() < PATIENCE { Value::Null } else { self.get("/admin/actors").await.1 };
            assert!(began.elapsed() < PATIENCE, "{path}: {status} {found}\n{actors}");
            between_looks(&mut looks).await;
        }
    }

    /// The end without a goodbye.
    pub fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// Asks it to stop as a service manager does; answers its exit code.
    pub fn terminate(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
        self.child.wait().expect("it ends").code()
    }

    /// Runs a client command of the same program against this server.
    pub fn run(&self, data: &Path, arguments: &[&str]) -> Output {
        let mut command = program(data);
        command.args(arguments).env("MEAL_PLANNER_SERVER", &self.url).env("MEAL_PLANNER_TOKEN", &self.token);
        command.output().expect("the program runs")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Gone already when the test has ended it.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The program in a folder, over PostgreSQL where the folder says so, without the settings of whoever runs the tests.
pub fn program(data: &Path) -> Command {
    let mut command = Command::new(BINARY);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MEAL_PLANNER_")) {
        command.env_remove(name);
    }
    match std::fs::read_to_string(data.join(DATABASE)) {
        Ok(url) => command.env("DATABASE_URL", url),
        Err(_) => command.env_remove("DATABASE_URL"),
    };
    command.current_dir(data).env("MEAL_PLANNER_DATA", data).stdin(Stdio::null());
    command
}

pub fn client() -> reqwest::Client {
    // Refused when another test was first, which is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().timeout(PATIENCE).build().expect("a client")
}

pub async fn answer(request: reqwest::RequestBuilder) -> reqwest::Result<(u16, Value)> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    let text = response.text().await?;
    Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
}

fn address(line: &str) -> Option<String> {
    let rest = line.split_once("http://127.0.0.1:")?.1;
    let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some(format!("http://127.0.0.1:{port}"))
}
