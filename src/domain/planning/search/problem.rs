//! What a plan is searched for: plain integers, indexed by the caller.
//!
//! Amounts are in whatever small unit the caller picks for each nutrient (whole kcal, decigrams); mass is in whole
//! units (grams), prices in 1/10 000 of the currency per unit of mass. Prices of the objective are in 1/10 000 points.

/// How many nutrients a recipe and a goal have.
pub const NUTRIENTS: usize = 8;
/// One point in the objective's unit.
pub const POINT: i64 = 10_000;

/// A meal of the day, in the order of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Breakfast,
    Lunch,
    Dinner,
    Snack,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Breakfast, Self::Lunch, Self::Dinner, Self::Snack];

    /// The share of a day's goals that the meal carries, in percent.
    #[must_use]
    pub const fn share(self) -> i32 {
        match self {
            Self::Breakfast => 22,
            Self::Lunch => 33,
            Self::Dinner => 37,
            Self::Snack => 8,
        }
    }

    /// Lunch and dinner carry the variety rules.
    #[must_use]
    pub const fn is_main(self) -> bool {
        matches!(self, Self::Lunch | Self::Dinner)
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Breakfast => 1,
            Self::Lunch => 2,
            Self::Dinner => 4,
            Self::Snack => 8,
        }
    }
}

/// A set of meals of the day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Kinds(u8);

impl Kinds {
    pub const NONE: Self = Self(0);
    pub const ALL: Self = Self(15);

    #[must_use]
    pub fn of(kinds: &[Kind]) -> Self {
        kinds.iter().fold(Self::NONE, |all, kind| all.with(*kind))
    }

    #[must_use]
    pub const fn with(self, kind: Kind) -> Self {
        Self(self.0 | kind.bit())
    }

    #[must_use]
    pub const fn has(self, kind: Kind) -> bool {
        self.0 & kind.bit() != 0
    }
}

/// Everything the search knows. Two equal problems have equal plans on every machine.
#[derive(Clone, Debug, Default)]
pub struct Problem {
    /// 1 to 28 consecutive days.
    pub days: Vec<Day>,
    pub eaters: Vec<Eater>,
    pub recipes: Vec<Recipe>,
    pub foods: Vec<Food>,
    pub pantry: Vec<Lot>,
    pub locks: Vec<Lock>,
    pub eaten: Vec<Eaten>,
    /// What is planned so far; other dishes there cost `weights.change`.
    pub current: Vec<Current>,
    pub quotas: Vec<Quota>,
    /// Days on which goals are other than usual.
    pub shifts: Vec<Shift>,
    /// What nobody of this household is served, whoever eats.
    pub household: Needs,
    pub rules: Rules,
    pub weights: Weights,
    /// In 1/10 000 of the currency.
    pub budget: Option<i64>,
}

/// One day; each kind of meal at most once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Day {
    pub meals: Vec<Meal>,
}

/// A meal to be planned. The goals of a day shrink to the meals that an eater eats at home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meal {
    pub kind: Kind,
    /// Limits cooking, not the warming up of leftovers.
    pub max_minutes: Option<u32>,
    /// Who eats at home, as indices of eaters.
    pub eaters: Vec<u32>,
    pub guests: Vec<Guest>,
    /// No dish with any of these tags.
    pub forbidden_tags: u64,
    /// Only dishes with all of these tags.
    pub required_tags: u64,
}

/// People who eat along once: they have needs but no goals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guest {
    /// Servings, in percent.
    pub percent: u32,
    pub needs: Needs,
}

/// What somebody is never served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs {
    /// As bits. Who has any is not served recipes whose allergens are not completely known.
    pub allergens: u64,
    /// The least strict level eaten: 0 vegan, 1 vegetarian, 2 pescatarian, 3 everything.
    pub diet: u8,
    pub excluded_foods: Vec<u32>,
}

