//! A plan as the search knows it: what stands in every slot, and everybody's portions.

/// "No recipe", "no slot" in flat arrays.
pub const NONE: u32 = u32::MAX;

/// What stands in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    Empty,
    Cook(u32),
    /// What is left of the cooking in this earlier slot.
    Leftover(u32),
}

/// A plan of one [`super::Table`], by its slots (in the order of days and meals).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub choices: Vec<Choice>,
    /// By slot and eater: index into `Table::percents`.
    pub portions: Vec<u8>,
}

impl Plan {
    /// The recipe eaten in a slot.
    #[must_use]
    pub fn dish(&self, slot: usize) -> Option<usize> {
        let choice = match self.choices.get(slot)? {
            Choice::Leftover(of) => self.choices.get(index(*of)?)?,
            Choice::Empty | Choice::Cook(_) => self.choices.get(slot)?,
        };
        match choice {
            Choice::Cook(recipe) => index(*recipe),
            Choice::Empty | Choice::Leftover(_) => None,
        }
    }

    /// The slot in which the dish of a slot is cooked: itself, but for leftovers.
    #[must_use]
    pub fn cooked_at(&self, slot: usize) -> usize {
        match self.choices.get(slot) {
            Some(Choice::Leftover(of)) => index(*of).unwrap_or(slot),
            Some(Choice::Empty | Choice::Cook(_)) | None => slot,
        }
    }
}

/// The index in a flat array; `None` for [`NONE`].
#[inline]
pub(super) const fn index(number: u32) -> Option<usize> {
    if number == NONE { None } else { Some(number as usize) }
}

/// The number of an index; bounds of the problem keep all of them below 2^32 - 1.
#[inline]
pub(super) fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(NONE)
}
