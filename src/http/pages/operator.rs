//! For whoever is woken at night: what is wrong, why, and what to do about it.

use super::dead_letters::table as dead_letters;
use super::layout::page;
use super::parts::{Mood, done, state, verb, when, when_us};
use super::troubles::{at_work, breakers, effects, sagas};
use crate::actors::{ActorView, Hub, Stage};
use crate::domain::sagas::{SagaStatus, Status};
use crate::http::App;
use crate::http::auth::Caller;
use crate::http::dead_letters::desk;
use crate::http::orders::{begin_rebuild, due, give, verb_of};
use crate::http::problem::Problem;
use crate::store::{
    DeadLetter, DeadLetterQuery, DeadLetterState, EffectQuery, EffectState, StoredEffect, Timer,
};
use axum::extract::{Extension, Form, State};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::atomic::Ordering::Relaxed;

/// Lines of each list; the rest is behind its link.
pub(super) const SHOWN: u32 = 20;

/// What the page rests on.
struct Facts {
    actors: Vec<ActorView>,
    open: Vec<DeadLetter>,
    more_open: bool,
    unknown: Vec<StoredEffect>,
    sagas: Vec<SagaStatus>,
    timers: Vec<Timer>,
}

pub(in super::super) async fn all(State(app): State<App>) -> Result<Response, Problem> {
    let hub = app.dispatcher.hub();
    let open =
        DeadLetterQuery { state: Some(DeadLetterState::Open), limit: SHOWN, ..DeadLetterQuery::default() };
    let (open, next) = desk(&app).list(open).await?;
    let unknown = EffectQuery { state: Some(EffectState::Unknown), limit: SHOWN, ..EffectQuery::default() };
    let facts = Facts {
        actors: hub.registry.all(),
        open,
        more_open: next.is_some(),
        unknown: hub.store.effects(unknown).await?,
        sagas: at_work(&app).await?,
        timers: due(hub, None, SHOWN).await?.0,
    };
    let body = html! {
        (summary(hub, &facts))
        @if !facts.open.is_empty() {
            h2 { "Dead letters" }
            p.small { "Messages that could not be handled. Nothing of them is lost: look, mend, replay." }
            (dead_letters(&facts.open))
            @if facts.more_open { p { a href="/dead-letters" { "All dead letters" } } }
        }
        (effects(&facts.unknown))
        (sagas(&facts.sagas))
        (breakers(hub))
        h2 { "Actors" }
        (tree(&facts.actors))
        h2 { "Read models" }
        (projections(hub))
        (timers(&facts.timers))
        p.small { "Newest message: " (*hub.committed.borrow()) " · " a href="/dead-letters" { "all dead letters" } }
    };
    Ok(page("Server", "/actors", &body))
}

/// What needs somebody, in one sentence each.
fn summary(hub: &Hub, facts: &Facts) -> Markup {
    let mut wrong: Vec<String> = Vec::new();
    if hub.journal.is_fenced() {
        wrong.push(
            "Another process owns the store: this one writes nothing any more. Stop one of them.".to_owned(),
        );
    } else if hub.journal.is_out() {
        wrong.push(
            "The database cannot be written: nothing is accepted until it can. Look at the disk.".to_owned(),
        );
    }
    for actor in facts.actors.iter().filter(|actor| actor.state == Stage::Quarantined) {
        wrong.push(format!(
            "{} has failed too often and handles nothing: see its last error, then restart it.",
            actor.path
        ));
    }
    for actor in facts.actors.iter().filter(|actor| actor.paused) {
        wrong.push(format!("{} is paused: it accepts and handles nothing.", actor.path));
    }
    let more = if facts.more_open { " or more" } else { "" };
    if !facts.open.is_empty() {
        let held = facts.open.iter().filter(|letter| letter.holds).count();
        let holding =
            if held > 0 { format!(", {held} of them hold up what comes after") } else { String::new() };
        wrong.push(format!("Dead letters: {}{more}{holding}.", facts.open.len()));
    }
    if !facts.unknown.is_empty() {
        wrong.push(format!("Calls of which nobody knows whether they arrived: {}.", facts.unknown.len()));
    }
    let stuck = facts.sagas.iter().filter(|saga| saga.status == Status::Stuck).count();
    if stuck > 0 {
        wrong.push(format!("Sagas that cannot be undone and are stuck half-way: {stuck}."));
    }
    for (name, view) in &hub.views {
        let unread = view.unread.load(Relaxed);
        if unread > 0 {
            wrong.push(format!("{name} is incomplete: {unread} of its events do not read."));
        }
    }
    html! {
        @if wrong.is_empty() {
            p.good { "All is well." }
        } @else {
            ul.wrong { @for sentence in &wrong { li { (sentence) } } }
        }
    }
}

fn tree(actors: &[ActorView]) -> Markup {
    html! {
        div.scroll { table {
            thead { tr {
                th { "Actor" } th { "State" } th.n { "Waiting" } th.n { "In flight" } th.n { "Handled" }
                th.n { "Failed" } th.n { "Restarts" } th { "Orders" }
            } }
            tbody { @for actor in actors { (line(actor)) } }
        } }
    }
}

