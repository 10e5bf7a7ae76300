//! The flow `meal_plan_generation`: find a plan, add up what is in it, write its shopping list, tell the household,
//! put the plan into force.

use super::{Definition, Step};
use crate::domain::context::{Outgoing, Rejection};
use crate::domain::envelope::Metadata;
use crate::domain::message::DecodeError;
use crate::domain::notifications::{Notifications, Notify};
use crate::domain::planning::{
    ActivateMealPlan, CalculatePlanNutrition, DiscardMealPlan, GenerateMealPlan, Planning, check_generate,
    no_first_day,
};
use crate::domain::shopping::{CreateShoppingList, DiscardShoppingList, Shopping};
use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(super) const NAME: &str = "meal_plan_generation";
/// A search may be as long as its input asks.
const SEARCH_PATIENCE: TimeDelta = TimeDelta::minutes(20);
const PATIENCE: TimeDelta = TimeDelta::minutes(5);

/// Plans a week (or 1 to 28 days) and writes its shopping list; takes whatever a plan can be asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct StartMealPlanGeneration(pub GenerateMealPlan);

impl StartMealPlanGeneration {
    /// What can be refused before anything is started.
    pub(super) fn check(&self) -> Result<(), Rejection> {
        check_generate(&self.0)
    }

    /// # Errors
    /// When no plan can begin on the first day, whatever the household's time zone is.
    pub(super) fn check_start(&self, metadata: &Metadata) -> Result<(), Rejection> {
        let today = metadata.time.date_naive();
        match self.0.start {
            Some(start) if !(-2..=367).contains(&(start - today).num_days()) => Err(no_first_day(start)),
            Some(_) | None => Ok(()),
        }
    }

    pub(super) fn flow(&self, metadata: &Metadata) -> MealPlanGeneration {
        MealPlanGeneration {
            plan: metadata.new_id(0),
            shopping_list: metadata.new_id(1),
            generate: Box::new(self.0.clone()),
        }
    }
}

/// The input, with the ids of what will be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MealPlanGeneration {
    pub plan: Uuid,
    pub shopping_list: Uuid,
    pub generate: Box<GenerateMealPlan>,
}

impl Definition for MealPlanGeneration {
    const NAME: &'static str = NAME;
    const DEFINITION: u32 = 2;
    const PATIENCE: TimeDelta = TimeDelta::hours(1);

    fn steps(&self, definition: u32) -> Result<Vec<Step>, DecodeError> {
        match definition {
            // Neither added up nor told anybody.
            1 => Ok(vec![self.create_plan()?, self.shopping_list()?, self.activate_plan()?]),
            2 => Ok(vec![
                self.create_plan()?,
                self.calculate_nutrition()?,
                self.shopping_list()?,
                self.notify()?,
                self.activate_plan()?,
            ]),
            _ => Err(DecodeError::UnknownVersion {
                type_name: NAME.to_owned(),
                version: u16::try_from(definition).unwrap_or(u16::MAX),
            }),
        }
    }

    fn made(&self) -> Vec<(&'static str, Uuid)> {
        vec![("plan", self.plan), ("shopping_list", self.shopping_list)]
    }
}

impl MealPlanGeneration {
    fn create_plan(&self) -> Result<Step, DecodeError> {
        let plan = self.plan.to_string();
        let reason = "its shopping list could not be written".to_owned();
        Ok(Step {
            name: "create_plan",
            command: Outgoing::new::<Planning>(&plan, &GenerateMealPlan::clone(&self.generate).into())?,
            compensation: Some(Outgoing::new::<Planning>(&plan, &DiscardMealPlan { reason }.into())?),
            patience: SEARCH_PATIENCE,
        })
    }

    fn calculate_nutrition(&self) -> Result<Step, DecodeError> {
        Ok(Step {
            name: "calculate_nutrition",
            command: Outgoing::new::<Planning>(self.plan.to_string(), &CalculatePlanNutrition {}.into())?,
            // It goes with the plan.
            compensation: None,
            patience: PATIENCE,
        })
    }

    fn shopping_list(&self) -> Result<Step, DecodeError> {
        let list = self.shopping_list.to_string();
        Ok(Step {
            name: "shopping_list",
            command: Outgoing::new::<Shopping>(&list, &CreateShoppingList { plan: self.plan }.into())?,
            compensation: Some(Outgoing::new::<Shopping>(&list, &DiscardShoppingList {}.into())?),
            patience: PATIENCE,
        })
    }

    fn notify(&self) -> Result<Step, DecodeError> {
        let ready = Notify {
            title: "A new meal plan is ready".to_owned(),
            body: "Its shopping list is written.".to_owned(),
            about: Some(format!("/api/meal-plans/{}", self.plan)),
        };
        let withdrawn = Notify {
            title: "The new meal plan was withdrawn".to_owned(),
            body: "It could not be put into force, and its shopping list does not hold.".to_owned(),
            about: None,
        };
        let notify = |what, notify: Notify| {
            Outgoing::new::<Notifications>(format!("{}:{what}", self.plan), &notify.into())
        };
        Ok(Step {
            name: "notify",
            command: notify("ready", ready)?,
            compensation: Some(notify("withdrawn", withdrawn)?),
            patience: PATIENCE,
        })
    }

    fn activate_plan(&self) -> Result<Step, DecodeError> {
        Ok(Step {
            name: "activate_plan",
            command: Outgoing::new::<Planning>(self.plan.to_string(), &ActivateMealPlan {}.into())?,
            // To discard the plan is enough.
            compensation: None,
            patience: PATIENCE,
        })
    }
}
