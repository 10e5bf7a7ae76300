//! The names of diets, in schema.org's words and in ours.

use super::node::short;
use super::text::clean;

const KNOWN: [(&str, &str); 11] = [
    ("DiabeticDiet", "diabetic"),
    ("GlutenFreeDiet", "gluten-free"),
    ("HalalDiet", "halal"),
    ("HinduDiet", "hindu"),
    ("KosherDiet", "kosher"),
    ("LowCalorieDiet", "low-calorie"),
    ("LowFatDiet", "low-fat"),
    ("LowLactoseDiet", "low-lactose"),
    ("LowSaltDiet", "low-salt"),
    ("VeganDiet", "vegan"),
    ("VegetarianDiet", "vegetarian"),
];

/// `gluten-free` for `https://schema.org/GlutenFreeDiet`, "Gluten Free" and the like; others in lower case.
pub(super) fn read(text: &str) -> String {
    let name = if text.contains("://") || text.starts_with("schema:") { short(text) } else { text };
    let key = letters(name);
    let known = KNOWN.iter().find(|(term, ours)| key == letters(term) || key == letters(ours));
    known.map_or_else(|| clean(&name.to_lowercase()), |(_, ours)| (*ours).to_owned())
}

/// The schema.org address of a diet, or its name when there is none.
pub(super) fn write(diet: &str) -> String {
    let known = KNOWN.iter().find(|(_, ours)| *ours == diet);
    known.map_or_else(|| diet.to_owned(), |(term, _)| format!("https://schema.org/{term}"))
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diets_are_told_by_address_term_and_name() {
        for (text, ours) in [
            ("https://schema.org/GlutenFreeDiet", "gluten-free"),
            ("http://schema.org/VeganDiet", "vegan"),
            ("schema:LowSaltDiet", "low-salt"),
            ("LowFatDiet", "low-fat"),
            ("Gluten Free", "gluten-free"),
            ("Vegetarian", "vegetarian"),
            ("Whole30", "whole30"),
            ("a/b", "a/b"),
        ] {
            assert_eq!(read(text), ours, "{text}");
        }
        for (_, ours) in KNOWN {
            assert_eq!(read(&write(ours)), ours);
        }
    }
}
