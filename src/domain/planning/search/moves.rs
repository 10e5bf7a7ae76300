//! Changes to a plan that keep every hard rule, or do not happen.

use super::model::Choice;
use super::state::State;

/// One step of the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// Cook this recipe there; leftovers of what was cooked there follow.
    Cook {
        position: usize,
        recipe: usize,
    },
    /// Cook these two there: what the one brings, the other can make up for.
    Pair {
        a: usize,
        first: usize,
        b: usize,
        second: usize,
    },
    /// Eat there the rest of what is cooked at `source`.
    Leftover {
        position: usize,
        source: usize,
    },
    /// Exchange what two positions cook.
    Swap {
        a: usize,
        b: usize,
    },
    Portion {
        position: usize,
        eater: usize,
        step: usize,
    },
}

impl State<'_> {
    /// Makes the move; where a hard rule forbids it, or it changes nothing, leaves the plan as it is and says false.
    pub(super) fn make(&mut self, step: Move) -> bool {
        let mark = self.mark();
        let done = match step {
            Move::Cook { position, recipe } => self.cook(position, recipe),
            Move::Pair { a, first, b, second } => self.pair((a, first), (b, second)),
            Move::Leftover { position, source } => self.reuse(position, source),
            Move::Swap { a, b } => self.swap(a, b),
            Move::Portion { position, eater, step } => self.portion(position, eater, step),
        };
        if !done {
            self.undo(mark);
        }
        done
    }

    fn is_free(&self, position: usize) -> bool {
        self.model.positions[position].locked.is_none()
    }

    fn cook(&mut self, position: usize, recipe: usize) -> bool {
        self.is_free(position)
            && self.choice(position) != Choice::Cook(recipe)
            && self.replace(&[(position, Choice::Cook(recipe))])
    }

    fn pair(&mut self, (a, first): (usize, usize), (b, second): (usize, usize)) -> bool {
        a != b
            && self.is_free(a)
            && self.is_free(b)
            && self.replace(&[(a, Choice::Cook(first)), (b, Choice::Cook(second))])
    }

    fn reuse(&mut self, position: usize, source: usize) -> bool {
        let model = self.model;
        let Choice::Cook(recipe) = self.choice(source) else { return false };
        let allowed = self.is_free(position)
            && self.choice(position) != Choice::Leftover(source)
            && self.uses(position) == 0
            && self.uses(source) < i64::from(model.problem.rules.leftover_max_uses)
            && model.positions[position].sources.binary_search(&source).is_ok()
            && model.keeps(source, position, recipe);
        if allowed {
            self.unplace(position);
            self.place(position, Choice::Leftover(source));
        }
        allowed
    }

    fn swap(&mut self, a: usize, b: usize) -> bool {
        let (first, second) = (self.choice(a), self.choice(b));
        let is_leftover = |choice| matches!(choice, Choice::Leftover(_));
        let sensible = first != second && !is_leftover(first) && !is_leftover(second);
        sensible && self.is_free(a) && self.is_free(b) && self.replace(&[(a, second), (b, first)])
    }

    fn portion(&mut self, position: usize, eater: usize, step: usize) -> bool {
        let place = &self.model.positions[position];
        let open = place.fixed[eater].is_none() && self.step(position, eater) != step;
        if open {
            self.set_step(position, eater, step);
        }
        open
    }

    /// Replaces what is cooked, taking the leftovers along; false in the middle where a rule is broken.
    fn replace(&mut self, changes: &[(usize, Choice)]) -> bool {
        let mut followers = Vec::new();
        for &(position, _) in changes {
            self.take_followers(position, &mut followers);
            self.unplace(position);
        }
        for &(position, choice) in changes {
            if let Choice::Cook(recipe) = choice
                && !(self.model.allows(position, recipe) && self.gap_allows(position, recipe))
            {
                return false;
            }
            self.place(position, choice);
        }
        for &(target, source) in &followers {
            let Choice::Cook(recipe) = self.choice(source) else { return false };
            if !self.model.keeps(source, target, recipe) {
                return false;
            }
            self.place(target, Choice::Leftover(source));
        }
        true
    }

    fn take_followers(&mut self, source: usize, followers: &mut Vec<(usize, usize)>) {
        let mut left = self.uses(source);
        let mut target = source + 1;
        while left > 0 && target < self.model.positions.len() {
            if self.choice(target) == Choice::Leftover(source) {
                self.unplace(target);
                followers.push((target, source));
                left -= 1;
            }
            target += 1;
        }
    }

    /// Whether cooking the recipe there keeps its distance from every other cooking of it.
    pub(super) fn gap_allows(&self, position: usize, recipe: usize) -> bool {
        self.times_cooked(recipe) == 0 || self.too_close_cooking(position, recipe).is_none()
    }

    /// Another position that cooks the recipe within its repeat gap.
    pub(super) fn too_close_cooking(&self, position: usize, recipe: usize) -> Option<usize> {
        (0..self.model.positions.len()).find(|&other| {
            other != position
                && self.choice(other) == Choice::Cook(recipe)
                && self.model.too_close(position, other)
        })
    }
}
