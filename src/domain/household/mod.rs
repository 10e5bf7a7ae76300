//! The household: who eats here, what they may eat, when, and how much time there is to cook.
//!
//! Not known here: goals, recipes, plans.

use super::context::{
    Context, Endpoint, KeyFrom, Personal, Projection, ProjectionVisitor, Rejection, Route, Verb, read_as,
};
use super::diet::{Allergen, Diet};
use super::envelope::{Envelope, Metadata};
use super::erased;
use super::foods::FoodId;
use super::message::DecodeError;
use super::person;
use super::recipes::slots::MealSlot;
use crate::messages;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// The key of the only household.
pub const HOME: &str = "home";
const MOST_MEMBERS: usize = 12;

/// Name, time zone and meals of the household; replaces what was set before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetUpHousehold {
    pub name: String,
    /// IANA name such as `Europe/Vienna`.
    #[schemars(with = "String")]
    pub time_zone: chrono_tz::Tz,
    /// Meals that are planned every day.
    #[serde(default = "all_slots")]
    pub slots: BTreeSet<MealSlot>,
    /// Most minutes for cooking, by meal, where there is a limit.
    #[serde(default)]
    pub max_minutes: BTreeMap<MealSlot, u32>,
    /// Days, such as `saturday`, on which those limits do not hold.
    #[serde(default)]
    pub unhurried: BTreeSet<Weekday>,
}

fn all_slots() -> BTreeSet<MealSlot> {
    MealSlot::ALL.into()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl From<chrono::Weekday> for Weekday {
    fn from(day: chrono::Weekday) -> Self {
        match day {
            chrono::Weekday::Mon => Self::Monday,
            chrono::Weekday::Tue => Self::Tuesday,
            chrono::Weekday::Wed => Self::Wednesday,
            chrono::Weekday::Thu => Self::Thursday,
            chrono::Weekday::Fri => Self::Friday,
            chrono::Weekday::Sat => Self::Saturday,
            chrono::Weekday::Sun => Self::Sunday,
        }
    }
}

/// What is said of one who eats here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Person {
    pub name: String,
    #[serde(default = "omnivore")]
    pub diet: Diet,
    #[serde(default)]
    pub allergens: BTreeSet<Allergen>,
    /// Foods never to be served.
    #[serde(default)]
    pub excluded_foods: BTreeSet<FoodId>,
    /// Meals eaten at home.
    #[serde(default = "all_slots")]
    pub slots: BTreeSet<MealSlot>,
}

