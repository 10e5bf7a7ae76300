//! The weekly problem as flat integers, the only thing that the bound reads.

/// The meals of a day, in this order: breakfast, lunch, dinner, snack.
pub const SLOTS: usize = 4;
pub const LUNCH: usize = 1;
pub const DINNER: usize = 2;

/// What a weight is divided by where it multiplies money.
pub const UNIT: i64 = 10_000;

/// One problem; all amounts and weights are >= 0 and the objective is to be minimised.
///
/// It is the sum of: `Meal::choices` and `Recipe::again` of what is eaten, nutrition by `goals`, items bought,
/// money spent (`money`) and spent over the budget (`over_budget`), stock with a last day that is left
/// (`waste`), lunches and dinners above the caps of cuisine and protein, and `protein_same_day`; money terms may
/// be rounded down. A term that the model cannot hold may be dropped only if it is never negative. Rules that it
/// does not hold (locks, allergens, minutes) are choices left out; a rule dropped only weakens the bound.
#[derive(Clone, Debug, Default)]
pub struct Model {
    pub days: usize,
    pub eaters: usize,
    pub nutrients: usize,
    pub recipes: Vec<Recipe>,
    pub items: Vec<Item>,
    /// Index `day * SLOTS + slot`.
    pub meals: Vec<Meal>,
    /// Index `(day * eaters + eater) * nutrients + nutrient`.
    pub goals: Vec<Goal>,
    /// How many days apart two cooked lunches or dinners of one recipe must be at least.
    pub gap_main: usize,
    /// The same for breakfasts and snacks.
    pub gap_other: usize,
    pub cuisines: usize,
    pub proteins: usize,
    pub cuisine_cap: i64,
    pub protein_cap: i64,
    pub budget: i64,
    pub weights: Weights,
}

/// A dish, or one portioning of it.
#[derive(Clone, Debug, Default)]
pub struct Recipe {
    /// What each eater gets of each nutrient, index `eater * nutrients + nutrient`.
    pub amounts: Vec<i64>,
    /// Item and grams for the household, one entry an item.
    pub grams: Vec<(usize, i64)>,
    pub cuisine: Option<usize>,
    /// The class counted by the protein rules.
    pub protein: Option<usize>,
    /// How many days later its leftovers can be a lunch; 0: never.
    pub keeps: usize,
    /// What it costs to eat it as leftovers (rating, handling).
    pub again: i64,
}

/// Something to buy.
#[derive(Clone, Debug, Default)]
pub struct Item {
    /// Money for a gram, in the unit of the budget.
    pub price: i64,
    pub stock: Option<Stock>,
}

/// What is in the pantry.
#[derive(Clone, Debug, Default)]
pub struct Stock {
    pub grams: i64,
    /// The last day on which a meal cooked may use it; `None`: it keeps.
    pub last_day: Option<usize>,
}

/// A slot of a day.
#[derive(Clone, Debug, Default)]
pub struct Meal {
    /// `false`: nothing is eaten here and `choices` is empty.
    pub planned: bool,
    /// Recipes that may be cooked, with all that they cost for themselves, ascending by recipe.
    pub choices: Vec<(usize, i64)>,
    /// The days whose dinner may be eaten here again; only for a lunch.
    pub leftovers_of: Vec<usize>,
}

/// A daily target: `slope * (under lo + over hi + 3 * under min + 3 * over max)`.
#[derive(Clone, Debug, Default)]
pub struct Goal {
    pub lo: Option<i64>,
    pub hi: Option<i64>,
    pub min: Option<i64>,
    pub max: Option<i64>,
    pub slope: i64,
}

/// Prices of the coupled terms; money weights are per [`UNIT`].
#[derive(Clone, Debug, Default)]
pub struct Weights {
    pub item: i64,
    pub money: i64,
    pub over_budget: i64,
    pub waste: i64,
    pub cuisine_excess: i64,
    pub protein_excess: i64,
    pub protein_same_day: i64,
}

impl Model {
    #[must_use]
    pub fn meal(&self, day: usize, slot: usize) -> &Meal {
        &self.meals[day * SLOTS + slot]
    }
}

/// Why a model cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// A list has not the length that others say.
    Shape,
    /// An index points nowhere, a number is negative or so large that sums could overflow.
    Range,
    /// A planned slot can hold nothing at all, so there is no plan.
    NoPlan,
}

/// No number of a model is larger.
pub const MOST: i64 = 1_000_000;
/// No amount of money and no cost of one dish is larger.
pub const MOST_MONEY: i64 = 10_000_000_000;

