//! Ingredient lines: what a line of free text says, which food it means, what that weighs and contains.
//!
//! Knows foods; knows nothing of recipes, people or plans. **Invariant:** reading never fails and never
//! invents: what is not understood stays text, what is not known is not counted.

mod clean;
mod grams;
mod lead;
mod lexicon;
mod line;
mod matching;
mod measures;
mod nutrition;
mod phrase;
mod quantity;
mod similarity;
mod tokens;
mod units;
mod words;

pub use grams::{Grams, How, Unmeasured, grams};
pub use line::{Measure, ParsedLine, Size};
pub use matching::{FoodIndex, FoodMatch, MIN_CONFIDENCE};
pub use nutrition::{Coverage, RecipeNutrition, ResolvedLine, Uncounted, nutrition};
pub use quantity::Quantity;
pub use units::{Unit, UnitKind};

#[cfg(test)]
mod line_tests;
#[cfg(test)]
mod matching_tests;
#[cfg(test)]
mod nutrition_tests;
