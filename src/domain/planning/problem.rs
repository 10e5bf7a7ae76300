//! Makes the search's problem of what planning knows of recipes, the household, goals and past plans.

use super::context::{Facts, GenerateMealPlan};
use super::search::{Candidate, Day, Eaten, Eater, Goal, Meal, Problem};
use super::views::KnownRecipe;
use crate::domain::context::Rejection;
use crate::domain::envelope::Metadata;
use crate::domain::foods::FoodId;
use crate::domain::household::{Member, SetUpHousehold};
use crate::domain::measure::Nutrients;
use crate::domain::nutrition::Goals;
use chrono::{Datelike, Days, NaiveDate};
use std::collections::{BTreeMap, HashMap};

const DEFAULT_DAYS: u32 = 7;
const MOST_DAYS: u32 = 28;
const DEFAULT_MOVES: u64 = 200_000;
const DEFAULT_REPEAT_GAP: u32 = 3;
/// Past days that count for variety.
const HISTORY_DAYS: u32 = 7;

/// The problem, and remarks on what it lacks.
pub(super) fn problem(
    command: &GenerateMealPlan,
    facts: &Facts,
    metadata: &Metadata,
) -> Result<(Problem, Vec<String>), Rejection> {
    let Some(household) = &facts.profile.household else {
        let hint = "PUT /api/household, then POST /api/household/members, or start with --demo";
        return Err(Rejection::conflict("there is no household to plan for", hint));
    };
    if facts.profile.members.is_empty() {
        return Err(Rejection::conflict("nobody eats here", "POST /api/household/members adds somebody"));
    }
    if facts.recipes.is_empty() {
        let hint = "import some first: meal-planner import PATH|URL";
        return Err(Rejection::conflict("there are no recipes to plan with", hint));
    }
    let today = metadata.time.with_timezone(&household.time_zone).date_naive();
    let start = start(command.start, today)?;
    let mut foods = Numbers::default();
    let recipes: Vec<Candidate> = facts.recipes.iter().map(|recipe| foods.candidate(recipe, facts)).collect();
    let eaters: Vec<Eater> =
        facts.profile.members.iter().map(|member| foods.eater(member, household, facts)).collect();
    let remarks = eaters
        .iter()
        .filter(|eater| eater.goals.iter().all(Option::is_none))
        .map(|eater| {
            format!("{} has no daily goals; PUT /api/nutrition/goals/{} sets them", eater.name, eater.id)
        })
        .collect();
    let problem = Problem {
        days: days(household, start, command.days.unwrap_or(DEFAULT_DAYS)),
        eaten: eaten(&recipes, facts, start),
        eaters,
        recipes,
        foods: foods.0.len(),
        locks: Vec::new(),
        repeat_gap_days: command.repeat_gap_days.unwrap_or(DEFAULT_REPEAT_GAP),
        min_coverage_permille: command.min_coverage_permille.unwrap_or(0),
        weights: command.weights,
        seed: command.seed.unwrap_or_else(|| metadata.id.as_u64_pair().1),
        moves: command.moves.unwrap_or(DEFAULT_MOVES),
    };
    Ok((problem, remarks))
}

fn start(given: Option<NaiveDate>, today: NaiveDate) -> Result<NaiveDate, Rejection> {
    let tomorrow = today.checked_add_days(Days::new(1)).unwrap_or(today);
    let start = given.unwrap_or(tomorrow);
    let distance = (start - today).num_days();
    if (-1..=366).contains(&distance) {
        return Ok(start);
    }
    Err(no_first_day(start))
}

/// Plans begin from yesterday to a year from now.
pub(crate) fn no_first_day(start: NaiveDate) -> Rejection {
    let hint = "give a day from yesterday to a year from now, or leave it out for tomorrow";
    Rejection::invalid("/start", format!("{start} is no day to plan from"), hint)
}

pub(super) fn check_days(days: Option<u32>) -> Result<(), Rejection> {
    match days.unwrap_or(DEFAULT_DAYS) {
        1..=MOST_DAYS => Ok(()),
        days => {
            let hint = format!("give 1 to {MOST_DAYS} days");
            Err(Rejection::invalid("/days", format!("{days} days cannot be planned"), hint))
        }
    }
}

fn days(household: &SetUpHousehold, start: NaiveDate, count: u32) -> Vec<Day> {
    let day = |n: u32| {
        let date = start.checked_add_days(Days::new(u64::from(n)))?;
        let hurried = !household.unhurried.contains(&date.weekday().into());
        let meals = household.slots.iter().map(|slot| Meal {
            slot: *slot,
            max_minutes: household.max_minutes.get(slot).copied().filter(|_| hurried),
        });
        Some(Day { date, meals: meals.collect() })
    };
    (0..count).map_while(day).collect()
}

/// Foods by their number in the problem.
#[derive(Default)]
struct Numbers(HashMap<FoodId, usize>);

impl Numbers {
    fn of(&mut self, food: &FoodId) -> usize {
        let next = self.0.len();
        *self.0.entry(food.clone()).or_insert(next)
    }

    fn candidate(&mut self, recipe: &KnownRecipe, facts: &Facts) -> Candidate {
        let mut foods: BTreeMap<usize, i64> = BTreeMap::new();
        for (food, grams) in recipe.foods.iter().filter(|(food, _)| !facts.staples.contains(food)) {
            *foods.entry(self.of(food)).or_default() += grams.0;
        }
        Candidate {
            id: recipe.id,
            name: recipe.name.clone(),
            slots: recipe.slots.clone(),
            minutes: recipe.minutes,
            allergens: recipe.allergens.clone(),
            allergens_complete: recipe.allergens_complete,
            diet: recipe.diet,
            per_serving: recipe.per_serving.to_array().map(|value| value.map(|known| known.0)),
            coverage_permille: recipe.coverage_permille,
            foods: foods.into_iter().collect(),
            leftover_days: recipe.leftover_days,
            stars: recipe.stars,
        }
    }

    fn eater(&mut self, member: &Member, household: &SetUpHousehold, facts: &Facts) -> Eater {
        let person = &member.person;
        Eater {
            id: member.id,
            name: person.name.clone(),
            diet: person.diet,
            allergens: person.allergens.clone(),
            excluded: person.excluded_foods.iter().map(|food| self.of(food)).collect(),
            slots: person.slots.intersection(&household.slots).copied().collect(),
            goals: goals(facts.goals.get(&member.id)),
        }
    }
}

fn goals(given: Option<&Goals>) -> [Option<Goal>; 8] {
    Nutrients::NAMES.map(|name| {
        let band = given?.0.get(name)?;
        Some(Goal {
            min: band.min.map(|amount| amount.0),
            low: band.low.map(|amount| amount.0),
            high: band.high.map(|amount| amount.0),
            max: band.max.map(|amount| amount.0),
            importance: band.importance.unwrap_or(10),
        })
    })
}

fn eaten(recipes: &[Candidate], facts: &Facts, start: NaiveDate) -> Vec<Eaten> {
    let numbers: HashMap<_, _> = recipes.iter().enumerate().map(|(n, recipe)| (recipe.id, n)).collect();
    let cooked = facts.cooked.iter().filter_map(|(date, recipe)| {
        let days_before = u32::try_from((start - *date).num_days()).ok()?;
        let recipe = *numbers.get(recipe)?;
        (1..=HISTORY_DAYS).contains(&days_before).then_some(Eaten { recipe, days_before })
    });
    cooked.collect()
}
