//! At which meals a recipe can be eaten, told from what it is called and filed under.

mod words;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use words::{DISHES, MEALS, Table};

/// A meal of the day, in the order of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MealSlot {
    Breakfast,
    Lunch,
    Dinner,
    Snack,
}

impl MealSlot {
    pub const ALL: [Self; 4] = [Self::Breakfast, Self::Lunch, Self::Dinner, Self::Snack];

    /// As it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Breakfast => "breakfast",
            Self::Lunch => "lunch",
            Self::Dinner => "dinner",
            Self::Snack => "snack",
        }
    }
}

impl fmt::Display for MealSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The word names no meal slot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no meal slot: use breakfast, lunch, dinner or snack")]
pub struct UnknownSlot(pub String);

impl FromStr for MealSlot {
    type Err = UnknownSlot;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = |slot: &Self| text.trim().eq_ignore_ascii_case(slot.as_str());
        Self::ALL.into_iter().find(named).ok_or_else(|| UnknownSlot(text.to_owned()))
    }
}

/// The slots that suit a recipe; `None` when nothing tells, and none at all for what is not eaten by itself (sauces,
/// spice mixes, stock).
///
/// Categories are believed before keywords, keywords before the name; but a "spaghetti sauce" filed under pasta is a
/// sauce.
#[must_use]
pub fn suitable_slots(categories: &[String], keywords: &[String], name: &str) -> Option<BTreeSet<MealSlot>> {
    let component =
        || head(name, DISHES).filter(|kind| *kind == Kind::Component).map(|kind| BTreeSet::from([kind]));
    let kinds = meals(categories)
        .or_else(component)
        .or_else(|| dishes(categories))
        .or_else(|| meals(keywords))
        .or_else(|| dishes(keywords))
        .or_else(|| dish(name))?;
    Some(kinds.iter().flat_map(|kind| kind.slots()).copied().collect())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Breakfast,
    Brunch,
    Lunch,
    Dinner,
    Main,
    Snack,
    /// Part of a dish.
    Component,
}

impl Kind {
    const fn slots(self) -> &'static [MealSlot] {
        match self {
            Self::Breakfast => &[MealSlot::Breakfast],
            Self::Brunch => &[MealSlot::Breakfast, MealSlot::Lunch],
            Self::Lunch => &[MealSlot::Lunch],
            Self::Dinner => &[MealSlot::Dinner],
            Self::Main => &[MealSlot::Lunch, MealSlot::Dinner],
            Self::Snack => &[MealSlot::Snack],
            Self::Component => &[],
        }
    }
}

fn meals(terms: &[String]) -> Option<BTreeSet<Kind>> {
    Some(terms.iter().flat_map(|term| all(term, MEALS)).collect())
        .filter(|kinds: &BTreeSet<Kind>| !kinds.is_empty())
}

fn dishes(terms: &[String]) -> Option<BTreeSet<Kind>> {
    Some(terms.iter().filter_map(|term| head(term, DISHES)).collect())
        .filter(|kinds: &BTreeSet<Kind>| !kinds.is_empty())
}

/// What a name says: the time of day anywhere in it, else its last word that is a dish, else its course.
fn dish(name: &str) -> Option<BTreeSet<Kind>> {
    let timed = |kind: &Kind| matches!(kind, Kind::Breakfast | Kind::Brunch | Kind::Lunch);
    let meals: BTreeSet<Kind> = all(name, MEALS).into_iter().filter(timed).collect();
    if !meals.is_empty() {
        return Some(meals);
    }
    head(name, DISHES).or_else(|| head(name, MEALS)).map(|kind| BTreeSet::from([kind]))
}

fn all(term: &str, table: Table) -> Vec<Kind> {
    matches(&words(term), table).into_iter().map(|(_, kind)| kind).collect()
}

/// The last match before "with", "in" and the like, since what follows only accompanies; else the last of all.
fn head(term: &str, table: Table) -> Option<Kind> {
    const ACCOMPANYING: [&str; 7] = ["with", "in", "on", "for", "mit", "avec", "con"];
    let words = words(term);
    let end = words.iter().position(|word| ACCOMPANYING.contains(&word.as_str())).unwrap_or(words.len());
    let last = |words: &[String]| {
        matches(words, table).into_iter().max_by_key(|(end, _)| *end).map(|(_, kind)| kind)
    };
    last(&words[..end]).or_else(|| last(&words))
}

/// The kinds whose phrases occur, each with its last word's place; a phrase hides the shorter ones within it.
fn matches(words: &[String], table: Table) -> Vec<(usize, Kind)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let longest = (1..=3).rev().filter_map(|len| words.get(at..at + len)).find_map(|run| {
            let phrase = run.join(" ");
            let kind = table.iter().find(|(_, phrases)| phrases.split(", ").any(|known| known == phrase))?.0;
            Some((run.len(), kind))
        });
        let len = longest.map_or(1, |(len, _)| len);
        found.extend(longest.map(|(_, kind)| (at + len, kind)));
        at += len;
    }
    found
}

/// Lower-case words in the singular.
fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(singular).collect()
}

