//! What may be written below a command that has verbs of its own.

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(super) enum SagaVerb {
    /// Try again to undo the step that could not be undone
    Retry(Decision),
    /// Go on without the step at hand
    Skip(Decision),
    /// Undo what was done so far
    Compensate(Decision),
    /// Leave everything as it is
    Abandon(Decision),
}

/// What is decided about a saga.
#[derive(Debug, Args)]
pub(super) struct Decision {
    pub id: String,
    /// Kept with the decision
    #[arg(long)]
    pub why: String,
}

#[derive(Debug, Subcommand)]
pub(super) enum ScheduleVerb {
    /// Trigger a flow at its times
    Set(SetSchedule),
    /// Trigger it no more
    Remove {
        #[arg(default_value = FLOW)]
        flow: String,
    },
}

const FLOW: &str = "meal_plan_generation";

#[derive(Debug, Args)]
pub(super) struct SetSchedule {
    /// Minute, hour, day of month, month and day of week, such as "0 6 * * FRI"
    pub cron: String,
    #[arg(long, default_value = FLOW)]
    pub flow: String,
    /// IANA name [default: the household's]
    #[arg(long, value_name = "ZONE")]
    pub time_zone: Option<String>,
    /// What becomes of times at which the server was down: skip, once or all [default: once]
    #[arg(long)]
    pub missed: Option<String>,
    /// What the flow is triggered with, as JSON
    #[arg(long, value_name = "JSON", default_value = "{}")]
    pub input: String,
}

#[derive(Debug, Subcommand)]
pub(super) enum BreakerOrder {
    /// Let nobody call the service until it is released
    Open {
        service: String,
        /// Kept with the event
        #[arg(long)]
        why: String,
    },
    /// Let everybody call the service, whatever fails, until it is released
    Close {
        service: String,
        /// Kept with the event
        #[arg(long)]
        why: String,
    },
    /// Leave the breaker to itself again
    Release {
        service: String,
        /// Kept with the event
        #[arg(long)]
        why: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct DeadLetters {
    #[command(subcommand)]
    pub verb: DeadLettersVerb,
}

#[derive(Debug, Subcommand)]
pub(super) enum DeadLettersVerb {
    /// List them, newest first
    List {
        /// Only open, replayed or discarded ones
        #[arg(long, value_parser = ["open", "replayed", "discarded"])]
        state: Option<String>,
        #[command(flatten)]
        filter: Filter,
        /// How many at most
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Print one: the message, its attempts, the state it met
    Show { id: String },
    /// Put another body in the place of the original
    Edit {
        id: String,
        /// A file with the body as JSON, or - for the standard input
        #[arg(long, value_name = "FILE|-")]
        body: String,
        /// Why; kept with the event
        #[arg(long)]
        why: String,
    },
    /// Show what a replay would lead to, and do nothing
    DryRun { id: String },
    /// Give it again as a new message
    Replay {
        #[command(flatten)]
        which: Which,
        /// Why; kept with the event
        #[arg(long)]
        why: String,
    },
    /// Give it up
    Discard {
        #[command(flatten)]
        which: Which,
        /// Why; kept with the event
        #[arg(long)]
        why: String,
    },
}

/// One dead letter, or all open ones that match.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// Which one
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub id: Option<String>,
    /// All open ones, or those that match --context, --type and --key
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    pub filter: Filter,
}

#[derive(Clone, Debug, Args)]
pub(super) struct Filter {
    /// Only of this context, such as recipes
    #[arg(long)]
    pub context: Option<String>,
    /// Only of this type, such as `ImportRecipe`
    #[arg(long = "type", value_name = "TYPE")]
    pub type_name: Option<String>,
    /// Only of this aggregate
    #[arg(long)]
    pub key: Option<String>,
}
