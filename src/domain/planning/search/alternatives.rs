//! What else could stand in one slot, and exactly what it would cost.

use super::check::Invalid;
use super::model::Model;
use super::moves::Move;
use super::objective::Plan;
use super::problem::{Meal, Portion, Problem, SlotRef};
use super::solution::{Solution, meal, plan_of, portions};
use super::state::State;
use super::terms::Terms;
use schemars::JsonSchema;
use serde::Serialize;

/// Another meal for a slot, everything else in the plan staying as it is (leftovers of the slot follow it).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Alternative {
    pub meal: Meal,
    /// The portions that suit it best.
    pub portions: Vec<Portion>,
    /// Objective with it less objective without it: what it costs more. 10 000 is one point.
    pub delta: i64,
    pub terms: Terms,
}

/// The `n` best other meals for a slot, cheapest first; none for a locked slot.
///
/// # Errors
/// What [`Problem::check`] finds, or a solution or slot of another problem.
pub fn alternatives(
    problem: &Problem,
    solution: &Solution,
    at: SlotRef,
    n: usize,
) -> Result<Vec<Alternative>, Vec<Invalid>> {
    problem.check()?;
    let model = Model::new(problem);
    let plan = plan_of(&model, solution)?;
    let Some(position) = model.position(at) else {
        return Err(vec![Invalid {
            pointer: "/at".to_owned(),
            message: "this slot is not planned".to_owned(),
            hint: "ask for a slot of the plan".to_owned(),
        }]);
    };
    let found = ranked(&mut State::of(&model, &plan), position);
    Ok(found.iter().take(n).map(|other| other.describe(&model, position)).collect())
}

/// An alternative by index, with the whole plan it leads to.
pub(super) struct Ranked {
    pub(super) plan: Plan,
    pub(super) delta: i64,
    pub(super) terms: Terms,
}

impl Ranked {
    pub(super) fn describe(&self, model: &Model<'_>, position: usize) -> Alternative {
        Alternative {
            meal: meal(model, &self.plan, position),
            portions: portions(model, &self.plan, position),
            delta: self.delta,
            terms: self.terms,
        }
    }
}

/// Every other choice the rules allow at a position, cheapest first.
pub(super) fn ranked(state: &mut State<'_>, position: usize) -> Vec<Ranked> {
    let (model, before) = (state.model, state.terms());
    let place = &model.positions[position];
    let cook = place.candidates.iter().map(|&recipe| Move::Cook { position, recipe });
    let reuse = place.sources.iter().map(|&source| Move::Leftover { position, source });
    let mut found = Vec::new();
    for step in cook.chain(reuse) {
        let mark = state.mark();
        if state.make(step) {
            state.best_portions(position);
            let terms = state.terms() - before;
            found.push(Ranked { plan: state.plan(), delta: terms.total(), terms });
            state.undo(mark);
        }
    }
    found.sort_by_key(|other| other.delta);
    found
}
