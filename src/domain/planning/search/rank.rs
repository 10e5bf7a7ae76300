//! What else could be eaten in a slot, and what exactly that would cost.

use super::adopt::adopt;
use super::batch::Batch;
use super::evaluate::evaluate;
use super::plan::{Choice, NONE, Plan};
use super::state::State;
use super::table::Table;
use super::terms::Terms;

/// How many of the cheapest are tried with other portions as well.
const REFINED: usize = 16;

/// Something else for a slot, with the leftovers of the slot following; the rest of the plan stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative {
    pub choice: Choice,
    /// The plan with it in place.
    pub plan: Plan,
    /// What the objective would grow by.
    pub delta: i64,
    /// The same, part by part.
    pub terms: Terms,
}

/// The `most` best other choices for a slot, the best first; locked slots have alternatives too.
#[must_use]
pub fn rank(table: &Table, plan: &Plan, slot: usize, most: usize) -> Vec<Alternative> {
    if slot >= table.slots.len() {
        return Vec::new();
    }
    let plan = adopt(table, plan);
    let mut state = State::of(table, &plan);
    let now = evaluate(table, &plan);
    let portioned = !portions_of(&state, slot).is_empty();
    let wanted = if portioned { most.max(REFINED) } else { most };
    let mut choices = cooked(&mut state, slot, wanted);
    choices.extend(reused(&mut state, slot));
    choices.sort_unstable_by_key(|&(price, choice)| (price, order(choice)));
    choices.truncate(wanted);
    let mut found: Vec<Alternative> = choices
        .into_iter()
        .map(|(_, choice)| {
            let plan = with(&mut state, slot, choice, portioned);
            let terms = evaluate(table, &plan).minus(&now);
            Alternative { choice, plan, delta: terms.total(), terms }
        })
        .collect();
    found.sort_by_key(|other| (other.delta, order(other.choice)));
    found.truncate(most);
    found
}

const fn order(choice: Choice) -> (u8, u32) {
    match choice {
        Choice::Empty => (0, 0),
        Choice::Cook(recipe) => (1, recipe),
        Choice::Leftover(of) => (2, of),
    }
}

/// The cheapest recipes to cook, with their prices; leaves the state as it was.
fn cooked(state: &mut State<'_>, slot: usize, most: usize) -> Vec<(i64, Choice)> {
    let leftover = state.of[slot] != NONE;
    let (rest, whole, old) = if leftover {
        state.detach(slot)
    } else {
        let (batch, old) = (state.batch(slot), state.recipe[slot]);
        state.lift(batch);
        (batch, batch, old)
    };
    let batch = if leftover { Batch::one(slot) } else { whole };
    let except = if leftover { NONE } else { old };
    let found = state.cheapest_of(batch, except, most);
    if leftover {
        state.lift(rest);
    }
    state.place(whole, old);
    found.into_iter().map(|(price, recipe)| (price, Choice::Cook(recipe))).collect()
}

/// Leftovers that could be eaten instead, with their prices; leaves the state as it was.
fn reused(state: &mut State<'_>, slot: usize) -> Vec<(i64, Choice)> {
    let before = state.plan();
    let mut found = Vec::new();
    for &source in &state.table.slots[slot].sources {
        if state.reuse(slot, source as usize, i64::MAX) {
            found.push((state.objective(), Choice::Leftover(source)));
            state.load(&before);
        }
    }
    found
}

/// The plan with another choice in a slot; leaves the state as it was.
fn with(state: &mut State<'_>, slot: usize, choice: Choice, portioned: bool) -> Plan {
    let before = state.plan();
    match choice {
        Choice::Cook(recipe) => {
            if state.of[slot] == NONE {
                let batch = state.batch(slot);
                state.lift(batch);
                state.place(batch, recipe);
            } else {
                state.detach(slot);
                state.place(Batch::one(slot), recipe);
            }
        }
        Choice::Leftover(source) => {
            state.reuse(slot, source as usize, i64::MAX);
        }
        Choice::Empty => {}
    }
    if portioned {
        state.serve_best(slot);
    }
    let plan = state.plan();
    state.load(&before);
    plan
}

/// Eaters of a slot whose portions may be chosen.
pub(super) fn portions_of(state: &State<'_>, slot: usize) -> Vec<usize> {
    let table = state.table;
    let chooses = |e: &usize| table.choices[*e].len() > 1 && table.fixed[slot * table.eaters + e].is_none();
    table.slots[slot].eaters.iter().map(|&e| usize::from(e)).filter(chooses).collect()
}

impl State<'_> {
    /// Gives everybody in a slot the portion that is cheapest, one after the other.
    pub(super) fn serve_best(&mut self, slot: usize) {
        for eater in portions_of(self, slot) {
            for &portion in &self.table.choices[eater] {
                let now = self.objective();
                self.serve(slot, eater, portion, now);
            }
        }
    }

    /// The `most` cheapest recipes for a lifted batch but one, with their prices.
    fn cheapest_of(&mut self, batch: Batch, except: u32, most: usize) -> Vec<(i64, u32)> {
        let scan = self.scan_weighed(batch);
        let mut found: Vec<(i64, u32)> = Vec::with_capacity(most + 1);
        let mut low = i64::MAX;
        for candidate in &scan.group.cook {
            if scan.floor.saturating_add(candidate.least - scan.gain) >= low {
                break;
            }
            let about = scan.floor + self.about(&scan, candidate);
            let bound = about.saturating_add(self.weight(&scan, candidate));
            if bound >= low || candidate.recipe == except || !self.follows(batch, candidate.recipe) {
                continue;
            }
            let price = self.price_late(batch, candidate.recipe, about, low);
            if price < low {
                let place = found.partition_point(|other| *other < (price, candidate.recipe));
                found.insert(place, (price, candidate.recipe));
                found.truncate(most);
                low = if found.len() == most {
                    found.last().map_or(i64::MAX, |(price, _)| *price)
                } else {
                    low
                };
            }
        }
        found
    }
}
