//! The search for the best plan: hard rules are filters, everything else is one integer objective.

mod problem;

pub use problem::*;

pub fn check(_: &Problem) -> Result<(), crate::domain::invalid::Invalid> {
    Ok(())
}
pub fn solve(_: &Problem) -> Solution {
    Solution::default()
}
