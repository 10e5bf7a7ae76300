//! Recipes as the web writes them: schema.org Recipe in JSON-LD, alone, in sets, line by line or inside HTML pages.

mod duration;
mod html;
mod ingredients;
mod node;
mod numbers;
mod repair;
mod steps;
mod text;
mod yields;
