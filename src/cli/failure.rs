//! How a command ends when it does not succeed: an exit code, a sentence and a hint.

use crate::clients::own_api::{ApiError, Problem};
use crate::store::StoreError;
use serde_json::json;
use std::io;

/// What scripts see; described in `--help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// Nothing went wrong: whoever read our output has gone away.
    Quiet = 0,
    Failed = 1,
    Usage = 2,
    Unreachable = 3,
    Refused = 4,
    StoreUnusable = 5,
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(super) struct Failure {
    pub exit: Exit,
    pub message: String,
    pub hint: Option<String>,
    /// What the server said, if it was the server.
    problem: Option<Box<Problem>>,
}

impl Failure {
    pub(super) fn new(exit: Exit, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: Some(hint.into()), problem: None }
    }

    pub(super) fn failed(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message, hint)
    }

    /// Tells a person, or a script that wants JSON, on stderr.
    pub(super) fn tell(&self, as_json: bool) {
        if self.exit == Exit::Quiet {
            return;
        }
        if as_json {
            let mut error = json!({ "message": self.message, "hint": self.hint, "exit": self.exit as u8 });
            if let Some(problem) = &self.problem {
                error["status"] = json!(problem.status);
                error["pointer"] = json!(problem.pointer);
                error["trace_id"] = json!(problem.trace_id);
            }
            super::output::note(&json!({ "error": error }).to_string());
            return;
        }
        super::output::note(&format!("error: {}", self.message));
        if let Some(hint) = self.hint.as_ref().filter(|hint| !hint.is_empty()) {
            super::output::note(&format!("hint: {hint}"));
        }
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let message = error.to_string();
        match error {
            ApiError::Unreachable { .. } => {
                let hint = "start it with `meal-planner serve`, or name another with --server";
                Self::new(Exit::Unreachable, message, hint)
            }
            ApiError::Refused(problem) => {
                let exit = if problem.status < 500 { Exit::Refused } else { Exit::Failed };
                let hint = match problem.status {
                    401 => TOKEN_HINT.to_owned(),
                    _ => problem.hint.clone(),
                };
                Self { problem: Some(problem), ..Self::new(exit, message, hint) }
            }
            ApiError::Odd { .. } => {
                let hint =
                    "is it a meal-planner of this version? compare `meal-planner --version` on both sides";
                Self::failed(message, hint)
            }
            ApiError::NoAddress(_) => {
                Self::new(Exit::Usage, message, "write it as http://127.0.0.1:8080 (--server)")
            }
        }
    }
}

const TOKEN_HINT: &str = "the token stands in admin.token in the server's data folder; \
    give that folder with --data, or the token in MEAL_PLANNER_TOKEN";

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::Unusable { hint, .. } => Self::new(Exit::StoreUnusable, message, hint),
            StoreError::Fenced { .. } => {
                Self::failed(message, "another process has opened the same store; run one at a time")
            }
            StoreError::Refused(_) | StoreError::Unavailable(_) => Self::failed(
                message,
                "look whether the disk is full or failing, and whether the database server runs",
            ),
        }
    }
}

/// From writing to our own output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let exit = if error.kind() == io::ErrorKind::BrokenPipe { Exit::Quiet } else { Exit::Failed };
        Self::new(exit, format!("the output cannot be written: {error}"), "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_refuses_and_what_it_fails_at_exit_differently() {
        let failure = |status| {
            Failure::from(ApiError::Refused(Box::new(Problem { status, ..Problem::default() }))).exit
        };
        assert_eq!(failure(422), Exit::Refused);
        assert_eq!(failure(503), Exit::Failed);
    }
}
