//! The parts of the objective, by name.

use schemars::JsonSchema;
use serde::Serialize;
use std::ops::Sub;

macro_rules! terms {
    ($($(#[$doc:meta])* $variant:ident $field:ident,)*) => {
        /// A part of the objective.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Term { $($(#[$doc])* $variant,)* }

        impl Term {
            pub const ALL: [Self; TERMS] = [$(Self::$variant),*];
        }

        /// The objective by part, or a difference of two. 10 000 is one point; less is better.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
        pub struct Terms { $($(#[$doc])* pub $field: i64,)* }

        impl Terms {
            #[must_use]
            pub const fn get(&self, term: Term) -> i64 {
                match term { $(Term::$variant => self.$field,)* }
            }

            pub(super) const fn get_mut(&mut self, term: Term) -> &mut i64 {
                match term { $(Term::$variant => &mut self.$field,)* }
            }
        }
    };
}

pub(super) const TERMS: usize = 14;

terms! {
    /// Distance of every eater's days to the goals.
    Nutrition nutrition,
    /// Portions other than the usual one.
    Portions portions,
    Rating rating,
    /// Minutes of cooking.
    Effort effort,
    /// Proteins and cuisines of the mains.
    Variety variety,
    /// Recipes cooked more than once.
    Repetition repetition,
    Money money,
    OverBudget over_budget,
    /// Distinct foods to buy.
    Items items,
    /// Pantry left to expire.
    Waste waste,
    Leftovers leftovers,
    /// What is not known of the dishes.
    Coverage coverage,
    /// Dishes other than in the previous plan.
    Change change,
    Empty empty,
}

impl Terms {
    /// The objective.
    #[must_use]
    pub fn total(&self) -> i64 {
        Term::ALL.iter().map(|&term| self.get(term)).sum()
    }
}

impl Sub for Terms {
    type Output = Self;
    fn sub(mut self, other: Self) -> Self {
        for term in Term::ALL {
            *self.get_mut(term) -= other.get(term);
        }
        self
    }
}
