//! The foods context: one catalogue of foods, and which food a phrase was said to mean.

use super::{Food, FoodId};
use crate::domain::context::{
    Context, Endpoint, KeyFrom, Projection, ProjectionVisitor, Rejection, Route, Verb, read_as,
};
use crate::domain::envelope::{Envelope, Metadata};
use crate::domain::erased;
use crate::domain::message::DecodeError;
use crate::messages;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The key of the only aggregate.
pub const CATALOGUE: &str = "catalogue";
/// Foods in one command at most.
const MOST_FOODS: usize = 2_000;

/// Adds foods and replaces those with the same id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportFoods {
    pub foods: Vec<Food>,
}

/// Says once and for all which food a phrase in ingredient lines means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MatchIngredient {
    pub phrase: String,
    pub food: FoodId,
}

/// Foods that are new or differ from what was known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FoodsImported {
    pub foods: Vec<Food>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IngredientMatched {
    pub phrase: String,
    pub food: FoodId,
}

messages! { pub enum Command { ImportFoods = 1, MatchIngredient = 1 } }
messages! { pub enum Event { FoodsImported = 1, IngredientMatched = 1 } }

/// All foods by id, and the chosen matches.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    foods: BTreeMap<FoodId, Food>,
    matches: BTreeMap<String, FoodId>,
}

pub struct Foods;

impl Context for Foods {
    const NAME: &'static str = "foods";
    type State = State;
    type Command = Command;
    type Event = Event;
    type Facts = ();

    fn decide(state: &State, command: &Command, (): &(), _: &Metadata) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::ImportFoods(import) => {
                let known = |food: &&Food| state.foods.get(&food.id) != Some(food);
                let foods: Vec<Food> = import.foods.iter().filter(known).cloned().collect();
                Ok(if foods.is_empty() { Vec::new() } else { vec![FoodsImported { foods }.into()] })
            }
            Command::MatchIngredient(MatchIngredient { phrase, food }) => {
                let phrase = phrase.trim().to_lowercase();
                if !state.foods.contains_key(food) {
                    let hint = "GET /api/foods?q= finds the ids of foods";
                    return Err(Rejection::not_found(format!("there is no food {food}"), hint));
                }
                if state.matches.get(&phrase) == Some(food) {
                    return Ok(Vec::new());
                }
                Ok(vec![IngredientMatched { phrase, food: food.clone() }.into()])
            }
        }
    }

    fn evolve(state: &mut State, event: &Event) {
        match event {
            Event::FoodsImported(imported) => {
                state.foods.extend(imported.foods.iter().map(|food| (food.id.clone(), food.clone())));
            }
            Event::IngredientMatched(matched) => {
                state.matches.insert(matched.phrase.clone(), matched.food.clone());
            }
        }
    }

    fn check(command: &Command) -> Result<(), Rejection> {
        match command {
            Command::ImportFoods(ImportFoods { foods }) if foods.len() > MOST_FOODS => {
                let hint = format!("send at most {MOST_FOODS} foods at a time");
                Err(Rejection::invalid("/foods", format!("{} foods are too many", foods.len()), hint))
            }
            Command::ImportFoods(ImportFoods { foods }) => {
                for (n, food) in foods.iter().enumerate() {
                    food.check().map_err(|fault| {
                        Rejection::invalid(&format!("/foods/{n}{}", fault.pointer), fault.message, fault.hint)
                    })?;
                }
                Ok(())
            }
            Command::MatchIngredient(matched) if matched.phrase.trim().is_empty() => Err(Rejection::invalid(
                "/phrase",
                "the phrase is empty",
                "write the words of the ingredient line",
            )),
            Command::MatchIngredient(_) => Ok(()),
        }
    }

    fn endpoints() -> Vec<Endpoint> {
        let endpoint = |path, type_name, summary| Endpoint {
            verb: Verb::Post,
            path,
            type_name,
            key: KeyFrom::Fixed(CATALOGUE),
            summary,
            result: None,
        };
        vec![
            endpoint("/api/foods", "ImportFoods", "Add foods or replace those with the same id"),
            endpoint("/api/foods/matches", "MatchIngredient", "Say which food a phrase means"),
        ]
    }

    fn projections(visitor: &mut dyn ProjectionVisitor) {
        erased::show::<Catalogue>(visitor);
    }
}

/// What read models that care about foods alone read: the common body of their [`Projection::read`].
///
/// # Errors
/// When the event does not decode.
pub fn read_imported(envelope: &Envelope) -> Result<Option<FoodsImported>, DecodeError> {
    Ok(match read_as::<Foods>(envelope)? {
        Some(Event::FoodsImported(imported)) => Some(imported),
        Some(Event::IngredientMatched(_)) | None => None,
    })
}

impl FoodsImported {
    /// The rows that are keyed by food.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.foods.iter().map(|food| food.id.to_string()).collect()
    }

    /// The food of a row; the last one counts when one stands there twice.
    #[must_use]
    pub fn food(&self, key: &str) -> Option<&Food> {
        self.foods.iter().rev().find(|food| food.id.as_str() == key)
    }
}

/// Every food, by id.
pub struct Catalogue;

impl Projection for Catalogue {
    const NAME: &'static str = "foods_catalogue";
    const READS: &'static [&'static str] = &[Foods::NAME];
    type Row = Food;
    type Event = FoodsImported;

    fn read(envelope: &Envelope) -> Result<Option<FoodsImported>, DecodeError> {
        read_imported(envelope)
    }

    fn keys(_: &Envelope, event: &FoodsImported) -> Vec<String> {
        event.keys()
    }

    fn apply(row: &mut Option<Food>, key: &str, _: &Envelope, event: &FoodsImported) {
        if let Some(food) = event.food(key) {
            *row = Some(food.clone());
        }
    }

    fn sort(row: &Food) -> String {
        row.name.to_lowercase()
    }

    fn search(row: &Food) -> String {
        format!("{} {}", row.name, row.aliases.join(" "))
    }

    fn routes() -> Vec<Route> {
        vec![
            Route::List { path: "/api/foods", summary: "Foods by name" },
            Route::Item { path: "/api/foods/{id}", summary: "One food" },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::diet::Diet;
    use crate::domain::testing::{given, metadata};

    fn food(name: &str) -> Food {
        Food::unknown("leek".parse().unwrap(), name, Diet::Vegan)
    }

    fn import(name: &str) -> Command {
        ImportFoods { foods: vec![food(name)] }.into()
    }

    #[test]
    fn importing_the_same_foods_again_changes_nothing() {
        let state = given::<Foods>(&[FoodsImported { foods: vec![food("leek")] }.into()]);
        assert_eq!(Foods::decide(&state, &import("leek"), &(), &metadata()), Ok(vec![]));
        assert_eq!(Foods::decide(&state, &import("Leek"), &(), &metadata()).unwrap().len(), 1);
    }

    #[test]
    fn a_phrase_cannot_mean_a_food_that_is_not_there() {
        let command = MatchIngredient { phrase: "leeks".into(), food: "leek".parse().unwrap() }.into();
        assert!(Foods::decide(&State::default(), &command, &(), &metadata()).is_err());
    }
}
