//! New plans from old ones: some meals rolled again, or as little as possible changed after an edit.

use super::adopt::adopt;
use super::anneal::Watch;
use super::chains::{Effort, Found, solve_open};
use super::evaluate::evaluate;
use super::plan::{Choice, NONE, Plan, number};
use super::state::State;
use super::table::Table;

/// Chooses the meals of some slots anew, none of them as before; leftovers of them are chosen with them.
#[must_use]
pub fn reroll(table: &Table, plan: &Plan, slots: &[usize], effort: &Effort, watch: &Watch<'_>) -> Found {
    let mut plan = adopt(table, plan);
    let mut open = vec![false; table.slots.len()];
    let changes = |slot: usize, open: &[bool]| match plan.choices[slot] {
        Choice::Leftover(of) => slots.contains(&slot) || open.get(of as usize).copied().unwrap_or(false),
        Choice::Empty | Choice::Cook(_) => slots.contains(&slot),
    };
    for slot in 0..table.slots.len() {
        open[slot] = table.slots[slot].locked.is_none() && changes(slot, &open);
    }
    let rolled = |slot: &usize| open[*slot] && slots.contains(slot);
    let before: Vec<u32> =
        (0..open.len()).filter(rolled).filter_map(|slot| plan.dish(slot)).map(number).collect();
    for slot in (0..open.len()).filter(|&slot| open[slot]) {
        plan.choices[slot] = Choice::Empty;
    }
    solve_open(table, Some(&plan), &|slot| open[slot], &before, effort, watch)
}

/// [`reroll`] of all meals of a day.
#[must_use]
pub fn reroll_day(table: &Table, plan: &Plan, day: usize, effort: &Effort, watch: &Watch<'_>) -> Found {
    let slots: Vec<usize> = (0..table.slots.len()).filter(|&slot| table.slots[slot].day == day).collect();
    reroll(table, plan, &slots, effort, watch)
}

/// A plan that was amended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amended {
    pub found: Found,
    /// Slots whose dish is not what it was.
    pub changed: Vec<usize>,
}

/// Fits a plan to a table that has changed since (a lock, an eater away, a food that ran out).
///
/// Locks are put in place and meals that break a rule are replaced; as long as these are fewer than `most`, others
/// are changed too, those first that gain most. The price of change that the table has counts as everywhere.
#[must_use]
pub fn amend(table: &Table, plan: &Plan, most: usize) -> Amended {
    let start = adopt(table, plan);
    let mut state = State::of(table, &start);
    let mut moves = 0;
    let open: Vec<usize> =
        (0..table.slots.len()).filter(|&slot| table.slots[slot].locked.is_none()).collect();
    for &slot in open.iter().filter(|&&slot| start.choices[slot] == Choice::Empty) {
        state.fill(slot, &mut moves);
    }
    let forced = changed(&state, plan).into_iter().filter(|&slot| table.slots[slot].locked.is_none()).count();
    let mut left = most.saturating_sub(forced);
    // Each round gains something; the bound keeps the time in hand.
    for _ in 0..4 * (most + open.len()) {
        let Some((slot, recipe)) = best_change(&mut state, &open, plan, left, &mut moves) else { break };
        let batch = state.batch(slot);
        let before = changed(&state, plan).len();
        state.lift(batch);
        state.place(batch, recipe);
        left = (left + before).saturating_sub(changed(&state, plan).len());
    }
    (0..table.slots.len()).for_each(|slot| state.serve_best(slot));
    let changed = changed(&state, plan);
    let plan = state.plan();
    let terms = evaluate(table, &plan);
    Amended { found: Found { objective: terms.total(), terms, plan, moves }, changed }
}

/// Slots whose dish is not that of the plan.
fn changed(state: &State<'_>, plan: &Plan) -> Vec<usize> {
    let differs = |slot: &usize| plan.dish(*slot).map_or(NONE, number) != state.recipe[*slot];
    (0..state.recipe.len()).filter(differs).collect()
}

/// The single change of a cooked meal that gains most and changes at most `left` more dishes.
fn best_change(
    state: &mut State<'_>,
    open: &[usize],
    plan: &Plan,
    left: usize,
    moves: &mut u64,
) -> Option<(usize, u32)> {
    let (now, mut best) = (state.objective(), None);
    let mut low = now;
    for &slot in open {
        if state.of[slot] != NONE {
            continue;
        }
        let batch = state.batch(slot);
        let fresh = batch.iter().filter(|&m| plan.dish(m).map_or(NONE, number) == state.recipe[m]).count();
        if fresh > left {
            continue;
        }
        let old = state.recipe[slot];
        state.lift(batch);
        if let Some(recipe) = state.cheapest(batch, low, moves) {
            low = state.price(batch, recipe);
            best = Some((slot, recipe));
        }
        state.place(batch, old);
    }
    best
}
