//! A week for two, generated and changed: what the commands promise.

use super::learned::{KnownFood, KnownRecipe};
use super::*;
use crate::domain::context::{Context, Rejection};
use crate::domain::diet::Allergen;
use crate::domain::foods::{Aisle, FoodId};
use crate::domain::household::{Member, Profile};
use crate::domain::measure::{Milli, Nutrients};
use crate::domain::nutrition::Goals;
use crate::domain::recipes::slots::MealSlot;
use crate::domain::testing::metadata;
use chrono::{NaiveDate, TimeDelta};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

const ANN: Uuid = Uuid::from_u128(1);
const BOB: Uuid = Uuid::from_u128(2);

fn first_day() -> NaiveDate {
    metadata().time.date_naive() + TimeDelta::days(1)
}

fn day(n: i64) -> NaiveDate {
    first_day() + TimeDelta::days(n)
}

fn food(name: &str) -> FoodId {
    name.parse().unwrap()
}

fn recipe(n: u128, foods: &[&str], kcal: i64) -> KnownRecipe {
    let whole = |amount: i64| Some(Milli::whole(amount));
    KnownRecipe {
        id: Uuid::from_u128(100 + n),
        name: format!("Dish {n}"),
        slots: [MealSlot::Lunch, MealSlot::Dinner].into(),
        minutes: Some(20),
        stars: Some(u8::try_from(n % 3 + 3).unwrap()),
        servings: 1,
        leftover_days: u32::from(n.is_multiple_of(4)) * 2,
        measured: true,
        per_serving: Nutrients {
            kcal: whole(kcal),
            protein_g: whole(kcal / 20),
            fibre_g: whole(kcal / 60),
            ..Nutrients::default()
        },
        coverage_permille: 1000,
        allergens: if foods.contains(&"peanut") { [Allergen::Peanut].into() } else { BTreeSet::new() },
        allergens_complete: true,
        diet: None,
        tags: if foods.contains(&"salmon") { ["fish".to_owned()].into() } else { BTreeSet::new() },
        cuisine: Some(format!("place {}", n % 5)),
        foods: foods.iter().map(|name| (food(name), Milli::whole(150))).collect(),
    }
}

fn facts() -> Facts {
    let foods = ["rice", "salmon", "spinach", "leek", "peanut", "egg", "potato", "bean"];
    let recipes = (0..24_u128).map(|n| {
        let n_usize = usize::try_from(n).unwrap();
        recipe(
            n,
            &[foods[n_usize % 8], foods[(n_usize * 3 + 1) % 8]],
            550 + 25 * i64::try_from(n % 9).unwrap(),
        )
    });
    let person = |name: &str| serde_json::json!({"name": name}).to_string();
    let member = |id, name: &str| Member { id, person: serde_json::from_str(&person(name)).unwrap() };
    let household = serde_json::json!({"name": "Home", "time_zone": "Etc/UTC", "slots": ["lunch", "dinner"]});
    let goals: Goals = serde_json::from_value(
        serde_json::json!({"kcal": {"low": 1900, "high": 2100}, "protein_g": {"min": 80}}),
    )
    .unwrap();
    let known = |name: &&str| KnownFood {
        id: food(name),
        name: (*name).to_owned(),
        aisle: if *name == "salmon" { Aisle::Fish } else { Aisle::Produce },
        staple: false,
        protein: None,
    };
    Facts {
        recipes: recipes.collect(),
        profile: Profile {
            household: Some(serde_json::from_value(household).unwrap()),
            members: vec![member(ANN, "Ann"), member(BOB, "Bob")],
        },
        goals: BTreeMap::from([(ANN, goals.clone()), (BOB, goals)]),
        foods: foods.iter().map(|name| (food(name), known(name))).collect(),
        ..Facts::default()
    }
}

/// A replanning that asks for nothing.
fn anew() -> Replan {
    Replan {
        from: None,
        seed: None,
        moves: None,
        most_changes: None,
        ran_out: BTreeSet::new(),
        eaten: Vec::new(),
        pantry: None,
    }
}

struct Desk {
    facts: Facts,
    state: State,
}

impl Desk {
    fn new(facts: Facts, request: GenerateMealPlan) -> Self {
        let mut desk = Self { facts, state: State::default() };
        let request = GenerateMealPlan { seed: Some(3), moves: Some(4000), ..request };
        desk.give(request).unwrap();
        desk
    }

    fn week() -> Self {
        Self::new(facts(), GenerateMealPlan::default())
    }

