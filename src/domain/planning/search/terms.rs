//! The objective by its parts.

/// The objective by part, or the difference of two, in 1/10 000 points; less is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Distance of every eater's days to the goals.
    pub nutrition: i64,
    pub rating: i64,
    /// Minutes of cooking.
    pub effort: i64,
    pub leftover: i64,
    /// Proteins and cuisines of the mains.
    pub variety: i64,
    pub cost: i64,
    pub overbudget: i64,
    /// Distinct foods to buy.
    pub items: i64,
    /// Pantry left to expire.
    pub waste: i64,
    /// What is not known of the dishes.
    pub coverage: i64,
    /// Season and wishes.
    pub preference: i64,
    /// Portions other than the usual ones.
    pub portions: i64,
    /// Meals of a tag that are missing or too many.
    pub quotas: i64,
    /// Recipes cooked more than once.
    pub repeat: i64,
    /// Dishes other than the current ones.
    pub change: i64,
    pub empty: i64,
}

impl Terms {
    /// Every part by its name.
    #[must_use]
    pub const fn named(&self) -> [(&'static str, i64); 16] {
        [
            ("nutrition", self.nutrition),
            ("rating", self.rating),
            ("effort", self.effort),
            ("leftover", self.leftover),
            ("variety", self.variety),
            ("cost", self.cost),
            ("overbudget", self.overbudget),
            ("items", self.items),
            ("waste", self.waste),
            ("coverage", self.coverage),
            ("preference", self.preference),
            ("portions", self.portions),
            ("quotas", self.quotas),
            ("repeat", self.repeat),
            ("change", self.change),
            ("empty", self.empty),
        ]
    }

    /// The objective.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.named().iter().map(|(_, value)| value).sum()
    }

    /// Part by part, `self - other`.
    #[must_use]
    pub const fn minus(&self, other: &Self) -> Self {
        Self {
            nutrition: self.nutrition - other.nutrition,
            rating: self.rating - other.rating,
            effort: self.effort - other.effort,
            leftover: self.leftover - other.leftover,
            variety: self.variety - other.variety,
            cost: self.cost - other.cost,
            overbudget: self.overbudget - other.overbudget,
            items: self.items - other.items,
            waste: self.waste - other.waste,
            coverage: self.coverage - other.coverage,
            preference: self.preference - other.preference,
            portions: self.portions - other.portions,
            quotas: self.quotas - other.quotas,
            repeat: self.repeat - other.repeat,
            change: self.change - other.change,
            empty: self.empty - other.empty,
        }
    }
}
