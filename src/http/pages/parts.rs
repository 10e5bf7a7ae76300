//! What the operator's pages share: times in words, states in colours, verbs as forms, and problems for people.

use super::layout::page;
use crate::clock;
use crate::http::problem::Problem;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, Utc};
use maud::{Markup, html};

/// "3 min ago", or "in 12 s".
pub(super) fn when(time: DateTime<Utc>) -> Markup {
    let seconds = (clock::now() - time).num_seconds();
    let text = if seconds >= 0 { format!("{} ago", span(seconds)) } else { format!("in {}", span(-seconds)) };
    html! { time datetime=(time.to_rfc3339()) title=(time.to_rfc3339()) { (text) } }
}

pub(super) fn when_us(us: i64) -> Markup {
    DateTime::from_timestamp_micros(us).map(when).unwrap_or_default()
}

fn span(seconds: i64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// How worried to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Good,
    Wait,
    Bad,
}

pub(super) fn state(text: &str, mood: Mood) -> Markup {
    let class = match mood {
        Mood::Good => "state good",
        Mood::Wait => "state wait",
        Mood::Bad => "state bad",
    };
    html! { span class=(class) { (text) } }
}

/// A verb with its reason, folded away until it is wanted. `hidden` goes along.
pub(super) fn verb(action: &str, name: &str, hidden: &[(&str, &str)]) -> Markup {
    html! {
        details.verb {
            summary { (name) }
            form method="post" action=(action) {
                @for (name, value) in hidden { input type="hidden" name=(name) value=(value); }
                (why())
                button { (name) }
            }
        }
    }
}

pub(super) fn why() -> Markup {
    html! { input name="why" required maxlength="1000" placeholder="why? (kept with the event)" aria-label="why"; }
}

/// A name that may hold anything, for an address.
pub(super) fn escaped(text: &str) -> String {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b":_-.~".contains(&byte);
    text.bytes()
        .map(|byte| if safe(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Back to a page after a verb, or what stood in its way.
pub(super) fn done<T>(result: Result<T, Problem>, back: &str) -> Response {
    match result {
        Ok(_) => Redirect::to(back).into_response(),
        Err(problem) => refused(&problem, back),
    }
}

/// A problem as a page.
pub(super) fn refused(problem: &Problem, back: &str) -> Response {
    let body = html! {
        p.bad { (problem.detail) }
        @if let Some(pointer) = &problem.pointer { p { "At " code { (pointer) } } }
        p { (problem.hint) }
        p { a href=(back) { "Back" } }
    };
    let mut response = page("That did not work", "/actors", &body);
    *response.status_mut() =
        StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}
