//! Foods: composition, household measures and what they are bought as. Knows nothing of recipes or people.

mod aisle;
mod context;
mod food;
mod table;

pub use aisle::Aisle;
pub use context::{
    CATALOGUE, Catalogue, Command, Event, Foods, FoodsImported, ImportFoods, IngredientMatched,
    MatchIngredient, State, read_imported,
};
pub use food::{Food, FoodId, InvalidFoodId};
pub use table::{TableError, read_table};
