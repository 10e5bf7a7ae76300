//! Dead letters: the list, one with everything about it, and the verbs as forms.

use super::layout::page;
use super::parts::{Mood, done, escaped, refused, state, verb, when_us, why};
use crate::actors::desk::{self, DryRun, Inspected, Replayed};
use crate::http::App;
use crate::http::auth::Caller;
use crate::http::dead_letters::{cursor, desk as desk_of, known, raw_text};
use crate::http::problem::Problem;
use crate::store::{DeadLetter, DeadLetterQuery, DeadLetterState};
use axum::extract::{Extension, Form, Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

const SHOWN: u32 = 100;

#[derive(Debug, Deserialize)]
pub(in super::super) struct From {
    cursor: Option<String>,
}

pub(in super::super) async fn all(
    State(app): State<App>,
    Query(from): Query<From>,
) -> Result<Response, Problem> {
    let before = from.cursor.as_deref().map(cursor).transpose()?;
    let query = DeadLetterQuery { before, limit: SHOWN, ..DeadLetterQuery::default() };
    let (letters, next) = desk_of(&app).list(query).await?;
    let body = html! {
        @if letters.is_empty() { p.good { "There are none." } } @else { (table(&letters)) }
        @if let Some(next) = next {
            p { a href=(format!("/dead-letters?cursor={}", escaped(&desk::name(&next)))) { "Older ones" } }
        }
    };
    Ok(page("Dead letters", "/actors", &body))
}

pub(super) fn table(letters: &[DeadLetter]) -> Markup {
    html! {
        div.scroll { table {
            thead { tr { th { "Message" } th { "State" } th { "Why it died" } th { "When" } } }
            tbody { @for letter in letters {
                tr {
                    td {
                        a href=(address(&desk::name(&letter.id))) { (letter.type_name) }
                        div.small { (letter.context) "/" (letter.key) }
                        @if !letter.id.reader.is_empty() { div.small { "for " (letter.id.reader) } }
                    }
                    td { (state_of(letter)) @if letter.holds && letter.state == DeadLetterState::Open { div.small { "holds its key" } } }
                    td { (letter.reason) }
                    td { (when_us(letter.at_us)) div.small { (tries(letter.attempts)) } }
                }
            } }
        } }
    }
}

fn tries(attempts: u32) -> String {
    match attempts {
        0 => "not tried again".to_owned(),
        1 => "after 1 attempt".to_owned(),
        more => format!("after {more} attempts"),
    }
}

fn state_of(letter: &DeadLetter) -> Markup {
    match letter.state {
        DeadLetterState::Open => state("open", Mood::Bad),
        DeadLetterState::Replayed => state("replayed", Mood::Good),
        DeadLetterState::Discarded => state("discarded", Mood::Wait),
    }
}

fn address(id: &str) -> String {
    format!("/dead-letters/{}", escaped(id))
}

pub(in super::super) async fn one(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let found = desk_of(&app).inspect(&known(&id)?).await?;
    Ok(show(&found, None))
}

fn show(found: &Inspected, run: Option<&DryRun>) -> Response {
    let letter = &found.letter;
    let id = desk::name(&letter.id);
    let body = html! {
        p {
            (state_of(letter)) " " (when_us(letter.at_us)) " · " (letter.context) "/" code { (letter.key) }
            @if letter.holds && letter.state == DeadLetterState::Open {
                " · later messages of its key wait until this is replayed or discarded"
            }
        }
        p.bad { (letter.reason) }
        @if let Some(new) = letter.replayed_as {
            p { "Replayed as " a href=(format!("/api/events/{new}")) { (new) } ": " (letter.note.as_deref().unwrap_or_default()) }
        } @else if let Some(note) = &letter.note { p { "Settled: " (note) } }
        @if let Some(run) = run { (outcome(run)) }
        @if letter.state == DeadLetterState::Open { (verbs(found, &id)) }
        @if !found.attempts.is_empty() { h2 { "Attempts" } (attempts(found)) }
        (state_then(found))
        @if let Some(message) = &found.message {
            h2 { "Message" }
            p.small { "position " (message.position) ", " (message.time.to_rfc3339()) ", id " a href=(format!("/api/events/{}", message.id)) { (message.id) } }
            pre { (pretty(&message.body)) }
        }
        @if let Some(raw) = &letter.raw { h2 { "What stands in the row" } pre { (raw_text(raw)) } }
        p { a href="/actors" { "Back" } }
    };
    page(&format!("Dead letter: {}", letter.type_name), "/actors", &body)
}

fn verbs(found: &Inspected, id: &str) -> Markup {
    let letter = &found.letter;
    let at = address(id);
    let text = letter.edited.as_deref().or(found.message.as_ref().map(|message| message.body.as_str()));
    let is_command = letter.id.reader.is_empty();
    html! {
        h2 { "What to do" }
        @if is_command {
            form method="post" action=(format!("{at}/dry-run")) { button { "Try it without doing it" } }
        }
        div.verbs {
            (verb(&format!("{at}/replay"), if is_command { "Replay" } else { "Let the reader try again" }, &[]))
            (verb(&format!("{at}/discard"), "Discard", &[]))
        }
        @if is_command {
            details open[letter.edited.is_some()] {
                summary { "Edit the body" @if letter.edited.is_some() { " (edited)" } }
                form.edit method="post" action=(format!("{at}/body")) {
                    textarea name="body" rows="12" spellcheck="false" aria-label="body" { (pretty(text.unwrap_or("{}"))) }
                    div { (why()) button { "Keep this body" } }
                }
            }
        }
    }
}

fn outcome(run: &DryRun) -> Markup {
    let shown = serde_json::to_value(run).unwrap_or_default();
    let sentence = match shown["outcome"].as_str() {
        Some("handled") => "A replay would be handled, with these events and commands:",
        Some("rejected") => "A replay would be refused:",
        Some("calls") => "A replay would make this call first; what follows depends on the answer:",
        Some("panic") => "A replay would die again, of a panic:",
        _ => "A replay would die again:",
    };
    html! {
        h2 { "Dry run" }
        p { (sentence) " " span.small { "(nothing was kept)" } }
        pre { (format!("{shown:#}")) }
    }
}

fn attempts(found: &Inspected) -> Markup {
    html! {
        div.scroll { table {
            thead { tr { th.n { "#" } th { "Cause" } th { "Error" } th.n { "Generation" } th.n { "Process" } th { "When" } } }
            tbody { @for attempt in &found.attempts {
                tr {
                    td.n { (attempt.attempt) }
                    td { (attempt.cause.name()) }
                    td { (attempt.error) }
                    td.n { (attempt.generation) }
                    td.n { (attempt.epoch) }
                    td { (when_us(attempt.at_us)) }
                }
            } }
        } }
    }
}

fn state_then(found: &Inspected) -> Markup {
    html! { @if let Some(state) = &found.state {
        details {
            summary { "The aggregate as it was then (version " (state.version) ")" }
            @if let Some(stopped) = &state.stopped { p.bad { "Only up to position " (stopped.position) ": " (stopped.reason) } }
            pre { (format!("{:#}", state.state)) }
        }
    } }
}

fn pretty(text: &str) -> String {
    serde_json::from_str::<Value>(text).map_or_else(|_| text.to_owned(), |value| format!("{value:#}"))
}

#[derive(Debug, Deserialize)]
pub(in super::super) struct WhyForm {
    why: String,
}

#[derive(Debug, Deserialize)]
pub(in super::super) struct EditForm {
    body: String,
    why: String,
}

pub(in super::super) async fn edit(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Form(form): Form<EditForm>,
) -> Response {
    let edit = async {
        let reason = caller.reason(&form.why)?;
        Ok::<_, Problem>(desk_of(&app).edit(&known(&id)?, &form.body, reason).await?)
    };
    done(edit.await, &address(&id))
}

pub(in super::super) async fn dry_run(State(app): State<App>, Path(id): Path<String>) -> Response {
    let run = async {
        let (desk, id) = (desk_of(&app), known(&id)?);
        let run = desk.dry_run(&id).await?;
        Ok::<_, Problem>(show(&desk.inspect(&id).await?, Some(&run)))
    };
    run.await.unwrap_or_else(|problem| refused(&problem, &address(&id)))
}

pub(in super::super) async fn replay(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Form(form): Form<WhyForm>,
) -> Response {
    let replay = async {
        let reason = caller.reason(&form.why)?;
        Ok::<_, Problem>(desk_of(&app).replay(&known(&id)?, reason).await?)
    };
    match replay.await {
        Ok(Replayed::Rebuilding { .. }) => Redirect::to("/actors").into_response(),
        result @ (Ok(Replayed::As { .. } | Replayed::Answered { .. }) | Err(_)) => {
            done(result, &address(&id))
        }
    }
}

pub(in super::super) async fn discard(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Form(form): Form<WhyForm>,
) -> Response {
    let discard = async {
        let reason = caller.reason(&form.why)?;
        Ok::<_, Problem>(desk_of(&app).discard(&known(&id)?, reason).await?)
    };
    done(discard.await, &address(&id))
}
