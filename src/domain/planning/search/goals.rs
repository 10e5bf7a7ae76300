//! What a plan gives everybody every day, against the goals: totals, and the goals it does not meet.

use super::model::{Band, Model};
use super::objective::{Plan, band_cost, totals};
use super::problem::NUTRIENTS;
use super::words::{amount, nutrient_name, weekday};
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

/// One nutrient of one eater's day, stored units. Bounds are scaled to the slots planned that day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NutrientTotal {
    pub nutrient: String,
    /// What is known; less than the truth where `unknown_meals` is not 0.
    pub planned: i64,
    pub unknown_meals: u32,
    pub lo: Option<i64>,
    pub hi: Option<i64>,
    pub min: Option<i64>,
    pub max: Option<i64>,
    /// Its part of the objective.
    pub cost: i64,
}

/// One eater's day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EaterDay {
    pub eater: Uuid,
    pub date: NaiveDate,
    pub nutrients: Vec<NutrientTotal>,
}

/// A goal the plan does not meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unmet {
    pub eater: Uuid,
    pub date: NaiveDate,
    pub nutrient: String,
    pub planned: i64,
    /// The nearer end of the free band.
    pub bound: i64,
    /// `bound - planned`: negative where there is too much.
    pub missing: i64,
    pub sentence: String,
}

pub(super) fn days_and_unmet(model: &Model<'_>, plan: &Plan) -> (Vec<EaterDay>, Vec<Unmet>) {
    let totals = totals(model, plan);
    let (mut days, mut unmet) = (Vec::new(), Vec::new());
    for (e, eater) in model.problem.eaters.iter().enumerate() {
        for (d, day) in model.problem.days.iter().enumerate() {
            if !model.positions.iter().any(|position| position.day == d && position.eaters.contains(&e)) {
                continue;
            }
            let mut nutrients = Vec::new();
            for n in 0..NUTRIENTS {
                let row = (e * model.days() + d) * NUTRIENTS + n;
                let total = total(model, plan, (e, d, n), totals[row]);
                unmet.extend(missed(model, (e, d, n), &total));
                nutrients.push(total);
            }
            days.push(EaterDay { eater: eater.id, date: day.date, nutrients });
        }
    }
    (days, unmet)
}

fn band(model: &Model<'_>, (e, d, n): (usize, usize, usize)) -> Band {
    model.bands[(e * model.days() + d) * NUTRIENTS + n]
}

fn total(model: &Model<'_>, plan: &Plan, key: (usize, usize, usize), planned: i64) -> NutrientTotal {
    let (e, d, n) = key;
    let band = band(model, key);
    let goal = model.problem.eaters[e].goals[n];
    let is_unknown = |recipe: usize| model.problem.recipes[recipe].nutrients[n].is_none();
    let eaten = (0..model.positions.len()).filter(|&p| {
        let position = &model.positions[p];
        position.day == d && position.eaters.contains(&e) && plan.dish(p).is_some_and(is_unknown)
    });
    NutrientTotal {
        nutrient: nutrient_name(n).to_owned(),
        planned,
        unknown_meals: u32::try_from(eaten.count()).unwrap_or(u32::MAX),
        lo: goal.and_then(|goal| goal.lo).map(|_| band.lo),
        hi: goal.and_then(|goal| goal.hi).map(|_| band.hi),
        min: goal.and_then(|goal| goal.min).map(|_| band.min),
        max: goal.and_then(|goal| goal.max).map(|_| band.max),
        cost: band_cost(band, planned, model.problem.unit),
    }
}

fn missed(model: &Model<'_>, key: (usize, usize, usize), total: &NutrientTotal) -> Option<Unmet> {
    let (e, d, n) = key;
    let low = [total.lo, total.min].into_iter().flatten().max().filter(|&bound| total.planned < bound);
    let high = [total.hi, total.max].into_iter().flatten().min().filter(|&bound| total.planned > bound);
    let bound = low.or(high)?;
    let (eater, date) = (&model.problem.eaters[e], model.problem.days[d].date);
    let missing = bound - total.planned;
    let side = if missing > 0 { "too little" } else { "too much" };
    let doubt = match total.unknown_meals {
        0 => String::new(),
        1 => "; one meal's amount is unknown".to_owned(),
        meals => format!("; the amounts of {meals} meals are unknown"),
    };
    let sentence = format!(
        "{} gets {} on {}, {} {side}{doubt}",
        eater.name,
        amount(model, n, total.planned),
        weekday(date),
        amount(model, n, missing.abs()),
    );
    let nutrient = total.nutrient.clone();
    Some(Unmet { eater: eater.id, date, nutrient, planned: total.planned, bound, missing, sentence })
}
