//! The shopping context: a list is written for a plan, added to, ticked off and completed.

use super::follow::{Kept, follow, up_to_date};
use super::merge::{Line, merge};
use super::needs::{aisle_rank, needs};
use super::views::{FoodsLearned, KnownFood, KnownRecipe, ListView, Lists, PlansLearned, RecipesLearned};
use crate::domain::context::{
    Context, Endpoint, KeyFrom, Need, Outgoing, Projection, ProjectionVisitor, Rejection, Rows, Verb, read_as,
};
use crate::domain::envelope::{Envelope, Metadata};
use crate::domain::erased;
use crate::domain::foods::FoodId;
use crate::domain::message::DecodeError;
use crate::domain::planning::{self, MealPlan, Planning};
use crate::messages;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// Writes the list for a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateShoppingList {
    pub plan: Uuid,
}

/// A plan has changed, and its open lists are to follow. Its key is that of the plan; shopping gives it itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FollowPlan {
    pub plan: Uuid,
}

/// Brings the list up to date with its plan; shopping gives it itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateShoppingList {
    pub plan: Uuid,
}

/// Adds something that no recipe asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddLine {
    pub name: String,
    /// As one would write it: "2 packets".
    #[serde(default)]
    pub amount: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckLine {
    /// `key` of the line.
    pub line: String,
    pub checked: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteShoppingList {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscardShoppingList {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShoppingListCreated {
    pub plan: Uuid,
    pub lines: Vec<Line>,
    /// What could not be looked up, such as recipes deleted since.
    pub remarks: Vec<String>,
}

/// What recipes ask for, as the plan is now; what was ticked off stands as it was, and lines of one's own stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShoppingListUpdated {
    pub lines: Vec<Line>,
    pub remarks: Vec<String>,
}

/// The lists that are to follow the plan of the key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanFollowed {
    pub lists: Vec<Uuid>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LineAdded {
    pub key: String,
    pub name: String,
    pub amount: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LineChecked {
    pub line: String,
    pub checked: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShoppingListCompleted {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShoppingListDiscarded {}

messages! {
    pub enum Command {
        CreateShoppingList = 1, AddLine = 1, CheckLine = 1, CompleteShoppingList = 1, DiscardShoppingList = 1,
        FollowPlan = 1, UpdateShoppingList = 1,
    }
}
messages! {
    pub enum Event {
        ShoppingListCreated = 1, LineAdded = 1, LineChecked = 1, ShoppingListCompleted = 1,
        ShoppingListDiscarded = 1, ShoppingListUpdated = 1, PlanFollowed = 1,
    }
}

/// One list.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    stage: Stage,
    /// By key.
    lines: BTreeMap<String, Kept>,
    remarks: Vec<String>,
    added: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    #[default]
    None,
    Open,
    Completed,
    Discarded,
}

/// What shopping has learned from the other contexts' events.
#[derive(Default)]
pub struct Facts {
    pub(super) plan: Option<MealPlan>,
    pub(super) recipes: HashMap<Uuid, KnownRecipe>,
    pub(super) foods: HashMap<FoodId, KnownFood>,
    pub(super) lists: Vec<ListView>,
}

pub struct Shopping;

impl Context for Shopping {
    const NAME: &'static str = "shopping";
    const STATE_VERSION: u32 = 2;
    const REACTS_TO: &'static [&'static str] = &[Planning::NAME];
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
        if let Command::CreateShoppingList(create) = command {
            return match state.stage {
                Stage::None => write(create, facts),
                Stage::Open | Stage::Completed | Stage::Discarded => {
                    Err(Rejection::conflict("this list is there already", "write a new one"))
                }
            };
        }
        if let Command::FollowPlan(FollowPlan { plan }) = command {
            return Ok(follow(*plan, &facts.lists));
        }
        must_be_there(state, metadata)?;
        match command {
            Command::CreateShoppingList(_) | Command::FollowPlan(_) => Ok(Vec::new()),
            Command::UpdateShoppingList(_) if state.stage == Stage::Open => {
                let Some(plan) = &facts.plan else { return Ok(Vec::new()) };
                let (needs, remarks) = needs_of(plan, facts);
                Ok(up_to_date(&state.lines, &state.remarks, needs, remarks))
            }
            // The shopping is done.
            Command::UpdateShoppingList(_) => Ok(Vec::new()),
            Command::AddLine(line) => {
                must_be_open(state)?;
                let key = format!("own:{}", state.added + 1);
                let (name, amount) = (line.name.trim().to_owned(), line.amount.clone());
                Ok(vec![LineAdded { key, name, amount }.into()])
            }
            Command::CheckLine(CheckLine { line, checked }) => {
                must_be_open(state)?;
                match state.lines.get(line) {
                    Some(now) if now.checked == *checked => Ok(Vec::new()),
                    Some(_) => Ok(vec![LineChecked { line: line.clone(), checked: *checked }.into()]),
                    None => Err(Rejection::not_found(
                        format!("the list has no line {line:?}"),
                        "use the key of a line of GET /api/shopping-lists/{id}",
                    )),
                }
            }
            Command::CompleteShoppingList(_) if state.stage == Stage::Completed => Ok(Vec::new()),
            Command::CompleteShoppingList(_) => {
                must_be_open(state)?;
                Ok(vec![ShoppingListCompleted {}.into()])
            }
            Command::DiscardShoppingList(_) if state.stage == Stage::Discarded => Ok(Vec::new()),
            Command::DiscardShoppingList(_) => Ok(vec![ShoppingListDiscarded {}.into()]),
        }
    }

    fn evolve(state: &mut State, event: &Event) {
        match event {
            Event::ShoppingListCreated(created) => {
                state.stage = Stage::Open;
                state.lines = created.lines.iter().map(|line| (line.key.clone(), Kept::open(line))).collect();
                state.remarks.clone_from(&created.remarks);
            }
            Event::ShoppingListUpdated(updated) => {
                let before = std::mem::take(&mut state.lines);
                let was_checked = |key: &String| before.get(key).is_some_and(|kept| kept.checked);
                let now = |line: &Line| Kept { checked: was_checked(&line.key), ..Kept::open(line) };
                let lines = updated.lines.iter().map(|line| (line.key.clone(), now(line)));
                state.lines = lines.collect();
                state.lines.extend(before.into_iter().filter(|(_, kept)| kept.line.is_none()));
                state.remarks.clone_from(&updated.remarks);
            }
            Event::PlanFollowed(_) => {}
            Event::LineAdded(added) => {
                state.added += 1;
                state.lines.insert(added.key.clone(), Kept { checked: false, line: None });
            }
            Event::LineChecked(checked) => {
                if let Some(kept) = state.lines.get_mut(&checked.line) {
                    kept.checked = checked.checked;
                }
            }
            Event::ShoppingListCompleted(_) => state.stage = Stage::Completed,
            Event::ShoppingListDiscarded(_) => state.stage = Stage::Discarded,
        }
    }

    /// A list that is just written looks once more: its plan may have changed meanwhile.
    fn sends(_: &State, event: &Event, metadata: &Metadata) -> Result<Vec<Outgoing>, DecodeError> {
        let update = |list: String, plan| Outgoing::new::<Self>(list, &UpdateShoppingList { plan }.into());
        match event {
            Event::ShoppingListCreated(created) => Ok(vec![update(metadata.key.to_string(), created.plan)?]),
            Event::PlanFollowed(followed) => {
                let Some(plan) = metadata.key.uuid() else { return Ok(Vec::new()) };
                followed.lists.iter().map(|list| update(list.to_string(), plan)).collect()
            }
            Event::ShoppingListUpdated(_)
            | Event::LineAdded(_)
            | Event::LineChecked(_)
            | Event::ShoppingListCompleted(_)
            | Event::ShoppingListDiscarded(_) => Ok(Vec::new()),
        }
    }

    fn reaction(envelope: &Envelope) -> Result<Vec<Outgoing>, DecodeError> {
        let (Some(planning::Event::MealPlanChanged(_)), Some(plan)) =
            (read_as::<Planning>(envelope)?, envelope.key.uuid())
        else {
            return Ok(Vec::new());
        };
        Ok(vec![Outgoing::new::<Self>(plan.to_string(), &FollowPlan { plan }.into())?])
    }

    fn check(command: &Command) -> Result<(), Rejection> {
        match command {
            Command::AddLine(line) if !(1..=200).contains(&line.name.trim().chars().count()) => {
                Err(Rejection::invalid("/name", "the name is empty or too long", "write 1 to 200 characters"))
            }
            Command::AddLine(_)
            | Command::CreateShoppingList(_)
            | Command::CheckLine(_)
            | Command::CompleteShoppingList(_)
            | Command::DiscardShoppingList(_)
            | Command::FollowPlan(_)
            | Command::UpdateShoppingList(_) => Ok(()),
        }
    }

    fn needs(command: &Command) -> Vec<Need> {
        match command {
            Command::FollowPlan(_) => vec![Need::all::<Lists>()],
            Command::CreateShoppingList(CreateShoppingList { plan })
            | Command::UpdateShoppingList(UpdateShoppingList { plan }) => vec![
                Need::rows::<PlansLearned>(vec![plan.to_string()]),
                Need::all::<RecipesLearned>(),
                Need::all::<FoodsLearned>(),
            ],
            Command::AddLine(_)
            | Command::CheckLine(_)
            | Command::CompleteShoppingList(_)
            | Command::DiscardShoppingList(_) => Vec::new(),
        }
    }

    fn facts(rows: &Rows) -> Result<Facts, DecodeError> {
        let recipes = rows.of::<RecipesLearned>()?.into_iter();
        let foods = rows.of::<FoodsLearned>()?.into_iter();
        Ok(Facts {
            plan: rows.of::<PlansLearned>()?.pop(),
            recipes: recipes.map(|recipe| (recipe.id, recipe)).collect(),
            foods: foods.map(|food| (food.id.clone(), food)).collect(),
            lists: rows.of::<Lists>()?,
        })
    }

    fn endpoints() -> Vec<Endpoint> {
        let endpoint = |verb, path, type_name, key, summary| Endpoint {
            verb,
            path,
            type_name,
            key,
            summary,
            result: Some(Lists::NAME),
        };
        let list = |path, type_name, summary| endpoint(Verb::Post, path, type_name, KeyFrom::Path, summary);
        vec![
            endpoint(
                Verb::Post,
                "/api/shopping-lists",
                "CreateShoppingList",
                KeyFrom::New,
                "Write a plan's list",
            ),
            list("/api/shopping-lists/{id}/lines", "AddLine", "Add something of your own"),
            list("/api/shopping-lists/{id}/checks", "CheckLine", "Tick a line off, or not"),
            list("/api/shopping-lists/{id}/completion", "CompleteShoppingList", "The shopping is done"),
        ]
    }

    fn projections(visitor: &mut dyn ProjectionVisitor) {
        erased::show::<Lists>(visitor);
        erased::show::<PlansLearned>(visitor);
        erased::show::<RecipesLearned>(visitor);
        erased::show::<FoodsLearned>(visitor);
    }
}

fn must_be_there(state: &State, metadata: &Metadata) -> Result<(), Rejection> {
    if state.stage != Stage::None {
        return Ok(());
    }
    let hint = "GET /api/shopping-lists lists them";
    Err(Rejection::not_found(format!("there is no shopping list {}", metadata.key), hint))
}

fn must_be_open(state: &State) -> Result<(), Rejection> {
    match state.stage {
        Stage::Open => Ok(()),
        Stage::None | Stage::Completed | Stage::Discarded => {
            Err(Rejection::conflict("this list is closed", "write a new one"))
        }
    }
}

fn write(create: &CreateShoppingList, facts: &Facts) -> Result<Vec<Event>, Rejection> {
    let Some(plan) = &facts.plan else {
        let hint = "GET /api/meal-plans lists them";
        return Err(Rejection::not_found(format!("there is no plan {}", create.plan), hint));
    };
    let (needs, remarks) = needs_of(plan, facts);
    Ok(vec![ShoppingListCreated { plan: create.plan, lines: merge(&needs, aisle_rank), remarks }.into()])
}

/// With each remark once.
fn needs_of(plan: &MealPlan, facts: &Facts) -> (Vec<super::merge::Need>, Vec<String>) {
    let (needs, remarks) = needs(plan, facts);
    let remarks: BTreeSet<String> = remarks.into_iter().collect();
    (needs, remarks.into_iter().collect())
}
