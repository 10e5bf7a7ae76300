//! A checked problem compiled into flat arrays: positions, candidates, slopes, purchases.

use super::compile;
use super::filters::{self, RuleSet};
use super::problem::{Lock, Meal, NUTRIENTS, Problem, Slot, SlotRef};
use chrono::NaiveDate;
use std::collections::HashMap;
use uuid::Uuid;

/// What stands in a position, by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    Empty,
    Cook(usize),
    /// The rest of the cooking at this position.
    Leftover(usize),
}

/// A planned slot in which somebody eats; ordered by day, then slot.
pub(super) struct Position {
    pub(super) at: SlotRef,
    pub(super) day: usize,
    pub(super) slot: Slot,
    pub(super) max_minutes: Option<u32>,
    pub(super) eaters: Vec<usize>,
    pub(super) locked: Option<Choice>,
    /// Portion steps that may not change, one per eater.
    pub(super) fixed: Vec<Option<usize>>,
    pub(super) candidates: Vec<usize>,
    /// Positions whose cooking may be eaten here.
    pub(super) sources: Vec<usize>,
    pub(super) previous: Option<usize>,
}

/// A goal of one eater on one day, scaled to what is planned that day. No goal: slope 0.
#[derive(Clone, Copy)]
pub(super) struct Band {
    pub(super) lo: i64,
    pub(super) hi: i64,
    pub(super) min: i64,
    pub(super) max: i64,
    pub(super) slope: i64,
}

/// What the objective needs of a recipe.
pub(super) struct Dish {
    /// Stored units per serving; unknown counts as 0 and is paid for by its coverage.
    pub(super) nutrients: [i64; NUTRIENTS],
    /// Non-staple foods and mass per serving, each food once.
    pub(super) bought: Vec<(usize, i64)>,
    pub(super) rating: i64,
    pub(super) effort: i64,
    pub(super) coverage: i64,
    pub(super) leftover_days: usize,
    pub(super) cuisine: Option<usize>,
    pub(super) protein: Option<usize>,
}

/// Stock of one food: amount and the last day of the plan on which it may be cooked, if it expires within the plan.
pub(super) type Lots = Vec<(i64, Option<usize>)>;

pub(super) struct Model<'p> {
    pub(super) problem: &'p Problem,
    pub(super) positions: Vec<Position>,
    pub(super) at: Vec<[Option<usize>; 4]>,
    pub(super) day_positions: Vec<Vec<usize>>,
    pub(super) dishes: Vec<Dish>,
    pub(super) bands: Vec<Band>,
    pub(super) lots: Vec<Lots>,
    /// Row of a food in the table of needs by day; only foods with lots have one.
    pub(super) stocked: Vec<Option<usize>>,
    pub(super) stocked_count: usize,
    /// Slot-independent rules a recipe breaks, by position: index `rule_group[position]`, then recipe.
    pub(super) eater_rules: Vec<Vec<RuleSet>>,
    pub(super) rule_group: Vec<usize>,
    /// When each recipe was eaten lately; `None`: some day or other.
    pub(super) eaten: Vec<Vec<Option<NaiveDate>>>,
    allowed: Vec<bool>,
    pub(super) cuisines: usize,
    pub(super) proteins: usize,
    pub(super) usual_portion: usize,
    pub(super) recipe_index: HashMap<Uuid, usize>,
}

impl<'p> Model<'p> {
    /// Compiles a problem that [`Problem::check`] has accepted.
    pub(super) fn new(problem: &'p Problem) -> Self {
        let recipe_index: HashMap<Uuid, usize> =
            problem.recipes.iter().enumerate().map(|(i, recipe)| (recipe.id, i)).collect();
        let (mut cuisines, mut proteins) = (compile::Interner::default(), compile::Interner::default());
        let dishes = problem
            .recipes
            .iter()
            .map(|recipe| compile::dish(problem, recipe, &mut cuisines, &mut proteins))
            .collect();
        let positions = compile::positions(problem, &recipe_index);
        let mut at = vec![[None; 4]; problem.days.len()];
        for (p, position) in positions.iter().enumerate() {
            at[position.day][position.slot.index()] = Some(p);
        }
        let day_positions = at.iter().map(|day| day.iter().flatten().copied().collect()).collect();
        let (lots, stocked, stocked_count) = compile::stock(problem);
        let usual_portion = problem.rules.portions.iter().position(|&pct| pct == 100).unwrap_or(0);
        let bands = compile::bands(problem, &positions);
        let mut model = Self {
            problem,
            positions,
            at,
            day_positions,
            dishes,
            bands,
            lots,
            stocked,
            stocked_count,
            eater_rules: Vec::new(),
            rule_group: Vec::new(),
            eaten: compile::history(problem, &recipe_index),
            allowed: Vec::new(),
            cuisines: cuisines.0.len(),
            proteins: proteins.0.len(),
            usual_portion,
            recipe_index,
        };
        model.apply_locks();
        model.group_rules();
        model.find_candidates();
        model.find_sources();
        model
    }

