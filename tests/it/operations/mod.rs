//! Running the server: copies between stores, backups and drills, what is forgotten with age, people erased, stops.

mod backups;
mod copies;
pub mod erasure;
mod retention;
mod stopping;
mod transfers;
