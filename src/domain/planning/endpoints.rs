//! Where planning's commands are given over HTTP.

use super::rules::RULES;
use super::views::{Plans, Rules};
use crate::domain::context::{Endpoint, KeyFrom, Projection, Verb};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let of = |verb, path, type_name, key, summary| Endpoint {
        verb,
        path,
        type_name,
        key,
        summary,
        result: Some(Plans::NAME),
    };
    let plan = |path, type_name, summary| of(Verb::Post, path, type_name, KeyFrom::Path, summary);
    vec![
        of(
            Verb::Post,
            "/api/meal-plans",
            "GenerateMealPlan",
            KeyFrom::New,
            "Find a plan, without a shopping list",
        ),
        plan("/api/meal-plans/{id}/activation", "ActivateMealPlan", "Put a plan into force"),
        plan(
            "/api/meal-plans/{id}/nutrition",
            "CalculatePlanNutrition",
            "Add up what is in it, as the recipes are known now",
        ),
        plan("/api/meal-plans/{id}/discard", "DiscardMealPlan", "Give a plan up"),
        plan("/api/meal-plans/{id}/locks", "LockSlot", "Keep a meal, whatever is planned anew"),
        plan("/api/meal-plans/{id}/unlocks", "UnlockSlot", "Let a meal change again"),
        plan("/api/meal-plans/{id}/swaps", "SwapRecipe", "Cook another recipe for a meal"),
        plan("/api/meal-plans/{id}/moves", "MoveSlot", "Let two meals change places"),
        plan("/api/meal-plans/{id}/skips", "SkipSlot", "Plan nothing for a meal"),
        plan("/api/meal-plans/{id}/portions", "SetPortion", "Give somebody another portion"),
        plan("/api/meal-plans/{id}/slots/regeneration", "RegenerateSlot", "Find another dish for a meal"),
        plan("/api/meal-plans/{id}/days/regeneration", "RegenerateDay", "Find other dishes for a day"),
        plan(
            "/api/meal-plans/{id}/replanning",
            "Replan",
            "Find the best plan from some day on, with few changes",
        ),
        plan(
            "/api/meal-plans/{id}/alternatives",
            "RankAlternatives",
            "Rank the best dishes for a meal, with what each would cost",
        ),
        Endpoint {
            result: Some(Rules::NAME),
            ..of(
                Verb::Put,
                "/api/planning/rules",
                "SetPlanningRules",
                KeyFrom::Fixed(RULES),
                "Say what the household wishes of every plan",
            )
        },
    ]
}
