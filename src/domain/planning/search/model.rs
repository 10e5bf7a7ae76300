//! A checked problem compiled into flat arrays: positions, candidates, slopes, purchases.

use super::filters::{self, RuleSet};
use super::problem::{Lock, Meal, NUTRIENTS, Problem, Recipe, Slot, SlotRef};
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
        let (mut cuisines, mut proteins) = (Interner::default(), Interner::default());
        let dishes = problem
            .recipes
            .iter()
            .map(|recipe| dish(problem, recipe, &mut cuisines, &mut proteins))
            .collect();
        let positions = positions(problem, &recipe_index);
        let mut at = vec![[None; 4]; problem.days.len()];
        for (p, position) in positions.iter().enumerate() {
            at[position.day][position.slot.index()] = Some(p);
        }
        let (lots, stocked, stocked_count) = stock(problem);
        let usual_portion = problem.rules.portions.iter().position(|&pct| pct == 100).unwrap_or(0);
        let bands = bands(problem, &positions);
        let mut model = Self {
            problem,
            positions,
            at,
            dishes,
            bands,
            lots,
            stocked,
            stocked_count,
            eater_rules: Vec::new(),
            rule_group: Vec::new(),
            eaten: history(problem, &recipe_index),
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

fn history(problem: &Problem, recipe_index: &HashMap<Uuid, usize>) -> Vec<Vec<Option<NaiveDate>>> {
    let mut eaten = vec![Vec::new(); problem.recipes.len()];
    for meal in &problem.history {
        if let Some(&recipe) = recipe_index.get(&meal.recipe) {
            eaten[recipe].push(meal.date);
        }
    }
    eaten
}

/// Small numbers for names.
#[derive(Default)]
struct Interner(HashMap<String, usize>);

impl Interner {
    fn number(&mut self, name: &str) -> usize {
        let next = self.0.len();
        *self.0.entry(name.to_owned()).or_insert(next)
    }
}

fn dish(problem: &Problem, recipe: &Recipe, cuisines: &mut Interner, proteins: &mut Interner) -> Dish {
    let (weights, rules) = (&problem.weights, &problem.rules);
    let mut bought: Vec<(usize, i64)> = Vec::new();
    for ingredient in &recipe.ingredients {
        let food = ingredient.food as usize;
        match bought.iter_mut().find(|(known, _)| *known == food) {
            Some((_, mass)) => *mass += ingredient.mg,
            None if !problem.foods[food].staple => bought.push((food, ingredient.mg)),
            None => {}
        }
    }
    let rating = i64::from(recipe.rating_x10.unwrap_or(rules.unrated_x10));
    Dish {
        nutrients: recipe.nutrients.map(|value| value.unwrap_or(0)),
        bought,
        rating: (50 - rating) * weights.rating_star / 10,
        effort: i64::from(recipe.minutes) * weights.minute,
        coverage: (1000 - i64::from(recipe.coverage)) * weights.coverage / 10,
        leftover_days: recipe.leftover_days.into(),
        cuisine: recipe.cuisine.as_deref().map(|name| cuisines.number(name)),
        protein: recipe.protein.as_deref().map(|name| proteins.number(name)),
    }
}

fn positions(problem: &Problem, recipe_index: &HashMap<Uuid, usize>) -> Vec<Position> {
    let mut positions = Vec::new();
    for (day, plan) in problem.days.iter().enumerate() {
        for slot in Slot::ALL {
            let at = SlotRef { date: plan.date, slot };
            let Some(planned) = plan.slots[slot.index()].filter(|_| problem.is_planned(at)) else { continue };
            let eats = |e: &usize| {
                problem.eaters[*e].slots.has(slot) && !problem.eaters[*e].away.contains(&plan.date)
            };
            let previous = problem.previous.iter().find(|meal| meal.at == at);
            positions.push(Position {
                at,
                day,
                slot,
                max_minutes: planned.max_minutes,
                eaters: (0..problem.eaters.len()).filter(eats).collect(),
                locked: None,
                fixed: vec![None; problem.eaters.len()],
                candidates: Vec::new(),
                sources: Vec::new(),
                previous: previous.and_then(|meal| recipe_index.get(&meal.recipe).copied()),
            });
        }
    }
    positions
}

fn stock(problem: &Problem) -> (Vec<Lots>, Vec<Option<usize>>, usize) {
    let first = problem.days.first().map(|day| day.date);
    let mut lots = vec![Lots::new(); problem.foods.len()];
    for lot in &problem.pantry {
        let food = lot.food as usize;
        let spoilt = lot.expires < first && lot.expires.is_some();
        if !problem.foods[food].staple && !spoilt {
            lots[food].push((
                lot.mg,
                lot.expires.and_then(|last| problem.days.iter().position(|day| day.date == last)),
            ));
        }
    }
    let mut count = 0;
    let stocked = lots
        .iter_mut()
        .map(|lots| {
            lots.sort_by_key(|&(mass, last)| (last.unwrap_or(usize::MAX), mass));
            (!lots.is_empty()).then(|| {
                count += 1;
                count - 1
            })
        })
        .collect();
    (lots, stocked, count)
}

fn bands(problem: &Problem, positions: &[Position]) -> Vec<Band> {
    let mut bands = Vec::new();
    for (e, eater) in problem.eaters.iter().enumerate() {
        for day in 0..problem.days.len() {
            let eaten =
                positions.iter().filter(|position| position.day == day && position.eaters.contains(&e));
            let share: i64 = eaten.map(|position| problem.rules.shares[position.slot.index()]).sum();
            let scaled = |bound: Option<i64>, absent| bound.map_or(absent, |value| value * share / 100);
            bands.extend(eater.goals.iter().map(|goal| match goal {
                Some(goal) => Band {
                    lo: scaled(goal.lo, 0),
                    hi: scaled(goal.hi, i64::MAX / 8),
                    min: scaled(goal.min, 0),
                    max: scaled(goal.max, i64::MAX / 8),
                    slope: goal.importance * 100_000 * problem.unit / goal.reference,
                },
                None => Band { lo: 0, hi: i64::MAX / 8, min: 0, max: i64::MAX / 8, slope: 0 },
            }));
        }
    }
    bands
}
