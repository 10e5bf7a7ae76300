//! A recipe as the household keeps it, and the checks on what people send.

use super::jsonld::RecipeDraft;
use super::slots::{MealSlot, suitable_slots};
use crate::domain::context::Rejection;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Servings taken for a recipe that does not say how many it makes.
pub(super) const ASSUMED_SERVINGS: u32 = 4;
const MOST_SERVINGS: u32 = 500;
const MOST_MINUTES: u32 = 14 * 24 * 60;
const MOST_LINES: usize = 300;
const LONGEST_TEXT: usize = 20_000;
const MOST_BYTES: usize = 200_000;
/// Name space of the ids of imported recipes.
const IMPORTED: Uuid = Uuid::from_u128(0x6d65_616c_2d70_6c61_6e6e_6572_2072_6563);

/// What a recipe says. Ingredient lines are free text, as one would write them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
    pub servings: u32,
    #[serde(default)]
    pub prep_minutes: Option<u32>,
    #[serde(default)]
    pub cook_minutes: Option<u32>,
    #[serde(default)]
    pub total_minutes: Option<u32>,
    /// Meals it suits; told from categories, keywords and name when left out.
    #[serde(default)]
    pub slots: Option<BTreeSet<MealSlot>>,
    #[serde(default)]
    pub categories: Vec<String>,
    #[serde(default)]
    pub cuisine: Option<String>,
    #[serde(default)]
    pub keywords: Vec<String>,
    pub ingredients: Vec<String>,
    #[serde(default)]
    pub steps: Vec<String>,
    /// Days the cooked dish keeps; 0 when it must be eaten at once.
    #[serde(default)]
    pub leftover_days: Option<u32>,
    #[serde(default)]
    pub source_url: Option<String>,
    #[serde(default)]
    pub image: Option<String>,
    #[serde(default)]
    pub author: Option<String>,
    #[serde(default)]
    pub license: Option<String>,
    /// What was odd about it where it came from.
    #[serde(default)]
    pub remarks: Vec<String>,
}

impl Recipe {
    /// Minutes from start to table, as far as it says.
    #[must_use]
    pub fn minutes(&self) -> Option<u32> {
        self.total_minutes.or(match (self.prep_minutes, self.cook_minutes) {
            (None, None) => None,
            (prep, cook) => Some(prep.unwrap_or(0).saturating_add(cook.unwrap_or(0))),
        })
    }

    /// Meals it suits: as it says, else as its words tell, else lunch and dinner.
    #[must_use]
    pub fn suits(&self) -> BTreeSet<MealSlot> {
        self.slots
            .clone()
            .or_else(|| suitable_slots(&self.categories, &self.keywords, &self.name))
            .unwrap_or_else(|| [MealSlot::Lunch, MealSlot::Dinner].into())
    }

    /// Days the cooked dish keeps: as it says, else three when it is known as one that keeps, else none.
    #[must_use]
    pub fn keeps_days(&self) -> u32 {
        const KEEPS: [&str; 5] =
            ["leftovers", "batch cooking", "freezer-friendly", "meal prep", "make-ahead"];
        let keeps = |word: &String| KEEPS.contains(&word.trim().to_lowercase().as_str());
        self.leftover_days.unwrap_or(if self.keywords.iter().any(keeps) { 3 } else { 0 }).min(14)
    }