    fn decide(&self, command: impl Into<Command>) -> Result<Vec<Event>, Rejection> {
        Planning::decide(&self.state, &command.into(), &self.facts, &metadata())
    }

    fn give(&mut self, command: impl Into<Command>) -> Result<Vec<Event>, Rejection> {
        let events = self.decide(command)?;
        events.iter().for_each(|event| Planning::evolve(&mut self.state, event));
        Ok(events)
    }

    fn plan(&self) -> MealPlan {
        self.state.plan.clone().unwrap()
    }

    fn changed(&mut self, command: impl Into<Command>) -> Vec<SlotRef> {
        let events = self.give(command).unwrap();
        let [Event::MealPlanChanged(changed)] = &events[..] else { panic!("{events:?}") };
        changed.changed.clone()
    }
}

fn recipe_at(plan: &MealPlan, date: NaiveDate, slot: MealSlot) -> Option<Uuid> {
    let meal = plan.meals.iter().find(|meal| (meal.date, meal.slot) == (date, slot)).unwrap();
    match &meal.dish {
        Dish::Cook { recipe_id, .. } | Dish::Leftover { recipe_id, .. } => Some(*recipe_id),
        Dish::Empty { .. } => None,
    }
}

fn at(date: NaiveDate, slot: MealSlot) -> SlotRef {
    SlotRef { date, slot }
}

/// A dinner that nothing is left of and that is cooked.
fn plain_dinner(plan: &MealPlan) -> NaiveDate {
    let is_source = |date: NaiveDate| {
        plan.meals.iter().any(|meal| matches!(meal.dish, Dish::Leftover { from_date, from_slot: MealSlot::Dinner, .. } if from_date == date))
    };
    let cooked = |meal: &&Meal| {
        meal.slot == MealSlot::Dinner && matches!(meal.dish, Dish::Cook { .. }) && !is_source(meal.date)
    };
    plan.meals.iter().find(cooked).unwrap().date
}

#[test]
fn a_week_is_planned_with_reasons_and_the_same_request_gives_the_same_plan() {
    let plan = Desk::week().plan();
    assert_eq!((plan.days, plan.meals.len()), (7, 14));
    assert!(
        plan.meals
            .iter()
            .all(|meal| !meal.reasons.is_empty() && recipe_at(&plan, meal.date, meal.slot).is_some())
    );
    assert!(
        plan.meals
            .iter()
            .flat_map(|meal| &meal.portions)
            .all(|portion| [75, 100, 125, 150].contains(&portion.percent))
    );
    assert_eq!(Desk::week().plan(), plan);
    assert_eq!(plan.money, None, "nothing has a price");
}

#[test]
fn a_swap_changes_its_meal_and_nothing_else() {
    let mut desk = Desk::week();
    let before = desk.plan();
    let date = plain_dinner(&before);
    let used: BTreeSet<Uuid> =
        before.meals.iter().filter_map(|meal| recipe_at(&before, meal.date, meal.slot)).collect();
    let recipe_id = desk.facts.recipes.iter().map(|recipe| recipe.id).find(|id| !used.contains(id)).unwrap();
    assert_eq!(
        desk.changed(SwapRecipe { date, slot: MealSlot::Dinner, recipe_id }),
        [at(date, MealSlot::Dinner)]
    );
    assert_eq!(recipe_at(&desk.plan(), date, MealSlot::Dinner), Some(recipe_id));
}

#[test]
fn nobody_is_served_an_allergen_even_when_it_is_asked_for() {
    let mut facts = facts();
    facts.profile.members[0].person.allergens = [Allergen::Peanut].into();
    let desk = Desk::new(facts, GenerateMealPlan::default());
    let peanut: Vec<Uuid> = desk
        .facts
        .recipes
        .iter()
        .filter(|recipe| !recipe.allergens.is_empty())
        .map(|recipe| recipe.id)
        .collect();
    let plan = desk.plan();
    assert!(
        plan.meals
            .iter()
            .all(|meal| recipe_at(&plan, meal.date, meal.slot).is_none_or(|id| !peanut.contains(&id)))
    );
    let swap = SwapRecipe { date: day(0), slot: MealSlot::Dinner, recipe_id: peanut[0] };
    let refused = desk.decide(swap).unwrap_err();
    assert!(refused.message.contains("allergens"), "{refused}");
}

