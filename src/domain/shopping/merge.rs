//! Builds a shopping list: what several meals need of a food, added up and rounded up to what one can buy.

use super::amount::{Amount, Piece};
use crate::domain::measure::Milli;
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// One ingredient of one planned meal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// The id of the food that the line was matched with.
    pub food: Option<String>,
    /// The food's name, or what is left of the line when it was not matched.
    pub name: String,
    pub aisle: String,
    /// How much is needed; unknown when the line could not be measured.
    pub grams: Option<Milli>,
    /// The line as the recipe has it.
    pub raw_line: String,
    /// Something a household always has, such as salt.
    pub staple: bool,
    /// For foods that are bought by the piece.
    pub piece: Option<Piece>,
    /// For foods that are bought by volume.
    pub density_g_per_ml: Option<Milli>,
    pub reason: Reason,
}

/// The meal for which something is bought.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    pub date: NaiveDate,
    pub slot: String,
    pub recipe: String,
    pub recipe_id: Uuid,
    /// This meal's share of the line, exact; unknown when its line could not be measured.
    pub grams: Option<Milli>,
}

/// One thing to buy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Stays the same when the list is built again: `food:<id>`, or `text:<normalised name>` for unmatched lines;
    /// `more<n>:` before it where it is for what is needed beyond what was ticked off.
    pub key: String,
    pub name: String,
    pub aisle: String,
    pub amount: Amount,
    /// Every meal that needs it, by date.
    pub reasons: Vec<Reason>,
    /// The recipes' lines that could not be measured and are not part of the amount.
    pub unmeasured: Vec<String>,
    /// Only to be checked, because a household always has it.
    pub staple: bool,
}

/// The lines of a shopping list, ordered by `aisle_rank` of their aisle, then aisle, then name.
///
/// Needs of the same food become one line; unmatched needs only when their normalised names are equal. The order of
/// `needs` does not matter. Every need is among the reasons of exactly one line, and in `unmeasured` too if its grams
/// are unknown, negative or beyond [`Milli::LIMIT`].
#[must_use]
pub fn merge(needs: &[Need], aisle_rank: impl Fn(&str) -> u32) -> Vec<Line> {
    let mut groups: BTreeMap<String, Vec<&Need>> = BTreeMap::new();
    for need in needs {
        groups.entry(key(need)).or_default().push(need);
    }
    let ranked = |aisle: &str| (aisle_rank(aisle), aisle.to_owned());
    let mut lines: Vec<Line> = groups.into_iter().map(|(key, group)| line(key, &group, ranked)).collect();
    sort(&mut lines, aisle_rank);
    lines
}

pub(super) fn sort(lines: &mut [Line], aisle_rank: impl Fn(&str) -> u32) {
    lines.sort_by_cached_key(|line| {
        (aisle_rank(&line.aisle), line.aisle.clone(), line.name.to_lowercase(), line.key.clone())
    });
}

pub(super) fn key(need: &Need) -> String {
    if let Some(food) = &need.food {
        return format!("food:{food}");
    }
    let name = normalised(&need.name);
    format!("text:{}", if name.is_empty() { normalised(&need.raw_line) } else { name })
}

