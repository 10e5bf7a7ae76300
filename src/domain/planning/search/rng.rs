//! A tiny deterministic random number generator, so that a seed names one plan for ever.

/// `SplitMix64` (Steele, Lea and Flood 2014): one word of state, no bad seeds.
#[derive(Clone, Debug)]
pub(super) struct Rng(u64);

impl Rng {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// 32 random bits.
    pub(super) const fn bits(&mut self) -> u64 {
        self.next() >> 32
    }

    /// A number below `bound`, which fits in 32 bits; 0 for a bound of 0.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::from(u32::try_from(bound).unwrap_or(u32::MAX));
        usize::try_from((self.bits() * bound) >> 32).unwrap_or(0)
    }

    /// One of `items`; `None` when there are none.
    pub(super) fn pick<T: Copy>(&mut self, items: &[T]) -> Option<T> {
        items.get(self.below(items.len())).copied()
    }
}
