//! Reads a table of foods written as CSV.

use super::{Aisle, Food, FoodId};
use crate::domain::diet::{Allergen, Diet};
use crate::domain::measure::{Milli, Nutrients};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::str::FromStr;

const COLUMNS: [&str; 22] = [
    "id",
    "name",
    "aliases",
    "ndb",
    "kcal",
    "protein_g",
    "carbs_g",
    "fat_g",
    "saturated_fat_g",
    "fibre_g",
    "sugar_g",
    "sodium_mg",
    "density_g_per_ml",
    "cup_g",
    "tbsp_g",
    "tsp_g",
    "pieces",
    "shelf_life_days",
    "aisle",
    "allergens",
    "diet",
    "staple",
];

/// What is wrong in which cell; `line` counts from 1 and includes the header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct TableError {
    pub line: u64,
    pub column: String,
    pub message: String,
}

/// The foods of a CSV text with the header `id,name,aliases,ndb,kcal,…,staple`, in any column order.
///
/// An empty cell is unknown, `;` separates the parts of a list, pieces read `name=grams`.
///
/// # Errors
/// All faults of the table; no food is returned when there is one.
pub fn read_table(text: &str) -> Result<Vec<Food>, Vec<TableError>> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let header = reader.headers().cloned().map_err(|error| vec![fault(1, "", &error)])?;
    let places = places(&header)?;
    let (mut foods, mut faults, mut seen) = (Vec::new(), Vec::new(), BTreeMap::new());
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = record.position().map_or(0, csv::Position::line);
                let mut row = Row { record: &record, places: &places, line, faults: Vec::new() };
                let food = row.food();
                if let Some(before) = food.as_ref().and_then(|food| seen.insert(food.id.clone(), line)) {
                    row.fault("id", &format!("the same id stands on line {before} already"));
                }
                foods.extend(food);
                faults.append(&mut row.faults);
            }
            Err(error) => faults.push(fault(error.position().map_or(0, csv::Position::line), "", &error)),
        }
    }
    if faults.is_empty() { Ok(foods) } else { Err(faults) }
}

fn fault(line: u64, column: &str, message: &impl Display) -> TableError {
    TableError { line, column: column.to_owned(), message: message.to_string() }
}

/// Where each column stands; every column must be there once, and no other.
fn places(header: &csv::StringRecord) -> Result<BTreeMap<&'static str, usize>, Vec<TableError>> {
    let names: Vec<&str> = header.iter().map(|name| name.trim_start_matches('\u{feff}').trim()).collect();
    let mut faults: Vec<TableError> = names
        .iter()
        .filter(|name| !COLUMNS.contains(name))
        .map(|name| fault(1, name, &"is not a column of this table"))
        .collect();
    let mut places = BTreeMap::new();
    for column in COLUMNS {
        match names.iter().position(|&name| name == column) {
            Some(place) => drop(places.insert(column, place)),
            None => faults.push(fault(1, column, &"the column is missing")),
        }
    }
    if faults.is_empty() { Ok(places) } else { Err(faults) }
}

struct Row<'a> {
    record: &'a csv::StringRecord,
    places: &'a BTreeMap<&'static str, usize>,
    line: u64,
    faults: Vec<TableError>,
}

