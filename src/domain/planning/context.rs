//! The planning context: a plan is generated, changed, put into force or discarded; the household's rules for all plans.

use super::changes::Draft;
use super::checks::{check_generate, check_moves};
use super::decisions::{generate, today};
use super::endpoints::endpoints;
use super::learned::{FoodsLearned, GoalsLearned, HouseholdLearned, KnownFood, KnownRecipe, RecipesLearned};
use super::messages::*;
use super::overlap::{Overlaps, Span, Spans, overlaps};
use super::plan::MealPlan;
use super::rules::PlanningRules;
use super::tally::{PlanNutrition, eaten, tally};
use super::views::{History, Plans, Rules};
use crate::domain::context::{
    Context, Endpoint, Need, Outgoing, Personal, ProjectionVisitor, Rejection, Rows,
};
use crate::domain::envelope::{Envelope, Metadata};
use crate::domain::erased;
use crate::domain::foods::FoodId;
use crate::domain::household::Profile;
use crate::domain::message::DecodeError;
use crate::domain::nutrition::Goals;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// One plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    stage: Stage,
    pub(super) plan: Option<MealPlan>,
    /// What it was asked to be, as the last change has left it.
    pub(super) request: GenerateMealPlan,
    /// Meals that stay, whatever is planned anew.
    pub(super) locked: BTreeSet<SlotRef>,
    /// Recipes that were not wanted at a meal.
    pub(super) refused: Vec<Keep>,
    nutrition: Option<PlanNutrition>,
    /// Plans whose days it has taken, while it is in force.
    replaces: Vec<Uuid>,
    /// Of the one aggregate that holds them instead of a plan.
    rules: Option<PlanningRules>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    #[default]
    None,
    Generated,
    Active,
    Retired {
        replaced_by: Uuid,
    },
    Discarded,
}

/// What planning has learned from the other contexts' events.
#[derive(Default)]
pub struct Facts {
    pub(super) recipes: Vec<KnownRecipe>,
    pub(super) profile: Profile,
    pub(super) goals: BTreeMap<Uuid, Goals>,
    pub(super) foods: BTreeMap<FoodId, KnownFood>,
    pub(super) rules: PlanningRules,
    /// When which recipe was planned to be cooked.
    pub(super) cooked: Vec<(NaiveDate, Uuid)>,
    pub(super) spans: Vec<Span>,
}

pub struct Planning;

impl Context for Planning {
    const NAME: &'static str = "planning";
    const STATE_VERSION: u32 = 3;
    type State = State;
    type Command = Command;
    type Event = Event;
    type Facts = Facts;

    fn decide(
        state: &State,
        command: &Command,
        facts: &Facts,
        metadata: &Metadata,
    ) -> Result<Vec<Event>, Rejection> {
        match (command, &state.stage) {
            (Command::SetPlanningRules(SetPlanningRules(rules)), _) => {
                let same = state.rules.as_ref() == Some(rules);
                Ok(if same { Vec::new() } else { vec![PlanningRulesSet { rules: rules.clone() }.into()] })
            }
            (Command::GenerateMealPlan(command), Stage::None) => generate(command, facts, metadata),
            (Command::GenerateMealPlan(_), _) => {
                Err(Rejection::conflict("this plan is there already", "generate a new one"))
            }
            // What plans tell each other concerns nobody once they have moved on.
            (Command::SettleOverlaps(_), Stage::Active) => Ok(settle(facts, metadata)),
            (Command::RetireMealPlan(RetireMealPlan { replaced_by }), Stage::Active) => {
                Ok(vec![MealPlanRetired { replaced_by: *replaced_by }.into()])
            }
            (Command::ReinstateMealPlan(reinstate), Stage::Retired { replaced_by })
                if reinstate.instead_of == *replaced_by =>
            {
                Ok(vec![MealPlanReinstated {}.into()])
            }
            (Command::SettleOverlaps(_) | Command::RetireMealPlan(_) | Command::ReinstateMealPlan(_), _) => {
                Ok(Vec::new())
            }
            (_, Stage::None) => {
                let hint = "GET /api/meal-plans lists them";
                Err(Rejection::not_found(format!("there is no plan {}", metadata.key), hint))
            }
            (Command::ActivateMealPlan(_), Stage::Active) => Ok(Vec::new()),
            (Command::ActivateMealPlan(_), Stage::Generated | Stage::Retired { .. }) => {
                Ok(vec![MealPlanActivated {}.into()])
            }
            (Command::DiscardMealPlan(_), Stage::Discarded) => Ok(Vec::new()),
            (Command::DiscardMealPlan(discard), _) => {
                Ok(vec![MealPlanDiscarded { reason: discard.reason.clone() }.into()])
            }
            (_, Stage::Discarded) => {
                Err(Rejection::conflict("this plan was discarded", "generate a new one"))
            }
            (Command::CalculatePlanNutrition(_), _) => {
                let eaten = state.plan.as_ref().map(eaten).unwrap_or_default();
                let nutrition = tally(&eaten, &facts.recipes);
                let same = state.nutrition.as_ref() == Some(&nutrition);
                Ok(if same { Vec::new() } else { vec![PlanNutritionCalculated { nutrition }.into()] })
            }
            (command, _) => change(state, command, facts, metadata),
        }
    }

