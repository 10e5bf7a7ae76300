//! `actors`: the tree as a table.

use super::failure::Failure;
use super::output::say;
use super::table::{Table, shorten};
use super::wire::{Actor, Page};
use crate::clients::own_api::{OwnApi, decode};

const PATH: &str = "/admin/actors";
const LONGEST_ERROR: usize = 60;

/// # Errors
/// When the server does not answer.
pub async fn run(api: &OwnApi, as_json: bool) -> Result<(), Failure> {
    let text = api.get(PATH, &[]).await?;
    if as_json {
        return say(&text);
    }
    let page: Page<Actor> = decode(PATH, &text)?;
    say(&table(&page.items).render())
}

fn table(actors: &[Actor]) -> Table {
    let table = Table::default().left("actor").left("kind").left("state").right("gen").right("restarts");
    let table = table.right("waiting").right("in flight").right("handled").right("failed");
    let mut table = table.left("last error");
    for actor in actors {
        table.row([
            indented(&actor.path),
            actor.kind.clone(),
            actor.state.clone(),
            actor.generation.to_string(),
            actor.restarts.to_string(),
            actor.waiting.to_string(),
            actor.in_flight.to_string(),
            actor.handled.to_string(),
            actor.failed.to_string(),
            shorten(&actor.last_error.clone().unwrap_or_default().replace('\n', " "), LONGEST_ERROR),
        ]);
    }
    table
}

/// The last part of the path, below its parents.
fn indented(path: &str) -> String {
    if path.is_empty() {
        return "(root)".to_owned();
    }
    let depth = path.matches('/').count() + 1;
    let name = path.rsplit('/').next().unwrap_or(path);
    format!("{}{name}", "  ".repeat(depth))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_stand_below_their_parents() {
        let paths = ["", "contexts", "contexts/recipes"];
        assert_eq!(paths.map(indented), ["(root)", "  contexts", "    recipes"]);
    }
}