    pub(super) fn days(&self) -> usize {
        self.problem.days.len()
    }

    pub(super) fn eaters(&self) -> usize {
        self.problem.eaters.len()
    }

    /// Whether the filters let the recipe be cooked there (a lock lets only its own).
    pub(super) fn allows(&self, position: usize, recipe: usize) -> bool {
        self.allowed[position * self.dishes.len() + recipe]
    }

    /// Whether the rest of `recipe` cooked at `source` may be eaten at `target`: it keeps, and its eaters may eat it.
    pub(super) fn keeps(&self, source: usize, target: usize, recipe: usize) -> bool {
        let distance = self.positions[target].day - self.positions[source].day;
        distance <= self.dishes[recipe].leftover_days
            && self.eater_rules[self.rule_group[target]][recipe].is_empty()
    }

    /// Cooking a recipe at both positions (the earlier first) breaks the repeat gap.
    pub(super) fn too_close(&self, a: usize, b: usize) -> bool {
        let (first, second) = (&self.positions[a.min(b)], &self.positions[a.max(b)]);
        let rules = &self.problem.rules;
        let gap = if first.slot.is_main() { rules.repeat_gap_main_days } else { rules.repeat_gap_other_days };
        second.day - first.day < gap as usize
    }

    pub(super) fn position(&self, at: SlotRef) -> Option<usize> {
        self.positions.binary_search_by_key(&at, |position| position.at).ok()
    }

    fn apply_locks(&mut self) {
        for lock in &self.problem.locks {
            let Some(p) = self.position(lock.at) else { continue };
            let choice = match lock.meal {
                Meal::Cook { recipe } => self.recipe_index.get(&recipe).map(|&recipe| Choice::Cook(recipe)),
                Meal::Leftover { of, .. } => self.position(of).map(Choice::Leftover),
                Meal::Empty => None,
            };
            let fixed = self.fixed_portions(lock);
            self.positions[p].locked = choice;
            self.positions[p].fixed = fixed;
        }
    }

    fn fixed_portions(&self, lock: &Lock) -> Vec<Option<usize>> {
        let step = |pct| self.problem.rules.portions.iter().position(|&step| step == pct);
        let of = |id| {
            lock.portions.iter().find(|portion| portion.eater == id).and_then(|portion| step(portion.pct))
        };
        self.problem.eaters.iter().map(|eater| of(eater.id)).collect()
    }

    fn group_rules(&mut self) {
        let mut groups: Vec<&[usize]> = Vec::new();
        for position in &self.positions {
            let group = groups.iter().position(|&eaters| eaters == position.eaters).unwrap_or_else(|| {
                groups.push(&position.eaters);
                groups.len() - 1
            });
            self.rule_group.push(group);
        }
        self.eater_rules = groups.iter().map(|eaters| filters::eater_rules(self.problem, eaters)).collect();
    }

    fn find_candidates(&mut self) {
        let recipes = self.dishes.len();
        let mut allowed = vec![false; self.positions.len() * recipes];
        for p in 0..self.positions.len() {
            let candidates: Vec<usize> = match self.positions[p].locked {
                Some(Choice::Cook(recipe)) => vec![recipe],
                Some(Choice::Leftover(_) | Choice::Empty) => Vec::new(),
                None => (0..recipes)
                    .filter(|&recipe| filters::broken(self, p, recipe).is_some_and(RuleSet::is_empty))
                    .collect(),
            };
            for &recipe in &candidates {
                allowed[p * recipes + recipe] = true;
            }
            self.positions[p].candidates = candidates;
        }
        self.allowed = allowed;
    }

    fn find_sources(&mut self) {
        let rules = &self.problem.rules;
        for target in 0..self.positions.len() {
            let (day, slot) = (self.positions[target].day, self.positions[target].slot);
            if !rules.leftover_into.has(slot)
                || self.positions[target].locked.is_some()
                || rules.leftover_max_uses == 0
            {
                continue;
            }
            let sources = (0..target).filter(|&source| {
                let from = &self.positions[source];
                from.day < day
                    && day - from.day <= rules.leftover_max_days as usize
                    && rules.leftover_from.has(from.slot)
            });
            self.positions[target].sources = sources.collect();
        }
    }
}
