//! The promises of the runtime, one module each, numbered as in ARCHITECTURE.md.

mod law01_persisted_before_handled;
mod law02_the_table_is_the_mailbox;
mod law03_one_message_is_one_unit;
mod law04_replay_is_pure;
mod law05_effects;
mod law05_incarnations;
mod law05_replays;
mod law05_waiting;
mod law06_order_per_key;
mod law07_attempts_are_burned;
mod law08_failures_have_kinds;
mod law09_supervision;
mod law10_idempotent;
mod law11_bounded;
mod law12_one_owner;
mod law13_old_events_stay_readable;
mod readers;
mod rebuild;
mod waiting;
