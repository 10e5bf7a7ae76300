//! What else could be eaten at a meal, and what exactly that would cost.

use super::problem::{Dish, PORTIONS, Problem, Solution, Terms};
use super::state::State;
use super::table::{NONE, Plan, Table, WHOLE, index, number};

/// How many of the cheapest dishes are tried with other portions as well.
const REFINED: usize = 16;

/// Another recipe for a meal, everything else unchanged except the portions of that meal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// Index of the recipe.
    pub recipe: usize,
    /// What the plan's objective would grow by, in 1/10 000 points.
    pub delta: i64,
    /// The same, term by term.
    pub terms: Terms,
}

/// The `n` best other recipes to cook at a meal of a solution, best first; none for a meal or a solution that is not
/// of this problem. A locked meal has alternatives too; the meals that eat its leftovers follow.
#[must_use]
pub fn alternatives(problem: &Problem, solution: &Solution, meal: usize, n: usize) -> Vec<Alternative> {
    let table = Table::new(problem);
    plan_of(&table, solution).map_or_else(Vec::new, |plan| {
        let mut state = State::with(&table, &plan);
        if meal < table.meals.len() { best(&mut state, meal, n) } else { Vec::new() }
    })
}

/// The plan that a solution describes; `None` when it is one of another problem.
pub(super) fn plan_of(table: &Table<'_>, solution: &Solution) -> Option<Plan> {
    let meals = table.meals.len();
    let mut plan =
        Plan { recipe: vec![NONE; meals], of: vec![NONE; meals], portion: vec![WHOLE; meals * table.eaters] };
    if solution.meals.len() != meals {
        return None;
    }
    for (m, meal) in solution.meals.iter().enumerate() {
        if table.meals[m].day != meal.day || table.meals[m].slot != meal.slot {
            return None;
        }
        match meal.dish {
            Dish::Cook { recipe, .. } => plan.recipe[m] = number(recipe),
            Dish::Leftover { recipe, of } if of < m => {
                plan.recipe[m] = number(recipe);
                plan.of[m] = number(of);
            }
            Dish::Leftover { .. } => return None,
            Dish::Empty { .. } => {}
        }
        if plan.recipe_at(m).is_some_and(|recipe| recipe >= table.recipes.len()) {
            return None;
        }
        for &(eater, percent) in &meal.portions {
            let portion = PORTIONS.iter().position(|&p| p == percent)?;
            *plan.portion.get_mut(m * table.eaters + eater).filter(|_| eater < table.eaters)? =
                u8::try_from(portion).ok()?;
        }
    }
    Some(plan)
}

/// The best other recipes to cook at a meal; leaves the state as it was.
pub(super) fn best(state: &mut State<'_>, meal: usize, n: usize) -> Vec<Alternative> {
    let table = state.table;
    let now = state.terms;
    let mut found: Vec<(i64, u32)> = Vec::new();
    state.keep();
    for &recipe in
        table.meals[meal].cook.iter().filter(|&&recipe| recipe != state.plan.recipe[meal]).collect::<Vec<_>>()
    {
        if state.cook(meal, recipe) {
            found.push((state.objective(), recipe));
        }
        state.undo();
    }
    found.sort_unstable();
    found.truncate(n.max(REFINED));
    let mut all: Vec<Alternative> = Vec::new();
    for (_, recipe) in found {
        if state.cook(meal, recipe) {
            state.improve_portions(meal);
            let terms = state.terms.minus(&now);
            all.extend(index(recipe).map(|recipe| Alternative { recipe, delta: terms.total(), terms }));
        }
        state.undo();
    }
    all.sort_by_key(|other| (other.delta, other.recipe));
    all.truncate(n);
    all
}
