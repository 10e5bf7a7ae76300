//! What the search promises, tried on made-up households.

mod fixtures;
mod promises;
mod rules;
mod words;
