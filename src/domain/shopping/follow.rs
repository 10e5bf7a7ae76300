//! Open lists follow their plan: amounts change, lines come and go. What was ticked off was bought and stays as it is;
//! where the need has grown beyond it, a line of its own asks for the difference. Lines of one's own are left alone.

use super::amount::SLACK;
use super::context::{Event, PlanFollowed, ShoppingListUpdated};
use super::merge::{Line, Need, key, measured, merge, sort};
use super::needs::aisle_rank;
use super::views::ListView;
use crate::domain::measure::Milli;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A line as a list keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub checked: bool,
    /// `None`: somebody has added it by hand.
    pub line: Option<Line>,
}

impl Kept {
    pub(super) fn open(line: &Line) -> Self {
        Self { checked: false, line: Some(line.clone()) }
    }
}

/// What was ticked off of one thing.
#[derive(Default)]
struct Bought {
    grams: Milli,
    unmeasured: Vec<String>,
    /// The household has it and will not run short.
    always: bool,
}

impl Bought {
    fn add(&mut self, line: &Line) {
        let slack = i64::try_from(line.reasons.len()).unwrap_or(i64::MAX).saturating_mul(SLACK.0);
        let grams = line.amount.buy_g().unwrap_or_default().0.saturating_add(slack);
        self.grams = Milli(self.grams.0.saturating_add(grams));
        self.unmeasured.extend(line.unmeasured.iter().cloned());
        self.always |= line.staple;
    }

    /// What of a need it does not cover; it is used up with that.
    fn rest(&mut self, need: Need) -> Option<Need> {
        if self.always {
            return None;
        }
        let Some(grams) = measured(&need) else {
            let covered = self.unmeasured.iter().position(|line| *line == need.raw_line);
            return match covered {
                Some(n) => {
                    self.unmeasured.swap_remove(n);
                    None
                }
                None => Some(need),
            };
        };
        let used = grams.0.min(self.grams.0);
        self.grams = Milli(self.grams.0 - used);
        (used < grams.0).then(|| Need { grams: Some(Milli(grams.0 - used)), ..need })
    }
}

/// The open lists of a plan that has changed.
pub(super) fn follow(plan: Uuid, lists: &[ListView]) -> Vec<Event> {
    let of_plan = lists.iter().filter(|list| list.plan == plan && !list.completed);
    let lists: Vec<Uuid> = of_plan.filter_map(|list| list.id.parse().ok()).collect();
    if lists.is_empty() { Vec::new() } else { vec![PlanFollowed { lists }.into()] }
}

/// Nothing when the list is as it should be.
pub(super) fn up_to_date(
    kept: &BTreeMap<String, Kept>,
    remarks_before: &[String],
    needs: Vec<Need>,
    remarks: Vec<String>,
) -> Vec<Event> {
    let lines = lines(kept, needs);
    let before: BTreeMap<&str, &Line> =
        kept.values().filter_map(|kept| kept.line.as_ref()).map(|line| (&*line.key, line)).collect();
    let now: BTreeMap<&str, &Line> = lines.iter().map(|line| (&*line.key, line)).collect();
    if before == now && remarks_before == remarks {
        return Vec::new();
    }
    vec![ShoppingListUpdated { lines, remarks }.into()]
}

fn lines(kept: &BTreeMap<String, Kept>, mut needs: Vec<Need>) -> Vec<Line> {
    let ticked = kept.values().filter(|kept| kept.checked).filter_map(|kept| kept.line.as_ref());
    let mut lines: Vec<Line> = ticked.cloned().collect();
    let mut bought: BTreeMap<String, Bought> = BTreeMap::new();
    for line in &lines {
        bought.entry(whole(&line.key).to_owned()).or_default().add(line);
    }
    // What there is goes to the meals that come first.
    needs.sort_by(|one, other| (&one.reason, &one.raw_line).cmp(&(&other.reason, &other.raw_line)));
    let rest = |need: Need| match bought.get_mut(&key(&need)) {
        Some(bought) => bought.rest(need),
        None => Some(need),
    };
    let open: Vec<Need> = needs.into_iter().filter_map(rest).collect();
    let is_ticked = |key: &String| kept.get(key).is_some_and(|kept| kept.checked);
    for line in merge(&open, aisle_rank) {
        let free = (1..).map(|n| part(&line.key, n)).find(|key| !is_ticked(key));
        lines.push(Line { key: free.unwrap_or_default(), ..line });
    }
    sort(&mut lines, aisle_rank);
    lines
}

