//! The flow `meal_plan_generation`: find a plan, write its shopping list, put the plan into force.

use super::Step;
use crate::domain::context::{Context, Outgoing, Rejection};
use crate::domain::envelope::Metadata;
use crate::domain::message::DecodeError;
use crate::domain::planning::{ActivateMealPlan, DiscardMealPlan, GenerateMealPlan, Planning, no_first_day};
use crate::domain::shopping::{CreateShoppingList, DiscardShoppingList, Shopping};
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(super) const NAME: &str = "meal_plan_generation";

/// Plans a week (or 1 to 28 days) and writes its shopping list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StartMealPlanGeneration {
    /// First day; tomorrow in the household's time zone when left out.
    pub start: Option<NaiveDate>,
    /// 7 when left out.
    pub days: Option<u32>,
    /// The same seed, recipes and goals give the same plan.
    pub seed: Option<u64>,
    /// How long to search, in tried moves.
    pub moves: Option<u64>,
}

impl StartMealPlanGeneration {
    fn generate(&self) -> GenerateMealPlan {
        GenerateMealPlan {
            start: self.start,
            days: self.days,
            seed: self.seed,
            moves: self.moves,
            ..GenerateMealPlan::default()
        }
    }

    /// What can be refused before anything is started.
    pub(super) fn check(&self) -> Result<(), Rejection> {
        Planning::check(&self.generate().into())
    }

    /// # Errors
    /// When no plan can begin on the first day, whatever the household's time zone is.
    pub(super) fn check_start(&self, metadata: &Metadata) -> Result<(), Rejection> {
        let today = metadata.time.date_naive();
        match self.start {
            Some(start) if !(-2..=367).contains(&(start - today).num_days()) => Err(no_first_day(start)),
            Some(_) | None => Ok(()),
        }
    }

    pub(super) fn flow(&self, metadata: &Metadata) -> MealPlanGeneration {
        MealPlanGeneration {
            plan: metadata.new_id(0),
            shopping_list: metadata.new_id(1),
            generate: self.generate(),
        }
    }
}

/// The input, with the ids of what will be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MealPlanGeneration {
    pub plan: Uuid,
    pub shopping_list: Uuid,
    pub generate: GenerateMealPlan,
}

impl MealPlanGeneration {
    pub(super) fn steps(&self) -> Result<Vec<Step>, DecodeError> {
        let (plan, list) = (self.plan.to_string(), self.shopping_list.to_string());
        let reason = "its shopping list could not be written".to_owned();
        Ok(vec![
            Step {
                name: "create_plan",
                command: Outgoing::new::<Planning>(&plan, &self.generate.clone().into())?,
                compensation: Some(Outgoing::new::<Planning>(&plan, &DiscardMealPlan { reason }.into())?),
            },
            Step {
                name: "shopping_list",
                command: Outgoing::new::<Shopping>(&list, &CreateShoppingList { plan: self.plan }.into())?,
                compensation: Some(Outgoing::new::<Shopping>(&list, &DiscardShoppingList {}.into())?),
            },
            Step {
                name: "activate_plan",
                command: Outgoing::new::<Planning>(&plan, &ActivateMealPlan {}.into())?,
                compensation: None,
            },
        ])
    }
}
