//! Makes of any plan one that keeps the hard rules of a table: what does not fit is left empty.

use super::batch::Batch;
use super::plan::{Choice, NONE, Plan, number};
use super::state::{State, empty};
use super::table::Table;

/// The plan with the locks of the table in place and without what breaks a rule.
#[must_use]
pub fn adopt(table: &Table, plan: &Plan) -> Plan {
    let mut state = State::new(table);
    let fits = plan.portions.len() == table.slots.len() * table.eaters;
    if fits && plan.choices.len() == table.slots.len() {
        take_portions(&mut state, plan);
        for slot in 0..table.slots.len() {
            take(&mut state, plan, slot);
        }
    }
    state.plan()
}

/// Takes the portions that are among the choices.
fn take_portions(state: &mut State<'_>, plan: &Plan) {
    let table = state.table;
    let mut portions = empty(table).portions;
    for (cell, portion) in portions.iter_mut().enumerate() {
        let wanted = plan.portions[cell];
        if table.fixed[cell].is_none() && table.choices[cell % table.eaters].contains(&wanted) {
            *portion = wanted;
        }
    }
    let locked = Plan { choices: state.plan().choices, portions };
    state.load(&locked);
}

/// Takes a cooking and those of its leftovers that are allowed.
fn take(state: &mut State<'_>, plan: &Plan, slot: usize) {
    let table = state.table;
    let Choice::Cook(recipe) = plan.choices[slot] else { return };
    if (recipe as usize) >= table.recipes.len() {
        return;
    }
    let locked = table.slots[slot].locked;
    if locked.is_none() && state.recipe[slot] == NONE {
        let one = Batch::one(slot);
        state.lift(one);
        let recipe = if state.fits(one, recipe) { recipe } else { NONE };
        state.place(one, recipe);
    }
    if state.recipe[slot] != recipe {
        return;
    }
    for eater in slot + 1..table.slots.len() {
        let eats =
            plan.choices[eater] == Choice::Leftover(number(slot)) && table.slots[eater].locked.is_none();
        if eats && state.recipe[eater] == NONE && table.slots[eater].sources.contains(&number(slot)) {
            state.reuse(eater, slot, i64::MAX);
        }
    }
}
