//! Whether a plan keeps every hard rule: the definition that the moves of the search must agree with.

use super::batch::MAX_BATCH;
use super::plan::{Choice, Plan, index, number};
use super::table::{COOK, Table};

/// A hard rule that a plan breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The plan has another number of slots or portions than the table.
    Shape,
    /// What stands in the slot is not what is locked there.
    Lock { slot: usize },
    /// The recipe may not be cooked in the slot.
    Filter { slot: usize },
    /// The slot eats leftovers of something that is not there, does not keep, or is eaten up.
    Leftover { slot: usize },
    /// Both slots cook the same recipe, too close to each other.
    Repeat { slot: usize, other: usize },
    /// An eater has a portion that is not among the choices.
    Portion { slot: usize, eater: usize },
}

/// The first hard rule that a plan breaks; locked slots override the filters and the repeat gap among themselves.
#[must_use]
pub fn broken(table: &Table, plan: &Plan) -> Option<Broken> {
    if plan.choices.len() != table.slots.len() || plan.portions.len() != table.slots.len() * table.eaters {
        return Some(Broken::Shape);
    }
    (0..table.slots.len())
        .find_map(|slot| slot_broken(table, plan, slot).or(portion_broken(table, plan, slot)))
}

fn slot_broken(table: &Table, plan: &Plan, slot: usize) -> Option<Broken> {
    let choice = plan.choices[slot];
    if let Some(locked) = table.slots[slot].locked {
        if locked != choice {
            return Some(Broken::Lock { slot });
        }
    } else {
        match choice {
            Choice::Empty => return None,
            Choice::Cook(recipe) => {
                let group = &table.groups[table.slots[slot].group];
                if group.allow.get(index(recipe)?).is_none_or(|allow| allow & COOK == 0) {
                    return Some(Broken::Filter { slot });
                }
            }
            Choice::Leftover(of) => {
                if !may_eat(table, plan, slot, of) {
                    return Some(Broken::Leftover { slot });
                }
            }
        }
    }
    repeated(table, plan, slot)
}

fn may_eat(table: &Table, plan: &Plan, slot: usize, of: u32) -> bool {
    let Some(source) = index(of).filter(|_| table.slots[slot].sources.contains(&of)) else { return false };
    let Choice::Cook(recipe) = plan.choices[source] else { return false };
    let eats = |&other: &usize| plan.choices[other] == Choice::Leftover(number(source));
    let eaters: Vec<usize> = (0..table.slots.len()).filter(eats).collect();
    let same_day = |&&other: &&usize| table.slots[other].day == table.slots[slot].day;
    table.keeps(source, slot, recipe as usize)
        && eaters.len() <= usize::from(table.rules.leftover_uses).min(MAX_BATCH - 1)
        && eaters.iter().filter(same_day).count() == 1
}

fn repeated(table: &Table, plan: &Plan, slot: usize) -> Option<Broken> {
    let choice @ Choice::Cook(_) = plan.choices[slot] else { return None };
    let locked = |slot: usize| table.slots[slot].locked.is_some();
    let other = (0..slot).find(|&other| {
        plan.choices[other] == choice && table.too_close(slot, other) && !(locked(slot) && locked(other))
    })?;
    Some(Broken::Repeat { slot, other })
}

fn portion_broken(table: &Table, plan: &Plan, slot: usize) -> Option<Broken> {
    let broken = |&&e: &&u8| {
        let cell = slot * table.eaters + usize::from(e);
        let portion = plan.portions[cell];
        match table.fixed[cell] {
            Some(fixed) => portion != fixed,
            None => !table.choices[usize::from(e)].contains(&portion),
        }
    };
    let eater = table.slots[slot].eaters.iter().find(broken)?;
    Some(Broken::Portion { slot, eater: usize::from(*eater) })
}
