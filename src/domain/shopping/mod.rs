//! Shopping lists: what has to be bought for a plan, and for which meal.
//!
//! Not known here: how a plan is found or a line is measured. Invariant: what could not be measured is on the
//! list as it was written, never dropped; what somebody has ticked off or added stays, however the plan changes.

pub mod amount;
mod context;
mod follow;
pub mod merge;
mod needs;
mod views;

pub use context::{
    AddLine, CheckLine, Command, CompleteShoppingList, CreateShoppingList, DiscardShoppingList, Event, Facts,
    FollowPlan, LineAdded, LineChecked, PlanFollowed, Shopping, ShoppingListCompleted, ShoppingListCreated,
    ShoppingListDiscarded, ShoppingListUpdated, State, UpdateShoppingList,
};
pub use views::{ListLine, ListView, Lists};
