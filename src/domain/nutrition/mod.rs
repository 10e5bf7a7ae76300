//! Nutrition: what everybody wants to eat in a day. (Diary and trends join here.)
//!
//! Not known here: recipes and plans.

use super::context::{
    Context, Endpoint, KeyFrom, Need, Personal, Projection, ProjectionVisitor, Rejection, Route, Rows, Verb,
    read_as,
};
use super::envelope::{Envelope, Metadata};
use super::erased;
use super::household::{self, Household};
use super::measure::{Milli, Nutrients};
use super::message::DecodeError;
use super::person;
use crate::messages;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Where a daily amount should lie. Between `low` and `high` nothing is amiss; beyond `min` and `max` it weighs
/// four times as much as between them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Band {
    pub min: Option<Milli>,
    pub low: Option<Milli>,
    pub high: Option<Milli>,
    pub max: Option<Milli>,
    /// 1 (nice to have) to 10 (as important as anything); 10 when left out.
    pub importance: Option<u8>,
}

/// Daily goals by nutrient, in the units of the names (`kcal`, `protein_g`, …).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Goals(pub BTreeMap<String, Band>);

/// What somebody wants to eat in a day; replaces the goals set before. The key is the member's id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetNutritionGoal {
    pub goals: Goals,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NutritionGoalSet {
    pub member: Uuid,
    pub goals: Goals,
}

messages! { pub enum Command { SetNutritionGoal = 1 } }
messages! { pub enum Event { NutritionGoalSet = 1 } }

/// The members there are, as this context knows them.
#[derive(Debug, Default)]
pub struct Facts {
    members: Vec<Uuid>,
}

pub struct Nutrition;

impl Context for Nutrition {
    const NAME: &'static str = "nutrition";
    type State = Option<Goals>;
    type Command = Command;
    type Event = Event;
    type Facts = Facts;

    fn decide(
        state: &Option<Goals>,
        command: &Command,
        facts: &Facts,
        metadata: &Metadata,
    ) -> Result<Vec<Event>, Rejection> {
        let Command::SetNutritionGoal(SetNutritionGoal { goals }) = command;
        let member = metadata.key.uuid().filter(|id| facts.members.contains(id));
        let Some(member) = member else {
            let hint = "GET /api/household lists the members";
            return Err(Rejection::not_found(format!("no member has the id {}", metadata.key), hint));
        };
        if state.as_ref() == Some(goals) {
            return Ok(Vec::new());
        }
        Ok(vec![NutritionGoalSet { member, goals: goals.clone() }.into()])
    }

    fn evolve(state: &mut Option<Goals>, event: &Event) {
        let Event::NutritionGoalSet(set) = event;
        *state = Some(set.goals.clone());
    }

    fn check(command: &Command) -> Result<(), Rejection> {
        let Command::SetNutritionGoal(SetNutritionGoal { goals }) = command;
        goals.0.iter().try_for_each(|(nutrient, band)| check_band(nutrient, band))?;
        check_energy(goals)
    }

    fn needs(_: &Command) -> Vec<Need> {
        vec![Need::all::<Members>()]
    }

    fn facts(rows: &Rows) -> Result<Facts, DecodeError> {
        Ok(Facts { members: rows.of::<Members>()?.into_iter().map(|member| member.id).collect() })
    }

    fn endpoints() -> Vec<Endpoint> {
        vec![Endpoint {
            verb: Verb::Put,
            path: "/api/nutrition/goals/{id}",
            type_name: "SetNutritionGoal",
            key: KeyFrom::Path,
            summary: "Daily goals of a member",
            result: Some(GoalsView::NAME),
        }]
    }

    fn personal(message: &Envelope) -> Personal {
        person::by_key(message)
    }

    fn projections(visitor: &mut dyn ProjectionVisitor) {
        erased::show::<GoalsView>(visitor);
        erased::show::<Members>(visitor);
    }
}

/// Amounts a day that nobody means, in the order of [`Nutrients::NAMES`].
const ABSURD: [i64; 8] = [15_000, 1_000, 2_500, 1_000, 500, 300, 2_000, 40_000];

fn check_band(nutrient: &str, band: &Band) -> Result<(), Rejection> {
    let pointer = format!("/goals/{nutrient}");
    let Some(n) = Nutrients::NAMES.iter().position(|name| *name == nutrient) else {
        let hint = format!("use one of {}", Nutrients::NAMES.join(", "));
        return Err(Rejection::invalid(&pointer, format!("no nutrient is called {nutrient:?}"), hint));
    };
    let given: Vec<Milli> = [band.min, band.low, band.high, band.max].into_iter().flatten().collect();
    let most = Milli::whole(ABSURD.get(n).copied().unwrap_or(i64::MAX / 1000));
    if given.is_empty() {
        let hint = "give at least one of min, low, high and max";
        return Err(Rejection::invalid(&pointer, "the goal says nothing", hint));
    }
    if let Some(odd) = given.iter().find(|amount| **amount < Milli::ZERO || **amount > most) {
        let hint = format!("goals are amounts a day from 0 to {most}");
        return Err(Rejection::invalid(&pointer, format!("{odd} is no daily amount of {nutrient}"), hint));
    }
    if !given.is_sorted() {
        let hint = "min <= low <= high <= max must hold";
        return Err(Rejection::invalid(&pointer, "no amount can meet this goal", hint));
    }
    match band.importance {
        None | Some(1..=10) => Ok(()),
        Some(_) => Err(Rejection::invalid(&pointer, "the importance is out of range", "give 1 to 10")),
    }
}

