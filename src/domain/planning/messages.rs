//! What planning is told and what it tells.

use super::plan::{Alternative, MealPlan};
use super::rules::{PlanningRules, Weights};
use super::tally::PlanNutrition;
use crate::domain::diet::{Allergen, Diet};
use crate::domain::foods::FoodId;
use crate::domain::measure::{Milli, Nutrients};
use crate::domain::recipes::slots::MealSlot;
use crate::messages;
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use uuid::Uuid;

macro_rules! command {
    ($($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty),* $(,)? })*) => {
        $($(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$field_meta])* pub $field: $type),* })*
    };
}

macro_rules! event {
    ($($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty),* $(,)? })*) => {
        $($(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        pub struct $name { $($(#[$field_meta])* pub $field: $type),* })*
    };
}

/// Finds a plan for the household's meals. What is left out has a sensible value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GenerateMealPlan {
    /// First day; tomorrow in the household's time zone when left out.
    pub start: Option<NaiveDate>,
    /// 1 to 28; 7 when left out.
    pub days: Option<u32>,
    /// The same seed, recipes and goals give the same plan.
    pub seed: Option<u64>,
    /// How long to search, in tried moves; 400,000 when left out.
    pub moves: Option<u64>,
    /// Other prices of the terms than the household's rules say.
    pub weights: Option<Weights>,
    /// Days between two cookings of one recipe; as the household's rules say when left out.
    pub repeat_gap_days: Option<u32>,
    /// Leaves out recipes whose lines are understood to a smaller share.
    pub min_coverage_permille: Option<u16>,
    /// Who does not eat at home when.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub away: Vec<Away>,
    /// Who eats along when.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub guests: Vec<Guests>,
    /// Meals that nobody plans.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skip: Vec<SlotRef>,
    /// Meals that are decided already.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keep: Vec<Keep>,
    /// What is at home, and until when it is good.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pantry: Vec<AtHome>,
    /// Foods that are not to be had: nothing that needs them is chosen.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub ran_out: BTreeSet<FoodId>,
    /// How long to look for a proof of how good the plan is, in rounds; 0 (none) when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof_rounds: Option<u32>,
}

command! {
    /// One meal of a plan.
    #[derive(Eq, Copy, PartialOrd, Ord)]
    SlotRef { date: NaiveDate, slot: MealSlot }
    Away {
        member: Uuid,
        date: NaiveDate,
        /// All meals of the day when none is named.
        #[serde(default)]
        slots: BTreeSet<MealSlot>,
    }
    /// They have no goals, but may have needs.
    Guests {
        date: NaiveDate,
        slot: MealSlot,
        servings: Milli,
        #[serde(default)]
        diet: Option<Diet>,
        #[serde(default)]
        allergens: BTreeSet<Allergen>,
        #[serde(default)]
        excluded_foods: BTreeSet<FoodId>,
    }
    Keep { date: NaiveDate, slot: MealSlot, recipe_id: Uuid }
    AtHome {
        food: FoodId,
        grams: Milli,
        /// The last day on which it is good; it keeps when left out.
        #[serde(default)]
        use_by: Option<NaiveDate>,
    }

    ActivateMealPlan {}
    DiscardMealPlan { reason: String }
    /// Adds up what is in the plan, with the recipes as they are known now.
    CalculatePlanNutrition {}
    /// Looks whether plans in force share days; a plan gives it itself.
    SettleOverlaps {}
    RetireMealPlan { replaced_by: Uuid }
    /// The plan that took this one's days is gone.
    ReinstateMealPlan { instead_of: Uuid }

    /// The dish stays, whatever is planned anew.
    LockSlot { date: NaiveDate, slot: MealSlot }
    UnlockSlot { date: NaiveDate, slot: MealSlot }
    /// Cooks another recipe there.
    SwapRecipe { date: NaiveDate, slot: MealSlot, recipe_id: Uuid }
    /// Two meals change places; leftovers follow the meal they are of.
    MoveSlot { date: NaiveDate, slot: MealSlot, to_date: NaiveDate, to_slot: MealSlot }
    /// Nothing is planned there.
    SkipSlot { date: NaiveDate, slot: MealSlot }
    SetPortion { date: NaiveDate, slot: MealSlot, member: Uuid, percent: u16 }
    /// Another dish for one meal: the best of those that were not there before.
    RegenerateSlot { date: NaiveDate, slot: MealSlot }
    /// Other dishes for the meals of a day that are not locked.
    RegenerateDay {
        date: NaiveDate,
        #[serde(default)]
        seed: Option<u64>,
    }
    /// The best plan from some day on, with few changes, after something has come otherwise.
    Replan {
        /// The first day that may change; when left out, today, or the first day of the plan if that is to come.
        #[serde(default)]
        from: Option<NaiveDate>,
        #[serde(default)]
        seed: Option<u64>,
        /// Searches everything that is not locked anew, for so many moves, instead of changing few meals.
        #[serde(default)]
        moves: Option<u64>,
        /// How many meals may change beside those that have to; 3 when left out.
        #[serde(default)]
        most_changes: Option<u32>,
        /// Foods that ran out: nothing that needs them is cooked, in later changes of the plan either, until they are
        /// in the pantry again or a dish that needs them is swapped in.
        #[serde(default)]
        ran_out: BTreeSet<FoodId>,
        /// What was eaten instead of what was planned; the days after make up for it, as far as is sensible.
        #[serde(default)]
        eaten: Vec<EatenInstead>,
        /// What is at home now; as before when left out.
        #[serde(default)]
        pantry: Option<Vec<AtHome>>,
    }
    EatenInstead { member: Uuid, date: NaiveDate, amounts: Nutrients }
    /// The best dishes for a meal instead of what is there, each with what it would cost.
    RankAlternatives { date: NaiveDate, slot: MealSlot }
}

/// What the household wishes of every plan; replaces what it wished before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SetPlanningRules(pub PlanningRules);

event! {
    MealPlanCreated { start: NaiveDate, days: u32 }
    /// The whole plan.
    MealPlanGenerated {
        plan: MealPlan,
        /// What was asked for, so that changes respect it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<GenerateMealPlan>,
    }
    MealPlanActivated {}
    MealPlanDiscarded { reason: String }
    PlanNutritionCalculated { nutrition: PlanNutrition }
    /// This plan takes the days of these.
    OlderPlansReplaced { plans: Vec<Uuid> }
    /// Another plan is in force on days of this one.
    MealPlanRetired { replaced_by: Uuid }
    /// The plan that had replaced it was discarded.
    MealPlanReinstated {}

    PlanningRulesSet { rules: PlanningRules }
    SlotLocked { date: NaiveDate, slot: MealSlot }
    SlotUnlocked { date: NaiveDate, slot: MealSlot }
    /// The whole plan as it is now.
    MealPlanChanged {
        plan: MealPlan,
        /// Meals with another dish than before.
        changed: Vec<SlotRef>,
        /// Recipes that were not wanted at a meal.
        refused: Vec<Keep>,
        /// As the last change has left it.
        request: GenerateMealPlan,
        why: String,
    }
    AlternativesRanked { date: NaiveDate, slot: MealSlot, alternatives: Vec<Alternative> }
}

messages! {
    pub enum Command {
        GenerateMealPlan = 1, ActivateMealPlan = 1, DiscardMealPlan = 1,
        CalculatePlanNutrition = 1, SettleOverlaps = 1, RetireMealPlan = 1, ReinstateMealPlan = 1,
        SetPlanningRules = 1, LockSlot = 1, UnlockSlot = 1, SwapRecipe = 1, MoveSlot = 1, SkipSlot = 1,
        SetPortion = 1, RegenerateSlot = 1, RegenerateDay = 1, Replan = 1, RankAlternatives = 1,
    }
}
messages! {
    pub enum Event {
        MealPlanCreated = 1, MealPlanGenerated = 1, MealPlanActivated = 1,
        MealPlanDiscarded = 1, PlanNutritionCalculated = 1, OlderPlansReplaced = 1, MealPlanRetired = 1,
        MealPlanReinstated = 1, PlanningRulesSet = 1, SlotLocked = 1, SlotUnlocked = 1, MealPlanChanged = 1,
        AlternativesRanked = 1,
    }
}