#[test]
fn another_dish_is_another_one_each_time_and_a_locked_meal_stays() {
    let mut desk = Desk::week();
    let date = plain_dinner(&desk.plan());
    let mut seen = BTreeSet::from([recipe_at(&desk.plan(), date, MealSlot::Dinner)]);
    for _ in 0..4 {
        desk.changed(RegenerateSlot { date, slot: MealSlot::Dinner });
        assert!(seen.insert(recipe_at(&desk.plan(), date, MealSlot::Dinner)), "it was there before");
    }
    desk.give(LockSlot { date, slot: MealSlot::Dinner }).unwrap();
    assert!(desk.decide(RegenerateSlot { date, slot: MealSlot::Dinner }).is_err());
    let kept = recipe_at(&desk.plan(), date, MealSlot::Dinner);
    desk.changed(Replan { moves: Some(3000), ..anew() });
    assert_eq!(recipe_at(&desk.plan(), date, MealSlot::Dinner), kept);
    assert!(desk.plan().meals.iter().any(|meal| meal.locked && meal.date == date));
    desk.give(UnlockSlot { date, slot: MealSlot::Dinner }).unwrap();
    desk.changed(RegenerateSlot { date, slot: MealSlot::Dinner });
}

#[test]
fn a_day_is_rolled_again_without_touching_the_others() {
    let mut desk = Desk::week();
    let before = desk.plan();
    let changed = desk.changed(RegenerateDay { date: day(2), seed: None });
    let own = |at: &SlotRef| {
        at.date == day(2)
            || before.meals.iter().any(|meal| {
                (meal.date, meal.slot) == (at.date, at.slot)
                    && matches!(meal.dish, Dish::Leftover { from_date, .. } if from_date == day(2))
            })
    };
    assert!(!changed.is_empty() && changed.iter().all(own), "{changed:?}");
}

#[test]
fn what_ran_out_is_cooked_no_more_and_few_other_meals_change() {
    let mut desk = Desk::week();
    let before = desk.plan();
    let needs = |desk: &Desk, id: Option<Uuid>| {
        let recipe = desk.facts.recipes.iter().find(|recipe| Some(recipe.id) == id);
        recipe.is_some_and(|recipe| recipe.foods.iter().any(|(name, _)| *name == food("spinach")))
    };
    let hit = before
        .meals
        .iter()
        .filter(|meal| meal.date >= day(2) && needs(&desk, recipe_at(&before, meal.date, meal.slot)))
        .count();
    let replan = Replan { from: Some(day(2)), ran_out: [food("spinach")].into(), ..anew() };
    let changed = desk.changed(replan);
    let plan = desk.plan();
    assert!(changed.iter().all(|at| at.date >= day(2)), "{changed:?}");
    assert!(changed.len() <= hit + 3, "{hit} had to, {} did", changed.len());
    assert!(
        plan.meals
            .iter()
            .filter(|meal| meal.date >= day(2))
            .all(|meal| !needs(&desk, recipe_at(&plan, meal.date, meal.slot)))
    );
}

#[test]
fn days_that_are_over_stay_as_they_are_though_a_recipe_is_gone() {
    let mut desk = Desk::week();
    let before = desk.plan();
    let gone = recipe_at(&before, day(0), MealSlot::Dinner).unwrap();
    desk.facts.recipes.retain(|recipe| recipe.id != gone);
    for moves in [None, Some(4000)] {
        desk.changed(Replan { from: Some(day(2)), moves, ..anew() });
        for meal in desk.plan().meals.iter().filter(|meal| meal.date < day(2)) {
            let (now, then) = (&meal.dish, recipe_at(&before, meal.date, meal.slot));
            let is_gone = then.is_none_or(|then| then == gone);
            let as_before = recipe_at(&desk.plan(), meal.date, meal.slot) == then;
            assert!(as_before || (is_gone && matches!(now, Dish::Empty { .. })), "{} {now:?}", meal.date);
        }
    }
}

#[test]
fn a_plan_that_is_over_is_not_planned_anew() {
    let desk = Desk::week();
    let mut later = metadata();
    later.time += TimeDelta::days(40);
    let replan = Command::from(Replan { ran_out: [food("spinach")].into(), ..anew() });
    let refused = Planning::decide(&desk.state, &replan, &desk.facts, &later).unwrap_err();
    assert!(refused.message.contains("is over"), "{refused:?}");
}