fn singular(word: &str) -> String {
    const KEPT: [&str; 6] = ["hummus", "couscous", "swiss", "molasses", "schnapps", "bliss"];
    if KEPT.contains(&word) || word.ends_with("ss") || word.chars().count() < 4 {
        return word.to_owned();
    }
    for (ending, instead) in [("ies", "y"), ("ches", "ch"), ("shes", "sh"), ("toes", "to"), ("s", "")] {
        if let Some(stem) = word.strip_suffix(ending) {
            return match word {
                "cookies" | "smoothies" | "brownies" | "pies" | "veggies" => {
                    word.trim_end_matches('s').to_owned()
                }
                "quiches" => "quiche".to_owned(),
                _ => format!("{stem}{instead}"),
            };
        }
    }
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use super::MealSlot::{Breakfast, Dinner, Lunch, Snack};
    use super::*;
    use proptest::prelude::*;

    fn slots(categories: &[&str], keywords: &[&str], name: &str) -> Option<Vec<MealSlot>> {
        let owned = |terms: &[&str]| terms.iter().map(|term| (*term).to_owned()).collect::<Vec<_>>();
        suitable_slots(&owned(categories), &owned(keywords), name).map(|set| set.into_iter().collect())
    }

    #[test]
    fn categories_tell_the_slots() {
        for (categories, expected) in [
            (vec!["Breakfast"], vec![Breakfast]),
            (vec!["Breakfast & Brunch"], vec![Breakfast, Lunch]),
            (vec!["brunch"], vec![Breakfast, Lunch]),
            (vec!["Lunch"], vec![Lunch]),
            (vec!["Main Course"], vec![Lunch, Dinner]),
            (vec!["Main dishes"], vec![Lunch, Dinner]),
            (vec!["dinner"], vec![Dinner]),
            (vec!["Supper"], vec![Dinner]),
            (vec!["Lunch", "Dinner"], vec![Lunch, Dinner]),
            (vec!["Entrees"], vec![Lunch, Dinner]),
            (vec!["Soups, Stews"], vec![Lunch, Dinner]),
            (vec!["Salads"], vec![Lunch, Dinner]),
            (vec!["Hauptgericht"], vec![Lunch, Dinner]),
            (vec!["Desserts"], vec![Snack]),
            (vec!["appetizer"], vec![Snack]),
            (vec!["Side Dish"], vec![Snack]),
            (vec!["Drinks"], vec![Snack]),
            (vec!["Cookies"], vec![Snack]),
            (vec!["Dessert", "Breakfast"], vec![Breakfast, Snack]),
            (vec!["Side Dish", "Soup"], vec![Snack]),
            (vec!["Condiments"], vec![]),
        ] {
            assert_eq!(slots(&categories, &[], ""), Some(expected), "{categories:?}");
        }
    }

    #[test]
    fn names_tell_when_nothing_else_does() {
        for (name, expected) in [
            ("Blueberry pancakes", vec![Breakfast]),
            ("Fish cakes", vec![Lunch, Dinner]),
            ("Carrot cake", vec![Snack]),
            ("Chicken salad sandwiches", vec![Lunch]),
            ("Spaghetti in tomato sauce", vec![Lunch, Dinner]),
            ("Meatballs with mustard sauce", vec![Lunch, Dinner]),
            ("Pizza sauce", vec![]),
            ("Salad dressing", vec![]),
            ("Curry powder", vec![]),
            ("Breakfast burrito", vec![Breakfast]),
            ("Chocolate chip cookies", vec![Snack]),
            ("Fruit salad", vec![Snack]),
            ("Stir-fry", vec![Lunch, Dinner]),
            ("Sweet potatoes", vec![Lunch, Dinner]),
            ("Sourdough starter", vec![]),
            ("Dinner rolls", vec![Snack]),
            ("Party snack", vec![Snack]),
            ("Fish and chips", vec![Lunch, Dinner]),
        ] {
            assert_eq!(slots(&[], &[], name), Some(expected), "{name}");
        }
    }

    #[test]
    fn categories_come_before_keywords_and_these_before_the_name() {
        assert_eq!(slots(&["Dessert"], &["dinner"], "Soup"), Some(vec![Snack]));
        assert_eq!(slots(&["Pasta"], &["dinner"], "Spaghetti sauce"), Some(vec![]));
        assert_eq!(slots(&["Dessert"], &[], "Caramel sauce"), Some(vec![Snack]));
        assert_eq!(slots(&["Vegan"], &["breakfast"], "Soup"), Some(vec![Breakfast]));
        assert_eq!(slots(&["Vegan"], &["quick"], "Soup"), Some(vec![Lunch, Dinner]));
    }

    #[test]
    fn what_tells_nothing_is_unknown() {
        for name in ["", "Grandma's secret", "Älplermagronen", "Pan-Galactic"] {
            assert_eq!(slots(&["Swiss", "quick"], &["cheap"], name), None, "{name}");
        }
    }

    #[test]
    fn slots_have_names() {
        for slot in MealSlot::ALL {
            assert_eq!(slot.to_string().parse(), Ok(slot));
            assert_eq!(serde_json::to_string(&slot).unwrap(), format!("\"{slot}\""));
        }
        assert_eq!(" Dinner ".parse(), Ok(Dinner));
        assert!(
            "tea".parse::<MealSlot>().unwrap_err().to_string().contains("breakfast, lunch, dinner or snack")
        );
    }

    proptest! {
        #[test]
        fn telling_never_panics(terms in prop::collection::vec(".*", 0..4), name in ".*|(soup|s| |with|es|ß){0,8}") {
            let _ = suitable_slots(&terms, &terms, &name);
        }
    }
}