    fn evolve(state: &mut State, event: &Event) {
        match event {
            Event::MealPlanCreated(_) => state.stage = Stage::Generated,
            Event::MealPlanGenerated(generated) => {
                state.stage = Stage::Generated;
                state.plan = Some(generated.plan.clone());
                state.request = generated.request.clone().unwrap_or_default();
            }
            Event::MealPlanChanged(changed) => {
                state.plan = Some(changed.plan.clone());
                state.request = changed.request.clone();
                state.refused.clone_from(&changed.refused);
                state.nutrition = None;
            }
            Event::SlotLocked(at) => {
                state.locked.insert(SlotRef { date: at.date, slot: at.slot });
            }
            Event::SlotUnlocked(at) => {
                state.locked.remove(&SlotRef { date: at.date, slot: at.slot });
            }
            Event::AlternativesRanked(_) => {}
            Event::PlanningRulesSet(set) => state.rules = Some(set.rules.clone()),
            Event::PlanNutritionCalculated(calculated) => {
                state.nutrition = Some(calculated.nutrition.clone())
            }
            Event::MealPlanActivated(_) | Event::MealPlanReinstated(_) => state.stage = Stage::Active,
            Event::OlderPlansReplaced(replaced) => state.replaces.extend(&replaced.plans),
            Event::MealPlanRetired(retired) => {
                state.stage = Stage::Retired { replaced_by: retired.replaced_by };
                state.replaces.clear();
            }
            Event::MealPlanDiscarded(_) => state.stage = Stage::Discarded,
        }
    }

    fn sends(state: &State, event: &Event, metadata: &Metadata) -> Result<Vec<Outgoing>, DecodeError> {
        let key = metadata.key.clone();
        let all = |plans: &[Uuid], command: Command| {
            plans.iter().map(|plan| Outgoing::new::<Self>(plan.to_string(), &command)).collect()
        };
        match (event, key.uuid()) {
            (Event::MealPlanActivated(_) | Event::MealPlanReinstated(_), _) => {
                Ok(vec![Outgoing::new::<Self>(key, &SettleOverlaps {}.into())?])
            }
            (Event::OlderPlansReplaced(replaced), Some(replaced_by)) => {
                all(&replaced.plans, RetireMealPlan { replaced_by }.into())
            }
            (Event::MealPlanDiscarded(_), Some(instead_of)) => {
                all(&state.replaces, ReinstateMealPlan { instead_of }.into())
            }
            _ => Ok(Vec::new()),
        }
    }

    fn check(command: &Command) -> Result<(), Rejection> {
        match command {
            Command::GenerateMealPlan(generate) => check_generate(generate),
            Command::SetPlanningRules(SetPlanningRules(rules)) => rules.check(),
            Command::Replan(replan) => check_moves(replan.moves),
            Command::ActivateMealPlan(_)
            | Command::DiscardMealPlan(_)
            | Command::CalculatePlanNutrition(_)
            | Command::SettleOverlaps(_)
            | Command::RetireMealPlan(_)
            | Command::ReinstateMealPlan(_)
            | Command::LockSlot(_)
            | Command::UnlockSlot(_)
            | Command::SwapRecipe(_)
            | Command::MoveSlot(_)
            | Command::SkipSlot(_)
            | Command::SetPortion(_)
            | Command::RegenerateSlot(_)
            | Command::RegenerateDay(_)
            | Command::RankAlternatives(_) => Ok(()),
        }
    }

    fn needs(command: &Command) -> Vec<Need> {
        match command {
            Command::GenerateMealPlan(_)
            | Command::SwapRecipe(_)
            | Command::MoveSlot(_)
            | Command::SkipSlot(_)
            | Command::SetPortion(_)
            | Command::RegenerateSlot(_)
            | Command::RegenerateDay(_)
            | Command::Replan(_)
            | Command::RankAlternatives(_) => vec![
                Need::all::<RecipesLearned>(),
                Need::all::<HouseholdLearned>(),
                Need::all::<GoalsLearned>(),
                Need::all::<FoodsLearned>(),
                Need::all::<History>(),
                Need::all::<Rules>(),
            ],
            Command::CalculatePlanNutrition(_) => vec![Need::all::<RecipesLearned>()],
            Command::SettleOverlaps(_) => vec![Need::all::<Spans>()],
            Command::ActivateMealPlan(_)
            | Command::DiscardMealPlan(_)
            | Command::RetireMealPlan(_)
            | Command::ReinstateMealPlan(_)
            | Command::SetPlanningRules(_)
            | Command::LockSlot(_)
            | Command::UnlockSlot(_) => Vec::new(),
        }
    }

