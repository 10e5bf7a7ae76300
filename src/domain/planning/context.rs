//! The planning context: a plan is generated, then put into force or discarded.

use super::overlap::{Overlaps, Span, Spans, overlaps};
use super::plan::MealPlan;
use super::problem::{check_days, problem};
use super::search::{self, Weights};
use super::tally::{Eaten, PlanNutrition, eaten, tally};
use super::views::{GoalsLearned, History, HouseholdLearned, KnownRecipe, Plans, RecipesLearned, Staples};
use crate::domain::context::{Context, Need, Outgoing, Personal, ProjectionVisitor, Rejection, Rows};
use crate::domain::envelope::{Envelope, Metadata};
use crate::domain::erased;
use crate::domain::foods::FoodId;
use crate::domain::household::Profile;
use crate::domain::message::DecodeError;
use crate::domain::nutrition::Goals;
use crate::messages;
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

const MOST_MOVES: u64 = 50_000_000;

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
    /// How long to search, in tried moves; 200,000 when left out.
    pub moves: Option<u64>,
    pub weights: Weights,
    /// Days between two cookings of one recipe; 3 when left out.
    pub repeat_gap_days: Option<u32>,
    /// Leaves out recipes whose lines are understood to a smaller share.
    pub min_coverage_permille: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivateMealPlan {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscardMealPlan {
    pub reason: String,
}

/// Adds up what is in the plan, with the recipes as they are known now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CalculatePlanNutrition {}

/// Looks whether plans in force share days; a plan gives it itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SettleOverlaps {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetireMealPlan {
    pub replaced_by: Uuid,
}

/// The plan that took this one's days is gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReinstateMealPlan {
    pub instead_of: Uuid,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MealPlanCreated {
    pub start: NaiveDate,
    pub days: u32,
}

/// The whole plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MealPlanGenerated {
    pub plan: MealPlan,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MealPlanActivated {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MealPlanDiscarded {
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanNutritionCalculated {
    pub nutrition: PlanNutrition,
}

/// This plan takes the days of these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OlderPlansReplaced {
    pub plans: Vec<Uuid>,
}

/// Another plan is in force on days of this one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MealPlanRetired {
    pub replaced_by: Uuid,
}

/// The plan that had replaced it was discarded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MealPlanReinstated {}

messages! {
    pub enum Command {
        GenerateMealPlan = 1, ActivateMealPlan = 1, DiscardMealPlan = 1, CalculatePlanNutrition = 1,
        SettleOverlaps = 1, RetireMealPlan = 1, ReinstateMealPlan = 1,
    }
}
messages! {
    pub enum Event {
        MealPlanCreated = 1, MealPlanGenerated = 1, MealPlanActivated = 1, MealPlanDiscarded = 1,
        PlanNutritionCalculated = 1, OlderPlansReplaced = 1, MealPlanRetired = 1, MealPlanReinstated = 1,
    }
}

/// One plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    stage: Stage,
    eaten: Vec<Eaten>,
    nutrition: Option<PlanNutrition>,
    /// Plans whose days it has taken, while it is in force.
    replaces: Vec<Uuid>,
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
    pub(super) staples: BTreeSet<FoodId>,
    /// When which recipe was planned to be cooked.
    pub(super) cooked: Vec<(NaiveDate, Uuid)>,
    pub(super) spans: Vec<Span>,
}

pub struct Planning;

