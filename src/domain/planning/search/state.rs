//! A plan under change: every step updates the objective by what it touches and can be taken back.

use super::filters;
use super::problem::Terms;
use super::table::{MAX_LEFTOVERS, NONE, Plan, Table, WHOLE, number};

/// One step, with what was there before.
#[derive(Clone, Copy, Debug)]
enum Change {
    Dish { meal: usize, recipe: u32, of: u32 },
    Portion { meal: usize, eater: usize, portion: u8 },
}

#[derive(Clone, Debug)]
pub(super) struct State<'a> {
    pub(super) table: &'a Table<'a>,
    pub(super) plan: Plan,
    /// Leftover meals by the meal they were cooked at.
    served: Vec<u8>,
    leftovers: usize,
    /// By day and eater.
    sums: Vec<[i64; 8]>,
    cells: Vec<i64>,
    /// Cookings that use the food.
    uses: Vec<u32>,
    pub(super) terms: Terms,
    journal: Vec<Change>,
}

impl<'a> State<'a> {
    /// Only the locked meals are served.
    pub(super) fn new(table: &'a Table<'a>) -> Self {
        let meals = table.meals.len();
        let mut state = Self {
            table,
            plan: Plan {
                recipe: vec![NONE; meals],
                of: vec![NONE; meals],
                portion: vec![WHOLE; meals * table.eaters],
            },
            served: vec![0; meals],
            leftovers: 0,
            sums: vec![[0; 8]; table.bands.len()],
            cells: vec![0; table.bands.len()],
            uses: vec![0; table.foods],
            terms: Terms::default(),
            journal: Vec::new(),
        };
        state.terms.empty = table.meals.iter().map(|meal| meal.empty_cost).sum();
        for cell in 0..table.bands.len() {
            state.price(cell);
        }
        for (m, meal) in table.meals.iter().enumerate() {
            if let Some(Some(recipe)) = meal.locked {
                state.put(m, recipe, NONE);
            }
        }
        state.keep();
        state
    }

    /// The state that serves a plan, whatever rules it breaks.
    pub(super) fn with(table: &'a Table<'a>, plan: &Plan) -> Self {
        let mut state = Self::new(table);
        state.adopt(plan);
        state
    }

    /// Changes to another plan, for good.
    pub(super) fn adopt(&mut self, plan: &Plan) {
        for m in 0..plan.recipe.len() {
            if self.plan.recipe[m] != plan.recipe[m] || self.plan.of[m] != plan.of[m] {
                self.put(m, plan.recipe[m], plan.of[m]);
            }
            for e in 0..self.table.eaters {
                self.portion(m, e, plan.portion[m * self.table.eaters + e]);
            }
        }
        self.keep();
    }

    pub(super) fn objective(&self) -> i64 {
        self.terms.total()
    }

    /// Forgets how to take back the steps so far.
    pub(super) fn keep(&mut self) {
        self.journal.clear();
    }

    /// Takes back every step since the last `keep`.
    pub(super) fn undo(&mut self) {
        self.undo_to(0);
    }

    /// Where the journal stands, to take back only what comes after.
    pub(super) fn mark(&self) -> usize {
        self.journal.len()
    }

    pub(super) fn undo_to(&mut self, mark: usize) {
        while self.journal.len() > mark {
            match self.journal.pop() {
                Some(Change::Dish { meal, recipe, of }) => self.replace(meal, recipe, of),
                Some(Change::Portion { meal, eater, portion }) => self.resize(meal, eater, portion),
                None => return,
            }
        }
    }

    /// Serves a recipe (or nothing) at a meal, cooked there or left over from `of`.
    pub(super) fn put(&mut self, meal: usize, recipe: u32, of: u32) {
        self.journal.push(Change::Dish { meal, recipe: self.plan.recipe[meal], of: self.plan.of[meal] });
        self.replace(meal, recipe, of);
    }

    pub(super) fn portion(&mut self, meal: usize, eater: usize, portion: u8) {
        let old = self.plan.portion[meal * self.table.eaters + eater];
        if old != portion {
            self.journal.push(Change::Portion { meal, eater, portion: old });
            self.resize(meal, eater, portion);
        }
    }

    /// Whether a recipe may be cooked at a meal, next to what is planned elsewhere.
    pub(super) fn may_cook(&self, meal: usize, recipe: u32) -> bool {
        let table = self.table;
        let fits = super::table::index(recipe).is_some_and(|r| table.fault(meal, r) == 0);
        fits && (table.problem.repeat_gap_days == 0 || !self.repeats(meal, recipe))
    }

    /// Whether the recipe is cooked within the gap of a meal.
    fn repeats(&self, meal: usize, recipe: u32) -> bool {
        (0..self.plan.recipe.len()).any(|other| {
            self.plan.recipe[other] == recipe
                && other != meal
                && self.plan.of[other] == NONE
                && filters::too_soon(self.table.problem, number(self.table.apart(meal, other)))
        })
    }

    /// Whether a meal may be what is left of the cooking at `cook`.
    pub(super) fn may_reuse(&self, meal: usize, cook: usize) -> bool {
        let Some(recipe) = self.plan.recipe_at(cook).filter(|_| self.plan.of[cook] == NONE) else {
            return false;
        };
        let days = self.table.apart(meal, cook);
        cook < meal
            && (1..=self.table.recipes[recipe].leftover_days).contains(&days)
            && self.served[cook] < MAX_LEFTOVERS
            && self.table.fault(meal, recipe) & !filters::COOKING_ONLY == 0
    }