/// Lower case, single spaces, no punctuation around words.
fn normalised(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower.split_whitespace().map(|word| word.trim_matches(|c: char| c.is_ascii_punctuation()));
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn line(key: String, group: &[&Need], ranked: impl Fn(&str) -> (u32, String)) -> Line {
    let mut reasons: Vec<Reason> = group.iter().map(|need| reason(need)).collect();
    reasons.sort();
    let missing = group.iter().filter(|need| measured(need).is_none());
    let mut unmeasured: Vec<String> = missing.map(|need| need.raw_line.clone()).collect();
    unmeasured.sort();
    Line {
        key,
        name: group
            .iter()
            .map(|need| &need.name)
            .min_by_key(|name| (name.is_empty(), name.len(), *name))
            .cloned()
            .unwrap_or_default(),
        aisle: group
            .iter()
            .map(|need| &need.aisle)
            .min_by_key(|aisle| ranked(aisle))
            .cloned()
            .unwrap_or_default(),
        amount: amount(group),
        reasons,
        unmeasured,
        staple: group.iter().all(|need| need.staple),
    }
}

fn reason(need: &Need) -> Reason {
    Reason { grams: measured(need), ..need.reason.clone() }
}

pub(super) fn measured(need: &Need) -> Option<Milli> {
    need.grams.filter(|grams| (0..=Milli::LIMIT).contains(&grams.0))
}

/// By the piece if anybody counts pieces, else by volume if anybody knows the density, else by weight.
fn amount(group: &[&Need]) -> Amount {
    let shares: Vec<Milli> = group.iter().filter_map(|need| measured(need)).collect();
    if shares.is_empty() {
        return Amount::Unknown {};
    }
    let exact_g = shares.iter().copied().sum();
    let positive = |amount: &&Milli| **amount > Milli::ZERO;
    let piece =
        group.iter().filter_map(|need| need.piece.as_ref()).filter(|piece| piece.grams > Milli::ZERO).min();
    let density = group.iter().filter_map(|need| need.density_g_per_ml.as_ref()).filter(positive).min();
    match (piece, density) {
        (Some(piece), _) => Amount::pieces(exact_g, shares.len(), piece),
        (None, Some(density)) => Amount::volume(exact_g, shares.len(), *density),
        (None, None) => Amount::weight(exact_g, shares.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn need(food: Option<&str>, name: &str, grams: Option<i64>) -> Need {
        Need {
            food: food.map(str::to_owned),
            name: name.to_owned(),
            aisle: "produce".to_owned(),
            grams: grams.map(Milli::whole),
            raw_line: format!("some {name}"),
            staple: false,
            piece: None,
            density_g_per_ml: None,
            reason: Reason {
                recipe_id: Uuid::nil(),
                recipe: "Soup".to_owned(),
                date: NaiveDate::default(),
                slot: "dinner".to_owned(),
                grams: None,
            },
        }
    }

    #[test]
    fn the_same_food_is_bought_once() {
        let lines =
            merge(&[need(Some("1"), "Carrot", Some(120)), need(Some("1"), "Carrot", Some(133))], |_| 0);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].key, "food:1");
        assert_eq!(lines[0].amount.display(), "300 g");
        assert_eq!(lines[0].amount.exact_g(), Some(Milli::whole(253)));
        assert_eq!(
            lines[0].reasons.iter().map(|r| r.grams).collect::<Vec<_>>(),
            [120, 133].map(|g| Some(Milli::whole(g)))
        );
    }

    #[test]
    fn unmatched_lines_merge_only_when_their_texts_agree() {
        let lines = merge(
            &[
                need(None, "Dragon  sauce,", None),
                need(None, "dragon sauce", None),
                need(None, "dragon sauces", None),
                need(Some("dragon sauce"), "dragon sauce", None),
            ],
            |_| 0,
        );
        let keys: Vec<(&str, usize)> =
            lines.iter().map(|line| (line.key.as_str(), line.unmeasured.len())).collect();
        assert_eq!(keys, [("food:dragon sauce", 1), ("text:dragon sauce", 2), ("text:dragon sauces", 1)]);
    }

    #[test]
    fn what_could_not_be_measured_stands_beside_what_could() {
        let lines = merge(&[need(Some("1"), "Salt", None), need(Some("1"), "Salt", Some(7))], |_| 0);
        assert_eq!(lines[0].amount.display(), "10 g");
        assert_eq!(lines[0].unmeasured, ["some Salt"]);
        assert_eq!(lines[0].reasons.len(), 2);
    }

    #[test]
    fn a_line_is_a_staple_when_all_its_needs_are() {
        let staple = Need { staple: true, ..need(Some("1"), "Salt", Some(5)) };
        assert!(merge(std::slice::from_ref(&staple), |_| 0)[0].staple);
        assert!(!merge(&[staple, need(Some("1"), "Salt", Some(500))], |_| 0)[0].staple);
    }

    #[test]
    fn lines_follow_the_aisles_then_the_names() {
        let mut milk = need(Some("m"), "milk", Some(1));
        milk.aisle = "dairy".to_owned();
        let lines = merge(
            &[need(Some("z"), "Zucchini", Some(1)), milk, need(Some("a"), "apple", Some(1))],
            |aisle| u32::from(aisle != "dairy"),
        );
        assert_eq!(
            lines.iter().map(|line| line.name.as_str()).collect::<Vec<_>>(),
            ["milk", "apple", "Zucchini"]
        );
    }

    fn any_need() -> impl Strategy<Value = Need> {
        let grams = prop_oneof![
            6 => (0..2_000_000_i64).prop_map(|g| Some(Milli(g))),
            1 => any::<i64>().prop_map(|g| Some(Milli(g))),
            2 => Just(None),
        ];
        let piece = prop::option::of(("(clove|onion|)", -5..300_000_i64));
        let density = prop::option::of(prop_oneof![-5..2000_i64, Just(i64::MAX)]);
        let place = ("[ab]", any::<bool>(), 0..3_u128, "[xy]");
        (prop::option::of("[fgh]"), "[Pp]?[qr]", grams, piece, density, place).prop_map(
            |(food, name, grams, piece, density, (aisle, staple, recipe, raw))| Need {
                aisle,
                staple,
                grams,
                raw_line: raw,
                piece: piece.map(|(name, grams)| Piece { name, grams: Milli(grams) }),
                density_g_per_ml: density.map(Milli),
                reason: Reason { recipe_id: Uuid::from_u128(recipe), ..need(None, "", None).reason },
                ..need(food.as_deref(), &name, None)
            },
        )
    }

    proptest! {
        #[test]
        fn nobody_goes_short(needs in prop::collection::vec(any_need(), 0..12)) {
            for line in merge(&needs, |_| 0) {
                let known = line.reasons.iter().filter_map(|reason| reason.grams);
                let sum: Milli = known.clone().sum();
                prop_assert_eq!(line.amount.exact_g(), (known.clone().count() > 0).then_some(sum));
                let slack = i64::try_from(known.count()).unwrap() * crate::domain::shopping::amount::SLACK.0;
                prop_assert!(line.amount.buy_g().is_none_or(|buy| buy.0 >= sum.0.saturating_sub(slack)), "{:?}", line);
                let _ = line.amount.display();
            }
        }

        #[test]
        fn the_order_of_the_needs_does_not_matter(
            (needs, shuffled) in prop::collection::vec(any_need(), 0..12)
                .prop_flat_map(|needs| (Just(needs.clone()), Just(needs).prop_shuffle()))
        ) {
            let rank = |aisle: &str| u32::from(aisle == "a");
            prop_assert_eq!(merge(&needs, rank), merge(&shuffled, rank));
        }

        #[test]
        fn nothing_is_dropped_and_nothing_counted_twice(needs in prop::collection::vec(any_need(), 0..12)) {
            let lines = merge(&needs, |_| 0);
            let mut given: Vec<Reason> = needs.iter().map(reason).collect();
            let mut kept: Vec<Reason> = lines.iter().flat_map(|line| line.reasons.clone()).collect();
            given.sort();
            kept.sort();
            prop_assert_eq!(given, kept);
            let mut given: Vec<&String> = needs.iter().filter(|n| measured(n).is_none()).map(|n| &n.raw_line).collect();
            let mut kept: Vec<&String> = lines.iter().flat_map(|line| &line.unmeasured).collect();
            given.sort();
            kept.sort();
            prop_assert_eq!(given, kept);
            let keys: std::collections::BTreeSet<&String> = lines.iter().map(|line| &line.key).collect();
            prop_assert_eq!(keys.len(), lines.len());
        }
    }
}