fn omnivore() -> Diet {
    Diet::Omnivore
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddMember {
    /// Chosen by the caller; made here when left out.
    #[serde(default)]
    pub id: Option<Uuid>,
    pub person: Person,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateMember {
    pub id: Uuid,
    pub person: Person,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveMember {
    pub id: Uuid,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HouseholdSetUp {
    pub household: SetUpHousehold,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemberAdded {
    pub id: Uuid,
    pub person: Person,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemberUpdated {
    pub id: Uuid,
    pub person: Person,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemberRemoved {
    pub id: Uuid,
}

messages! { pub enum Command { SetUpHousehold = 1, AddMember = 1, UpdateMember = 1, RemoveMember = 1 } }
messages! { pub enum Event { HouseholdSetUp = 1, MemberAdded = 1, MemberUpdated = 1, MemberRemoved = 1 } }

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Member {
    pub id: Uuid,
    #[serde(flatten)]
    pub person: Person,
}

/// The household as it is now; also the row of its read model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    pub household: Option<SetUpHousehold>,
    pub members: Vec<Member>,
}

impl Profile {
    fn member(&self, id: Uuid) -> Option<&Member> {
        self.members.iter().find(|member| member.id == id)
    }

    fn must_have(&self, id: Uuid) -> Result<&Member, Rejection> {
        self.member(id).ok_or_else(|| {
            Rejection::not_found(format!("no member has the id {id}"), "GET /api/household lists the members")
        })
    }

    fn name_is_free(&self, person: &Person, id: Option<Uuid>) -> Result<(), Rejection> {
        let same = |member: &&Member| Some(member.id) != id && member.person.name == person.name;
        match self.members.iter().find(same) {
            None => Ok(()),
            Some(_) => Err(Rejection::conflict(
                format!("somebody here is called {} already", person.name),
                "use another name, so that plans can be told apart",
            )),
        }
    }
}

pub struct Household;

impl Context for Household {
    const NAME: &'static str = "household";
    type State = Profile;
    type Command = Command;
    type Event = Event;
    type Facts = ();

    fn decide(
        state: &Profile,
        command: &Command,
        (): &(),
        metadata: &Metadata,
    ) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::SetUpHousehold(household) if state.household.as_ref() == Some(household) => {
                Ok(Vec::new())
            }
            Command::SetUpHousehold(household) => {
                Ok(vec![HouseholdSetUp { household: household.clone() }.into()])
            }
            Command::AddMember(AddMember { id, person }) => add(state, *id, person, metadata),
            Command::UpdateMember(UpdateMember { id, person }) => {
                if state.must_have(*id)?.person == *person {
                    return Ok(Vec::new());
                }
                state.name_is_free(person, Some(*id))?;
                Ok(vec![MemberUpdated { id: *id, person: person.clone() }.into()])
            }
            Command::RemoveMember(RemoveMember { id }) => {
                state.must_have(*id)?;
                Ok(vec![MemberRemoved { id: *id }.into()])
            }
        }
    }

    fn evolve(state: &mut Profile, event: &Event) {
        match event {
            Event::HouseholdSetUp(set) => state.household = Some(set.household.clone()),
            Event::MemberAdded(MemberAdded { id, person }) => {
                state.members.push(Member { id: *id, person: person.clone() });
            }
            Event::MemberUpdated(MemberUpdated { id, person }) => {
                let member = state.members.iter_mut().find(|member| member.id == *id);
                if let Some(member) = member {
                    member.person = person.clone();
                }
            }
            Event::MemberRemoved(removed) => state.members.retain(|member| member.id != removed.id),
        }
    }

    fn check(command: &Command) -> Result<(), Rejection> {
        match command {
            Command::SetUpHousehold(household) => check_household(household),
            Command::AddMember(AddMember { person, .. })
            | Command::UpdateMember(UpdateMember { person, .. }) => check_name("/person/name", &person.name),
            Command::RemoveMember(_) => Ok(()),
        }
    }

    fn endpoints() -> Vec<Endpoint> {
        let endpoint = |verb, path, type_name, summary| Endpoint {
            verb,
            path,
            type_name,
            key: KeyFrom::Fixed(HOME),
            summary,
            result: Some(ProfileView::NAME),
        };
        vec![
            endpoint(Verb::Put, "/api/household", "SetUpHousehold", "Name, time zone and meals"),
            endpoint(Verb::Post, "/api/household/members", "AddMember", "Add somebody who eats here"),
            endpoint(Verb::Put, "/api/household/members/{id}", "UpdateMember", "Say anew who somebody is"),
            endpoint(
                Verb::Delete,
                "/api/household/members/{id}",
                "RemoveMember",
                "Somebody does not eat here any more",
            ),
        ]
    }

    fn personal(message: &Envelope) -> Personal {
        match &*message.type_name {
            "AddMember" | "UpdateMember" | "MemberAdded" | "MemberUpdated" => person::by_id(message),
            _ => Personal::Nothing,
        }
    }

    fn projections(visitor: &mut dyn ProjectionVisitor) {
        erased::show::<ProfileView>(visitor);
    }
}

fn add(
    state: &Profile,
    id: Option<Uuid>,
    person: &Person,
    metadata: &Metadata,
) -> Result<Vec<Event>, Rejection> {
    if let Some(known) = id.and_then(|id| state.member(id)) {
        return match known.person == *person {
            true => Ok(Vec::new()),
            false => Err(Rejection::conflict("this id is taken", "PUT changes a member that is there")),
        };
    }
    if state.members.len() >= MOST_MEMBERS {
        let hint = format!("a household has at most {MOST_MEMBERS} members here");
        return Err(Rejection::conflict("the household is full", hint));
    }
    state.name_is_free(person, None)?;
    let id = id.unwrap_or_else(|| metadata.new_id(0));
    Ok(vec![MemberAdded { id, person: person.clone() }.into()])
}

fn check_household(household: &SetUpHousehold) -> Result<(), Rejection> {
    check_name("/name", &household.name)?;
    if household.slots.is_empty() {
        return Err(Rejection::invalid(
            "/slots",
            "no meal is planned",
            "name at least one of breakfast, lunch, dinner, snack",
        ));
    }
    match household.max_minutes.iter().find(|(_, minutes)| !(1..=1440).contains(*minutes)) {
        None => Ok(()),
        Some((slot, minutes)) => Err(Rejection::invalid(
            &format!("/max_minutes/{slot}"),
            format!("{minutes} minutes are no time to cook"),
            "give 1 to 1440 minutes, or leave the meal out for no limit",
        )),
    }
}

fn check_name(pointer: &str, name: &str) -> Result<(), Rejection> {
    match name.trim().chars().count() {
        1..=80 => Ok(()),
        _ => Err(Rejection::invalid(pointer, "the name is empty or too long", "write 1 to 80 characters")),
    }
}

/// The household's profile, one row.
pub struct ProfileView;

impl Projection for ProfileView {
    const NAME: &'static str = "household_profile";
    const READS: &'static [&'static str] = &[Household::NAME];
    type Row = Profile;
    type Event = Event;

    fn read(envelope: &Envelope) -> Result<Option<Event>, DecodeError> {
        read_as::<Household>(envelope)
    }

    fn keys(_: &Envelope, _: &Event) -> Vec<String> {
        vec![HOME.to_owned()]
    }

    fn apply(row: &mut Option<Profile>, _: &str, _: &Envelope, event: &Event) {
        Household::evolve(row.get_or_insert_default(), event);
    }

    fn routes() -> Vec<Route> {
        vec![Route::One { path: "/api/household", key: HOME, summary: "The household and its members" }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::{given, metadata};

    fn ann() -> Person {
        serde_json::from_str(r#"{"name": "Ann"}"#).unwrap()
    }

    #[test]
    fn two_members_cannot_have_one_name() {
        let state = given::<Household>(&[MemberAdded { id: Uuid::nil(), person: ann() }.into()]);
        let command = AddMember { id: None, person: ann() }.into();
        assert!(Household::decide(&state, &command, &(), &metadata()).is_err());
    }

    #[test]
    fn adding_the_same_member_again_changes_nothing() {
        let state = given::<Household>(&[MemberAdded { id: Uuid::nil(), person: ann() }.into()]);
        let command = AddMember { id: Some(Uuid::nil()), person: ann() }.into();
        assert_eq!(Household::decide(&state, &command, &(), &metadata()), Ok(vec![]));
    }

    #[test]
    fn a_stranger_cannot_be_changed_or_removed() {
        let commands: [Command; 2] =
            [UpdateMember { id: Uuid::nil(), person: ann() }.into(), RemoveMember { id: Uuid::nil() }.into()];
        for command in commands {
            assert!(Household::decide(&Profile::default(), &command, &(), &metadata()).is_err());
        }
    }
}
