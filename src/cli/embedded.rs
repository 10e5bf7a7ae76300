//! What the program brings along: the starter foods and the cookbook of the demo.

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "data"]
struct Data;

/// The table of starter foods.
#[must_use]
pub fn foods() -> Option<String> {
    text("foods.csv")
}

/// The recipes of the demo: name of the file and text.
#[must_use]
pub fn cookbook() -> Vec<(String, String)> {
    let names = Data::iter().filter(|name| name.starts_with("cookbook/") && name.ends_with(".jsonld"));
    names.filter_map(|name| text(&name).map(|text| (name.into_owned(), text))).collect()
}

fn text(name: &str) -> Option<String> {
    Some(String::from_utf8_lossy(&Data::get(name)?.data).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_brings_its_foods_and_recipes_along() {
        assert!(crate::domain::foods::read_table(&foods().unwrap()).is_ok());
        assert!(cookbook().len() > 20);
    }
}