impl Model {
    /// Whether all lists fit together and no sum of the bound can overflow.
    ///
    /// # Errors
    /// With what is wrong.
    pub fn check(&self) -> Result<(), Unfit> {
        let width = self.eaters * self.nutrients;
        let shaped = self.days <= 366
            && width <= 1_000
            && self.meals.len() == self.days * SLOTS
            && self.goals.len() == self.days * width
            && self.recipes.iter().all(|r| r.amounts.len() == width);
        if !shaped {
            return Err(Unfit::Shape);
        }
        let ranged = self.recipes.iter().all(|r| self.holds(r))
            && self.goals.iter().all(|g| (0..=MOST).contains(&g.slope))
            && self.goals.iter().all(|g| [g.lo, g.hi, g.min, g.max].into_iter().flatten().all(small))
            && self.meals.iter().enumerate().all(|(at, meal)| self.offers(at, meal))
            && self.items.iter().all(|i| small(i.price) && i.stock.as_ref().is_none_or(|s| small(s.grams)))
            && self.has_fit_weights();
        if !ranged || self.worst() > i128::from(i64::MAX / 1024) {
            return Err(Unfit::Range);
        }
        let idle = |m: &Meal| m.planned && m.choices.is_empty() && m.leftovers_of.is_empty();
        if self.meals.iter().any(idle) { Err(Unfit::NoPlan) } else { Ok(()) }
    }

    /// More than any plan can cost, in sub-units, with each term at its worst.
    fn worst(&self) -> i128 {
        let most = |numbers: &mut dyn Iterator<Item = i64>| i128::from(numbers.max().unwrap_or(0));
        let w = &self.weights;
        let money = i128::from(w.money + w.over_budget + w.waste) * 2 / i128::from(UNIT) + 1;
        let spent = |r: &Recipe| r.grams.iter().map(|&(i, g)| 2 * g * self.items[i].price).sum::<i64>();
        let stock = |i: &Item| i.stock.as_ref().map_or(0, |s| s.grams * i.price);
        let stocks: i64 = self.items.iter().map(stock).sum();
        let width = i128::try_from(self.eaters * self.nutrients).unwrap_or(i128::MAX);
        let eaten =
            most(&mut self.recipes.iter().flat_map(|r| r.amounts.iter().copied())) * 4 + i128::from(MOST);
        let slope = most(&mut self.goals.iter().map(|g| g.slope));
        let dish = most(&mut self.recipes.iter().map(spent)) * money
            + most(&mut self.meals.iter().flat_map(|m| m.choices.iter().map(|c| c.1.abs())))
            + most(&mut self.recipes.iter().map(|r| r.again));
        let items = i128::from(w.item) * i128::try_from(self.items.len()).unwrap_or(i128::MAX);
        let rules = i128::from(w.cuisine_excess + w.protein_excess + w.protein_same_day) * 4;
        let day = 4 * dish + 8 * width * slope * eaten + items + rules;
        let days = i128::try_from(self.days).unwrap_or(i128::MAX);
        (days * day + (i128::from(stocks) + i128::from(self.budget)) * money) * i128::from(super::FINE)
    }

    fn holds(&self, r: &Recipe) -> bool {
        r.amounts.iter().copied().all(small)
            && r.grams.iter().all(|&(item, grams)| item < self.items.len() && small(grams))
            && r.cuisine.is_none_or(|c| c < self.cuisines)
            && r.protein.is_none_or(|p| p < self.proteins)
            && (0..=MOST_MONEY).contains(&r.again)
    }

    fn offers(&self, at: usize, meal: &Meal) -> bool {
        meal.choices
            .iter()
            .all(|&(r, cost)| r < self.recipes.len() && (-MOST_MONEY..=MOST_MONEY).contains(&cost))
            && meal.leftovers_of.iter().all(|&day| day < at / SLOTS)
            && (meal.planned || (meal.choices.is_empty() && meal.leftovers_of.is_empty()))
    }

    fn has_fit_weights(&self) -> bool {
        let w = &self.weights;
        let prices =
            [w.item, w.money, w.over_budget, w.waste, w.cuisine_excess, w.protein_excess, w.protein_same_day];
        prices.into_iter().all(small)
            && (0..=MOST_MONEY).contains(&self.budget)
            && small(self.cuisine_cap)
            && small(self.protein_cap)
    }
}

fn small(n: i64) -> bool {
    (0..=MOST).contains(&n)
}
