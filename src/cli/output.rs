//! Writing for people and scripts: results on stdout, remarks and progress on stderr.

use super::failure::Failure;
use std::io::{self, IsTerminal, Write};

/// A result, on stdout.
///
/// # Errors
/// When nobody takes it.
pub(super) fn say(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()?;
    Ok(())
}

/// A remark, on stderr; lost when nobody takes it.
pub(super) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// "1 recipe", "2 recipes".
#[must_use]
pub(super) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// One line on stderr that changes in place on a terminal, and otherwise is written when its stage changes.
pub(super) struct Progress {
    is_terminal: bool,
    last: String,
    /// How much of the terminal's line is in use.
    width: usize,
}

impl Progress {
    #[must_use]
    pub(super) fn new() -> Self {
        Self { is_terminal: io::stderr().is_terminal(), last: String::new(), width: 0 }
    }

    /// Shows where things stand; `detail` changes often and is for terminals only.
    pub(super) fn show(&mut self, stage: &str, detail: &str) {
        if self.is_terminal {
            let text = format!("{stage} {detail}");
            let pad = self.width.saturating_sub(text.chars().count());
            self.width = text.chars().count();
            let mut err = io::stderr().lock();
            let _ = write!(err, "\r{text}{}", " ".repeat(pad));
            let _ = err.flush();
        } else if self.last != stage {
            stage.clone_into(&mut self.last);
            note(stage);
        }
    }

    /// Takes the line away.
    pub(super) fn clear(&mut self) {
        if self.is_terminal && self.width > 0 {
            let mut err = io::stderr().lock();
            let _ = write!(err, "\r{}\r", " ".repeat(self.width));
            let _ = err.flush();
            self.width = 0;
        }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
