//! Random plans that keep every hard rule: a baseline, and what evaluators are compared on.

use super::batch::Batch;
use super::plan::{NONE, Plan};
use super::rng::Rng;
use super::state::State;
use super::table::Table;

/// Tries to find a recipe that may be cooked in a slot.
const TRIES: usize = 100;

/// A random plan.
#[must_use]
pub fn random(table: &Table, seed: u64) -> Plan {
    let mut rng = Rng::new(seed, 0);
    let mut state = State::new(table);
    let open: Vec<usize> =
        (0..table.slots.len()).filter(|&slot| table.slots[slot].locked.is_none()).collect();
    for &slot in &open {
        let one = Batch::one(slot);
        state.lift(one);
        let cook = &table.groups[table.slots[slot].group].cook;
        let drawn = (0..TRIES).filter_map(|_| rng.pick(cook)).map(|candidate| candidate.recipe);
        let recipe = drawn.into_iter().find(|&recipe| state.fits(one, recipe));
        state.place(one, recipe.unwrap_or(NONE));
    }
    for &slot in &open {
        if rng.below(2) == 0
            && let Some(source) = rng.pick(&table.slots[slot].sources)
        {
            state.reuse(slot, source as usize, i64::MAX);
        }
        for &eater in &table.slots[slot].eaters {
            let eater = usize::from(eater);
            let free = table.fixed[slot * table.eaters + eater].is_none();
            if let Some(portion) = rng.pick(&table.choices[eater]).filter(|_| free) {
                state.serve(slot, eater, portion, i64::MAX);
            }
        }
    }
    state.plan()
}
