//! A batch: what is cooked in a slot and eaten there and in later slots.

/// Meals that may eat one cooking: its own and the leftovers.
pub(super) const MAX_BATCH: usize = 4;

/// A slot in which something is cooked, and the later slots that eat what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Batch {
    slots: [u16; MAX_BATCH],
    len: u8,
}

impl Batch {
    /// A meal without leftovers. A table has at most 112 slots.
    pub(super) fn one(slot: usize) -> Self {
        Self { slots: [u16::try_from(slot).unwrap_or(u16::MAX); MAX_BATCH], len: 1 }
    }

    /// The batch and one more meal of leftovers; unchanged when it is full.
    pub(super) fn with(mut self, slot: usize) -> Self {
        if let (Some(place), Ok(slot)) = (self.slots.get_mut(usize::from(self.len)), u16::try_from(slot)) {
            *place = slot;
            self.len += 1;
        }
        self
    }

    pub(super) fn without(self, slot: usize) -> Self {
        let kept = self.iter().filter(|&other| other != slot);
        let mut kept = kept.map(Self::one);
        let first = kept.next().unwrap_or(self);
        kept.fold(first, |batch, other| batch.with(other.source()))
    }

    /// Where it is cooked.
    #[inline]
    pub(super) fn source(&self) -> usize {
        usize::from(self.slots[0])
    }

    #[inline]
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.slots.iter().take(usize::from(self.len)).map(|&slot| usize::from(slot))
    }

    pub(super) const fn len(&self) -> usize {
        self.len as usize
    }
}