impl Context for Planning {
    const NAME: &'static str = "planning";
    const STATE_VERSION: u32 = 2;
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
            (Command::ActivateMealPlan(_) | Command::CalculatePlanNutrition(_), Stage::Discarded) => {
                Err(Rejection::conflict("this plan was discarded", "generate a new one"))
            }
            (Command::CalculatePlanNutrition(_), _) => {
                let nutrition = tally(&state.eaten, &facts.recipes);
                let same = state.nutrition.as_ref() == Some(&nutrition);
                Ok(if same { Vec::new() } else { vec![PlanNutritionCalculated { nutrition }.into()] })
            }
        }
    }

    fn evolve(state: &mut State, event: &Event) {
        match event {
            Event::MealPlanCreated(_) => state.stage = Stage::Generated,
            Event::MealPlanGenerated(generated) => {
                state.stage = Stage::Generated;
                state.eaten = eaten(&generated.plan);
            }
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
        let Command::GenerateMealPlan(generate) = command else { return Ok(()) };
        check_generate(generate)
    }

    fn needs(command: &Command) -> Vec<Need> {
        match command {
            Command::GenerateMealPlan(_) => vec![
                Need::all::<RecipesLearned>(),
                Need::all::<HouseholdLearned>(),
                Need::all::<GoalsLearned>(),
                Need::all::<Staples>(),
                Need::all::<History>(),
            ],
            Command::CalculatePlanNutrition(_) => vec![Need::all::<RecipesLearned>()],
            Command::SettleOverlaps(_) => vec![Need::all::<Spans>()],
            Command::ActivateMealPlan(_)
            | Command::DiscardMealPlan(_)
            | Command::RetireMealPlan(_)
            | Command::ReinstateMealPlan(_) => Vec::new(),
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
            staples: rows.of::<Staples>()?.into_iter().collect(),
            cooked: history.into_iter().flat_map(|row| row.cooked).collect(),
            spans: rows.of::<Spans>()?,
        })
    }

    fn endpoints() -> Vec<crate::domain::context::Endpoint> {
        use crate::domain::context::{Endpoint, KeyFrom, Projection, Verb};
        let endpoint = |path, type_name, key, summary| Endpoint {
            verb: Verb::Post,
            path,
            type_name,
            key,
            summary,
            result: Some(Plans::NAME),
        };
        vec![
            endpoint(
                "/api/meal-plans",
                "GenerateMealPlan",
                KeyFrom::New,
                "Find a plan, without a shopping list",
            ),
            endpoint(
                "/api/meal-plans/{id}/activation",
                "ActivateMealPlan",
                KeyFrom::Path,
                "Put a plan into force",
            ),
            endpoint(
                "/api/meal-plans/{id}/nutrition",
                "CalculatePlanNutrition",
                KeyFrom::Path,
                "Add up what is in it, as the recipes are known now",
            ),
            endpoint("/api/meal-plans/{id}/discard", "DiscardMealPlan", KeyFrom::Path, "Give a plan up"),
        ]
    }

    fn personal(message: &Envelope) -> Personal {
        match &*message.type_name {
            "MealPlanGenerated" | "PlanNutritionCalculated" => Personal::Names,
            _ => Personal::Nothing,
        }
    }

    fn projections(visitor: &mut dyn ProjectionVisitor) {
        erased::show::<Plans>(visitor);
        erased::show::<RecipesLearned>(visitor);
        erased::show::<HouseholdLearned>(visitor);
        erased::show::<GoalsLearned>(visitor);
        erased::show::<Staples>(visitor);
        erased::show::<History>(visitor);
        erased::show::<Spans>(visitor);
    }
}

/// What can be refused without knowing anything.
pub(crate) fn check_generate(generate: &GenerateMealPlan) -> Result<(), Rejection> {
    check_days(generate.days)?;
    match generate.moves {
        Some(moves) if !(1..=MOST_MOVES).contains(&moves) => Err(Rejection::invalid(
            "/moves",
            format!("{moves} moves are too few or too many"),
            format!("give 1 to {MOST_MOVES}"),
        )),
        Some(_) | None => Ok(()),
    }
}

fn settle(facts: &Facts, metadata: &Metadata) -> Vec<Event> {
    match metadata.key.uuid().map_or(Overlaps::None, |plan| overlaps(plan, &facts.spans)) {
        Overlaps::None => Vec::new(),
        Overlaps::Newer(replaced_by) => vec![MealPlanRetired { replaced_by }.into()],
        Overlaps::Older(plans) => vec![OlderPlansReplaced { plans }.into()],
    }
}

fn generate(command: &GenerateMealPlan, facts: &Facts, metadata: &Metadata) -> Result<Vec<Event>, Rejection> {
    let (problem, remarks) = problem(command, facts, metadata)?;
    search::check(&problem).map_err(|fault| Rejection::invalid(&fault.pointer, fault.message, fault.hint))?;
    let solution = search::solve(&problem);
    let plan = MealPlan::of(&problem, &solution, remarks).ok_or_else(|| {
        Rejection::conflict("the search gave a plan that does not fit its problem", "report this as a defect")
    })?;
    Ok(vec![MealPlanCreated { start: plan.start, days: plan.days }.into(), MealPlanGenerated { plan }.into()])
}
