//! The real program as something that dies: started, watched, told to die, found dead.

use super::engine::Engine;
use crate::process::program;
use crate::support::soon;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use tokio::sync::watch;

/// Lines of its log that a failure shows.
const TAIL: usize = 40;

#[derive(Clone, Debug, PartialEq)]
enum Life {
    Starting,
    Serving(String),
    Gone,
}

/// A server that somebody may kill at any time.
pub struct Victim {
    child: Child,
    life: watch::Receiver<Life>,
    log: Arc<Mutex<Vec<String>>>,
}

impl Victim {
    pub fn start(engine: &Engine, data: &Path, settings: &[(&str, String)]) -> Self {
        let mut command = serve(engine, data);
        command.envs(settings.iter().map(|(name, value)| (name, value)));
        Self::spawn(command)
    }

    pub fn spawn(mut command: Command) -> Self {
        let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("the program starts");
        let (tell, life) = watch::channel(Life::Starting);
        let log = Arc::new(Mutex::new(Vec::new()));
        let errors = follow(child.stderr.take().expect("a pipe"), log.clone(), |_| {}, || {});
        let (starting, ending) = (tell.clone(), tell);
        let serving = move |line: &str| {
            if let Some((_, rest)) = line.split_once("listens on http://") {
                starting.send_replace(Life::Serving(format!("http://{}", rest.trim())));
            }
        };
        let gone = move || {
            errors.join().expect("nobody panicked");
            ending.send_replace(Life::Gone);
        };
        follow(child.stdout.take().expect("a pipe"), log.clone(), serving, gone);
        Self { child, life, log }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its address, unless it dies before it has one.
    pub async fn serving(&mut self) -> Option<String> {
        let life = self.life.wait_for(|life| *life != Life::Starting);
        match soon("the program serves or dies", life).await.expect("told").clone() {
            Life::Serving(url) => Some(url),
            Life::Starting | Life::Gone => None,
        }
    }

    /// Resolves when it is dead.
    pub fn dead(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut life = self.life.clone();
        async move { drop(life.wait_for(|life| *life == Life::Gone).await) }
    }

    /// How it ended, when it has ended or soon does.
    pub async fn ended(&mut self) -> ExitStatus {
        soon(&format!("the end of\n{}", self.tail()), self.dead()).await;
        self.child.wait().expect("it can be waited for")
    }

    pub fn kill(&mut self) {
        // Dead already is as good.
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// Asks it to stop as a service manager does.
    pub fn terminate(&self) {
        let pid = self.child.id().to_string();
        std::process::Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
    }

    pub fn everything(&self) -> String {
        self.log.lock().expect("nobody panicked").join("\n")
    }

    /// The end of what it said.
    pub fn tail(&self) -> String {
        let log = self.log.lock().expect("nobody panicked");
        log[log.len().saturating_sub(TAIL)..].join("\n")
    }
}

pub fn serve(engine: &Engine, data: &Path) -> Command {
    let mut command = program(data);
    engine.configure(&mut command);
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    command
}

/// The same command, started by a shell script that ends in `exec "$0" "$@"`.
pub fn by_shell(command: &Command, script: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        shell.current_dir(folder);
    }
    shell
}

impl Drop for Victim {
    fn drop(&mut self) {
        self.kill();
    }
}

fn follow(
    from: impl Read + Send + 'static,
    log: Arc<Mutex<Vec<String>>>,
    see: impl Fn(&str) + Send + 'static,
    end: impl FnOnce() + Send + 'static,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            see(&line);
            log.lock().expect("nobody panicked").push(line);
        }
        end();
    })
}