/// The key of what is bought of a thing for the `n`-th time.
fn part(key: &str, n: u32) -> String {
    if n == 1 { key.to_owned() } else { format!("more{n}:{key}") }
}

fn whole(key: &str) -> &str {
    let more = key.strip_prefix("more").and_then(|rest| rest.split_once(':'));
    more.filter(|(n, _)| n.parse::<u32>().is_ok()).map_or(key, |(_, key)| key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::shopping::merge::Reason;
    use chrono::{Days, NaiveDate};
    use proptest::prelude::*;

    fn need(food: &str, day: u64, grams: Option<i64>) -> Need {
        Need {
            food: Some(food.to_owned()),
            name: food.to_owned(),
            aisle: "produce".to_owned(),
            grams: grams.map(Milli::whole),
            raw_line: format!("some {food}"),
            staple: food == "salt",
            piece: None,
            density_g_per_ml: None,
            reason: Reason {
                recipe_id: Uuid::nil(),
                recipe: "Soup".to_owned(),
                date: NaiveDate::default() + Days::new(day),
                slot: "dinner".to_owned(),
                grams: None,
            },
        }
    }

    fn list(needs: &[Need]) -> BTreeMap<String, Kept> {
        merge(needs, aisle_rank).iter().map(|line| (line.key.clone(), Kept::open(line))).collect()
    }

    fn tick(list: &mut BTreeMap<String, Kept>, key: &str) {
        list.get_mut(key).unwrap().checked = true;
    }

    /// The list as the next update leaves it.
    fn next(list: &BTreeMap<String, Kept>, needs: &[Need]) -> BTreeMap<String, Kept> {
        let of_ones_own = list.iter().filter(|(_, kept)| kept.line.is_none());
        let mut next: BTreeMap<_, _> = of_ones_own.map(|(key, kept)| (key.clone(), kept.clone())).collect();
        for line in lines(list, needs.to_vec()) {
            let checked = list.get(&line.key).is_some_and(|kept| kept.checked);
            next.insert(line.key.clone(), Kept { checked, line: Some(line) });
        }
        next
    }

    fn shown(list: &BTreeMap<String, Kept>) -> Vec<String> {
        let text = |(key, kept): (&String, &Kept)| {
            let amount = kept.line.as_ref().map(|line| line.amount.display()).unwrap_or_default();
            format!("{key} {amount}{}", if kept.checked { " ticked" } else { "" })
        };
        list.iter().map(text).collect()
    }

    #[test]
    fn open_lines_follow_and_lines_of_ones_own_stay() {
        let mut before = list(&[need("leek", 0, Some(400)), need("rice", 1, Some(100))]);
        before.insert("own:1".to_owned(), Kept { checked: false, line: None });
        let after = next(&before, &[need("leek", 0, Some(200)), need("fish", 1, Some(300))]);
        assert_eq!(shown(&after), ["food:fish 300 g", "food:leek 200 g", "own:1 "]);
    }

    #[test]
    fn what_was_ticked_off_stays_and_the_difference_is_asked_for_beside_it() {
        let mut before = list(&[need("leek", 0, Some(300))]);
        tick(&mut before, "food:leek");
        assert_eq!(shown(&next(&before, &[])), ["food:leek 300 g ticked"]);
        assert_eq!(shown(&next(&before, &[need("leek", 0, Some(100))])), ["food:leek 300 g ticked"]);
        let more = [need("leek", 0, Some(300)), need("leek", 1, Some(200))];
        let mut grown = next(&before, &more);
        assert_eq!(shown(&grown), ["food:leek 300 g ticked", "more2:food:leek 200 g"]);
        let asked = grown["more2:food:leek"].line.as_ref().unwrap();
        assert_eq!(asked.reasons.len(), 1, "only the meal that is not covered");
        assert_eq!(next(&grown, &more), grown);
        tick(&mut grown, "more2:food:leek");
        assert_eq!(next(&grown, &more), grown);
        let again = next(&grown, &[more.to_vec(), vec![need("leek", 2, Some(100))]].concat());
        assert_eq!(shown(&again).last().unwrap(), "more3:food:leek 100 g");
        let mut unticked = grown.clone();
        unticked.get_mut("food:leek").unwrap().checked = false;
        assert_eq!(shown(&next(&unticked, &more)), ["food:leek 300 g", "more2:food:leek 200 g ticked"]);
    }

    #[test]
    fn what_was_bought_beyond_the_need_is_used() {
        let mut before = list(&[need("leek", 0, Some(253))]);
        tick(&mut before, "food:leek");
        assert_eq!(shown(&next(&before, &[need("leek", 0, Some(299))])), ["food:leek 300 g ticked"]);
    }

    #[test]
    fn what_a_household_always_has_is_not_asked_for_again() {
        let mut before = list(&[need("salt", 0, Some(5))]);
        tick(&mut before, "food:salt");
        assert_eq!(next(&before, &[need("salt", 0, Some(50))]), before);
    }

    #[test]
    fn a_line_that_nobody_measured_is_covered_by_its_like_only() {
        let mut before = list(&[need("leek", 0, None)]);
        tick(&mut before, "food:leek");
        assert_eq!(next(&before, &[need("leek", 3, None)]), before);
        let after = next(&before, &[need("leek", 0, None), need("leek", 1, None)]);
        assert_eq!(shown(&after), ["food:leek  ticked", "more2:food:leek "]);
    }

    #[test]
    fn only_open_lists_of_the_plan_follow() {
        let list = |id: u128, plan: u128, completed| ListView {
            id: Uuid::from_u128(id).to_string(),
            plan: Uuid::from_u128(plan),
            created: chrono::DateTime::UNIX_EPOCH,
            completed,
            lines: Vec::new(),
            remarks: Vec::new(),
        };
        let lists = [list(1, 7, false), list(2, 7, true), list(3, 8, false)];
        let follows = PlanFollowed { lists: vec![Uuid::from_u128(1)] };
        assert_eq!(follow(Uuid::from_u128(7), &lists), [follows.into()]);
        assert_eq!(follow(Uuid::from_u128(9), &lists), []);
    }

    fn some_needs() -> impl Strategy<Value = Vec<Need>> {
        let one = ("[fghs]", 0..5_u64, prop::option::of(0..2000_i64));
        prop::collection::vec(one.prop_map(|(food, day, grams)| need(&food, day, grams)), 0..8)
    }

    proptest! {
        #[test]
        fn nobody_goes_short_and_a_second_look_changes_nothing(
            plans in prop::collection::vec(some_needs(), 1..5), ticks in prop::collection::vec(any::<bool>(), 40)
        ) {
            let mut ticks = ticks.into_iter();
            let mut now = list(&plans[0]);
            for plan in &plans {
                now = next(&now, plan);
                prop_assert_eq!(&next(&now, plan), &now);
                for line in merge(plan, aisle_rank) {
                    let parts = now.values().filter_map(|kept| kept.line.as_ref()).filter(|part| whole(&part.key) == line.key);
                    let bought: i64 = parts.map(|part| part.amount.buy_g().unwrap_or_default().0).sum();
                    let slack = SLACK.0 * 100;
                    prop_assert!(bought + slack >= line.amount.exact_g().unwrap_or_default().0, "{:?}", line);
                }
                for kept in now.values_mut() {
                    kept.checked |= ticks.next().unwrap_or(false);
                }
            }
        }
    }
}
