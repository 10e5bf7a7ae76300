//! The recipes context: recipes with their versions, and what is in them as far as it is known.

use super::jsonld::{self, RecipeDraft};
use super::recipe::{Recipe, from_draft, imported_id};
use super::views::{Catalogue, Details, KnownFoods, Versions};
use crate::domain::context::{
    Context, Endpoint, Foreign, Given, KeyFrom, Need, Projection, ProjectionVisitor, Rejection, Rows, Verb,
};
use crate::domain::envelope::{Key, Metadata};
use crate::domain::erased;
use crate::domain::foods::{Food, FoodId};
use crate::domain::ingredients::{
    FoodIndex, FoodMatch, ParsedLine, RecipeNutrition, ResolvedLine, nutrition,
};
use crate::domain::message::DecodeError;
use crate::messages;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct CreateRecipe(pub Recipe);

/// Replaces what the recipe says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateRecipe {
    pub recipe: Recipe,
    /// Refuses the change when somebody else has changed the recipe since this version.
    #[serde(default)]
    pub expected_version: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteRecipe {}

/// Takes over a recipe as somebody else wrote it; never refuses odd lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportRecipe {
    pub draft: RecipeDraft,
}

/// Reads the ingredient lines anew, with the foods that are known now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CalculateNutrition {}