fn line(actor: &ActorView) -> Markup {
    let depth = if actor.path.is_empty() { 0 } else { actor.path.matches('/').count() + 1 };
    let name =
        if actor.path.is_empty() { "root" } else { actor.path.rsplit('/').next().unwrap_or(&actor.path) };
    let age = actor.oldest_age_ms.map(|ms| format!(" (oldest {} s)", ms / 1000)).unwrap_or_default();
    html! {
        tr id=(actor.path) {
            td class=(format!("depth{}", depth.min(3))) { (name) " " span.small { (actor.kind) } }
            td { (stage(actor)) (trouble(actor)) }
            td.n { (actor.waiting) span.small { (age) } }
            td.n { (actor.in_flight) }
            td.n { (actor.handled) }
            td.n { (actor.failed) }
            td.n { (actor.restarts) }
            td { @if !actor.path.is_empty() { (orders(actor)) } }
        }
    }
}

fn stage(actor: &ActorView) -> Markup {
    match actor.state {
        Stage::Running if actor.paused => state("paused", Mood::Wait),
        Stage::Running => state("running", Mood::Good),
        Stage::Starting => state("starting", Mood::Wait),
        Stage::Restarting => state("restarting", Mood::Wait),
        Stage::Quarantined => state("quarantined", Mood::Bad),
        Stage::Stopped => state("stopped", Mood::Bad),
    }
}

/// Why it waits, and what it died of last.
fn trouble(actor: &ActorView) -> Markup {
    html! {
        @if !actor.waits.is_empty() {
            details.small open[actor.waits.len() <= 3] {
                summary { (actor.waits.len()) " waiting" }
                ul { @for wait in &actor.waits {
                    li {
                        code { (wait.key) } " " (wait.reason) ", since " (when(wait.since))
                        @if let Some(until) = wait.until { ", goes on " (when(until)) }
                    }
                } }
            }
        }
        @if let Some(error) = &actor.last_error {
            details.small { summary { "last error" } pre { (error) } }
        }
    }
}

fn orders(actor: &ActorView) -> Markup {
    let give = |order: &str, name: &str| verb("/actors", name, &[("path", &actor.path), ("order", order)]);
    html! {
        (give("restart", "Restart"))
        @if actor.paused {
            (give("resume", "Resume"))
        } @else if matches!(actor.kind, "context" | "projector" | "reactor") {
            (give("pause", "Pause"))
        }
    }
}

fn projections(hub: &Hub) -> Markup {
    let newest = *hub.committed.borrow();
    html! {
        div.scroll { table {
            thead { tr { th { "Read model" } th { "State" } th.n { "Behind" } th { "Orders" } } }
            tbody { @for (name, view) in &hub.views {
                @let unread = view.unread.load(Relaxed);
                tr {
                    td { (name) }
                    td {
                        @if unread > 0 { (state(&format!("{unread} unread"), Mood::Bad)) } @else { (state("complete", Mood::Good)) }
                        (rebuild_of(&view.rebuild.borrow()))
                    }
                    td.n { ((newest - *view.caught_up.borrow()).max(0)) }
                    td { (verb("/projections", "Rebuild", &[("name", name)])) }
                }
            } }
        } }
    }
}

fn rebuild_of(stage: &crate::actors::RebuildStage) -> Markup {
    use crate::actors::RebuildStage;
    html! { span.small { @match stage {
        RebuildStage::Idle => {}
        RebuildStage::Asked => { " rebuild asked for" }
        RebuildStage::Running { read_to, of } => { " rebuilding: " (read_to) " of " (of) }
        RebuildStage::Done { report } => {
            " rebuilt: " (report.rows_after) " rows, " (if report.equal { "equal to those before" } else { "different from those before" })
        }
        RebuildStage::Failed { error } => { " rebuild failed: " (error) }
    } } }
}

fn timers(timers: &[Timer]) -> Markup {
    html! { @if !timers.is_empty() {
        h2 { "Timers" }
        div.scroll { table {
            thead { tr { th { "Due" } th { "Timer" } th { "Gives" } th { "To" } } }
            tbody { @for timer in timers {
                tr {
                    td { (when_us(timer.due_us)) }
                    td { (timer.owner.name) @if timer.schedule.is_some() { span.small { " recurring" } } }
                    td { (timer.type_name) }
                    td { (timer.to_context) "/" (timer.to_key.as_ref().map_or("a new one", |key| key.as_str())) }
                }
            } }
        } }
    } }
}

#[derive(Debug, Deserialize)]
pub(in super::super) struct OrderForm {
    path: String,
    order: String,
    why: String,
}

pub(in super::super) async fn order(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(form): Form<OrderForm>,
) -> Response {
    let give = || {
        let order = verb_of(&form.order).ok_or_else(|| Problem::not_found("there is no such order"))?;
        give(app.dispatcher.hub(), &form.path, order, caller.reason(&form.why)?)
    };
    done(give(), "/actors")
}

#[derive(Debug, Deserialize)]
pub(in super::super) struct RebuildForm {
    name: String,
    why: String,
}

pub(in super::super) async fn rebuild(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(form): Form<RebuildForm>,
) -> Response {
    let begin = || begin_rebuild(app.dispatcher.hub(), &form.name, caller.reason(&form.why)?);
    done(begin(), "/actors")
}