#[test]
fn what_ran_out_stays_away_until_it_is_in_the_pantry_again() {
    let mut desk = Desk::week();
    let spinach = food("spinach");
    let has_spinach = |desk: &Desk, id: Uuid| {
        let recipe = desk.facts.recipes.iter().find(|recipe| recipe.id == id).unwrap();
        recipe.foods.iter().any(|(name, _)| *name == spinach)
    };
    let alternatives = |desk: &mut Desk| {
        let date = plain_dinner(&desk.plan());
        let events = desk.give(RankAlternatives { date, slot: MealSlot::Dinner }).unwrap();
        let Event::AlternativesRanked(ranked) = events.into_iter().next().unwrap() else {
            panic!("no ranks")
        };
        ranked.alternatives.into_iter().map(|other| other.recipe_id).collect::<Vec<_>>()
    };
    let replan = |ran_out: BTreeSet<FoodId>, pantry| Replan { ran_out, pantry, ..anew() };
    let lot = AtHome { food: spinach.clone(), grams: Milli::whole(400), use_by: None };
    desk.changed(replan(BTreeSet::new(), Some(vec![lot.clone()])));
    desk.changed(replan([spinach.clone()].into(), None));
    assert_eq!(desk.state.request.pantry, []);
    for n in 0..7 {
        desk.changed(RegenerateDay { date: day(n), seed: None });
    }
    let cooked = |desk: &Desk| -> Vec<Uuid> {
        let plan = desk.plan();
        plan.meals.iter().filter_map(|meal| recipe_at(&plan, meal.date, meal.slot)).collect()
    };
    assert!(cooked(&desk).into_iter().all(|id| !has_spinach(&desk, id)));
    assert!(alternatives(&mut desk).into_iter().all(|id| !has_spinach(&desk, id)));

    let none_of_it = AtHome { grams: Milli::whole(0), ..lot.clone() };
    desk.give(replan(BTreeSet::new(), Some(vec![none_of_it]))).unwrap();
    assert_eq!(desk.state.request.ran_out, [spinach.clone()].into());
    desk.give(replan(BTreeSet::new(), Some(vec![lot]))).unwrap();
    assert_eq!(desk.state.request.ran_out, BTreeSet::new());

    // Who swaps a dish in has what it needs.
    desk.give(replan([spinach.clone()].into(), None)).unwrap();
    let of_spinach = desk.facts.recipes.iter().find(|recipe| has_spinach(&desk, recipe.id)).unwrap().id;
    let date = plain_dinner(&desk.plan());
    desk.changed(SwapRecipe { date, slot: MealSlot::Dinner, recipe_id: of_spinach });
    desk.give(Replan { from: Some(date), ..anew() }).unwrap();
    assert_eq!(recipe_at(&desk.plan(), date, MealSlot::Dinner), Some(of_spinach));
}

#[test]
fn skipped_moved_and_portioned_meals_are_as_asked() {
    let mut desk = Desk::week();
    desk.changed(SkipSlot { date: day(1), slot: MealSlot::Lunch });
    assert_eq!(recipe_at(&desk.plan(), day(1), MealSlot::Lunch), None);
    let plan = desk.plan();
    let date = plain_dinner(&plan);
    let portion = SetPortion { date, slot: MealSlot::Dinner, member: BOB, percent: 150 };
    desk.give(portion.clone()).unwrap();
    let meal = desk
        .plan()
        .meals
        .into_iter()
        .find(|meal| (meal.date, meal.slot) == (date, MealSlot::Dinner))
        .unwrap();
    assert_eq!(meal.portions.iter().find(|portion| portion.member == BOB).unwrap().percent, 150);
    assert!(desk.decide(SetPortion { percent: 90, ..portion }).is_err());

    let cooked: Vec<NaiveDate> = desk
        .plan()
        .meals
        .iter()
        .filter(|meal| meal.slot == MealSlot::Dinner && matches!(meal.dish, Dish::Cook { .. }))
        .map(|meal| meal.date)
        .collect();
    let (one, other) = (cooked[0], cooked[1]);
    let before = desk.plan();
    desk.changed(MoveSlot { date: one, slot: MealSlot::Dinner, to_date: other, to_slot: MealSlot::Dinner });
    assert_eq!(recipe_at(&desk.plan(), one, MealSlot::Dinner), recipe_at(&before, other, MealSlot::Dinner));
    assert_eq!(recipe_at(&desk.plan(), other, MealSlot::Dinner), recipe_at(&before, one, MealSlot::Dinner));
}

