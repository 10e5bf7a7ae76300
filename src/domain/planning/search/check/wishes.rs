//! Checks of the rules, the weights and the locks.

use super::super::problem::{Lock, Meal, Problem, SlotRef};
use super::{Findings, MAX_EMPTY_WEIGHT, MAX_WEIGHT};
use std::collections::HashSet;

impl Problem {
    pub(super) fn check_rules(&self, findings: &mut Findings) {
        let rules = &self.rules;
        let portions = &rules.portions;
        let steps = portions.is_sorted_by(|a, b| a < b) && portions.contains(&100) && portions.len() <= 8;
        let sane = portions.iter().all(|pct| (1..=200).contains(pct));
        findings.unless(
            steps && sane,
            "/rules/portions",
            "the portions are not rising steps with 100 among them",
            "for example 75, 100, 125, 150; at most 8 of them, none above 200",
        );
        let shares = rules.shares.iter().all(|share| (0..=100).contains(share))
            && rules.shares.iter().sum::<i64>() == 100;
        findings.unless(
            shares,
            "/rules/shares",
            "the shares of the slots do not make 100 %",
            "for example 22, 33, 37, 8",
        );
        let caps = [rules.cuisine_cap, rules.protein_cap].iter().all(|cap| (0..=MAX_WEIGHT).contains(cap));
        findings.unless(caps, "/rules", "a cap is negative or absurdly large", "use a number of meals");
        findings.unless(
            rules.unrated_x10 <= 50,
            "/rules/unrated_x10",
            "the rating is above 50",
            "five stars are 50",
        );
        let budget = rules.budget_cents.is_none_or(|cents| (0..=1_000_000_000).contains(&cents));
        findings.unless(
            budget,
            "/rules/budget_cents",
            "the budget is negative or absurdly large",
            "give hundredths of the currency",
        );
        findings.unless(
            (1..=1000).contains(&self.unit),
            "/unit",
            "the unit is not within 1 to 1000",
            "1000 for thousandths",
        );
        self.check_weights(findings);
    }

    fn check_weights(&self, findings: &mut Findings) {
        let w = &self.weights;
        let costs = [
            w.rating_star,
            w.minute,
            w.leftover_excess,
            w.protein_same_day,
            w.cuisine_excess,
            w.protein_excess,
            w.repeat,
            w.portion,
            w.money,
            w.over_budget,
            w.item,
            w.waste_money,
            w.waste_kg,
            w.coverage,
            w.change,
        ];
        let sane = costs.iter().all(|weight| (0..=MAX_WEIGHT).contains(weight));
        findings.unless(sane, "/weights", "a weight is negative or above 1 000 000", "10 000 is one point");
        findings.unless(
            w.leftover.abs() <= MAX_WEIGHT,
            "/weights/leftover",
            "the weight is above 1 000 000",
            "10 000 is one point",
        );
        findings.unless(
            (0..=MAX_EMPTY_WEIGHT).contains(&w.empty),
            "/weights/empty",
            "the weight is negative or above 1 000 000 000",
            "10 000 is one point",
        );
    }

    pub(super) fn check_locks(&self, recipes: &HashSet<uuid::Uuid>, findings: &mut Findings) {
        let mut seen = HashSet::new();
        for (i, lock) in self.locks.iter().enumerate() {
            let at = format!("/locks/{i}");
            findings.unless(
                seen.insert(lock.at),
                format!("{at}/at"),
                "this slot is locked twice",
                "lock each slot once",
            );
            findings.unless(
                self.is_planned(lock.at),
                format!("{at}/at"),
                "this slot is not planned or nobody eats then",
                "plan the slot or remove the lock",
            );
            let known = |recipe| recipes.contains(recipe);
            match &lock.meal {
                Meal::Cook { recipe } => {
                    findings.unless(
                        known(recipe),
                        format!("{at}/meal/recipe"),
                        "the locked recipe does not exist",
                        "remove the lock or choose another recipe",
                    );
                }
                Meal::Leftover { of, recipe } => {
                    let cooked = *of < lock.at && of.date < lock.at.date && self.cooks(*of, *recipe);
                    findings.unless(
                        cooked && known(recipe),
                        format!("{at}/meal/of"),
                        "the cooking this leftover comes from is not locked",
                        "lock the same recipe on an earlier day too",
                    );
                }
                Meal::Empty => findings.unless(
                    false,
                    format!("{at}/meal"),
                    "an empty slot cannot be locked",
                    "leave the slot unplanned",
                ),
            }
            self.check_locked_portions(lock, &at, findings);
        }
    }

    fn check_locked_portions(&self, lock: &Lock, at: &str, findings: &mut Findings) {
        for (i, portion) in lock.portions.iter().enumerate() {
            let eater = self.eaters.iter().any(|eater| eater.id == portion.eater);
            findings.unless(
                eater,
                format!("{at}/portions/{i}/eater"),
                "this eater is not part of the plan",
                "remove the portion",
            );
            let step = self.rules.portions.contains(&portion.pct);
            findings.unless(
                step,
                format!("{at}/portions/{i}/pct"),
                "this portion is not one of the steps",
                "use one of rules.portions",
            );
        }
    }

    fn cooks(&self, at: SlotRef, wanted: uuid::Uuid) -> bool {
        self.locks.iter().any(|lock| lock.at == at && lock.meal == Meal::Cook { recipe: wanted })
    }

    /// Whether the slot is planned and somebody eats then.
    #[must_use]
    pub fn is_planned(&self, at: SlotRef) -> bool {
        let Some(day) = self.days.iter().find(|day| day.date == at.date) else { return false };
        day.slots.get(at.slot.index()).is_some_and(Option::is_some)
            && self.eaters.iter().any(|eater| eater.slots.has(at.slot) && !eater.away.contains(&at.date))
    }
}