impl<'a> Row<'a> {
    fn cell(&self, column: &str) -> &'a str {
        self.places.get(column).and_then(|&place| self.record.get(place)).unwrap_or("").trim()
    }

    fn fault(&mut self, column: &str, message: &impl Display) {
        self.faults.push(fault(self.line, column, message));
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, column: &str, text: &str) -> Option<T> {
        text.parse().map_err(|error| self.fault(column, &error)).ok()
    }

    fn optional<T: FromStr<Err: Display>>(&mut self, column: &str) -> Option<T> {
        let text = self.cell(column);
        if text.is_empty() { None } else { self.parsed(column, text) }
    }

    fn list(&self, column: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.cell(column).split(';').map(str::trim).filter(|part| !part.is_empty())
    }

    fn decimal(&mut self, column: &str, text: &str) -> Option<Milli> {
        let value = text.parse().ok().and_then(Milli::from_f64);
        if value.is_none() {
            self.fault(column, &format!("\"{text}\" is not a decimal number"));
        }
        value
    }

    fn number(&mut self, column: &str) -> Option<Milli> {
        let text = self.cell(column);
        if text.is_empty() { None } else { self.decimal(column, text) }
    }

    fn composition(&mut self) -> Nutrients {
        Nutrients::from_array(Nutrients::NAMES.map(|column| self.number(column)))
    }

    fn pieces(&mut self) -> BTreeMap<String, Milli> {
        let mut pieces = BTreeMap::new();
        for part in self.list("pieces") {
            match part.split_once('=') {
                Some((name, grams)) => {
                    let grams = self.decimal("pieces", grams.trim());
                    pieces.extend(grams.map(|grams| (name.trim().to_lowercase(), grams)));
                }
                None => self.fault("pieces", &format!("\"{part}\" does not read name=grams")),
            }
        }
        pieces
    }

    fn allergens(&mut self) -> BTreeSet<Allergen> {
        self.list("allergens").filter_map(|name| self.parsed("allergens", name)).collect()
    }

    fn staple(&mut self) -> bool {
        match self.cell("staple").to_lowercase().as_str() {
            "" | "no" | "false" | "0" => false,
            "yes" | "true" | "1" => true,
            other => {
                self.fault("staple", &format!("\"{other}\" is neither yes nor no"));
                false
            }
        }
    }

    /// The food of this row; none when its id or diet cannot be read, which is then among the faults.
    fn food(&mut self) -> Option<Food> {
        let id: Option<FoodId> = self.parsed("id", self.cell("id"));
        let diet: Option<Diet> = self.parsed("diet", self.cell("diet"));
        let mut food = Food::unknown(id?, self.cell("name"), diet?);
        food.aliases = self.list("aliases").map(str::to_owned).collect();
        food.source =
            Some(self.cell("ndb")).filter(|ndb| !ndb.is_empty()).map(|ndb| format!("USDA NDB {ndb}"));
        food.per_100g = self.composition();
        food.density_g_per_ml = self.number("density_g_per_ml");
        food.cup_g = self.number("cup_g");
        food.tbsp_g = self.number("tbsp_g");
        food.tsp_g = self.number("tsp_g");
        food.pieces = self.pieces();
        food.shelf_life_days = self.optional("shelf_life_days");
        food.aisle = self.optional::<Aisle>("aisle").unwrap_or_default();
        food.allergens = self.allergens();
        food.staple = self.staple();
        if let Err(invalid) = food.check() {
            let column = invalid.pointer.trim_start_matches("/per_100g/").trim_start_matches('/').to_owned();
            self.fault(&column, &format!("{} ({})", invalid.message, invalid.hint));
        }
        Some(food)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table(rows: &[&str]) -> Result<Vec<Food>, Vec<TableError>> {
        read_table(&format!("{}\n{}\n", COLUMNS.join(","), rows.join("\n")))
    }

    #[test]
    fn a_row_is_a_food() {
        let foods = table(&[
            "egg,Egg,hen's egg;eggs,01123,143,12.56,0.72,9.51,3.1,0,,142,,243,,,each=50;large=57,21,dairy & eggs,egg,vegetarian,",
        ])
        .unwrap();
        let egg = &foods[0];
        assert_eq!(egg.per_100g.protein_g, Some(Milli(12_560)));
        assert_eq!(egg.per_100g.sugar_g, None);
        assert_eq!(egg.pieces["large"], Milli::whole(57));
        assert_eq!((egg.aisle, egg.shelf_life_days), (Aisle::DairyAndEggs, Some(21)));
        assert_eq!(egg.aliases, ["hen's egg", "eggs"]);
        assert_eq!(egg.source.as_deref(), Some("USDA NDB 01123"));
    }

    #[test]
    fn all_faults_are_told_with_line_and_column() {
        let faults = table(&[
            "a,A,,,x,,,,,,,,,,,,each,,attic,gold,vegan,maybe",
            "b,B,,,2000,,,,,,,,,,,,,,,,vegan,",
            "b,B,,,1,,,,,,,,,,,,,,,,vegan,",
            "c d,C,,,1,,,,,,,,,,,,,,,,carnivore,",
        ])
        .unwrap_err();
        let places: Vec<_> = faults.iter().map(|fault| (fault.line, fault.column.as_str())).collect();
        let of_first = [(2, "kcal"), (2, "pieces"), (2, "aisle"), (2, "allergens"), (2, "staple")];
        assert_eq!(places[..5], of_first);
        assert_eq!(places[5..], [(3, "kcal"), (4, "id"), (5, "id"), (5, "diet")]);
    }

    #[test]
    fn a_header_with_other_columns_is_refused() {
        let faults = read_table("id,name,calories\n").unwrap_err();
        assert!(faults.iter().any(|fault| fault.column == "calories"));
        assert!(faults.iter().any(|fault| fault.column == "kcal"));
    }

    proptest! {
        #[test]
        fn any_text_is_foods_or_faults(text in ".{0,200}") {
            let _ = table(&[&text]);
        }
    }
}