#[test]
fn alternatives_are_ranked_and_say_what_they_cost() {
    let mut desk = Desk::week();
    let date = plain_dinner(&desk.plan());
    let events = desk.give(RankAlternatives { date, slot: MealSlot::Dinner }).unwrap();
    let [Event::AlternativesRanked(ranked)] = &events[..] else { panic!("{events:?}") };
    let costs: Vec<i64> = ranked.alternatives.iter().map(|other| other.difference).collect();
    assert!(costs.len() == 5 && costs.is_sorted(), "{costs:?}");
    let here = recipe_at(&desk.plan(), date, MealSlot::Dinner);
    assert!(ranked.alternatives.iter().all(|other| Some(other.recipe_id) != here));
    // What is said of the first is what happens.
    let (before, first) = (desk.plan().objective, ranked.alternatives[0].clone());
    desk.changed(SwapRecipe { date, slot: MealSlot::Dinner, recipe_id: first.recipe_id });
    assert_eq!(desk.plan().objective - before, first.difference);
}

#[test]
fn rules_by_tag_the_pantry_prices_and_people_who_come_and_go_count() {
    let mut facts = facts();
    facts.rules.tags = vec![
        TagRule::AtLeast { tag: "Fish".to_owned(), times: 2 },
        TagRule::Never {
            tag: "fish".to_owned(),
            on: [day(0).format("%A").to_string().to_lowercase()]
                .iter()
                .map(|name| serde_json::from_value(serde_json::json!(name)).unwrap())
                .collect(),
            slots: BTreeSet::new(),
        },
    ];
    facts.rules.prices =
        BTreeMap::from([(food("salmon"), Milli::whole(30)), (food("rice"), Milli::whole(2))]);
    let request = GenerateMealPlan {
        away: vec![Away { member: BOB, date: day(3), slots: BTreeSet::new() }],
        guests: vec![Guests {
            date: day(4),
            slot: MealSlot::Dinner,
            servings: Milli::whole(2),
            diet: None,
            allergens: BTreeSet::new(),
            excluded_foods: [food("leek")].into(),
        }],
        pantry: vec![AtHome { food: food("spinach"), grams: Milli::whole(600), use_by: Some(day(1)) }],
        keep: vec![Keep { date: day(5), slot: MealSlot::Lunch, recipe_id: Uuid::from_u128(105) }],
        proof_rounds: Some(2),
        ..GenerateMealPlan::default()
    };
    let desk = Desk::new(facts, request);
    let plan = desk.plan();
    let has = |date, slot, name: &str| {
        let id = recipe_at(&plan, date, slot);
        desk.facts
            .recipes
            .iter()
            .any(|recipe| Some(recipe.id) == id && recipe.foods.iter().any(|(known, _)| *known == food(name)))
    };
    let fish = plan.meals.iter().filter(|meal| has(meal.date, meal.slot, "salmon")).count();
    assert!(
        fish >= 2 && !has(day(0), MealSlot::Lunch, "salmon") && !has(day(0), MealSlot::Dinner, "salmon"),
        "{fish}"
    );
    let alone = plan.meals.iter().filter(|meal| meal.date == day(3));
    assert!(alone.into_iter().all(|meal| meal.portions.iter().all(|portion| portion.member == ANN)));
    let dinner = plan.meals.iter().find(|meal| (meal.date, meal.slot) == (day(4), MealSlot::Dinner)).unwrap();
    assert_eq!(dinner.guests, Some(Milli::whole(2)));
    assert!(!has(day(4), MealSlot::Dinner, "leek"));
    assert_eq!(recipe_at(&plan, day(5), MealSlot::Lunch), Some(Uuid::from_u128(105)));
    assert!(plan.money.is_some_and(|money| money.0 > 0));
    assert!(plan.bound.is_some_and(|bound| bound <= plan.objective), "{:?} {}", plan.bound, plan.objective);
    let rescued = plan
        .meals
        .iter()
        .flat_map(|meal| &meal.reasons)
        .any(|reason| reason.contains("uses the spinach that expires"));
    assert!(
        rescued || !plan.meals.iter().any(|meal| meal.date <= day(1) && has(meal.date, meal.slot, "spinach"))
    );
}

