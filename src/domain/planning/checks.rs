//! What can be refused without knowing anything.

use super::decisions::check_days;
use super::messages::GenerateMealPlan;
use crate::domain::context::Rejection;

const MOST_MOVES: u64 = 50_000_000;
const MOST_PROOF_ROUNDS: u32 = 1000;
const MOST_SAID: usize = 1000;

pub(crate) fn check_generate(generate: &GenerateMealPlan) -> Result<(), Rejection> {
    check_days(generate.days)?;
    check_moves(generate.moves)?;
    if let Some(weights) = &generate.weights {
        weights.check("/weights")?;
    }
    if generate.proof_rounds.is_some_and(|rounds| rounds > MOST_PROOF_ROUNDS) {
        let hint = format!("give 0 (none) to {MOST_PROOF_ROUNDS}");
        return Err(Rejection::invalid("/proof_rounds", "too many rounds", hint));
    }
    let GenerateMealPlan { away, guests, skip, keep, pantry, ran_out, .. } = generate;
    let lists = [
        ("/away", away.len()),
        ("/guests", guests.len()),
        ("/skip", skip.len()),
        ("/keep", keep.len()),
        ("/pantry", pantry.len()),
        ("/ran_out", ran_out.len()),
    ];
    match lists.iter().find(|(_, count)| *count > MOST_SAID) {
        Some((pointer, _)) => {
            Err(Rejection::invalid(pointer, "too many entries", format!("give at most {MOST_SAID}")))
        }
        None => Ok(()),
    }
}

pub(super) fn check_moves(moves: Option<u64>) -> Result<(), Rejection> {
    match moves {
        Some(moves) if !(1..=MOST_MOVES).contains(&moves) => Err(Rejection::invalid(
            "/moves",
            format!("{moves} moves are too few or too many"),
            format!("give 1 to {MOST_MOVES}"),
        )),
        Some(_) | None => Ok(()),
    }
}
