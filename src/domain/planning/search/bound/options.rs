//! What may be eaten in one slot of one day, as flat arrays.

use super::FINE;
use super::model::{DINNER, LUNCH, Model, SLOTS};

/// Items that can be charged once a day; further ones are not (their price is >= 0, so that only weakens).
pub(crate) const TRACKED: usize = 128;

/// How a dish comes to a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Nothing,
    Cook,
    /// Cooked for twice as many, so that one later lunch is its leftovers.
    Double,
    /// Leftovers.
    Again,
}

/// The options of a slot, one index for all arrays.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) kind: Vec<Kind>,
    pub(crate) recipe: Vec<usize>,
    /// What it costs for itself, in sub-units.
    pub(crate) own: Vec<i64>,
    /// The tracked items that it forces to be bought.
    pub(crate) mask: Vec<u128>,
    /// Protein class, or a number below zero that no other option of the day has.
    pub(crate) protein: Vec<i64>,
    amounts: Vec<i32>,
    width: usize,
    bits: Vec<u8>,
    bit_ends: Vec<usize>,
    /// Where leftovers may come from: day and the place of the recipe in that dinner's choices.
    sources: Vec<(usize, usize)>,
    source_ends: Vec<usize>,
}

impl Options {
    pub(crate) fn len(&self) -> usize {
        self.kind.len()
    }

    pub(crate) fn amounts(&self, option: usize) -> &[i32] {
        &self.amounts[option * self.width..(option + 1) * self.width]
    }

    /// The tracked items of an option.
    pub(crate) fn bits(&self, option: usize) -> &[u8] {
        &self.bits[start(&self.bit_ends, option)..self.bit_ends[option]]
    }

    pub(crate) fn sources(&self, option: usize) -> &[(usize, usize)] {
        &self.sources[start(&self.source_ends, option)..self.source_ends[option]]
    }

    /// All options of a slot; empty where a planned slot can hold nothing.
    pub(crate) fn new(model: &Model, tracked: &[Option<u8>], day: usize, slot: usize) -> Self {
        let mut all = Self { width: model.eaters * model.nutrients, ..Self::default() };
        let meal = model.meal(day, slot);
        if !meal.planned {
            all.push(model, tracked, (day, slot), Kind::Nothing, usize::MAX, 0, &[]);
            return all;
        }
        for &(recipe, cost) in &meal.choices {
            all.push(model, tracked, (day, slot), Kind::Cook, recipe, cost, &[]);
        }
        if slot == DINNER {
            for (place, &(recipe, cost)) in meal.choices.iter().enumerate() {
                if is_reusable(model, day, recipe) {
                    all.push(model, tracked, (day, slot), Kind::Double, recipe, cost, &[(day, place)]);
                }
            }
        }
        for (recipe, sources) in leftovers(model, day, slot) {
            let cost = model.recipes[recipe].again;
            all.push(model, tracked, (day, slot), Kind::Again, recipe, cost, &sources);
        }
        all
    }

    #[expect(clippy::too_many_arguments, reason = "one row of a table, written in one place")]
    fn push(
        &mut self,
        model: &Model,
        tracked: &[Option<u8>],
        (day, slot): (usize, usize),
        kind: Kind,
        recipe: usize,
        cost: i64,
        sources: &[(usize, usize)],
    ) {
        self.kind.push(kind);
        self.recipe.push(recipe);
        self.own.push(cost * FINE);
        let mut mask = 0;
        let mut protein = if slot == LUNCH { -1 } else { -2 };
        if let Some(dish) = model.recipes.get(recipe) {
            protein = dish.protein.and_then(|p| i64::try_from(p).ok()).unwrap_or(protein);
            self.amounts.extend(dish.amounts.iter().map(|&a| i32::try_from(a).unwrap_or(i32::MAX)));
            for &(item, grams) in &dish.grams {
                if let Some(bit) = tracked[item]
                    && forces(model, day, item, grams * times(kind))
                {
                    mask |= 1 << bit;
                    self.bits.push(bit);
                }
            }
        } else {
            self.amounts.extend(std::iter::repeat_n(0, self.width));
        }
        self.mask.push(mask);
        self.protein.push(protein);
        self.bit_ends.push(self.bits.len());
        self.sources.extend_from_slice(sources);
        self.source_ends.push(self.sources.len());
    }
}

fn start(ends: &[usize], option: usize) -> usize {
    if option == 0 { 0 } else { ends[option - 1] }
}

/// How many times the grams of a recipe are bought.
pub(crate) fn times(kind: Kind) -> i64 {
    match kind {
        Kind::Nothing | Kind::Again => 0,
        Kind::Cook => 1,
        Kind::Double => 2,
    }
}

/// Whether this use alone means that some of the item is bought.
pub(crate) fn forces(model: &Model, day: usize, item: usize, grams: i64) -> bool {
    grams > 0
        && model.items[item]
            .stock
            .as_ref()
            .is_none_or(|s| grams > s.grams || s.last_day.is_some_and(|d| d < day))
}

fn is_reusable(model: &Model, cooked: usize, recipe: usize) -> bool {
    (cooked + 1..=cooked + model.recipes[recipe].keeps)
        .any(|day| day < model.days && model.meal(day, LUNCH).leftovers_of.contains(&cooked))
}

/// The recipes whose leftovers may be eaten in a slot, each with the dinners that they may come from.
fn leftovers(model: &Model, day: usize, slot: usize) -> Vec<(usize, Vec<(usize, usize)>)> {
    let mut all = std::collections::BTreeMap::<usize, Vec<(usize, usize)>>::new();
    for &cooked in model.meal(day, slot).leftovers_of.iter().filter(|_| slot == LUNCH) {
        for (place, &(recipe, _)) in model.meal(cooked, DINNER).choices.iter().enumerate() {
            if day <= cooked + model.recipes[recipe].keeps {
                all.entry(recipe).or_default().push((cooked, place));
            }
        }
    }
    all.into_iter().collect()
}

/// The options of every slot, index `day * SLOTS + slot`, and the bit of each tracked item.
pub(crate) fn all(model: &Model) -> (Vec<Options>, Vec<Option<u8>>) {
    let mut uses = vec![0_usize; model.items.len()];
    for (item, _) in model.recipes.iter().flat_map(|r| &r.grams) {
        uses[*item] += 1;
    }
    let mut order: Vec<usize> = (0..uses.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(uses[i]));
    let mut tracked = vec![None; uses.len()];
    for (bit, &item) in (0..).zip(order.iter().take(TRACKED)) {
        tracked[item] = Some(bit);
    }
    let slots =
        (0..model.days * SLOTS).map(|at| Options::new(model, &tracked, at / SLOTS, at % SLOTS)).collect();
    (slots, tracked)
}
