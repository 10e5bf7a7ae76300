//! On the operator's page: sagas on their way, breakers, and calls that wait for a decision, each with its verbs.

use super::operator::SHOWN;
use super::parts::{Mood, done, state, verb, when, when_us};
use super::rows;
use crate::actors::Hub;
use crate::domain::breakers::{self, Circuit, ForceClosed, ForceOpen, Release};
use crate::domain::context::{Context, Projection};
use crate::domain::envelope::Address;
use crate::domain::sagas::{
    self, AbandonSaga, CompensateSaga, RetryStep, SagaStatus, Sagas, SagasView, SkipStep, Status,
};
use crate::http::App;
use crate::http::auth::Caller;
use crate::http::gateways;
use crate::http::problem::Problem;
use crate::store::{EffectEnd, Recovery, StoredEffect};
use axum::extract::{Extension, Form, State};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;
use uuid::Uuid;

/// Those that have not ended, the stuck ones first.
pub(super) async fn at_work(app: &App) -> Result<Vec<SagaStatus>, Problem> {
    let mut found = Vec::new();
    if !app.dispatcher.hub().views.contains_key(SagasView::NAME) {
        return Ok(found);
    }
    for (status, word) in
        [(Status::Stuck, "stuck"), (Status::Compensating, "compensating"), (Status::Running, "running")]
    {
        let page = rows::<SagasView>(app, vec![word.to_owned()], None).await?.0;
        found.extend(page.into_iter().filter(|saga| saga.status == status).take(SHOWN as usize));
    }
    Ok(found)
}

pub(super) fn sagas(sagas: &[SagaStatus]) -> Markup {
    html! { @if !sagas.is_empty() {
        h2 { "Sagas at work" }
        div.scroll { table {
            thead { tr { th { "Saga" } th { "State" } th { "Steps" } th { "Last" } th { "Orders" } } }
            tbody { @for saga in sagas { (saga_line(saga)) } }
        } }
    } }
}

fn saga_line(saga: &SagaStatus) -> Markup {
    let (word, mood) = match saga.status {
        Status::Running => ("running", Mood::Good),
        Status::Compensating => ("compensating", Mood::Wait),
        Status::Stuck => ("stuck", Mood::Bad),
        Status::Completed => ("completed", Mood::Good),
        Status::Failed => ("failed", Mood::Bad),
        Status::Abandoned => ("abandoned", Mood::Bad),
    };
    let orders: &[(&str, &str)] = match saga.status {
        Status::Running => &[("skip", "Skip step"), ("compensate", "Undo"), ("abandon", "Abandon")],
        Status::Compensating | Status::Stuck => {
            &[("retry", "Retry"), ("skip", "Skip step"), ("abandon", "Abandon")]
        }
        Status::Completed | Status::Failed | Status::Abandoned => &[],
    };
    html! { tr {
        td { (saga.flow) div.small { a href={ "/api/sagas/" (saga.id) } { code { (saga.id) } } } }
        td {
            (state(word, mood))
            @if let Some(error) = &saga.error { div.small { (error) } }
            @if let Some(at) = saga.retry_at { div.small { "tried again " (when(at)) } }
        }
        td { @for step in &saga.steps {
            div.small { (step.name) ": " (step.status) @if let Some(error) = &step.error { " (" (error) ")" } }
        } }
        td { (when(saga.changed)) }
        td { @for (order, name) in orders {
            (verb("/sagas", name, &[("id", &saga.id), ("order", order)]))
        } }
    } }
}

pub(super) fn breakers(hub: &Hub) -> Markup {
    let services = hub.gateways.all();
    html! { @if !services.is_empty() {
        h2 { "Services outside" }
        div.scroll { table {
            thead { tr {
                th { "Service" } th { "Breaker" } th.n { "In flight" } th.n { "Answered" } th.n { "Failed" }
                th.n { "Unknown" } th { "Orders" }
            } }
            tbody { @for service in &services {
                @let breaker = hub.gateways.board.breaker(service.service);
                tr {
                    td { (service.service) }
                    td {
                        (circuit(breaker.circuit))
                        @if let Some(since) = breaker.since { span.small { " since " (when(since)) } }
                        @if let Some(error) = &breaker.last_error {
                            details.small { summary { "last error" } pre { (error) } }
                        }
                    }
                    td.n { (service.in_flight) }
                    td.n { (service.answered) }
                    td.n { (service.failed) }
                    td.n { (service.unknown) }
                    td { @for (order, name) in forced(breaker.circuit) {
                        (verb("/breakers", name, &[("service", service.service), ("order", order)]))
                    } }
                }
            } }
        } }
    } }
}

