//! Shopping lists: what has to be bought for a plan, and for which meal.
//!
//! Not known here: how a plan is found or a line is measured. Invariant: what could not be measured is on the
//! list as it was written, never dropped.

pub mod amount;
mod context;
pub mod merge;
mod needs;
mod views;

pub use context::{
    AddLine, CheckLine, Command, CompleteShoppingList, CreateShoppingList, DiscardShoppingList, Event, Facts,
    LineAdded, LineChecked, Shopping, ShoppingListCompleted, ShoppingListCreated, ShoppingListDiscarded,
    State,
};
pub use views::{ListLine, ListView, Lists};
