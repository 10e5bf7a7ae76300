//! The differences one meal makes to every table of the state.

use super::super::model::Choice;
use super::super::objective::{
    self, Purchase, band_cost, changed, leftover_excess, percent_squared, portion_cost, portioned, purchase,
};
use super::super::problem::NUTRIENTS;
use super::super::terms::Term;
use super::State;

impl State<'_> {
    pub(super) fn put(&mut self, cell: usize, value: i64) {
        let old = self.cells[cell];
        if old != value {
            self.log.push((cell, old));
            self.cells[cell] = value;
        }
    }

    fn add(&mut self, cell: usize, change: i64) {
        self.put(cell, self.cells[cell] + change);
    }

    pub(super) fn add_term(&mut self, term: Term, change: i64) {
        self.add(self.layout.terms + term as usize, change);
    }

    /// The price of eating and cooking nothing, before any meal is placed.
    pub(super) fn count_absence(&mut self) {
        let problem = self.model.problem;
        for (i, &band) in self.model.bands.iter().enumerate() {
            let cost = band_cost(band, 0, problem.unit);
            self.put(self.layout.bands + i, cost);
            self.add_term(Term::Nutrition, cost);
        }
        for food in 0..problem.foods.len() {
            let bought = self.purchase_of(food);
            self.put_purchase(food, bought);
        }
    }

    /// Usual portions times portion steps of everybody who eats there.
    pub(super) fn percent(&self, position: usize) -> i64 {
        let eaters = self.model.positions[position].eaters.iter();
        eaters.map(|&e| percent_squared(self.model, e, self.step(position, e))).sum()
    }

    /// Adds (`sign` 1) or takes away (-1) everything the meal at a position brings.
    pub(super) fn count(&mut self, position: usize, sign: i64) {
        let model = self.model;
        let Some(recipe) = self.dish(position) else { return };
        let dish = &model.dishes[recipe];
        self.add_term(Term::Empty, -sign * model.problem.weights.empty);
        self.add_term(Term::Rating, sign * dish.rating);
        self.add_term(Term::Coverage, sign * dish.coverage);
        self.add_term(Term::Change, sign * changed(model, position, recipe));
        match self.choice(position) {
            Choice::Leftover(source) => self.count_leftover(source, sign),
            Choice::Cook(_) | Choice::Empty => self.count_cooking(recipe, sign),
        }
        if model.positions[position].slot.is_main() {
            self.count_main(recipe, sign);
        }
        for &e in &model.positions[position].eaters {
            let step = self.step(position, e);
            let percent = percent_squared(model, e, step);
            self.add_term(Term::Portions, sign * portion_cost(model, step));
            self.feed(position, e, recipe, |value| sign * portioned(value, percent));
        }
        let percent = self.percent(position);
        self.buy(position, recipe, |mass| sign * portioned(mass, percent));
    }

    fn count_cooking(&mut self, recipe: usize, sign: i64) {
        let (cell, weight) = (self.layout.cooked + recipe, self.model.problem.weights.repeat);
        self.add_term(Term::Effort, sign * self.model.dishes[recipe].effort);
        self.count_beyond(cell, sign, 1, weight, Term::Repetition);
    }

    fn count_leftover(&mut self, source: usize, sign: i64) {
        let (cell, problem) = (self.layout.sums + 1, self.model.problem);
        let before = leftover_excess(problem, self.cells[cell]);
        self.add(self.layout.uses + source, sign);
        self.add(cell, sign);
        let excess = leftover_excess(problem, self.cells[cell]) - before;
        self.add_term(Term::Leftovers, sign * problem.weights.leftover + excess);
    }

    fn count_main(&mut self, recipe: usize, sign: i64) {
        let (dish, rules, weights) =
            (&self.model.dishes[recipe], &self.model.problem.rules, &self.model.problem.weights);
        if let Some(cuisine) = dish.cuisine {
            let cell = self.layout.cuisines + cuisine;
            self.count_beyond(cell, sign, rules.cuisine_cap, weights.cuisine_excess, Term::Variety);
        }
        if let Some(protein) = dish.protein {
            let cell = self.layout.proteins + protein;
            self.count_beyond(cell, sign, rules.protein_cap, weights.protein_excess, Term::Variety);
        }
    }

    fn count_beyond(&mut self, cell: usize, sign: i64, cap: i64, weight: i64, term: Term) {
        let before = (self.cells[cell] - cap).max(0);
        self.add(cell, sign);
        let after = (self.cells[cell] - cap).max(0);
        self.add_term(term, (after - before) * weight);
    }

    pub(super) fn recount_same_day(&mut self, position: usize) {
        let day = self.model.positions[position].day;
        let [_, lunch, dinner, _] = self.model.at[day];
        let cost = objective::same_day(
            self.model,
            [lunch, dinner].map(|main| main.and_then(|main| self.dish(main))),
        );
        let cell = self.layout.same_day + day;
        self.add_term(Term::Variety, cost - self.cells[cell]);
        self.put(cell, cost);
    }

    /// Changes what an eater gets that day by `amount(value per serving)`.
    pub(super) fn feed(&mut self, position: usize, eater: usize, recipe: usize, amount: impl Fn(i64) -> i64) {
        let model = self.model;
        let row = (eater * model.days() + model.positions[position].day) * NUTRIENTS;
        let mut difference = 0;
        for (n, &value) in model.dishes[recipe].nutrients.iter().enumerate() {
            let (total, cost) = (self.layout.totals + row + n, self.layout.bands + row + n);
            self.add(total, amount(value));
            let now = band_cost(model.bands[row + n], self.cells[total], model.problem.unit);
            difference += now - self.cells[cost];
            self.put(cost, now);
        }
        self.add_term(Term::Nutrition, difference);
    }

    /// Changes what is needed for the meal by `amount(mass per serving)`, on the day it is cooked.
    pub(super) fn buy(&mut self, position: usize, recipe: usize, amount: impl Fn(i64) -> i64) {
        let model = self.model;
        let cooked = match self.choice(position) {
            Choice::Leftover(source) => source,
            Choice::Cook(_) | Choice::Empty => position,
        };
        let day = model.positions[cooked].day;
        for &(food, mass) in &model.dishes[recipe].bought {
            let change = amount(mass);
            self.add(self.layout.needs + food, change);
            if let Some(row) = model.stocked[food] {
                self.add(self.layout.by_day + row * model.days() + day, change);
            }
            let bought = self.purchase_of(food);
            self.put_purchase(food, bought);
        }
        let spent = self.cells[self.layout.sums];
        let terms = self.layout.terms;
        self.put(
            terms + Term::Money as usize,
            objective::money(model.problem, spent, model.problem.weights.money),
        );
        self.put(terms + Term::OverBudget as usize, objective::over_budget(model.problem, spent));
    }

    fn purchase_of(&self, food: usize) -> Purchase {
        let days = self.model.days();
        let by_day = self.model.stocked[food].map_or(&[][..], |row| {
            let start = self.layout.by_day + row * days;
            &self.cells[start..start + days]
        });
        purchase(
            self.model.problem,
            food,
            &self.model.lots[food],
            self.cells[self.layout.needs + food],
            by_day,
        )
    }

    fn put_purchase(&mut self, food: usize, now: Purchase) {
        let cell = self.layout.purchases + food * 3;
        let before = [self.cells[cell], self.cells[cell + 1], self.cells[cell + 2]];
        self.add(self.layout.sums, now.spent - before[0]);
        self.add_term(Term::Items, (now.buys - before[1]) * self.model.problem.weights.item);
        self.add_term(Term::Waste, now.waste - before[2]);
        self.put(cell, now.spent);
        self.put(cell + 1, now.buys);
        self.put(cell + 2, now.waste);
    }
}
