//! Chance in integers, the same on every machine: Metropolis' rule and Gumbel's noise.

use super::rng::Rng;

const BITS: u32 = 10;
const SIZE: usize = 1 << BITS;
/// ln 2 in 1/2^16.
const LN_2: u64 = 45_426;
/// -ln((i + 1/2) / SIZE) in 1/2^16.
static LOSSES: [i32; SIZE] = losses();
/// -ln(-ln((i + 1/2) / SIZE)) in 1/2^16, rising.
static LUCK: [i32; SIZE] = luck();
/// The most luck there is.
const MOST_LUCK: i64 = LUCK[SIZE - 1] as i64;

const fn losses() -> [i32; SIZE] {
    let mut losses = [0; SIZE];
    let mut i = 0;
    while i < SIZE {
        losses[i] = ln_above(2 * i as u64 + 1, BITS as u64 + 1);
        i += 1;
    }
    losses
}

const fn luck() -> [i32; SIZE] {
    let mut luck = [0; SIZE];
    let mut i = 0;
    while i < SIZE {
        luck[i] = ln_above(LOSSES[i].cast_unsigned() as u64, 16);
        i += 1;
    }
    luck
}

/// -ln(number / 2^bits) in 1/2^16, for numbers that make it small.
const fn ln_above(number: u64, bits: u64) -> i32 {
    let below = (bits << 16).cast_signed() - log2(number).cast_signed();
    #[expect(clippy::cast_possible_truncation, reason = "at most 16 ln 2 in 1/2^16")]
    let ln = ((below * LN_2.cast_signed()) >> 16) as i32;
    ln
}

/// The binary logarithm of a number from 1 to 2^31, in 1/2^16.
const fn log2(number: u64) -> u64 {
    let whole = number.ilog2() as u64;
    let mut mantissa = (number << 31) >> whole;
    let (mut log, mut bit) = (whole << 16, 1 << 15);
    while bit > 0 {
        mantissa = (mantissa * mantissa) >> 31;
        if mantissa >> 32 > 0 {
            mantissa >>= 1;
            log |= bit;
        }
        bit >>= 1;
    }
    log
}

#[inline]
fn draw(rng: &mut Rng) -> usize {
    usize::try_from(rng.next() >> (64 - BITS)).unwrap_or(0)
}

/// A loss drawn from the exponential distribution of this mean: a change that loses no more is taken.
#[inline]
pub(super) fn tolerance(temperature: i64, rng: &mut Rng) -> i64 {
    (temperature * i64::from(LOSSES[draw(rng)])) >> 16
}

/// Gumbel's noise of this scale: the price that is lowest after subtracting it is Boltzmann's choice.
#[inline]
pub(super) fn luck_of(temperature: i64, rng: &mut Rng) -> i64 {
    (temperature * i64::from(LUCK[draw(rng)])) >> 16
}

/// The largest [`luck_of`] there is.
#[inline]
pub(super) const fn most_luck(temperature: i64) -> i64 {
    (temperature * MOST_LUCK) >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_hold_logarithms() {
        assert_eq!(log2(1), 0);
        assert_eq!(log2(1 << 20), 20 << 16);
        assert_eq!(log2(3), 103_872); // 1.58496 x 65536
        assert!(LOSSES.is_sorted_by(|a, b| a >= b) && LUCK.is_sorted());
        assert_eq!(MOST_LUCK >> 16, 7); // -ln(1 / 2048) is 7.6
    }

    #[test]
    fn a_loss_of_one_temperature_is_taken_about_37_times_of_100() {
        let mut rng = Rng::new(1, 0);
        let taken = (0..10_000).filter(|_| tolerance(1000, &mut rng) >= 1000).count();
        assert!((3500..3900).contains(&taken), "{taken}");
    }
}