    fn facts(rows: &Rows) -> Result<Facts, DecodeError> {
        let recipes = rows.of::<RecipesLearned>()?;
        let goals = rows.of::<GoalsLearned>()?;
        let history = rows.of::<History>()?;
        Ok(Facts {
            recipes: recipes.into_iter().filter(|recipe| recipe.measured).collect(),
            profile: rows.of::<HouseholdLearned>()?.pop().unwrap_or_default(),
            goals: goals.into_iter().map(|row| (row.member, row.goals)).collect(),
            foods: rows.of::<FoodsLearned>()?.into_iter().map(|food| (food.id.clone(), food)).collect(),
            rules: rows.of::<Rules>()?.pop().unwrap_or_default(),
            cooked: history.into_iter().flat_map(|row| row.cooked).collect(),
            spans: rows.of::<Spans>()?,
        })
    }

    fn endpoints() -> Vec<Endpoint> {
        endpoints()
    }

    fn personal(message: &Envelope) -> Personal {
        match &*message.type_name {
            "MealPlanGenerated" | "MealPlanChanged" | "PlanNutritionCalculated" => Personal::Names,
            _ => Personal::Nothing,
        }
    }

    fn projections(visitor: &mut dyn ProjectionVisitor) {
        erased::show::<Plans>(visitor);
        erased::show::<RecipesLearned>(visitor);
        erased::show::<HouseholdLearned>(visitor);
        erased::show::<GoalsLearned>(visitor);
        erased::show::<FoodsLearned>(visitor);
        erased::show::<Rules>(visitor);
        erased::show::<History>(visitor);
        erased::show::<Spans>(visitor);
    }
}

/// A change of a plan that there is and that was not given up.
fn change(
    state: &State,
    command: &Command,
    facts: &Facts,
    metadata: &Metadata,
) -> Result<Vec<Event>, Rejection> {
    let seed = metadata.id.as_u64_pair().1;
    let draft = || Draft::open(state, facts);
    match command {
        Command::LockSlot(LockSlot { date, slot }) => {
            must_plan(state, *date, *slot)?;
            let is_new = !state.locked.contains(&SlotRef { date: *date, slot: *slot });
            Ok(if is_new { vec![SlotLocked { date: *date, slot: *slot }.into()] } else { Vec::new() })
        }
        Command::UnlockSlot(UnlockSlot { date, slot }) => {
            let is_locked = state.locked.contains(&SlotRef { date: *date, slot: *slot });
            Ok(if is_locked { vec![SlotUnlocked { date: *date, slot: *slot }.into()] } else { Vec::new() })
        }
        Command::SwapRecipe(swap) => draft()?.swap(swap, seed),
        Command::MoveSlot(exchange) => draft()?.exchange(exchange, seed),
        Command::SkipSlot(skip) => draft()?.skip(skip.date, skip.slot, seed),
        Command::SetPortion(portion) => draft()?.portion(portion, seed),
        Command::RegenerateSlot(at) => draft()?.regenerate_slot(at.date, at.slot, seed),
        Command::RegenerateDay(day) => draft()?.regenerate_day(day.date, day.seed.unwrap_or(seed)),
        Command::Replan(replan) => {
            draft()?.replan(replan, replan.seed.unwrap_or(seed), today(facts, metadata))
        }
        Command::RankAlternatives(at) => draft()?.alternatives(at.date, at.slot),
        Command::GenerateMealPlan(_)
        | Command::ActivateMealPlan(_)
        | Command::DiscardMealPlan(_)
        | Command::CalculatePlanNutrition(_)
        | Command::SettleOverlaps(_)
        | Command::RetireMealPlan(_)
        | Command::ReinstateMealPlan(_)
        | Command::SetPlanningRules(_) => Ok(Vec::new()),
    }
}

fn must_plan(
    state: &State,
    date: NaiveDate,
    slot: crate::domain::recipes::slots::MealSlot,
) -> Result<(), Rejection> {
    let meals = state.plan.iter().flat_map(|plan| &plan.meals);
    match meals.into_iter().any(|meal| meal.date == date && meal.slot == slot) {
        true => Ok(()),
        false => Err(Rejection::not_found(
            format!("the plan has no {slot} on {date}"),
            "GET /api/meal-plans/{id} shows its meals",
        )),
    }
}

fn settle(facts: &Facts, metadata: &Metadata) -> Vec<Event> {
    match metadata.key.uuid().map_or(Overlaps::None, |plan| overlaps(plan, &facts.spans)) {
        Overlaps::None => Vec::new(),
        Overlaps::Newer(replaced_by) => vec![MealPlanRetired { replaced_by }.into()],
        Overlaps::Older(plans) => vec![OlderPlansReplaced { plans }.into()],
    }
}
