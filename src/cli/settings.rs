//! `config`: what is in effect, and why.

use super::config::{DEFAULT_FILE, Loaded, Source};
use super::failure::Failure;
use super::output::say;
use super::table::Table;
use serde_json::json;

/// # Errors
/// When nobody takes the output.
pub fn show(loaded: &Loaded, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return say(&json!({ "file": loaded.file, "values": loaded.shown }).to_string());
    }
    let mut table = Table::default().left("name").left("value").left("from");
    for shown in &loaded.shown {
        let value = if shown.value.is_empty() { "-" } else { &shown.value };
        table.row([shown.name, value, origin(loaded, shown.source).as_str()]);
    }
    say(&table.render())?;
    say(
        "\nFlags go before the environment (MEAL_PLANNER_*), that before the file, that before the defaults.",
    )?;
    match &loaded.file {
        Some(file) => say(&format!("File read: {}", file.display())),
        None => say(&format!(
            "No file was read: there is no {DEFAULT_FILE} here; `meal-planner config --template` prints one."
        )),
    }
}

fn origin(loaded: &Loaded, source: Source) -> String {
    match (source, &loaded.file) {
        (Source::Flag, _) => "flag".to_owned(),
        (Source::Environment, _) => "environment".to_owned(),
        (Source::File, Some(file)) => file.display().to_string(),
        (Source::File, None) => "file".to_owned(),
        (Source::Default, _) => "default".to_owned(),
    }
}
