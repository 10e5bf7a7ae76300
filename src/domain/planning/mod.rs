//! Meal plans: which meals a household eats in the days to come.

pub mod search;