/// How much the household likes it, in stars.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateRecipe {
    pub stars: u8,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecipeCreated {
    pub recipe: Recipe,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecipeUpdated {
    pub recipe: Recipe,
    pub version: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecipeDeleted {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecipeImported {
    pub recipe: Recipe,
    pub version: u32,
}

/// The lines as they were understood, and what follows for a serving.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NutritionCalculated {
    pub lines: Vec<ResolvedLine>,
    pub nutrition: RecipeNutrition,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecipeRated {
    pub stars: u8,
}

messages! {
    pub enum Command {
        CreateRecipe = 1, UpdateRecipe = 1, DeleteRecipe = 1, ImportRecipe = 1, CalculateNutrition = 1,
        RateRecipe = 1,
    }
}
messages! {
    pub enum Event {
        RecipeCreated = 1, RecipeUpdated = 1, RecipeDeleted = 1, RecipeImported = 1, NutritionCalculated = 1,
        RecipeRated = 1,
    }
}

/// One recipe. A deleted one keeps its version, so that it can come back.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    recipe: Option<Recipe>,
    version: u32,
    calculated: Option<NutritionCalculated>,
    stars: Option<u8>,
}

/// The foods there are, as this context has learned them.
#[derive(Default)]
pub struct Facts {
    index: FoodIndex,
    foods: HashMap<FoodId, Arc<Food>>,
    matches: HashMap<String, FoodId>,
}

pub struct Recipes;

impl Context for Recipes {
    const NAME: &'static str = "recipes";
    type State = State;
    type Command = Command;
    type Event = Event;
    type Facts = Facts;

    fn decide(
        state: &State,
        command: &Command,
        facts: &Facts,
        metadata: &Metadata,
    ) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::CreateRecipe(_) if state.recipe.is_some() => {
                Err(Rejection::conflict("this recipe is there already", "PUT /api/recipes/{id} changes it"))
            }
            Command::CreateRecipe(CreateRecipe(recipe)) => {
                Ok(vec![RecipeCreated { recipe: recipe.clone() }.into(), calculate(recipe, facts).into()])
            }
            Command::ImportRecipe(ImportRecipe { draft }) => {
                let recipe = from_draft(draft.clone());
                if state.recipe.as_ref() == Some(&recipe) {
                    return Ok(refreshed(state, &recipe, facts));
                }
                let calculated = calculate(&recipe, facts).into();
                Ok(vec![RecipeImported { recipe, version: state.version + 1 }.into(), calculated])
            }
            Command::UpdateRecipe(update) => change(state, update, facts, metadata),
            Command::CalculateNutrition(_) => Ok(refreshed(state, there(state, metadata)?, facts)),
            Command::DeleteRecipe(_) => there(state, metadata).map(|_| vec![RecipeDeleted {}.into()]),
            Command::RateRecipe(RateRecipe { stars }) => {
                there(state, metadata)?;
                let same = state.stars == Some(*stars);
                Ok(if same { Vec::new() } else { vec![RecipeRated { stars: *stars }.into()] })
            }
        }
    }

    fn evolve(state: &mut State, event: &Event) {
        match event {
            Event::RecipeCreated(RecipeCreated { recipe }) => {
                state.recipe = Some(recipe.clone());
                state.version += 1;
            }
            Event::RecipeUpdated(RecipeUpdated { recipe, version })
            | Event::RecipeImported(RecipeImported { recipe, version }) => {
                state.recipe = Some(recipe.clone());
                state.version = *version;
            }
            Event::RecipeDeleted(_) => state.recipe = None,
            Event::NutritionCalculated(calculated) => state.calculated = Some(calculated.clone()),
            Event::RecipeRated(rated) => state.stars = Some(rated.stars),
        }
    }

    fn check(command: &Command) -> Result<(), Rejection> {
        match command {
            Command::CreateRecipe(CreateRecipe(recipe))
            | Command::UpdateRecipe(UpdateRecipe { recipe, .. }) => {
                recipe.check()?;
                recipe.check_has_ingredients()
            }
            Command::RateRecipe(RateRecipe { stars }) if !(1..=5).contains(stars) => {
                Err(Rejection::invalid("/stars", format!("{stars} stars"), "give 1 to 5 stars"))
            }
            Command::ImportRecipe(ImportRecipe { draft }) => from_draft(draft.clone()).check(),
            Command::DeleteRecipe(_) | Command::CalculateNutrition(_) | Command::RateRecipe(_) => Ok(()),
        }
    }

    fn needs(command: &Command) -> Vec<Need> {
        match command {
            Command::CreateRecipe(_)
            | Command::UpdateRecipe(_)
            | Command::ImportRecipe(_)
            | Command::CalculateNutrition(_) => vec![Need::all::<KnownFoods>()],
            Command::DeleteRecipe(_) | Command::RateRecipe(_) => Vec::new(),
        }
    }

    fn facts(rows: &Rows) -> Result<Facts, DecodeError> {
        let mut facts = Facts::default();
        for row in rows.of::<KnownFoods>()? {
            facts.matches.extend(row.phrases.into_iter().map(|phrase| (phrase, row.id.clone())));
            facts.foods.extend(row.food.map(|food| (row.id, Arc::new(food))));
        }
        facts.index = FoodIndex::new(facts.foods.values().cloned());
        Ok(facts)
    }

    fn read_foreign(
        type_name: &str,
        format: Foreign,
        body: &str,
    ) -> Option<Result<Vec<Given<Self>>, Rejection>> {
        match format {
            Foreign::JsonLd if type_name == "CreateRecipe" => {}
            Foreign::JsonLd => return None,
        }
        let given = |draft: RecipeDraft| {
            let key = Key::from(imported_id(&draft).to_string());
            (key, ImportRecipe { draft }.into())
        };
        let read = jsonld::read_any(body).map(|drafts| drafts.into_iter().map(given).collect());
        Some(read.map_err(|error| Rejection::invalid("", error.message, error.hint)))
    }

    fn endpoints() -> Vec<Endpoint> {
        let endpoint = |verb, path, type_name, key, summary| Endpoint {
            verb,
            path,
            type_name,
            key,
            summary,
            result: Some(Details::NAME),
        };
        vec![
            endpoint(
                Verb::Post,
                "/api/recipes",
                "CreateRecipe",
                KeyFrom::New,
                "Add a recipe (also as application/ld+json)",
            ),
            endpoint(Verb::Put, "/api/recipes/{id}", "UpdateRecipe", KeyFrom::Path, "Change a recipe"),
            endpoint(Verb::Delete, "/api/recipes/{id}", "DeleteRecipe", KeyFrom::Path, "Delete a recipe"),
            endpoint(
                Verb::Post,
                "/api/recipes/{id}/nutrition",
                "CalculateNutrition",
                KeyFrom::Path,
                "Read its lines anew",
            ),
            endpoint(Verb::Put, "/api/recipes/{id}/rating", "RateRecipe", KeyFrom::Path, "Rate a recipe"),
        ]
    }

    fn projections(visitor: &mut dyn ProjectionVisitor) {
        erased::show::<Catalogue>(visitor);
        erased::show::<Details>(visitor);
        erased::show::<Versions>(visitor);
        erased::show::<KnownFoods>(visitor);
    }
}

fn there<'s>(state: &'s State, metadata: &Metadata) -> Result<&'s Recipe, Rejection> {
    state.recipe.as_ref().ok_or_else(|| {
        Rejection::not_found(format!("there is no recipe {}", metadata.key), "GET /api/recipes lists them")
    })
}

