//! Shopping lists: what has to be bought for a plan, and for which meal.

pub mod amount;
pub mod merge;
