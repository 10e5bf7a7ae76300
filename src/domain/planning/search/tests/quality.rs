//! The search is worth its moves: better than greedy, better than chance, never worse with more of them.

use super::super::anneal::Search;
use super::super::model::Model;
use super::super::state::State;
use super::*;
use std::ops::ControlFlow;

fn greedy_only(problem: &Problem) -> i64 {
    let model = Model::new(problem);
    let mut go_on = |_: &Progress| ControlFlow::Continue(());
    let mut search = Search::new(&model, &mut go_on);
    search.greedy();
    search.progress.objective
}

/// The best of 200 plans filled at random.
fn chance_only(problem: &Problem) -> i64 {
    let model = Model::new(problem);
    let mut rng = rng::Rng::new(5);
    let fill = |_| {
        let mut state = State::new(&model);
        for position in 0..model.positions.len() {
            let candidates = &model.positions[position].candidates;
            for _ in 0..20 {
                let recipe = candidates[rng.below(candidates.len())];
                if state.make(moves::Move::Cook { position, recipe }) {
                    break;
                }
            }
        }
        state.objective()
    };
    (0..200).map(fill).min().unwrap()
}

#[test]
fn the_search_beats_greedy_and_chance_by_a_wide_margin() {
    let mut problem = household(60, 7, 3);
    problem.moves = 40_000;
    let solution = solve(&problem).unwrap();
    let (greedy, chance) = (greedy_only(&problem), chance_only(&problem));
    assert!(solution.objective * 100 < greedy * 95, "{} against greedy {greedy}", solution.objective);
    assert!(solution.objective * 100 < chance * 75, "{} against chance {chance}", solution.objective);
    assert!(solution.bound <= solution.objective);
    assert_eq!(solution.terms.empty, 0);
}

#[test]
fn more_moves_are_never_worse() {
    for seed in 1..4 {
        let mut last = i64::MAX;
        for moves in [0, 3_000, 12_000, 30_000, 60_000] {
            let problem = Problem { moves, ..household(40, 4, seed) };
            let objective = solve(&problem).unwrap().objective;
            assert!(objective <= last, "seed {seed}, {moves} moves: {objective} after {last}");
            last = objective;
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_plan() {
    let problem = Problem { moves: 10_000, ..household(40, 5, 9) };
    assert_eq!(solve(&problem), solve(&problem.clone()));
}

#[test]
fn a_stopped_search_gives_its_best_plan_so_far() {
    let problem = household(40, 5, 2);
    let mut seen = Vec::new();
    let solution = solve_with(&problem, &mut |progress| {
        seen.push(*progress);
        if progress.moves_used > 9_000 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .unwrap();
    assert!(solution.moves_used < 12_000, "{}", solution.moves_used);
    assert!(seen.is_sorted_by(|a, b| a.moves_used < b.moves_used && a.objective >= b.objective));
    assert_eq!(solution.objective, seen.last().unwrap().objective);
}
