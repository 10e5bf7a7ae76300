//! The planning context: a plan is generated, then put into force or discarded.

use super::plan::MealPlan;
use super::problem::{check_days, problem};
use super::search::{self, Weights};
use super::views::{GoalsLearned, History, HouseholdLearned, KnownRecipe, Plans, RecipesLearned, Staples};
use crate::domain::context::{Context, Need, ProjectionVisitor, Rejection, Rows};
use crate::domain::envelope::Metadata;
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

messages! { pub enum Command { GenerateMealPlan = 1, ActivateMealPlan = 1, DiscardMealPlan = 1 } }
messages! {
    pub enum Event {
        MealPlanCreated = 1, MealPlanGenerated = 1, MealPlanActivated = 1, MealPlanDiscarded = 1,
    }
}

/// One plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    #[default]
    None,
    Generated,
    Active,
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
}

pub struct Planning;

impl Context for Planning {
    const NAME: &'static str = "planning";
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
        match (command, state) {
            (Command::GenerateMealPlan(command), State::None) => generate(command, facts, metadata),
            (Command::GenerateMealPlan(_), _) => {
                Err(Rejection::conflict("this plan is there already", "generate a new one"))
            }
            (Command::ActivateMealPlan(_), State::Generated) => Ok(vec![MealPlanActivated {}.into()]),
            (Command::ActivateMealPlan(_), State::Active) => Ok(Vec::new()),
            (Command::DiscardMealPlan(discard), State::Generated | State::Active) => {
                Ok(vec![MealPlanDiscarded { reason: discard.reason.clone() }.into()])
            }
            (Command::DiscardMealPlan(_), State::Discarded) => Ok(Vec::new()),
            (Command::ActivateMealPlan(_), State::Discarded) => {
                Err(Rejection::conflict("this plan was discarded", "generate a new one"))
            }
            (Command::ActivateMealPlan(_) | Command::DiscardMealPlan(_), State::None) => {
                let hint = "GET /api/meal-plans lists them";
                Err(Rejection::not_found(format!("there is no plan {}", metadata.key), hint))
            }
        }
    }

    fn evolve(state: &mut State, event: &Event) {
        *state = match event {
            Event::MealPlanCreated(_) | Event::MealPlanGenerated(_) => State::Generated,
            Event::MealPlanActivated(_) => State::Active,
            Event::MealPlanDiscarded(_) => State::Discarded,
        };
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
            Command::ActivateMealPlan(_) | Command::DiscardMealPlan(_) => Vec::new(),
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
            endpoint("/api/meal-plans/{id}/discard", "DiscardMealPlan", KeyFrom::Path, "Give a plan up"),
        ]
    }

    fn projections(visitor: &mut dyn ProjectionVisitor) {
        erased::show::<Plans>(visitor);
        erased::show::<RecipesLearned>(visitor);
        erased::show::<HouseholdLearned>(visitor);
        erased::show::<GoalsLearned>(visitor);
        erased::show::<Staples>(visitor);
        erased::show::<History>(visitor);
    }
}

fn check_generate(generate: &GenerateMealPlan) -> Result<(), Rejection> {
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

fn generate(command: &GenerateMealPlan, facts: &Facts, metadata: &Metadata) -> Result<Vec<Event>, Rejection> {
    let (problem, remarks) = problem(command, facts, metadata)?;
    search::check(&problem).map_err(|fault| Rejection::invalid(&fault.pointer, fault.message, fault.hint))?;
    let solution = search::solve(&problem);
    let plan = MealPlan::of(&problem, &solution, remarks).ok_or_else(|| {
        Rejection::conflict("the search gave a plan that does not fit its problem", "report this as a defect")
    })?;
    Ok(vec![MealPlanCreated { start: plan.start, days: plan.days }.into(), MealPlanGenerated { plan }.into()])
}