fn change(
    state: &State,
    update: &UpdateRecipe,
    facts: &Facts,
    metadata: &Metadata,
) -> Result<Vec<Event>, Rejection> {
    let recipe = there(state, metadata)?;
    if update.expected_version.is_some_and(|version| version != state.version) {
        let hint = "read the recipe again and repeat the change on what it says now";
        return Err(Rejection::conflict(format!("the recipe is at version {} by now", state.version), hint));
    }
    if *recipe == update.recipe {
        return Ok(refreshed(state, recipe, facts));
    }
    let updated = RecipeUpdated { recipe: update.recipe.clone(), version: state.version + 1 };
    Ok(vec![updated.into(), calculate(&update.recipe, facts).into()])
}

/// Nothing, or the nutrition if the foods known now make a difference.
fn refreshed(state: &State, recipe: &Recipe, facts: &Facts) -> Vec<Event> {
    let calculated = calculate(recipe, facts);
    if state.calculated.as_ref() == Some(&calculated) { Vec::new() } else { vec![calculated.into()] }
}

fn calculate(recipe: &Recipe, facts: &Facts) -> NutritionCalculated {
    let lines: Vec<ResolvedLine> = recipe.ingredients.iter().map(|line| resolve(line, facts)).collect();
    let servings = NonZeroU32::new(recipe.servings).unwrap_or(NonZeroU32::MIN);
    let nutrition = nutrition(&lines, |id| facts.foods.get(id).cloned(), servings);
    NutritionCalculated { lines, nutrition }
}

/// A choice that somebody made for the phrase goes before the index's guess.
fn resolve(line: &str, facts: &Facts) -> ResolvedLine {
    let parsed = ParsedLine::read(line);
    let chosen = facts.matches.get(&parsed.food.trim().to_lowercase()).and_then(|id| facts.foods.get(id));
    match chosen {
        Some(food) => ResolvedLine::of(parsed, Some(FoodMatch { food: food.clone(), confidence: 1000 })),
        None => ResolvedLine::resolve(line, &facts.index),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::diet::Diet;
    use crate::domain::testing::{given, metadata};

    fn soup(line: &str) -> Recipe {
        Recipe { name: "Soup".into(), servings: 2, ingredients: vec![line.into()], ..Recipe::default() }
    }

    fn created() -> State {
        given::<Recipes>(&[RecipeCreated { recipe: soup("200 g leek") }.into()])
    }

    fn decide(state: &State, command: Command) -> Result<Vec<Event>, Rejection> {
        let leek = Arc::new(Food::unknown("leek".parse().unwrap(), "leek", Diet::Vegan));
        let facts = Facts {
            index: FoodIndex::new([leek.clone()]),
            foods: [(leek.id.clone(), leek)].into(),
            matches: HashMap::new(),
        };
        Recipes::decide(state, &command, &facts, &metadata())
    }

    #[test]
    fn a_recipe_comes_with_what_is_known_of_its_lines() {
        let events = decide(&State::default(), CreateRecipe(soup("200 g leek")).into()).unwrap();
        let [Event::RecipeCreated(_), Event::NutritionCalculated(calculated)] = events.as_slice() else {
            panic!("{events:?}");
        };
        assert_eq!(calculated.lines[0].food.as_ref().unwrap().as_str(), "leek");
        assert_eq!(calculated.nutrition.per_serving.kcal, None, "unknown is not zero");
    }

    #[test]
    fn a_change_on_an_old_version_is_refused() {
        let update = UpdateRecipe { recipe: soup("1 leek"), expected_version: Some(7) };
        assert!(decide(&created(), update.into()).is_err());
    }

    #[test]
    fn a_change_raises_the_version() {
        let update = UpdateRecipe { recipe: soup("1 leek"), expected_version: Some(1) };
        let events = decide(&created(), update.into()).unwrap();
        assert!(matches!(&events[0], Event::RecipeUpdated(updated) if updated.version == 2));
    }

    #[test]
    fn what_was_deleted_cannot_be_changed() {
        let state =
            given::<Recipes>(&[RecipeCreated { recipe: soup("1 leek") }.into(), RecipeDeleted {}.into()]);
        assert!(decide(&state, DeleteRecipe {}.into()).is_err());
        assert!(decide(&state, RateRecipe { stars: 3 }.into()).is_err());
    }

    #[test]
    fn importing_the_same_draft_twice_changes_nothing() {
        let draft = RecipeDraft {
            name: "Soup".into(),
            ingredient_lines: vec!["200 g leek".into(), "???".into()],
            ..RecipeDraft::default()
        };
        let command: Command = ImportRecipe { draft }.into();
        let events = decide(&State::default(), command.clone()).unwrap();
        assert_eq!(events.len(), 2);
        assert_eq!(decide(&given::<Recipes>(&events), command), Ok(vec![]));
    }
}
