//! Simulated annealing in integers: random moves, worse ones accepted ever more rarely.

use super::descent::Serve;
use super::problem::PORTIONS;
use super::rng::Rng;
use super::state::State;
use super::table::{NONE, Plan};

/// Steps of the table in one unit of x.
const STEPS: i64 = 64;
const ENTRIES: usize = 1024;
/// `exp(-x)` in 1/2^32, for x in steps of 1/64.
static EXP: [u64; ENTRIES] = exponentials();

/// Temperature levels of a round, and the share (of 2^16) that each keeps of the one before.
const LEVELS: u64 = 64;
const COOLING: i64 = 63_000;
/// Objective units; tuned on made-up weeks of 84 and 300 recipes.
const HOT: i64 = 25_000;

/// The series of `exp(-1/64)` in 1/2^60, and its powers.
const fn exponentials() -> [u64; ENTRIES] {
    const ONE: u128 = 1 << 60;
    let (mut positive, mut negative, mut term, mut k) = (0u128, 0u128, ONE, 1u128);
    while term > 0 {
        if k % 2 == 1 {
            positive += term;
        } else {
            negative += term;
        }
        term /= 64 * k;
        k += 1;
    }
    let step = positive - negative;
    let (mut table, mut value, mut i) = ([0u64; ENTRIES], ONE, 0);
    while i < ENTRIES {
        #[expect(clippy::cast_possible_truncation, reason = "a number below 2^33")]
        let entry = (value >> 28) as u64;
        table[i] = entry;
        value = (value * step) >> 60;
        i += 1;
    }
    table
}

/// Whether a change for the worse by `delta` is accepted at a temperature.
fn accept(delta: i64, temperature: i64, rng: &mut Rng) -> bool {
    delta <= 0
        || usize::try_from(delta.saturating_mul(STEPS) / temperature)
            .is_ok_and(|x| EXP.get(x).is_some_and(|&chance| rng.bits() < chance))
}

/// What the moves choose from.
#[derive(Clone, Debug)]
pub(super) struct Moves {
    /// Meals to choose a dish for.
    open: Vec<usize>,
    /// Pairs of a served meal and somebody who eats it.
    portions: Vec<(usize, usize)>,
    /// For each open meal, the open meals of the same slot.
    peers: Vec<Vec<usize>>,
    /// Open lunches and dinners by day.
    mains: Vec<Vec<usize>>,
}

impl Moves {
    pub(super) fn of(state: &State<'_>) -> Self {
        let meals = &state.table.meals;
        let open: Vec<usize> = (0..meals.len()).filter(|&m| meals[m].open).collect();
        let peers =
            |m: usize| open.iter().copied().filter(|&o| o != m && meals[o].slot == meals[m].slot).collect();
        let mains = |day| open.iter().copied().filter(|&m| meals[m].day == day && !meals[m].mild).collect();
        let served = |m: &usize| meals[*m].locked != Some(None);
        Self {
            portions: (0..meals.len())
                .filter(served)
                .flat_map(|m| meals[m].eaters.iter().map(move |&e| (m, e)))
                .collect(),
            peers: (0..meals.len()).map(peers).collect(),
            mains: (0..state.table.problem.days.len()).map(mains).collect(),
            open,
        }
    }

    /// Whether there is nothing to change.
    pub(super) const fn is_empty(&self) -> bool {
        self.open.is_empty() && self.portions.is_empty()
    }

    /// One random change; `false`: it was not allowed and is to be taken back.
    pub(super) fn change(&self, state: &mut State<'_>, rng: &mut Rng) -> bool {
        match rng.below(100) {
            0..40 => rng.pick(&self.open).is_some_and(|meal| cook_another(state, meal, rng)),
            40..52 => self.swap(state, rng),
            52..75 => resize(state, &self.portions, rng),
            75..88 => rng.pick(&self.open).is_some_and(|meal| toggle(state, meal, rng)),
            _ => {
                let day = rng.below(self.mains.len());
                self.mains.get(day).is_some_and(|meals| {
                    !meals.is_empty() && meals.iter().all(|&meal| cook_another(state, meal, rng))
                })
            }
        }
    }

    fn swap(&self, state: &mut State<'_>, rng: &mut Rng) -> bool {
        let Some(a) = rng.pick(&self.open) else { return false };
        let Some(b) = rng.pick(&self.peers[a]) else { return false };
        let (one, two) = (state.plan.recipe[a], state.plan.recipe[b]);
        let cooked =
            |m: usize| state.plan.recipe[m] != NONE && state.plan.of[m] == NONE && !state.is_source(m);
        if one == two || !cooked(a) || !cooked(b) {
            return false;
        }
        state.clear(a);
        state.clear(b);
        state.cook(a, two) && state.cook(b, one)
    }
}

fn cook_another(state: &mut State<'_>, meal: usize, rng: &mut Rng) -> bool {
    rng.pick(&state.table.meals[meal].cook)
        .is_some_and(|recipe| recipe != state.plan.recipe[meal] && state.cook(meal, recipe))
}

fn resize(state: &mut State<'_>, portions: &[(usize, usize)], rng: &mut Rng) -> bool {
    let Some((meal, eater)) = rng.pick(portions) else { return false };
    let Ok(portion) = u8::try_from(rng.below(PORTIONS.len())) else { return false };
    state.portion(meal, eater, portion);
    true
}

/// Makes a cooked meal a leftover, or a leftover a cooked meal.
fn toggle(state: &mut State<'_>, meal: usize, rng: &mut Rng) -> bool {
    if state.plan.of[meal] != NONE && rng.below(2) == 0 {
        return cook_another(state, meal, rng);
    }
    let first = state.table.of_day(state.table.meals[meal].day.saturating_sub(4)).start;
    let today = state.table.of_day(state.table.meals[meal].day).start;
    let cook = first + rng.below(today - first);
    cook < today && state.try_dish(meal, Serve::Reuse(cook))
}

/// The best plan of a round.
#[derive(Clone, Debug)]
pub(super) struct Best {
    pub(super) objective: i64,
    pub(super) plan: Plan,
    pub(super) improvements: u64,
}

/// Anneals for `moves` moves, keeping the best; `watch` is told now and then and stops it by `false`.
pub(super) fn anneal(
    state: &mut State<'_>,
    moves: &Moves,
    (budget, heat): (u64, i64),
    rng: &mut Rng,
    best: &mut Best,
    watch: &mut dyn FnMut(u64, &Best) -> bool,
) -> bool {
    let level = budget.div_ceil(LEVELS).max(1);
    let mut temperature = (HOT * heat / 100).max(1);
    for done in 0..budget {
        if done % level == level - 1 {
            temperature = ((temperature * COOLING) >> 16).max(1);
        }
        if done % 1024 == 1023 && !watch(done, best) {
            return false;
        }
        let before = state.objective();
        if !moves.change(state, rng) || !accept(state.objective() - before, temperature, rng) {
            state.undo();
            continue;
        }
        state.keep();
        if state.objective() < best.objective {
            best.objective = state.objective();
            best.plan.clone_from(&state.plan);
            best.improvements += 1;
        }
    }
    true
}
