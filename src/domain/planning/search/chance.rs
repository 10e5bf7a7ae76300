//! Whether a worse plan is taken: Metropolis' rule in integers, the same on every machine.

use super::rng::Rng;

/// Steps of the table to one unit of the exponent.
const STEPS_PER_UNIT: i64 = 64;
/// exp(-1/64) x 2^63.
const FACTOR: u128 = 9_080_376_907_458_843_209;
const SIZE: usize = 1408;
/// exp(-i/64) x 2^32.
static EXP: [u32; SIZE] = table();

const fn table() -> [u32; SIZE] {
    let mut table = [0; SIZE];
    let mut value: u128 = (1 << 63) - 1;
    let mut i = 0;
    while i < SIZE {
        table[i] = (value >> 31) as u32;
        value = (value * FACTOR) >> 63;
        i += 1;
    }
    table
}

/// Takes a loss of `loss` with probability exp(-loss / temperature); always takes what is no loss.
pub(super) fn accepts(loss: i64, temperature: i64, rng: &mut Rng) -> bool {
    if loss <= 0 {
        return true;
    }
    let step = loss.saturating_mul(STEPS_PER_UNIT) / temperature.max(1);
    let chance = usize::try_from(step).ok().and_then(|step| EXP.get(step));
    chance.is_some_and(|&chance| rng.next() >> 32 < u64::from(chance))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_falls_by_e_every_64_steps() {
        assert_eq!(EXP[0], u32::MAX);
        assert_eq!(EXP[64], 1_580_030_168); // 2^32 / e
        assert_eq!(EXP[128], 581_260_615); // 2^32 / e^2
        assert!(EXP.is_sorted_by(|a, b| a >= b));
    }

    #[test]
    fn a_gain_is_always_taken_and_a_great_loss_never() {
        let mut rng = Rng::new(1);
        assert!(accepts(0, 1, &mut rng) && accepts(-5, 0, &mut rng));
        assert!((0..1000).all(|_| !accepts(i64::MAX, 10, &mut rng)));
    }

    #[test]
    fn a_loss_of_one_temperature_is_taken_about_37_times_of_100() {
        let mut rng = Rng::new(1);
        let taken = (0..10_000).filter(|_| accepts(500, 500, &mut rng)).count();
        assert!((3500..3900).contains(&taken), "{taken}");
    }
}
