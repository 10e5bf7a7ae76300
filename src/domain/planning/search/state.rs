//! The plan under search in one flat array of integers, with every part of its objective kept up by difference.

mod count;

use super::model::{Choice, Model};
use super::objective::{Plan, percent_squared, portion_cost, portioned};
use super::problem::NUTRIENTS;
use super::terms::{TERMS, Term, Terms};

/// Where each table begins in the array. The first two, choices and steps, are the plan itself.
#[derive(Clone, Copy)]
struct Layout {
    steps: usize,
    uses: usize,
    terms: usize,
    /// Money spent, leftover meals.
    sums: usize,
    totals: usize,
    bands: usize,
    cooked: usize,
    cuisines: usize,
    proteins: usize,
    same_day: usize,
    needs: usize,
    purchases: usize,
    by_day: usize,
    end: usize,
}

impl Layout {
    fn new(model: &Model<'_>) -> Self {
        let (positions, eaters, days) = (model.positions.len(), model.eaters(), model.days());
        let foods = model.problem.foods.len();
        let mut end = positions;
        let mut table = |size: usize| {
            end += size;
            end - size
        };
        Self {
            steps: table(positions * eaters),
            uses: table(positions),
            terms: table(TERMS),
            sums: table(2),
            totals: table(eaters * days * NUTRIENTS),
            bands: table(eaters * days * NUTRIENTS),
            cooked: table(model.dishes.len()),
            cuisines: table(model.cuisines),
            proteins: table(model.proteins),
            same_day: table(days),
            needs: table(foods),
            purchases: table(foods * 3),
            by_day: table(model.stocked_count * days),
            end,
        }
    }
}

/// A plan and its objective. Every write is logged, so that any run of changes can be taken back.
pub(super) struct State<'m> {
    pub(super) model: &'m Model<'m>,
    layout: Layout,
    cells: Vec<i64>,
    log: Vec<(usize, i64)>,
}

impl<'m> State<'m> {
    /// The empty plan at usual portions, with the locks in place.
    pub(super) fn new(model: &'m Model<'m>) -> Self {
        let layout = Layout::new(model);
        let mut state = Self { model, layout, cells: vec![0; layout.end], log: Vec::new() };
        for p in 0..model.positions.len() {
            state.cells[p] = encode(Choice::Empty);
            for e in 0..model.eaters() {
                let step = model.positions[p].fixed[e].unwrap_or(model.usual_portion);
                state.cells[layout.steps + p * model.eaters() + e] = step as i64;
            }
            state.add_term(Term::Empty, model.problem.weights.empty);
        }
        state.count_absence();
        for p in 0..model.positions.len() {
            if let Some(choice) = model.positions[p].locked {
                state.place(p, choice);
            }
        }
        state.commit();
        state
    }

    /// A state holding `plan`, whose leftovers come from what it cooks.
    pub(super) fn of(model: &'m Model<'m>, plan: &Plan) -> Self {
        let mut state = Self::new(model);
        state.load(plan);
        state
    }

    /// Replaces the plan.
    pub(super) fn load(&mut self, plan: &Plan) {
        for p in (0..plan.choices.len()).rev() {
            self.unplace(p);
        }
        for (i, &step) in plan.steps.iter().enumerate() {
            self.put(self.layout.steps + i, step as i64);
        }
        for (p, &choice) in plan.choices.iter().enumerate() {
            self.place(p, choice);
        }
        self.commit();
    }

    pub(super) fn plan(&self) -> Plan {
        let positions = self.model.positions.len();
        Plan {
            choices: (0..positions).map(|p| self.choice(p)).collect(),
            steps: self.cells[self.layout.steps..self.layout.uses]
                .iter()
                .map(|&step| step as usize)
                .collect(),
        }
    }

    pub(super) fn choice(&self, position: usize) -> Choice {
        decode(self.cells[position])
    }

    /// The recipe eaten at a position.
    pub(super) fn dish(&self, position: usize) -> Option<usize> {
        match self.choice(position) {
            Choice::Empty => None,
            Choice::Cook(recipe) => Some(recipe),
            Choice::Leftover(source) => usize::try_from(self.cells[source]).ok(),
        }
    }

    pub(super) fn step(&self, position: usize, eater: usize) -> usize {
        self.cells[self.layout.steps + position * self.model.eaters() + eater] as usize
    }

    /// How many meals eat the rest of what is cooked here.
    pub(super) fn uses(&self, position: usize) -> i64 {
        self.cells[self.layout.uses + position]
    }

    pub(super) fn times_cooked(&self, recipe: usize) -> i64 {
        self.cells[self.layout.cooked + recipe]
    }

    pub(super) fn terms(&self) -> Terms {
        let mut terms = Terms::default();
        for (i, term) in Term::ALL.into_iter().enumerate() {
            *terms.get_mut(term) = self.cells[self.layout.terms + i];
        }
        terms
    }

    pub(super) fn objective(&self) -> i64 {
        self.cells[self.layout.terms..self.layout.sums].iter().sum()
    }

    /// A point to come back to with [`State::undo`].
    pub(super) fn mark(&self) -> usize {
        self.log.len()
    }

    pub(super) fn undo(&mut self, mark: usize) {
        while self.log.len() > mark {
            if let Some((cell, value)) = self.log.pop() {
                self.cells[cell] = value;
            }
        }
    }

    /// Forgets how to go back.
    pub(super) fn commit(&mut self) {
        self.log.clear();
    }

    /// Fills a position that is empty. A leftover needs its cooking in place.
    pub(super) fn place(&mut self, position: usize, choice: Choice) {
        if choice != Choice::Empty {
            self.put(position, encode(choice));
            self.count(position, 1);
            self.recount_same_day(position);
        }
    }

    /// Empties a position; its leftovers must have been taken out before.
    pub(super) fn unplace(&mut self, position: usize) {
        if self.choice(position) != Choice::Empty {
            self.count(position, -1);
            self.put(position, encode(Choice::Empty));
            self.recount_same_day(position);
        }
    }

    pub(super) fn set_step(&mut self, position: usize, eater: usize, step: usize) {
        let cell = self.layout.steps + position * self.model.eaters() + eater;
        let (old, eats) =
            (self.step(position, eater), self.model.positions[position].eaters.contains(&eater));
        if let Some(recipe) = self.dish(position).filter(|_| eats && old != step) {
            let before = self.percent(position);
            let change = percent_squared(self.model, eater, step) - percent_squared(self.model, eater, old);
            self.add_term(Term::Portions, portion_cost(self.model, step) - portion_cost(self.model, old));
            self.feed(position, eater, recipe, |value| {
                let old = percent_squared(self.model, eater, old);
                portioned(value, old + change) - portioned(value, old)
            });
            self.buy(position, recipe, |mass| portioned(mass, before + change) - portioned(mass, before));
        }
        self.put(cell, step as i64);
    }
}

fn encode(choice: Choice) -> i64 {
    match choice {
        Choice::Empty => -1,
        Choice::Cook(recipe) => recipe as i64,
        Choice::Leftover(source) => -2 - source as i64,
    }
}

fn decode(cell: i64) -> Choice {
    match cell {
        -1 => Choice::Empty,
        0.. => Choice::Cook(cell as usize),
        _ => Choice::Leftover((-2 - cell) as usize),
    }
}