    /// # Errors
    /// The first field that makes no sense.
    pub fn check(&self) -> Result<(), Rejection> {
        let no = |pointer: &str, message: String, hint: &str| Err(Rejection::invalid(pointer, message, hint));
        if !(1..=300).contains(&self.name.trim().chars().count()) {
            return no("/name", "the name is empty or too long".to_owned(), "write 1 to 300 characters");
        }
        if !(1..=MOST_SERVINGS).contains(&self.servings) {
            return no("/servings", format!("{} servings", self.servings), "give 1 to 500 servings");
        }
        for (pointer, minutes) in [
            ("/prep_minutes", self.prep_minutes),
            ("/cook_minutes", self.cook_minutes),
            ("/total_minutes", self.total_minutes),
        ] {
            if minutes.is_some_and(|minutes| minutes > MOST_MINUTES) {
                return no(
                    pointer,
                    format!("{} minutes", minutes.unwrap_or_default()),
                    "give at most two weeks",
                );
            }
        }
        if self.ingredients.len() > MOST_LINES || self.steps.len() > MOST_LINES {
            return no(
                "/ingredients",
                "too many lines".to_owned(),
                "a recipe has at most 300 lines and steps",
            );
        }
        let texts = self.ingredients.iter().chain(&self.steps).chain(self.description.iter());
        if texts.into_iter().any(|text| text.len() > LONGEST_TEXT) {
            return no(
                "",
                "a text is too long".to_owned(),
                "a line, step or description has at most 20,000 bytes",
            );
        }
        if self.bytes() > MOST_BYTES {
            return no(
                "",
                "the recipe is too long".to_owned(),
                "all its texts together have at most 200,000 bytes",
            );
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        let lists = [&self.ingredients, &self.steps, &self.categories, &self.keywords, &self.remarks];
        let texts =
            [&self.description, &self.cuisine, &self.source_url, &self.image, &self.author, &self.license];
        lists.into_iter().flatten().chain(texts.into_iter().flatten()).map(String::len).sum()
    }

    /// What people send by hand must have ingredients; what is imported comes in as it is.
    ///
    /// # Errors
    /// When it has none.
    pub fn check_has_ingredients(&self) -> Result<(), Rejection> {
        if self.ingredients.iter().any(|line| !line.trim().is_empty()) {
            return Ok(());
        }
        let hint = "add lines such as \"200 g red lentils\"";
        Err(Rejection::invalid("/ingredients", "a recipe needs at least one ingredient", hint))
    }
}

/// The recipe a draft stands for, cut to what can be kept.
#[must_use]
pub fn from_draft(draft: RecipeDraft) -> Recipe {
    let mut remarks = draft.remarks;
    let servings = draft.servings.map(|servings| servings.rounded().max(1));
    let servings = servings.and_then(|servings| u32::try_from(servings).ok()).filter(|n| *n <= MOST_SERVINGS);
    if servings.is_none() {
        remarks.push(format!("it does not say how many it serves; {ASSUMED_SERVINGS} were assumed"));
    }
    let within = |minutes: Option<u32>| minutes.filter(|minutes| *minutes <= MOST_MINUTES);
    let cut = |lines: Vec<String>| -> Vec<String> {
        lines.into_iter().take(MOST_LINES).map(|line| line.chars().take(LONGEST_TEXT / 4).collect()).collect()
    };
    Recipe {
        name: draft.name.chars().take(300).collect(),
        description: draft.description.map(|text| text.chars().take(LONGEST_TEXT / 4).collect()),
        servings: servings.unwrap_or(ASSUMED_SERVINGS),
        prep_minutes: within(draft.prep_minutes),
        cook_minutes: within(draft.cook_minutes),
        total_minutes: within(draft.total_minutes),
        slots: None,
        categories: draft.categories,
        cuisine: draft.cuisine,
        keywords: draft.keywords,
        ingredients: cut(draft.ingredient_lines),
        steps: cut(draft.steps),
        leftover_days: None,
        source_url: draft.source_url,
        image: draft.image,
        author: draft.author,
        license: draft.license,
        remarks,
    }
}

/// The id of an imported recipe: the same for the same source, so that importing twice does not double it.
#[must_use]
pub fn imported_id(draft: &RecipeDraft) -> Uuid {
    let name = draft.external_id.as_ref().or(draft.source_url.as_ref()).unwrap_or(&draft.name);
    Uuid::new_v5(&IMPORTED, name.as_bytes())
}