#[test]
fn what_makes_no_sense_is_refused_with_a_hint() {
    let desk = Desk::week();
    for command in [
        Command::from(SwapRecipe { date: day(0), slot: MealSlot::Dinner, recipe_id: Uuid::nil() }),
        SwapRecipe { date: day(70), slot: MealSlot::Dinner, recipe_id: Uuid::from_u128(100) }.into(),
        RegenerateSlot { date: day(0), slot: MealSlot::Snack }.into(),
        RegenerateDay { date: day(-1), seed: None }.into(),
        LockSlot { date: day(9), slot: MealSlot::Lunch }.into(),
        Replan { from: Some(day(30)), ..anew() }.into(),
        Replan { ran_out: [food("spinash")].into(), ..anew() }.into(),
    ] {
        let refused = desk.decide(command.clone()).unwrap_err();
        assert!(!refused.hint.is_empty(), "{command:?}: {refused}");
    }
    let rules = PlanningRules {
        tags: vec![TagRule::AtMost { tag: " ".to_owned(), times: 1 }],
        ..PlanningRules::default()
    };
    assert_eq!(
        Planning::check(&SetPlanningRules(rules).into()).unwrap_err().pointer.as_deref(),
        Some("/tags/0/tag")
    );
    let asked = GenerateMealPlan { ran_out: [food("spinash")].into(), ..GenerateMealPlan::default() };
    let generated = Planning::decide(&State::default(), &asked.into(), &facts(), &metadata());
    assert_eq!(generated.unwrap_err().pointer.as_deref(), Some("/ran_out"));
    let weights = Weights { cost: 1_000_000, ..Weights::default() };
    assert!(
        Planning::check(&GenerateMealPlan { weights: Some(weights), ..GenerateMealPlan::default() }.into())
            .is_err()
    );
}

#[test]
fn eating_otherwise_shifts_the_days_after() {
    let mut desk = Desk::week();
    let before = desk.plan();
    let feast = Nutrients { kcal: Some(Milli::whole(4000)), ..Nutrients::default() };
    let eaten = vec![EatenInstead { member: ANN, date: day(0), amounts: feast }];
    let replan = Replan { from: Some(day(1)), moves: Some(4000), eaten, ..anew() };
    desk.give(replan).unwrap();
    let energy = |plan: &MealPlan, member: Uuid| -> i64 {
        let days = plan
            .totals
            .iter()
            .filter(|total| total.member == member && (day(1)..=day(3)).contains(&total.date));
        days.filter_map(|total| total.per_nutrient["kcal"].planned).map(|kcal| kcal.0).sum()
    };
    assert!(
        energy(&desk.plan(), ANN) < energy(&before, ANN),
        "{} {}",
        energy(&desk.plan(), ANN),
        energy(&before, ANN)
    );
}

#[test]
fn a_dish_that_is_kept_or_left_over_passes_the_allergens_of_those_who_eat_it() {
    let mut facts = facts();
    facts.profile.members[0].person.allergens = [Allergen::Peanut].into();
    let is_peanut = |recipe: &&KnownRecipe| !recipe.allergens.is_empty();
    let peanut = facts.recipes.iter().find(is_peanut).unwrap().id;
    let keep = vec![Keep { date: day(0), slot: MealSlot::Dinner, recipe_id: peanut }];
    let asked = GenerateMealPlan { keep, ..GenerateMealPlan::default() };
    let refused =
        Planning::decide(&State::default(), &asked.clone().into(), &facts, &metadata()).unwrap_err();
    assert_eq!(refused.pointer.as_deref(), Some("/keep"), "{refused}");

    // Ann is away at every dinner, so it may be cooked then; what is left of it may not be her lunch.
    let away = (0..7).map(|n| Away { member: ANN, date: day(n), slots: [MealSlot::Dinner].into() }).collect();
    for recipe in &mut facts.recipes {
        recipe.leftover_days = 3;
    }
    let mut desk = Desk::new(facts, GenerateMealPlan { away, ..GenerateMealPlan::default() });
    for n in 0..7 {
        desk.give(SwapRecipe { date: day(n), slot: MealSlot::Dinner, recipe_id: peanut }).unwrap();
        let plan = desk.plan();
        let lunches = plan.meals.iter().filter(|meal| meal.slot == MealSlot::Lunch);
        assert!(lunches.into_iter().all(|meal| recipe_at(&plan, meal.date, meal.slot) != Some(peanut)));
    }
}

#[test]
fn a_proof_is_of_the_whole_plan_and_goes_with_its_first_change() {
    let mut desk =
        Desk::new(facts(), GenerateMealPlan { proof_rounds: Some(1), ..GenerateMealPlan::default() });
    assert!(desk.plan().bound.is_some());
    desk.changed(SkipSlot { date: day(3), slot: MealSlot::Lunch });
    assert_eq!(desk.plan().bound, None);
}