impl Default for Needs {
    fn default() -> Self {
        Self { allergens: 0, diet: 3, excluded_foods: Vec::new() }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Eater {
    pub goals: [Option<Goal>; NUTRIENTS],
    /// Percent of a serving to choose from at each meal; one entry is a fixed portion.
    pub portions: Vec<u16>,
    pub needs: Needs,
}

/// A daily goal: free from `lo` to `hi`, one slope outside, four times the slope beyond `min` and `max`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Goal {
    pub lo: Option<i32>,
    pub hi: Option<i32>,
    pub min: Option<i32>,
    pub max: Option<i32>,
    /// Being off by 1 % of this costs a tenth of the importance in points.
    pub reference: i32,
    pub importance: i32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipe {
    pub kinds: Kinds,
    /// `None`: unknown, and never within a limit.
    pub minutes: Option<u32>,
    pub allergens: u64,
    pub allergens_complete: bool,
    /// 0 vegan to 3 omnivore.
    pub diet: u8,
    /// Per serving; `None` is unknown, not nothing.
    pub nutrients: [Option<i32>; NUTRIENTS],
    /// Share of its lines that is accounted for.
    pub coverage_permille: u16,
    /// Food and mass per serving, each food once.
    pub foods: Vec<(u32, i32)>,
    /// Days the cooked dish keeps; 0: no leftovers.
    pub leftover_days: u8,
    /// 10 to 50.
    pub rating_x10: Option<u8>,
    pub cuisine: Option<u16>,
    /// Main protein class.
    pub protein: Option<u16>,
    pub tags: u64,
    /// What serving it costs by itself (season, wishes); negative is a bonus.
    pub preference: i32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Food {
    /// `None` is unknown: it costs nothing and counts as not covered.
    pub price: Option<i32>,
    /// Always at home: never bought, never wasted.
    pub staple: bool,
}

/// An amount at home. It covers only what is cooked on or before `last_day`; what of it is left then is wasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lot {
    pub food: u32,
    pub mass: i32,
    /// Counted from the first day of the plan (-1: gone already); `None`: keeps.
    pub last_day: Option<i32>,
}

/// A meal that is decided already; overrides the filters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    pub day: u32,
    pub kind: Kind,
    pub dish: Locked,
    /// Eater and percent of a serving; others are chosen.
    pub portions: Vec<(u32, u16)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locked {
    Recipe(u32),
    /// Not eaten from the plan: the goals of that day shrink.
    Empty,
    /// What is left of a meal that is locked to a recipe.
    LeftoverOf {
        day: u32,
        kind: Kind,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Eaten {
    pub recipe: u32,
    /// 1 is the day before the first; `None` keeps it out of the whole plan.
    pub days_before: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Current {
    pub day: u32,
    pub kind: Kind,
    /// `None`: nothing.
    pub recipe: Option<u32>,
}

/// A goal of one day lies higher (or, negative, lower) by an amount: what was eaten otherwise is made up for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shift {
    pub day: u32,
    pub eater: u32,
    pub nutrient: u8,
    pub amount: i32,
}

/// "Fish at least once a week": how many meals of some days carry a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// As bits; a meal counts if its dish has any of them.
    pub tags: u64,
    pub kinds: Kinds,
    pub first_day: u32,
    pub last_day: u32,
    pub least: u32,
    pub most: u32,
    pub price_missing: i64,
    pub price_excess: i64,
}

/// Rules that shape the plan; none of them is a price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Two cookings of a recipe are at least so many days apart (7: not twice in any seven days); 0: no rule.
    pub repeat_gap_main_days: u32,
    pub repeat_gap_other_days: u32,
    pub leftover_max_days: u32,
    /// Meals that may eat what is left of one cooking.
    pub leftover_uses: u8,
    pub leftover_from: Kinds,
    pub leftover_into: Kinds,
    /// Leftovers only of recipes that suit the meal.
    pub leftover_must_suit: bool,
    /// Leftover meals beyond this many cost `weights.leftover_excess` each.
    pub leftover_cap: u32,
    pub cuisine_cap: u32,
    pub protein_cap: u32,
    /// Days over which the caps count; 0: the whole plan.
    pub cap_days: u32,
    /// Recipes whose lines are known to a smaller share are not planned.
    pub min_coverage_permille: u16,
    pub unrated_x10: u8,
    pub unknown_minutes: u32,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            repeat_gap_main_days: 7,
            repeat_gap_other_days: 3,
            leftover_max_days: 3,
            leftover_uses: 1,
            leftover_from: Kinds::of(&[Kind::Dinner]),
            leftover_into: Kinds::of(&[Kind::Lunch]),
            leftover_must_suit: false,
            leftover_cap: u32::MAX,
            cuisine_cap: 3,
            protein_cap: 4,
            cap_days: 0,
            min_coverage_permille: 0,
            unrated_x10: 35,
            unknown_minutes: 30,
        }
    }
}

/// Prices of what is not wanted, in 1/10 000 points; 0 switches one off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weights {
    /// Of the goals, in percent.
    pub nutrition: i64,
    /// Per star below five, per meal.
    pub rating_star: i64,
    /// Per minute of cooking.
    pub minute: i64,
    /// Per leftover meal; negative is a bonus.
    pub leftover: i64,
    pub leftover_excess: i64,
    /// The two mains of a day share their protein.
    pub protein_same_day: i64,
    pub cuisine_excess: i64,
    pub protein_excess: i64,
    /// Per unit of the currency.
    pub money: i64,
    pub over_budget: i64,
    /// Per unit of the currency left to expire.
    pub waste: i64,
    /// Per distinct food to buy.
    pub item: i64,
    /// Per meal and percent of the recipe's lines that is not accounted for.
    pub coverage: i64,
    /// Per eater, meal, and point of importance of a goal whose nutrient is unknown.
    pub unknown: i64,
    /// Per meal and food without a price.
    pub unpriced: i64,
    /// Per eater, meal, and 25 % away from a whole portion.
    pub portion: i64,
    /// Per cooking of a recipe beyond its first.
    pub repeat: i64,
    /// Per meal whose dish is not the current one.
    pub change: i64,
    /// Per meal that stays empty.
    pub empty: i64,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            nutrition: 100,
            rating_star: POINT,
            minute: 500,
            leftover: POINT,
            leftover_excess: 0,
            protein_same_day: 5 * POINT,
            cuisine_excess: 4 * POINT,
            protein_excess: 4 * POINT,
            money: POINT,
            over_budget: 4 * POINT,
            waste: 3 * POINT,
            item: POINT / 2,
            coverage: 0,
            unknown: 0,
            unpriced: 0,
            portion: 0,
            repeat: 0,
            change: 0,
            empty: 10_000 * POINT,
        }
    }
}
