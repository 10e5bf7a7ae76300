//! Who is running: the supervised runtime, generic over contexts. The only ractor.
//!
//! Not known here: SQL, HTTP, or what any message means.
//! Invariants: mailboxes carry wake-ups and results of own work, never the only copy of a message; only the
//! journal commits; nothing is told to a caller before it is durable; no global names or state.

mod breakers;
mod claims;
mod context_actor;
mod deaths;
mod decisions;
pub mod desk;
mod dispatcher;
mod doorbell;
mod drill;
mod environment;
mod erasure;
mod errand;
mod facts;
mod flags;
mod folded;
mod follower;
mod gateway;
mod hub;
mod journal;
mod lane;
mod orders;
mod past;
mod projector;
mod reactor;
mod rebuild;
pub mod replay;
mod retry;
mod runtime;
mod scheduler;
mod slots;
mod status;
mod stopping;
mod supervisor;
mod tasks;
mod timer;
mod trouble;
mod underway;
mod unread;
mod upkeep;
mod verdict;
mod view;

pub use breakers::Board;
pub use decisions::Undecided;
pub use dispatcher::{Accepted, Dispatcher, NewCommand, Refusal, Watermarks};
pub use drill::{DrillReport, Through, drill};
pub use environment::Environment;
pub use erasure::Erasure;
pub use errand::effect_id;
pub use folded::Snapshots;
pub use gateway::{Gateways, ServiceView};
pub use hub::{Done, Hub, SharedPage};
pub use journal::{JournalHandle, Origin};
pub use orders::{Order, OrderRefused};
pub use past::{PastState, Stopped};
pub use rebuild::{RebuildReport, Stage as RebuildStage};
pub use retry::Retries;
pub use runtime::{Contexts, Runtime};
pub use status::{ActorStatus, ActorView, Registry, Stage, Wait};
pub use supervisor::{
    ChildSpec, Death, Exhausted, HasRegistry, Intensity, Plan, Start, Strategy, Supervisor, SupervisorMsg,
    TREE_INTENSITY,
};
pub use upkeep::{Retention, Upkeep};
pub use view::View;
