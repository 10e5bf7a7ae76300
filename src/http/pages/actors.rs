//! The tree of actors at a glance.

use super::layout::page;
use crate::actors::Stage;
use crate::http::App;
use axum::extract::State;
use axum::response::Response;
use maud::html;

pub(in super::super) async fn all(State(app): State<App>) -> Response {
    let hub = app.dispatcher.hub();
    let body = html! {
        p.small { "Newest message: " (*hub.committed.borrow()) }
        div.scroll { table {
            thead { tr {
                th { "Actor" } th { "State" } th.n { "Generation" } th.n { "Waiting" } th.n { "In flight" }
                th.n { "Handled" } th.n { "Failed" } th { "Last error" }
            } }
            tbody {
                @for actor in hub.registry.all() {
                    tr {
                        td { (if actor.path.is_empty() { "root" } else { &actor.path }) " " span.small { (actor.kind) } }
                        td.bad[actor.state != Stage::Running] { (format!("{:?}", actor.state).to_lowercase()) }
                        td.n { (actor.generation) }
                        td.n { (actor.waiting) }
                        td.n { (actor.in_flight) }
                        td.n { (actor.handled) }
                        td.n { (actor.failed) }
                        td.small { (actor.last_error.unwrap_or_default()) }
                    }
                }
            }
        } }
    };
    page("Server", "/actors", &body)
}