    /// Cooks another recipe; leftovers of the meal follow. `false`: not allowed, and the caller takes it back.
    pub(super) fn cook(&mut self, meal: usize, recipe: u32) -> bool {
        let follow = self.clear(meal);
        if !self.may_cook(meal, recipe) {
            return false;
        }
        self.put(meal, recipe, NONE);
        follow.into_iter().flatten().all(|m| self.reuse(m, meal))
    }

    /// Serves what is left of an earlier meal; `false`: not allowed, and the caller takes it back.
    pub(super) fn reuse(&mut self, meal: usize, cook: usize) -> bool {
        if self.served[meal] > 0 || cook == meal {
            return false;
        }
        if self.plan.of[meal] != NONE {
            self.put(meal, NONE, NONE);
        }
        if !self.may_reuse(meal, cook) {
            return false;
        }
        self.put(meal, self.plan.recipe[cook], number(cook));
        true
    }

    /// Serves nothing at a meal nor at the meals that eat its leftovers, which are returned.
    pub(super) fn clear(&mut self, meal: usize) -> [Option<usize>; 2] {
        let mut follow = [None; 2];
        if self.served[meal] > 0 {
            let mut at = 0;
            for m in meal + 1..self.plan.of.len() {
                if self.plan.of[m] == number(meal) {
                    self.put(m, NONE, NONE);
                    if let Some(place) = follow.get_mut(at) {
                        *place = Some(m);
                    }
                    at += 1;
                }
            }
        }
        if self.plan.recipe[meal] != NONE {
            self.put(meal, NONE, NONE);
        }
        follow
    }

    pub(super) fn is_source(&self, meal: usize) -> bool {
        self.served[meal] > 0
    }

    fn replace(&mut self, meal: usize, recipe: u32, of: u32) {
        self.count(meal, -1);
        self.plan.recipe[meal] = recipe;
        self.plan.of[meal] = of;
        self.count(meal, 1);
        let table = self.table;
        for &e in &table.meals[meal].eaters {
            self.price(table.meals[meal].day * table.eaters + e);
        }
    }

    fn resize(&mut self, meal: usize, eater: usize, portion: u8) {
        let table = self.table;
        let place = meal * table.eaters + eater;
        let old = std::mem::replace(&mut self.plan.portion[place], portion);
        if !table.meals[meal].eaters.contains(&eater) {
            return;
        }
        if let Some(r) = self.plan.recipe_at(meal) {
            let cell = table.meals[meal].day * table.eaters + eater;
            let amounts = &table.recipes[r].amounts;
            let (before, after) = (amounts[usize::from(old)], amounts[usize::from(portion)]);
            for n in 0..8 {
                self.sums[cell][n] += after[n] - before[n];
            }
            self.price(cell);
        }
    }

    /// Adds (1) or takes away (-1) everything but the price of nutrition that the dish at a meal adds.
    fn count(&mut self, meal: usize, sign: i64) {
        let table = self.table;
        let Some(r) = self.plan.recipe_at(meal) else {
            self.terms.empty += sign * table.meals[meal].empty_cost;
            return;
        };
        let recipe = &table.recipes[r];
        self.terms.rating += sign * recipe.rating;
        self.terms.coverage += sign * table.coverage(meal, r);
        if let Some(cook) = self.plan.cook_of(meal) {
            self.terms.leftovers -= table.prices.leftovers(self.leftovers);
            if sign > 0 {
                self.leftovers += 1;
                self.served[cook] += 1;
            } else {
                self.leftovers -= 1;
                self.served[cook] -= 1;
            }
            self.terms.leftovers += table.prices.leftovers(self.leftovers);
        } else {
            self.terms.effort += sign * recipe.effort;
            self.terms.variety += sign * table.since_eaten(meal, r);
            for &food in &recipe.foods {
                let uses = &mut self.uses[food];
                if sign > 0 {
                    self.terms.items += if *uses == 0 { table.prices.item } else { 0 };
                    *uses += 1;
                } else {
                    *uses -= 1;
                    self.terms.items -= if *uses == 0 { table.prices.item } else { 0 };
                }
            }
        }
        for other in (0..table.meals.len()).filter(|&other| other != meal) {
            self.terms.variety += sign * table.pair(&self.plan, meal, other);
        }
        let first = table.meals[meal].day * table.eaters;
        for &e in &table.meals[meal].eaters {
            let portion = usize::from(self.plan.portion[meal * table.eaters + e]);
            let amounts = &recipe.amounts[portion];
            for (sum, amount) in self.sums[first + e].iter_mut().zip(amounts) {
                *sum += sign * amount;
            }
        }
    }

    /// Prices one day of one eater anew.
    fn price(&mut self, cell: usize) {
        let bands = &self.table.bands[cell];
        let cost = bands.iter().zip(self.sums[cell]).map(|(band, amount)| band.cost(amount)).sum();
        self.terms.nutrition += cost - std::mem::replace(&mut self.cells[cell], cost);
    }
}