fn circuit(circuit: Circuit) -> Markup {
    match circuit {
        Circuit::Closed { .. } => state("closed", Mood::Good),
        Circuit::HalfOpen { .. } => state("half open", Mood::Wait),
        Circuit::Open { .. } => state("open", Mood::Bad),
        Circuit::ForcedOpen => state("held open", Mood::Bad),
        Circuit::ForcedClosed => state("held closed", Mood::Wait),
    }
}

fn forced(circuit: Circuit) -> &'static [(&'static str, &'static str)] {
    match circuit {
        Circuit::Closed { .. } | Circuit::Open { .. } | Circuit::HalfOpen { .. } => {
            &[("open", "Hold open"), ("close", "Hold closed")]
        }
        Circuit::ForcedOpen => &[("release", "Release"), ("close", "Hold closed")],
        Circuit::ForcedClosed => &[("release", "Release"), ("open", "Hold open")],
    }
}

pub(super) fn effects(unknown: &[StoredEffect]) -> Markup {
    html! { @if !unknown.is_empty() {
        h2 { "Calls to decide" }
        p.small { "Nobody knows whether these arrived. Ask the other side, then say so; one that did not is called again." }
        div.scroll { table {
            thead { tr { th { "Call" } th { "For" } th { "Sent" } th { "Error" } th { "Orders" } } }
            tbody { @for stored in unknown {
                @let id = stored.effect.id.to_string();
                tr {
                    td {
                        (stored.effect.service) " " (stored.effect.operation)
                        div.small { a href={ "/admin/effects/" (id) } { code { (id) } } }
                    }
                    td { (stored.effect.context) "/" (stored.effect.key) }
                    td { @if let Some(us) = stored.sent_us { (when_us(us)) } }
                    td.small { (stored.error.as_deref().unwrap_or_default()) }
                    td { @if stored.effect.recovery == Recovery::Operator {
                        (verb("/effects", "It arrived", &[("id", &id), ("outcome", "done")]))
                        (verb("/effects", "It did not", &[("id", &id), ("outcome", "failed")]))
                    } @else { span.small { "decided by itself" } } }
                }
            } }
        } }
    } }
}

#[derive(Debug, Deserialize)]
pub(in super::super) struct SagaForm {
    id: String,
    order: String,
    why: String,
}

pub(in super::super) async fn order_saga(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(SagaForm { id, order, why }): Form<SagaForm>,
) -> Response {
    let give = async {
        let command: sagas::Command = match order.as_str() {
            "retry" => RetryStep { why }.into(),
            "skip" => SkipStep { why }.into(),
            "compensate" => CompensateSaga { why }.into(),
            "abandon" => AbandonSaga { why }.into(),
            _ => return Err(no_such_order()),
        };
        Sagas::check(&command)?;
        let position = gateways::tell(&app, Address::new(Sagas::NAME, id), &command, caller.name()).await?;
        if let Some(position) = position {
            let seen = app.dispatcher.hub().caught_up(Sagas::NAME, position);
            // The page is true either way, and newer after a reload.
            let _ = tokio::time::timeout(gateways::PATIENCE, seen).await;
        }
        Ok(())
    };
    done(give.await, "/actors")
}

#[derive(Debug, Deserialize)]
pub(in super::super) struct BreakerForm {
    service: String,
    order: String,
    why: String,
}

pub(in super::super) async fn order_breaker(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(BreakerForm { service, order, why }): Form<BreakerForm>,
) -> Response {
    let give = async {
        let command: breakers::Command = match order.as_str() {
            "open" => ForceOpen { why }.into(),
            "close" => ForceClosed { why }.into(),
            "release" => Release { why }.into(),
            _ => return Err(no_such_order()),
        };
        gateways::order(&app, &service, command, caller.name()).await
    };
    done(give.await, "/actors")
}

#[derive(Debug, Deserialize)]
pub(in super::super) struct EffectForm {
    id: Uuid,
    outcome: gateways::Decided,
    why: String,
}

pub(in super::super) async fn decide_effect(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(EffectForm { id, outcome, why }): Form<EffectForm>,
) -> Response {
    let decide = async {
        let reason = caller.reason(&why)?;
        let end: EffectEnd = outcome.end(None, &reason);
        Ok::<_, Problem>(app.dispatcher.hub().decide_effect(id, end, reason).await?)
    };
    done(decide.await, "/actors")
}

fn no_such_order() -> Problem {
    Problem::not_found("there is no such order")
}