/// Protein, carbohydrates and fat bring energy: their least must fit into the most energy.
fn check_energy(goals: &Goals) -> Result<(), Rejection> {
    let least = |name: &str| goals.0.get(name).and_then(|band| band.min.or(band.low)).unwrap_or_default().0;
    let needed = Milli(4 * least("protein_g") + 4 * least("carbs_g") + 9 * least("fat_g"));
    let most = goals.0.get("kcal").and_then(|band| band.max.or(band.high));
    match most {
        Some(most) if needed > most => Err(Rejection::invalid(
            "/goals/kcal",
            format!(
                "the least protein, carbohydrates and fat already bring {} kcal, more than {most}",
                needed.rounded()
            ),
            "lower them or raise the most energy",
        )),
        Some(_) | None => Ok(()),
    }
}

/// A member's goals as they are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemberGoals {
    pub member: Uuid,
    pub goals: Goals,
}

/// Goals by member.
pub struct GoalsView;

impl Projection for GoalsView {
    const NAME: &'static str = "nutrition_goals";
    const READS: &'static [&'static str] = &[Nutrition::NAME];
    type Row = MemberGoals;
    type Event = Event;

    fn read(envelope: &Envelope) -> Result<Option<Event>, DecodeError> {
        read_as::<Nutrition>(envelope)
    }

    fn keys(envelope: &Envelope, _: &Event) -> Vec<String> {
        vec![envelope.key.to_string()]
    }

    fn apply(row: &mut Option<MemberGoals>, _: &str, _: &Envelope, event: &Event) {
        let Event::NutritionGoalSet(set) = event;
        *row = Some(MemberGoals { member: set.member, goals: set.goals.clone() });
    }

    fn routes() -> Vec<Route> {
        vec![
            Route::List { path: "/api/nutrition/goals", summary: "Everybody's daily goals" },
            Route::Item { path: "/api/nutrition/goals/{id}", summary: "A member's daily goals" },
        ]
    }
}

/// Who there is, learned from the household's events.
struct Members;

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct KnownMember {
    id: Uuid,
}

impl Projection for Members {
    const NAME: &'static str = "nutrition_members";
    const READS: &'static [&'static str] = &[Household::NAME];
    type Row = KnownMember;
    type Event = household::Event;

    fn read(envelope: &Envelope) -> Result<Option<household::Event>, DecodeError> {
        read_as::<Household>(envelope)
    }

    fn keys(_: &Envelope, event: &household::Event) -> Vec<String> {
        match event {
            household::Event::MemberAdded(added) => vec![added.id.to_string()],
            household::Event::MemberRemoved(removed) => vec![removed.id.to_string()],
            household::Event::HouseholdSetUp(_) | household::Event::MemberUpdated(_) => Vec::new(),
        }
    }

    fn apply(row: &mut Option<KnownMember>, _: &str, _: &Envelope, event: &household::Event) {
        *row = match event {
            household::Event::MemberAdded(added) => Some(KnownMember { id: added.id }),
            household::Event::MemberRemoved(_) => None,
            household::Event::HouseholdSetUp(_) | household::Event::MemberUpdated(_) => row.take(),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(goals: &str) -> Result<(), String> {
        let goals = serde_json::from_str(goals).unwrap();
        Nutrition::check(&SetNutritionGoal { goals }.into()).map_err(|no| no.message)
    }

    #[test]
    fn sensible_goals_are_taken() {
        assert_eq!(check(r#"{"kcal": {"low": 1900, "high": 2100}, "protein_g": {"min": 90}}"#), Ok(()));
    }

    #[test]
    fn goals_that_nothing_can_meet_are_refused() {
        for goals in [
            r#"{"kcal": {"low": 2100, "high": 1900}}"#,
            r#"{"kcal": {"min": -5}}"#,
            r#"{"kcal": {"min": 90000}}"#,
            r#"{"kcal": {}}"#,
            r#"{"happiness": {"min": 1}}"#,
            r#"{"kcal": {"max": 1000}, "protein_g": {"min": 200}, "fat_g": {"min": 90}}"#,
            r#"{"kcal": {"min": 5, "importance": 11}}"#,
        ] {
            assert!(check(goals).is_err(), "{goals}");
        }
    }
}
