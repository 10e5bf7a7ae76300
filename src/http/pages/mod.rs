//! The pages a person opens: the week, the shopping list, recipes, the operator's desk. Plain HTML from the read models.

mod dead_letters;
mod layout;
mod list;
mod operator;
mod parts;
mod recipes;
mod troubles;
mod week;

use super::App;
use super::problem::Problem;
use crate::domain::context::Projection;
use crate::store::{RowCursor, RowQuery};
use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::{get, post};

/// Adds the pages to the surface.
pub(super) fn add(router: Router<App>) -> Router<App> {
    router
        .route("/", get(week::newest))
        .route("/plans/{id}", get(week::one).post(week::change))
        .route("/shopping", get(list::newest))
        .route("/shopping/{id}", get(list::one))
        .route("/recipes", get(recipes::all))
        .route("/recipes/{id}", get(recipes::one))
        .route("/actors", get(operator::all).post(operator::order))
        .route("/projections", post(operator::rebuild))
        .route("/sagas", post(troubles::order_saga))
        .route("/breakers", post(troubles::order_breaker))
        .route("/effects", post(troubles::decide_effect))
        .route("/dead-letters", get(dead_letters::all))
        .route("/dead-letters/{id}", get(dead_letters::one))
        .route("/dead-letters/{id}/body", post(dead_letters::edit))
        .route("/dead-letters/{id}/dry-run", post(dead_letters::dry_run))
        .route("/dead-letters/{id}/replay", post(dead_letters::replay))
        .route("/dead-letters/{id}/discard", post(dead_letters::discard))
        .route("/assets/page.css", get(|| asset("text/css", include_str!("page.css"))))
        .route("/assets/page.js", get(|| asset("text/javascript", include_str!("page.js"))))
}

async fn asset(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "max-age=300")], text)
}

/// A page of a read model's rows, decoded.
async fn rows<P: Projection>(
    app: &App,
    words: Vec<String>,
    after: Option<RowCursor>,
) -> Result<(Vec<P::Row>, Option<RowCursor>), Problem> {
    let hub = app.dispatcher.hub();
    let view = hub.views.get(P::NAME).ok_or_else(|| Problem::not_found("there is no such list"))?;
    let page = hub.store.rows(&view.table, RowQuery { words, after, limit: 500 }).await?;
    let decoded = page.rows.iter().map(|(_, body)| decode::<P>(body)).collect::<Result<_, _>>()?;
    Ok((decoded, page.next))
}

/// The row that is sorted last.
async fn newest_row<P: Projection>(app: &App) -> Result<Option<P::Row>, Problem> {
    let mut newest = None;
    let mut after = None;
    loop {
        let (mut page, next) = rows::<P>(app, Vec::new(), after).await?;
        newest = page.pop().or(newest);
        if next.is_none() {
            return Ok(newest);
        }
        after = next;
    }
}

async fn row<P: Projection>(app: &App, key: &str) -> Result<P::Row, Problem> {
    let hub = app.dispatcher.hub();
    let missing = || Problem::not_found("nothing has this id");
    let view = hub.views.get(P::NAME).ok_or_else(missing)?;
    decode::<P>(&view.row(&*hub.store, key).await?.ok_or_else(missing)?)
}

fn decode<P: Projection>(body: &str) -> Result<P::Row, Problem> {
    serde_json::from_str(body).map_err(|error| {
        Problem::new(
            axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            format!("a row of {} does not read: {error}", P::NAME),
            "this is a defect of the server",
        )
    })
}
