//! Foods: composition, household measures and what they are bought as. Knows nothing of recipes or people.

mod aisle;
mod food;
mod table;

pub use aisle::Aisle;
pub use food::{Food, FoodId, InvalidFoodId};
pub use table::{TableError, read_table};
